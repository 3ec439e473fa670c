"""Operations on spans with several pieces."""

from collections.abc import Iterable

from claimstance.model.record import Span


def normalise(pieces: Iterable[tuple[int, int]], text: str) -> Span:
    """Return sorted pieces without outer white space; pieces with no word between them become one.

    >>> normalise([(4, 8), (0, 4)], "one two three")
    [(0, 7)]
    """
    trimmed = [trim(start, end, text) for start, end in pieces]
    span: Span = []
    for start, end in sorted(trimmed):
        if start >= end:
            continue
        # Annotation tools cut one span into several pieces at line ends, for example.
        if span and (start <= span[-1][1] or text[span[-1][1] : start].isspace()):
            span[-1] = (span[-1][0], max(end, span[-1][1]))
        else:
            span.append((start, end))
    return span


def enclosing(span: Span) -> tuple[int, int]:
    """Return the offsets from the first piece of a span to its last one."""
    return min(start for start, _ in span), max(end for _, end in span)


def trim(start: int, end: int, text: str) -> tuple[int, int]:
    """Return offsets moved inwards over white space; equal offsets if there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def clip(span: Span, start: int, end: int, text: str) -> Span | None:
    """Return the pieces in ``text[start:end]``, relative to ``start``; ``None`` if there are none."""
    inside = []
    for first, last in span:
        if first < end and last > start:
            inside.append((max(first, start), min(last, end)))
    # Cutting may leave white space at the ends of pieces.
    clipped = normalise(inside, text)
    return [(first - start, last - start) for first, last in clipped] or None
