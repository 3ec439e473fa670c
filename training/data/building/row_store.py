"""Rows on disk while a dataset is built: their JSON lines, and columns of numbers that stand for them.

Nothing is mapped into memory: what has been read of a mapped file counts as the program's memory, which is to stay
the same however many rows there are. A line is looked up by where it starts, so that the rows of an item, which may lie
in several files, are found without reading what lies between.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_READ_ON = 4096  # bytes between two lines that are read over sooner than jumped over
_BLOCK = 1000  # lines that are looked up together


@dataclass(frozen=True)
class Ragged:
    """Several values for each row: ``values`` of all rows, one after another, and how many each row has."""

    values: NDArray[Any]
    sizes: NDArray[np.int32]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where the values of each row start, and last where all end."""
        return np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)])

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row of each value."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def take(self, rows: NDArray[np.int64]) -> "Ragged":
        """The values of some rows, in their order."""
        sizes = self.sizes[rows]
        ends = np.cumsum(sizes, dtype=np.int64)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
            self.starts[rows] - (ends - sizes), sizes
        )
        return Ragged(self.values[places], sizes)


Column = NDArray[Any] | Ragged


class Spool:
    """Rows with their columns, in a folder of their own; ``close`` it before the folder is removed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._types: dict[str, np.dtype[Any]] = {}
        self._starts: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.count = 0

    def append(self, lines: Sequence[bytes], columns: Mapping[str, Column]) -> None:
        """Add rows: a line of JSON each, without its end, and a value or several of every column."""
        self.count += len(lines)
        self._write("lines", np.frombuffer(b"".join(lines), dtype=np.uint8))
        self._write("lines.sizes", np.array([len(line) for line in lines], dtype=np.int64))
        for name, column in columns.items():
            if isinstance(column, Ragged):
                self._write(name, column.values)
                self._write(f"{name}.sizes", column.sizes)
            else:
                self._write(name, column)

    def _write(self, name: str, values: NDArray[Any]) -> None:
        if name not in self._files:
            self._files[name] = (self._folder / name).open("w+b")
            self._types[name] = values.dtype
        self._files[name].seek(0, 2)  # reading leaves it elsewhere
        self._files[name].write(np.ascontiguousarray(values, dtype=self._types[name]).data)

    def column(self, name: str) -> NDArray[Any]:
        """A value for each row, in the order in which they were added."""
        self._files[name].flush()
        return np.fromfile(self._folder / name, dtype=self._types[name])

    def ragged(self, name: str) -> Ragged:
        """The values of a column that has several for a row."""
        return Ragged(self.column(name), self.column(f"{name}.sizes"))

    def values(
        self, name: str, starts: NDArray[np.int64], sizes: NDArray[np.integer]
    ) -> NDArray[Any]:
        """The values that lie at ``starts`` of a column with several for a row, put together."""
        width = self._types[name].itemsize
        found = b"".join(self._read(name, starts * width, sizes * width))
        return np.frombuffer(found, dtype=self._types[name])

    def lines(self, rows: NDArray[np.int64]) -> Iterator[bytes]:
        """The lines of rows, in the order of ``rows``."""
        if len(rows) and rows.max() + 1 >= len(self._starts):  # rows were added since
            self._starts = np.concatenate([[0], np.cumsum(self.column("lines.sizes"))])
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            starts = self._starts[block]
            yield from self._read("lines", starts, self._starts[block + 1] - starts)

    def _read(
        self, name: str, starts: NDArray[np.int64], sizes: NDArray[np.integer]
    ) -> Iterator[bytes]:
        """Pieces of a file, by bytes; pieces that lie one after another are read at once."""
        file = self._files[name]
        file.flush()
        ends = starts + sizes
        far = (starts[1:] < ends[:-1]) | (starts[1:] > ends[:-1] + _READ_ON)
        cuts = [0, *(np.flatnonzero(far) + 1).tolist(), len(starts)]
        for left, right in pairwise(cuts):
            if left == right:
                continue
            start = int(starts[left])
            file.seek(start)
            held = file.read(int(ends[right - 1]) - start)
            lefts, rights = (
                (starts[left:right] - start).tolist(),
                (ends[left:right] - start).tolist(),
            )
            yield from (held[a:b] for a, b in zip(lefts, rights, strict=True))

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
