"""Dividing rows into train, dev and test, a group of rows that belong together at a time."""

import random
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.training.data.building.groups import Places

Strata = Sequence[tuple[str, int]]  # what is to be spread evenly → how often it is there
Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Division:
    """What is divided.

    Attributes:
        groups: the group of each row, by the number of its first row.
        profiles: a number for each row, by what is counted of it.
        strata: what each of those numbers stands for: what is to be spread evenly, ``rows`` among it.
    """

    groups: Places
    profiles: NDArray[np.int32]
    strata: Sequence[Strata]


def divide(
    division: Division, shares: Mapping[str, float], seed: int, kind: str = "documents or sentences"
) -> Codes:
    """The split of each row, as its place in ``shares``.

    Groups are placed, the largest first, where they bring the numbers of rows and of each label nearest to ``shares``
    (by chi-square), so that the labels are spread as evenly as whole groups allow.

    Args:
        division: the rows in their groups.
        shares: split → its share of the rows; a split with a share of 0 gets none.
        seed: decides between groups of a size.
        kind: of what there are groups, for the message.

    Raises:
        InputError: if there are fewer groups than splits.
    """
    names = [name for name, share in shares.items() if share > 0]
    firsts, members = np.unique(division.groups, return_inverse=True)
    check_enough(len(firsts), names, kind)
    sizes = np.bincount(members)
    shuffled = array("q", range(len(firsts)))
    random.Random(seed).shuffle(shuffled)
    order = np.array(shuffled)
    order = order[np.argsort(-sizes[order], kind="stable")]
    placing = _Placing(division, members, sizes, [shares[name] for name in names])
    placed = _fill_empty(placing.place(order), order, len(names))
    codes = np.array([list(shares).index(name) for name in names], dtype=np.int8)
    return codes[placed[members]]


def check_enough(groups: int, names: Sequence[str], kind: str) -> None:
    """Raise ``InputError`` if there are fewer groups than splits to divide them into."""
    if 0 < groups < len(names):
        raise InputError(
            f"expected at least {len(names)} {kind} that differ, to divide them into {', '.join(names)}, "
            f"found {groups}; give files a split (data.sources: split) or rows one (a column 'split'), "
            "or more data"
        )


class _Placing:
    """The greedy placing, group by group."""

    def __init__(
        self, division: Division, members: Places, sizes: Places, shares: Sequence[float]
    ) -> None:
        codes: dict[str, int] = {}
        self._counts = [
            [(codes.setdefault(name, len(codes)), n) for name, n in strata]
            for strata in division.strata
        ]
        total = [0] * len(codes)
        for number, rows in enumerate(
            np.bincount(division.profiles, minlength=len(self._counts)).tolist()
        ):
            for stratum, n in self._counts[number]:
                total[stratum] += n * rows
        self._missing = [[share * n for n in total] for share in shares]
        self._weights = [
            [share * n for n in total] for share in shares
        ]  # of a difference; a share of no rows has none
        self._profiles = division.profiles[np.argsort(members, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def place(self, order: Places) -> Codes:
        """The place of the split of each group."""
        placed = np.zeros(len(order), dtype=np.int8)
        for group, start, end in zip(
            order.tolist(),
            self._starts[order].tolist(),
            self._starts[order + 1].tolist(),
            strict=True,
        ):
            placed[group] = self._place(self._counts_of(start, end))
        return placed

    def _counts_of(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        if end - start == 1:
            return self._counts[self._profiles[start]]
        counts: dict[int, int] = {}
        for profile in self._profiles[start:end].tolist():
            for stratum, n in self._counts[profile]:
                counts[stratum] = counts.get(stratum, 0) + n
        return list(counts.items())

    def _place(self, counts: Sequence[tuple[int, int]]) -> int:
        """Where chi-square grows least."""
        best, least = 0, float("inf")
        for split, (missing, weights) in enumerate(zip(self._missing, self._weights, strict=True)):
            cost = sum(
                [(n * n - 2 * n * missing[stratum]) / weights[stratum] for stratum, n in counts]
            )
            if cost < least:
                best, least = split, cost
        missing = self._missing[best]
        for stratum, n in counts:
            missing[stratum] -= n
        return best


def _fill_empty(placed: Codes, order: Places, splits: int) -> Codes:
    """With few and large groups a small share may get none: it then gets the smallest of the split with the most."""
    counts = np.bincount(placed, minlength=splits)
    for split in range(splits):
        most = int(np.argmax(counts))
        if not counts[split] and counts[most] > 1:
            last = order[np.flatnonzero(placed[order] == most)[-1]]
            placed[last] = split
            counts[split], counts[most] = 1, counts[most] - 1
    return placed


def by_date(days: NDArray[np.int32], division: Division, shares: Mapping[str, float]) -> Codes:
    """The split of each row, as its place in ``shares``: the earliest days first, cut between two days.

    A group goes by its latest day, so that no row of an earlier split is later than a group of a later split.

    Args:
        days: the day of each row.
        division: the rows in their groups.
        shares: split → its share of the rows, from the earliest to the latest.

    Raises:
        InputError: if there are fewer days than splits.
    """
    names = [name for name, share in shares.items() if share > 0]
    latest = np.full(len(days), np.iinfo(np.int32).min, dtype=np.int32)
    np.maximum.at(latest, division.groups, days)
    latest = latest[division.groups]
    held, rows = np.unique(latest, return_counts=True)
    check_enough(len(held), names, "days")
    so_far, wanted = np.cumsum(rows), 0.0
    cuts: list[int] = []  # place of the first day of each split but the first
    for number, name in enumerate(names[:-1]):
        wanted += shares[name] * len(days)
        low, high = (cuts[-1] if cuts else 0) + 1, len(held) - (len(names) - 1 - number) + 1
        cuts.append(low + int(np.argmin(np.abs(so_far[low - 1 : high - 1] - wanted))))
    codes = np.array([list(shares).index(name) for name in names], dtype=np.int8)
    found = np.searchsorted(np.array(cuts), np.searchsorted(held, latest), side="right")
    return np.asarray(codes[found])


def reached(
    division: Division, splits: Codes, wanted: Mapping[str, float]
) -> dict[str, dict[str, list[float]]]:
    """Split → stratum → the share that it was to get, and the share that it got.

    Args:
        division: the rows in their groups.
        splits: the split of each row, as its place in ``wanted``.
        wanted: split → its share.
    """
    counts: list[Counter[str]] = []
    for place in range(len(wanted)):
        counts.append(Counter())
        rows = np.bincount(division.profiles[splits == place], minlength=len(division.strata))
        for number in np.flatnonzero(rows).tolist():
            for stratum, n in division.strata[number]:
                counts[-1][stratum] += n * int(rows[number])
    total = sum(counts, Counter[str]())
    return {
        name: {
            stratum: [share, round(count[stratum] / n, 4)] for stratum, n in sorted(total.items())
        }
        for (name, share), count in zip(wanted.items(), counts, strict=True)
        if share > 0
    }
