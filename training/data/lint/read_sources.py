"""Reading of annotated files for checks, with locations of records and findings for the rest."""

from collections.abc import Iterator
from dataclasses import replace

from claimstance.model.errors import InputError
from claimstance.training.data.config import DataConfig, Source
from claimstance.training.data.corpora import lookup
from claimstance.training.data.formats import recognise
from claimstance.training.data.lint.base import Finding, Location, unreadable
from claimstance.training.data.lint.file_readers import (
    LocatedRecord,
    read_documents,
    read_json_lines,
    read_table,
)
from claimstance.training.data.splits import SplitColumn


def formats_of(source: Source) -> Iterator[str]:
    """Yield the names of the formats of a source's files, without files of an unknown format."""
    for file in source.paths():
        try:
            yield recognise(file, source.format).name
        except InputError:
            continue  # read_source yields the finding for such a file.


def read_source(source: Source, config: DataConfig) -> Iterator[LocatedRecord | Finding]:
    """Yield the records of a corpus or of files; a finding for input that cannot be read.

    Raises:
        ConfigError: If the source uses an option that its corpus or format does not have.
    """
    if source.corpus is not None:
        # The files of a corpus have formats of their own, so that records are located by their ids.
        corpus = lookup(source.corpus)
        folder, options = config.corpora / corpus.folder, source.corpus_options(config.corpora)
        for corpus_split, split in source.splits.items():
            name = f"{corpus.name} {corpus_split}"
            try:
                for record in corpus.read(folder, corpus_split, **options):
                    yield LocatedRecord(record, Location(name, None, record.id), split)
            except InputError as error:
                yield unreadable(name, str(error))
        return

    for file in source.paths():
        column = SplitColumn()
        layout = source.layout(file, {}, lenient=True)
        try:
            format = recognise(file, source.format)
            # Each kind of format is read in the way that preserves line numbers.
            if format.name == "jsonl":
                entries = read_json_lines(file, layout)
            elif format.read is not None and format.parse is None:
                entries = read_table(format.read, file, layout)
            else:
                entries = read_documents(format, file, layout)
            for entry in entries:
                if isinstance(entry, Finding):
                    yield entry
                else:
                    yield _with_split(entry, source, column)
        except InputError as error:
            yield unreadable(file, str(error))


def _with_split(
    entry: LocatedRecord, source: Source, column: SplitColumn
) -> LocatedRecord | Finding:
    """Return a record with its split, or a finding if the split cannot be used."""
    if source.split is not None:
        return replace(entry, split=source.split)
    location = entry.location
    where = str(location) if location.line is None else f"line {location.line}"
    try:
        return replace(entry, split=column.read(entry.record.meta.get("split"), where))
    except ValueError as problem:
        return Finding("error", "unreadable", location, str(problem))
