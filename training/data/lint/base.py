"""The types that the checks share: locations, findings and the checked record."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from claimstance.model.record import Record, Span

Severity = Literal["error", "warning"]
_LINE = re.compile(r", line (\d+)")


@dataclass(frozen=True, slots=True)
class Location:
    """Represent a location in the data: a file, with the line and the record's id if available."""

    file: str
    line: int | None = None
    record: str | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.file}:{self.line}"
        if self.record is not None:
            return f"{self.file}: record '{self.record}'"
        return self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """Represent a fault of the data (error), or something that may be a fault (warning).

    Attributes:
        severity: "error" where ``build`` refuses the data, or annotations contradict each other.
        code: The kind of finding; codes stay the same in all versions.
        location: The location of the fault; of a fault of many records, the first of them.
        message: What was expected, and what was found.
    """

    severity: Severity
    code: str
    location: Location
    message: str

    def __str__(self) -> str:
        file, line, record_id = self.location.file, self.location.line, self.location.record
        if line is not None:
            return f"{file}:{line}: {self.severity} {self.code}: {self.message}"
        record = "" if record_id is None else f"record '{record_id}': "
        return f"{file}: {self.severity} {self.code}: {record}{self.message}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain values, with every key present."""
        return {
            "severity": self.severity,
            "code": self.code,
            "file": self.location.file,
            "line": self.location.line,
            "record": self.location.record,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Represent two labels that one annotator gave for the same question about the same text."""

    question: str
    earlier_label: str
    label: str
    earlier_location: Location


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """Represent a record together with the conflicts that it has with earlier records.

    Attributes:
        record: The record.
        location: The location of the record.
        same_id: The location of an earlier record with the same id and annotator.
        repeats: The location of an earlier record that differs in its id alone.
        contradictions: Other labels that the same text has in earlier records.
    """

    record: Record
    location: Location
    same_id: Location | None = None
    repeats: Location | None = None
    contradictions: list[Contradiction] = field(default_factory=list)


@dataclass(frozen=True)
class RecordCheck:
    """Represent a check of single records: ``find`` yields a message for each fault."""

    code: str
    severity: Severity
    find: Callable[[CheckedRecord], Iterator[str]]


def unreadable(path: Path | str, problem: str) -> Finding:
    """Return the finding for an error message, which may begin with the file and the line."""
    message = problem.removeprefix(str(path))
    line_number = None
    # Without the file's name at the front, a line number in the message may be of another file.
    if message != problem:
        match = _LINE.match(message)
        if match:
            line_number = int(match[1])
            message = message[match.end() :]
    return Finding("error", "unreadable", Location(str(path), line_number), message.lstrip(":, "))


def surface(text: str, span: Span) -> str:
    """Return the text of a span, its pieces joined by one space."""
    return " ".join(text[start:end] for start, end in span)
