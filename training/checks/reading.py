"""Reading annotated files for checking them: every record with its place, and a finding for what cannot be read."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record, parse_record, read_lines
from claimstance.training.checks.base import Finding, Place, unreadable
from claimstance.training.corpora import lookup
from claimstance.training.data_config import DataConfig, Source
from claimstance.training.documents.document import Document, LeftOut
from claimstance.training.formats import Format, Layout, Reading, recognise
from claimstance.training.formats.base import Item, Reader

Read = tuple[Record, Place] | Finding
_NOT_OF_RECORDS = ("columns", "task", "target", "roles", "values", "sentences")
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def formats_of(source: Source) -> Iterator[str]:
    """The names of the formats of a source's files, of those that can be told."""
    for file in source.paths():
        try:
            yield recognise(file, source.format).name
        except InputError:
            continue


def read_source(source: Source, config: DataConfig) -> Iterator[Read]:
    """The records of a corpus, or of files one after the other; what cannot be read is a finding.

    Raises:
        ConfigError: if the source asks a corpus or a format for what it does not have.
    """
    if source.corpus is not None:
        yield from _corpus(source, config)
        return
    for file in source.paths():
        try:
            yield from _file(file, source.format, source.layout(file, {}, lenient=True))
        except InputError as error:
            yield unreadable(file, str(error))


def _corpus(source: Source, config: DataConfig) -> Iterator[Read]:
    corpus = lookup(source.corpus or "")
    options = {
        name: config.corpora / value if name in corpus.path_options and value is not None else value
        for name, value in source.options.items()
    }
    for split in source.splits:
        name = f"{corpus.name} {split}"
        try:
            for record in corpus.read(config.corpora / corpus.name, split, **options):
                yield record, Place(name, None, record.id)
        except InputError as error:
            yield unreadable(name, str(error))


def _file(path: Path, name: str | None, layout: Layout) -> Iterator[Read]:
    found = recognise(path, name)
    if found.name == "jsonl":
        yield from _json_lines(path, layout)
    elif found.read is not None:
        yield from _records(found.read, path, layout, _DELIMITERS.get(found.name))
    else:
        yield from _documents(found, path, layout)


def _json_lines(path: Path, layout: Layout) -> Iterator[Read]:
    """A record a line; a line that cannot be read does not cost the others."""
    for name in _NOT_OF_RECORDS:
        if getattr(layout, name):
            raise ConfigError(f"{path}: expected another format, to which '{name}' applies, found JSON Lines")
    count = 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    count += 1
                    yield from _json_line(raw, path, number, layout)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if not count:
        raise InputError(f"{path}: expected at least one record, found an empty file")


def _json_line(raw: bytes, path: Path, number: int, layout: Layout) -> Iterator[Read]:
    place = Place(str(path), number)
    try:
        data = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        record = parse_record(data, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        yield Finding("error", "unreadable", place, f"expected UTF-8 text, found {error.reason} (byte "
                                                    f"{error.start + 1} of the line)")
    except (ValueError, RecursionError) as error:
        yield Finding("error", "unreadable", place, f"expected a JSON object, found text that is not JSON ({error})")
    except InputError as error:
        yield unreadable(path, str(error))
    else:
        record.annotator = record.annotator or layout.annotator
        place = Place(str(path), number, record.id)
        if "predicted" in data:
            message = "expected annotations alone, found 'predicted', which is not read"
            yield Finding("warning", "predicted", place, message)
        yield record, place


class _Notes(Reading):
    """Takes down each reason for which something is left out, until it is told."""

    def __init__(self, file: str, lines: "_Lines | None" = None) -> None:
        super().__init__()
        self._findings: list[Finding] = []
        self._file, self._lines = file, lines

    def __call__(self, reason: str) -> None:
        """A row that a strict reader would stop at."""
        super().__call__(reason)
        code = "empty-text" if reason.startswith("expected a text") else "unreadable"
        line = self._lines.next() if self._lines else None
        self._findings.append(Finding("error", code, Place(self._file, line), reason))

    def told(self) -> Iterator[Finding]:
        """What was found since this was asked last."""
        yield from self._findings
        self._findings.clear()


def _records(read: Reader, path: Path, layout: Layout, delimiter: str | None) -> Iterator[Read]:
    """The records of a format that gives them; of tables, each with its line."""
    lines = _Lines(path, delimiter)
    notes = _Notes(str(path), lines)
    try:
        for record in read(path, layout, notes):
            yield from notes.told()
            yield record, Place(str(path), lines.next(record.text), record.id)
    except InputError:
        yield from notes.told()
        raise
    yield from notes.told()


class _Lines:
    """The last line of each row of a table, in step with a reader that gives or leaves out a record for each row."""

    def __init__(self, path: Path, delimiter: str | None) -> None:
        self._rows = _rows(path, delimiter) if delimiter else iter(())

    def next(self, text: str | None = None) -> int | None:
        """The line of the next row; ``None`` from where rows lack the ``text`` that they should have."""
        line, row = next(self._rows, (None, []))
        if text is None or text in row:
            return line
        self._rows = iter(())
        return None


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader((line + "\n" for line in read_lines(path)), delimiter=delimiter)
    filled = ((rows.line_num, [cell.strip() for cell in row]) for row in rows if any(cell.strip() for cell in row))
    next(filled, None)  # the header
    yield from filled


def _documents(found: Format, path: Path, layout: Layout) -> Iterator[Read]:
    """The records of a format that gives documents; an item that cannot be read does not cost the others."""
    from claimstance.training.documents.assemble import records

    problems: dict[Finding, bool] = {}  # whether it was told; items may be parsed more than once

    def parse(item: Item, layout: Layout) -> Iterable[Document | LeftOut]:
        try:
            return list(found.parse(item, layout)) if found.parse else []
        except InputError as error:
            problems.setdefault(unreadable(path, str(error)), False)
            return []

    def told() -> Iterator[Finding]:
        for problem in [problem for problem, done in problems.items() if not done]:
            problems[problem] = True
            yield problem

    notes = _Notes(str(path))
    try:
        for record in records(replace(found, parse=parse), path, layout, notes):
            yield from told()
            yield from notes.told()
            yield record, Place(str(path), None, record.id)
    except InputError:
        yield from told()
        yield from notes.told()
        raise
    yield from told()
    yield from notes.told()
