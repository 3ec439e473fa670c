"""Stances that a model finds by itself, compared with the annotation."""

import pytest

from claimstance.model.record import Record, Stance
from claimstance.training.fine_tuning.found_stances import best_f1, find_stances
from helpers.tiny import scripted

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
    ("stance", "label", "annotated_count"),
    [
        (Stance(holder=[(0, 6)], target=[(24, 27)], label="favor"), "favor", 1),
        (Stance(holder=[(0, 6)], target=[(24, 27)], label="against"), "against", 1),
        (Stance(holder=[(0, 6)], target=[(24, 27)], label="neutral"), "neutral", 0),
        (
            Stance(holder=[(7, 11)], target=[(24, 27)], label="favor"),
            "neutral",
            1,
        ),  # another holder
        (Stance(holder=[(0, 6)], target="taxes", label="favor"), "neutral", 0),  # a topic
    ],
)
def test_the_gold_label_of_a_pair_is_that_of_the_stance_that_it_overlaps(
    predictor, stance, label, annotated_count
):
    found = find_stances(predictor, [annotated("Voters hate the harbour tax .", stance)])
    [gold] = found.answers.gold.tolist()
    assert found.answers.labels[gold] == label
    assert found.annotated == annotated_count
    assert set(found.answers.variants) == {"stance.found"}


def test_one_annotated_stance_is_the_gold_label_of_one_pair(predictor):
    stance = Stance(holder=[(0, 6)], target=[(12, 26)], label="favor")
    found = find_stances(predictor, [annotated("Voters hate tax hate Amsel .", stance)])
    labels = [found.answers.labels[gold] for gold in found.answers.gold]
    assert sorted(labels) == ["favor", "neutral"]


def test_best_f1_counts_annotated_stances_that_no_pair_matches(predictor):
    text = "Voters hate the harbour tax ."
    right = Stance(holder=[(0, 6)], target=[(24, 27)], label="favor")
    missed = Stance(holder=[(16, 23)], target=[(0, 6)], label="against")
    assert best_f1(find_stances(predictor, [annotated(text, right)]), "neutral") == 1
    found = find_stances(predictor, [annotated(text, right, missed)])
    assert best_f1(found, "neutral") == pytest.approx(2 / 3)
    assert best_f1(find_stances(predictor, [annotated("Amsel slept .")]), "neutral") == 0
