"""PolNeAR's attributions in brat's standoff format (https://brat.nlplab.org/standoff.html).

Offsets are Unicode code points into the text read as UTF-8 with its line ends left alone, end exclusive.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Span, read_lines
from claimstance.training.data.documents.spans import normalise

EVENTS = ("Attribution", "Attribution-no-source")
_LINE = re.compile(r"[TE]\d+\t")
_NUMBER = re.compile(r"\d+$")  # Content2 is a second Content


@dataclass(frozen=True)
class Event:
    """One attribution of an article: the event's name, and its roles' spans in the whole text."""

    name: str
    roles: Mapping[str, Span]

    @cached_property
    def extent(self) -> tuple[int, int]:
        """From the first character of any role to the last, end exclusive."""
        pieces = [piece for span in self.roles.values() for piece in span]
        return min(start for start, _ in pieces), max(end for _, end in pieces)

    def reaches(self, start: int, end: int) -> bool:
        """Return false only if the event cannot touch ``text[start:end]``; a cheap first check."""
        first, last = self.extent
        return first < end and last > start


def read_text(path: Path) -> str:
    """The text of a file with every character in place, so that offsets hold.

    Raises:
        InputError: if the file cannot be opened or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8 text, found {error.reason} at byte {error.start}"
        ) from None


def read_events(path: Path, text: str) -> list[Event]:
    """The attributions in a ``.ann`` file, in the order of their E-lines; *Discuss* and *Discard* are left out.

    Raises:
        InputError: naming the file and the line.
    """
    # A T-line may quote a line end, which leaves a line that is neither T nor E; an E-line may name a later T-line.
    lines = [
        (f"{path}, line {n}", line)
        for n, line in enumerate(read_lines(path), 1)
        if _LINE.match(line)
    ]
    spans = dict(_read_span(where, line, text) for where, line in lines if line.startswith("T"))
    events = (
        _read_event(where, line, spans, text) for where, line in lines if line.startswith("E")
    )
    return [event for event in events if event is not None and event.roles]


def _read_span(where: str, line: str, text: str) -> tuple[str, Span]:
    name, described = line.split("\t")[:2]
    try:
        pieces = [(int(start), int(end)) for start, end in _pairs(described.split(" ", 1)[1])]
    except (IndexError, ValueError):
        raise InputError(
            f"{where}: expected 'LABEL START END[;START END …]', found {described!r}"
        ) from None
    for start, end in pieces:
        if not 0 <= start < end <= len(text):
            raise InputError(
                f"{where}: expected offsets within the text (0 to {len(text)}), found {start} {end}"
            )
    return name, pieces


def _pairs(offsets: str) -> Iterator[tuple[str, str]]:
    for pair in offsets.split(";"):
        start, end = pair.split()
        yield start, end


def _read_event(where: str, line: str, spans: Mapping[str, Span], text: str) -> Event | None:
    name, described = line.split("\t")[:2]
    arguments = [argument.partition(":")[::2] for argument in described.split()]
    if not arguments or arguments[0][0] not in EVENTS:
        return None
    pieces: dict[str, Span] = {}
    for role, reference in arguments[1:]:
        if reference not in spans:
            raise InputError(f"{where}: expected the name of a T-line, found {reference!r}")
        pieces.setdefault(_NUMBER.sub("", role).lower(), []).extend(spans[reference])
    merged = {role: normalise(found, text) for role, found in pieces.items()}
    return Event(name, {role: span for role, span in merged.items() if span})
