"""Items: what several annotators say of one sentence becomes one row, and how far they agree is measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from claimstance.model.record import Record
from claimstance.training.data.annotators.agreement import Agreement, AgreementReport, annotations
from claimstance.training.data.building.groups import Places, connect, link, mixed
from claimstance.training.data.building.indexing import Batch
from claimstance.training.data.building.row_store import Ragged
from claimstance.training.data.building.sources import Part, Store
from claimstance.training.data.config import DataConfig
from claimstance.training.data.soft_labels import SoftLabels

_BLOCK = 1000  # items read together

Labels = Mapping[str, Sequence[str]]


@dataclass
class Adjudication:
    """Rows after the annotators of each were put together.

    Attributes:
        rows: the row of the spool of each item, in the order of reading of its first annotation.
        leaders: the row of that first annotation: the item goes by its part.
        soft: row of the spool → how annotators divide.
        ties: number of a part → task → how often they were tied, so that there is no label.
        agreement: source → how far its annotators agree; sources without two annotators of a sentence are absent.
        shared: numbers of sources of which two files have annotations of one sentence.
    """

    rows: Places
    leaders: Places
    soft: dict[int, SoftLabels] = field(default_factory=dict)
    ties: dict[int, Counter[str]] = field(default_factory=dict)
    agreement: dict[str, AgreementReport] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)


def find_items(store: Store, parts: Sequence[Part]) -> Ragged | None:
    """The rows of each item, items by their first row; ``None`` if no item has two annotators.

    Rows of a unit belong to one item if they have one id in one file, or are of one sentence (the column ``item``), and
    are by different annotators. A sentence that all annotators have twice is two items.
    """
    annotators = store.spool.column("annotator")
    if not annotators.any():
        return None
    counts = [part.count for part in parts]
    part_of = np.repeat(np.arange(len(parts)), counts)
    unit_of = np.repeat([part.unit for part in parts], counts)
    groups = connect(np.arange(len(annotators)), link(mixed(store.spool.column("id"), part_of)))
    groups = connect(groups, link(mixed(store.spool.column("item"), unit_of)))
    # How many rows of the same group and annotator come before a row: those with the same number are one item.
    order = np.lexsort((annotators, groups))
    same = (groups[order][1:] == groups[order][:-1]) & (
        annotators[order][1:] == annotators[order][:-1]
    )
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    times = np.empty(len(order), dtype=np.int64)
    times[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    order = np.lexsort((times, groups))
    same = (groups[order][1:] == groups[order][:-1]) & (times[order][1:] == times[order][:-1])
    if not same.any():
        return None
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    held = Ragged(order, np.diff(np.append(starts, len(order))).astype(np.int32))
    return held.take(np.argsort(order[starts]))


def put_together(
    config: DataConfig, store: Store, parts: Sequence[Part], labels: Labels
) -> Adjudication:
    """Make one row of each item, and measure agreement in the sources that have items of several annotators.

    Adjudicated rows are added to the store; they have the id and the document of the item's first annotation.

    Raises:
        InputError: if annotations with one id in one file are of different texts.
    """
    items = find_items(store, parts)
    if items is None:
        rows = np.arange(store.spool.count)
        return Adjudication(rows, rows)
    leaders = items.values[items.starts[:-1]]
    found = Adjudication(leaders.copy(), leaders)
    part_of = np.repeat(np.arange(len(parts)), [part.count for part in parts])
    source_of = np.array([part.source for part in parts])
    of_rows = source_of[part_of]
    several = {int(source) for source in np.unique(of_rows[leaders[items.sizes > 1]])}
    last = items.values[items.starts[1:] - 1]
    found.shared = {
        int(source) for source in np.unique(of_rows[leaders[part_of[leaders] != part_of[last]]])
    }
    for source in sorted(several):
        name = next(part.name for part in parts if part.source == source)
        if name in found.agreement:
            name = next(part.origin for part in parts if part.source == source)
        task = _Task(config, store, parts, labels, found, Agreement())
        mine = np.flatnonzero(of_rows[leaders] == source)
        store.add(task.batches(items, mine, part_of))
        found.agreement[name] = task.agreement.report()
    return found


def agreement_of_answers(store: Store, parts: Sequence[Part]) -> dict[str, AgreementReport]:
    """How far annotators agree in corpora whose records hold each one's answer: they are adjudicated as published."""
    found = {}
    for name in dict.fromkeys(part.name for part in parts if part.answers):
        agreement = Agreement()
        for part in (part for part in parts if part.answers and part.name == name):
            for line in store.spool.lines(np.arange(part.first, part.first + part.count)):
                agreement.add(annotations(Record.model_validate_json(line)))
        found[name] = agreement.report()
    return found


@dataclass
class _Task:
    """The items of one source, one after another."""

    config: DataConfig
    store: Store
    parts: Sequence[Part]
    labels: Labels
    found: Adjudication
    agreement: Agreement

    def batches(self, items: Ragged, mine: Places, part_of: Places) -> Iterator[Batch]:
        """Adjudicated records in batches of one part."""
        row = self.store.spool.count
        for part in np.unique(part_of[items.values[items.starts[mine]]]):
            of_part = mine[part_of[items.values[items.starts[mine]]] == part]
            yield from self.store.batches(
                self._records(items, of_part, int(part)), self.parts[part]
            )
        several = mine[items.sizes[mine] > 1]
        self.found.rows[several] = np.arange(row, row + len(several))

    def _records(self, items: Ragged, places: Places, part: int) -> Iterator[Record]:
        for first in range(0, len(places), _BLOCK):
            block = items.take(places[first : first + _BLOCK])
            records = map(Record.model_validate_json, self.store.spool.lines(block.values))
            for size in block.sizes.tolist():
                item = [next(records) for _ in range(size)]
                self.agreement.add(item)
                if size > 1:
                    yield self._one(item, part)

    def _one(self, item: Sequence[Record], part: int) -> Record:
        from claimstance.training.data.annotators.adjudicate import adjudicate

        ties = self.found.ties.setdefault(part, Counter())
        record, soft = adjudicate(
            item,
            self.config.adjudicate,
            self.config.adjudicator,
            self.labels,
            lambda task: ties.update([task]),
        )
        if soft:
            self.found.soft[self._number] = soft
        self._number += 1
        return record.model_copy(update={"id": item[0].id, "doc_id": item[0].doc_id})

    def __post_init__(self) -> None:
        self._number = self.store.spool.count  # of the row that the next record becomes
