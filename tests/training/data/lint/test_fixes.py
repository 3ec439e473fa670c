"""Test corrections by the linter."""

from helpers.data.lint import csv


def test_fixes_correct_spelling_white_space_and_repeats(inspect):
    inspection = inspect(
        {
            "text": " Holm  said so. ",
            "claim": "Claim ",
            "stances": [
                {"holder": [[0, 6], [11, 15]], "target": "traffic", "label": "FAVOR"},
                {"target": " Traffic", "label": "favour", "probabilities": {"Favor": 1.0}},
            ],
        },
        {"text": "Rain.", "stances": [{"target": "traffic"}]},
        {"text": "Sun.", "stances": [{"target": "traffic "}]},
        {"text": "Sun.", "stances": [{"target": "traffic"}]},
    )
    list(inspection.findings())
    fixes = inspection.fixes()
    before = list(inspection.records())
    first, second, third = fixes.apply(before)
    assert (first.text, first.claim) == (" Holm  said so. ", "claim")
    assert first.stances[0].holder == [(1, 5), (12, 15)]
    # only the case of a label is corrected, not a misspelling
    assert [(s.target, s.label, s.probabilities) for s in first.stances] == [
        ("traffic", "favor", None),
        ("traffic", "favour", {"favor": 1.0}),
    ]
    assert (second.id, third.id, third.stances[0].target) == ("2", "3", "traffic")
    assert before[0].claim == "Claim "
    assert fixes.changed == {
        "labels spelt as in their set": 2,
        "spans without outer white space": 1,
        "target names made alike": 1,
        "target names stripped": 1,
        "exact repeats left out": 1,
    }


def test_spellings_of_labels_outside_a_set_are_not_fixed(inspect):
    inspection = inspect(files=csv("pro", "pro", "Pro"))
    list(inspection.findings())
    fixes = inspection.fixes()
    assert [record.claim for record in fixes.apply(inspection.records())] == ["pro", "pro", "Pro"]
    assert not fixes.changed


def test_a_span_of_white_space_is_not_trimmed(inspect):
    inspection = inspect({"text": "a  b", "entities": [{"span": [[1, 3]], "label": "MISC"}]})
    list(inspection.findings())
    (record,) = inspection.fixes().apply(inspection.records())
    assert record.entities[0].span == [(1, 3)]
