"""Test checks of targets, and of data against a codebook."""

import pytest

from claimstance.model.errors import ConfigError
from helpers.data.lint import stances


def test_targets_with_two_spellings_are_found(check):
    records = [
        {"stances": [{"target": name}]}
        for name in ("gun control", "Gun  control", "gun control", "gun laws")
    ]
    (finding,) = check(*records)
    assert (finding.code, finding.location.line) == ("target-variants", 2)
    assert (
        finding.message
        == "stances.target: expected 'gun control', as elsewhere, found 'Gun  control' 1 time"
    )


def test_a_target_mentioned_in_another_text_is_not_misspelt(check):
    with_target = {"text": "He left.", "stances": [{"target": "Ida Holm"}]}
    assert check(with_target, {"text": "Ida left."}, {"text": "Holm?"}) == []


BOOK = """
labels:
  stance: {pro: For it., con:}
targets:
  traffic: {aliases: [cars]}
"""


def test_labels_and_targets_must_be_in_the_codebook(check):
    records = [
        *stances("pro", "Con", "favor"),
        {"stances": [{"target": "cars"}]},
        {"stances": [{"target": "trafic"}]},
    ]
    findings = check(*records, book=BOOK)
    assert [(f.code, f.location.line, f.message) for f in findings] == [
        ("label-spelling", 2, "stance: expected the label 'con', found 'Con' 1 time"),
        ("unknown-label", 3, "stance: unknown label 'favor'. Available: con, pro (1 time)"),
        ("undefined-label", None, "labels.stance.con: expected a definition, found none"),
        (
            "unlisted-target",
            4,
            "stances.target: expected 'traffic', found its alias 'cars' (1 time)",
        ),
        (
            "unlisted-target",
            5,
            "stances.target: unknown target 'trafic'. Did you mean 'traffic'? Available: traffic "
            "(1 time)",
        ),
    ]


def test_codebook_and_configuration_must_have_equal_labels(inspect):
    with pytest.raises(
        ConfigError, match=r"data\.labels\.stance: expected the labels of the codebook \(pro, con\)"
    ):
        inspect({}, book=BOOK, labels={"stance": ["a", "b"]})
