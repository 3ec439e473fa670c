"""Spans of entities, and of the holders and targets of stances: their decoding, and the choice between them."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from claimstance.model.decoding.tags import Floats, decode_tags
from claimstance.model.labels import bio
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.text.offsets import overlap
from claimstance.model.windows import SentenceSpan, Window

_WORD = re.compile(r"\S+")
_POSSESSIVE = re.compile(r"(?<=['’])s\b\s*")
_ARTICLES = ("a", "an", "the")
_PREPOSITIONS = frozenset(
    ("about", "against", "at", "by", "for", "from", "in", "of", "on", "over", "to", "with")
)
_RELATIVE_PRONOUNS = ("that", "which", "who")  # "who" may be a holder, and "that" a target
#: Words that are no part of a noun phrase if they begin it, or end it.
_NOT_FIRST = frozenset([*_PREPOSITIONS, "and", "or"])
_NOT_LAST = frozenset([*_NOT_FIRST, *_ARTICLES, *_RELATIVE_PRONOUNS])


def decode_entities(
    logits: Floats, window: Window, tags: Sequence[str], texts: Sequence[str]
) -> Iterator[DecodedEntity]:
    """Yield the entities of a window, from the logits (T, C) of its tokens.

    ``tags`` are the names of the tags, in the order of the logits; ``texts`` are the sentences of the document.
    """
    for tagged in decode_tags(logits, window, tags):
        first = window.locate(tagged.start, tagged.end)[0]
        span = _without_punctuation(first, texts)
        yield DecodedEntity(span, tagged.label, tagged.probability)


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

    spans: list[SentenceSpan] = []
    for start, end in bounds:
        span = _without_punctuation(window.locate(start, end)[0], texts)
        # The ending of the name before belongs to that: *moves*, not *s moves*, of *Moscow's moves*.
        possessive = _POSSESSIVE.match(texts[span.sentence], span.start, span.end)
        if possessive is not None:
            span = replace(span, start=possessive.end())
        if spans and _is_continued(spans[-1], span, texts):
            spans[-1] = replace(spans[-1], end=span.end)
        else:
            spans.append(span)

    for span in spans:
        trimmed = _without_function_words(span, texts)
        words = texts[span.sentence][trimmed.start : trimmed.end]
        if any(map(str.isalnum, words)) and words.lower() not in _ARTICLES:
            yield trimmed


def _is_continued(span: SentenceSpan, following: SentenceSpan, texts: Sequence[str]) -> bool:
    """Return whether a span ends with a preposition, and goes on with the one that follows.

    In *signs of the buildup*, the spans *signs of* and *buildup* are one.
    """
    if span.sentence != following.sentence:
        return False
    text = texts[span.sentence]
    gap = text[span.end : following.start].strip().lower()
    words = text[span.start : span.end].split()
    return gap in ("", *_ARTICLES) and bool(words) and words[-1] in _PREPOSITIONS


def _without_function_words(span: SentenceSpan, texts: Sequence[str]) -> SentenceSpan:
    """Return a span without the words around it that are no part of a noun phrase: *signs* of *signs of*.

    The apostrophe of a possessive ending goes, too, and an opened parenthesis is closed. Capitalized words stay (*To
    Kill a Mockingbird*), but for the first one of a sentence. A pronoun alone stays; a span of other such words
    becomes empty.
    """
    sentence = texts[span.sentence]
    words = [match.span() for match in _WORD.finditer(sentence, span.start, span.end)]
    if len(words) == 1 and sentence[slice(*words[0])].lower() in _RELATIVE_PRONOUNS:
        return span

    while words:
        start, end = words[0]
        word = sentence[start:end]
        if (word.lower() if start == 0 else word) not in _NOT_FIRST:
            break
        words.pop(0)
    while words and sentence[slice(*words[-1])].rstrip(",") in _NOT_LAST:
        words.pop()
    if not words:
        return replace(span, end=span.start)
    start, end = words[0][0], words[-1][1]
    text = sentence[start:end].rstrip(", ")
    if text.endswith(("’", "'")):
        text = text[:-1]
    if text.count("(") > text.count(")") and sentence.startswith(")", start + len(text)):
        text += ")"
    return replace(span, start=start, end=start + len(text))


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
