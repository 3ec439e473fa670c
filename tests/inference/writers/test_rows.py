"""Test results as rows: the same columns in CSV, Parquet and data frames."""

import csv
import gc
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from claimstance.inference.results import Sentence, TaggedArticle
from claimstance.inference.writers import parquet as parquet_writer
from claimstance.inference.writers.formats import OutputFormat, RowKind, article_writer
from claimstance.inference.writers.rows import (
    KINDS,
    META,
    TABLES,
    MetaColumns,
    has_sentence_columns,
    table_schema,
)
from claimstance.inference.writers.text import CsvWriter, open_output
from claimstance.model.article.spans import Attribution
from claimstance.model.errors import ConfigError
from claimstance.model.labels import TASKS
from helpers.pages import span, stance, tagged
from helpers.paths import ROOT
from helpers.program import PROGRAM, table, write
from helpers.program import TEXT as PROGRAM_TEXT
from helpers.rows import MODEL, csv_rows, uniform_article
from helpers.tiny import TEXT, script

NESTED = ("attributions", "continued")


def quoted_article():
    """Return an article with a quotation whose speaker stands in its second sentence."""
    text = "“The dam leaks. Go home,” Ann Lee said."
    holder, dam = span(text, "Ann Lee", "Ann Lee"), span(text, "The dam")
    stances = [stance(0, "Ann Lee", "The dam", "against", holder=holder, target=dam)]
    attributions = [(1, "Ann Lee", "Ann Lee", "said", "Go home", 0.9)]
    return tagged(text, ["“The dam leaks.", "Go home,” Ann Lee said."], attributions, stances)


@pytest.fixture(scope="module")
def article():
    return script()[0].tag(
        TEXT, ["Carl Amsel", "rail"], "a", meta={"outlet": "Courier", "n": 3, "tags": ["x"]}
    )


def parquet(articles, rows="sentences"):
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    with parquet_writer.open_parquet(file, rows) as writer:
        for article in articles:
            writer.write(article)
    return pq.ParquetFile(io.BytesIO(file.getvalue()))


# The columns


LOCATION = ["doc_id", "index", "start", "end", "text"]


@pytest.mark.parametrize(
    ("tasks", "columns"),
    [
        (["claim"], ["claim", "claim_probability"]),
        (["check_worthy", "subjective"], ["check_worthy_probability", "subjective_probability"]),
        (["attribution"], ["sources", "cues", "contents", "attributions", "continued"]),
        (["entity", "stance"], ["entities"]),
        (["stance"], []),
    ],
)
def test_rows_of_sentences_have_the_columns_of_the_models_tasks(article, tasks, columns):
    assert [
        column.name for column in table_schema("sentences", tasks).columns
    ] == LOCATION + columns
    file = io.StringIO(newline="")
    CsvWriter(file, "sentences", tasks=tasks).write(article)
    header, *rows = csv.reader(io.StringIO(file.getvalue(), newline=""))
    expected = LOCATION + [name for name in columns if name not in ("attributions", "continued")]
    assert header[: len(expected)] == expected
    assert [name for name in header[len(expected) :] if not name.startswith("meta")] == []
    assert {len(row) for row in rows} == {len(header)}
    assert has_sentence_columns(tasks) is bool(columns)


def test_parquet_has_the_columns_of_the_models_tasks(article):
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    with parquet_writer.open_parquet(file, tasks=["claim"]) as writer:
        writer.write(article)
    names = pq.ParquetFile(io.BytesIO(file.getvalue())).schema_arrow.names
    sentence_columns = [name for name in names if not name.startswith("meta")]
    assert sentence_columns == [*LOCATION, "claim", "claim_probability", "record"]


def test_a_model_of_all_tasks_has_all_columns():
    for rows, schema in TABLES.items():
        assert table_schema(rows).columns == schema.columns
        assert table_schema(rows, TASKS).columns == schema.columns
    assert table_schema("stances", ["stance"]).columns == TABLES["stances"].columns


@pytest.mark.parametrize("rows", TABLES)
def test_the_documented_columns_are_those_written(rows):
    text = (ROOT / "docs/output.md").read_text(encoding="utf-8")
    section = text.partition(f": `--rows {rows}`\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    assert documented == [
        (column.name, KINDS[column.kind], column.description) for column in TABLES[rows].columns
    ]


@pytest.mark.parametrize("rows", TABLES)
def test_rows_have_the_columns_in_order(article, rows):
    table_rows = list(TABLES[rows].rows(article))
    assert table_rows
    assert {tuple(row) for row in table_rows} == {
        tuple(column.name for column in TABLES[rows].columns)
    }


