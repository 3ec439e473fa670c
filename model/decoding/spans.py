"""Spans of entities, and of the holders and targets of stances: their decoding, and the choice between them."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from claimstance.model.decoding.tags import Floats, decode_tags
from claimstance.model.labels import bio
from claimstance.model.text.entities import FoundEntity
from claimstance.model.text.offsets import overlap
from claimstance.model.windows import SentenceSpan, Window

_POSSESSIVE = re.compile(r"(?<=['’])s\b\s*")


def decode_entities(
    logits: Floats, window: Window, tags: Sequence[str], texts: Sequence[str]
) -> Iterator[FoundEntity]:
    """Yield the entities of a window, from the logits (T, C) of its tokens.

    ``tags`` are the names of the tags, in the order of the logits; ``texts`` are the sentences of the document.
    """
    for tagged in decode_tags(logits, window, tags):
        first = window.locate(tagged.start, tagged.end)[0]
        span = _without_punctuation(first, texts)
        yield FoundEntity(span, tagged.label, tagged.probability)


def decode_opinion_spans(
    logits: Floats, window: Window, label: str, texts: Sequence[str]
) -> Iterator[SentenceSpan]:
    """Yield the holders or the targets of stances in a window, from the logits (T, 3) of its tokens.

    ``label`` is that of the tags; ``texts`` are the sentences of the document.
    """
    bounds: list[list[int]] = []
    for tagged in decode_tags(logits, window, bio((label,))):
        # Two holders or targets hardly ever touch: such spans are one, of which two words seemed to begin.
        if bounds and bounds[-1][1] == tagged.start:
            bounds[-1][1] = tagged.end
        else:
            bounds.append([tagged.start, tagged.end])

    for start, end in bounds:
        first = window.locate(start, end)[0]
        span = _without_punctuation(first, texts)
        text = texts[span.sentence]
        # The ending of the name before belongs to that: *moves*, not *s moves*, of *Moscow's moves*.
        possessive = _POSSESSIVE.match(text, span.start, span.end)
        if possessive is not None:
            span = replace(span, start=possessive.end())
        words = text[span.start : span.end]
        if words.lower() not in ("", "a", "an", "the"):
            yield span


def _without_punctuation(piece: SentenceSpan, texts: Sequence[str]) -> SentenceSpan:
    """Return a name without the punctuation before it, which the annotations of entities exclude."""
    text = texts[piece.sentence][piece.start : piece.end]
    for offset, character in enumerate(text):
        if character.isalnum():
            return replace(piece, start=piece.start + offset)
    return piece


def suppress_overlaps(
    groups: Sequence[Hashable],
    spans: Sequence[tuple[int, int] | None],
    probabilities: Sequence[float],
) -> list[int]:
    """Return the numbers of spans, likeliest first, without those that overlap a likelier one of their group.

    Args:
        groups: the group of each span.
        spans: start and end; ``None`` overlaps nothing.
        probabilities: the probability of each span.
    """
    # Group → its spans so far, sorted; none of them overlap.
    rivals: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    selected = []
    for number in sorted(range(len(spans)), key=lambda number: -probabilities[number]):
        span = spans[number]
        if span is not None:
            others = rivals[groups[number]]
            position = bisect_right(others, span)
            # Only the neighbours in the order of the text can overlap it.
            neighbours = others[max(position - 1, 0) : position + 1]
            if any(overlap(span, neighbour) for neighbour in neighbours):
                continue
            others.insert(position, span)
        selected.append(number)
    return selected
