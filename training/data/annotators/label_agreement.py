"""Measure agreement on labels: coefficients, pair by pair, and each annotator against the others."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from claimstance.training.data.annotators.coefficients import (
    Documents,
    Measure,
    against_rest,
    alpha,
    cohen_kappa,
    coincidences,
    fleiss_kappa,
    measure,
    measure_alpha,
)
from claimstance.training.evaluation.metrics import Array, classification

MOST_PAIRS = 1000  # of annotators that are told of: all those of 45 annotators

Cell = tuple[int, int]  # of a matrix of labels
Answer = TypeVar("Answer", bound=Hashable)


class LabelPair(BaseModel):
    """Two annotators: how many items both answered, the share they agree on, and Cohen's kappa."""

    first: str
    second: str
    n: int
    agreement: float
    kappa: float | None


class LabelAnnotator(BaseModel):
    """One annotator against the others.

    Attributes:
        n: answers.
        compared: those on which most of the others agree.
        with_majority: the share of these that agree with them.
        kappa: the mean of Cohen's kappa with each other annotator, weighted by the items they share; of the pairs told.
    """

    n: int
    compared: int
    with_majority: float | None
    kappa: float | None


class LabelAgreement(BaseModel):
    """Agreement of annotators on one task's labels.

    Attributes:
        items: sentences, or questions of stance, that two or more answered.
        single: those that one answered.
        alpha: Krippendorff's, nominal. A missing answer is missing: no stance given is not a neutral one.
        fleiss: Fleiss' kappa of the ``fleiss_items`` with ``fleiss_answers`` answers each, the commonest number.
        labels: alpha of each label against all others together.
        pairs: of named annotators with items in common, at most ``MOST_PAIRS``: those with the most.
        pairs_left_out: how many more there are.
        annotators: who is named.
    """

    items: int
    single: int
    alpha: Measure
    fleiss: float | None
    fleiss_items: int
    fleiss_answers: int
    labels: dict[str, float | None]
    pairs: list[LabelPair]
    pairs_left_out: int
    annotators: dict[str, LabelAnnotator]


