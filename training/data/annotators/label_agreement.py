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

MOST_PAIRS = 1000  # enough to report all pairs of 45 annotators

Cell = tuple[int, int]  # row and column of a matrix of labels
Answer = TypeVar("Answer", bound=Hashable)


class LabelPair(BaseModel):
    """Represent two annotators: the items that both answered, the share they agree on, and Cohen's kappa."""

    first: str
    second: str
    n: int
    agreement: float
    kappa: float | None


class LabelAnnotator(BaseModel):
    """Represent one annotator against the others.

    Attributes:
        n: the number of answers.
        compared: the number of those where the other answers have a majority.
        with_majority: the share of these that agree with the majority.
        kappa: the mean of Cohen's kappa with each other annotator, weighted by the items they share; of the reported
            pairs.
    """

    n: int
    compared: int
    with_majority: float | None
    kappa: float | None


class LabelAgreement(BaseModel):
    """Represent the agreement of annotators on one task's labels.

    Attributes:
        items: sentences, or questions of stance, with two or more answers.
        single: those with one answer.
        alpha: Krippendorff's, nominal. An annotator who marked no stance has no answer, not a neutral one.
        fleiss: Fleiss' kappa of the ``fleiss_items`` with ``fleiss_answers`` answers each, the commonest number.
        labels: alpha of each label against all others together.
        pairs: the pairs of named annotators with the most items in common, at most ``MOST_PAIRS``.
        pairs_left_out: the number of other pairs.
        annotators: name → agreement with the others.
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
    """Count the answers to one task, item by item."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}  # label → its number, in order of appearance
        self._items = self._single = self._compared = 0
        self._alpha, self._people = Documents(), Documents()
        # The cells of the current document: coincidences, and majority → label.
        self._coincidences: dict[Cell, float] = defaultdict(float)
        self._confusion: dict[Cell, float] = defaultdict(float)
        # Fleiss' kappa needs items of equally many answers: number of answers → its items.
        self._fleiss: dict[int, _FleissCounts] = defaultdict(_FleissCounts)
        self._pairs: dict[tuple[str, str], Counter[Cell]] = defaultdict(Counter)
        self._answers: Counter[str] = Counter()
        self._majority: dict[str, Counter[bool]] = defaultdict(Counter)

    def add(self, answers: Sequence[tuple[str | None, str]]) -> None:
        """Count the answers to one item: (annotator, label), the annotator ``None`` if not named."""
        coded = [(name, self._codes.setdefault(label, len(self._codes))) for name, label in answers]
        # In the order of the names, two annotators are the same pair at every item.
        coded.sort(key=lambda answer: answer[0] or "")
        self._answers.update(name for name, _ in coded if name is not None)
        if len(coded) < 2:
            self._single += len(coded)
            return
        self._items += 1

        counts = Counter(label for _, label in coded)
        # Only the labels of the item have coincidences, which are few of many.
        matrix = coincidences(np.array([list(counts.values())], dtype=float))
        for row, first in enumerate(counts):
            for column, second in enumerate(counts):
                self._coincidences[first, second] += matrix[row, column]
        self._fleiss[len(coded)].add(counts)
        for (first_name, first), (second_name, second) in combinations(coded, 2):
            if first_name is not None and second_name is not None:
                self._pairs[first_name, second_name][first, second] += 1

        majorities = against_others([label for _, label in coded])
        compared = []
        for (name, label), majority in zip(coded, majorities, strict=True):
            if majority is not None:
                compared.append((name, majority, label))
        self._compared += bool(compared)
        for name, majority, label in compared:
            # An item weighs one, however many answers it has.
            self._confusion[majority, label] += 1 / len(compared)
            if name is not None:
                self._majority[name][majority == label] += 1

    @property
    def any(self) -> bool:
        """Return true if anything was answered."""
        return bool(self._items or self._single)

    def end_document(self) -> None:
        """Close a document: it is everything added since the last call."""
        for documents, cells in (
            (self._alpha, self._coincidences),
            (self._people, self._confusion),
        ):
            if cells:
                documents.add(cells)
                cells.clear()

    def report(self) -> LabelAgreement:
        """Return the agreement."""
        self.end_document()
        fleiss_answers, fleiss = 0, _FleissCounts()
        # Fleiss' kappa is of the commonest number of answers; of two equally common ones, of the greater.
        for answers, counts in sorted(self._fleiss.items()):
            if counts.units >= fleiss.units:
                fleiss_answers, fleiss = answers, counts

        pairs = []
        by_size = sorted(self._pairs.items(), key=lambda pair: -pair[1].total())
        for (first, second), cells in by_size[:MOST_PAIRS]:
            n = cells.total()
            agreed = sum(count for labels, count in cells.items() if labels[0] == labels[1])
            kappa = cohen_kappa(cells)
            pairs.append(
                LabelPair(first=first, second=second, n=n, agreement=agreed / n, kappa=kappa)
            )
        annotators = {}
        for name, answers in sorted(self._answers.items()):
            annotators[name] = _compare_annotator(name, answers, self._majority[name], pairs)

        total, draws = self._sums(self._alpha)
        labels = {}
        for row, label in enumerate(sorted(self._codes)):
            labels[label] = alpha(against_rest(total, row))
        return LabelAgreement(
            items=self._items,
            single=self._single,
            alpha=measure_alpha(total, draws, self._items),
            fleiss=fleiss.kappa(fleiss_answers) if fleiss.units else None,
            fleiss_items=fleiss.units,
            fleiss_answers=fleiss_answers,
            labels=labels,
            pairs=pairs,
            pairs_left_out=len(self._pairs) - len(pairs),
            annotators=annotators,
        )

    def people(self) -> dict[str, Measure]:
        """Return the metrics that a model is scored by, of each annotator against the majority of the others.

        Answers for which the other answers are tied are left out; without any other, there are no metrics.
        """
        self.end_document()
        labels = sorted(self._codes)
        total, draws = self._sums(self._people)
        return measure(lambda counts: classification(counts, labels), total, draws, self._compared)

    def _sums(self, documents: Documents) -> tuple[Array, Array]:
        """Return sums and draws with rows and columns in the order of the labels' names."""
        order = [self._codes[label] for label in sorted(self._codes)]
        total, draws = documents.sums(len(order), len(order))
        return total[np.ix_(order, order)], draws[:, order][:, :, order]


