"""Test that every format recognises its own files, and no other format claims them."""

import pytest

from claimstance.training.data import formats
from claimstance.training.data.formats import FORMATS, files_in, recognise
from helpers.paths import DATA, SEEDS

#: The names of the formats in a folder, where they differ from its name.
OWNERS = {"spacy": {"spacy", "spacy-json"}, "table": {"csv", "tsv", "xlsx", "parquet"}}
ANY_TABLE = {"csv", "tsv", "xlsx", "parquet"}  # recognise any file, and are tried last


def exports():
    """Return pairs of a file or folder and the names of the formats that it may have."""
    examples = [(SEEDS / "records.jsonl", {"jsonl"})]
    for folder in sorted(DATA.iterdir()):
        if folder.name in ("broken", "articles"):
            continue
        owners = OWNERS.get(folder.name, {folder.name})
        suffixes = {suffix for name in owners for suffix in FORMATS[name].suffixes}
        examples += [
            (path, owners)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in suffixes
        ]
        if "" in suffixes:
            examples += [(path, owners) for path in sorted(folder.iterdir()) if path.is_dir()]
    return examples


EACH = pytest.mark.parametrize(
    ("path", "owners"),
    [
        pytest.param(path, owners, id=path.relative_to(path.parents[2]).as_posix())
        for path, owners in exports()
    ],
)


@EACH
def test_a_file_is_recognised(path, owners):
    assert recognise(path).name in owners


@EACH
def test_no_other_format_recognises_the_file(path, owners):
    head, suffix = formats._read_head(path), "" if path.is_dir() else path.suffix
    assert not [
        name
        for name, format in FORMATS.items()
        if name not in owners | ANY_TABLE and suffix in format.suffixes and format.recognise(head)
    ]


def test_every_format_that_reads_an_export_has_examples():
    tried = set().union(*(owners for _, owners in exports()))
    assert set(FORMATS) <= tried


def test_a_folder_stands_for_its_files(tmp_path):
    project = DATA / "webanno" / "project"
    assert [path.name for path in files_in(project)] == ["anna.tsv", "bo.tsv"]
    assert files_in(DATA / "brat" / "people") == [DATA / "brat" / "people"]
    assert files_in(project, "brat") == [project]
    for name in ("b.jsonl", "a.csv", "article.txt", ".hidden.jsonl", "notes.md", ".git/x.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in files_in(tmp_path)] == ["a.csv", "b.jsonl"]
    assert [path.name for path in files_in(tmp_path, "csv")] == ["a.csv"]
    assert files_in(tmp_path / "b.jsonl") == [tmp_path / "b.jsonl"]
    # The folder has no such file, which the reader then reports.
    assert files_in(tmp_path, "xlsx") == [tmp_path]
