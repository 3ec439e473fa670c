"""Test reliability diagrams, the risk–coverage curve and label sets, by hand and on calibrated answers."""

from dataclasses import replace

import numpy as np
import pytest

from claimstance.model.config import ModelConfig
from claimstance.training.evaluation import reliability
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.metrics import calibration_error

CONFIDENCE = np.array([0.9, 0.8, 0.8, 0.6, 0.5])
CORRECT = np.array([True, True, False, True, False])


def answers(probability_of_yes, is_yes, task="claim", documents=None):
    """Return answers of yes or no, from the probabilities of yes and from where yes is the gold label."""
    n = len(probability_of_yes)
    rows = np.stack([1 - probability_of_yes, probability_of_yes], axis=1)
    names = np.arange(n).astype(str) if documents is None else np.array(documents)
    return Answers(
        ("no", "yes"), rows, rows.argmax(axis=1), np.where(is_yes, 1, 0), names, np.full(n, task)
    )


def test_reliability_bins_equal_those_by_hand():
    first, second, third = reliability.reliability_bins(CONFIDENCE, CORRECT, count=5)
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


def test_reliability_bins_add_up_to_the_calibration_error():
    rng = np.random.default_rng(3)
    probabilities = rng.random(500)
    outcomes = rng.random(500) < probabilities**2
    bins = reliability.reliability_bins(probabilities, outcomes)
    total = sum(item.n * abs(item.mean_probability - item.observed_share) for item in bins)
    assert total / 500 == pytest.approx(calibration_error(probabilities, outcomes))


def test_the_floor_is_the_error_of_calibrated_probabilities():
    rng = np.random.default_rng(4)
    probabilities = rng.uniform(0.5, 1, size=400)
    floor = reliability.calibration_error_floor(probabilities)
    calibrated_error = np.mean(
        [calibration_error(probabilities, rng.random(400) < probabilities) for _ in range(100)]
    )
    assert floor == pytest.approx(calibrated_error, rel=0.1)
    assert calibration_error(probabilities, rng.random(400) < probabilities - 0.2) > 3 * floor
    assert reliability.calibration_error_floor(np.repeat(probabilities, 100)) < floor / 5


def test_risk_and_coverage_equal_those_by_hand():
    coverage, risk = reliability.risk_coverage(CONFIDENCE, CORRECT)
    # The two with 0.8 are answered together.
    np.testing.assert_allclose(coverage, [0.2, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(risk, [0, 1 / 3, 1 / 4, 2 / 5])
    assert reliability.area_under(coverage, risk) == pytest.approx(0.4 / 3 + 0.2 / 4 + 0.2 * 2 / 5)


def test_coverage_at_a_precision_equals_that_by_hand():
    weights = np.array([[1.0, 1, 1, 1, 1], [1, 1, 0, 1, 2], [0, 0, 3, 0, 2]])
    coverage = reliability.coverage_at_precision(CONFIDENCE, CORRECT, weights, precision=0.75)
    np.testing.assert_allclose(coverage, [0.8, 0.6, 0])


def test_abstention_determines_the_share_and_accuracy_of_answers():
    config = ModelConfig({}, abstain_below={"claim": 0.7})
    figures = reliability.reliability_figures(answers(CONFIDENCE, CORRECT), "claim", config)
    assert figures["answered.share"].value == pytest.approx(3 / 5)
    assert figures["answered.accuracy"].value == pytest.approx(2 / 3)
    assert figures["answered.share"].low < 3 / 5 < figures["answered.share"].high
    assert "conformal.size" not in figures
    assert "answered.share" not in reliability.reliability_figures(
        answers(CONFIDENCE, CORRECT), "claim", ModelConfig({})
    )
    figures_of_none = reliability.reliability_figures(
        answers(CONFIDENCE, CORRECT), "claim", ModelConfig({}, abstain_below={"claim": 2.0})
    )
    assert figures_of_none["answered.share"].value == 0
    assert "answered.accuracy" not in figures_of_none  # no answer can be wrong


def test_label_sets_weight_documents_equally():
    config = ModelConfig({}, conformal={"claim": 0.45})
    figures = reliability.reliability_figures(
        answers(CONFIDENCE, CORRECT, documents=["a", "a", "a", "a", "b"]), "claim", config
    )
    # Both labels of the last answer have a probability of 0.5.
    assert figures["conformal.coverage"].value == pytest.approx((3 / 4 + 1) / 2)
    assert figures["conformal.size"].value == pytest.approx((1 + 2) / 2)


def test_each_kind_of_query_has_its_own_threshold():
    mixed = answers(CONFIDENCE, CORRECT)
    mixed = replace(mixed, kinds=np.array(["stance.topic"] * 3 + ["stance.mention"] * 2))
    config = ModelConfig(
        {}, temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.55, "stance.topic": 0.85}
    )
    assert reliability.reliability_figures(mixed, "stance", config)[
        "answered.share"
    ].value == pytest.approx(2 / 5)
    # A threshold fitted to all kinds does not apply to a kind with its own temperature.
    common_threshold = ModelConfig(
        {}, temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.55}
    )
    assert "answered.share" not in reliability.reliability_figures(
        mixed, "stance", common_threshold
    )
    incomplete = ModelConfig({}, abstain_below={"stance.topic": 0.85})
    assert "answered.share" not in reliability.reliability_figures(mixed, "stance", incomplete)


def test_each_label_has_its_own_threshold():
    # The answers are yes, yes, no, no.
    yes_and_no = answers(np.array([0.9, 0.7, 0.35, 0.15]), np.array([True, False, False, False]))
    config = ModelConfig({}, abstain_below={"claim.no": 0.8, "claim.yes": 0.5})
    assert reliability.answered_mask(yes_and_no, config).tolist() == [True, True, False, True]
    figures = reliability.reliability_figures(yes_and_no, "claim", config)
    assert figures["answered.accuracy"].value == pytest.approx(2 / 3)
    assert figures["answered.accuracy.yes"].value == pytest.approx(1 / 2)
    assert (figures["answered.accuracy.no"].value, figures["answered.accuracy.no"].n) == (1, 1)
    incomplete = ModelConfig({}, abstain_below={"claim.no": 0.8})  # yes has no threshold
    assert reliability.answered_mask(yes_and_no, incomplete) is None


def test_the_calibration_of_a_ranking_is_that_of_yes():
    probabilities = np.array([0.1, 0.1, 0.1, 0.1])
    scored = answers(probabilities, np.array([True, False, False, False]), task="check_worthy")
    error = reliability.reliability_figures(scored, "check_worthy", ModelConfig({}))[
        "calibration_error"
    ].value
    assert error == pytest.approx(abs(0.1 - 0.25))
    assert reliability.reliability_figures(scored, "claim", ModelConfig({}))[
        "calibration_error"
    ].value == pytest.approx(0.15)


def test_the_calibration_error_is_that_of_the_predicted_label():
    scored = answers(np.array([0.6, 0.6, 0.9]), np.array([False, True, True]))
    # A threshold decides against the likeliest label.
    scored = replace(scored, predicted=np.array([0, 0, 1]))
    assert scored.confidence.tolist() == pytest.approx([0.4, 0.4, 0.9])
    assert scored.correct.tolist() == [True, False, True]
    error = reliability.reliability_figures(scored, "claim", ModelConfig({}))[
        "calibration_error"
    ].value
    assert error == pytest.approx((2 * 0.1 + 0.1) / 3)
