"""Spans, attributions and entities with offsets into their article: ``text[span.start:span.end] == span.text``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Represent a possibly discontinuous span of the article; ``start`` and ``end`` enclose all pieces.

    Attributes:
        pieces: ``(start, end)`` of its pieces; words between two of them do not belong to the span.
        name: of a source or a holder, the name that it refers to ("he" → "Kerry"), if that is resolved.
    """

    start: int
    end: int
    text: str
    pieces: tuple[tuple[int, int], ...]
    name: str | None = None


@dataclass(frozen=True)
class Attribution:
    """Represent who says what: a source, a cue and a content. A role that was not found is ``None``."""

    source: Span | None
    cue: Span | None
    content: Span | None
    probability: float


@dataclass(frozen=True)
class Continuation:
    """Represent words of a sentence whose source stands in another sentence: a quotation that runs on.

    Attributes:
        source: that of the attribution, mostly outside of this sentence; ``None`` if it has none.
        cue: that of the attribution.
        content: the words of the content that stand in this sentence.
        probability: that of the attribution.
        told_in: the index of the sentence of the attribution.
    """

    source: Span | None
    cue: Span | None
    content: Span
    probability: float
    told_in: int


@dataclass(frozen=True)
class Entity:
    """Represent a named entity."""

    start: int
    end: int
    text: str
    label: str
    probability: float
