"""Near-duplicates: texts of which most runs of three words are the same, such as copies of a wire story.

Candidates come from MinHash (Broder 1997) with bands (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*,
chapter 3): two texts of which one band of minima is equal. Each candidate is then compared by its runs of words
themselves, so that what is called a near-duplicate is one. What can be missed is a pair without an equal band: the
number of bands is such that this happens to one in a thousand pairs at the very threshold, and to fewer above it.

Measured on all sentences of DSE and NewsMTSC (train) and PolNeAR (train), 48,197 texts that differ, against the exact
product of all with all: 32 pairs have a similarity of 0.8 or more, and all 32 were found. Since real sentences have few
near-duplicates, each was also compared with itself after one or two words were changed or left out: of 24,129 such
pairs with a similarity of 0.8 or more all were found (recall 100 %; the bound at 0.8 itself is 99.98 %).
``datasketch`` was preferred to ``rensa``, which found the same pairs and takes 12 µs a
text in place of 40: its minima are integer arithmetic in NumPy under a named scheme, the same on every machine and in
every later version, while those of ``rensa`` changed with its last release, which has a compiled part for each Python.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from claimstance.training.data.building.groups import Keys, Pairs, Places, connect
from claimstance.training.data.building.row_store import Ragged, Spool

NEAR = 0.8  # similarity from which texts are near-duplicates where nothing else is said
SHINGLE = 3  # words
PERMUTATIONS = 64
_MISSED = 1e-3  # of the pairs at the threshold
_SCHEME = "affine64"
_PAIRS = 1 << 14  # compared at a time; their numbers take 16 of the 64 bits of a key
_SPREAD = 0x9E3779B97F4A7C15

Flags = NDArray[np.bool_]


@lru_cache
def bands(near: float) -> tuple[int, int]:
    """How many bands of how many minima find pairs of similarity ``near``: as few and as long as miss few of them."""
    lengths = (
        length
        for length in range(PERMUTATIONS, 0, -1)
        if (1 - near**length) ** (PERMUTATIONS // length) <= _MISSED
    )
    length = next(lengths, 1)
    return PERMUTATIONS // length, length


@lru_cache(1)
def _minima() -> Any:
    from datasketch import MinHash  # with SciPy's integrals, which nothing else here needs

    return MinHash(PERMUTATIONS, scheme=_SCHEME, hashfunc=int)  # what it is given is hashes already


def sketch(keys: Sequence[str], near: float) -> tuple[Ragged, list[Keys]]:
    """Hashes of the runs of words of each text, ascending, and of each band of its minima.

    Args:
        keys: the words of each text, one space between two (``claimstance.model.record.text_key``).
        near: the similarity that is asked for.
    """
    shingles = [_shingles(key) for key in keys]
    minima, held = np.empty((len(keys), PERMUTATIONS), dtype=np.uint64), _minima()
    for row, hashes in enumerate(shingles):
        held.clear()
        held.update_batch(hashes)
        minima[row] = held.hashvalues
    number, length = bands(near)
    factors = np.array([pow(_SPREAD, power, 1 << 64) for power in range(length)], dtype=np.uint64)
    of_bands = (minima[:, : number * length].reshape(len(keys), number, length) * factors).sum(
        axis=2, dtype=np.uint64
    )
    values = np.array([value for hashes in shingles for value in hashes], dtype=np.uint64)
    return Ragged(values, np.array([len(hashes) for hashes in shingles], dtype=np.int32)), list(
        of_bands.T
    )


def _shingles(key: str) -> list[int]:
    """Hashes of the runs of ``SHINGLE`` words; of the whole text where it has no more."""
    words = key.split()
    runs = {" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
    return sorted(xxhash.xxh3_64_intdigest(run.encode()) for run in runs)


class Texts:
    """Texts that differ, with the sketches that were made of them.

    Args:
        spool: has the columns ``shingles`` and ``band 0``, ``band 1``, ….
        rows: the row of the spool of each text.
        near: the similarity that the sketches were made for.
    """

    def __init__(self, spool: Spool, rows: Places, near: float) -> None:
        self.near = near
        self._spool, self._rows = spool, rows
        held = Ragged(np.empty(0), spool.column("shingles.sizes"))
        self._starts, self._sizes = held.starts, held.sizes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bands(self) -> int:
        """How many bands there are."""
        return bands(self.near)[0]

    def band(self, number: int) -> Keys:
        """The hash of a band of each text."""
        found: Keys = self._spool.column(f"band {number}")[self._rows]
        return found

    def similarity(self, pairs: Pairs) -> NDArray[np.float64]:
        """The Jaccard similarity of the runs of words of each pair of texts, given by their numbers."""
        chunks = [
            (pairs[0][at : at + _PAIRS], pairs[1][at : at + _PAIRS])
            for at in range(0, len(pairs[0]), _PAIRS)
        ]
        return np.concatenate([np.empty(0), *map(self._similarity, chunks)])

    def _similarity(self, pairs: Pairs) -> NDArray[np.float64]:
        texts, places = np.unique(np.concatenate(pairs), return_inverse=True)
        rows = self._rows[texts]
        held = Ragged(
            self._spool.values("shingles", self._starts[rows], self._sizes[rows]), self._sizes[rows]
        )
        first, second = (held.take(side) for side in np.split(places, 2))
        # The pair's number before 48 bits of the hash: ascending, so that one search finds what a pair has in common.
        one, other = (
            side.rows.astype(np.uint64) << np.uint64(48) | side.values >> np.uint64(16)
            for side in (first, second)
        )
        at = np.minimum(np.searchsorted(other, one), len(other) - 1)
        common = np.bincount(first.rows[other[at] == one], minlength=len(pairs[0]))
        found: NDArray[np.float64] = common / (first.sizes.astype(np.int64) + second.sizes - common)
        return found


def connect_near(texts: Texts, groups: Places) -> Places:
    """Put the groups of near-duplicates together.

    Args:
        texts: the texts.
        groups: the group of each text, by the number of its first text.

    Returns:
        The groups after it: two near-duplicates, if they are candidates, are in one.
    """
    for number in range(texts.bands):

        def visit(first: Places, second: Places) -> None:
            nonlocal groups
            near = texts.similarity((first, second)) >= texts.near
            groups = connect(groups, (first[near], second[near]))

        def open_(members: Places, starts: Places) -> Flags:
            held = groups[members]
            return np.asarray(
                np.minimum.reduceat(held, starts) != np.maximum.reduceat(held, starts)
            )

        _sweep(*_runs(texts.band(number)), lambda a, b: groups[a] != groups[b], visit, open_)
    return groups


@dataclass
class Search:
    """Which of the ``asked`` texts have a near-duplicate among the ``known``.

    Attributes:
        known: the texts that are looked through.
        asked: the texts that are looked for, none of them known.
        twins: a near-duplicate of each asked text; -1 if there is none.
        similarities: to it.
    """

    known: Flags
    asked: Flags
    twins: NDArray[np.int32] = field(init=False)
    similarities: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.twins = np.full(len(self.known), -1, dtype=np.int32)
        self.similarities = np.zeros(len(self.known), dtype=np.float32)

    def _is_open(self, members: Places) -> Flags:
        return np.asarray(self.asked[members] & (self.twins[members] < 0))

    def _wanted(self, first: Places, second: Places) -> Flags:
        forward = self.known[first] & self._is_open(second)
        return np.asarray(forward | (self.known[second] & self._is_open(first)))

    def _goes_on(self, members: Places, starts: Places) -> Flags:
        either = (
            np.logical_or.reduceat(flags, starts)
            for flags in (self.known[members], self._is_open(members))
        )
        return np.logical_and(*either)

    def sweep(self, texts: Texts, order: Places, keys: Keys) -> None:
        """Look among the texts of which a band is equal (see ``_runs``)."""

        def visit(first: Places, second: Places) -> None:
            similarities = texts.similarity((first, second))
            near = similarities >= texts.near
            turned = self.known[second[near]]
            asked = np.where(turned, first[near], second[near])
            self.twins[asked] = np.where(turned, second[near], first[near])
            self.similarities[asked] = similarities[near]

        _sweep(order, keys, self._wanted, visit, self._goes_on)


def search(texts: Texts, searches: Sequence[Search]) -> None:
    """Run several searches, band by band."""
    for number in range(texts.bands):
        order, keys = _runs(texts.band(number))
        for one in searches:
            one.sweep(texts, order, keys)


def _runs(keys: Keys) -> tuple[Places, Keys]:
    """The texts whose key another text has, too, those of one key after one another, and their keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    equal = ordered[1:] == ordered[:-1]
    shared = np.zeros(len(keys), dtype=np.bool_)
    shared[1:] |= equal
    shared[:-1] |= equal
    return order[shared], ordered[shared]


def _sweep(
    order: Places,
    keys: Keys,
    wanted: Callable[[Places, Places], Flags],
    visit: Callable[[Places, Places], None],
    goes_on: Callable[[Places, Places], Flags],
) -> None:
    """Visit the pairs in each run of equal keys that are wanted.

    First all neighbours, then those with one between them, and so on. Runs that need no more of it are left out after
    1, 2, 4, 8 … steps: many copies of one text are one group after the first, and cost as many comparisons as they are.

    Args:
        order: the texts, those of a run after one another.
        keys: their keys.
        wanted: which of some pairs are worth a comparison.
        visit: compares pairs.
        goes_on: of the runs that start at places among their members, those in which there may be more to compare.
    """
    step = 1
    while (same := keys[step:] == keys[:-step]).any():
        first, second = order[:-step][same], order[step:][same]
        chosen = wanted(first, second)
        visit(first[chosen], second[chosen])
        if step & (step - 1) == 0:
            starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
            sizes = np.diff(np.append(starts, len(keys)))
            left = np.repeat(goes_on(order, starts) & (sizes > step), sizes)
            order, keys = order[left], keys[left]
        step += 1
        if len(keys) <= step:
            return
