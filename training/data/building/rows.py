"""The rows of a dataset that is being built: their store row, input part, id and split."""

import json
from collections.abc import Iterator, Sequence

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
from claimstance.training.data.building.indexing import NO_SPLIT, IndexedStore, Profile
from claimstance.training.data.building.row_store import RaggedArray
from claimstance.training.data.building.sources import InputPart
from claimstance.training.data.splits import SPLITS


class DatasetRows:
    """Represent all rows, in the order in which they were read.

    Attributes:
        store: where the rows are stored.
        input_parts: the input parts that they were read from.
        part_indices: the index of each row's part.
        split: the index in ``SPLITS`` of each row's split: that of its part, else its own, else ``NO_SPLIT``.
        documents: a key of each row's document; 0 for none. Documents of two sources differ even if their
            names are the same.
    """

    def __init__(
        self,
        store: IndexedStore,
        input_parts: Sequence[InputPart],
        store_rows: RowIndices,
        first_rows: RowIndices,
        shared_sources: set[int],
    ) -> None:
        """Set the part and the split of each row, and the prefixes of ids that clash.

        Args:
            store: where the rows are stored.
            input_parts: the input parts, in the order of their rows.
            store_rows: the row in the store of each row of the dataset.
            first_rows: the row in the store of the first annotation of each row, which decides its part.
            shared_sources: sources in which several files annotate the same documents.

        Raises:
            InputError: for an id that two rows share.
        """
        self.store = store
        self.input_parts = input_parts
        self._store_rows = store_rows

        counts = [input_part.count for input_part in input_parts]
        part_by_store_row = np.repeat(np.arange(len(input_parts), dtype=np.int32), counts)
        self.part_indices: NDArray[np.int32] = part_by_store_row[first_rows]
        self.split: NDArray[np.int8] = self._splits(first_rows)

        # The prefix of each part's documents; files that annotate the same documents share one.
        self._prefixes: list[str] = []
        by_source: dict[int, str] = {}
        for input_part in input_parts:
            prefix = input_part.name
            if input_part.source in shared_sources:
                prefix = by_source.setdefault(input_part.source, prefix)
            self._prefixes.append(prefix)
        self._has_document_prefix: NDArray[np.bool_]
        self.documents: HashKeys
        self._name_documents()

        no_rows = np.zeros(len(self), dtype=np.bool_)
        self._has_name_prefix, self._has_origin_prefix = no_rows, no_rows.copy()
        self._name_rows()

    def __len__(self) -> int:
        return len(self._store_rows)

    def column(self, name: str) -> NDArray[np.generic]:
        """Return the values of a column with one value per row."""
        return self.store.row_store.column(name)[self._store_rows]

    def keys(self, name: str) -> HashKeys:
        """Return the hashes of a column; 0 means that a row has no value."""
        return self.column(name).astype(np.uint64, copy=False)

    def ragged(self, name: str, rows: RowIndices) -> RaggedArray:
        """Return the values of ``rows`` in a column with several values per row."""
        return self.store.row_store.ragged(name).take(self._store_rows[rows])

    def values(self, name: str, rows: RowIndices) -> HashKeys:
        """Return all values of ``rows`` in a ragged column, in the order of the store."""
        selected = np.zeros(self.store.row_store.count, dtype=np.bool_)
        selected[self._store_rows[rows]] = True
        column = self.store.row_store.ragged(name)
        # A mask takes one byte per value where indices would take eight.
        values: HashKeys = column.values[np.repeat(selected, column.sizes)]
        return values

    def first_with(self, name: str, value: np.uint64, rows: RowIndices) -> int:
        """Return the first of ``rows`` that has a value in a ragged column."""
        column = self.store.row_store.ragged(name)
        matches = np.flatnonzero(column.values == value)
        store_rows = np.searchsorted(column.starts, matches, side="right") - 1
        return int(rows[np.argmax(np.isin(self._store_rows[rows], store_rows))])

    def store_rows(self, rows: RowIndices) -> RowIndices:
        """Return the rows of the store that ``rows`` lie in."""
        return self._store_rows[rows]

    @property
    def profiles(self) -> list[Profile]:
        """Return the profiles that ``column("profile")`` refers to."""
        return list(self.store.profiles)

    def _splits(self, first_rows: RowIndices) -> NDArray[np.int8]:
        """Return the split of each row: that of its part, else its own."""
        part_splits = []
        for input_part in self.input_parts:
            if input_part.split is None:
                part_splits.append(NO_SPLIT)
            else:
                part_splits.append(SPLITS.index(input_part.split))
        configured_split = np.array(part_splits, dtype=np.int8)[self.part_indices]
        own_split = self.store.row_store.column("split")[first_rows].astype(np.int8)
        return np.where(configured_split == NO_SPLIT, own_split, configured_split)

    def _name_documents(self) -> None:
        """Prefix the names that documents of two sources share, so that most names stay as published."""
        numbers = {prefix: number for number, prefix in enumerate(dict.fromkeys(self._prefixes))}
        part_numbers = np.array([numbers[prefix] for prefix in self._prefixes])
        sources = part_numbers[self.part_indices]

        keys = self.keys("doc")
        first, second = pair_equal_keys(keys)
        ambiguous = np.unique(keys[first[sources[first] != sources[second]]])
        self._has_document_prefix = np.isin(keys, ambiguous) & (keys != 0)
        self.documents = np.where(self._has_document_prefix, combine_keys(keys, sources), keys)

    def _name_rows(self) -> None:
        """Prefix ids that two rows share with the name of their part, and then with its origin.

        Raises:
            InputError: for an id that two rows still share.
        """
        keys = self.keys("id")
        has_name = is_duplicated(keys)
        if not has_name.any():
            return
        keys = np.where(has_name, self.keys("id+name"), keys)
        # Two folders may have files of one name.
        has_origin = is_duplicated(keys)
        if has_origin.any():
            keys = np.where(has_origin & has_name, self.keys("id+both"), keys)
            keys = np.where(has_origin & ~has_name, self.keys("id+origin"), keys)
        self._has_name_prefix, self._has_origin_prefix = has_name, has_origin

        duplicates, _ = pair_equal_keys(keys)
        if len(duplicates):
            row = int(min(duplicates))
            count = int((keys == keys[row]).sum())
            raise InputError(
                f"expected each id once, found '{self.row_id(row)}' {count} times: "
                "is a file or a split listed twice?"
            )

    def _line(self, row: int) -> bytes:
        return next(self.store.row_store.lines(self._store_rows[[row]]))

    def row_id(self, row: int) -> str:
        """Return the id of a row."""
        row_id, _ = self._names(row, json.loads(self._line(row)))
        return row_id

    def _names(self, row: int, data: dict[str, str | None]) -> tuple[str, str | None]:
        """Return the ids of a row and of its document, with their prefixes."""
        input_part = self.input_parts[self.part_indices[row]]
        row_id, document = str(data["id"]), data["doc_id"]
        if self._has_name_prefix[row]:
            row_id = f"{input_part.name}:{row_id}"
        if self._has_origin_prefix[row]:
            row_id = f"{input_part.origin}:{row_id}"
        if document is not None and self._has_document_prefix[row]:
            document = f"{self._prefixes[self.part_indices[row]]}:{document}"
        return row_id, document

    def location(self, row: int) -> str:
        """Return the origin of a row and its id there, for messages."""
        data = json.loads(self._line(row))
        return f"{self.input_parts[self.part_indices[row]].origin}: {data['id']}"

    def record(self, row: int) -> Record:
        """Return a row as it was read, without prefixes."""
        return Record.model_validate_json(self._line(row))

    def lines(self, rows: RowIndices) -> Iterator[bytes]:
        """Yield the JSON lines of ``rows``, with the final ids."""
        # Decoding a line takes long, and most builds rename no row.
        is_renamed = (self._has_name_prefix | self._has_origin_prefix | self._has_document_prefix)[
            rows
        ]
        lines = self.store.row_store.lines(self._store_rows[rows])
        for row, renamed, line in zip(rows.tolist(), is_renamed.tolist(), lines, strict=True):
            if not renamed:
                yield line
                continue
            data = json.loads(line)
            data["id"], data["doc_id"] = self._names(row, data)
            yield json.dumps(data, ensure_ascii=False).encode()

    def replace(self, rows: RowIndices, first: int) -> None:
        """Replace ``rows`` by rows of the store, from ``first`` on, that have their final ids."""
        self._store_rows[rows] = np.arange(first, first + len(rows))
        self._has_name_prefix[rows] = False
        self._has_origin_prefix[rows] = False
        self._has_document_prefix[rows] = False

    def in_split(self, name: str) -> RowIndices:
        """Return the rows of a split in the order of writing: rows of parts with a split come first."""
        rows = np.flatnonzero(self.split == SPLITS.index(name))
        is_unsplit_part = np.array([input_part.split is None for input_part in self.input_parts])
        was_assigned = is_unsplit_part[self.part_indices[rows]]
        return np.concatenate([rows[~was_assigned], rows[was_assigned]])
