"""Annotated files in one format → the same annotations in another."""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.record import Record
from claimstance.training.data.config import DataConfig
from claimstance.training.data.formats import FORMATS, ReadReport, read_file

_LOG = logging.getLogger(__name__)


def convert(
    config: DataConfig, to: str, out: Path, progress: Callable[[int], None] | None = None
) -> tuple[int, dict[str, int]]:
    """Read the files of ``config`` and write all their records to ``out``.

    What the other format cannot carry is told in the docstring of its writer.

    Args:
        config: the files and how they are read.
        to: the name of a format that can be written.
        out: a file; with brat, a folder.
        progress: called with the number of records read since it was called last.

    Returns:
        How many records were written, and reason → how many were left out.

    Raises:
        ConfigError: for a format that is not written.
        InputError: for a file that cannot be read, or an ``out`` that is taken.
    """
    writable = {name: format.write for name, format in FORMATS.items() if format.write is not None}
    if to not in writable:
        raise ConfigError(unknown("format to write", to, writable))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            f"{out}: expected a new place, found one that is there already; remove it, or give --out another name"
        )
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()

    def records() -> Iterator[Record]:
        for source in config.sources:
            for file in source.paths():
                reading = ReadReport()
                for record in read_file(
                    file, source.format, source.layout(file, config.labels), reading
                ):
                    counts["records"] += 1
                    if progress:
                        progress(1)
                    yield record
                dropped.update(reading.dropped)
                for _, message in reading.warnings():
                    _LOG.warning("%s: %s", file, message)

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            new = Path(beside) / out.name
            writable[to](records(), new)
            if out.is_dir():
                out.rmdir()  # empty, as was seen
            new.rename(out)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}") from None
    return counts["records"], dict(dropped)
