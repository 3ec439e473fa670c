"""Checks of spans: where they begin and end, and which overlap."""

import re
from collections.abc import Iterator
from itertools import combinations

from claimstance.model.errors import shorten
from claimstance.model.labels import ROLES
from claimstance.model.record import Span
from claimstance.training.data.lint.base import Seen, surface

_WORD = re.compile(r"\w")
# Scripts written without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han), where \w says nothing of words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def cut_words(seen: Seen) -> Iterator[str]:
    """A span that begins or ends inside a word is read as the whole word, or was a slip of the hand."""
    text = seen.record.text
    for field, span in seen.record.spans():
        for start, end in span:
            if _is_inside_word(text, start) or _is_inside_word(text, end):
                whole = text[_outward(text, start, -1) : _outward(text, end, 1)]
                yield f"{field}: expected whole words ({shorten(repr(whole))}), found {shorten(repr(text[start:end]))}"
                break


def _is_inside_word(text: str, place: int) -> bool:
    around = text[max(0, place - 1) : place + 1]
    return (
        0 < place < len(text) and len(_WORD.findall(around)) == 2 and not _UNSPACED.search(around)
    )


def _outward(text: str, place: int, step: int) -> int:
    while _is_inside_word(text, place):
        place += step
    return place


def outer_whitespace(seen: Seen) -> Iterator[str]:
    """White space at the ends of a span belongs to nobody."""
    for field, span in seen.record.spans():
        pieces = [seen.record.text[start:end] for start, end in span]
        if found := next((piece for piece in pieces if piece != piece.strip()), None):
            yield f"{field}: expected no white space around it, found {shorten(repr(found))}"


def only_punctuation(seen: Seen) -> Iterator[str]:
    """A span without a letter or digit names nothing; a cue may be a colon."""
    for field, span in seen.record.spans():
        if not field.endswith(".cue") and not _WORD.search(
            words := surface(seen.record.text, span)
        ):
            yield f"{field}: expected words, found {shorten(repr(words))}"


def crossing_entities(seen: Seen) -> Iterator[str]:
    """Entities may lie in one another; where they overlap in part, one of them is wrong."""
    for (i, one), (j, other) in combinations(enumerate(seen.record.entities or ()), 2):
        first, second = _characters(one.span), _characters(other.span)
        if first & second and not (first <= second or second <= first):
            text = seen.record.text
            yield (
                f"entities[{j}].span: expected it apart from or within entities[{i}] "
                f"({shorten(repr(surface(text, one.span)))}), found {shorten(repr(surface(text, other.span)))}"
            )


def two_entity_labels(seen: Seen) -> Iterator[str]:
    """An entity is of one kind."""
    first: dict[tuple[tuple[int, int], ...], tuple[int, str]] = {}
    for i, entity in enumerate(seen.record.entities or ()):
        j, label = first.setdefault(tuple(entity.span), (i, entity.label))
        if label != entity.label:
            yield (
                f"entities[{i}].label: expected '{label}', which entities[{j}] with the same span has, "
                f"found '{entity.label}'"
            )


def overlapping_parts(seen: Seen) -> Iterator[str]:
    """Source, cue and content of one attribution are different words."""
    for i, attribution in enumerate(seen.record.attributions or ()):
        parts = {role: span for role in ROLES if (span := getattr(attribution, role)) is not None}
        for one, other in combinations(parts, 2):
            if common := _characters(parts[one]) & _characters(parts[other]):
                shared = seen.record.text[min(common) : max(common) + 1]
                yield (
                    f"attributions[{i}]: expected {one} and {other} apart, found both at [{min(common)}, "
                    f"{max(common) + 1}] ({shorten(repr(shared))})"
                )


def _characters(span: Span) -> set[int]:
    return {place for start, end in span for place in range(start, end)}
