"""Splitting of rows into train, dev and test, where the rows of a group stay together."""

import math
import random
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.training.data.building.groups import RowIndices
from claimstance.training.data.building.row_store import offsets

Strata = Sequence[tuple[str, int]]  # stratum → its count in a row; strata are spread evenly
SplitIndices = NDArray[np.int8]
# Split → stratum → the requested share and the achieved share.
Shares = dict[str, dict[str, list[float]]]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class GroupedRows:
    """Represent the rows to split.

    Attributes:
        groups: the group of each row. A group's id is its first row.
        profiles: the profile of each row, as an index in ``strata``.
        strata: profile → its strata. Each profile has the stratum ``rows``.
    """

    groups: RowIndices
    profiles: NDArray[np.int32]
    strata: Sequence[Strata]


def split_stratified(
    grouped_rows: GroupedRows,
    shares: Mapping[str, float],
    seed: int,
    kind: str = "documents or sentences",
) -> SplitIndices:
    """Return the split of each row, as an index in ``shares``.

    Groups are assigned greedily, largest first. Each goes where the counts of rows and labels come nearest
    to ``shares`` (by chi-square), so labels are spread as evenly as whole groups allow.

    Args:
        grouped_rows: the rows in their groups.
        shares: split → its share of the rows; a split with a share of 0 gets none.
        seed: shuffles groups of the same size.
        kind: names the groups in the error message.

    Raises:
        InputError: if there are fewer groups than splits.
    """
    names = [name for name, share in shares.items() if share > 0]
    firsts, group_numbers = np.unique(grouped_rows.groups, return_inverse=True)
    check_enough(len(firsts), names, kind)

    sizes = np.bincount(group_numbers)
    shuffled = array("q", range(len(firsts)))
    random.Random(seed).shuffle(shuffled)
    order = np.array(shuffled)
    order = order[np.argsort(-sizes[order], kind="stable")]

    requested = [shares[name] for name in names]
    assigned = _GreedyAssigner(grouped_rows, group_numbers, sizes, requested).assign(order)

    # With few and large groups, a split with a small share may get none. It gets the smallest group
    # of the split with the most groups.
    group_counts = np.bincount(assigned, minlength=len(names))
    for split in range(len(names)):
        largest = int(np.argmax(group_counts))
        if not group_counts[split] and group_counts[largest] > 1:
            candidates = order[assigned[order] == largest]
            smallest_group = candidates[-1]
            assigned[smallest_group] = split
            group_counts[split] = 1
            group_counts[largest] -= 1
    return _indices_in(shares, names)[assigned[group_numbers]]


def _indices_in(shares: Mapping[str, float], names: Sequence[str]) -> SplitIndices:
    """Return the index in ``shares`` of each of ``names``."""
    splits = list(shares)
    return np.array([splits.index(name) for name in names], dtype=np.int8)


def check_enough(groups: int, names: Sequence[str], kind: str) -> None:
    """Raise ``InputError`` if there are fewer groups than splits."""
    if 0 < groups < len(names):
        raise InputError(
            f"expected at least {len(names)} {kind} that differ, to divide them into {', '.join(names)}, "
            f"found {groups}; give files a split (data.sources: split) or rows one (a column 'split'), "
            "or more data (in CoNLL files, -DOCSTART- lines begin documents)"
        )


class _GreedyAssigner:
    """Assign groups to splits, one after another.

    Args:
        grouped_rows: the rows in their groups.
        group_numbers: the group of each row, numbered from 0.
        sizes: the number of rows of each group.
        shares: the share of the rows of each split.
    """

    def __init__(
        self,
        grouped_rows: GroupedRows,
        group_numbers: RowIndices,
        sizes: RowIndices,
        shares: Sequence[float],
    ) -> None:
        stratum_numbers: dict[str, int] = {}
        self._counts: list[list[tuple[int, int]]] = []  # profile → (stratum, count)
        for strata in grouped_rows.strata:
            counts = []
            for name, count in strata:
                stratum = stratum_numbers.setdefault(name, len(stratum_numbers))
                counts.append((stratum, count))
            self._counts.append(counts)
        totals = sum_counts(self._counts, grouped_rows.profiles)

        # Split → stratum → the count that the split should get, and the count it still lacks.
        self._expected: list[list[float]] = []
        self._missing: list[list[float]] = []
        for share in shares:
            expected = [share * totals[stratum] for stratum in range(len(stratum_numbers))]
            self._expected.append(expected)
            self._missing.append(expected.copy())

        # The profiles of all rows, group after group, and the offset of each group's first row.
        self._profiles = grouped_rows.profiles[np.argsort(group_numbers, kind="stable")]
        self._starts = offsets(sizes)

    def assign(self, order: RowIndices) -> SplitIndices:
        """Return the split of each group; groups are assigned in ``order``.

        Each group goes to the split in which chi-square grows least.
        """
        assigned = np.zeros(len(order), dtype=np.int8)
        starts = self._starts[order].tolist()
        ends = self._starts[order + 1].tolist()
        for group, start, end in zip(order.tolist(), starts, ends, strict=True):
            profiles = self._profiles[start:end]
            if len(profiles) == 1:
                counts = self._counts[profiles[0]]  # most groups are one row
            else:
                sums: dict[int, int] = {}  # stratum → its count in the group
                for profile in profiles.tolist():
                    for stratum, count in self._counts[profile]:
                        sums[stratum] = sums.get(stratum, 0) + count
                counts = list(sums.items())

            best = 0
            lowest_cost = math.inf
            for split, missing in enumerate(self._missing):
                expected = self._expected[split]
                # The group of n changes (missing² / expected) by (n² - 2 n missing) / expected.
                cost = 0.0
                for stratum, count in counts:
                    change = count * count - 2 * count * missing[stratum]
                    cost += change / expected[stratum]
                if cost < lowest_cost:
                    best = split
                    lowest_cost = cost

            assigned[group] = best
            for stratum, count in counts:
                self._missing[best][stratum] -= count
        return assigned


