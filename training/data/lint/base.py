"""What a check is, what it is given, and what it finds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from claimstance.model.record import Record, Span

Severity = Literal["error", "warning"]
_LINE = re.compile(r", line (\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, with the line and the record's id as far as they are known."""

    file: str
    line: int | None = None
    record: str | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.file}:{self.line}"
        return self.file if self.record is None else f"{self.file}: record '{self.record}'"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (error), or may well be (warning).

    Attributes:
        severity: "error" where ``build`` refuses the data, or two annotations cannot both be right.
        code: what kind of thing; the same in every version.
        place: where; of things that concern many records, the first of them.
        message: what was expected, and what was found.
    """

    severity: Severity
    code: str
    place: Place
    message: str

    def __str__(self) -> str:
        place = self.place
        where = f"{place.file}:{place.line}" if place.line is not None else place.file
        record = (
            f"record '{place.record}': " if place.line is None and place.record is not None else ""
        )
        return f"{where}: {self.severity} {self.code}: {record}{self.message}"

    def to_json(self) -> dict[str, Any]:
        """The finding as plain values, every key present."""
        return {
            "severity": self.severity,
            "code": self.code,
            "file": self.place.file,
            "line": self.place.line,
            "record": self.place.record,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An earlier answer to the same question about the same text, by the same annotator."""

    question: str
    before: str
    now: str
    place: Place


@dataclass(frozen=True, slots=True)
class Seen:
    """A record, and what earlier records make of it.

    Attributes:
        record: the record.
        place: where it stands.
        same_id: an earlier record with this id and annotator.
        repeats: an earlier record that is the same but for its id.
        contradictions: other labels that the same text was given earlier.
    """

    record: Record
    place: Place
    same_id: Place | None = None
    repeats: Place | None = None
    contradictions: list[Contradiction] = field(default_factory=list)


@dataclass(frozen=True)
class RecordCheck:
    """A check of one record at a time: ``find`` gives a message for each thing that it finds."""

    code: str
    severity: Severity
    find: Callable[[Seen], Iterator[str]]


def unreadable(path: Path | str, problem: str) -> Finding:
    """The finding for an error message that may open with the file and the line."""
    rest = problem.removeprefix(str(path))
    line = _LINE.match(rest) if rest != problem else None
    message = rest[line.end() if line else 0 :].lstrip(":, ")
    return Finding("error", "unreadable", Place(str(path), int(line[1]) if line else None), message)


def surface(text: str, span: Span) -> str:
    """What stands at a span, its pieces joined by one space."""
    return " ".join(text[start:end] for start, end in span)
