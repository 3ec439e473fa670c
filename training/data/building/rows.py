"""The rows of a dataset that is being built: where each lies in the spool, its part, its name and its split."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.building.groups import Keys, Places, link, mixed, repeated
from claimstance.training.data.building.indexing import UNDIVIDED, Profile
from claimstance.training.data.building.row_store import Ragged
from claimstance.training.data.building.sources import Part, Store
from claimstance.training.data.splits import SPLITS

_IDS = {
    (False, False): "id",
    (True, False): "id by name",
    (False, True): "id by origin",
    (True, True): "id by both",
}


class Rows:
    """All rows in the order of reading.

    Attributes:
        parts: what they were read from.
        part: number of each row's part.
        split: place of each row's split in ``SPLITS``: its part's, else its own; ``UNDIVIDED`` at first for neither.
        documents: a key of each row's document, other for documents of one name in two sources; 0 for none.
    """

    def __init__(
        self,
        store: Store,
        parts: Sequence[Part],
        spooled: Places,
        leaders: Places,
        shared: set[int],
    ) -> None:
        self.store = store
        self.parts = parts
        self._spooled = spooled
        of_spool = np.repeat(np.arange(len(parts), dtype=np.int32), [part.count for part in parts])
        self.part: NDArray[np.int32] = of_spool[leaders]
        of_part = [UNDIVIDED if part.split is None else SPLITS.index(part.split) for part in parts]
        of_rows = np.array(of_part, dtype=np.int8)[self.part]
        own = store.spool.column("split")[leaders].astype(np.int8)
        self.split: NDArray[np.int8] = np.where(of_rows == UNDIVIDED, own, of_rows)
        self._prefixes = self._document_prefixes(shared)
        self.documents, self._document_prefixed = self._name_documents()
        self._by_name, self._by_origin = self._name_rows()

    def __len__(self) -> int:
        return len(self._spooled)

    def column(self, name: str) -> NDArray[np.generic]:
        """A value for each row."""
        return self.store.spool.column(name)[self._spooled]

    def keys(self, name: str) -> Keys:
        """A hash for each row; 0 is none."""
        return self.column(name).astype(np.uint64, copy=False)

    def several(self, name: str, rows: Places) -> Ragged:
        """The values of some rows in a column that has several for each."""
        return self.store.spool.ragged(name).take(self._spooled[rows])

    def values(self, name: str, rows: Places) -> Keys:
        """All values of some rows in a column that has several for each, in no order that means something."""
        held = np.zeros(self.store.spool.count, dtype=np.bool_)
        held[self._spooled[rows]] = True
        column = self.store.spool.ragged(name)
        found: Keys = column.values[
            np.repeat(held, column.sizes)
        ]  # no place of each value: they are many
        return found

    def first_with(self, name: str, value: np.uint64, some: Places) -> int:
        """The first of some rows with a value in a column that has several for each."""
        column = self.store.spool.ragged(name)
        held = (
            np.searchsorted(column.starts, np.flatnonzero(column.values == value), side="right") - 1
        )
        return int(some[np.argmax(np.isin(self._spooled[some], held))])

    def spooled(self, rows: Places) -> Places:
        """Where rows lie in the spool."""
        return self._spooled[rows]

    @property
    def profiles(self) -> list[Profile]:
        """What ``column("profile")`` counts in."""
        return list(self.store.profiles)

    def _document_prefixes(self, shared: set[int]) -> list[str]:
        """What is put before each part's documents: the files of a source that annotate the same ones share it."""
        first: dict[int, str] = {}
        return [
            first.setdefault(part.source, part.name) if part.source in shared else part.name
            for part in self.parts
        ]

    def _name_documents(self) -> tuple[Keys, NDArray[np.bool_]]:
        """Documents of one name in two sources are two documents, and get the source's name before theirs."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self._prefixes))}
        sources = np.array([numbers[name] for name in self._prefixes])[self.part]
        keys = self.keys("doc")
        first, second = link(keys)
        differ = sources[first] != sources[second]
        shared = np.unique(keys[first[differ]])
        prefixed = np.isin(keys, shared) & (keys != 0)
        return np.where(prefixed, mixed(keys, sources), keys), prefixed

    def _name_rows(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Ids that two rows share get the source's name before theirs, and then, if that is not enough, the origin."""
        nowhere = np.zeros(len(self), dtype=np.bool_)
        keys = self.keys("id")
        by_name = repeated(keys)
        if not by_name.any():
            return nowhere, nowhere
        keys = np.where(by_name, self.keys("id by name"), keys)
        by_origin = repeated(keys)
        if by_origin.any():
            for flags, column in _IDS.items():
                if flags[1]:
                    keys = np.where(by_origin & (by_name == flags[0]), self.keys(column), keys)
        self._by_name, self._by_origin = by_name, by_origin
        again, _ = link(keys)
        if len(again):
            row = int(min(again))
            raise InputError(
                f"expected an id once, found '{self.name(row)}' {int((keys == keys[row]).sum())} times: "
                "is a file or a split listed twice?"
            )
        return by_name, by_origin

    def name(self, row: int) -> str:
        """The id of a row."""
        data = json.loads(next(self.store.spool.lines(self._spooled[[row]])))
        return self._names(row, data)[0]

    def _names(self, row: int, data: dict[str, str | None]) -> tuple[str, str | None]:
        part, name, document = self.parts[self.part[row]], str(data["id"]), data["doc_id"]
        if self._by_name[row]:
            name = f"{part.name}:{name}"
        if self._by_origin[row]:
            name = f"{part.origin}:{name}"
        if document is not None and self._document_prefixed[row]:
            document = f"{self._prefixes[self.part[row]]}:{document}"
        return name, document

    def where(self, row: int) -> str:
        """The row for messages: what it was read from, and its own id there."""
        data = json.loads(next(self.store.spool.lines(self._spooled[[row]])))
        return f"{self.parts[self.part[row]].origin}: {data['id']}"

    def record(self, row: int) -> Record:
        """The row as it was read."""
        return Record.model_validate_json(next(self.store.spool.lines(self._spooled[[row]])))

    def lines(self, rows: Places) -> Iterator[bytes]:
        """The lines of rows, with their names."""
        renamed = (self._by_name | self._by_origin | self._document_prefixed)[rows].tolist()
        for row, other, line in zip(
            rows.tolist(), renamed, self.store.spool.lines(self._spooled[rows]), strict=True
        ):
            if not other:
                yield line
                continue
            data = json.loads(line)
            data["id"], data["doc_id"] = self._names(row, data)
            yield json.dumps(data, ensure_ascii=False).encode()

    def replace(self, rows: Places, first: int) -> None:
        """Put rows of the spool, from ``first`` on, in place of ``rows``; they have their names already."""
        self._spooled[rows] = np.arange(first, first + len(rows))
        for flags in (self._by_name, self._by_origin, self._document_prefixed):
            flags[rows] = False

    def of_split(self, name: str) -> Places:
        """The rows of a split in the order in which they are written: those of parts with a split come first."""
        rows = np.flatnonzero(self.split == SPLITS.index(name))
        divided = np.array([part.split is None for part in self.parts])[self.part[rows]]
        return np.concatenate([rows[~divided], rows[divided]])