def test_a_holder_in_another_sentence_keeps_its_offsets():
    article = quoted_article()
    assert [
        (row["sentence"], row["holder"], row["holder_start"], row["holder_end"], row["text"])
        for row in TABLES["stances"].rows(article)
    ] == [(0, "Ann Lee", 26, 33, "“The dam leaks.")]
    holder = article.to_dict()["sentences"][0]["stances"][0]["holder_span"]
    assert (holder["start"], holder["end"], holder["text"]) == (26, 33, "Ann Lee")
    header, line = csv_rows([article], "stances")
    assert line[header.index("holder_start")] == "26"
    assert "Ann Lee → The dam: against 0.90" in article._repr_html_()


def test_a_holder_in_another_sentence_keeps_its_offsets_in_parquet_and_frames():
    pytest.importorskip("pandas")
    article = quoted_article()
    assert article.to_frame(rows="stances")["holder_end"].tolist() == [33]
    rows = parquet([article], "stances").read().to_pylist()
    assert [(row["holder_start"], row["target_start"]) for row in rows] == [(26, 1)]


@pytest.mark.parametrize("rows", TABLES)
def test_csv_parquet_and_frames_have_the_same_columns_and_values(article, rows):
    header, *lines = csv_rows([article], rows)
    file = parquet([article], rows)
    frame = pytest.importorskip("pandas") and article.to_frame(rows)
    names = file.schema_arrow.names
    assert header == [name for name in names if name not in (*NESTED, parquet_writer.RECORD)]
    assert [name for name in header if name != META] == [
        name for name in frame.columns if name not in NESTED
    ]
    typed = file.read().to_pylist()
    assert len(lines) == len(typed) == len(frame) > 0
    for line, row in zip(lines, typed, strict=True):
        for name, cell in zip(header, line, strict=True):
            value = row[name]
            if value is None:
                assert cell == ""
            elif isinstance(value, list):
                assert cell == " | ".join(value)
            else:
                assert cell == str(value)


# Metadata


def test_metadata_has_its_own_columns(article):
    header, line, *_ = csv_rows([article])
    assert header[-4:] == ["meta_outlet", "meta_n", "meta_tags", "meta"]
    assert line[-4:] == ["Courier", "3", '["x"]', ""]


def test_metadata_of_later_articles_is_not_lost():
    header, *lines = csv_rows(
        [
            uniform_article("A.", outlet="x"),
            uniform_article("B.", outlet=None, date="2026"),
            uniform_article("C."),
        ]
    )
    assert header[-2:] == ["meta_outlet", "meta"]
    assert [line[-2:] for line in lines] == [["x", ""], ["", '{"date": "2026"}'], ["", ""]]
    rows = (
        parquet([uniform_article("A.", outlet="x"), uniform_article("B.", date=2026)])
        .read(["meta_outlet", "meta"])
        .to_pylist()
    )
    assert rows == [
        {"meta_outlet": "x", "meta": None},
        {"meta_outlet": None, "meta": '{"date": 2026}'},
    ]


def test_names_of_metadata_collide_with_no_column():
    column_names = {column.name for kind in TABLES.values() for column in kind.columns}
    names = [
        column.name for column in MetaColumns({"text": 1, "meta": 2, "": 3, "doc_id": 4}).columns
    ]
    assert names == ["meta_text", "meta_meta", "meta_", "meta_doc_id", "meta"]
    assert not column_names & set(names)


# Attributions


def test_each_attribution_has_a_row():
    text = "Senator Amsel spoke. He said that the tax is theft. Critics blamed him."
    source, cue, content = (span(text, words) for words in ("He", "said", "the tax is theft"))
    source = replace(source, name="Carl Amsel")
    critics = span(text, "Critics")
    attributions = [
        Attribution(source, cue, content, 0.91239),
        Attribution(critics, None, None, 0.5),
    ]
    sentences = [
        Sentence(0, 0, 20, text[:20], attributions=[]),
        Sentence(1, 21, 51, text[21:51], attributions=attributions[:1]),
        Sentence(2, 52, len(text), text[52:], attributions=[*attributions, attributions[1]]),
    ]
    meta = {"date": "2026-03-01", "outlet": "Courier", "url": "u"}
    article = TaggedArticle("a", "Tax", text, MODEL, sentences, [], [], meta)
    header, *lines = csv_rows([article], "attributions")
    first, second = (dict(zip(header, line, strict=True)) for line in lines)
    assert first == {
        "doc_id": "a",
        "title": "Tax",
        "date": "2026-03-01",
        "outlet": "Courier",
        "sentence": "1",
        "source": "He",
        "name": "Carl Amsel",
        "cue": "said",
        "content": "the tax is theft",
        "probability": "0.9124",
        "source_start": "21",
        "source_end": "23",
        "cue_start": "24",
        "cue_end": "28",
        "content_start": "34",
        "content_end": "50",
        "text": "He said that the tax is theft.",
        "meta_url": "u",
        "meta": "",
    }
    assert (second["source"], second["sentence"]) == ("Critics", "2")
    assert [second[name] for name in ("name", "cue", "content", "cue_start", "content_end")] == [
        ""
    ] * 5
    (row, _) = parquet([article], "attributions").read().to_pylist()
    assert text[row["content_start"] : row["content_end"]] == row["content"]


