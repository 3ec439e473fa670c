"""Test the scores of pairs that a model detects by itself against the annotation."""

from dataclasses import replace

import numpy as np
import pytest

from claimstance.model.pair_evidence import EVIDENCE
from claimstance.model.record import Record, Stance
from claimstance.training.calibration.pair_calibration import fit_evidence
from claimstance.training.calibration.pair_scoring import (
    best_f1,
    detect_pairs,
    join_sentences,
    score_detected_pairs,
)
from helpers.tiny import scripted

TEXT = "Voters hate the harbour tax . Amsel slept ."
OPINIONS = {"opinion_holder": "Voters", "opinion_target": "harbour tax"}


@pytest.fixture
def predictor():
    """Return a model that finds one holder and two targets, and answers favor for every named holder."""
    tagger, _ = scripted(TEXT, {}, {"PERSON": "Amsel"}, OPINIONS, opinion_spans=True)
    return tagger._predictor


def detected_queries(predictor, record):
    """Return the predictions for a record, and the queries about the pairs that the model detects."""
    detected = detect_pairs(predictor, [record])
    return detected.article.document, [candidate.query for candidate in detected.candidates]


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
def test_a_pair_has_the_gold_label_of_the_stance_that_it_overlaps(
    predictor, stance, label, annotated_count
):
    pairs = score_detected_pairs(predictor, [annotated("Voters hate the harbour tax .", stance)])
    [gold] = pairs.answers.gold.tolist()
    assert pairs.answers.labels[gold] == label
    assert pairs.annotated == annotated_count
    assert set(pairs.answers.kinds) == {"stance.found"}


def test_one_annotated_stance_is_the_gold_label_of_one_pair(predictor):
    stance = Stance(holder=[(0, 6)], target=[(12, 26)], label="favor")
    pairs = score_detected_pairs(predictor, [annotated("Voters hate tax hate Amsel .", stance)])
    labels = [pairs.answers.labels[gold] for gold in pairs.answers.gold]
    assert sorted(labels) == ["favor", "neutral"]


QUOTATION = ['" The tax is theft , " said Amsel .', '" The harbour is dead . "']


def quoted_records(*stances):
    """Return a quotation that runs on, with the stances of its second sentence."""
    first, second = QUOTATION
    return [
        Record(id="1", doc_id="a", start=0, text=first, stances=[]),
        Record(id="2", doc_id="a", start=len(first) + 1, text=second, stances=list(stances)),
    ]


@pytest.mark.parametrize(
    ("holder", "label"), [("Amsel", "favor"), ("Mr. Amsel", "favor"), ("Birke", "neutral")]
)
def test_the_speaker_of_a_quotation_that_runs_on_is_found_by_name(holder, label):
    text = " ".join(QUOTATION)
    roles = {"source": "Amsel", "cue": "said", "content": "The tax is theft harbour dead"}
    opinions = {"opinion_target": "tax harbour"}
    tagger, _ = scripted(text, roles, {}, opinions, opinion_spans=True)
    start = QUOTATION[1].index("harbour")
    target = [(start, start + len("harbour"))]
    records = quoted_records(Stance(holder=holder, target=target, label="favor"))
    pairs = score_detected_pairs(tagger._predictor, records)
    assert pairs.annotated == 1
    later = pairs.evidence[:, EVIDENCE.index("earlier_holder")] == 1
    [gold] = pairs.answers.gold[later].tolist()
    assert pairs.answers.labels[gold] == label


def test_a_pair_of_the_same_side_has_the_first_claim_to_an_annotated_stance(predictor):
    # Both annotated stances overlap the only pair, for which the model answers favor.
    against = Stance(holder=[(0, 6)], target=[(12, 15)], label="against")
    favor = Stance(holder=[(0, 6)], target=[(12, 15)], label="favor")
    pairs = score_detected_pairs(predictor, [annotated("Voters hate tax .", against, favor)])
    [gold] = pairs.answers.gold.tolist()
    assert pairs.answers.labels[gold] == "favor"


def test_sentences_of_a_paragraph_are_joined_by_a_space():
    records = [
        Record(id="1", doc_id="a", start=0, text="One ."),
        Record(id="2", doc_id="a", start=6, text="Two ."),
        Record(id="3", doc_id="a", start=13, text="Three ."),
        Record(id="4", doc_id="a", text="Four ."),
    ]
    text, bounds = join_sentences(records)
    assert text == "One . Two .\nThree .\nFour ."
    assert [text[start:end] for start, end in bounds] == ["One .", "Two .", "Three .", "Four ."]


