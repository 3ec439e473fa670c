"""Measure agreement on spans: alpha over tokens, and F1 of each annotator against each other.

Each token is a unit, and what it is (source, cue, content or nothing; an entity's label or nothing) is its value; all
tokens of all sentences that two or more annotated are put together. Alpha of a role is against all else together. So
counted, the articles of PolNeAR's train and dev that several annotated give 77.3 % (74.7 % as a mean of the articles'
own alphas); its README has 75.4 %, of tokens that are source, cue, content or none, and does not say of which articles.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import BaseModel

from claimstance.model.labels import ROLES
from claimstance.model.prediction import Prediction
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
from claimstance.training.data.annotators.label_agreement import MOST_PAIRS
from claimstance.training.data.annotators.token_roles import (
    NOTHING,
    attribution_roles,
    entity_roles,
)
from claimstance.training.evaluation.attribution_metrics import count_attributions
from claimstance.training.evaluation.metrics import Array, f1

Annotations = Mapping[
    int, Record
]  # number of the sentence in its document → as one annotator has it
Counts = dict[str, Array]  # metric → true positives, predicted, gold


class SpanPair(BaseModel):
    """Two annotators: how many sentences both annotated, and F1 of one against the other: it is the same both ways."""

    first: str
    second: str
    n: int
    figures: dict[str, float]


class SpanAnnotator(BaseModel):
    """One annotator: how many sentences, and F1 against all others, their counts put together."""

    n: int
    figures: dict[str, float]


class SpanAgreement(BaseModel):
    """Agreement of annotators on one task's spans.

    Attributes:
        items: sentences that two or more annotated, if only to say that there are none.
        single: those that one annotated.
        alpha: Krippendorff's, over tokens; ``n`` counts tokens.
        roles: alpha of each role, or entity label, against all else together.
        pairs: of named annotators with sentences in common, at most ``MOST_PAIRS``: those with the most.
        pairs_left_out: how many more there are.
        annotators: who is named.
    """

    items: int
    single: int
    alpha: Measure
    roles: dict[str, float | None]
    pairs: list[SpanPair]
    pairs_left_out: int
    annotators: dict[str, SpanAnnotator]


class SpanAnswers:
    """The annotations of one task's spans, document by document, of which counts are kept."""

    def __init__(self, task: Literal["attribution", "entity"]) -> None:
        attributions = task == "attribution"
        self._field = "attributions" if attributions else "entities"
        self._roles_of = attribution_roles if attributions else _entity_roles
        self._count: Callable[[Sequence[Record], Sequence[Record]], Counts] = (
            _count_attributions if attributions else _count_entities
        )
        self._codes = {
            role: i for i, role in enumerate((NOTHING, *(ROLES if attributions else ())))
        }
        self._metrics: dict[str, int] = {}
        self._open: list[
            dict[str | int, Record]
        ] = []  # the sentences of the document that is being added
        self._items = self._single = self._tokens = 0
        self._alpha, self._people = Documents(), Documents()
        self._pairs: dict[tuple[str, str], Counts] = defaultdict(
            lambda: defaultdict(lambda: np.zeros(3))
        )
        self._common: Counter[tuple[str, str]] = Counter()
        self._given: Counter[str] = Counter()

    def add(self, records: Sequence[Record]) -> None:
        """One sentence, as each of its annotators has it."""
        there = {
            record.annotator or i: record
            for i, record in enumerate(records)
            if getattr(record, self._field) is not None
        }
        self._given.update(name for name in there if isinstance(name, str))
        if len(there) < 2:
            self._single += len(there)
            return
        self._items += 1
        self._open.append(there)

    @property
    def any(self) -> bool:
        """Return true if anything was annotated."""
        return bool(self._items or self._single)

    def end_document(self) -> None:
        """Close a document: it is everything added since the last call."""
        if not self._open:
            return
        by_annotator: dict[str | int, dict[int, Record]] = defaultdict(dict)
        for number, annotations in enumerate(self._open):
            for name, record in annotations.items():
                by_annotator[name][number] = record
        self._add_tokens(by_annotator)
        self._add_pairs(by_annotator)
        self._open = []

    def _add_tokens(self, by_annotator: Mapping[str | int, Annotations]) -> None:
        values: dict[int, list[list[int]]] = defaultdict(list)
        for records in by_annotator.values():
            for number, roles in zip(records, self._roles_of(list(records.values())), strict=True):
                values[number].append(
                    [self._codes.setdefault(role, len(self._codes)) for role in roles]
                )
        codes = np.arange(len(self._codes))
        matrix = np.zeros((len(codes), len(codes)))
        for rows in values.values():
            said = np.array(rows)
            self._tokens += said.shape[1]
            matrix += coincidences((said[:, :, None] == codes).sum(axis=0).astype(float))
        self._alpha.add(dict(np.ndenumerate(matrix)))

    def _add_pairs(self, by_annotator: Mapping[str | int, Annotations]) -> None:
        """Counts between each two, and their mean over the pairs: a document weighs once, however many annotated it."""
        found: Counts = defaultdict(lambda: np.zeros(3))
        pairs = [
            (one, two, sorted(by_annotator[one].keys() & by_annotator[two].keys()))
            for one, two in combinations(sorted(by_annotator, key=str), 2)
        ]
        pairs = [pair for pair in pairs if pair[2]]
        for one, two, common in pairs:
            both = [(by_annotator[one][number], by_annotator[two][number]) for number in common]
            said = [pair for pair in both if any(getattr(record, self._field) for record in pair)]
            counts = (
                self._count([gold for gold, _ in said], [other for _, other in said])
                if said
                else {}
            )
            for metric, row in counts.items():
                found[metric] += (row + row[[0, 2, 1]]) / 2 / len(pairs)
            if isinstance(one, str) and isinstance(two, str):
                self._common[one, two] += len(common)
                for metric, row in counts.items():
                    self._pairs[one, two][metric] += row
        self._people.add(
            {
                (self._metrics.setdefault(metric, len(self._metrics)), column): float(row[column])
                for metric, row in found.items()
                for column in range(3)
            }
        )

    def report(self) -> SpanAgreement:
        """Return the agreement."""
        self.end_document()
        size = len(self._codes)
        total, draws = self._alpha.sums(size, size)
        told = [names for names, _ in self._common.most_common(MOST_PAIRS)]
        return SpanAgreement(
            items=self._items,
            single=self._single,
            alpha=measure_alpha(total, draws, self._tokens),
            roles={
                role: alpha(against_rest(total, code))
                for role, code in self._codes.items()
                if role != NOTHING
            },
            pairs=[
                SpanPair(
                    first=one,
                    second=two,
                    n=self._common[one, two],
                    figures=_figures(self._pairs[one, two]),
                )
                for one, two in told
            ],
            pairs_left_out=len(self._common) - len(told),
            annotators={
                name: SpanAnnotator(n=self._given[name], figures=_figures(self._against_all(name)))
                for name in sorted(self._given)
            },
        )

    def _against_all(self, name: str) -> Counts:
        counts: Counts = defaultdict(lambda: np.zeros(3))
        for names in self._common:
            if name in names:
                for metric, row in self._pairs[names].items():
                    counts[metric] = counts[metric] + row
        return counts

    def people(self) -> dict[str, Measure]:
        """The metrics that a model is scored by, each annotator against each other (see ``benchmarks/ceilings.py``)."""
        self.end_document()
        total, draws = self._people.sums(len(self._metrics), 3)
        metrics = list(self._metrics)
        return measure(
            lambda counts: _figures(dict(zip(metrics, counts, strict=True))),
            total,
            draws,
            self._items,
        )


