"""Test the reading of results: files of folders, and errors that name the file and the line."""

import json
from dataclasses import replace

import pytest

from claimstance.inference.corpus.results_reader import read_results, result_files, results_size
from claimstance.inference.writers.parquet import open_parquet
from claimstance.model.errors import InputError
from helpers.results import tagged, write_results


def read(*paths):
    return [result.article for result in read_results(paths)]


def test_articles_are_read_as_written(tmp_path):
    articles = [
        tagged("a1", says=[("Ann Lee", "the dam is safe")], stances=[(None, "dam")], outlet="Post"),
        tagged("a2", warnings=["odd"], title="Ñandú"),
    ]
    path = write_results(tmp_path / "tagged.jsonl", *articles)
    assert read(path) == articles
    sizes = [result.size for result in read_results([path])]
    assert sum(sizes) == path.stat().st_size == results_size([path])


def test_folders_give_their_results_in_order_and_no_other_files(tmp_path):
    for name in ("part-00001.jsonl", "part-00000.jsonl", ".part-00002.jsonl", "manifest.json"):
        (tmp_path / name).write_text("")
    assert [path.name for path in result_files([tmp_path])] == [
        "part-00000.jsonl",
        "part-00001.jsonl",
    ]
    first_part = tmp_path / "part-00000.jsonl"
    assert len(result_files([tmp_path, first_part])) == 2


def test_empty_lines_and_fields_of_later_versions_are_ignored(tmp_path):
    line = json.dumps({**tagged().to_dict(), "mood": "sunny"})
    path = tmp_path / "tagged.jsonl"
    path.write_text(f"\n{line}\n\n")
    assert read(path) == [tagged()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "expected JSON, found EOF"),
        ('{"text": "An article."}', "at doc_id: expected a value, found none"),
        ("[]", "expected an object, found []"),
        ('"\\ud800"', "expected JSON"),
    ],
)
def test_errors_name_the_bad_line(tmp_path, line, expected):
    path = write_results(tmp_path / "tagged.jsonl", tagged())
    path.write_text(path.read_text() + line)
    with pytest.raises(InputError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(f"{path}, line 2: expected an article as `claimstance tag")
    assert expected in message


def test_errors_locate_a_bad_value_within_an_article(tmp_path):
    article = tagged(says=["Ann Lee"]).to_dict()
    article["sentences"][0]["attributions"][0]["probability"] = "high"
    path = tmp_path / "tagged.jsonl"
    path.write_text(json.dumps(article))
    message = r"line 1: .*, at sentences\[0\]\.attributions\[0\]\.probability: expected a number, found 'high'"
    with pytest.raises(InputError, match=message):
        read(path)


def write_parquet(path, *articles, rows="sentences"):
    pytest.importorskip("pyarrow")
    with path.open("wb") as file, open_parquet(file, rows) as writer:
        for article in articles:
            writer.write(article)
    return path


def test_parquet_has_the_same_articles_as_json_lines(tmp_path):
    many = [tagged(f"a{i}", says=[("Ann Lee", "no")] * (i % 7 + 1)) for i in range(300)]
    with_metadata = tagged(
        "b", warnings=["odd"], title="Ñandú", outlet="Post", record="yes", score=3
    )
    with_metadata = replace(with_metadata, sentences=many[1].sentences, text=many[1].text)
    path = write_parquet(tmp_path / "tagged.parquet", *many, with_metadata)
    assert read(path) == read(tmp_path) == [*many, with_metadata]
    sizes = [result.size for result in read_results([path])]
    assert sum(sizes) == pytest.approx(results_size([path]), rel=0.05)


def test_json_lines_are_preferred_in_a_folder_with_both_formats(tmp_path):
    write_results(tmp_path / "tagged.jsonl", tagged("a1", says=["Ann Lee"]))
    write_parquet(tmp_path / "tagged.parquet", tagged("a2", says=["Ann Lee"]))
    assert [article.doc_id for article in read(tmp_path)] == ["a1"]


def test_the_error_for_parquet_without_whole_articles_names_the_option(tmp_path):
    path = tmp_path / "tagged.parquet"
    write_parquet(path, tagged(stances=[("Ann Lee", "dam")]), rows="stances")
    with pytest.raises(InputError, match=r"tagged\.parquet: .*'record'.*--rows sentences"):
        read(path)


@pytest.mark.parametrize("column", ["text", "record"])
def test_the_error_for_a_foreign_parquet_file_names_the_option(tmp_path, column):
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "sales.parquet"
    pyarrow.parquet.write_table(pyarrow.table({column: [1, 2]}), path)
    with pytest.raises(InputError, match=r"sales\.parquet: .*'record'.*--rows sentences"):
        read(path)


def test_parquet_that_would_fill_the_memory_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "tagged.parquet"
    table = pyarrow.table({"record": ["x" * 120_000_000]})
    pyarrow.parquet.write_table(table, path, compression="zstd", use_dictionary=False)
    with pytest.raises(
        InputError, match=r"tagged\.parquet: expected a file that unpacks to at most"
    ):
        read(path)


def test_damaged_parquet_is_an_error(tmp_path):
    path = write_parquet(tmp_path / "tagged.parquet", tagged(says=["Ann Lee"]))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"tagged\.parquet: expected a Parquet file, found one"):
        read(path)


def test_errors_name_a_row_that_is_no_article(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "tagged.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"record": [None, "[]"]}), path)
    with pytest.raises(InputError, match=r"tagged\.parquet, row 2: .*an object, found \[\]"):
        read(path)


def test_the_error_for_a_table_names_the_expected_format(tmp_path):
    file = tmp_path / "tagged.csv"
    file.write_bytes(b"")
    for path in (file, tmp_path):
        with pytest.raises(InputError, match=r"tagged.csv: expected JSON Lines.*--format jsonl"):
            read(path)


def test_missing_files_and_empty_folders_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl: expected a file or folder"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(
        InputError, match=r"expected files ending in \.jsonl or \.parquet, found an empty folder"
    ):
        read(tmp_path)