def test_date_and_outlet_have_a_column_even_if_the_first_article_lacks_them():
    articles = [
        uniform_article("A."),
        uniform_article("B.", outlet="Courier", date=2026, url="u"),
        uniform_article("C.", date=None),
    ]
    header, *lines = csv_rows(articles, "attributions")
    assert header[-1] == "meta"
    assert not {"meta_date", "meta_outlet"} & set(header)
    columns = [header.index(name) for name in ("date", "outlet", "meta")]
    assert [[line[column] for column in columns] for line in lines] == [
        ["", "", ""],
        ["2026", "Courier", '{"url": "u"}'],
        ["", "", ""],
    ]


def test_a_model_without_attributions_gives_no_rows():
    article = TaggedArticle("d", None, "A.", MODEL, [Sentence(0, 0, 2, "A.")], [])
    assert len(csv_rows([article], "attributions")) == 1
    assert parquet([article], "attributions").metadata.num_rows == 0


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_the_command_line_writes_attributions(run, model, file_format):
    if file_format == "parquet":
        pytest.importorskip("pyarrow.parquet")
    write("a.csv", f'text,outlet,kind\n"{PROGRAM_TEXT}",Courier,news\n')
    call = ("tag", "a.csv", "--model", model, "--rows", "attributions", "--out")
    result = run(*call, f"said.{file_format}")
    assert (result.code, result.messages) == (0, [])
    if file_format == "parquet":
        import pyarrow.parquet as pq

        rows = pq.read_table("said.parquet").to_pylist()
    else:
        rows = table(Path("said.csv").read_bytes().decode())
    names = [column.name for column in TABLES["attributions"].columns]
    assert rows
    assert [*rows[0]] == [*names, "meta_kind", "meta"]
    assert {(row["outlet"], row["meta_kind"]) for row in rows} == {("Courier", "news")}
    shards = run(*call, "parts", "--format", file_format)
    assert (shards.code, shards.messages) == (0, [])
    first_shard = Path("parts", f"part-00000.{file_format}").read_bytes()
    assert first_shard == Path(f"said.{file_format}").read_bytes()


# Parquet


def test_parquet_is_typed_and_nested(article):
    pa = pytest.importorskip("pyarrow")
    schema = parquet([article]).schema_arrow
    assert schema.field("index").type == pa.int64()
    assert schema.field("claim_probability").type == pa.float64()
    assert schema.field("sources").type == pa.list_(pa.string())
    row = parquet([article]).read().to_pylist()[2]
    first = article.sentences[2].attributions[0]
    assert row["attributions"][0]["source"] == {
        "text": first.source.text,
        "start": first.source.start,
        "end": first.source.end,
        "name": first.source.name,
    }
    assert row["attributions"][0]["source"]["name"] == "Carl Amsel"
    assert (
        article.text[first.content.start : first.content.end]
        == row["attributions"][0]["content"]["text"]
    )


def test_tasks_that_the_model_lacks_are_null():
    article = TaggedArticle("d", None, "A.", MODEL, [Sentence(0, 0, 2, "A.")], [])
    (row,) = parquet([article]).read().to_pylist()
    for name in ("claim", "sources", "attributions", "claim_probability"):
        assert row[name] is None


def test_parquet_is_written_in_row_groups(article, monkeypatch):
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 4)
    file = parquet([article] * 5)
    assert file.metadata.num_row_groups > 3
    assert file.metadata.num_rows == 5 * len(article.sentences)
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 10_000)
    monkeypatch.setattr(parquet_writer, "_CHARACTERS_PER_GROUP", 1)
    assert parquet([article]).metadata.num_row_groups == len(article.sentences)


def test_parquet_without_articles_has_its_columns():
    file = parquet([], "stances")
    assert (file.metadata.num_rows, file.schema_arrow.names[0]) == (0, "doc_id")


