"""What a format is, what its reader is told, and how it reports what it found."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.documents.document import Document, LeftOut

#: The columns of tables and the fields of exports that have a meaning here, under our names.
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

_FIRST = 5  # places that a warning about many rows names

OnDrop = Callable[[str], None]  # told why, for each row that is left out


@dataclass(frozen=True)
class Layout:
    """How a file is laid out, where it does not say so itself.

    Attributes:
        columns: our column (``COLUMNS``) → the file's: of a table, or of an export's own data fields.
        task: what the label column is: claim, check_worthy, subjective or stance; ``None``: stance if there is a
            target, else claim.
        target: one stance target for all rows.
        labels: task → its label names. JSON Lines keeps the default sets where a task is missing here; other files'
            labels are then their own.
        lenient: leave out what cannot be used, and count it, instead of stopping there.
        roles: the file's label or question → what it is here (``claimstance.training.data.documents.roles``).
        values: the file's label → the label that it becomes.
        annotator: who annotated, where the file does not say so.
        sentences: whether texts are cut into sentences; ``None``: those without a label of the whole text are.
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
class Note:
    """Represent something about the rows of a file that their reader should be warned of once.

    Attributes:
        count: How many rows it concerns.
        places: Where the first of them stand.
    """

    count: int = 0
    places: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.places) else ""
        return f"{self.count} row{'s' * (self.count != 1)} ({', '.join(self.places)}{more})"


@dataclass
class Reading:
    """What reading one file found besides records. Called with a reason, it counts something left out.

    Attributes:
        dropped: reason → how often something was left out for it.
        facts: what the report says of the file, such as ``{"offsets": "UTF-16 code units"}``.
        place: where the row of a table stands that was read last, such as ``line 3``.
        notes: a code and a message → the rows that the user should be warned of with it.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    facts: dict[str, str] = field(default_factory=dict)
    place: str = ""
    notes: dict[tuple[str, str], Note] = field(default_factory=dict)

    def __call__(self, reason: str) -> None:
        """Count something that is left out, by its reason."""
        self.dropped[reason] += 1

    def note(self, code: str, message: str, place: str) -> None:
        """Take down a row that is read, but that the user should be warned of.

        Args:
            code: The kind of warning, as ``check`` names it.
            message: The warning of all such rows of the file, with ``{rows}`` for their number and places.
            place: Where the row stands.
        """
        note = self.notes.setdefault((code, message), Note())
        note.count += 1
        if len(note.places) < _FIRST:
            note.places.append(place)

    def warnings(self) -> Iterator[tuple[str, str]]:
        """Yield the code and the message of each warning, without the file's name."""
        for (code, message), note in self.notes.items():
            yield code, message.replace("{rows}", str(note))

    def refuse(self, error: InputError, where: str, reason: str | None = None) -> None:
        """Count what a strict reading would have stopped at.

        Args:
            error: at which it would have.
            where: the place that opens its message.
            reason: under which it is counted; what the error says if ``None``.
        """
        self(reason_of(error, where) if reason is None else reason)


@dataclass(frozen=True)
class Item:
    """A part of a file that can be wrong alone: a line, a task, a pair of files.

    Attributes:
        where: how messages name it: the file with its line, or the file with the tool's own id.
        name: what its text is called if it does not say: unique in the file.
        data: what the format's ``parse`` turns into documents.
    """

    where: str
    name: str
    data: Any


#: ``(path, layout, reading) -> Iterator[Record]``
Reader = Callable[[Path, Layout, Reading], Iterator[Record]]
Items = Callable[[Path], Iterator[Item]]
Parse = Callable[[Item, Layout], Iterable[Document | LeftOut]]


@dataclass(frozen=True)
class Format:
    """A format of annotated files.

    A format gives either records (``read``), or documents: then ``items`` says what a file consists of (an
    ``InputError`` there is the whole file's), and ``parse`` what an item says (an ``InputError`` there is the item's,
    which a lenient reading leaves out).

    Attributes:
        name: as in ``--format``.
        suffixes: of its files, lower case, with the dot; ``""`` for a folder.
        recognise: whether a file that starts with this text (its first 64 KiB; of a folder, the names in it, a line
            each) is of this format. Asked in the order of ``FORMATS``, of files with one of the suffixes.
        read: the records of a file.
        items: the items of a file, in order.
        parse: the documents of an item: one for each annotator, as a rule; and what of it is left out.
        write: writes records to a path; ``None`` if the format is only read.
    """

    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[str], bool]
    read: Reader | None = None
    items: Items | None = None
    parse: Parse | None = None
    write: Callable[[Iterable[Record], Path], None] | None = None


def documents(format: Format, path: Path, layout: Layout, reading: Reading) -> Iterator[Document]:
    """The documents of a file of a format that has them, those that a lenient reading leaves out apart."""
    if format.items is None or format.parse is None:
        raise TypeError(f"the format {format.name} has records, not documents")
    for item in format.items(path):
        try:
            found = list(format.parse(item, layout))
        except InputError as error:
            if not layout.lenient:
                raise
            reading.refuse(error, item.where)
            continue
        for each in found:
            if isinstance(each, LeftOut):
                reading(each.reason)
            else:
                yield each


def reason_of(error: InputError, where: str) -> str:
    """What an error says without the place and without what was found, so that equal reasons count together."""
    return str(error).removeprefix(where).lstrip(":, ").partition(", found")[0]
