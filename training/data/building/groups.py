"""Rows that belong together, because they share a document, a text, or something else that is to stay on one side."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Keys = NDArray[np.uint64]  # hashes of what rows may share; 0 where a row has nothing of the kind
Places = NDArray[np.int64]  # numbers of rows
Pairs = tuple[Places, Places]


def link(keys: Keys, rows: Places | None = None) -> Pairs:
    """Pairs of rows that connect all rows of a key: each row with the next one that has the same key.

    Args:
        keys: a key for each row, or several for a row that ``rows`` then names several times; 0 is none.
        rows: the number of each key's row; its place if ``None``.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    first, second = order[:-1][same], order[1:][same]
    return (first, second) if rows is None else (rows[first], rows[second])


def connect(groups: Places, pairs: Pairs) -> Places:
    """Groups after the two groups of each pair of rows were put together.

    Args:
        groups: the group of each row, by the number of its first row.
        pairs: rows that belong together.
    """
    first, second = groups[pairs[0]], groups[pairs[1]]
    apart = first != second
    if not apart.any():
        return groups
    names, places = np.unique(np.concatenate([first[apart], second[apart]]), return_inverse=True)
    half = len(places) // 2
    graph = coo_matrix(
        (np.ones(half, dtype=np.int8), (places[:half], places[half:])), shape=(len(names),) * 2
    )
    _, components = connected_components(graph, directed=False)
    _, firsts = np.unique(
        components, return_index=True
    )  # names are in order: the first is the smallest
    renamed = np.arange(len(groups))
    renamed[names] = names[firsts][components]
    return renamed[groups]


def mixed(keys: Keys, others: NDArray[np.integer]) -> Keys:
    """One key from two, by multiplication modulo 2^64: equal pairs of values have equal keys; 0 stays 0."""
    spread = keys ^ ((others.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    spread = (spread ^ (spread >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    found: Keys = np.where(keys == 0, np.uint64(0), spread | np.uint64(1))
    return found


def repeated(keys: Keys) -> NDArray[np.bool_]:
    """Which rows have a key that another row has, too."""
    first, second = link(keys)
    found = np.zeros(len(keys), dtype=np.bool_)
    found[first] = found[second] = True
    return found
