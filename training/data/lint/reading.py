"""Reading annotated files for checking them: every record with its place, and a finding for what cannot be read."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record, parse_record
from claimstance.training.data.config import DataConfig, Source
from claimstance.training.data.corpora import lookup
from claimstance.training.data.documents.document import Document, LeftOut
from claimstance.training.data.documents.format import Item, Reader
from claimstance.training.data.formats import Format, Layout, Reading, recognise
from claimstance.training.data.lint.base import Finding, Place, unreadable
from claimstance.training.data.splits import SplitColumn

Read = tuple[Record, Place] | Finding
ReadInSplit = tuple[Record, Place, str | None] | Finding  # the split, where one is named
_NOT_OF_RECORDS = ("columns", "task", "target", "roles", "values", "sentences")
_LINE = re.compile(r"(?:, )?line (\d+)")


def formats_of(source: Source) -> Iterator[str]:
    """The names of the formats of a source's files, of those that can be told."""
    for file in source.paths():
        try:
            yield recognise(file, source.format).name
        except InputError:
            continue


def read_source(source: Source, config: DataConfig) -> Iterator[ReadInSplit]:
    """Yield the records of a corpus, or of files one after the other; what cannot be read is a finding.

    Raises:
        ConfigError: if the source asks a corpus or a format for what it does not have.
    """
    if source.corpus is not None:
        yield from _corpus(source, config)
        return
    for file in source.paths():
        column = SplitColumn()
        try:
            for read in _file(file, source.format, source.layout(file, {}, lenient=True)):
                yield read if isinstance(read, Finding) else _with_split(*read, source, column)
        except InputError as error:
            yield unreadable(file, str(error))


def _with_split(record: Record, place: Place, source: Source, column: SplitColumn) -> ReadInSplit:
    """Return the record with its split, or the finding that its split cannot be used."""
    if source.split is not None:
        return record, place, source.split
    where = str(place) if place.line is None else f"line {place.line}"
    try:
        return record, place, column.read(record.meta.get("split"), where)
    except ValueError as problem:
        return Finding("error", "unreadable", place, f"split: {problem}")


def _corpus(source: Source, config: DataConfig) -> Iterator[ReadInSplit]:
    corpus = lookup(source.corpus or "")
    options = {
        name: config.corpora / value if name in corpus.path_options and value is not None else value
        for name, value in source.options.items()
    }
    for split, ours in source.splits.items():
        name = f"{corpus.name} {split}"
        try:
            for record in corpus.read(config.corpora / corpus.name, split, **options):
                yield record, Place(name, None, record.id), ours
        except InputError as error:
            yield unreadable(name, str(error))


def _file(path: Path, name: str | None, layout: Layout) -> Iterator[Read]:
    found = recognise(path, name)
    if found.name == "jsonl":
        yield from _json_lines(path, layout)
    elif found.read is not None and found.parse is None:
        yield from _records(found.read, path, layout)
    else:
        yield from _documents(found, path, layout)


def _json_lines(path: Path, layout: Layout) -> Iterator[Read]:
    """A record a line; a line that cannot be read does not cost the others."""
    for name in _NOT_OF_RECORDS:
        if getattr(layout, name):
            raise ConfigError(
                f"{path}: expected another format, to which '{name}' applies, found JSON Lines"
            )
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
        yield Finding(
            "error",
            "unreadable",
            place,
            f"expected UTF-8 text, found {error.reason} (byte {error.start + 1} of the line)",
        )
    except (ValueError, RecursionError) as error:
        yield Finding(
            "error",
            "unreadable",
            place,
            f"expected a JSON object, found text that is not JSON ({error})",
        )
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
    """Takes down what is left out, until it is told: as an error what a strict reading would stop at."""

    def __init__(self, path: Path, of_table: bool = False) -> None:
        super().__init__()
        self._findings: list[Finding] = []
        self._path, self._of_table = path, of_table

    def __call__(self, reason: str) -> None:
        """What a strict reading leaves out, too, and counts; of a table, a row that it would stop at."""
        super().__call__(reason)
        if self._of_table:
            place = Place(str(self._path), _line_of(self.place))
            self._findings.append(Finding("error", _code(reason), place, reason))
        else:
            self._findings.append(Finding("warning", "left-out", Place(str(self._path)), reason))

    def refuse(self, error: InputError, where: str, reason: str | None = None) -> None:
        """What a strict reading would stop at."""
        found = unreadable(where if self._path.is_dir() else self._path, str(error))
        self._findings.append(replace(found, code=_code(found.message)))

    def told(self) -> Iterator[Finding]:
        """What was found since this was asked last."""
        yield from self._findings
        self._findings.clear()

    def noted(self) -> Iterator[Finding]:
        """Yield what the reader warns of, once the file is read: a finding for each kind."""
        for code, message in self.warnings():
            yield Finding("warning", code, Place(str(self._path)), message)


