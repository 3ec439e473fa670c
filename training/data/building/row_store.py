"""Rows on disk while a dataset is built: their JSON lines, and columns of numbers about them.

Files are read, not mapped into memory: pages of a mapped file count as memory of the program, which must
not grow with the number of rows. A line is looked up by its offset: the rows of an item, which may come from
several files, are read without the rows between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAX_GAP = 4096  # bytes between two lines up to which reading on is cheaper than seeking
_BLOCK = 1000  # lines that are looked up together


def offsets(sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the offset of each of consecutive slices, and the end of the last one: (n,) → (n + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


@dataclass(frozen=True)
class RaggedArray:
    """Represent several values per row: the concatenated ``values`` of all rows, and each row's ``sizes``."""

    values: NDArray[Any]  # (total,)
    sizes: NDArray[np.int32]  # (rows,)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Return the offset of each row's first value, and the end of the last row: (rows + 1,)."""
        return offsets(self.sizes)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Return the row of each value: (total,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def first_values(self) -> NDArray[Any]:
        """Return the first value of each row, none of which is empty: (rows,)."""
        return self.values[self.starts[:-1]]

    @classmethod
    def of_hashes(cls, rows: Sequence[Sequence[int]]) -> "RaggedArray":
        """Return the array of the 64-bit hashes of each row."""
        hashes = np.array(list(chain.from_iterable(rows)), dtype=np.uint64)
        sizes = np.array([len(row) for row in rows], dtype=np.int32)
        return cls(hashes, sizes)

    def take(self, rows: NDArray[np.int64]) -> "RaggedArray":
        """Return the values of ``rows``, in their order."""
        sizes = self.sizes[rows]
        new_starts = np.cumsum(sizes, dtype=np.int64) - sizes
        shifts = self.starts[rows] - new_starts
        indices = np.repeat(shifts, sizes)  # (total,)
        indices += np.arange(len(indices))
        return RaggedArray(self.values[indices], sizes)


Column = NDArray[Any] | RaggedArray


class RowStore:
    """Store rows and their columns in files of one folder; close it before the folder is removed.

    Attributes:
        count: the number of rows.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self._types: dict[str, np.dtype[Any]] = {}
        self._starts: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.count = 0

    def append(self, lines: Sequence[bytes], columns: Mapping[str, Column]) -> None:
        """Add rows.

        Args:
            lines: one line of JSON per row, without its line end.
            columns: column name → one value per row, or several.
        """
        self.count += len(lines)
        sizes = [len(line) for line in lines]
        self._write("lines", np.frombuffer(b"".join(lines), dtype=np.uint8))
        self._write("lines.sizes", np.array(sizes, dtype=np.int64))
        for name, column in columns.items():
            if isinstance(column, RaggedArray):
                self._write(name, column.values)
                self._write(f"{name}.sizes", column.sizes)
            else:
                self._write(name, column)

    def _write(self, name: str, values: NDArray[Any]) -> None:
        """Append values to a file, which the first call opens."""
        if name not in self._files:
            self._files[name] = (self._folder / name).open("w+b")
            self._types[name] = values.dtype
        contiguous = np.ascontiguousarray(values, dtype=self._types[name])
        self._files[name].seek(0, 2)  # a read may have moved the position
        self._files[name].write(contiguous.data)

    def column(self, name: str) -> NDArray[Any]:
        """Return the values of a column with one value per row."""
        self._files[name].flush()
        return np.fromfile(self._folder / name, dtype=self._types[name])

    def ragged(self, name: str) -> RaggedArray:
        """Return the values of a column with several values per row."""
        return RaggedArray(self.column(name), self.column(f"{name}.sizes"))

    def values(
        self, name: str, starts: NDArray[np.int64], sizes: NDArray[np.integer]
    ) -> NDArray[Any]:
        """Return slices of a ragged column, concatenated.

        Args:
            name: the column.
            starts: index of the first value of each slice.
            sizes: number of values of each slice.
        """
        width = self._types[name].itemsize
        data = b"".join(self._read(name, starts * width, sizes * width))
        return np.frombuffer(data, dtype=self._types[name])

    def lines(self, rows: NDArray[np.int64]) -> Iterator[bytes]:
        """Yield the lines of ``rows``, in their order."""
        if len(rows) and rows.max() + 1 >= len(self._starts):
            # Rows were added since the offsets were computed.
            self._starts = offsets(self.column("lines.sizes"))
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            starts = self._starts[block]
            sizes = self._starts[block + 1] - starts
            yield from self._read("lines", starts, sizes)

    def _read(
        self, name: str, starts: NDArray[np.int64], sizes: NDArray[np.integer]
    ) -> Iterator[bytes]:
        """Yield slices of a file; neighbouring slices share one read.

        Args:
            name: the file.
            starts: the offset of each slice, in bytes.
            sizes: the length of each slice, in bytes.
        """
        if not len(starts):
            return
        file = self._files[name]
        file.flush()
        ends = starts + sizes
        gaps = starts[1:] - ends[:-1]
        needs_seek = (gaps < 0) | (gaps > _MAX_GAP)
        # The first slice of each read, and the end of the last read.
        cuts = [0, *(np.flatnonzero(needs_seek) + 1).tolist(), len(starts)]
        for first, last in pairwise(cuts):
            offset = int(starts[first])
            end_offset = int(ends[last - 1])
            file.seek(offset)
            data = file.read(end_offset - offset)
            slice_starts = (starts[first:last] - offset).tolist()
            slice_ends = (ends[first:last] - offset).tolist()
            for start, end in zip(slice_starts, slice_ends, strict=True):
                yield data[start:end]

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