def test_the_command_line_writes_parquet(run, model):
    pq = pytest.importorskip("pyarrow.parquet")
    write("a.csv", f'text,outlet\n"{PROGRAM_TEXT}",Courier\n')
    result = run("tag", "a.csv", "--model", model, "-o", "t.parquet")
    assert (result.code, result.out, result.messages) == (0, "", [])
    rows = pq.read_table("t.parquet").to_pylist()
    assert [row["meta_outlet"] for row in rows] == ["Courier"] * 3
    assert rows[1]["text"] == "Senator Carl Amsel spoke on Monday."
    options = ("-f", "parquet", "--rows", "stances", "-t", "tax", "-o", "s.parquet")
    run("tag", "a.csv", "--model", model, *options)
    assert {row["target"] for row in pq.read_table("s.parquet").to_pylist()} == {"tax"}
    assert sorted(path.name for path in Path().iterdir()) == ["a.csv", "s.parquet", "t.parquet"]


def test_parquet_is_read_as_input(run, model):
    pytest.importorskip("pyarrow.parquet")
    import pyarrow

    pyarrow.parquet.write_table(
        pyarrow.table({"body": [PROGRAM_TEXT], "outlet": ["Courier"], "n": [3]}), "a.parquet"
    )
    result = run("tag", "a.parquet", "--model", model, "--format", "csv")
    assert result.messages == [
        "warning: a.parquet: no column 'text': 'body' is read as the text (--text-column names "
        "another)"
    ]
    assert [(row["doc_id"], row["meta_outlet"], row["meta_n"]) for row in table(result.out)] == [
        ("a:1", "Courier", "3")
    ] * 3
    line = json.loads(run("tag", "a.parquet", "--model", model, "--text-column", "body").out)
    assert line["meta"] == {"outlet": "Courier", "n": 3}


def test_a_failure_keeps_the_existing_parquet_file(article, tmp_path, monkeypatch):
    def fail():
        with (
            open_output(path) as file,
            article_writer(
                OutputFormat.parquet, RowKind.sentences, file, tasks=script()[0].tasks
            ) as writer,
        ):
            writer.write(article)
            raise RuntimeError

    pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 1)
    path = tmp_path / "t.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        fail()
    gc.collect()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_incomplete_parquet_file_cannot_be_read(article, monkeypatch):
    def fail():
        with parquet_writer.open_parquet(file) as writer:
            writer.write(article)
            raise RuntimeError

    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 1)
    file = io.BytesIO()
    with pytest.raises(RuntimeError):
        fail()
    assert len(file.getvalue()) > 1000
    with pytest.raises(pa.ArrowInvalid):
        pa.parquet.ParquetFile(io.BytesIO(file.getvalue()))


def test_parquet_can_be_piped(workdir, model):
    pq = pytest.importorskip("pyarrow.parquet")
    write("a.txt", PROGRAM_TEXT)
    command = [*PROGRAM, "tag", "a.txt", "--model", model, "-f", "parquet"]
    completed = subprocess.run(command, capture_output=True, check=True)
    assert pq.ParquetFile(io.BytesIO(completed.stdout)).metadata.num_rows == 3


# Frames


def test_a_frame_of_sentences_has_typed_columns(article):
    pytest.importorskip("pandas")
    frame = article.to_frame()
    assert frame["text"].tolist() == [sentence.text for sentence in article.sentences]
    assert frame["sources"].tolist()[2] == ["Carl Amsel"]
    assert frame["meta_tags"].tolist() == [["x"]] * len(frame)
    types = {
        name: str(frame[name].dtype) for name in ("text", "start", "claim_probability", "sources")
    }
    assert types == {
        "text": "string",
        "start": "Int64",
        "claim_probability": "Float64",
        "sources": "object",
    }


def test_a_frame_of_stances_has_typed_columns(article):
    pandas = pytest.importorskip("pandas")
    frame = article.to_frame(rows="stances")
    assert set(frame["target"]) == {"Carl Amsel", "rail"}
    assert frame["target_start"].isna().any()
    assert str(frame["abstained"].dtype) == "boolean"
    assert len(pandas.concat([frame, frame])) == 2 * len(frame)


def test_a_frame_without_rows_has_its_columns(article):
    pytest.importorskip("pandas")
    empty = TaggedArticle("d", None, "", MODEL, [], [])
    assert list(empty.to_frame("stances").columns) == [
        column.name for column in TABLES["stances"].columns
    ]
    assert str(empty.to_frame()["index"].dtype) == "Int64"


def test_wrong_calls_of_to_frame_are_errors(article, monkeypatch):
    pytest.importorskip("pandas")
    with pytest.raises(
        ConfigError, match=r"unknown kind of rows 'stance'. Did you mean 'stances'\?"
    ):
        article.to_frame("stance")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ConfigError, match=r"this needs 'pandas': pip install 'claimstance\[frames\]'"
    ):
        article.to_frame()
