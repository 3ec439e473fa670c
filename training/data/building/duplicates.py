"""Near-duplicate texts, which share most of their word trigrams, such as copies of a wire story.

Candidates come from MinHash (Broder 1997) with banding (Leskovec, Rajaraman, Ullman, *Mining of Massive
Datasets*, chapter 3): two texts with one equal band of minima. Each candidate pair is then verified on its
trigrams, so there are no false positives. A pair without an equal band is missed; the number of bands is
chosen so that this happens to one pair in a thousand at the threshold itself, and to fewer above it.

Measured on all sentences of DSE and NewsMTSC (train) and PolNeAR (train), 48,197 distinct texts, against the
exact product of all pairs: 32 pairs have a similarity of 0.8 or more, and all 32 were found. Real sentences
have few near-duplicates, so each was also compared with a copy of itself after one or two words were changed
or left out: of 24,129 such pairs with a similarity of 0.8 or more all were found (recall 100 %; the bound at
0.8 itself is 99.98 %). ``datasketch`` was preferred to ``rensa``, which found the same pairs and takes 12 µs
a text in place of 40: the minima of ``datasketch`` are integer arithmetic in NumPy under a named scheme, the
same on every machine and in every later version, while those of ``rensa`` changed with its last release,
which has a compiled part for each Python.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from claimstance.training.data.building.groups import (
    HashKeys,
    Pairs,
    RowIndices,
    is_in_sorted,
    run_starts,
    union_groups,
)
from claimstance.training.data.building.row_store import RaggedArray, RowStore

DEFAULT_SIMILARITY = 0.8  # texts at least this similar are near-duplicates, unless configured
SHINGLE = 3  # words
PERMUTATIONS = 64
_MISS_RATE = 1e-3  # of the pairs at the threshold
_SCHEME = "affine64"
_PAIR_BLOCK = 1 << 14  # pairs compared at a time; their index takes 16 of the 64 bits of a key
_HASH_FACTOR = 0x9E3779B97F4A7C15

Flags = NDArray[np.bool_]


@lru_cache
def band_shape(threshold: float) -> tuple[int, int]:
    """Return the number of bands and the minima per band that find pairs of this similarity.

    The bands are as long as the miss rate allows: long bands give few candidates.
    """
    for length in range(PERMUTATIONS, 0, -1):
        count = PERMUTATIONS // length
        if (1 - threshold**length) ** count <= _MISS_RATE:
            return count, length
    return PERMUTATIONS, 1


@lru_cache(1)
def _minhash() -> Any:
    # The import loads SciPy's integrals, which nothing else in a build needs.
    from datasketch import MinHash

    # The shingles are hashes already, which ``int`` leaves as they are.
    return MinHash(PERMUTATIONS, scheme=_SCHEME, hashfunc=int)


def sketch(keys: Sequence[str], threshold: float) -> tuple[RaggedArray, list[HashKeys]]:
    """Return the sorted shingle hashes of each text, and one hash per text for each band.

    Args:
        keys: the words of each text, separated by one space (``claimstance.model.record.text_key``).
        threshold: the similarity that the bands should find.
    """
    shingles = []
    for key in keys:
        words = key.split()
        # A text of fewer words is one shingle.
        shingle_count = max(1, len(words) - SHINGLE + 1)
        hashes = set()
        for start in range(shingle_count):
            shingle = " ".join(words[start : start + SHINGLE])
            hashes.add(xxhash.xxh3_64_intdigest(shingle.encode()))
        shingles.append(sorted(hashes))

    minima = np.empty((len(keys), PERMUTATIONS), dtype=np.uint64)
    minhash = _minhash()
    for row, row_shingles in enumerate(shingles):
        minhash.clear()
        minhash.update_batch(row_shingles)
        minima[row] = minhash.hashvalues

    count, length = band_shape(threshold)
    # A band hashes to a weighted sum of its minima, modulo 2**64.
    factors = [pow(_HASH_FACTOR, i, 1 << 64) for i in range(length)]
    banded = minima[:, : count * length].reshape(len(keys), count, length)
    weighted = banded * np.array(factors, dtype=np.uint64)
    band_hashes = weighted.sum(axis=2, dtype=np.uint64)  # (texts, bands)
    return RaggedArray.of_hashes(shingles), list(band_hashes.T)


class SketchedTexts:
    """Give access to the sketches of distinct texts, which are numbered from 0.

    Args:
        store: has the columns ``shingles`` and ``band 0``, ``band 1``, ….
        rows: the row of the store of each text.
        threshold: the similarity that the sketches were made for.
    """

    def __init__(self, store: RowStore, rows: RowIndices, threshold: float) -> None:
        self.threshold = threshold
        self._store = store
        self._rows = rows
        # The values stay on disk: only the offsets of the shingles fit in memory.
        shingles = RaggedArray(np.empty(0), store.column("shingles.sizes"))
        self._starts = shingles.starts
        self._sizes = shingles.sizes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def band_count(self) -> int:
        """Return the number of bands."""
        return band_shape(self.threshold)[0]

    def band(self, number: int) -> HashKeys:
        """Return the hash of one band of each text."""
        hashes: HashKeys = self._store.column(f"band {number}")[self._rows]
        return hashes

    def similarity(self, pairs: Pairs) -> NDArray[np.float64]:
        """Return the Jaccard similarity of the shingles of each pair of texts."""
        first, second = pairs
        similarities = [np.empty(0)]
        for start in range(0, len(first), _PAIR_BLOCK):
            block = slice(start, start + _PAIR_BLOCK)
            similarities.append(self._block_similarity(first[block], second[block]))
        return np.concatenate(similarities)

    def _block_similarity(self, first: RowIndices, second: RowIndices) -> NDArray[np.float64]:
        """Return the similarity of each pair of a block."""
        # A text that is in several pairs is read once.
        texts, indices = np.unique(np.concatenate([first, second]), return_inverse=True)
        rows = self._rows[texts]
        sizes = self._sizes[rows]
        values = self._store.values("shingles", self._starts[rows], sizes)
        shingles = RaggedArray(values, sizes)
        first_indices, second_indices = np.split(indices, 2)
        first_shingles = shingles.take(first_indices)
        second_shingles = shingles.take(second_indices)

        # One search finds the shingles that are in both texts of a pair.
        is_common = is_in_sorted(_keys_by_pair(first_shingles), _keys_by_pair(second_shingles))
        common = np.bincount(first_shingles.rows[is_common], minlength=len(first))
        total = first_shingles.sizes.astype(np.int64) + second_shingles.sizes
        return common / (total - common)


def _keys_by_pair(shingles: RaggedArray) -> HashKeys:
    """Return ascending keys: the index of a shingle's pair, then the upper 48 bits of its hash."""
    keys: HashKeys = shingles.rows.astype(np.uint64) << np.uint64(48)
    keys |= shingles.values >> np.uint64(16)
    return keys