class LabelAnswers:
    """The answers to one task, item by item, of which counts are kept."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}  # of labels
        self._items = self._single = self._compared = 0
        self._alpha, self._people = Documents(), Documents()
        # Their cells, of the document that is being added:
        self._open: tuple[dict[Cell, float], dict[Cell, float]] = (
            defaultdict(float),
            defaultdict(float),
        )
        self._fleiss: dict[int, _SameNumber] = defaultdict(_SameNumber)  # by the number of answers
        self._pairs: dict[tuple[str, str], Counter[Cell]] = defaultdict(Counter)
        self._given: Counter[str] = Counter()
        self._majority: dict[str, Counter[bool]] = defaultdict(Counter)

    def add(self, answers: Sequence[tuple[str | None, str]]) -> None:
        """The answers to one item: each annotator, ``None`` if not named, with a label."""
        said = sorted(
            ((name, self._codes.setdefault(label, len(self._codes))) for name, label in answers),
            key=lambda one: one[0] or "",
        )
        self._given.update(name for name, _ in said if name is not None)
        if len(said) < 2:
            self._single += len(said)
            return
        self._items += 1
        counts = Counter(label for _, label in said)
        matrix = coincidences(np.array([list(counts.values())], dtype=float))
        for row, first in enumerate(counts):
            for column, second in enumerate(counts):
                self._open[0][first, second] += matrix[row, column]
        self._fleiss[len(said)].add(counts)
        for (one, first), (two, second) in combinations(said, 2):
            if one is not None and two is not None:
                self._pairs[one, two][first, second] += 1
        self._add_people(said)

    def _add_people(self, said: Sequence[tuple[str | None, int]]) -> None:
        most = against_others([label for _, label in said])
        there = [
            (name, right, label)
            for (name, label), right in zip(said, most, strict=True)
            if right is not None
        ]
        self._compared += bool(there)
        for name, right, label in there:
            self._open[1][right, label] += 1 / len(
                there
            )  # an item weighs one, however many answers it has
            if name is not None:
                self._majority[name][right == label] += 1

    @property
    def any(self) -> bool:
        """Return true if anything was answered."""
        return bool(self._items or self._single)

    def end_document(self) -> None:
        """Close a document: it is everything added since the last call."""
        for documents, cells in zip((self._alpha, self._people), self._open, strict=True):
            if cells:
                documents.add(cells)
                cells.clear()

    def report(self) -> LabelAgreement:
        """Return the agreement."""
        self.end_document()
        number = max(
            self._fleiss, key=lambda answers: (self._fleiss[answers].units, answers), default=0
        )
        pairs = [
            self._pair(names)
            for names in sorted(self._pairs, key=lambda names: -self._pairs[names].total())[
                :MOST_PAIRS
            ]
        ]
        total, draws = self._sums(self._alpha)
        return LabelAgreement(
            items=self._items,
            single=self._single,
            alpha=measure_alpha(total, draws, self._items),
            fleiss=self._fleiss[number].kappa(number) if number else None,
            fleiss_items=self._fleiss[number].units if number else 0,
            fleiss_answers=number,
            labels={
                label: alpha(against_rest(total, row))
                for row, label in enumerate(sorted(self._codes))
            },
            pairs=pairs,
            pairs_left_out=len(self._pairs) - len(pairs),
            annotators={name: self._annotator(name, pairs) for name in sorted(self._given)},
        )

    def people(self) -> dict[str, Measure]:
        """The metrics that a model is scored by, of each annotator against what most of the others say.

        Answers on which the others are tied are left out; empty if none is left.
        """
        self.end_document()
        labels, (total, draws) = sorted(self._codes), self._sums(self._people)
        return measure(lambda counts: classification(counts, labels), total, draws, self._compared)

    def _sums(self, documents: Documents) -> tuple[Array, Array]:
        """With rows and columns in the order of the labels' names."""
        order = [self._codes[label] for label in sorted(self._codes)]
        total, draws = documents.sums(len(order), len(order))
        return total[np.ix_(order, order)], draws[:, order][:, :, order]

    def _pair(self, names: tuple[str, str]) -> LabelPair:
        cells = self._pairs[names]
        alike = sum(count for (first, second), count in cells.items() if first == second)
        return LabelPair(
            first=names[0],
            second=names[1],
            n=cells.total(),
            agreement=alike / cells.total(),
            kappa=cohen_kappa(cells),
        )

    def _annotator(self, name: str, pairs: Sequence[LabelPair]) -> LabelAnnotator:
        kappas = [(pair.kappa, pair.n) for pair in pairs if name in (pair.first, pair.second)]
        defined = [(kappa, n) for kappa, n in kappas if kappa is not None]
        total, compared = sum(n for _, n in defined), self._majority[name].total()
        return LabelAnnotator(
            n=self._given[name],
            compared=compared,
            with_majority=self._majority[name][True] / compared if compared else None,
            kappa=sum(kappa * n for kappa, n in defined) / total if total else None,
        )


class _SameNumber:
    """The items that so many annotators answered."""

    def __init__(self) -> None:
        self.units = self._squares = 0
        self._labels: Counter[int] = Counter()

    def add(self, counts: Mapping[int, int]) -> None:
        self.units += 1
        self._labels.update(counts)
        self._squares += sum(count**2 for count in counts.values())

    def kappa(self, answers: int) -> float | None:
        return fleiss_kappa(
            self.units, answers, np.array(list(self._labels.values()), dtype=float), self._squares
        )


def against_others(answers: Sequence[Answer]) -> list[Answer | None]:
    """Return, for each answer to one item, the majority of the other answers; ``None`` if tied or absent."""
    counts = Counter(answers)
    majorities: dict[Answer, Answer | None] = {}
    for answer in counts:
        others = (counts - Counter([answer])).most_common(2)
        clear = others and (len(others) < 2 or others[0][1] > others[1][1])
        majorities[answer] = others[0][0] if clear else None
    return [majorities[answer] for answer in answers]
