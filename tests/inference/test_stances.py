"""Test which of the scored stances are reported."""

import pytest

from claimstance.inference.results import Stance
from claimstance.inference.stances import without_nested_targets
from claimstance.model.article.spans import Span


def stance_on(target, start, probability, holder="Amsel", label="against"):
    """Return a stance of a sentence on the words ``target``, which begin at ``start``."""
    span = Span(start, start + len(target), target, ((start, start + len(target)),))
    return Stance(holder, target, label, probability, {}, 0, target_span=span)


def test_the_likelier_of_two_overlapping_targets_is_reported():
    plan, name = stance_on("the plan of Orr", 10, 0.9), stance_on("Orr", 22, 0.6)
    assert without_nested_targets([name, plan]) == [plan]


@pytest.mark.parametrize(
    "other_stance",
    [
        stance_on("Orr", 30, 0.6),  # elsewhere in the sentence
        stance_on("Orr", 22, 0.6, holder="Birke"),
        stance_on("Orr", 22, 0.6, label="favor"),
    ],
)
def test_stances_that_differ_otherwise_are_both_reported(other_stance):
    plan = stance_on("the plan of Orr", 10, 0.9)
    assert without_nested_targets([plan, other_stance]) == [plan, other_stance]