class _PairVisitor(ABC):
    """Decide which candidate pairs are compared, and use the result."""

    @abstractmethod
    def is_needed(self, first: RowIndices, second: RowIndices) -> Flags:
        """Return for each pair of texts if it should be compared."""

    @abstractmethod
    def compare(self, texts: SketchedTexts, first: RowIndices, second: RowIndices) -> None:
        """Compare pairs of texts."""

    @abstractmethod
    def is_open(self, members: RowIndices, starts: RowIndices) -> Flags:
        """Return for each run of texts if it may contain further pairs to compare.

        Args:
            members: the texts, run after run.
            starts: index in ``members`` of the first text of each run.
        """


class _GroupMerger(_PairVisitor):
    """Merge the groups of near-duplicates."""

    def __init__(self, groups: RowIndices) -> None:
        self.groups = groups

    def is_needed(self, first: RowIndices, second: RowIndices) -> Flags:
        """Return if the two texts are in different groups."""
        return np.asarray(self.groups[first] != self.groups[second])

    def compare(self, texts: SketchedTexts, first: RowIndices, second: RowIndices) -> None:
        """Merge the groups of near-duplicates."""
        near = texts.similarity((first, second)) >= texts.threshold
        self.groups = union_groups(self.groups, (first[near], second[near]))

    def is_open(self, members: RowIndices, starts: RowIndices) -> Flags:
        """Return if a run has texts of several groups."""
        groups = self.groups[members]
        lowest = np.minimum.reduceat(groups, starts)
        highest = np.maximum.reduceat(groups, starts)
        return np.asarray(lowest != highest)


