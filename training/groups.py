"""Rows that belong together, because they share a document or a text."""

from collections.abc import Hashable, Sequence


def unite(keys: Sequence[Sequence[Hashable]]) -> list[int]:
    """The group of each row, where rows that share a key are in one group, and so are those they share keys with.

    Args:
        keys: the keys of each row; a key counts with its place, so that a name and an equal text do not meet.

    Returns:
        For each row the index of the first row of its group.

    >>> unite([("a", 1), ("b", 2), ("a", 2), ("c", 3)])
    [0, 0, 0, 3]
    """
    parents = list(range(len(keys)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]  # halves the path, so that the next look is short
            row = parents[row]
        return row

    first: dict[tuple[int, Hashable], int] = {}
    for row, row_keys in enumerate(keys):
        for key in enumerate(row_keys):
            one, other = root(first.setdefault(key, row)), root(row)
            parents[max(one, other)] = min(one, other)
    return [root(row) for row in range(len(keys))]
