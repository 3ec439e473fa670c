"""Readers of single files for checks, which yield a finding for whatever cannot be read and go on."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.io.files import open_regular
from claimstance.model.record import Record, parse_record
from claimstance.training.data.documents.document import Document, LeftOut
from claimstance.training.data.documents.format import Item, Reader
from claimstance.training.data.formats import Format, Layout, ReadReport
from claimstance.training.data.lint.base import Finding, Location, unreadable

_NOT_FOR_JSON_LINES = ("columns", "task", "target", "roles", "values", "sentences")
_LINE = re.compile(r"(?:, )?line (\d+)")


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """Represent a record with its location, and with its split if the data name one."""

    record: Record
    location: Location
    split: str | None = None


def read_json_lines(path: Path, layout: Layout) -> Iterator[LocatedRecord | Finding]:
    """Yield the record of each line; a line that cannot be read does not affect the others."""
    for name in _NOT_FOR_JSON_LINES:
        if getattr(layout, name):
            raise ConfigError(
                f"{path}: expected another format, to which '{name}' applies, found JSON Lines"
            )
    count = 0
    try:
        with open_regular(path) as file:
            for line_number, line in enumerate(file, 1):
                if line.strip():
                    count += 1
                    yield from _parse_json_line(line, path, line_number, layout)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if not count:
        raise InputError(f"{path}: expected at least one record, found an empty file")


def _parse_json_line(
    line: bytes, path: Path, line_number: int, layout: Layout
) -> Iterator[LocatedRecord | Finding]:
    """Yield the record of a line, after a warning if it is a prediction; or why it is none."""
    location = Location(str(path), line_number)

    try:
        # Only the first line of a file can begin with a byte order mark.
        data = json.loads(line.decode("utf-8-sig" if line_number == 1 else "utf-8"))
        record = parse_record(data, f"{path}, line {line_number}")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start + 1} of the line"
        message = f"expected UTF-8 text, found {error.reason} ({byte})"
        yield Finding("error", "unreadable", location, message)
        return
    except (ValueError, RecursionError) as error:
        message = f"expected a JSON object, found text that is not JSON ({error})"
        yield Finding("error", "unreadable", location, message)
        return
    except InputError as error:
        yield unreadable(path, str(error))
        return

    record.annotator = record.annotator or layout.annotator
    location = Location(str(path), line_number, record.id)
    if "predicted" in data:
        message = "expected annotations alone, found 'predicted', which is not read"
        yield Finding("warning", "predicted", location, message)
    yield LocatedRecord(record, location)


class _FindingCollector(ReadReport):
    """Collect a finding for each row or item that a reader leaves out."""

    def __init__(self, path: Path, is_table: bool = False) -> None:
        super().__init__()
        self._pending: list[Finding] = []
        self._path = path
        self._is_table = is_table

    def drop(self, reason: str) -> None:
        """Add a finding: an error for a row of a table, which ``build`` would refuse."""
        super().drop(reason)
        if self._is_table:
            location = Location(str(self._path), _line_number(self.location))
            self._pending.append(Finding("error", _code(reason), location, reason))
        else:
            # A strict reader leaves such items out, too.
            self._pending.append(Finding("warning", "left-out", Location(str(self._path)), reason))

    def refuse(self, error: InputError, where: str, reason: str | None = None) -> None:
        """Add a finding for an item that a strict reader would refuse."""
        finding = unreadable(where if self._path.is_dir() else self._path, str(error))
        self._pending.append(replace(finding, code=_code(finding.message)))

    def new_findings(self) -> Iterator[Finding]:
        """Yield the findings since the last call."""
        yield from self._pending
        self._pending.clear()

    def file_warnings(self) -> Iterator[Finding]:
        """Yield a finding for each kind of warning, once the file is read."""
        for code, message in self.warnings():
            yield Finding("warning", code, Location(str(self._path)), message)


def _line_number(location: str) -> int | None:
    """Return the number in a location such as ``, line 3``; ``None`` if a file has no lines."""
    match = _LINE.match(location)
    return int(match[1]) if match else None


def _code(reason: str) -> str:
    return "empty-text" if reason.startswith("expected a text") else "unreadable"


def read_table(read: Reader, path: Path, layout: Layout) -> Iterator[LocatedRecord | Finding]:
    """Yield the records of a table, each with its line."""
    collector = _FindingCollector(path, is_table=True)
    try:
        for record in read(path, layout, collector):
            yield from collector.new_findings()
            location = Location(str(path), _line_number(collector.location), record.id)
            yield LocatedRecord(record, location)
    except InputError:
        # The findings before the fatal error come first, and the caller reports the error.
        yield from collector.new_findings()
        raise
    yield from collector.new_findings()
    yield from collector.file_warnings()


@dataclass
class _LocatingParser:
    """Parse the items of a file, and record locations of documents and problems of items.

    Attributes:
        source_format: The format of the file.
        path: The file or folder.
        layout: The layout of the file.
    """

    source_format: Format
    path: Path
    layout: Layout
    # Items are parsed twice: the value is whether the finding was yielded already.
    _problems: dict[Finding, bool] = field(default_factory=dict)
    # By name and annotator of the document.
    _locations: dict[tuple[str, str | None], Location] = field(default_factory=dict)

    @property
    def format(self) -> Format:
        """Return the format with this parser in place of its own."""
        return replace(self.source_format, parse=self._parse)

    def _parse(self, item: Item, layout: Layout) -> Iterable[Document | LeftOut]:
        """Return the documents of an item; none if it cannot be read.

        A strict attempt comes first, so that its problem becomes a finding; a lenient one then
        rescues the parts of the item that can be used.
        """
        if self.source_format.parse is None:
            return []
        for lenient in (False, True):
            try:
                parsed = list(self.source_format.parse(item, replace(layout, lenient=lenient)))
            except InputError as error:
                where = item.where if self.path.is_dir() else self.path
                self._problems.setdefault(unreadable(where, str(error)), False)
                continue
            for document in parsed:
                if not isinstance(document, Document):
                    continue
                location = Location(document.where)
                if not self.path.is_dir():
                    line = _line_number(document.where.removeprefix(str(self.path)))
                    location = Location(str(self.path), line)
                annotator = document.annotator or layout.annotator
                self._locations[document.name, annotator] = location
            return parsed
        return []

    def location_of(self, record: Record) -> Location:
        """Return the location of a record's document, with its line if it is on one line."""
        name = record.id if record.start is None else record.doc_id or ""
        location = self._locations.get((name, record.annotator), Location(str(self.path)))
        return replace(location, record=record.id)

    def new_findings(self) -> Iterator[Finding]:
        """Yield the problems since the last call."""
        for problem, was_yielded in list(self._problems.items()):
            if not was_yielded:
                self._problems[problem] = True
                yield problem


def read_documents(format: Format, path: Path, layout: Layout) -> Iterator[LocatedRecord | Finding]:
    """Yield the records of a format that has documents."""
    from claimstance.training.data.documents.assemble import records

    parser, collector = _LocatingParser(format, path, layout), _FindingCollector(path)
    try:
        for record in records(parser.format, path, layout, collector):
            yield from parser.new_findings()
            yield from collector.new_findings()
            yield LocatedRecord(record, parser.location_of(record))
    except InputError:
        yield from parser.new_findings()
        yield from collector.new_findings()
        raise
    yield from parser.new_findings()
    yield from collector.new_findings()
    yield from collector.file_warnings()