def split_by_date(
    days: NDArray[np.int32], grouped_rows: GroupedRows, shares: Mapping[str, float]
) -> SplitIndices:
    """Return the split of each row, as an index in ``shares``: the earliest days first.

    A group counts by its latest day, so no row of an earlier split is later than a group of a later split.
    Splits begin with a new day.

    Args:
        days: the day of each row.
        grouped_rows: the rows in their groups.
        shares: split → its share of the rows, from the earliest split to the latest.

    Raises:
        InputError: if there are fewer days than splits.
    """
    names = [name for name, share in shares.items() if share > 0]
    latest_days = np.full(len(days), np.iinfo(np.int32).min, dtype=np.int32)  # by group id
    np.maximum.at(latest_days, grouped_rows.groups, days)
    group_days = latest_days[grouped_rows.groups]  # (rows,)

    distinct_days, rows = np.unique(group_days, return_counts=True)
    check_enough(len(distinct_days), names, "days")
    cumulative_rows = np.cumsum(rows)
    target_rows = 0.0
    cut = 0
    cuts = []  # index of the first day of each split but the first
    for number, name in enumerate(names[:-1]):
        target_rows += shares[name] * len(days)
        lowest_cut = cut + 1
        # Each later split needs at least one day.
        later_splits = len(names) - 1 - number
        highest_cut = len(distinct_days) - later_splits
        rows_before_cut = cumulative_rows[lowest_cut - 1 : highest_cut]
        nearest = np.argmin(np.abs(rows_before_cut - target_rows))
        cut = lowest_cut + int(nearest)
        cuts.append(cut)

    day_numbers = np.searchsorted(distinct_days, group_days)
    # The number of a row's split is that of the cuts up to its day.
    assigned = np.searchsorted(np.array(cuts), day_numbers, side="right")
    return np.asarray(_indices_in(shares, names)[assigned])


def achieved_shares(
    grouped_rows: GroupedRows, splits: SplitIndices, shares: Mapping[str, float]
) -> Shares:
    """Return split → stratum → the requested share and the achieved share.

    Args:
        grouped_rows: the rows in their groups.
        splits: the split of each row, as an index in ``shares``.
        shares: split → its requested share.
    """
    totals = sum_counts(grouped_rows.strata, grouped_rows.profiles)
    shares_by_split: Shares = {}
    for index, (name, requested) in enumerate(shares.items()):
        if requested <= 0:
            continue
        counts = sum_counts(grouped_rows.strata, grouped_rows.profiles[splits == index])
        shares_by_split[name] = {}
        for stratum, total in sorted(totals.items()):
            achieved = round(counts[stratum] / total, 4)
            shares_by_split[name][stratum] = [requested, achieved]
    return shares_by_split


def sum_counts(
    profile_counts: Sequence[Iterable[tuple[Key, int]]], profiles: NDArray[np.int32]
) -> Counter[Key]:
    """Return key → its count in all rows.

    Rows share few profiles, so that no row is read again.

    Args:
        profile_counts: profile → (key, count) of each row that has it.
        profiles: the profile of each row, as an index in ``profile_counts``.
    """
    totals: Counter[Key] = Counter()
    row_counts = np.bincount(profiles, minlength=len(profile_counts)).tolist()
    for counts, row_count in zip(profile_counts, row_counts, strict=True):
        if not row_count:
            continue
        for key, count in counts:
            totals[key] += count * row_count
    return totals
