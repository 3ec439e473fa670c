"""Test findings about files that the linter cannot read, and their locations."""

import json

import pytest

from claimstance.model.errors import ConfigError
from claimstance.training.data.lint.linter import Inspection
from claimstance.training.load_config import parse_data_config
from helpers.data.lint import codes


def test_each_unreadable_line_has_a_finding(check):
    lines = [
        b'{"id": "1", "text": "Rain."}',
        b"",
        b'{"id": "2"}',
        b"{",
        b'{"id": "3", "text": "caf\xe9"}',
        b'{"id": "4", "text": "Sun.", "entities": [{"span": [[0, 9]], "label": "MISC"}]}',
        b'{"id": "1", "text": "Wind."}',
    ]
    findings = check(files={"a.jsonl": b"\n".join(lines)})
    assert [(f.location.line, f.code) for f in findings] == [
        (3, "unreadable"),
        (4, "unreadable"),
        (5, "unreadable"),
        (6, "unreadable"),
        (7, "repeated-id"),
    ]
    assert [f.message.partition(", found")[0] for f in findings] == [
        "text: expected a value",
        "expected a JSON object",
        "expected UTF-8 text",
        "entities[0].span: expected 0 <= start < end <= 4 (the text's length)",
        "id: expected a new id",
    ]
    assert str(findings[0]) == "a.jsonl:3: error unreadable: text: expected a value, found none"
    assert findings[4].message.endswith("found '1', already used in a.jsonl:1")


