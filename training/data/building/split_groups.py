"""Splitting of rows into train, dev and test, where the rows of a group stay together."""

import random
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.training.data.building.groups import RowIndices

Strata = Sequence[tuple[str, int]]  # stratum → its count in a row; strata are spread evenly
SplitIndices = NDArray[np.int8]


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

    assigner = _GreedyAssigner(grouped_rows, group_numbers, sizes, [shares[name] for name in names])
    assigned = assigner.assign(order)

    # With few and large groups, a split with a small share may get none. It gets the smallest group
    # of the split with the most groups.
    counts = np.bincount(assigned, minlength=len(names))
    for split in range(len(names)):
        largest = int(np.argmax(counts))
        if not counts[split] and counts[largest] > 1:
            group = order[np.flatnonzero(assigned[order] == largest)[-1]]
            assigned[group] = split
            counts[split] = 1
            counts[largest] -= 1
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
    """Assign groups to splits, one after another."""

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
                counts.append((stratum_numbers.setdefault(name, len(stratum_numbers)), count))
            self._counts.append(counts)

        totals = [0] * len(stratum_numbers)
        rows_by_profile = np.bincount(grouped_rows.profiles, minlength=len(self._counts)).tolist()
        for counts, rows in zip(self._counts, rows_by_profile, strict=True):
            for stratum, count in counts:
                totals[stratum] += count * rows

        # Split → stratum → the count that the split should get, and the count it still lacks.
        self._expected = [[share * total for total in totals] for share in shares]
        self._missing = [list(expected) for expected in self._expected]
        self._profiles = grouped_rows.profiles[np.argsort(group_numbers, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

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

            best, lowest = 0, float("inf")
            for split, missing in enumerate(self._missing):
                expected = self._expected[split]
                # The group of n changes (missing² / expected) by (n² - 2 n missing) / expected.
                cost = 0.0
                for stratum, count in counts:
                    change = count * count - 2 * count * missing[stratum]
                    cost += change / expected[stratum]
                if cost < lowest:
                    best, lowest = split, cost

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
    latest = np.full(len(days), np.iinfo(np.int32).min, dtype=np.int32)
    np.maximum.at(latest, grouped_rows.groups, days)
    latest = latest[grouped_rows.groups]

    distinct_days, rows = np.unique(latest, return_counts=True)
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
        end_cut = len(distinct_days) - later_splits + 1
        distances = np.abs(cumulative_rows[lowest_cut - 1 : end_cut - 1] - target_rows)
        cut = lowest_cut + int(np.argmin(distances))
        cuts.append(cut)

    day_numbers = np.searchsorted(distinct_days, latest)
    assigned = np.searchsorted(np.array(cuts), day_numbers, side="right")
    return np.asarray(_indices_in(shares, names)[assigned])


def achieved_shares(
    grouped_rows: GroupedRows, splits: SplitIndices, shares: Mapping[str, float]
) -> dict[str, dict[str, list[float]]]:
    """Return split → stratum → the requested share and the achieved share.

    Args:
        grouped_rows: the rows in their groups.
        splits: the split of each row, as an index in ``shares``.
        shares: split → its requested share.
    """
    counts: list[Counter[str]] = []
    for index in range(len(shares)):
        split_counts: Counter[str] = Counter()
        profiles = grouped_rows.profiles[splits == index]
        rows = np.bincount(profiles, minlength=len(grouped_rows.strata))
        for profile in np.flatnonzero(rows).tolist():
            for stratum, count in grouped_rows.strata[profile]:
                split_counts[stratum] += count * int(rows[profile])
        counts.append(split_counts)

    totals = sum(counts, Counter[str]())
    achieved: dict[str, dict[str, list[float]]] = {}
    for (name, share), split_counts in zip(shares.items(), counts, strict=True):
        if share > 0:
            achieved[name] = {}
            for stratum, total in sorted(totals.items()):
                achieved[name][stratum] = [share, round(split_counts[stratum] / total, 4)]
    return achieved
