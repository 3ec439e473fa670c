"""Cutting a text at the bounds of spans that may nest, overlap or be discontinuous, for markup.

Each segment has the same marks from its first character to its last, so nested elements can be opened
where it begins and closed where it ends.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

#: Invisible characters that change the direction of text: U+202E can make a page read differently.
_DIRECTION = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_WHITESPACE = frozenset("\t\n\r")


class MarkLike(Protocol):
    """Describe a mark on characters ``[start, end)`` of a text."""

    @property
    def start(self) -> int:
        """Return the first character, in code points."""

    @property
    def end(self) -> int:
        """Return the end, exclusive."""

    @property
    def classes(self) -> str:
        """Return CSS classes, separated by spaces."""

    @property
    def title(self) -> str:
        """Return a description in words."""


@dataclass(frozen=True)
class Mark:
    """Represent a mark on characters ``[start, end)`` (see ``MarkLike``)."""

    start: int
    end: int
    classes: str = ""
    title: str = ""


M = TypeVar("M", bound=MarkLike)


@dataclass(frozen=True)
class Segment(Generic[M]):
    """Represent a segment ``text[start:end]`` within which no mark begins or ends.

    Attributes:
        start: its first character, in code points.
        end: its end, exclusive.
        text: the characters.
        marks: marks that cover it, the outermost first: the earliest, then the longest.
        begins: those of ``marks`` that begin here.
    """

    start: int
    end: int
    text: str
    marks: tuple[M, ...]
    begins: tuple[M, ...]


def segments(text: str, marks: Sequence[M]) -> list[Segment[M]]:
    """Cut a text at all bounds of its marks; the segments, joined, are the text.

    Raises:
        ValueError: for a mark that is empty or reaches beyond the text.
    """
    for mark in marks:
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(
                f"expected 0 <= start < end <= {len(text)} (the text's length), "
                f"found [{mark.start}, {mark.end}]"
            )

    # Sorting is stable, so marks with equal bounds keep their order; the next mark is the last element.
    upcoming = sorted(marks, key=lambda mark: (mark.start, -mark.end))
    upcoming.reverse()
    bounds = {0, len(text)}
    for mark in marks:
        bounds |= {mark.start, mark.end}

    result: list[Segment[M]] = []
    covering: list[M] = []
    for start, end in pairwise(sorted(bounds)):
        covering = [mark for mark in covering if mark.end > start]
        running = len(covering)
        while upcoming and upcoming[-1].start == start:
            covering.append(upcoming.pop())
        begins = tuple(covering[running:])
        result.append(Segment(start, end, text[start:end], tuple(covering), begins))
    return result


def lanes(marks: Sequence[MarkLike]) -> list[int]:
    """Return a lane from 0 for each mark, so that marks in one lane share no character.

    Shorter marks get lanes nearer to the text.
    """
    by_length = sorted(range(len(marks)), key=lambda i: (marks[i].end - marks[i].start, i))
    result = [0] * len(marks)
    assigned: list[int] = []
    for index in by_length:
        mark = marks[index]
        taken = set()
        for other in assigned:
            if marks[other].start < mark.end and mark.start < marks[other].end:
                taken.add(result[other])
        while result[index] in taken:
            result[index] += 1
        assigned.append(index)
    return result


def visible(text: str) -> str:
    r"""Return the text with misleading invisible characters spelled out: ``⟨U+202E⟩``.

    These are the characters that set the direction of text, controls other than tab and line ends, and
    surrogates, which UTF-8 cannot encode. Joiners stay, because scripts and emoji need them.

    >>> visible("a\u202eb")
    'a⟨U+202E⟩b'
    """
    characters = []
    for character in text:
        is_control = unicodedata.category(character) in ("Cc", "Cs")
        if character in _DIRECTION or (is_control and character not in _WHITESPACE):
            characters.append(f"⟨U+{ord(character):04X}⟩")
        else:
            characters.append(character)
    return "".join(characters)
