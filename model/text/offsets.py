"""Stretches of a text, or of a sequence of tokens, as offsets."""

Offsets = tuple[int, int]
"""``[start, end)`` of a stretch."""


def overlap(first: Offsets, second: Offsets) -> bool:
    """Return whether two stretches have a character or token in common."""
    return first[0] < second[1] and second[0] < first[1]
