"""The most frequent targets and holders of a dataset."""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from claimstance.model.record import Record
from claimstance.training.data.building.indexing import hash_text
from claimstance.training.data.building.rows import DatasetRows
from claimstance.training.data.splits import SPLITS

DEFAULT_COUNT = 20


def top_names(
    rows: DatasetRows,
    column: str,
    names_of: Callable[[Record], Iterable[str]],
    count: int = DEFAULT_COUNT,
) -> list[tuple[str, dict[str, int]]]:
    """Return the names that occur in the most rows, with split → rows; ties are ordered by hash.

    Args:
        rows: the rows, with their splits.
        column: the column with the hashes of each row's names.
        names_of: returns the names of a record that the column has the hashes of.
        count: the number of names to return.
    """
    counts: dict[str, dict[int, int]] = {}  # split → hash → rows
    totals: Counter[int] = Counter()
    for split in SPLITS:
        values = rows.all_values(column, rows.in_split(split))
        hashes, occurrences = np.unique(values, return_counts=True)
        counts[split] = dict(zip(hashes.tolist(), occurrences.tolist(), strict=True))
        totals.update(counts[split])

    ranking = sorted(totals, key=lambda value: (-totals[value], value))
    all_rows = np.arange(len(rows))
    names = []
    for value in ranking[:count]:
        by_split = {}
        for split, split_counts in counts.items():
            if value in split_counts:
                by_split[split] = split_counts[value]
        # Only hashes are stored, so the name is looked up in the first row that has it.
        first_row = rows.first_with(column, np.uint64(value), all_rows)
        for name in names_of(rows.record(first_row)):
            if hash_text(name) == value:
                names.append((name, by_split))
                break
    return names
