"""Annotation formats, a file each: annotated files in, records out."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.record import Record
from claimstance.training.formats import jsonl, table
from claimstance.training.formats.base import Layout, OnDrop, Reader

_LOG = logging.getLogger(__name__)
FORMATS: dict[str, Reader] = {"jsonl": jsonl.read, "csv": table.read_csv, "tsv": table.read_tsv}
SUFFIXES: Mapping[str, str] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv"}


def format_of(path: Path, name: str | None = None) -> str:
    """The name of a file's format: ``name`` if given, else by the suffix.

    Raises:
        ConfigError: for a name that is not a format's.
        InputError: for a suffix that tells none.
    """
    if name is not None:
        if name not in FORMATS:
            raise ConfigError(unknown("format", name, FORMATS))
        return name
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: expected a file whose name ends in {', '.join(SUFFIXES)}, or its format, found "
                         f"'{path.suffix}'")
    return SUFFIXES[path.suffix.lower()]


def read_file(
    path: Path | str, format: str | None = None, layout: Layout | None = None, on_drop: OnDrop | None = None
) -> Iterator[Record]:
    """The records of an annotated file.

    Args:
        path: the file.
        format: ``jsonl``, ``csv`` or ``tsv``; by the suffix if ``None``.
        layout: what the file does not say itself.
        on_drop: called with the reason for each row that is left out; their number is logged, too.

    Raises:
        ConfigError: for an unknown format.
        InputError: naming the file and the line, what was expected and what was found.
    """
    return _read(Path(path), FORMATS[format_of(Path(path), format)], layout or Layout(), on_drop)


def _read(path: Path, reader: Reader, layout: Layout, on_drop: OnDrop | None) -> Iterator[Record]:
    dropped: Counter[str] = Counter()

    def note(reason: str) -> None:
        dropped[reason] += 1
        if on_drop:
            on_drop(reason)

    yield from reader(path, layout, note)
    for reason, count in dropped.items():
        _LOG.info("%s: %d rows left out: %s", path, count, reason)


__all__ = ["FORMATS", "SUFFIXES", "Layout", "format_of", "read_file"]
