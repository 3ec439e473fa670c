"""Measure agreement on spans: alpha over tokens, and F1 of each annotator against each other.

The units are the tokens of all sentences with two or more annotators. The value of a token is its role (source, cue,
content or none) or the label of its entity. Alpha of one role is against all other values together.

In this way, the articles of PolNeAR's train and dev splits with several annotators have an alpha of 77.3 %, or of
74.7 % as a mean over articles. PolNeAR's README reports 75.4 % for the same values, without naming the articles.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import BaseModel

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.labels import ROLES
from claimstance.model.record import Record
from claimstance.training.data.annotators.coefficients import (
    Documents,
    Measure,
    against_rest,
    alpha,
    coincidences,
    measure,
    measure_alpha,
)
from claimstance.training.data.annotators.label_agreement import MOST_PAIRS, Names
from claimstance.training.data.annotators.token_roles import (
    NOTHING,
    attribution_roles,
    entity_roles,
)
from claimstance.training.evaluation.attribution_metrics import count_attributions
from claimstance.training.evaluation.metrics import Array, f1

Name = str | int  # of an annotator, or the number of a record without one
# Number of the sentence in its document → the record of one annotator.
Annotations = Mapping[int, Record]
Counts = dict[str, Array]  # metric → true positives, predicted, gold


class SpanPair(BaseModel):
    """Represent two annotators.

    Attributes:
        first: the name of an annotator.
        second: the name of the other.
        n: the number of sentences that both annotated.
        figures: metric → F1 between them.
    """

    first: str
    second: str
    n: int
    figures: dict[str, float]


class SpanAnnotator(BaseModel):
    """Represent one annotator.

    Attributes:
        n: the number of sentences.
        figures: metric → F1 against all others, from their summed counts.
    """

    n: int
    figures: dict[str, float]


class SpanAgreement(BaseModel):
    """Represent the agreement of annotators on one task's spans.

    Attributes:
        items: sentences with two or more annotators; an annotation without spans counts.
        single: sentences with one annotator.
        alpha: Krippendorff's, over tokens; ``n`` counts tokens.
        roles: alpha of each role, or entity label, against all else together.
        pairs: the pairs of named annotators with the most sentences in common, at most ``MOST_PAIRS``.
        pairs_left_out: the number of other pairs.
        annotators: name → agreement with the others.
    """

    items: int
    single: int
    alpha: Measure
    roles: dict[str, float | None]
    pairs: list[SpanPair]
    pairs_left_out: int
    annotators: dict[str, SpanAnnotator]


class SpanAnswers:
    """Count the annotations of one task's spans, document by document."""

    def __init__(self, task: Literal["attribution", "entity"]) -> None:
        self._task = task
        self._field = "entities"
        self._codes = {NOTHING: 0}  # role of a token → its number
        if task == "attribution":
            self._field = "attributions"
            for code, role in enumerate(ROLES, 1):
                self._codes[role] = code
        self._metrics: dict[str, int] = {}  # metric → its number
        self._sentences: list[dict[Name, Record]] = []  # of the current document
        self._items = 0  # sentences with two or more annotators
        self._single = 0  # sentences with one annotator
        self._tokens = 0
        self._alpha = Documents()
        self._people = Documents()
        # Two annotators → their counts, and the number of sentences that they have in common.
        self._pairs: dict[Names, Counts] = defaultdict(_no_counts)
        self._common: Counter[Names] = Counter()
        self._annotated: Counter[str] = Counter()  # annotator → number of sentences

    def add(self, records: Sequence[Record]) -> None:
        """Count one sentence, as each of its annotators has it."""
        by_annotator: dict[Name, Record] = {}
        for number, record in enumerate(records):
            if getattr(record, self._field) is not None:
                by_annotator[record.annotator or number] = record
        for name in by_annotator:
            if isinstance(name, str):
                self._annotated[name] += 1
        # A sentence of one annotator says nothing about agreement.
        if len(by_annotator) < 2:
            self._single += len(by_annotator)
            return
        self._items += 1
        self._sentences.append(by_annotator)

    @property
    def any(self) -> bool:
        """Return true if anything was annotated."""
        return bool(self._items or self._single)

    def end_document(self) -> None:
        """Close a document: it is everything added since the last call."""
        if not self._sentences:
            return
        by_annotator: dict[Name, dict[int, Record]] = defaultdict(dict)
        for number, sentence_records in enumerate(self._sentences):
            for name, record in sentence_records.items():
                by_annotator[name][number] = record
        self._count_pairs(by_annotator)
        self._count_tokens(by_annotator)
        self._sentences = []

    def _count_tokens(self, by_annotator: Mapping[Name, Annotations]) -> None:
        """Count the coincidences of the tokens' roles in a document.

        Args:
            by_annotator: annotator → their annotations of the document.
        """
        # Sentence → the roles of its tokens, as numbers, from each annotator.
        by_sentence: dict[int, list[list[int]]] = defaultdict(list)
        for annotations in by_annotator.values():
            records = list(annotations.values())
            if self._task == "attribution":
                roles = attribution_roles(records)
            else:
                roles = [entity_roles(record) for record in records]
            for number, token_roles in zip(annotations, roles, strict=True):
                codes = [self._codes.setdefault(role, len(self._codes)) for role in token_roles]
                by_sentence[number].append(codes)

        size = len(self._codes)
        matrix = np.zeros((size, size))
        for rows in by_sentence.values():
            sentence = np.array(rows)  # (annotators, tokens)
            self._tokens += sentence.shape[1]
            is_role = sentence[:, :, None] == np.arange(size)  # (annotators, tokens, roles)
            answers = is_role.sum(axis=0)  # (tokens, roles)
            matrix += coincidences(answers.astype(float))
        self._alpha.add(dict(np.ndenumerate(matrix)))

    def _count_pairs(self, by_annotator: Mapping[Name, Annotations]) -> None:
        """Count each two annotators against each other, and add the mean over the pairs as the document's counts.

        Args:
            by_annotator: annotator → their annotations of the document.
        """
        pair_counts = []
        for first, second in combinations(sorted(by_annotator, key=str), 2):
            first_records, second_records = by_annotator[first], by_annotator[second]
            common = sorted(first_records.keys() & second_records.keys())
            if not common:
                continue
            gold = [first_records[number] for number in common]
            predicted = [second_records[number] for number in common]
            counts = self._count(gold, predicted)
            pair_counts.append(counts)
            if isinstance(first, str) and isinstance(second, str):
                self._common[first, second] += len(common)
                _add_counts(self._pairs[first, second], counts)

        mean: Counts = _no_counts()
        for counts in pair_counts:
            for metric, row in counts.items():
                # Either annotator may be the gold standard, which swaps the last two columns: take the mean.
                swapped = row[[0, 2, 1]]
                # A document weighs once, however many people annotated it.
                mean[metric] += (row + swapped) / 2 / len(pair_counts)

        cells = {}
        for metric, row in mean.items():
            code = self._metrics.setdefault(metric, len(self._metrics))
            for column, count in enumerate(row.tolist()):
                cells[code, column] = count
        self._people.add(cells)

    def _count(self, gold: Sequence[Record], predicted: Sequence[Record]) -> Counts:
        """Count one annotator's spans against another's; nothing if neither has any.

        Entities are counted exactly (``f1``, as for a model), and those of each label exactly and by their tokens.
        """
        gold_records: list[Record] = []
        predicted_records: list[Record] = []
        for first, second in zip(gold, predicted, strict=True):
            # A sentence in which neither has a span adds nothing to any count.
            if getattr(first, self._field) or getattr(second, self._field):
                gold_records.append(first)
                predicted_records.append(second)
        if not gold_records:
            return {}

        if self._task == "attribution":
            metrics = []  # in the order of the rows of ``count_between``
            for role in ROLES:
                metrics += [f"{role}.overlap.f1", f"{role}.exact.f1"]
            metrics.append("linked.f1")
            rows = count_between(gold_records, predicted_records)
            return dict(zip(metrics, rows, strict=True))

        counts: Counts = _no_counts()
        for first, second in zip(gold_records, predicted_records, strict=True):
            spans_by_metric = _spans_by_metric(first)
            others_by_metric = _spans_by_metric(second)
            for metric in spans_by_metric | others_by_metric:
                spans = spans_by_metric[metric]
                others = others_by_metric[metric]
                common = len(spans & others)
                counts[metric] += np.array([common, len(others), len(spans)])
        return counts

    def report(self) -> SpanAgreement:
        """Return the agreement."""
        self.end_document()
        size = len(self._codes)
        total, draws = self._alpha.sums(size, size)
        roles = {}
        for role, code in self._codes.items():
            if role != NOTHING:
                roles[role] = alpha(against_rest(total, code))

        pairs = []
        for (first, second), sentences in self._common.most_common(MOST_PAIRS):
            figures = _figures(self._pairs[first, second])
            pairs.append(SpanPair(first=first, second=second, n=sentences, figures=figures))

        annotators = {}
        for name, sentences in sorted(self._annotated.items()):
            counts = _no_counts()
            for names in self._common:
                if name in names:
                    _add_counts(counts, self._pairs[names])
            annotators[name] = SpanAnnotator(n=sentences, figures=_figures(counts))
        return SpanAgreement(
            items=self._items,
            single=self._single,
            alpha=measure_alpha(total, draws, self._tokens),
            roles=roles,
            pairs=pairs,
            pairs_left_out=len(self._common) - len(pairs),
            annotators=annotators,
        )

    def people(self) -> dict[str, Measure]:
        """Return the metrics that a model is scored by, of each annotator against each other."""
        self.end_document()
        total, draws = self._people.sums(len(self._metrics), 3)

        def score(counts: Array) -> dict[str, float]:
            return _figures(dict(zip(self._metrics, counts, strict=True)))

        return measure(score, total, draws, self._items)


