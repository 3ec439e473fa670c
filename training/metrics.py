"""The field's metrics, from counts that add up over documents, so that documents can be resampled.

Confidence intervals are percentile bootstrap intervals over documents (Efron & Tibshirani 1993): the documents are
drawn with replacement, and the metric is computed anew from the sum of their counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

Array = NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % interval and the number of items it rests on."""

    value: float
    low: float
    high: float
    n: int


def bootstrap(counts: Array, score: Callable[[Array], dict[str, float]], n: int, seed: int = 13) -> dict[str, Figure]:
    """Figures of ``score``, which maps summed counts to values; ``counts`` is (documents, …)."""
    rng = np.random.default_rng(seed)
    values = score(counts.sum(axis=0))
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=RESAMPLES)
    flat = counts.reshape(len(counts), -1)
    resampled = [score((draw @ flat).reshape(counts.shape[1:])) for draw in draws]
    return {name: _figure(value, [r[name] for r in resampled], n) for name, value in values.items()}


def _figure(value: float, resampled: Sequence[float], n: int) -> Figure:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(float(value), float(low), float(high), n)


def f1(true_positive: float, predicted: float, gold: float) -> dict[str, float]:
    """Precision, recall and F1 from counts; 0 where undefined."""
    precision = true_positive / predicted if predicted else 0.0
    recall = true_positive / gold if gold else 0.0
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    }


def classification(confusion: Array, labels: Sequence[str]) -> dict[str, float]:
    """Macro-F1, accuracy and each class's precision, recall and F1 from a confusion matrix (gold, predicted).

    The macro average is over the classes that occur, in gold or prediction: what scikit-learn's ``f1_score`` does.
    """
    per_class = [f1(confusion[i, i], confusion[:, i].sum(), confusion[i].sum()) for i in range(len(labels))]
    occurs = [bool(confusion[i].sum() + confusion[:, i].sum()) for i in range(len(labels))]
    total = confusion.sum()
    values = {
        "macro_f1": float(np.mean([c["f1"] for c, there in zip(per_class, occurs, strict=True) if there] or [0.0])),
        "accuracy": float(np.trace(confusion) / total) if total else 0.0,
    }
    for label, scores in zip(labels, per_class, strict=True):
        values |= {f"{label}.{name}": value for name, value in scores.items()}
    return values


def confusions(
    gold: Sequence[int], predicted: Sequence[int], documents: Sequence[str], size: int
) -> Array:
    """Confusion matrices (documents, gold, predicted)."""
    names = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    counts = np.zeros((len(names), size, size))
    np.add.at(counts, ([names[d] for d in documents], list(gold), list(predicted)), 1)
    return counts


def ranking(
    relevant: Sequence[bool], scores: Sequence[float], documents: Sequence[str], seed: int = 13
) -> dict[str, Figure]:
    """Average precision and precision at 10 and 50 of a ranking, highest score first."""
    gold, ranked = np.array(relevant, dtype=float), np.array(scores)

    def values(rows: NDArray[np.int64]) -> dict[str, float]:
        order = rows[np.argsort(-ranked[rows], kind="stable")]
        found = {f"precision_at_{k}": float(gold[order[:k]].mean()) for k in (10, 50) if k <= len(gold)}
        precision = float(average_precision_score(gold[rows], ranked[rows])) if gold[rows].any() else 0.0
        return {"average_precision": precision, **found}

    by_document: dict[str, list[int]] = {}
    for row, document in enumerate(documents):
        by_document.setdefault(document, []).append(row)
    groups = [np.array(rows) for rows in by_document.values()]
    rng = np.random.default_rng(seed)
    resampled = [values(np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))]))
                 for _ in range(RESAMPLES)]
    point = values(np.arange(len(gold)))
    return {name: _figure(value, [r[name] for r in resampled], len(gold)) for name, value in point.items()}


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error of top-label probabilities, in equal-width bins (Guo et al. 2017)."""
    sure, right = np.array(confidence), np.array(correct, dtype=float)
    which = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(sure[which == b].mean() - right[which == b].mean()) * (which == b).mean()
            for b in range(bins) if (which == b).any()]
    return float(sum(gaps))
