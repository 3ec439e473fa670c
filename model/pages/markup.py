"""Showing spans in a text, where they nest, overlap or come in pieces: what any page does before it writes markup.

A text is cut at all bounds of its marks. Each piece then has the same marks from its first character to its last, so
that it can stand in elements of its own, one in the other, which close where the piece ends.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

#: Characters that change the direction of what follows, or are there unseen: U+202E can make a page say another thing.
_DIRECTION = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_KEPT = frozenset("\t\n\r")


class MarkLike(Protocol):
    """What is marked: characters ``[start, end)`` of a text, in which style, and what a reader is told of it."""

    @property
    def start(self) -> int:
        """The first character, in code points."""

    @property
    def end(self) -> int:
        """The one after the last."""

    @property
    def classes(self) -> str:
        """The names of styles, with a space between."""

    @property
    def title(self) -> str:
        """What it is, in words."""


@dataclass(frozen=True)
class Mark:
    """A mark with nothing more to it (see ``MarkLike``)."""

    start: int
    end: int
    classes: str = ""
    title: str = ""


M = TypeVar("M", bound=MarkLike)


@dataclass(frozen=True)
class Segment(Generic[M]):
    """A piece of a text, ``text[start:end]``, that no mark begins or ends within.

    Attributes:
        start: its first character, in code points.
        end: the one after its last.
        text: the piece itself.
        marks: those that cover it, the outermost first: the one that begins first; of these the longest.
        begins: those of them that begin here.
    """

    start: int
    end: int
    text: str
    marks: tuple[M, ...]
    begins: tuple[M, ...]


def segments(text: str, marks: Sequence[M]) -> list[Segment[M]]:
    """Cut a text at all bounds of its marks.

    The pieces, one after another, are the text; there are none of an empty one.

    Raises:
        ValueError: for a mark that is empty or reaches beyond the text.
    """
    for mark in marks:
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(
                f"expected 0 <= start < end <= {len(text)} (the text's length), "
                f"found [{mark.start}, {mark.end}]"
            )
    waiting = sorted(marks, key=lambda mark: (mark.start, -mark.end))[
        ::-1
    ]  # marks with equal bounds stay in order
    bounds = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    found: list[Segment[M]] = []
    covering: list[M] = []
    for start, end in pairwise(bounds):
        covering = [mark for mark in covering if mark.end > start]
        before = len(covering)
        while waiting and waiting[-1].start == start:
            covering.append(waiting.pop())
        found.append(
            Segment(start, end, text[start:end], tuple(covering), tuple(covering[before:]))
        )
    return found


def lanes(marks: Sequence[MarkLike]) -> list[int]:
    """A line of its own, from 0, for each of the marks that share a character: the shorter, the nearer to the text."""
    chosen = [0] * len(marks)
    done: list[int] = []
    for place in sorted(range(len(marks)), key=lambda i: (marks[i].end - marks[i].start, i)):
        mark = marks[place]
        taken = {chosen[i] for i in done if marks[i].start < mark.end and mark.start < marks[i].end}
        chosen[place] = next(lane for lane in range(len(marks)) if lane not in taken)
        done.append(place)
    return chosen


def visible(text: str) -> str:
    r"""The text with what cannot be seen, and could mislead, written out: ``⟨U+202E⟩``.

    These are the characters that set the direction of writing, controls but for tab and line ends, and halves of
    surrogate pairs, which no file in UTF-8 can hold. Joiners are kept: scripts and emoji need them.

    >>> visible("a\u202eb")
    'a⟨U+202E⟩b'
    """
    return "".join(f"⟨U+{ord(c):04X}⟩" if _hidden(c) else c for c in text)


def _hidden(character: str) -> bool:
    return character in _DIRECTION or (
        character not in _KEPT and unicodedata.category(character) in ("Cc", "Cs")
    )