class DuplicateSearch(_PairVisitor):
    """Search near-duplicates of the query texts among the indexed texts.

    Attributes:
        indexed: the texts that are searched, as flags.
        queries: the texts to search duplicates for, as flags; none of them is indexed.
        matches: a near-duplicate of each query text; -1 if there is none.
        similarities: the similarity of each match.
    """

    def __init__(self, indexed: Flags, queries: Flags) -> None:
        self.indexed = indexed
        self.queries = queries
        self.matches = np.full(len(indexed), -1, dtype=np.int32)
        self.similarities = np.zeros(len(indexed), dtype=np.float32)

    def _is_unmatched(self, members: RowIndices) -> Flags:
        return np.asarray(self.queries[members] & (self.matches[members] < 0))

    def is_needed(self, first: RowIndices, second: RowIndices) -> Flags:
        """Return if one text is indexed, and the other an unmatched query."""
        forward = self.indexed[first] & self._is_unmatched(second)
        backward = self.indexed[second] & self._is_unmatched(first)
        return np.asarray(forward | backward)

    def compare(self, texts: SketchedTexts, first: RowIndices, second: RowIndices) -> None:
        """Keep the near-duplicates as matches."""
        similarities = texts.similarity((first, second))
        near = similarities >= texts.threshold
        first, second = first[near], second[near]
        is_reversed = self.indexed[second]
        queries = np.where(is_reversed, first, second)
        self.matches[queries] = np.where(is_reversed, second, first)
        self.similarities[queries] = similarities[near]

    def is_open(self, members: RowIndices, starts: RowIndices) -> Flags:
        """Return if a run has indexed texts and unmatched queries."""
        has_indexed = np.logical_or.reduceat(self.indexed[members], starts)
        has_unmatched = np.logical_or.reduceat(self._is_unmatched(members), starts)
        return np.logical_and(has_indexed, has_unmatched)


def merge_near_duplicates(texts: SketchedTexts, groups: RowIndices) -> RowIndices:
    """Return the groups of texts after merging the groups of near-duplicates.

    Args:
        texts: the texts.
        groups: the group of each text. A group's id is its first text.
    """
    merger = _GroupMerger(groups)
    for number in range(texts.band_count):
        order, keys = _shared_runs(texts.band(number))
        _compare_runs(texts, order, keys, merger)
    return merger.groups


def run_searches(texts: SketchedTexts, searches: Sequence[DuplicateSearch]) -> None:
    """Run several searches at once, band by band, so that each band is read and sorted once."""
    for number in range(texts.band_count):
        order, keys = _shared_runs(texts.band(number))
        for search in searches:
            _compare_runs(texts, order, keys, search)


def _shared_runs(keys: HashKeys) -> tuple[RowIndices, HashKeys]:
    """Return the texts whose key another text has, too, in runs of equal keys, and these keys."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    equal = ordered[1:] == ordered[:-1]
    shared = np.zeros(len(keys), dtype=np.bool_)
    shared[1:] |= equal
    shared[:-1] |= equal
    return order[shared], ordered[shared]


def _compare_runs(
    texts: SketchedTexts, order: RowIndices, keys: HashKeys, visitor: _PairVisitor
) -> None:
    """Compare the needed pairs within each run of equal keys.

    Neighbours come first, then texts at distance 2, and so on. After 1, 2, 4, 8 … steps, runs without
    further pairs are dropped: many copies of one text form one group after the first step, so that they
    cost as many comparisons as there are copies, not its square.

    Args:
        texts: the texts.
        order: texts, those of a run one after another.
        keys: the key of each of them.
        visitor: chooses and compares pairs.
    """
    distance = 1
    while len(keys) > distance:
        same = keys[distance:] == keys[:-distance]
        if not same.any():
            return
        first = order[:-distance][same]
        second = order[distance:][same]
        needed = visitor.is_needed(first, second)
        visitor.compare(texts, first[needed], second[needed])
        is_power_of_two = distance & (distance - 1) == 0
        if is_power_of_two:
            starts = run_starts(keys)
            sizes = np.diff(starts, append=len(keys))
            has_pairs = visitor.is_open(order, starts) & (sizes > distance)  # (runs,)
            remaining = np.repeat(has_pairs, sizes)  # (texts,)
            order = order[remaining]
            keys = keys[remaining]
        distance += 1
