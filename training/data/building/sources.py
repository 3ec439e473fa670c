"""Reading the configured corpora and files, part by part, into the store of rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claimstance.model.errors import InputError
from claimstance.model.record import Record
from claimstance.training.data.building.indexing import IndexedStore, RowBatch
from claimstance.training.data.config import DataConfig, Source
from claimstance.training.data.corpora import lookup
from claimstance.training.data.documents.markup import find_markup
from claimstance.training.data.formats import ReadReport, read_file
from claimstance.training.data.splits import SplitColumn, find_split

_PROVENANCE = ("licence", "citation", "url", "version")  # attributes of a corpus for the report
_SPLIT_NOT_USED = (
    "expected the split '{split}', which the configuration gives the file, found another split in "
    "{{rows}}; it is not used"
)
_MARKUP = "expected plain text, found HTML in {rows}, whose tags are read as words; `check` shows the rows"

Progress = Callable[[int], None]


@dataclass
class InputPart:
    """Represent one split of a corpus, or one file.

    Attributes:
        name: the corpus, or the file's name without its suffix.
        origin: the split of the corpus, or the path of the file.
        split: its split; ``None`` if its rows are to be split.
        source: index of the configured source; sources of files that name their annotators share one.
        adjudication_unit: index of the files of a source, or of one split of a corpus; only rows of one unit
            are merged into one item.
        first_row: its first row.
        row_count: its number of rows.
        read_report: what reading it left out and warns of.
        provenance: licence, citation, link and version of a corpus.
        has_annotator_answers: True if its records contain the answer of each annotator.
        corpus: the corpus that its records are scored under; for files of several annotators, the name of
            the first file.
    """

    name: str
    origin: str
    split: str | None
    source: int
    adjudication_unit: int
    first_row: int = 0
    row_count: int = 0
    read_report: ReadReport = field(default_factory=ReadReport)
    provenance: dict[str, str] = field(default_factory=dict)
    has_annotator_answers: bool = False
    corpus: str = ""

    @property
    def rows(self) -> range:
        """Return the rows of the store that were read from the part."""
        return range(self.first_row, self.first_row + self.row_count)


def part_indices(input_parts: Sequence[InputPart]) -> NDArray[np.int32]:
    """Return the index of the part of each row that was read, in the order of the rows."""
    row_counts = [input_part.row_count for input_part in input_parts]
    return np.repeat(np.arange(len(input_parts), dtype=np.int32), row_counts)


def read_sources(
    config: DataConfig, store: IndexedStore, progress: Progress | None = None
) -> list[InputPart]:
    """Read all sources once, store their rows in order, and return the parts.

    Args:
        config: the sources.
        store: receives the rows.
        progress: called with the number of rows read since the last call.

    Raises:
        ConfigError: for a split or an option that a corpus does not have.
        InputError: for a file that cannot be read.
    """
    input_parts: list[InputPart] = []

    def batches() -> Iterator[RowBatch]:
        rows = 0
        for input_part, records in _iter_parts(config):
            input_parts.append(input_part)
            input_part.first_row = rows
            for batch in store.batches(records, input_part.name, input_part.origin):
                rows += len(batch)
                input_part.row_count += len(batch)
                yield batch
                if progress:
                    progress(len(batch))

    store.add(batches())
    return input_parts


def _iter_parts(config: DataConfig) -> Iterator[tuple[InputPart, Iterator[Record]]]:
    """Yield each part with its records, in the order of the configuration."""
    units = 0
    # Split → the first file whose annotator is named.
    annotator_files: dict[str | None, InputPart] = {}
    for number, source in enumerate(config.sources):
        if source.corpus is None:
            for file in source.paths():
                input_part = InputPart(
                    name=file.stem,
                    origin=str(file),
                    split=source.split,
                    source=number,
                    adjudication_unit=units,
                    corpus=file.stem,
                )
                if source.annotator is not None:
                    # Files of named annotators are one source, so that their annotations meet in one item.
                    first = annotator_files.setdefault(source.split, input_part)
                    input_part.source = first.source
                    input_part.adjudication_unit = first.adjudication_unit
                    input_part.corpus = first.corpus
                yield input_part, _read_file(source, config, input_part)
            units += 1
            continue

        corpus = lookup(source.corpus)
        folder = config.corpora / corpus.folder
        options = source.corpus_options(config.corpora)
        provenance = {name: getattr(corpus, name) for name in _PROVENANCE}
        for corpus_split, split in source.splits.items():
            input_part = InputPart(
                name=corpus.name,
                origin=corpus_split,
                split=split,
                source=number,
                adjudication_unit=units,
                provenance=provenance,
                has_annotator_answers=corpus.answers,
            )
            on_drop = input_part.read_report.drop
            yield input_part, corpus.read(folder, corpus_split, on_drop, **options)
            units += 1


def _read_file(source: Source, config: DataConfig, input_part: InputPart) -> Iterator[Record]:
    """Yield the records of a file, with their split and corpus."""
    file = Path(input_part.origin)
    layout = source.layout(file, config.labels)
    records = read_file(file, source.format, layout, input_part.read_report)
    for record in with_splits(records, source, file, input_part.read_report):
        record.meta.setdefault("corpus", input_part.corpus)
        note_markup(record, input_part.read_report)
        yield record


def with_splits(
    records: Iterable[Record], source: Source, file: Path, read_report: ReadReport
) -> Iterator[Record]:
    """Yield the records of a file with normalized names of their splits in ``meta``.

    Args:
        records: the records of the file.
        source: the source of the file. Its ``split`` takes precedence over the splits of the rows.
        file: the file, for messages.
        read_report: counts rows that are left out because of their split, and rows whose split is not used.

    Raises:
        InputError: naming a row with an unknown split, or without one where other rows have one.
    """
    column = SplitColumn()
    for record in records:
        location = read_report.location or f"record '{record.id}'"
        if source.split is not None:
            if find_split(record.meta.get("split")) not in (None, source.split):
                message = _SPLIT_NOT_USED.format(split=source.split)
                read_report.note("split-not-used", message, location)
            yield record
            continue
        try:
            split = column.read(record.meta.get("split"), location)
        except ValueError as problem:
            error = InputError(f"{file}, {location}: {problem}")
            if not source.lenient:
                raise error from None
            read_report.refuse(error, f"{file}, {location}")
            continue
        if split is not None:
            record.meta["split"] = split
            read_report.facts["splits"] = "as the rows name them"
        yield record


def note_markup(record: Record, read_report: ReadReport) -> None:
    """Warn of HTML tags and character references, which are read as words."""
    if find_markup(record.text) is not None:
        read_report.note("markup", _MARKUP, read_report.location or f"record '{record.id}'")
