"""PolNeAR's attributions in brat's standoff format (https://brat.nlplab.org/standoff.html).

Offsets are Unicode code points into the text read as UTF-8 with its line ends left alone, end exclusive.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Span, read_lines
from claimstance.training.data.documents.spans import clip, normalise

EVENTS = ("Attribution", "Attribution-no-source")
_LINE = re.compile(r"[TE]\d+\t")
_NUMBER = re.compile(r"\d+$")  # Content2 is a second Content


@dataclass(frozen=True)
class Event:
    """Represent an attribution of an article: the event's name, and its roles' spans in the whole text."""

    name: str
    roles: Mapping[str, Span]

    @cached_property
    def extent(self) -> tuple[int, int]:
        """Return the first character of any role and the end of the last, exclusive."""
        pieces: Span = []
        for span in self.roles.values():
            pieces += span
        return min(start for start, _ in pieces), max(end for _, end in pieces)

    def clip(self, start: int, end: int, text: str) -> dict[str, Span]:
        """Return the roles' spans in ``text[start:end]``, relative to ``start``; none if the event is elsewhere."""
        first, last = self.extent
        # Most events of an article lie outside a sentence, which their extent shows without their spans.
        if first >= end or last <= start:
            return {}
        roles = {}
        for role, span in self.roles.items():
            clipped = clip(span, start, end, text)
            if clipped:
                roles[role] = clipped
        return roles


def read_events(path: Path, text: str) -> list[Event]:
    """Return the attributions in a ``.ann`` file in the order of their E-lines, without *Discuss* and *Discard*.

    Raises:
        InputError: naming the file and the line.
    """
    spans: dict[str, Span] = {}
    event_lines = []
    for number, line in enumerate(read_lines(path), 1):
        # A T-line may quote a line end, which leaves a line that is neither T nor E.
        if not _LINE.match(line):
            continue
        location = f"{path}, line {number}"
        name, body = line.split("\t")[:2]
        if line.startswith("T"):
            spans[name] = _parse_span(body, location, text)
        else:
            event_lines.append((location, name, body))

    events = []
    # Only now, since an E-line may name a later T-line. It is ``EVENT:T1 ROLE:T2 …``.
    for location, name, body in event_lines:
        arguments = body.split()
        if not arguments or arguments[0].partition(":")[0] not in EVENTS:
            continue
        pieces: dict[str, Span] = {}
        for argument in arguments[1:]:
            role, _, reference = argument.partition(":")
            if reference not in spans:
                raise InputError(f"{location}: expected the name of a T-line, found {reference!r}")
            role = _NUMBER.sub("", role).lower()
            pieces.setdefault(role, []).extend(spans[reference])

        roles = {}
        for role, role_pieces in pieces.items():
            span = normalise(role_pieces, text)
            if span:
                roles[role] = span
        if roles:
            events.append(Event(name, roles))
    return events


def _parse_span(body: str, location: str, text: str) -> Span:
    """Return the span of a T-line, ``LABEL START END[;START END …]``."""
    pieces = []
    try:
        for piece in body.split(" ", 1)[1].split(";"):
            start, end = piece.split()
            pieces.append((int(start), int(end)))
    except (IndexError, ValueError):
        raise InputError(
            f"{location}: expected 'LABEL START END[;START END …]', found {body!r}"
        ) from None
    for first, last in pieces:
        if not 0 <= first < last <= len(text):
            raise InputError(
                f"{location}: expected offsets within the text (0 to {len(text)}), found {first} {last}"
            )
    return pieces
