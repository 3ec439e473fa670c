"""Metrics computed from counts that add up over documents, so that documents can be resampled.

Confidence intervals are percentile bootstrap intervals over documents (Efron & Tibshirani 1993):
documents are drawn with replacement, and the metric is recomputed from the sum of their counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RESAMPLES = 1000
FEW_DOCUMENTS = 20  # with fewer documents, intervals are too narrow, and pages say so
_TINY = 1e-12  # the least divisor, where a sum of counts may be zero


@dataclass(frozen=True)
class Figure:
    """Represent a measured value with its 95 % interval and the number of items behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CumulativeCurve:
    """Represent running sums over rows ranked by score, with one point for each distinct score.

    Rows of equal score enter together, because no threshold can separate them.

    Attributes:
        thresholds: (points,) the distinct scores, highest first.
        counts: (…, points) the summed weights of the rows that score at least the threshold.
        sums: (…, points) the weighted sum of these rows' values.
    """

    thresholds: Array
    counts: Array
    sums: Array


def cumulative_curve(
    scores: Array, values: NDArray[np.float64] | NDArray[np.bool_], weights: Array | None = None
) -> CumulativeCurve:
    """Sum values and weights over ranked rows, highest score first.

    Args:
        scores: (rows,) the scores to rank by; at least one row.
        values: (rows,) the values to sum, for example whether each row is correct.
        weights: (…, rows) how often each row counts; once if ``None``.
    """
    if weights is None:
        weights = np.ones(len(scores))
    order = np.argsort(-scores, kind="stable")
    ranked_scores = scores[order]
    ranked_weights = weights[..., order]
    counts = np.cumsum(ranked_weights, axis=-1)
    sums = np.cumsum(ranked_weights * values[order], axis=-1)
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked_scores)), len(scores) - 1)
    return CumulativeCurve(
        thresholds=ranked_scores[last_of_tie],
        counts=counts[..., last_of_tie],
        sums=sums[..., last_of_tie],
    )


def bootstrap(
    counts: Array, score: Callable[[Array], dict[str, float]], n: int, seed: int = 13
) -> dict[str, Figure]:
    """Compute metrics with intervals by resampling documents.

    Args:
        counts: (documents, …) the counts of each document.
        score: maps counts summed over documents to metric → value.
        n: the number of items that the figures report.
        seed: seed of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = score(counts.sum(axis=0))
    n_documents = len(counts)
    # Drawing documents with replacement is drawing how often each of them counts.
    chances = np.full(n_documents, 1 / n_documents)
    draws = rng.multinomial(n_documents, chances, size=RESAMPLES)
    flat = counts.reshape(n_documents, -1)  # (documents, all other dimensions)
    resampled = [score((draw @ flat).reshape(counts.shape[1:])) for draw in draws]
    figures = {}
    for name, value in values.items():
        figures[name] = interval(value, [scores[name] for scores in resampled], n)
    return figures


def interval(value: float, resampled: Sequence[float] | Array, n: int) -> Figure:
    """Return a figure with the 95 % percentile interval of its resampled values."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(float(value), float(low), float(high), n)


def f1(true_positive: float, predicted: float, gold: float) -> dict[str, float]:
    """Return precision, recall and F1 from counts; 0 where a metric is undefined."""
    precision = true_positive / predicted if predicted else 0.0
    recall = true_positive / gold if gold else 0.0
    total = precision + recall
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / total if total else 0.0,
    }


def classification(confusion: Array, labels: Sequence[str]) -> dict[str, float]:
    """Return macro-F1, macro-recall, accuracy and the scores of each class.

    Macro averages are over the classes that occur in gold or prediction, as in scikit-learn's
    ``f1_score``.

    Args:
        confusion: (gold, predicted) the confusion matrix.
        labels: the names of its rows and columns.
    """
    class_scores = {}
    occurring = []
    for i, label in enumerate(labels):
        gold_row, predicted_column = confusion[i], confusion[:, i]
        class_scores[label] = f1(confusion[i, i], predicted_column.sum(), gold_row.sum())
        if gold_row.any() or predicted_column.any():
            occurring.append(class_scores[label])
    total = confusion.sum()
    values = {
        "macro_f1": float(np.mean([scores["f1"] for scores in occurring] or [0.0])),
        "macro_recall": float(np.mean([scores["recall"] for scores in occurring] or [0.0])),
        "accuracy": float(np.trace(confusion) / total) if total else 0.0,
    }
    for label, scores in class_scores.items():
        for name, value in scores.items():
            values[f"{label}.{name}"] = value
    return values


