"""The interface of corpus readers, and the tables that several of them read."""

import csv
import inspect
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.record import Record, read_lines

_LOG = logging.getLogger(__name__)
Reader = Callable[..., Iterator[Record]]
OnDrop = Callable[[str], None]  # called with the reason for each row that is left out


@dataclass(frozen=True)
class Corpus:
    """Represent a public corpus, with the reader that turns its repository's files into records.

    Attributes:
        name: the name used in configurations.
        url: the address of the repository.
        licence: the licence as the repository states it.
        citation: the publication to cite.
        version: a file of the repository and the start of its SHA-256, which identify the measured copy.
        splits: the names ``read`` accepts.
        tasks: the tasks that the records carry labels for.
        label_mapping: the corpus's label → the label of this project.
        reader: ``(folder, split, on_drop, **options) -> Iterator[Record]``.
        path_options: the options that are paths.
        folder: the corpus's folder in the folder of all corpora; ``name`` by default.
        answers: whether ``meta["annotations"]`` has the label of each annotator, without names.
    """

    name: str
    url: str
    licence: str
    citation: str
    version: str
    splits: tuple[str, ...]
    tasks: tuple[str, ...]
    label_mapping: Mapping[str, str]
    reader: Reader
    path_options: tuple[str, ...] = ()
    answers: bool = False
    folder: str = ""

    def __post_init__(self) -> None:
        """Set the folder to the corpus's name, unless it was given."""
        if not self.folder:
            object.__setattr__(self, "folder", self.name)

    @property
    def options(self) -> tuple[str, ...]:
        """Return the names of the options that ``read`` accepts."""
        # The first three parameters are ``folder``, ``split`` and ``on_drop``.
        return tuple(inspect.signature(self.reader).parameters)[3:]

    def read(
        self, folder: Path | str, split: str, on_drop: OnDrop | None = None, **options: Any
    ) -> Iterator[Record]:
        """Return an iterator over the records of ``split``, read from a copy of the public repository.

        Args:
            folder: the copy.
            split: one of ``splits``.
            on_drop: called with the reason for each row that is left out; their number is logged, too.
            **options: see the reader.

        Raises:
            ConfigError: for a split or an option that the corpus does not have.
            InputError: if the folder or a file in it is missing or not as published.
        """
        if split not in self.splits:
            raise ConfigError(f"corpus {self.name}: {unknown('split', split, self.splits)}")
        for option in options:
            if option not in self.options:
                raise ConfigError(f"corpus {self.name}: {unknown('option', option, self.options)}")
        if not Path(folder).is_dir():
            raise InputError(
                f"{folder}: expected a copy of {self.url} ({self.name}), found no such folder"
            )
        for name in self.path_options:
            if options.get(name) is not None:
                options[name] = Path(options[name])

        dropped: Counter[str] = Counter()

        def note(reason: str) -> None:
            dropped[reason] += 1
            if on_drop:
                on_drop(reason)

        # A nested generator, so that the checks above do not wait for the first record.
        def iter_records() -> Iterator[Record]:
            yield from self.reader(Path(folder), split, note, **options)
            for reason, count in dropped.items():
                _LOG.info("%s %s: %d rows left out: %s", self.name, split, count, reason)

        return iter_records()


def check_choice(corpus: str, option: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ``ConfigError`` if ``value`` is not among the ``choices`` of a corpus's option."""
    if value not in choices:
        raise ConfigError(
            f"corpus {corpus}, option {option}: expected {' or '.join(choices)}, found {value!r}"
        )


def read_tsv(
    path: Path, columns: tuple[int, ...], quoting: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a tab-separated file with the number of their line.

    Args:
        path: the file.
        columns: the numbers of columns that a row may have.
        quoting: whether ``"`` quotes a field, as in CSV.

    Raises:
        InputError: for a file that cannot be read, or a row with another number of columns.
    """
    rows = csv.reader(
        (line + "\n" for line in read_lines(path)),
        delimiter="\t",
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
        strict=False,
    )
    for row in rows:
        if not row:
            continue
        if len(row) not in columns:
            expected = " or ".join(map(str, columns))
            raise InputError(
                f"{path}, line {rows.line_num}: expected {expected} columns, found {len(row)}"
            )
        yield rows.line_num, row


def read_table(
    lines: Iterable[str], where: Path | str, columns: Mapping[str, str], delimiter: str = ","
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a table with a header, quoted as in CSV, with the number of their last line.

    Args:
        lines: the lines of the file, with or without their ends.
        where: the file's name, for messages.
        columns: the name to give a column → its name in the header. Other columns are left out.
        delimiter: the character between two fields.

    Raises:
        InputError: if the header lacks a column, a row has another number of fields than the header, or a field is
            longer than any text.
    """
    # The readers of lines differ in whether they keep the line ends, which CSV needs within quotes.
    rows = csv.DictReader((line.rstrip("\n") + "\n" for line in lines), delimiter=delimiter)
    try:
        for name in columns.values():
            if name not in (rows.fieldnames or ()):
                raise InputError(f"{where}: {unknown('column', name, rows.fieldnames or ())}")
        for row in rows:
            if None in row or None in row.values():
                raise InputError(
                    f"{where}, line {rows.line_num}: expected {len(rows.fieldnames or ())} fields, "
                    "found another number"
                )
            yield rows.line_num, {name: row[column] for name, column in columns.items()}
    except csv.Error as error:
        raise InputError(
            f"{where}, after line {rows.line_num}: expected CSV, found {error}"
        ) from None
