"""Groups of rows that share a document, a text or another key, and so must stay in one split."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

HashKeys = NDArray[np.uint64]  # 64-bit hashes of what rows may share; 0 means that a row has none
RowIndices = NDArray[np.int64]
Pairs = tuple[RowIndices, RowIndices]

# Odd 64-bit constants of the SplitMix64 generator, which spread similar numbers over all bits.
_GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)


def pair_equal_keys(keys: HashKeys, rows: RowIndices | None = None) -> Pairs:
    """Return pairs of rows that connect all rows with the same key.

    Each row is paired with the next row that has its key, so n rows give n - 1 pairs.

    Args:
        keys: one key per row, or several per row if ``rows`` is given; 0 is no key.
        rows: the row of each key; defaults to the key's index.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    next_keys = ordered[1:]
    is_pair = (next_keys == ordered[:-1]) & (next_keys != 0)
    first = order[:-1][is_pair]
    second = order[1:][is_pair]
    if rows is None:
        return first, second
    return rows[first], rows[second]


def union_groups(groups: RowIndices, pairs: Pairs) -> RowIndices:
    """Return the groups after merging the two groups of each pair of rows.

    Args:
        groups: the group of each row. A group's id is its first row.
        pairs: rows that belong together.
    """
    first_rows, second_rows = pairs
    first = groups[first_rows]
    second = groups[second_rows]
    differ = first != second
    if not differ.any():
        return groups
    # Only groups that change take part in the graph, so that its size does not depend on the rows.
    endpoints = np.concatenate([first[differ], second[differ]])
    ids, nodes = np.unique(endpoints, return_inverse=True)
    sources, targets = np.split(nodes, 2)
    weights = np.ones(len(sources), dtype=np.int8)
    shape = (len(ids), len(ids))
    graph = coo_matrix((weights, (sources, targets)), shape=shape)
    _, components = connected_components(graph, directed=False)
    # ``ids`` ascend, so the first node of a component is the one with the smallest id.
    _, first_nodes = np.unique(components, return_index=True)
    merged = np.arange(len(groups))
    merged[ids] = ids[first_nodes][components]
    return merged[groups]


def combine_keys(keys: HashKeys, numbers: NDArray[np.integer]) -> HashKeys:
    """Return one key for each pair of a key and a number; a key of 0 stays 0.

    Args:
        keys: the keys, (n,).
        numbers: numbers from 0, (n,), such as indices of files whose keys must differ.
    """
    offset = numbers.astype(np.uint64) + np.uint64(1)
    mixed: HashKeys = keys ^ (offset * _GOLDEN_RATIO)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MULTIPLIER
    # The lowest bit is set, so that no pair gets 0 by chance.
    mixed |= np.uint64(1)
    mixed[keys == 0] = 0
    return mixed


def run_starts(*columns: NDArray[np.generic]) -> RowIndices:
    """Return the index of the first row of each run, in which all columns stay the same."""
    is_start = np.zeros(len(columns[0]), dtype=np.bool_)
    is_start[:1] = True
    for column in columns:
        is_start[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_start)


def is_in_sorted(keys: HashKeys, candidates: HashKeys) -> NDArray[np.bool_]:
    """Return for each key if it is among ``candidates``, which ascend."""
    if not len(candidates):
        return np.zeros(len(keys), dtype=np.bool_)
    indices = np.searchsorted(candidates, keys)
    # A key above all candidates would have the index after the last one.
    nearest = candidates[np.minimum(indices, len(candidates) - 1)]
    return np.asarray(nearest == keys)


def is_duplicated(keys: HashKeys) -> NDArray[np.bool_]:
    """Return for each row if another row has the same key."""
    first, second = pair_equal_keys(keys)
    duplicated = np.zeros(len(keys), dtype=np.bool_)
    duplicated[first] = True
    duplicated[second] = True
    return duplicated
