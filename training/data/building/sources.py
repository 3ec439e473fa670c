"""Reading what a configuration names, part by part, and spooling it with its columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.building.duplicates import NEAR
from claimstance.training.data.building.indexing import Batch, Index, Profile, index
from claimstance.training.data.building.row_store import Spool
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.config import DataConfig, Source
from claimstance.training.data.corpora import Corpus, lookup
from claimstance.training.data.documents.markup import find_markup
from claimstance.training.data.formats import ReadReport, read_file
from claimstance.training.data.splits import SplitColumn, find_split

BATCH = 1000  # rows that are indexed together
_NOT_USED = (
    "expected no other split in the rows than '{split}', which the configuration gives the file, found another in "
    "{{rows}}; it is not used"
)
_MARKUP = (
    "expected plain text, found HTML in {rows}, whose tags are read as words; `check` shows which"
)

Progress = Callable[[int], None]


@dataclass
class Part:
    """One split of a corpus, or one file.

    Attributes:
        name: the corpus, or the file's name without its suffix.
        origin: the split of the corpus, or the file.
        split: that it has; ``None`` if it is to be divided.
        source: number of the configuration's source; sources of files that name their annotators are one.
        unit: number of what an item's annotations may be spread over: a source's files, or one split of a corpus.
        first: number of its first row.
        count: how many rows it has.
        reading: what was left out, and found.
        about: where a corpus comes from.
        answers: whether its records hold what each of several annotators said.
        corpus: the name that its records are scored under: of a person's file, the first person's.
    """

    name: str
    origin: str
    split: str | None
    source: int
    unit: int
    first: int = 0
    count: int = 0
    reading: ReadReport = field(default_factory=ReadReport)
    about: dict[str, str] = field(default_factory=dict)
    answers: bool = False
    corpus: str = ""


class Store:
    """The spool, with what is told of all its rows together."""

    def __init__(
        self, folder: Path, workers: Workers, near: float | None, with_names: bool = False
    ) -> None:
        self.spool = Spool(folder)
        self.workers = workers
        self.near = NEAR if near is None else near
        self.profiles: dict[Profile, int] = {}
        self.names: set[str] = set()  # of targets, if asked for: there may be as many as rows
        self._with_names = with_names

    def batches(self, records: Iterable[Record], part: Part) -> Iterator[Batch]:
        """Records of a part as batches to be indexed.

        Raises:
            InputError: for text that is not Unicode.
        """
        lines: list[bytes] = []
        for record in records:
            try:
                lines.append(record.to_json().encode())
            except UnicodeEncodeError:
                raise InputError(
                    f"{part.origin}: {record.id!r}: expected Unicode text, found half of a surrogate "
                    "pair"
                ) from None
            if len(lines) == BATCH:
                yield Batch(part.name, part.origin, self.near, lines, self._with_names)
                lines = []
        if lines:
            yield Batch(part.name, part.origin, self.near, lines, self._with_names)

    def add(self, batches: Iterable[Batch]) -> None:
        """Index and spool batches."""
        waiting: list[Batch] = []

        def passing() -> Iterator[Batch]:
            for batch in batches:
                waiting.append(batch)
                yield batch

        for found in self.workers.map(index, passing()):
            self._append(waiting.pop(0).lines, found)

    def _append(self, lines: Sequence[bytes], found: Index) -> None:
        codes = np.array(
            [self.profiles.setdefault(profile, len(self.profiles)) for profile in found.profiles]
        )
        columns = {
            **found.columns,
            "profile": codes[np.asarray(found.columns["profile"])].astype(np.int32),
        }
        self.spool.append(lines, columns)
        self.names |= found.names


def read_sources(config: DataConfig, store: Store, progress: Progress | None = None) -> list[Part]:
    """Read all sources once, spool their rows in order, and tell what the parts are.

    Args:
        config: the sources.
        store: where the rows go.
        progress: called with the number of rows read since it was called last.

    Raises:
        ConfigError: for what a corpus does not have.
        InputError: for a file that cannot be read.
    """
    parts: list[Part] = []

    def batches() -> Iterator[Batch]:
        rows = 0
        for part, records in _parts(config):
            parts.append(part)
            part.first = rows
            for batch in store.batches(records, part):
                rows += len(batch)
                part.count += len(batch)
                yield batch
                if progress:
                    progress(len(batch))

    store.add(batches())
    return parts


def _parts(config: DataConfig) -> Iterator[tuple[Part, Iterator[Record]]]:
    units = 0
    # Split → source, unit and name of the files that name their annotators.
    people: dict[str | None, tuple[int, int, str]] = {}
    for number, source in enumerate(config.sources):
        if source.corpus is None:
            for file in source.paths():
                unit = number, units, file.stem
                if source.annotator is not None:
                    unit = people.setdefault(source.split, unit)
                part = Part(file.stem, str(file), source.split, *unit[:2], corpus=unit[2])
                yield part, _read_file(source, config, part)
            units += 1
            continue
        corpus = lookup(source.corpus)
        options = {
            name: config.corpora / value
            if name in corpus.path_options and value is not None
            else value
            for name, value in source.options.items()
        }
        for theirs, ours in source.splits.items():
            part = Part(
                corpus.name,
                theirs,
                ours,
                number,
                units,
                about=_provenance(corpus),
                answers=corpus.answers,
            )
            yield part, corpus.read(config.corpora / corpus.folder, theirs, part.reading, **options)
            units += 1


def _read_file(source: Source, config: DataConfig, part: Part) -> Iterator[Record]:
    file = Path(part.origin)
    records = read_file(file, source.format, source.layout(file, config.labels), part.reading)
    for record in with_splits(records, source, file, part.reading):
        record.meta.setdefault("corpus", part.corpus)
        note_markup(record, part.reading)
        yield record


def with_splits(
    records: Iterable[Record], source: Source, file: Path, reading: ReadReport
) -> Iterator[Record]:
    """Yield the records of a file with our names of their splits in ``meta``.

    Args:
        records: Of the file.
        source: The file is one of its files. Its ``split`` goes before what the rows say.
        file: For messages.
        reading: Counts rows that are left out because of their split, and those whose split is not used.

    Raises:
        InputError: Naming the row whose split is none, or that lacks one among others that have it.
    """
    column = SplitColumn()
    for record in records:
        place = reading.place or f"record '{record.id}'"
        if source.split is not None:
            if find_split(record.meta.get("split")) not in (None, source.split):
                reading.note("split-not-used", _NOT_USED.format(split=source.split), place)
            yield record
            continue
        try:
            split = column.read(record.meta.get("split"), place)
        except ValueError as problem:
            error = InputError(f"{file}, {place}: split: {problem}")
            if not source.lenient:
                raise error from None
            reading.refuse(error, f"{file}, {place}")
            continue
        if split is not None:
            record.meta["split"] = split
            reading.facts["splits"] = "as the rows name them"
        yield record


def note_markup(record: Record, reading: ReadReport) -> None:
    """Warn of tags and character references, which are read as words."""
    if find_markup(record.text) is not None:
        reading.note("markup", _MARKUP, reading.place or f"record '{record.id}'")


def _provenance(corpus: Corpus) -> dict[str, str]:
    """Where a public corpus comes from, for the report."""
    return {key: getattr(corpus, key) for key in ("licence", "citation", "url", "version")}
