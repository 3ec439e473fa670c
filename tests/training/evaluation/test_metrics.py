"""Test the metrics against those of scikit-learn and by hand, and their intervals."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Entity, Record, Stance
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.windows import SentenceSpan
from claimstance.training.evaluation import scoring
from claimstance.training.evaluation.metrics import (
    average_precision,
    bootstrap,
    calibration_error,
    classification,
    confusion_matrices,
    f1,
    precision_recall,
    ranking_figures,
    resampled_weights,
)

LABELS = ("against", "neutral", "favor")


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    ("gold_labels", "predicted_labels"), [(3, 3), (2, 3), (3, 2), (1, 1), (2, 2)]
)
def test_classification_scores_equal_those_of_scikit_learn(rng, gold_labels, predicted_labels):
    gold, predicted = rng.integers(gold_labels, size=60), rng.integers(predicted_labels, size=60)
    documents = [str(i // 4) for i in range(60)]
    counts = confusion_matrices(gold, predicted, documents, 3)
    assert counts.shape == (15, 3, 3)
    scores = classification(counts.sum(axis=0), LABELS)
    assert scores["macro_f1"] == pytest.approx(
        f1_score(gold, predicted, average="macro", zero_division=0)
    )
    assert scores["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    for metric, function in (
        ("f1", f1_score),
        ("precision", precision_score),
        ("recall", recall_score),
    ):
        expected = function(gold, predicted, labels=[0, 1, 2], average=None, zero_division=0)
        assert [scores[f"{label}.{metric}"] for label in LABELS] == pytest.approx(expected)
    occurring_labels = sorted({*gold, *predicted})
    assert scores["macro_recall"] == pytest.approx(
        recall_score(gold, predicted, labels=occurring_labels, average="macro", zero_division=0)
    )


def test_empty_counts_score_zero():
    assert set(classification(np.zeros((2, 2)), ("a", "b")).values()) == {0.0}
    assert f1(0, 0, 3) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert f1(2, 4, 3) == pytest.approx({"precision": 1 / 2, "recall": 2 / 3, "f1": 4 / 7})


@pytest.mark.parametrize("ties", [1000, 5])
def test_average_precision_equals_that_of_scikit_learn(rng, ties):
    relevant = rng.random(80) < 0.3
    scores = rng.integers(ties, size=80) / ties + relevant * 0.2
    figures = ranking_figures(relevant, scores, [str(i) for i in range(80)])
    figure = figures["average_precision"]
    assert figure.value == pytest.approx(average_precision_score(relevant, scores))
    assert figure.low < figure.value < figure.high
    assert figure.n == 80


@pytest.mark.parametrize("ties", [1000, 5])
def test_the_precision_recall_curve_equals_that_of_scikit_learn(rng, ties):
    relevant = rng.random(80) < 0.3
    scores = rng.integers(ties, size=80) / ties
    recall, precision, thresholds = precision_recall(relevant, scores)
    expected_precision, expected_recall, expected_scores = precision_recall_curve(relevant, scores)
    assert recall == pytest.approx(expected_recall[-2::-1])
    assert precision == pytest.approx(expected_precision[-2::-1])
    assert thresholds == pytest.approx(expected_scores[::-1])


def test_recall_needs_a_relevant_row():
    with pytest.raises(ValueError, match="expected a row that is relevant"):
        precision_recall(np.zeros(3, bool), np.arange(3.0))


def test_precision_at_ten_and_fifty():
    scores = np.linspace(1, 0, 60)
    relevant = [i % 5 == 0 or i < 4 for i in range(60)]
    figures = ranking_figures(relevant, scores, [str(i) for i in range(60)])
    assert figures["precision_at_10"].value == pytest.approx(0.5)
    assert figures["precision_at_50"].value == pytest.approx(13 / 50)
    assert set(ranking_figures(relevant[:20], scores[:20], ["a"] * 20)) == {
        "average_precision",
        "precision_at_10",
    }


def test_a_ranking_without_anything_relevant_scores_zero():
    assert (
        ranking_figures([False] * 3, [0.1, 0.5, 0.3], ["a", "b", "c"])["average_precision"].value
        == 0
    )


def test_resampled_rankings_equal_those_of_repeated_rows(rng):
    relevant, scores = rng.random(12) < 0.5, rng.random(12).round(1)
    documents = [str(i // 3) for i in range(12)]
    weights = resampled_weights(documents)
    assert (weights.sum(axis=1) == 12).all()
    # All rows of a document have the same weight.
    by_document = weights.reshape(-1, 4, 3)
    assert (by_document == by_document[:, :, :1]).all()
    resampled = average_precision(relevant.astype(float), scores, weights)
    for row, value in list(zip(weights.astype(int), resampled, strict=True))[:20]:
        drawn = np.repeat(np.arange(12), row)
        expected = (
            average_precision_score(relevant[drawn], scores[drawn]) if relevant[drawn].any() else 0
        )
        assert value == pytest.approx(expected)


def test_intervals_contain_the_value_and_narrow_with_more_documents(rng):
    gold = rng.integers(2, size=400)
    predicted = np.where(rng.random(400) < 0.8, gold, 1 - gold)
    widths = []
    for size in (100, 400):
        counts = confusion_matrices(gold[:size], predicted[:size], [str(i) for i in range(size)], 2)
        figures = bootstrap(counts, lambda sum_errors: classification(sum_errors, ("a", "b")), size)
        assert all(figure.low <= figure.value <= figure.high for figure in figures.values())
        assert figures["accuracy"].n == size
        widths.append(figures["accuracy"].high - figures["accuracy"].low)
    assert widths[0] == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 100), rel=0.2)
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.2)


def test_resampling_draws_documents(rng):
    gold = rng.integers(2, size=100)
    # All rows of the first document are right, all of the second wrong.
    predicted = np.where(np.arange(100) < 50, gold, 1 - gold)
    counts = confusion_matrices(gold, predicted, ["a"] * 50 + ["b"] * 50, 2)
    figure = bootstrap(counts, lambda sum_errors: classification(sum_errors, ("a", "b")), 100)[
        "accuracy"
    ]
    assert (figure.low, figure.value, figure.high) == (0.0, 0.5, 1.0)


def test_intervals_are_reproducible(rng):
    counts = rng.integers(5, size=(10, 2, 2)).astype(float)
    first, second = (
        bootstrap(counts, lambda c: classification(c, ("a", "b")), 9) for _ in range(2)
    )
    assert first == second


def test_the_calibration_error_equals_that_by_hand():
    # Two bins: nine at 0.95 of which six are right; one at 0.55 that is right.
    confidence, correct = [0.95] * 9 + [0.55], [True] * 6 + [False] * 3 + [True]
    assert calibration_error(confidence, correct) == pytest.approx(
        0.9 * (0.95 - 6 / 9) + 0.1 * 0.45
    )
    assert calibration_error([1.0] * 4, [True] * 4) == 0
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0


class Fixed:
    """Replace ``predict`` by the predictions that the test has prepared."""

    def __init__(self, monkeypatch, predictions, **labels):
        self.config = ModelConfig({}, tasks=("entity", "claim", "stance"), labels=labels)
        monkeypatch.setattr(scoring, "predict", lambda reader, records: iter(predictions))


def test_corpora_and_tasks_are_scored_separately(monkeypatch):
    records = [
        Record(
            id="1",
            text="Ada x",
            claim="claim",
            meta={"corpus": "a"},
            entities=[Entity(span=[(0, 3)], label="P")],
        ),
        Record(id="2", text="x", claim="no_claim", meta={"corpus": "a", "subset": "mt"}),
        Record(
            id="3",
            text="x",
            meta={"corpus": "b", "clean": True},
            stances=[Stance(target="x", label="favor"), Stance(target="y")],
        ),
    ]
    confident, unsure = {"no_claim": 0.1, "claim": 0.9}, {"no_claim": 0.4, "claim": 0.6}
    row = {"against": 0.2, "neutral": 0.2, "favor": 0.6}
    entities = [
        DecodedEntity(SentenceSpan(0, 0, 3), "P", 1.0),
        DecodedEntity(SentenceSpan(0, 4, 5), "P", 1.0),
    ]
    predictions = [
        Prediction(claim=confident, entities=entities),
        Prediction(claim=unsure),
        Prediction(claim=confident, stances=[row, row]),
    ]
    counted = []
    results = scoring.evaluate(
        Fixed(monkeypatch, predictions, claim=("no_claim", "claim"), stance=LABELS),
        records,
        counted.append,
    )
    assert set(results) == {"a/claim", "a/entity", "a-mt/claim", "b/stance", "b-clean/stance"}
    assert results["a/claim"]["accuracy"].value == 1
    assert results["a/claim"]["calibration_error"].value == pytest.approx(0.1)
    assert results["a-mt/claim"]["accuracy"].value == 0
    assert (results["a/entity"]["precision"].value, results["a/entity"]["recall"].value) == (
        0.5,
        1.0,
    )
    assert results["b/stance"]["accuracy"].n == 1
    assert counted == [1, 1, 1]
    scores = scoring.primary_scores(results)
    assert scores["a/entity"] == pytest.approx(2 / 3)
    assert scores["mean"] == pytest.approx((1 + 2 / 3 + 0 + 1 + 1) / 5)