def _compare_annotator(
    name: str, answers: int, majority: Counter[bool], pairs: Sequence[LabelPair]
) -> LabelAnnotator:
    """Return the agreement of one annotator with the majority of the others, and with each of them."""
    kappa_sum, items = 0.0, 0
    for pair in pairs:
        if name in (pair.first, pair.second) and pair.kappa is not None:
            kappa_sum += pair.kappa * pair.n
            items += pair.n
    compared = majority.total()
    return LabelAnnotator(
        n=answers,
        compared=compared,
        with_majority=majority[True] / compared if compared else None,
        kappa=kappa_sum / items if items else None,
    )


class _FleissCounts:
    """Count the items that have equally many answers."""

    def __init__(self) -> None:
        self.units = self._squares = 0
        self._labels: Counter[int] = Counter()

    def add(self, counts: Mapping[int, int]) -> None:
        """Count one item: label → the number of its answers."""
        self.units += 1
        self._labels.update(counts)
        self._squares += sum(count**2 for count in counts.values())

    def kappa(self, answers: int) -> float | None:
        """Return Fleiss' kappa of the items, which have ``answers`` answers each."""
        label_totals = np.array(list(self._labels.values()), dtype=float)
        return fleiss_kappa(self.units, answers, label_totals, self._squares)


def against_others(answers: Sequence[Answer]) -> list[Answer | None]:
    """Return, for each answer to one item, the majority of the other answers; ``None`` if tied or absent."""
    counts = Counter(answers)
    majorities: dict[Answer, Answer | None] = {}
    for answer in counts:
        majorities[answer] = None
        # Answers are compared with those of the others: an answer is no vote for itself.
        top = (counts - Counter([answer])).most_common(2)
        is_tied = len(top) == 2 and top[0][1] == top[1][1]
        if top and not is_tied:
            majorities[answer] = top[0][0]
    return [majorities[answer] for answer in answers]
