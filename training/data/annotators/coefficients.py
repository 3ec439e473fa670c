"""Agreement beyond chance, from counts; ``None`` where it is not defined, as when all answers are one label.

Alpha is computed here from matrices of coincidences, since these add up over documents and can be resampled, and it
takes five lines: the package ``krippendorff`` keeps them to itself, and neither its licence (GPL) nor its Python (3.11)
goes with this project's. So with Fleiss' kappa: ``statsmodels`` brings pandas and two formula parsers, and what NLTK
calls multi-kappa is another coefficient (Davies & Fleiss 1982). Cohen's is scikit-learn's.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
from pydantic import BaseModel

from claimstance.training.evaluation.metrics import RESAMPLES, Array, interval

_CELL = np.dtype([("row", "u2"), ("column", "u2"), ("count", "f8")])


class Measure(BaseModel):
    """A value with its 95 % interval, by bootstrap over documents, and how many items it rests on.

    ``None`` stands for what is not defined: alpha where all answers are alike, the interval of a single document.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


def coincidences(counts: Array) -> Array:
    """The matrix of coincidences, (labels, labels), that alpha is made of.

    Args:
        counts: (units, labels), how many annotators gave each unit each label. Units with fewer than two answers have
            no pairs, and count for nothing.
    """
    paired = counts[counts.sum(axis=1) > 1]
    weighed = paired / (paired.sum(axis=1, keepdims=True) - 1)
    return np.asarray(paired.T @ weighed - np.diag(weighed.sum(axis=0)))


def alpha(matrix: Array) -> float | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2011, *Computing Krippendorff's Alpha-Reliability*)."""
    value = float(alphas(matrix[None])[0])
    return None if np.isnan(value) else value


def alphas(matrices: Array) -> Array:
    """Alpha of each of (n, labels, labels) matrices of coincidences; NaN where it is not defined."""
    of_label = matrices.sum(axis=2)
    total = of_label.sum(axis=1)
    apart = total - np.trace(matrices, axis1=1, axis2=2)
    by_chance = (total**2 - (of_label**2).sum(axis=1)) / np.maximum(total - 1, 1)
    defined = by_chance > 1e-9 * np.maximum(
        total, 1
    )  # what is left of rounding is not a second label
    return np.where(defined, 1 - apart / np.where(defined, by_chance, 1), np.nan)


def against_rest(matrix: Array, label: int) -> Array:
    """The matrix of coincidences of one label and all others together, (2, 2)."""
    both = matrix[label, label]
    one = matrix[label].sum() - both
    return np.array([[both, one], [one, matrix.sum() - both - 2 * one]])


def fleiss_kappa(units: int, answers: int, of_label: Array, squares: float) -> float | None:
    """Fleiss' kappa (Fleiss 1971, *Measuring nominal scale agreement among many raters*).

    Args:
        units: how many.
        answers: to each, two or more.
        of_label: (labels,) how many answers are each label.
        squares: the sum, over units and labels, of the squared number of answers.
    """
    observed = (squares / units - answers) / (answers * (answers - 1))
    by_chance = float(((of_label / of_label.sum()) ** 2).sum())
    return None if by_chance > 1 - 1e-12 else float((observed - by_chance) / (1 - by_chance))


def cohen_kappa(pairs: Mapping[tuple[int, int], int]) -> float | None:
    """Cohen's kappa of two annotators: how often one said the first label and the other the second."""
    from sklearn.metrics import cohen_kappa_score

    if len({label for pair in pairs for label in pair}) < 2:
        return None
    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second, sample_weight=list(pairs.values())))


class Documents:
    """A matrix of counts for each document, kept without the documents: equal ones are one pattern.

    Attributes:
        number: of documents.
    """

    def __init__(self) -> None:
        self._patterns: Counter[bytes] = Counter()
        self.number = 0

    def add(self, cells: Mapping[tuple[int, int], float]) -> None:
        """Count a document, whose matrix is zero but for ``cells``: (row, column) → count."""
        self.number += 1
        there = sorted((row, column, count) for (row, column), count in cells.items() if count)
        self._patterns[np.array(there, dtype=_CELL).tobytes()] += 1

    def sums(self, rows: int, columns: int, seed: int = 13) -> tuple[Array, Array]:
        """The sum over all documents, (rows, columns), and those of draws of them, (RESAMPLES, rows, columns).

        To draw n of N documents that are alike is one draw of their pattern: the bootstrap over documents without a row
        for each. With fewer than two documents there is nothing to draw from: no draws, (0, rows, columns).
        """
        table = np.zeros((len(self._patterns), rows, columns))
        for matrix, pattern in zip(table, self._patterns, strict=True):
            cells = np.frombuffer(pattern, dtype=_CELL)
            matrix[cells["row"], cells["column"]] = cells["count"]
        often, flat = (
            np.array(list(self._patterns.values())),
            table.reshape(len(table), rows * columns),
        )
        draws = np.zeros((RESAMPLES if self.number > 1 else 0, flat.shape[1]))
        rng = np.random.default_rng(seed)
        for draw in draws:
            draw[:] = rng.multinomial(self.number, often / self.number) @ flat
        return (often @ flat).reshape(rows, columns), draws.reshape(len(draws), rows, columns)


def measure_alpha(total: Array, draws: Array, n: int) -> Measure:
    """Alpha of a matrix of coincidences, with the interval of those drawn."""
    drawn = alphas(draws)
    return _measure(alpha(total), drawn[~np.isnan(drawn)], n)


def measure(
    score: Callable[[Array], dict[str, float]], total: Array, draws: Array, n: int
) -> dict[str, Measure]:
    """Return ``score`` of the summed counts, with intervals from the draws; nothing if there are no counts."""
    if not total.any():
        return {}
    drawn = [score(counts) for counts in draws]
    return {
        name: _measure(value, np.array([one[name] for one in drawn if name in one]), n)
        for name, value in score(total).items()
    }


def _measure(value: float | None, drawn: Array, n: int) -> Measure:
    if value is None or not len(drawn):
        return Measure(value=value, low=None, high=None, n=n)
    return Measure(**asdict(interval(value, drawn, n)))
