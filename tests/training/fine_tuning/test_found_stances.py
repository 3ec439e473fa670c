"""Stances that a model finds by itself, compared with the annotation."""

from dataclasses import replace

import numpy as np
import pytest

from claimstance.model.pair_evidence import EVIDENCE
from claimstance.model.record import Record, Stance
from claimstance.training.fine_tuning.calibration import fit_evidence
from claimstance.training.fine_tuning.found_stances import best_f1, candidate_queries, find_stances
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
    assert set(found.answers.kinds) == {"stance.found"}


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


NAMED = "stance.found.neutral.named_target"


def test_pairs_have_the_properties_of_their_spans(predictor):
    found = find_stances(predictor, [annotated("Voters hate the harbour tax . Amsel")])
    columns = [EVIDENCE.index(name) for name in ("target_words", "named_target")]
    # "harbour tax" and "Amsel"
    assert sorted(found.evidence[:, columns].tolist()) == [[1, 1], [2, 0]]


def log_odds(found):
    """Return the log-odds of favor against neutral: of targets that are names, and of others."""
    labels, probabilities = found.answers.labels, np.log(found.answers.probabilities)
    odds = probabilities[:, labels.index("favor")] - probabilities[:, labels.index("neutral")]
    named = found.evidence[:, EVIDENCE.index("named_target")] == 1
    return odds[named].item(), odds[~named].item()


def test_evidence_moves_the_probabilities_of_pairs_that_nobody_asked_about(predictor):
    record = annotated("Voters hate the harbour tax . Amsel")
    named, other = log_odds(find_stances(predictor, [record]))
    predictor.config.biases[NAMED] = -1.0
    named_then, other_then = log_odds(find_stances(predictor, [record]))
    assert named_then == pytest.approx(named + 1)
    assert other_then == pytest.approx(other)

    document = predictor.read([record.text])
    pairs = candidate_queries(document)
    given = [replace(pair, is_found=False) for pair in pairs]
    before = predictor.stances(document, given)
    predictor.config.biases[NAMED] = 0.0
    assert predictor.stances(document, given).tolist() == before.tolist()


def test_pairs_lose_probability_by_the_number_of_likelier_ones(predictor, monkeypatch):
    document = predictor.read(["Voters hate the harbour tax . Amsel"])
    pairs = candidate_queries(document)
    neutral = list(predictor.config.labels["stance"]).index("neutral")
    logits = np.zeros((2, 3))
    logits[:, neutral] = [1.0, -1.0]  # the second pair is the likelier one
    monkeypatch.setattr(predictor, "_score", lambda window, hidden, queries, targets: logits)

    def log_odds():
        probabilities = predictor.stances(document, pairs)[:, neutral]
        return np.log(1 / probabilities - 1)

    before = log_odds()
    predictor.config.biases["stance.found.neutral.likelier_pairs"] = 0.7
    assert log_odds() == pytest.approx(before - [0.7 * np.log(2), 0])


def made_found(predictor, has_stance, named):
    """Return pairs with equal probabilities, of which some have a stance and some a target that is a name."""
    found = find_stances(predictor, [annotated("Voters hate tax .")])
    answers = found.answers
    neutral, favor = answers.labels.index("neutral"), answers.labels.index("favor")
    evidence = np.zeros((len(has_stance), len(EVIDENCE)))
    evidence[:, EVIDENCE.index("named_target")] = named
    probabilities = np.full((len(has_stance), len(answers.labels)), 0.1)
    # The network knows a little: the stances have the lesser probabilities of none.
    probabilities[:, neutral] = np.where(has_stance, 0.4, 0.6)
    made = replace(answers, probabilities=probabilities, gold=np.where(has_stance, favor, neutral))
    return replace(found, answers=made, evidence=evidence)


def test_a_property_that_stances_have_counts_for_them(predictor):
    has_stance = np.arange(100) % 3 == 0
    weights = fit_evidence(made_found(predictor, has_stance, has_stance), "neutral")
    assert weights[NAMED] < -0.5
    assert weights["stance.found.neutral.holder_words"] == pytest.approx(0)
    weights = fit_evidence(made_found(predictor, has_stance, ~has_stance), "neutral")
    assert weights[NAMED] > 0.5


@pytest.mark.parametrize("has_stance", [True, False])
def test_pairs_of_one_kind_give_no_weights(predictor, has_stance):
    pairs = made_found(predictor, np.full(9, has_stance), np.ones(9))
    assert fit_evidence(pairs, "neutral") == {}
