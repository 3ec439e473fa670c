"""Spans with several pieces: normalising, and cutting to a sentence."""

from collections.abc import Iterable

from claimstance.model.record import Span


def normalise(pieces: Iterable[tuple[int, int]], text: str) -> Span:
    """The pieces in order, without outer whitespace, joined where only whitespace or nothing lies between them.

    >>> normalise([(4, 8), (0, 4)], "one two three")
    [(0, 7)]
    """
    span: Span = []
    for start, end in sorted(trim(start, end, text) for start, end in pieces):
        if start >= end:
            continue
        if span and (start <= span[-1][1] or text[span[-1][1] : start].isspace()):
            span[-1] = (span[-1][0], max(end, span[-1][1]))
        else:
            span.append((start, end))
    return span


def trim(start: int, end: int, text: str) -> tuple[int, int]:
    """``start`` and ``end`` moved inwards over whitespace; equal where there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def clip(span: Span, start: int, end: int, text: str) -> Span | None:
    """The part of ``span`` that lies in ``text[start:end]``, relative to ``start``; ``None`` if there is none."""
    inside = [
        (max(left, start), min(right, end)) for left, right in span if left < end and right > start
    ]
    return [(left - start, right - start) for left, right in normalise(inside, text)] or None
