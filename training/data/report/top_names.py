"""The targets and sources that a dataset has most of."""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from claimstance.model.record import Record
from claimstance.training.data.building.indexing import hashed
from claimstance.training.data.building.rows import Rows
from claimstance.training.data.splits import SPLITS

MOST = 20


def frequent(
    rows: Rows, column: str, names: Callable[[Record], Iterable[str]], most: int = MOST
) -> list[tuple[str, dict[str, int]]]:
    """The names that occur in the most rows, with split → how many rows; of equals, those with the lesser hash.

    Args:
        rows: with their splits.
        column: the hashes of each row's names.
        names: a record's names, as they were hashed.
        most: how many to give.
    """
    splits = [name for name in SPLITS if len(rows.of_split(name))]
    counts: dict[str, dict[int, int]] = {}
    total: Counter[int] = Counter()
    for split in splits:
        values, found = np.unique(rows.values(column, rows.of_split(split)), return_counts=True)
        counts[split] = dict(zip(values.tolist(), found.tolist(), strict=True))
        total.update(counts[split])
    given = []
    for value, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:most]:
        record = rows.record(rows.first_with(column, np.uint64(value), np.arange(len(rows))))
        name = next(name for name in names(record) if hashed(name) == value)
        given.append(
            (name, {split: counts[split][value] for split in splits if value in counts[split]})
        )
    return given