def confusion_matrices(
    gold: Sequence[int], predicted: Sequence[int], documents: Sequence[str], size: int
) -> Array:
    """Return one confusion matrix per document: (documents, gold, predicted)."""
    rows, n_documents = _document_rows(documents)
    counts = np.zeros((n_documents, size, size))
    np.add.at(counts, (rows, list(gold), list(predicted)), 1)
    return counts


def resampled_weights(documents: Sequence[str], seed: int = 13) -> Array:
    """Return how often each row is drawn in each resample of the documents: (RESAMPLES, rows)."""
    rows, n_documents = _document_rows(documents)
    rng = np.random.default_rng(seed)
    chances = np.full(n_documents, 1 / n_documents)
    draws = rng.multinomial(n_documents, chances, size=RESAMPLES)
    return draws[:, rows].astype(float)


def _document_rows(documents: Sequence[str]) -> tuple[list[int], int]:
    """Return the number of each row's document, in order of first occurrence, and how many exist."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    return [numbers[name] for name in documents], len(numbers)


def average_precision(relevant: Array, scores: Array, weights: Array) -> Array:
    """Return average precision under each row of ``weights``; 0 where nothing is relevant.

    Rows of equal score count as ranked together, as in scikit-learn's ``average_precision_score``.

    Args:
        relevant: (rows,) 1 for relevant rows, 0 for the rest.
        scores: (rows,) the scores to rank by.
        weights: (resamples, rows) how often each row counts.
    """
    curve = cumulative_curve(scores, relevant, weights)
    gains = np.diff(curve.sums, axis=1, prepend=0)  # relevant rows that each threshold adds
    total = np.clip(curve.sums[:, -1], _TINY, None)
    precision_gains = gains * curve.sums / np.clip(curve.counts, _TINY, None)
    return np.asarray(precision_gains.sum(axis=1) / total)


def precision_recall(relevant: NDArray[np.bool_], scores: Array) -> tuple[Array, Array, Array]:
    """Return recall, precision and threshold, with one point for each distinct score.

    Raises:
        ValueError: if nothing is relevant, so that recall is undefined.
    """
    if not relevant.any():
        raise ValueError("expected a row that is relevant, found none")
    curve = cumulative_curve(scores, relevant)
    return curve.sums / relevant.sum(), curve.sums / curve.counts, curve.thresholds


def ranking_figures(
    relevant: Sequence[bool], scores: Sequence[float], documents: Sequence[str]
) -> dict[str, Figure]:
    """Return average precision and precision at 10 and 50 of a ranking, highest score first."""
    gold = np.array(relevant, dtype=float)
    ranked = np.array(scores)
    n = len(gold)
    # The first row of weights is the data itself, the others are resamples.
    weights = np.vstack([np.ones(n), resampled_weights(documents)])
    values = {"average_precision": average_precision(gold, ranked, weights)}
    order = np.argsort(-ranked, kind="stable")  # ties keep the order of the rows
    ranked_gold = gold[order]
    ranked_weights = weights[:, order]
    before = np.cumsum(ranked_weights, axis=1) - ranked_weights
    for k in (10, 50):
        if k <= n:
            # A row that was drawn several times may fit into the first k only in part.
            taken = np.clip(k - before, 0, ranked_weights)
            relevant_taken = (taken * ranked_gold).sum(axis=1)
            values[f"precision_at_{k}"] = np.asarray(relevant_taken / k)
    figures = {}
    for name, resampled in values.items():
        figures[name] = interval(resampled[0], resampled[1:], n)
    return figures


def calibration_error(
    probabilities: Sequence[float] | Array,
    outcomes: Sequence[bool] | NDArray[np.bool_],
    bins: int = 15,
) -> float:
    """Return the expected calibration error in bins of equal width (Guo et al. 2017).

    Args:
        probabilities: (n,) the predicted probability of each event.
        outcomes: (n,) whether each event occurred.
        bins: the number of bins.
    """
    predicted = np.array(probabilities)
    occurred = np.array(outcomes, dtype=float)
    bin_of = np.minimum((predicted * bins).astype(int), bins - 1)
    error = 0.0
    for number in np.unique(bin_of):
        rows = bin_of == number
        gap = abs(predicted[rows].mean() - occurred[rows].mean())
        error += gap * rows.mean()
    return float(error)
