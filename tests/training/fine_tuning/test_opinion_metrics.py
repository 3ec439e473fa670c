"""Overlap F1 of the spans that a model finds as holders and targets of stances."""

import pytest

from claimstance.model.record import Record, Stance
from claimstance.model.windows import Located
from claimstance.training.fine_tuning.opinion_metrics import (
    OverlapCounts,
    count_opinions,
    find_stances,
    gold_opinions,
)
from helpers.tiny import scripted


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


TEXT = "Voters hate the harbour tax . Amsel slept ."
OPINIONS = {"opinion_holder": "Voters", "opinion_target": "harbour tax"}


@pytest.fixture
def predictor():
    """Return a model that finds one holder and two targets, and answers favor for every named holder."""
    tagger, _ = scripted(TEXT, {}, {"PERSON": "Amsel"}, OPINIONS, opinion_spans=True)
    return tagger._predictor


def annotated(text, *stances):
    return Record(id="1", text=text, stances=list(stances))


@pytest.mark.parametrize(
    ("stance", "is_correct"),
    [
        (Stance(holder=[(0, 6)], target=[(24, 27)], label="favor"), True),
        (Stance(holder=[(0, 6)], target=[(24, 27)], label="against"), False),
        (Stance(holder=[(7, 11)], target=[(24, 27)], label="favor"), False),  # another holder
        (Stance(holder=[(0, 6)], target="taxes", label="favor"), False),  # a topic
    ],
)
def test_a_found_stance_is_correct_if_side_holder_and_target_agree(predictor, stance, is_correct):
    text = "Voters hate the harbour tax ."
    (found,) = find_stances(predictor, [annotated(text, stance)])
    assert (found.label, found.is_correct) == ("favor", is_correct)


def test_one_annotated_stance_makes_one_found_stance_correct(predictor):
    text = "Voters hate tax hate Amsel ."
    stance = Stance(holder=[(0, 6)], target=[(12, 26)], label="favor")
    found = find_stances(predictor, [annotated(text, stance)])
    assert sorted(item.is_correct for item in found) == [False, True]


def test_opinion_spans_are_counted_over_documents(predictor):
    text = "Voters hate the harbour tax ."
    stance = Stance(holder=[(0, 6)], target=[(16, 23)], label="favor")
    counts = count_opinions(predictor, [annotated(text, stance), annotated("Amsel slept .")])
    assert counts["opinion_holder"].f1 == counts["opinion_target"].f1 == 1
    assert counts["opinion_target"].gold == 1
