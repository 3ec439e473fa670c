"""The interface of a format, the layout that configures it, and the report of reading a file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.documents.document import Document, LeftOut

#: The columns of tables and the fields of exports that have a meaning, under the names used here.
COLUMNS = (
    "text",
    "label",
    "target",
    "holder",
    "id",
    "doc_id",
    "annotator",
    "outlet",
    "date",
    "split",
)

_MAX_LOCATIONS = 5  # A warning about many rows names the locations of the first ones.

#: A function that is called with the reason for each row or annotation that is left out.
OnDrop = Callable[[str], None]


@dataclass(frozen=True)
class Layout:
    """Configure how to read a file, where the file itself leaves it open.

    Attributes:
        columns: Column (``COLUMNS``) → the name of the table's column or the export's field.
        task: The task of the label column: claim, check_worthy, subjective or stance; ``None`` for
            stance if there is a target, else claim.
        target: One stance target for all rows.
        labels: Task → label names. For other tasks, JSON Lines has the default sets, and other
            formats accept all labels of the file.
        lenient: Whether to leave out and count input that cannot be used, instead of raising an
            error.
        roles: Label or question of the file → its meaning (``documents.roles.MEANINGS``).
        values: Label of the file → the label to replace it with.
        annotator: The annotator, where the file does not name one.
        sentences: Whether to split texts into sentences; ``None`` to split texts without labels of
            their own.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    task: str | None = None
    target: str | None = None
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lenient: bool = False
    roles: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    annotator: str | None = None
    sentences: bool | None = None


@dataclass
class RowWarning:
    """Represent a warning about rows of a file, which is shown once for all of them.

    Attributes:
        count: The number of rows.
        locations: The locations of the first rows.
    """

    count: int = 0
    locations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ellipsis = ", …" if self.count > len(self.locations) else ""
        return f"{self.count} row{'s' * (self.count != 1)} ({', '.join(self.locations)}{ellipsis})"


@dataclass
class ReadReport:
    """Collect what a reader of a file has to say beside the records: what it leaves out, facts and warnings.

    Attributes:
        dropped: Reason → number of rows or annotations that were left out.
        facts: Facts about the file for the dataset report, such as
            ``{"offsets": "UTF-16 code units"}``.
        location: The location of the last row that was read from a table, such as ``line 3``.
        notes: Code and message of a warning → its rows.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    facts: dict[str, str] = field(default_factory=dict)
    location: str = ""
    notes: dict[tuple[str, str], RowWarning] = field(default_factory=dict)

    def drop(self, reason: str) -> None:
        """Count a row or annotation that is left out (an ``OnDrop``)."""
        self.dropped[reason] += 1

    def note(self, code: str, message: str, location: str) -> None:
        """Add a warning about a row that is read.

        Args:
            code: The kind of warning, as ``check`` names it.
            message: The message for all rows, with ``{rows}`` for their number and locations.
            location: The location of the row.
        """
        warning = self.notes.setdefault((code, message), RowWarning())
        warning.count += 1
        if len(warning.locations) < _MAX_LOCATIONS:
            warning.locations.append(location)

    def warnings(self) -> Iterator[tuple[str, str]]:
        """Yield the code and the message of each warning, without the file's name."""
        for (code, message), warning in self.notes.items():
            yield code, message.replace("{rows}", str(warning))

    def refuse(self, error: InputError, where: str, reason: str | None = None) -> None:
        """Count an item that a lenient reader leaves out, where a strict one raises an error.

        Args:
            error: The error that a strict reader raises.
            where: The location with which the error message begins.
            reason: The reason to count it under; ``None`` for the error message.
        """
        if reason is None:
            reason = reason_of(error, where)
        self.drop(reason)


@dataclass(frozen=True)
class Item:
    """Represent a unit of a file that is parsed on its own: a line, a task, a pair of files.

    Attributes:
        where: The file with the line, or the file with the tool's own id, for messages.
        name: The name of the text if the data have none; unique in the file.
        data: The argument for the format's ``parse``.
    """

    where: str
    name: str
    data: Any


#: ``(path, layout, report) -> Iterator[Record]``
Reader = Callable[[Path, Layout, ReadReport], Iterator[Record]]
Items = Callable[[Path], Iterator[Item]]
Parse = Callable[[Item, Layout], Iterable[Document | LeftOut]]


@dataclass(frozen=True)
class Format:
    """Represent a format of annotated files.

    A format has either records (``read``) or documents. For documents, ``items`` yields the items
    of a file, and an ``InputError`` in it fails the whole file; ``parse`` converts an item, and an
    ``InputError`` in it fails this item, which a lenient reader leaves out.

    Attributes:
        name: The name for ``--format``.
        suffixes: The suffixes of its files, in lower case, with the dot; ``""`` for a folder.
        recognise: Return whether a file that begins with a text has this format. The text is the
            first 64 KiB of a file, or the names in a folder, one a line. Formats with the suffix of
            the file are tried in the order of ``FORMATS``.
        read: Yield the records of a file.
        items: Yield the items of a file, in order.
        parse: Return the documents of an item, usually one for each annotator, and its parts that
            become no document.
        write: Write records to a path; ``None`` if the format can only be read.
    """

    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[str], bool]
    read: Reader | None = None
    items: Items | None = None
    parse: Parse | None = None
    write: Callable[[Iterable[Record], Path], None] | None = None


def documents(format: Format, path: Path, layout: Layout, report: ReadReport) -> Iterator[Document]:
    """Yield the documents of a file; ``report`` counts those that a lenient layout leaves out."""
    if format.items is None or format.parse is None:
        raise TypeError(f"the format {format.name} has records, not documents")
    for item in format.items(path):
        try:
            parsed = list(format.parse(item, layout))
        except InputError as error:
            if not layout.lenient:
                raise
            report.refuse(error, item.where)
            continue
        for document in parsed:
            if isinstance(document, LeftOut):
                report.drop(document.reason)
            else:
                yield document


def reason_of(error: InputError, where: str) -> str:
    """Return an error message without location and actual value, so that equal reasons agree."""
    return str(error).removeprefix(where).lstrip(":, ").partition(", found")[0]
