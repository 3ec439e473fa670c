"""Adjudication: the annotations of one sentence by several annotators become one row; agreement is measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from claimstance.model.record import Record
from claimstance.training.data.annotators.agreement import Agreement, AgreementReport, annotations
from claimstance.training.data.building.groups import (
    RowIndices,
    combine_keys,
    pair_equal_keys,
    run_starts,
    union_groups,
)
from claimstance.training.data.building.indexing import IndexedStore, RowBatch
from claimstance.training.data.building.row_store import RaggedArray
from claimstance.training.data.building.sources import InputPart, part_indices
from claimstance.training.data.config import DataConfig
from claimstance.training.data.soft_labels import SoftLabels

Labels = Mapping[str, Sequence[str]]


@dataclass
class Adjudication:
    """Represent the rows after adjudication.

    Attributes:
        rows: the row of the store of each item, in the order of the items' first annotations.
        first_rows: the row of that first annotation, whose part is the part of the item.
        soft: row of the store → the distribution of the annotators' answers.
        ties: index of a part → task → number of ties, which leave no label.
        agreement: source → agreement of its annotators; only sources with two annotators of a sentence.
        shared_sources: indices of sources in which two files annotate the same sentence.
    """

    rows: RowIndices
    first_rows: RowIndices
    soft: dict[int, SoftLabels] = field(default_factory=dict)
    ties: dict[int, Counter[str]] = field(default_factory=dict)
    agreement: dict[str, AgreementReport] = field(default_factory=dict)
    shared_sources: set[int] = field(default_factory=set)


def find_items(store: IndexedStore, input_parts: Sequence[InputPart]) -> RaggedArray | None:
    """Return the rows of each item, ordered by first row; ``None`` if no item has two annotators.

    Rows of a unit belong to one item if they are by different annotators, and have the same id in one file
    or the same sentence (the column ``item``). A sentence that each annotator has twice is two items.
    """
    rows = store.row_store
    annotators = rows.column("annotator")
    if not annotators.any():
        return None
    part_by_row = part_indices(input_parts)
    units = np.array([input_part.adjudication_unit for input_part in input_parts])
    id_keys = combine_keys(rows.column("id"), part_by_row)
    sentence_keys = combine_keys(rows.column("item"), units[part_by_row])
    groups = union_groups(np.arange(len(annotators)), pair_equal_keys(id_keys))
    groups = union_groups(groups, pair_equal_keys(sentence_keys))

    # Number the rows of one annotator in a group: rows with the same number form one item.
    by_annotator = _rows_by_pair(groups, annotators)
    indices = np.arange(len(groups))
    numbers = np.empty(len(groups), dtype=np.int64)
    numbers[by_annotator.values] = indices - by_annotator.starts[by_annotator.rows]
    items = _rows_by_pair(groups, numbers)
    if len(items.sizes) == len(groups):
        return None
    return items.take(np.argsort(items.first_values))


def _rows_by_pair(first: RowIndices, second: NDArray[np.integer]) -> RaggedArray:
    """Return the rows that have the same two values, for each such pair of values."""
    order = np.lexsort((second, first))
    starts = run_starts(first[order], second[order])
    sizes = np.diff(starts, append=len(order))
    return RaggedArray(order, sizes.astype(np.int32))


def adjudicate_items(
    config: DataConfig, store: IndexedStore, input_parts: Sequence[InputPart], labels: Labels
) -> Adjudication:
    """Make one row of each item, and measure agreement in sources with items of several annotators.

    Adjudicated rows are added to the store. They get the id and the document of the item's first annotation.

    Args:
        config: the way of adjudication.
        store: the rows as they were read.
        input_parts: the input parts, in the order of their rows.
        labels: task → label names.

    Raises:
        InputError: if annotations with the same id in one file have different texts.
    """
    items = find_items(store, input_parts)
    if items is None:
        rows = np.arange(store.row_store.count)
        return Adjudication(rows, rows)
    first_rows = items.first_values
    last_rows = items.values[items.starts[1:] - 1]
    adjudication = Adjudication(first_rows.copy(), first_rows)

    part_by_row = part_indices(input_parts)
    item_parts = part_by_row[first_rows]
    sources = np.array([input_part.source for input_part in input_parts])
    item_sources = sources[item_parts]
    is_across_files = item_parts != part_by_row[last_rows]
    adjudication.shared_sources = set(item_sources[is_across_files].tolist())

    first_parts: dict[int, InputPart] = {}
    for input_part in input_parts:
        first_parts.setdefault(input_part.source, input_part)
    for source in np.unique(item_sources[items.sizes > 1]).tolist():
        # Two sources may have files of one name: the path tells the second one apart.
        name = first_parts[source].name
        if name in adjudication.agreement:
            name = first_parts[source].origin
        adjudicator = _SourceAdjudicator(config, store, input_parts, labels, adjudication)
        source_items = np.flatnonzero(item_sources == source)
        store.add(adjudicator.batches(items, source_items, item_parts[source_items]))
        adjudication.agreement[name] = adjudicator.agreement.report()
    return adjudication


def agreement_of_answers(
    store: IndexedStore, input_parts: Sequence[InputPart]
) -> dict[str, AgreementReport]:
    """Measure agreement in corpora whose records contain each annotator's answer.

    The rows of these corpora are adjudicated as published.
    """
    agreements: dict[str, Agreement] = {}
    for input_part in input_parts:
        if not input_part.has_annotator_answers:
            continue
        agreement = agreements.setdefault(input_part.name, Agreement())
        rows = input_part.rows
        for line in store.row_store.lines(np.arange(rows.start, rows.stop)):
            record = Record.model_validate_json(line)
            agreement.add(annotations(record))
    return {name: agreement.report() for name, agreement in agreements.items()}


@dataclass
class _SourceAdjudicator:
    """Adjudicate the items of one source, and measure the agreement of its annotators.

    Attributes:
        config: the way of adjudication.
        store: the rows.
        input_parts: the input parts of all sources.
        labels: task → label names.
        adjudication: receives the adjudicated rows.
        agreement: the agreement of the annotators.
    """

    config: DataConfig
    store: IndexedStore
    input_parts: Sequence[InputPart]
    labels: Labels
    adjudication: Adjudication
    agreement: Agreement = field(default_factory=Agreement)

    def batches(
        self, items: RaggedArray, source_items: RowIndices, item_parts: NDArray[np.int32]
    ) -> Iterator[RowBatch]:
        """Yield the adjudicated records, in batches of one part.

        Args:
            items: the rows of all items.
            source_items: the items of the source.
            item_parts: the part of each of these items.
        """
        adjudicated = source_items[items.sizes[source_items] > 1]
        first_row = self.store.row_store.count
        rows = np.arange(first_row, first_row + len(adjudicated))
        self.adjudication.rows[adjudicated] = rows
        next_rows = iter(rows.tolist())
        for part_index in np.unique(item_parts).tolist():
            selected = items.take(source_items[item_parts == part_index])
            records = self._records(selected, part_index, next_rows)
            part = self.input_parts[part_index]
            yield from self.store.batches(records, part.name, part.origin)

    def _records(
        self, items: RaggedArray, part_index: int, next_rows: Iterator[int]
    ) -> Iterator[Record]:
        """Yield one record for each item with several annotators.

        Ties are counted, and soft labels go into the adjudication.

        Args:
            items: the rows of the items.
            part_index: the part of the items.
            next_rows: the rows of the store that the records become.
        """
        # Most builds have one annotator, and need nothing of this module.
        from claimstance.training.data.annotators.adjudicate import adjudicate

        ties = self.adjudication.ties.setdefault(part_index, Counter())

        def count_tie(task: str) -> None:
            ties[task] += 1

        how = self.config.adjudicate
        adjudicator = self.config.adjudicator
        lines = self.store.row_store.lines(items.values)
        for size in items.sizes.tolist():
            item = [Record.model_validate_json(line) for line in islice(lines, size)]
            self.agreement.add(item)
            if size > 1:
                record, soft = adjudicate(item, how, adjudicator, self.labels, count_tie)
                row = next(next_rows)
                if soft:
                    self.adjudication.soft[row] = soft
                yield record.model_copy(update={"id": item[0].id, "doc_id": item[0].doc_id})
