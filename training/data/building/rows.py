"""The rows of a dataset that is being built: their store row, input part, id and split."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.building.groups import (
    HashKeys,
    RowIndices,
    combine_keys,
    is_duplicated,
    pair_equal_keys,
)
from claimstance.training.data.building.indexing import NO_SPLIT, IndexedStore, LabelProfile
from claimstance.training.data.building.row_store import RaggedArray
from claimstance.training.data.building.sources import InputPart, part_indices
from claimstance.training.data.splits import SPLITS


@dataclass(eq=False)
class Prefixes:
    """Represent which rows get prefixes, without which their ids or their documents' ids would clash.

    Attributes:
        part_name: rows whose ids begin with the name of their part.
        origin: rows whose ids begin with the origin of their part, before its name.
        document: rows whose document ids begin with the prefix of their part.
        document_prefixes: the prefix of each part's documents.
    """

    part_name: NDArray[np.bool_]
    origin: NDArray[np.bool_]
    document: NDArray[np.bool_]
    document_prefixes: Sequence[str]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Return which rows get a prefix of any kind."""
        return self.part_name | self.origin | self.document


@dataclass(eq=False)
class DatasetRows:
    """Represent all rows, in the order in which they were read.

    Attributes:
        store: where the rows are stored.
        input_parts: the input parts that they were read from.
        store_rows: the row in the store of each row.
        part_indices: the index of each row's part.
        split: the index in ``SPLITS`` of each row's split: that of its part, else its own, else ``NO_SPLIT``.
        documents: a key of each row's document; 0 for none. Documents of two sources differ even if their
            names are the same.
        prefixes: the rows whose ids get prefixes.
    """

    store: IndexedStore
    input_parts: Sequence[InputPart]
    store_rows: RowIndices
    part_indices: NDArray[np.int32]
    split: NDArray[np.int8]
    documents: HashKeys
    prefixes: Prefixes

    def __len__(self) -> int:
        return len(self.store_rows)

    def column(self, name: str) -> NDArray[np.generic]:
        """Return the values of a column with one value per row."""
        return self.store.row_store.column(name)[self.store_rows]

    def keys(self, name: str) -> HashKeys:
        """Return the hashes of a column; 0 means that a row has no value."""
        return self.column(name).astype(np.uint64, copy=False)

    def values_by_row(self, name: str, rows: RowIndices) -> RaggedArray:
        """Return the values of ``rows`` in a column with several values per row."""
        return self.store.row_store.ragged(name).take(self.store_rows[rows])

    def all_values(self, name: str, rows: RowIndices) -> HashKeys:
        """Return all values of ``rows`` in a ragged column, in the order of the store."""
        selected = np.zeros(self.store.row_store.count, dtype=np.bool_)
        selected[self.store_rows[rows]] = True
        column = self.store.row_store.ragged(name)
        # A mask takes one byte per value where indices would take eight.
        values: HashKeys = column.values[np.repeat(selected, column.sizes)]
        return values

    def first_with(self, name: str, value: np.uint64, rows: RowIndices) -> int:
        """Return the first of ``rows`` that has a value in a ragged column."""
        column = self.store.row_store.ragged(name)
        matches = np.flatnonzero(column.values == value)
        store_rows = np.searchsorted(column.starts, matches, side="right") - 1
        has_value = np.isin(self.store_rows[rows], store_rows)
        return int(rows[np.argmax(has_value)])

    @property
    def profiles(self) -> list[LabelProfile]:
        """Return the profiles that ``column("profile")`` refers to."""
        return list(self.store.profiles)

    def _line(self, row: int) -> bytes:
        """Return the line of JSON of a row as it was read."""
        [line] = self.store.row_store.lines(self.store_rows[[row]])
        return line

    def row_id(self, row: int) -> str:
        """Return the id of a row."""
        data = json.loads(self._line(row))
        row_id, _ = self._final_ids(row, data)
        return row_id

    def _final_ids(self, row: int, data: dict[str, str | None]) -> tuple[str, str | None]:
        """Return the ids of a row and of its document, with their prefixes."""
        prefixes = self.prefixes
        part_index = self.part_indices[row]
        input_part = self.input_parts[part_index]
        row_id = str(data["id"])
        if prefixes.part_name[row]:
            row_id = f"{input_part.name}:{row_id}"
        if prefixes.origin[row]:
            row_id = f"{input_part.origin}:{row_id}"
        document = data["doc_id"]
        if document is not None and prefixes.document[row]:
            prefix = prefixes.document_prefixes[part_index]
            document = f"{prefix}:{document}"
        return row_id, document

    def location(self, row: int) -> str:
        """Return the origin of a row and its id there, for messages."""
        data = json.loads(self._line(row))
        input_part = self.input_parts[self.part_indices[row]]
        return f"{input_part.origin}: {data['id']}"

    def record(self, row: int) -> Record:
        """Return a row as it was read, without prefixes."""
        return Record.model_validate_json(self._line(row))

    def lines(self, rows: RowIndices) -> Iterator[bytes]:
        """Yield the JSON lines of ``rows``, with the final ids."""
        # Decoding a line takes long, and most builds rename no row.
        is_renamed = self.prefixes.any[rows]
        lines = self.store.row_store.lines(self.store_rows[rows])
        for row, renamed, line in zip(rows.tolist(), is_renamed.tolist(), lines, strict=True):
            if not renamed:
                yield line
                continue
            data = json.loads(line)
            data["id"], data["doc_id"] = self._final_ids(row, data)
            yield json.dumps(data, ensure_ascii=False).encode()

    def replace(self, rows: RowIndices, first: int) -> None:
        """Replace ``rows`` by rows of the store, from ``first`` on, that have their final ids."""
        self.store_rows[rows] = np.arange(first, first + len(rows))
        self.prefixes.part_name[rows] = False
        self.prefixes.origin[rows] = False
        self.prefixes.document[rows] = False

    def in_split(self, name: str) -> RowIndices:
        """Return the rows of a split in the order of writing: rows of parts with a split come first."""
        rows = np.flatnonzero(self.split == SPLITS.index(name))
        is_unsplit = np.array([input_part.split is None for input_part in self.input_parts])
        was_assigned = is_unsplit[self.part_indices[rows]]
        return np.concatenate([rows[~was_assigned], rows[was_assigned]])


