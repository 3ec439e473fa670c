"""Measure agreement on labels: coefficients, pair by pair, and each annotator against the others."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

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
from claimstance.training.data.annotators.questions import Answer, majority
from claimstance.training.evaluation.metrics import Array, classification

MOST_PAIRS = 1000  # enough to report all pairs of 45 annotators

Cell = tuple[int, int]  # row and column of a matrix of labels
Names = tuple[str, str]  # of two annotators
NamedAnswer = tuple[str | None, str]  # annotator, ``None`` if not named, and label


class LabelPair(BaseModel):
    """Represent two annotators.

    Attributes:
        first: the name of an annotator.
        second: the name of the other.
        n: the number of items that both answered.
        agreement: the share of these that they agree on.
        kappa: Cohen's.
    """

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


class _CodedAnswer(NamedTuple):
    """Represent an answer.

    Attributes:
        annotator: the name; ``None`` if there is none.
        code: the number of the label.
    """

    annotator: str | None
    code: int


class LabelAnswers:
    """Count the answers to one task, item by item."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}  # label → its number, in order of appearance
        self._items = 0  # with two or more answers
        self._single = 0  # items with one answer
        self._compared = 0  # items of which an answer was compared with the majority of the others
        self._alpha = Documents()
        self._people = Documents()
        # The cells of the current document: coincidences, and majority → label.
        self._coincidences: dict[Cell, float] = defaultdict(float)
        self._confusion: dict[Cell, float] = defaultdict(float)
        # Fleiss' kappa needs items of equally many answers: number of answers → its items.
        self._fleiss: dict[int, _FleissCounts] = defaultdict(_FleissCounts)
        self._pairs: dict[Names, Counter[Cell]] = defaultdict(Counter)
        self._answers: Counter[str] = Counter()  # annotator → number of answers
        # Annotator → the number of answers that agree (true), or not, with the majority of the others.
        self._with_majority: dict[str, Counter[bool]] = defaultdict(Counter)

    def add(self, answers: Sequence[NamedAnswer]) -> None:
        """Count the answers to one item."""
        coded = []
        for annotator, label in answers:
            code = self._codes.setdefault(label, len(self._codes))
            coded.append(_CodedAnswer(annotator, code))
            if annotator is not None:
                self._answers[annotator] += 1
        # In the order of the names, two annotators are the same pair at every item.
        coded.sort(key=lambda answer: answer.annotator or "")
        if len(coded) < 2:
            self._single += len(coded)
            return

        self._items += 1
        counts = Counter(answer.code for answer in coded)
        self._fleiss[len(coded)].add(counts)
        # Only the labels of the item have coincidences, which are few of many.
        matrix = coincidences(np.array([list(counts.values())], dtype=float))
        for row, first_code in enumerate(counts):
            for column, second_code in enumerate(counts):
                self._coincidences[first_code, second_code] += matrix[row, column]

        for first, second in combinations(coded, 2):
            if first.annotator is not None and second.annotator is not None:
                cells = self._pairs[first.annotator, second.annotator]
                cells[first.code, second.code] += 1
        self._compare_with_majority(coded)

    def _compare_with_majority(self, coded: Sequence[_CodedAnswer]) -> None:
        """Compare each answer to one item with the majority of the others, where there is one."""
        majorities = against_others([answer.code for answer in coded])
        compared = len(majorities) - majorities.count(None)
        if compared:
            self._compared += 1
        for answer, majority_code in zip(coded, majorities, strict=True):
            if majority_code is None:
                continue
            # An item weighs one, however many answers it has.
            self._confusion[majority_code, answer.code] += 1 / compared
            if answer.annotator is not None:
                self._with_majority[answer.annotator][majority_code == answer.code] += 1

    @property
    def any(self) -> bool:
        """Return true if anything was answered."""
        return bool(self._items or self._single)

    def end_document(self) -> None:
        """Close a document: it is everything added since the last call."""
        if self._coincidences:
            self._alpha.add(self._coincidences)
            self._coincidences.clear()
        if self._confusion:
            self._people.add(self._confusion)
            self._confusion.clear()

    def report(self) -> LabelAgreement:
        """Return the agreement."""
        self.end_document()
        total, draws = self._sums(self._alpha)
        labels = {}
        for row, label in enumerate(sorted(self._codes)):
            labels[label] = alpha(against_rest(total, row))

        # Fleiss' kappa is of the commonest number of answers; of two equally common ones, of the greater.
        fleiss_answers = fleiss_items = 0
        for answer_count, counts in sorted(self._fleiss.items()):
            if counts.units >= fleiss_items:
                fleiss_answers = answer_count
                fleiss_items = counts.units
        fleiss = None
        if fleiss_items:
            fleiss = self._fleiss[fleiss_answers].kappa(fleiss_answers)

        largest_pairs = sorted(self._pairs, key=lambda names: -self._pairs[names].total())
        pairs = [self._compare_pair(*names) for names in largest_pairs[:MOST_PAIRS]]
        annotators = {name: self._compare_annotator(name, pairs) for name in sorted(self._answers)}
        return LabelAgreement(
            items=self._items,
            single=self._single,
            alpha=measure_alpha(total, draws, self._items),
            fleiss=fleiss,
            fleiss_items=fleiss_items,
            fleiss_answers=fleiss_answers,
            labels=labels,
            pairs=pairs,
            pairs_left_out=len(self._pairs) - len(pairs),
            annotators=annotators,
        )

    def _compare_pair(self, first: str, second: str) -> LabelPair:
        """Return the agreement of two annotators with each other."""
        cells = self._pairs[first, second]
        items = cells.total()
        agreed = 0
        for (first_code, second_code), count in cells.items():
            if first_code == second_code:
                agreed += count
        return LabelPair(
            first=first,
            second=second,
            n=items,
            agreement=agreed / items,
            kappa=cohen_kappa(cells),
        )

    def _compare_annotator(self, name: str, pairs: Sequence[LabelPair]) -> LabelAnnotator:
        """Return the agreement of one annotator with the majority of the others, and with each of them."""
        kappa_sum = 0.0
        items = 0
        for pair in pairs:
            if name in (pair.first, pair.second) and pair.kappa is not None:
                kappa_sum += pair.kappa * pair.n
                items += pair.n
        with_majority = self._with_majority[name]
        compared = with_majority.total()
        return LabelAnnotator(
            n=self._answers[name],
            compared=compared,
            with_majority=with_majority[True] / compared if compared else None,
            kappa=kappa_sum / items if items else None,
        )

    def people(self) -> dict[str, Measure]:
        """Return the metrics that a model is scored by, of each annotator against the majority of the others.

        Answers for which the other answers are tied are left out; without any other, there are no metrics.
        """
        self.end_document()
        labels = sorted(self._codes)

        def score(counts: Array) -> dict[str, float]:
            return classification(counts, labels)

        total, draws = self._sums(self._people)
        return measure(score, total, draws, self._compared)

    def _sums(self, documents: Documents) -> tuple[Array, Array]:
        """Return sums and draws with rows and columns in the order of the labels' names."""
        order = [self._codes[label] for label in sorted(self._codes)]
        size = len(order)
        total, draws = documents.sums(size, size)  # (labels, labels), (draws, labels, labels)
        ordered_total = total[np.ix_(order, order)]
        ordered_draws = draws[:, order][:, :, order]
        return ordered_total, ordered_draws


class _FleissCounts:
    """Count the items that have equally many answers."""

    def __init__(self) -> None:
        self.units = 0
        self._squares = 0
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
        # Answers are compared with those of the others: an answer is no vote for itself.
        majorities[answer] = majority(counts - Counter([answer]))
    return [majorities[answer] for answer in answers]
