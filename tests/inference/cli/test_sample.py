"""Test the command that draws a sample: its files, its messages, and files that it does not overwrite."""

import json

import pytest

from helpers.coding import corpus, read_rows
from helpers.program import table


@pytest.fixture
def results(workdir):
    return corpus("tagged.jsonl")


def test_a_sample_is_written_as_a_sheet(run, results):
    done = run("sample", "tagged.jsonl", "-n", 40, "--by", "outlet,label", "--out", "sample.csv")
    assert (done.code, done.messages) == (0, [])
    assert done.out == "sample.csv: 40 of 300 stances, in 4 strata\n"
    assert len(read_rows("sample.csv")) == 40


def test_a_sample_is_written_for_label_studio(run, results, workdir):
    done = run("sample", "tagged.jsonl", "-n", 30, "--rows", "sentences", "-o", "sample.json")
    assert done.out.splitlines() == [
        "sample.json: 30 of 300 sentences, in 1 stratum",
        "sample.xml: the labelling configuration for Label Studio",
    ]
    assert len(json.loads((workdir / "sample.json").read_text(encoding="utf-8"))) == 30
    assert (workdir / "sample.xml").exists()


def test_a_sample_is_printed_without_a_path(run, results):
    done = run("sample", "tagged.jsonl", "-n", 10, "--by", "")
    assert {row["stratum"] for row in table(done.out)} == {"all"}


def test_the_seed_determines_the_sample(run, results):
    first, repeated, reseeded = (
        run("sample", "tagged.jsonl", "-n", 10, "--seed", seed).out for seed in (13, 13, 14)
    )
    assert first == repeated
    assert first != reseeded


def test_a_sheet_that_may_be_coded_is_not_overwritten(run, results, workdir):
    for name, existing in (("sample.csv", "sample.csv"), ("sample.json", "sample.xml")):
        (workdir / existing).write_text("coded", encoding="utf-8")
        done = run("sample", "tagged.jsonl", "--out", name)
        assert done.code == 2
        assert done.messages == [
            f"error: --out: expected a new file, found '{existing}', which may be coded or in use"
        ]
        assert (workdir / existing).read_text(encoding="utf-8") == "coded"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone.jsonl"], 2, "RESULTS: 'gone.jsonl' does not exist"),
        (["tagged.jsonl", "-o", "s.xlsx"], 2, "expected a name ending in .csv or .json, found"),
        (["tagged.jsonl", "-n", "0"], 2, "'--size'"),
        (["tagged.jsonl", "--rows", "claims"], 2, "'claims' is not one of 'stances', 'sentences'"),
        (["tagged.jsonl", "--by", "labels"], 2, "--by: unknown key 'labels'. Did you mean 'label'"),
        (["tagged.jsonl", "-n", "3"], 2, "--size: expected at least 4 rows for the 2 strata"),
        (["table.csv"], 1, "table.csv: expected JSON Lines or Parquet, found a CSV file"),
        (["broken.jsonl"], 1, "broken.jsonl, line 1: expected"),
    ],
)
def test_wrong_calls_and_files_are_rejected(run, results, workdir, arguments, code, message):
    (workdir / "table.csv").write_text("doc_id\n", encoding="utf-8")
    (workdir / "broken.jsonl").write_text("{}\n", encoding="utf-8")
    done = run("sample", *arguments)
    assert done.code == code
    assert message in done.messages[0]
    assert not (workdir / "s.xlsx").exists()
