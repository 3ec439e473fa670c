"""Adjudication: the annotations of one sentence by several annotators become one row; agreement is measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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

_BLOCK = 1000  # items that are read together

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
        end_row = input_part.first_row + input_part.row_count
        rows = np.arange(input_part.first_row, end_row)
        for line in store.row_store.lines(rows):
            record = Record.model_validate_json(line)
            agreement.add(annotations(record))
    return {name: agreement.report() for name, agreement in agreements.items()}


class _SourceAdjudicator:
    """Adjudicate the items of one source, and measure the agreement of its annotators."""

    def __init__(
        self,
        config: DataConfig,
        store: IndexedStore,
        input_parts: Sequence[InputPart],
        labels: Labels,
        adjudication: Adjudication,
    ) -> None:
        self.agreement = Agreement()
        self._config = config
        self._store = store
        self._parts = input_parts
        self._labels = labels
        self._adjudication = adjudication
        self._next_row = store.row_store.count  # the row of the store that the next record becomes

    def batches(
        self, items: RaggedArray, source_items: RowIndices, item_parts: NDArray[np.int32]
    ) -> Iterator[RowBatch]:
        """Yield the adjudicated records, in batches of one part.

        Args:
            items: the rows of all items.
            source_items: the items of the source.
            item_parts: the part of each of these items.
        """
        first_row = self._store.row_store.count
        for part_index in np.unique(item_parts).tolist():
            records = self._records(items, source_items[item_parts == part_index], part_index)
            part = self._parts[part_index]
            yield from self._store.batches(records, part.name, part.origin)
        adjudicated = source_items[items.sizes[source_items] > 1]
        end_row = first_row + len(adjudicated)
        self._adjudication.rows[adjudicated] = np.arange(first_row, end_row)

    def _records(
        self, items: RaggedArray, selected: RowIndices, part_index: int
    ) -> Iterator[Record]:
        """Yield one record for each selected item with several annotators.

        Ties are counted, and soft labels go into the adjudication.
        """
        # Most builds have one annotator, and need nothing of this module.
        from claimstance.training.data.annotators.adjudicate import adjudicate

        ties = self._adjudication.ties.setdefault(part_index, Counter())

        def count_tie(task: str) -> None:
            ties[task] += 1

        how, adjudicator = self._config.adjudicate, self._config.adjudicator
        for start in range(0, len(selected), _BLOCK):
            block = items.take(selected[start : start + _BLOCK])
            lines = self._store.row_store.lines(block.values)
            for size in block.sizes.tolist():
                item = [Record.model_validate_json(next(lines)) for _ in range(size)]
                self.agreement.add(item)
                if size == 1:
                    continue
                record, soft = adjudicate(item, how, adjudicator, self._labels, count_tie)
                if soft:
                    self._adjudication.soft[self._next_row] = soft
                self._next_row += 1
                yield record.model_copy(update={"id": item[0].id, "doc_id": item[0].doc_id})