def _no_counts() -> Counts:
    return defaultdict(lambda: np.zeros(3))


def _add_counts(total: Counts, counts: Counts) -> None:
    for metric, row in counts.items():
        total[metric] += row


def _figures(counts: Mapping[str, Array]) -> dict[str, float]:
    """Return F1 of the metrics for which either annotator has a span."""
    figures = {}
    for metric, (common, predicted, gold) in counts.items():
        if common or predicted or gold:
            figures[metric] = f1(common, predicted, gold)["f1"]
    return figures


def count_between(gold: Sequence[Record], predicted: Sequence[Record]) -> Array:
    """Count one annotator's attributions as gold and another's as predictions (see ``count_attributions``).

    If the two annotators are swapped, so are the last two columns.

    Args:
        gold: the sentences of a document, as one annotator has them.
        predicted: the same sentences, as the other has them.
    """
    document = []
    for annotation, record in zip(gold, predicted, strict=True):
        attributions = [(attribution, 1.0) for attribution in record.attributions or ()]
        document.append((annotation, Prediction(attributions=attributions)))
    return count_attributions(document)


def _spans_by_metric(record: Record) -> dict[str, set[Hashable]]:
    """Return metric → the entities, or the numbers of the tokens, that it counts."""
    spans: dict[str, set[Hashable]] = defaultdict(set)
    for entity in record.entities or ():
        start, end = entity.span[0][0], entity.span[-1][1]
        label = entity.label
        spans["f1"].add((start, end, label))
        spans[f"{label}.exact.f1"].add((start, end, label))
        spans[f"{label}.overlap.f1"] |= set()  # in the order of first appearance
    for number, role in enumerate(entity_roles(record)):
        if role != NOTHING:
            spans[f"{role}.overlap.f1"].add(number)
    return spans