def _figures(counts: Mapping[str, Array]) -> dict[str, float]:
    """F1 of what either annotator has; where neither has any, there is nothing to agree on."""
    return {metric: f1(*row)["f1"] for metric, row in counts.items() if row.any()}


def _entity_roles(records: Sequence[Record]) -> list[list[str]]:
    return [entity_roles(record) for record in records]


def count_between(gold: Sequence[Record], other: Sequence[Record]) -> Array:
    """Count one annotator's attributions as gold and another's as predictions (see ``count_attributions``).

    Swapping the two swaps the last two columns, and nothing else.
    """
    predictions = [
        Prediction(attributions=[(attribution, 1.0) for attribution in record.attributions or ()])
        for record in other
    ]
    return count_attributions(list(zip(gold, predictions, strict=True)))


def _count_attributions(gold: Sequence[Record], other: Sequence[Record]) -> Counts:
    metrics = [f"{role}.{kind}.f1" for role in ROLES for kind in ("overlap", "exact")] + [
        "linked.f1"
    ]
    return dict(zip(metrics, count_between(gold, other), strict=True))


def _count_entities(gold: Sequence[Record], other: Sequence[Record]) -> Counts:
    """All entities exactly (``f1``, what a model is scored by), and those of each label exactly and by their tokens."""
    counts: Counts = defaultdict(lambda: np.zeros(3))
    for pair in zip(gold, other, strict=True):
        spans = [
            {(e.span[0][0], e.span[-1][1], e.label) for e in record.entities or ()}
            for record in pair
        ]
        tokens = [
            {(i, role) for i, role in enumerate(entity_roles(record)) if role != NOTHING}
            for record in pair
        ]
        counts["f1"] += _shared(*spans)
        for label in {span[2] for side in spans for span in side}:
            counts[f"{label}.exact.f1"] += _shared(
                *({span for span in side if span[2] == label} for side in spans)
            )
            counts[f"{label}.overlap.f1"] += _shared(
                *({one for one in side if one[1] == label} for side in tokens)
            )
    return counts


def _shared(gold: Set[Hashable], other: Set[Hashable]) -> Array:
    return np.array([len(gold & other), len(other), len(gold)], dtype=float)
