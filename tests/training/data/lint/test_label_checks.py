"""Test checks of labels and of splits."""

import pytest

from claimstance.training.data.lint.linter import Inspection
from claimstance.training.load_config import parse_data_config
from helpers.data.lint import codes, csv, stances


def test_joined_labels_of_doccano_are_found(check):
    table = "text,label\nIt fell.,weather#politics\nRain.,weather\nOn C#.,C#\n"
    (finding,) = (f for f in check(files={"t.csv": table}) if f.code != "lone-records")
    assert str(finding) == (
        "t.csv:2: warning joined-labels: claim: expected one label, found 'weather#politics' 1 "
        "time: if they are several, data.labels takes them apart"
    )


def test_json_lines_has_the_default_labels_unless_configured(check):
    findings = check(*stances("Favor", "favour", "favor "))
    assert [(f.severity, f.code, f.location.line) for f in findings] == [
        ("error", "label-spelling", 1),
        ("error", "label-spelling", 3),
        ("error", "unknown-label", 2),
    ]
    assert findings[0].message == "stance: expected the label 'favor', found 'Favor' 1 time"
    assert findings[2].message.startswith("stance: unknown label 'favour'. Did you mean 'favor'?")
    assert check(*stances("pro", "con"), labels={"stance": ["pro", "con"]}) == []


def test_labels_of_probabilities_are_checked(check):
    (finding,) = check(*stances("favor", probabilities={"favor": 0.5, "unsure": 0.5}))
    assert (finding.code, finding.message[:29]) == (
        "unknown-label",
        "stance: unknown label 'unsure",
    )


def test_tables_may_have_any_labels_but_misspelt_ones(check):
    assert check(files=csv("pro", "con", "pro")) == []
    findings = check(files=csv(*["pro"] * 3, "Pro"))
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("label-spelling", 5, "claim: expected the label 'pro', found 'Pro' 1 time")
    ]
    near = check(files=csv(*["neutral"] * 10, *["positive"] * 10, "postive"))
    assert [(f.severity, f.code, f.location.line) for f in near] == [("warning", "near-label", 22)]
    assert near[0].message == "claim: expected 'positive', as it seems, found 'postive' 1 time"


def test_a_label_similar_to_a_default_one_is_found(check):
    findings = check(files=csv("claim", "no_claim", "noclaim", "opinion"))
    assert [(f.code, f.message) for f in findings] == [
        ("near-label", "claim: expected 'no_claim', as it seems, found 'noclaim' 1 time")
    ]


def test_labels_with_few_or_no_examples_are_found(inspect):
    findings = inspect(*stances(*["favor"] * 10, *["neutral"] * 9)).findings()
    assert [
        (f.severity, f.code, f.location.line, f.message.partition(",")[0]) for f in findings
    ] == [
        ("warning", "unused-label", None, "stance: expected the label 'against' somewhere"),
        (
            "warning",
            "rare-label",
            11,
            "stance: expected at least 10 examples of 'neutral' to learn it from and to "
            "measure it on",
        ),
    ]


def test_a_task_with_one_label_is_found(inspect):
    table = "text,label,target\n" + "".join(f"Rain {i}.,favor,tax\n" for i in range(12))
    findings = [
        finding
        for finding in inspect(files={"t.csv": table}).findings()
        if finding.code == "one-label"
    ]
    assert [str(finding) for finding in findings] == [
        "t.csv:2: warning one-label: stance: one label only: nothing to learn; expected two or more, "
        "found 'favor' 12 times"
    ]


def test_a_task_with_one_label_in_train_is_found(inspect):
    rows = [f"Rain {i}.,claim,train\n" for i in range(4)] + ["Sun.,no_claim,test\n"]
    inspection = inspect(files={"t.csv": "text,label,split\n" + "".join(rows)})
    findings = {finding.code: finding.message for finding in inspection.findings()}
    assert findings["one-label"].startswith("claim: one label only in train: nothing to learn")
    assert findings["label-not-in-train"] == (
        "claim: test has the label 'no_claim' (1 time), train has none: no model can learn it"
    )


@pytest.mark.parametrize("second", ["no_claim", "unsure"])
def test_two_labels_are_enough(inspect, second):
    table = f"text,label\nRain.,claim\nSun.,{second}\n"
    assert "one-label" not in codes(inspect(files={"t.csv": table}).findings())


def test_a_label_missing_in_train_is_found_across_sources(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, labels in (("a", "pro con"), ("b", "pro unsure"), ("c", "con con")):
        rows = "".join(f"{name} {i} rain.,{label}\n" for i, label in enumerate(labels.split()))
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    splits = {"a": "train", "b": "dev", "c": "test"}
    sources = [{"files": [f"{name}.csv"], "split": split} for name, split in splits.items()]
    inspection = Inspection(parse_data_config({"path": "x", "sources": sources}, "test"))
    assert [
        (finding.location.file, finding.message)
        for finding in inspection.findings()
        if finding.code == "label-not-in-train"
    ] == [
        (
            "b.csv",
            "claim: dev has the label 'unsure' (1 time), train has none: no model can learn it",
        )
    ]


def test_blank_labels_of_a_file_are_one_finding(inspect):
    table = "text,label\n" + "".join(f"Rain {i}.,{'claim' if i % 3 else ''}\n" for i in range(30))
    findings = [
        finding
        for finding in inspect(files={"t.csv": table}).findings()
        if finding.code == "blank-label"
    ]
    assert [finding.message for finding in findings] == [
        "expected a label, found none in 10 rows (line 2, line 5, line 8, line 11, line 14, …), which count as not "
        "annotated; --value =LABEL gives such rows a label"
    ]