def test_best_f1_counts_annotated_stances_that_no_pair_matches(predictor):
    text = "Voters hate the harbour tax ."
    matched = Stance(holder=[(0, 6)], target=[(24, 27)], label="favor")
    missed = Stance(holder=[(16, 23)], target=[(0, 6)], label="against")
    assert best_f1(score_detected_pairs(predictor, [annotated(text, matched)]), "neutral") == 1
    pairs = score_detected_pairs(predictor, [annotated(text, matched, missed)])
    assert best_f1(pairs, "neutral") == pytest.approx(2 / 3)
    assert best_f1(score_detected_pairs(predictor, [annotated("Amsel slept .")]), "neutral") == 0


NAMED = "stance.found.neutral.named_target"


def test_pairs_have_the_properties_of_their_spans(predictor):
    pairs = score_detected_pairs(predictor, [annotated("Voters hate the harbour tax . Amsel")])
    columns = [EVIDENCE.index(name) for name in ("target_words", "named_target")]
    # "harbour tax" and "Amsel"
    assert sorted(pairs.evidence[:, columns].tolist()) == [[1, 1], [2, 0]]


def log_odds(pairs):
    """Return the log-odds of favor against neutral, of the target that is a name and of the other one."""
    labels, probabilities = pairs.answers.labels, np.log(pairs.answers.probabilities)
    odds = probabilities[:, labels.index("favor")] - probabilities[:, labels.index("neutral")]
    is_name = pairs.evidence[:, EVIDENCE.index("named_target")] == 1
    return odds[is_name].item(), odds[~is_name].item()


def test_evidence_changes_the_probabilities_of_detected_pairs_only(predictor):
    record = annotated("Voters hate the harbour tax . Amsel")
    name_before, other_before = log_odds(score_detected_pairs(predictor, [record]))
    predictor.config.biases[NAMED] = -1.0
    name_after, other_after = log_odds(score_detected_pairs(predictor, [record]))
    assert name_after == pytest.approx(name_before + 1)
    assert other_after == pytest.approx(other_before)

    document, pairs = detected_queries(predictor, record)
    queries = [replace(pair, is_found=False) for pair in pairs]
    before = predictor.stances(document, queries)
    predictor.config.biases[NAMED] = 0.0
    assert predictor.stances(document, queries).tolist() == before.tolist()


def test_likelier_pairs_lower_the_probability_of_a_stance(predictor, monkeypatch):
    document, pairs = detected_queries(predictor, annotated("Voters hate the harbour tax . Amsel"))
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


def artificial_pairs(predictor, has_stance, has_name):
    """Return pairs, some with a stance and some with a target that is a name."""
    pairs = score_detected_pairs(predictor, [annotated("Voters hate tax .")])
    answers = pairs.answers
    neutral, favor = answers.labels.index("neutral"), answers.labels.index("favor")
    evidence = np.zeros((len(has_stance), len(EVIDENCE)))
    evidence[:, EVIDENCE.index("named_target")] = has_name
    probabilities = np.full((len(has_stance), len(answers.labels)), 0.1)
    # The network is slightly informative: it gives pairs with a stance a lower probability of neutral.
    probabilities[:, neutral] = np.where(has_stance, 0.4, 0.6)
    artificial_answers = replace(
        answers, probabilities=probabilities, gold=np.where(has_stance, favor, neutral)
    )
    return replace(pairs, answers=artificial_answers, evidence=evidence)


def test_a_property_of_stances_increases_their_probability(predictor):
    has_stance = np.arange(100) % 3 == 0
    weights = fit_evidence(artificial_pairs(predictor, has_stance, has_stance), "neutral")
    assert weights[NAMED] < -0.5
    assert weights["stance.found.neutral.holder_words"] == pytest.approx(0)
    weights = fit_evidence(artificial_pairs(predictor, has_stance, ~has_stance), "neutral")
    assert weights[NAMED] > 0.5


@pytest.mark.parametrize("has_stance", [True, False])
def test_pairs_of_one_kind_give_no_weights(predictor, has_stance):
    pairs = artificial_pairs(predictor, np.full(9, has_stance), np.ones(9))
    assert fit_evidence(pairs, "neutral") == {}
