"""Stretches of a text as offsets."""

Offsets = tuple[int, int]
"""``[start, end)`` of a stretch, in characters."""


def overlap(first: Offsets, second: Offsets) -> bool:
    """Return whether two stretches have characters in common."""
    return first[0] < second[1] and second[0] < first[1]