def index_rows(
    store: IndexedStore,
    input_parts: Sequence[InputPart],
    store_rows: RowIndices,
    first_rows: RowIndices,
    shared_sources: set[int],
) -> DatasetRows:
    """Return the rows of a dataset, with the part and the split of each, and with prefixes of ids that clash.

    Args:
        store: where the rows are stored.
        input_parts: the input parts, in the order of their rows.
        store_rows: the row in the store of each row of the dataset.
        first_rows: the row in the store of the first annotation of each row, which decides its part.
        shared_sources: sources in which several files annotate the same documents.

    Raises:
        InputError: for an id that two rows share even with prefixes.
    """
    row_parts = part_indices(input_parts)[first_rows]
    part_splits = np.full(len(input_parts), NO_SPLIT, dtype=np.int8)
    for index, input_part in enumerate(input_parts):
        if input_part.split is not None:
            part_splits[index] = SPLITS.index(input_part.split)
    configured_splits = part_splits[row_parts]
    own_splits = store.row_store.column("split")[first_rows].astype(np.int8)
    splits = np.where(configured_splits == NO_SPLIT, own_splits, configured_splits)

    # Most names of documents stay as published: only those that documents of two sources share get a prefix.
    document_prefixes = _document_prefixes(input_parts, shared_sources)
    _, prefix_numbers = np.unique(document_prefixes, return_inverse=True)
    row_prefixes = prefix_numbers[row_parts]
    keys = store.row_store.column("doc")[store_rows].astype(np.uint64, copy=False)
    first, second = pair_equal_keys(keys)
    is_ambiguous = row_prefixes[first] != row_prefixes[second]
    ambiguous_keys = np.unique(keys[first[is_ambiguous]])
    has_document_prefix = np.isin(keys, ambiguous_keys) & (keys != 0)
    distinct_keys = combine_keys(keys, row_prefixes)

    no_rows = np.zeros(len(store_rows), dtype=np.bool_)
    prefixes = Prefixes(no_rows, no_rows.copy(), has_document_prefix, document_prefixes)
    rows = DatasetRows(
        store,
        input_parts,
        store_rows,
        row_parts,
        splits,
        documents=np.where(has_document_prefix, distinct_keys, keys),
        prefixes=prefixes,
    )
    _disambiguate_row_ids(rows)
    return rows


def _document_prefixes(input_parts: Sequence[InputPart], shared_sources: set[int]) -> list[str]:
    """Return the prefix of each part's documents; files that annotate the same documents share one."""
    prefixes: list[str] = []
    prefix_by_source: dict[int, str] = {}
    for input_part in input_parts:
        prefix = input_part.name
        if input_part.source in shared_sources:
            prefix = prefix_by_source.setdefault(input_part.source, prefix)
        prefixes.append(prefix)
    return prefixes


def _disambiguate_row_ids(rows: DatasetRows) -> None:
    """Prefix ids that two rows share with the name of their part, and then with its origin.

    Raises:
        InputError: for an id that two rows still share.
    """
    keys = rows.keys("id")
    has_name = is_duplicated(keys)
    if not has_name.any():
        return
    keys = np.where(has_name, rows.keys("id+name"), keys)
    # Two folders may have files of one name.
    has_origin = is_duplicated(keys)
    if has_origin.any():
        keys = np.where(has_origin & has_name, rows.keys("id+both"), keys)
        keys = np.where(has_origin & ~has_name, rows.keys("id+origin"), keys)
    rows.prefixes.part_name, rows.prefixes.origin = has_name, has_origin

    duplicates, _ = pair_equal_keys(keys)
    if len(duplicates):
        row = int(min(duplicates))
        count = int((keys == keys[row]).sum())
        raise InputError(
            f"expected each id once, found '{rows.row_id(row)}' {count} times: "
            "is a file or a split listed twice?"
        )