def test_findings_in_a_table_have_the_line_of_their_row(check):
    rows = 'text,label\n"Rain\nfell.",claim\n ,claim\n\nSun.\n<i>Wind</i>,no_claim\n'
    findings = check(files={"t.csv": rows})
    assert [(f.location.line, f.code, f.location.record) for f in findings] == [
        (4, "empty-text", None),
        (6, "unreadable", None),
        (7, "markup", "t:4"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.spacy", "{", "expected what spacy looks like, found something else"),
        ("a.csv", "txt,label\na,b\n", "expected a column 'text', found txt, label"),
        ("a.pdf", "x", "expected a file whose name ends in"),
    ],
)
def test_an_unreadable_file_has_one_finding(check, name, content, message):
    (finding,) = check(files={name: content})
    assert str(finding).startswith(f"{name}: error unreadable: {message}")


def test_an_empty_file_has_one_finding(check):
    (finding,) = check(files={"a.jsonl": ""}, format="jsonl")
    assert (
        str(finding)
        == "a.jsonl: error unreadable: expected at least one record, found an empty file"
    )


def test_a_missing_file_does_not_affect_other_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text("text,label\n<i>x</i>,y\n", encoding="utf-8")
    config = parse_data_config({"path": "x", "sources": [{"files": ["gone.csv", "b.csv"]}]}, "test")
    findings = list(Inspection(config).findings())
    assert codes(findings) == ["unreadable", "markup", "rare-label", "one-label"]
    assert str(findings[0]) == "gone.csv: error unreadable: No such file or directory"


def test_options_of_other_formats_are_rejected(inspect):
    with pytest.raises(ConfigError, match="expected another format, to which 'target' applies"):
        list(inspect({}, target="x").findings())


def test_a_configuration_without_sources_is_rejected():
    with pytest.raises(ConfigError, match=r"data\.sources: expected at least one"):
        Inspection(parse_data_config({"path": "x"}, "test"))


def test_an_unreadable_item_does_not_affect_the_others(check):
    lines = [
        {
            "text": "Rain fell.",
            "spans": [{"start": 0, "end": 3, "label": "ENTITY"}],
            "answer": "accept",
        },
        {"text": "Sun.", "spans": "none", "answer": "accept"},
        {"text": "<i>Wind</i>", "spans": [], "answer": "accept"},
    ]
    findings = check(
        files={"p.jsonl": "\n".join(map(json.dumps, lines))},
        format="prodigy",
        roles={"ENTITY": "entity"},
        values={"ENTITY": "MISC"},
    )
    assert [(f.code, f.location.line, f.location.record is None) for f in findings] == [
        ("unreadable", 2, True),
        ("span-cuts-word", 1, False),
        ("markup", 3, False),
        ("lone-records", 1, False),
    ]


def test_wrong_offsets_affect_only_their_line(check):
    lines = [
        {"text": "Ida left.", "label": [[0, 3, "Source"]]},
        {"text": "", "label": []},
        {"text": "Ida left.", "label": [[0, 30, "Source"]]},
        {"text": "Bo came.", "label": [[0, 2, "Source"]]},
    ]
    findings = check(files={"d.jsonl": "\n".join(map(json.dumps, lines))})
    assert [(f.severity, f.code, f.location.line) for f in findings][:4] == [
        ("warning", "no-cue", 1),
        ("error", "empty-text", 2),
        ("error", "unreadable", 3),
        ("warning", "no-cue", 4),
    ]


def test_items_that_a_build_drops_silently_are_warnings(check, tmp_path):
    (tmp_path / "brat").mkdir()
    files = {
        "brat/a.txt": "Ida left.\n",
        "brat/a.ann": "T1\tSource 1 3\tda\nA1\tMood T1 calm\n",
        "brat/b.txt": "Bo.",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    findings = [
        f
        for f in check(files={"brat/a.ann": files["brat/a.ann"]})
        if f.code in ("left-out", "span-cuts-word")
    ]
    assert [(f.severity, f.code) for f in findings] == [
        ("warning", "left-out"),
        ("warning", "span-cuts-word"),
    ]


def test_findings_in_a_folder_name_the_file(tmp_path):
    files = {
        "a.txt": "Ida left.",
        "a.ann": "T1\tSource 1 3\tda\n",
        "b.txt": "Bo.",
        "c.txt": "Cy.",
        "c.ann": "T1\tSource 0 x\tCy\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    config = parse_data_config({"path": "x", "sources": [{"files": [str(tmp_path)]}]}, "test")
    findings = {finding.code: finding for finding in Inspection(config).findings()}
    assert str(findings["span-cuts-word"].location) == f"{tmp_path / 'a.ann'}: record 'a:0'"
    assert (findings["unreadable"].location.file, findings["unreadable"].location.line) == (
        str(tmp_path / "c.ann"),
        1,
    )
    assert findings["left-out"].message.startswith("text that nobody has annotated")


def test_findings_in_a_table_without_quoting_have_their_line(inspect):
    table = 'text\tlabel\n"Rain.\tclaim\n<b>Sun."</b>\tclaim\n\tclaim\n'
    findings = inspect(files={"t.tsv": table}).findings()
    assert {("markup", 3), ("empty-text", 4)} <= {
        (finding.code, finding.location.line) for finding in findings
    }


@pytest.mark.parametrize(
    ("splits", "line"),
    [(["train", "gold", "test"], 3), (["train", "test", ""], 4), (["", "dev", ""], 3)],
)
def test_invalid_splits_of_a_table_are_found(inspect, splits, line):
    table = "text,label,split\n" + "".join(
        f"Rain {i}.,claim,{name}\n" for i, name in enumerate(splits)
    )
    errors = [
        finding
        for finding in inspect(files={"t.csv": table}).findings()
        if finding.severity == "error"
    ]
    assert [(finding.code, finding.location.line) for finding in errors] == [("unreadable", line)]
    assert "expected a split" in errors[0].message


def test_an_invalid_split_of_a_record_is_found(check):
    (finding,) = check({"meta": {"split": "dev"}}, {"meta": {"split": "gold"}})
    assert (finding.location.line, finding.severity) == (2, "error")
    assert finding.message == "expected a split (train, dev, validation or test), found 'gold'"


def test_a_corpus_is_read_from_its_own_folder(tmp_path):
    # polnear-stance adds labels to the articles of polnear, and is in the folder of that corpus.
    for path, text in (
        ("text/ap_2016-01-31_rain.txt", "It rains."),
        ("attributions/ap_2016-01-31_rain_a1.ann", ""),
    ):
        file = tmp_path / "polnear/data/dev" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    source = {"corpus": "polnear-stance", "splits": {"dev": "test"}}
    config = {"path": "x", "corpora": str(tmp_path), "sources": [source]}
    inspection = Inspection(parse_data_config(config, "test"))
    assert "unreadable" not in codes(inspection.findings())
    assert inspection.facts.records == 1
