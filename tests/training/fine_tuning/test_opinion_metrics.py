"""Overlap F1 of the spans that a model finds as holders and targets of stances."""

import pytest

from claimstance.model.record import Record, Stance
from claimstance.model.windows import Located
from claimstance.training.fine_tuning.opinion_metrics import OverlapCounts, gold_opinions


def test_gold_spans_are_those_of_stances_that_take_a_side():
    records = [
        Record(id="1", text="Moss fears Lee .", stances=[]),
        Record(
            id="2",
            text="Moss fears Lee and Orr .",
            stances=[
                Stance(holder=[(0, 4)], target=[(11, 14)], label="against"),
                Stance(holder=[(0, 4)], target=[(19, 22)], label="neutral"),
                Stance(holder="Ida Holm", target="taxes", label="favor"),
            ],
        ),
    ]
    assert gold_opinions(records, "neutral") == {
        "opinion_holder": [Located(1, 0, 4)],
        "opinion_target": [Located(1, 11, 14)],
    }


@pytest.mark.parametrize(
    ("predicted", "gold", "expected"),
    [
        ([Located(0, 0, 4)], [Located(0, 0, 4)], 1.0),
        ([Located(0, 3, 9)], [Located(0, 0, 4)], 1.0),  # an overlap of one character
        ([Located(0, 4, 9)], [Located(0, 0, 4)], 0.0),
        ([Located(1, 0, 4)], [Located(0, 0, 4)], 0.0),  # another sentence
        ([Located(0, 0, 4), Located(0, 6, 9)], [Located(0, 0, 4)], 2 / 3),
        ([], [Located(0, 0, 4)], 0.0),
    ],
)
def test_overlap_f1(predicted, gold, expected):
    counts = OverlapCounts()
    counts.add(predicted, gold)
    assert counts.f1 == pytest.approx(expected)
