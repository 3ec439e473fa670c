"""Agreement beyond chance, from counts; ``None`` where it is not defined, as when all answers are one label.

Alpha is computed here from matrices of coincidences, which add up over documents and can be resampled. The package
``krippendorff`` does not expose them, and this project can follow neither its licence (GPL) nor its Python (3.11).
Fleiss' kappa is computed here because ``statsmodels`` brings pandas and two formula parsers, and NLTK's multi-kappa is
another coefficient (Davies & Fleiss 1982). Cohen's kappa is scikit-learn's.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
from pydantic import BaseModel

from claimstance.training.evaluation.metrics import RESAMPLES, Array, interval

_BOOTSTRAP_SEED = 13
_CELL = np.dtype([("row", "u2"), ("column", "u2"), ("count", "f8")])


class Measure(BaseModel):
    """Represent a value with its 95 % interval, by bootstrap over documents, and the number of its items.

    ``None`` stands for an undefined value, such as alpha where all answers are alike, or the interval of one document.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


def coincidences(counts: Array) -> Array:
    """Return the matrix of coincidences, (labels, labels), that alpha is computed from.

    Args:
        counts: (units, labels), the number of annotators who gave each unit each label. Units with fewer than two
            answers have no pairs, and count for nothing.
    """
    paired = counts[counts.sum(axis=1) > 1]
    # Each answer of a unit forms pairs with all its other answers, which together weigh one.
    weighted = paired / (paired.sum(axis=1, keepdims=True) - 1)
    with_itself = np.diag(weighted.sum(axis=0))  # pairs of an answer with itself
    return np.asarray(paired.T @ weighted - with_itself)


def alpha(matrix: Array) -> float | None:
    """Return Krippendorff's nominal alpha (Krippendorff 2011, *Computing Krippendorff's Alpha-Reliability*)."""
    value = float(alphas(matrix[None])[0])
    return None if np.isnan(value) else value


def alphas(matrices: Array) -> Array:
    """Return alpha of each of (n, labels, labels) matrices of coincidences; NaN where it is not defined."""
    label_totals = matrices.sum(axis=2)  # (n, labels)
    total = label_totals.sum(axis=1)  # (n,)
    agreed = np.trace(matrices, axis1=1, axis2=2)
    observed = total - agreed
    squares = (label_totals**2).sum(axis=1)
    expected = (total**2 - squares) / np.maximum(total - 1, 1)
    # With a single label, rounding leaves a disagreement by chance that is close to zero.
    is_defined = expected > 1e-9 * np.maximum(total, 1)
    divisor = np.where(is_defined, expected, 1)
    return np.where(is_defined, 1 - observed / divisor, np.nan)


def against_rest(matrix: Array, label: int) -> Array:
    """Return the matrix of coincidences of one label and all others together, (2, 2)."""
    agreed = matrix[label, label]
    divided = matrix[label].sum() - agreed
    others = matrix.sum() - agreed - 2 * divided
    return np.array([[agreed, divided], [divided, others]])


def fleiss_kappa(units: int, answers: int, label_totals: Array, squares: float) -> float | None:
    """Return Fleiss' kappa (Fleiss 1971, *Measuring nominal scale agreement among many raters*).

    Args:
        units: their number.
        answers: the number of answers to each unit, two or more.
        label_totals: (labels,) the number of answers that are each label.
        squares: the sum, over units and labels, of the squared number of answers.
    """
    observed = (squares / units - answers) / (answers * (answers - 1))
    label_shares = label_totals / label_totals.sum()
    expected = float((label_shares**2).sum())
    if expected > 1 - 1e-12:
        return None
    return float((observed - expected) / (1 - expected))


def cohen_kappa(pairs: Mapping[tuple[int, int], int]) -> float | None:
    """Return Cohen's kappa of two annotators.

    Args:
        pairs: (label of the first annotator, label of the second) → the number of items with these labels.
    """
    # Importing scikit-learn takes long, and most commands measure no agreement.
    from sklearn.metrics import cohen_kappa_score

    labels: set[int] = set()
    for pair in pairs:
        labels.update(pair)
    # With a single label, chance alone would give full agreement, and kappa is not defined.
    if len(labels) < 2:
        return None
    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second, sample_weight=list(pairs.values())))


class Documents:
    """Represent a matrix of counts for each document, where documents of equal counts share one pattern.

    Attributes:
        number: the number of documents.
    """

    def __init__(self) -> None:
        self._patterns: Counter[bytes] = Counter()
        self.number = 0

    def add(self, cells: Mapping[tuple[int, int], float]) -> None:
        """Count a document, whose matrix is zero but for ``cells``: (row, column) → count."""
        self.number += 1
        nonzero = []
        # In a fixed order, so that documents of equal counts have equal bytes.
        for (row, column), count in sorted(cells.items()):
            if count:
                nonzero.append((row, column, count))
        pattern = np.array(nonzero, dtype=_CELL).tobytes()
        self._patterns[pattern] += 1

    def sums(self, rows: int, columns: int) -> tuple[Array, Array]:
        """Return the sum over all documents, (rows, columns), and over draws of them, (RESAMPLES, rows, columns).

        Each pattern is drawn as often as a bootstrap draws its documents, which needs no row for each document. With
        fewer than two documents there is nothing to draw from: no draws, (0, rows, columns).
        """
        matrices = np.zeros((len(self._patterns), rows, columns))
        for matrix, pattern in zip(matrices, self._patterns, strict=True):
            cells = np.frombuffer(pattern, dtype=_CELL)
            matrix[cells["row"], cells["column"]] = cells["count"]

        size = rows * columns
        flat = matrices.reshape(len(matrices), size)
        frequencies = np.array(list(self._patterns.values()))  # (patterns,)
        total = (frequencies @ flat).reshape(rows, columns)
        if self.number < 2:
            return total, np.zeros((0, rows, columns))

        shares = frequencies / self.number
        draws = np.zeros((RESAMPLES, size))
        rng = np.random.default_rng(_BOOTSTRAP_SEED)
        for draw in draws:
            draw[:] = rng.multinomial(self.number, shares) @ flat
        return total, draws.reshape(RESAMPLES, rows, columns)


def measure_alpha(total: Array, draws: Array, n: int) -> Measure:
    """Return alpha of a matrix of coincidences, with its interval from the draws.

    Args:
        total: the sum over all documents, (labels, labels).
        draws: the sums over draws of documents, (draws, labels, labels).
        n: the number of items.
    """
    drawn = alphas(draws)
    defined = drawn[~np.isnan(drawn)]
    return _measure(alpha(total), defined, n)


def measure(
    score: Callable[[Array], dict[str, float]], total: Array, draws: Array, n: int
) -> dict[str, Measure]:
    """Return ``score`` of the summed counts, with intervals from the draws; nothing if there are no counts.

    Args:
        score: returns metric → value of a matrix of counts.
        total: the sum over all documents, (rows, columns).
        draws: the sums over draws of documents, (draws, rows, columns).
        n: the number of items.
    """
    if not total.any():
        return {}
    drawn_scores = [score(counts) for counts in draws]
    measures = {}
    for name, value in score(total).items():
        # A draw without any item of a metric does not have the metric.
        drawn = [scores[name] for scores in drawn_scores if name in scores]
        measures[name] = _measure(value, np.array(drawn), n)
    return measures


def _measure(value: float | None, drawn: Array, n: int) -> Measure:
    if value is None or not len(drawn):
        return Measure(value=value, low=None, high=None, n=n)
    return Measure(**asdict(interval(value, drawn, n)))
