"""Checks of spans: their ends, and overlaps between them."""

import re
from collections.abc import Iterator
from itertools import combinations

from claimstance.model.errors import shorten
from claimstance.model.labels import ROLES
from claimstance.model.record import Span
from claimstance.training.data.lint.base import CheckedRecord, surface

_WORD = re.compile(r"\w")
# Thai, Lao, Myanmar, Khmer, kana and Han have no spaces between words, so that two
# neighbouring letters need not belong to one word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def cut_words(checked: CheckedRecord) -> Iterator[str]:
    """Yield spans that begin or end inside a word."""
    text = checked.record.text
    for field, span in checked.record.spans():
        for start, end in span:
            if _is_inside_word(text, start) or _is_inside_word(text, end):
                words = text[_word_boundary(text, start, -1) : _word_boundary(text, end, 1)]
                yield (
                    f"{field}: expected whole words ({shorten(repr(words))}), "
                    f"found {shorten(repr(text[start:end]))}"
                )
                break  # One message for a span is enough, whatever the number of its pieces.


def _is_inside_word(text: str, offset: int) -> bool:
    """Return whether the characters on both sides of an offset belong to one word."""
    if not 0 < offset < len(text):
        return False
    around = text[offset - 1 : offset + 1]
    return len(_WORD.findall(around)) == 2 and not _UNSPACED.search(around)


def _word_boundary(text: str, offset: int, step: int) -> int:
    """Return the next word boundary, to the left for a step of -1 and to the right for 1."""
    while _is_inside_word(text, offset):
        offset += step
    return offset


def outer_whitespace(checked: CheckedRecord) -> Iterator[str]:
    """Yield spans with white space at the ends of a piece."""
    for field, span in checked.record.spans():
        for start, end in span:
            piece = checked.record.text[start:end]
            if piece != piece.strip():
                yield f"{field}: expected no white space around it, found {shorten(repr(piece))}"
                break


def only_punctuation(checked: CheckedRecord) -> Iterator[str]:
    """Yield spans without any letter or digit."""
    for field, span in checked.record.spans():
        if field.endswith(".cue"):
            continue  # A colon can be a cue.
        words = surface(checked.record.text, span)
        if not _WORD.search(words):
            yield f"{field}: expected words, found {shorten(repr(words))}"


def crossing_entities(checked: CheckedRecord) -> Iterator[str]:
    """Yield pairs of entities that overlap without one containing the other."""
    text = checked.record.text
    for (i, first), (j, second) in combinations(enumerate(checked.record.entities or ()), 2):
        # Sets of offsets, because a span may have several pieces with gaps between them.
        first_offsets = _character_offsets(first.span)
        second_offsets = _character_offsets(second.span)
        nested = first_offsets <= second_offsets or second_offsets <= first_offsets
        if first_offsets & second_offsets and not nested:
            yield (
                f"entities[{j}].span: expected it apart from or within entities[{i}] "
                f"({shorten(repr(surface(text, first.span)))}), "
                f"found {shorten(repr(surface(text, second.span)))}"
            )


def two_entity_labels(checked: CheckedRecord) -> Iterator[str]:
    """Yield entities whose span has another label in the same record."""
    first: dict[tuple[tuple[int, int], ...], tuple[int, str]] = {}  # span → index and label
    for i, entity in enumerate(checked.record.entities or ()):
        j, label = first.setdefault(tuple(entity.span), (i, entity.label))
        if label != entity.label:
            yield (
                f"entities[{i}].label: expected '{label}', which entities[{j}] with the same span "
                f"has, found '{entity.label}'"
            )


def overlapping_parts(checked: CheckedRecord) -> Iterator[str]:
    """Yield attributions whose source, cue and content have characters in common."""
    for i, attribution in enumerate(checked.record.attributions or ()):
        offsets = {role: _character_offsets(getattr(attribution, role) or []) for role in ROLES}
        for first_role, second_role in combinations(ROLES, 2):
            common = offsets[first_role] & offsets[second_role]
            if not common:
                continue
            start, end = min(common), max(common) + 1
            yield (
                f"attributions[{i}]: expected {first_role} and {second_role} apart, found both at "
                f"[{start}, {end}] ({shorten(repr(checked.record.text[start:end]))})"
            )


def _character_offsets(span: Span) -> set[int]:
    """Return the offset of every character of a span."""
    offsets: set[int] = set()
    for start, end in span:
        offsets.update(range(start, end))
    return offsets
