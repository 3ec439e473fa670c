"""Reliability diagrams, the risk–coverage curve and label sets: by hand, and on answers that are what they say."""

from dataclasses import replace

import numpy as np
import pytest

from claimstance.model.config import ModelConfig
from claimstance.training.evaluation import reliability
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.metrics import calibration_error

SURE = np.array([0.9, 0.8, 0.8, 0.6, 0.5])
RIGHT = np.array([True, True, False, True, False])


def answers(confidence, right, task="claim", documents=None):
    """Two labels; the likelier has ``confidence``."""
    n = len(confidence)
    rows = np.stack([1 - confidence, confidence], axis=1)
    names = np.arange(n).astype(str) if documents is None else np.array(documents)
    return Answers(
        ("no", "yes"), rows, rows.argmax(axis=1), np.where(right, 1, 0), names, np.full(n, task)
    )


def test_bars_by_hand():
    first, second, third = reliability.reliability_bins(SURE, RIGHT, count=5)
    assert (first.low, first.high, first.n, first.mean_probability, first.observed_share) == (
        0.4,
        0.6,
        1,
        0.5,
        0,
    )
    assert (second.n, second.mean_probability, second.observed_share) == (1, 0.6, 1)
    assert (third.n, third.mean_probability, third.observed_share) == (
        3,
        pytest.approx(2.5 / 3),
        pytest.approx(2 / 3),
    )
    assert reliability.reliability_bins(np.ones(2), np.ones(2, bool))[0].high == 1


def test_bars_make_up_the_calibration_error():
    rng = np.random.default_rng(3)
    said = rng.random(500)
    true = rng.random(500) < said**2
    bars = reliability.reliability_bins(said, true)
    assert sum(
        bar.n * abs(bar.mean_probability - bar.observed_share) for bar in bars
    ) / 500 == pytest.approx(calibration_error(said, true))


def test_probabilities_that_are_right_err_as_much_as_they_must():
    rng = np.random.default_rng(4)
    said = rng.uniform(0.5, 1, size=400)
    must = reliability.calibration_error_floor(said)
    honest = np.mean([calibration_error(said, rng.random(400) < said) for _ in range(100)])
    assert must == pytest.approx(honest, rel=0.1)
    assert calibration_error(said, rng.random(400) < said - 0.2) > 3 * must
    assert reliability.calibration_error_floor(np.repeat(said, 100)) < must / 5


def test_risk_and_coverage_by_hand():
    coverage, risk = reliability.risk_coverage(SURE, RIGHT)
    np.testing.assert_allclose(coverage, [0.2, 0.6, 0.8, 1.0])  # the two of 0.8 are given together
    np.testing.assert_allclose(risk, [0, 1 / 3, 1 / 4, 2 / 5])
    assert reliability.area_under(coverage, risk) == pytest.approx(0.4 / 3 + 0.2 / 4 + 0.2 * 2 / 5)


def test_coverage_at_a_precision_by_hand():
    weights = np.array([[1.0, 1, 1, 1, 1], [1, 1, 0, 1, 2], [0, 0, 3, 0, 2]])
    found = reliability.coverage_at_precision(SURE, RIGHT, weights, precision=0.75)
    np.testing.assert_allclose(found, [0.8, 0.6, 0])


def test_what_abstaining_comes_to():
    config = ModelConfig({}, abstain_below={"claim": 0.7})
    found = reliability.reliability_figures(answers(SURE, RIGHT), "claim", config)
    assert found["answered.share"].value == pytest.approx(3 / 5)
    assert found["answered.accuracy"].value == pytest.approx(2 / 3)
    assert found["answered.share"].low < 3 / 5 < found["answered.share"].high
    assert "conformal.size" not in found
    assert "answered.share" not in reliability.reliability_figures(
        answers(SURE, RIGHT), "claim", ModelConfig({})
    )
    none = reliability.reliability_figures(
        answers(SURE, RIGHT), "claim", ModelConfig({}, abstain_below={"claim": 2.0})
    )
    assert none["answered.share"].value == 0
    assert "answered.accuracy" not in none  # of no answers, none is wrong


def test_label_sets_count_documents_alike():
    config = ModelConfig({}, conformal={"claim": 0.45})
    found = reliability.reliability_figures(
        answers(SURE, RIGHT, documents=["a", "a", "a", "a", "b"]), "claim", config
    )
    assert found["conformal.coverage"].value == pytest.approx(
        (3 / 4 + 1) / 2
    )  # 0.5 for both labels of the last
    assert found["conformal.size"].value == pytest.approx((1 + 2) / 2)


def test_each_kind_is_judged_by_its_own_threshold():
    mixed = answers(SURE, RIGHT)
    mixed = replace(mixed, kinds=np.array(["stance.topic"] * 3 + ["stance.mention"] * 2))
    config = ModelConfig(
        {}, temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.55, "stance.topic": 0.85}
    )
    assert reliability.reliability_figures(mixed, "stance", config)[
        "answered.share"
    ].value == pytest.approx(2 / 5)
    # What was fitted to all kinds together was fitted to other probabilities than this kind has.
    unpromised = ModelConfig({}, temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.55})
    assert "answered.share" not in reliability.reliability_figures(mixed, "stance", unpromised)
    lacking = ModelConfig({}, abstain_below={"stance.topic": 0.85})
    assert "answered.share" not in reliability.reliability_figures(mixed, "stance", lacking)


def test_each_label_is_given_from_a_probability_of_its_own():
    some = answers(
        np.array([0.9, 0.7, 0.35, 0.15]), np.array([True, False, False, False])
    )  # yes, yes, no, no
    config = ModelConfig({}, abstain_below={"claim.no": 0.8, "claim.yes": 0.5})
    assert reliability.answered_mask(some, config).tolist() == [True, True, False, True]
    found = reliability.reliability_figures(some, "claim", config)
    assert found["answered.accuracy"].value == pytest.approx(2 / 3)
    assert found["answered.accuracy.yes"].value == pytest.approx(1 / 2)
    assert (found["answered.accuracy.no"].value, found["answered.accuracy.no"].n) == (1, 1)
    half = ModelConfig({}, abstain_below={"claim.no": 0.8})  # of yes nothing is promised
    assert reliability.answered_mask(some, half) is None


def test_a_ranking_is_judged_by_what_it_says_of_yes():
    said = np.array([0.1, 0.1, 0.1, 0.1])
    rare = answers(said, np.array([True, False, False, False]), task="check_worthy")
    error = reliability.reliability_figures(rare, "check_worthy", ModelConfig({}))[
        "calibration_error"
    ].value
    assert error == pytest.approx(abs(0.1 - 0.25))
    assert reliability.reliability_figures(rare, "claim", ModelConfig({}))[
        "calibration_error"
    ].value == pytest.approx(0.15)


def test_what_is_judged_is_the_label_that_was_answered():
    rare = answers(np.array([0.6, 0.6, 0.9]), np.array([False, True, True]))
    rare = replace(
        rare, predicted=np.array([0, 0, 1])
    )  # by a threshold, against the likeliest label
    assert rare.confidence.tolist() == pytest.approx([0.4, 0.4, 0.9])
    assert rare.correct.tolist() == [True, False, True]
    error = reliability.reliability_figures(rare, "claim", ModelConfig({}))[
        "calibration_error"
    ].value
    assert error == pytest.approx((2 * 0.1 + 0.1) / 3)