def _line_of(place: str) -> int | None:
    """Return the number in a place such as ``, line 3``; ``None`` where a file has no lines."""
    line = _LINE.match(place)
    return int(line[1]) if line else None


def _code(reason: str) -> str:
    return "empty-text" if reason.startswith("expected a text") else "unreadable"


def _records(read: Reader, path: Path, layout: Layout) -> Iterator[Read]:
    """Yield the records of a table, each with its line."""
    notes = _Notes(path, of_table=True)
    try:
        for record in read(path, layout, notes):
            yield from notes.told()
            yield record, Place(str(path), _line_of(notes.place), record.id)
    except InputError:
        yield from notes.told()
        raise
    yield from notes.told()
    yield from notes.noted()


@dataclass
class _Parsing:
    """The items of a file as they are parsed: where their documents stand, and what cannot be read.

    Attributes:
        format: of the file, with this in place of its ``parse``.
    """

    found: Format
    path: Path
    layout: Layout
    _problems: dict[Finding, bool] = field(
        default_factory=dict
    )  # whether it was told; items are parsed twice
    _places: dict[tuple[str, str | None], Place] = field(
        default_factory=dict
    )  # by document and annotator

    @property
    def format(self) -> Format:
        return replace(self.found, parse=self._parse)

    def _parse(self, item: Item, layout: Layout) -> Iterable[Document | LeftOut]:
        """An item that cannot be read does not cost the others; what of it a lenient reading keeps is kept."""
        for lenient in (False, True):
            try:
                found = list(
                    self.found.parse(item, replace(layout, lenient=lenient))
                    if self.found.parse
                    else ()
                )
            except InputError as error:
                where = item.where if self.path.is_dir() else self.path
                self._problems.setdefault(unreadable(where, str(error)), False)
                continue
            for each in found:
                if isinstance(each, Document):
                    self._places[each.name, each.annotator or layout.annotator] = self._place_of(
                        each
                    )
            return found
        return []

    def _place_of(self, document: Document) -> Place:
        if self.path.is_dir():
            return Place(document.where)
        return Place(str(self.path), _line_of(document.where.removeprefix(str(self.path))))

    def place_of(self, record: Record) -> Place:
        """Where the document of a record stands: its line, in formats that have one a line."""
        document = record.id if record.start is None else record.doc_id or ""
        return replace(
            self._places.get((document, record.annotator), Place(str(self.path))), record=record.id
        )

    def told(self) -> Iterator[Finding]:
        """What could not be read and was not told yet."""
        for problem in [problem for problem, done in self._problems.items() if not done]:
            self._problems[problem] = True
            yield problem


def _documents(found: Format, path: Path, layout: Layout) -> Iterator[Read]:
    """The records of a format that gives documents."""
    from claimstance.training.data.documents.assemble import records

    parsing, notes = _Parsing(found, path, layout), _Notes(path)
    try:
        for record in records(parsing.format, path, layout, notes):
            yield from parsing.told()
            yield from notes.told()
            yield record, parsing.place_of(record)
    except InputError:
        yield from parsing.told()
        yield from notes.told()
        raise
    yield from parsing.told()
    yield from notes.told()
    yield from notes.noted()
