"""The field's metrics, from counts that add up over documents, so that documents can be resampled.

Confidence intervals are percentile bootstrap intervals over documents (Efron & Tibshirani 1993): the documents are
drawn with replacement, and the metric is computed anew from the sum of their counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RESAMPLES = 1000
FEW_DOCUMENTS = 20  # with fewer, intervals are too narrow, and pages say so

# How pages and tables call tasks and metrics.
_TASKS = {"check_worthy": "check-worthy", "entity": "entities", "attribution": "attributions"}
_PARTS = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "macro_recall": "macro-recall",
    "f1": "F1",
    "map": "mean average precision",
    "linked": "linked attributions",
    "directed": "both directions at once",
}
_METRICS = {
    "calibration_error": "expected calibration error",
    "coverage_at_90": "answered at 90 % precision, by the best threshold here",
    "answered.share": "answered, as the model withholds answers",
    "answered.accuracy": "right of those answered",
    "conformal.coverage": "label sets that hold the right label",
    "conformal.size": "labels in a set",
    "average_precision": "average precision",
    "precision_at_10": "right of the first 10",
    "precision_at_50": "right of the first 50",
}
NUMBERS = ("calibration_error", "conformal.size")  # the metrics that are no shares


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % interval and the number of items it rests on."""

    value: float
    low: float
    high: float
    n: int


def bootstrap(
    counts: Array, score: Callable[[Array], dict[str, float]], n: int, seed: int = 13
) -> dict[str, Figure]:
    """Figures of ``score``, which maps summed counts to values; ``counts`` is (documents, …)."""
    rng = np.random.default_rng(seed)
    values = score(counts.sum(axis=0))
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=RESAMPLES)
    flat = counts.reshape(len(counts), -1)
    resampled = [score((draw @ flat).reshape(counts.shape[1:])) for draw in draws]
    return {
        name: interval(value, [r[name] for r in resampled], n) for name, value in values.items()
    }


def interval(value: float, resampled: Sequence[float] | Array, n: int) -> Figure:
    """A figure with the 95 % percentile interval of its resampled values."""
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
    per_class = [
        f1(confusion[i, i], confusion[:, i].sum(), confusion[i].sum()) for i in range(len(labels))
    ]
    there = [
        scores for i, scores in enumerate(per_class) if confusion[i].any() or confusion[:, i].any()
    ]
    total = confusion.sum()
    values = {
        "macro_f1": float(np.mean([scores["f1"] for scores in there] or [0.0])),
        "macro_recall": float(np.mean([scores["recall"] for scores in there] or [0.0])),
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


def resampled_rows(documents: Sequence[str], seed: int = 13) -> Array:
    """How often each row is drawn in each resample of the documents: (RESAMPLES, rows)."""
    names = {name: i for i, name in enumerate(dict.fromkeys(documents))}
    draws = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES
    )
    return draws[:, [names[document] for document in documents]].astype(float)


def average_precision(relevant: Array, scores: Array, weights: Array) -> Array:
    """Average precision under each row of ``weights`` (resamples, rows); 0 where nothing is relevant.

    Rows of equal score count as ranked together, as scikit-learn's ``average_precision_score`` has it.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(
        np.flatnonzero(np.diff(scores[order])), len(scores) - 1
    )  # the last row of each tie
    found = np.cumsum(weights[:, order] * relevant[order], axis=1)[:, ends]
    seen = np.cumsum(weights[:, order], axis=1)[:, ends]
    gained = np.diff(found, axis=1, prepend=0)
    total = np.clip(found[:, -1], 1e-12, None)
    return np.asarray((gained * found / np.clip(seen, 1e-12, None)).sum(axis=1) / total)


def precision_recall(relevant: NDArray[np.bool_], scores: Array) -> tuple[Array, Array, Array]:
    """Recall, precision and the score, a point for each score that occurs: of the rows that have it or a higher one.

    Raises:
        ValueError: if nothing is relevant, so that there is no recall.
    """
    if not relevant.any():
        raise ValueError("expected a row that is relevant, found none")
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(relevant[order])[ends]
    return found / relevant.sum(), found / (ends + 1), scores[order][ends]


def _precision_at(k: int, relevant: Array, scores: Array, weights: Array) -> Array:
    order = np.argsort(-scores, kind="stable")
    before = np.cumsum(weights[:, order], axis=1) - weights[:, order]
    taken = np.clip(k - before, 0, weights[:, order])
    return np.asarray((taken * relevant[order]).sum(axis=1) / k)


def ranking(
    relevant: Sequence[bool], scores: Sequence[float], documents: Sequence[str]
) -> dict[str, Figure]:
    """Average precision and precision at 10 and 50 of a ranking, highest score first."""
    gold, ranked = np.array(relevant, dtype=float), np.array(scores)
    weights = np.vstack(
        [np.ones(len(gold)), resampled_rows(documents)]
    )  # the first row is the data itself
    values = {"average_precision": average_precision(gold, ranked, weights)}
    values |= {
        f"precision_at_{k}": _precision_at(k, gold, ranked, weights)
        for k in (10, 50)
        if k <= len(gold)
    }
    return {name: interval(value[0], value[1:], len(gold)) for name, value in values.items()}


def calibration_error(
    said: Sequence[float] | Array, true: Sequence[bool] | NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error in equal-width bins (Guo et al. 2017): what was said how surely, against its truth."""
    sure, right = np.array(said), np.array(true, dtype=float)
    which = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        abs(sure[which == b].mean() - right[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def task_name(name: str) -> str:
    """Return the name of a task for readers."""
    return _TASKS.get(name, name)


def metric_name(name: str) -> str:
    """Return the name of a metric for readers: ``source.overlap.f1`` as "source, overlap, F1"."""
    if name.startswith("answered.accuracy."):
        return f"right of those answered with {name.removeprefix('answered.accuracy.')}"
    return _METRICS.get(name) or ", ".join(_PARTS.get(part, part) for part in name.split("."))
