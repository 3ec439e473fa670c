"""Conversion of annotated files from one format to another."""

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

    The docstring of a format's writer lists the annotations that the format cannot represent.

    Args:
        config: the files, and how to read them.
        to: the name of a format that can be written.
        out: the file to write; a folder for brat.
        progress: called with the number of records read since the last call.

    Returns:
        The number of records that were written, and reason → how many were left out.

    Raises:
        ConfigError: for a format that cannot be written.
        InputError: for a file that cannot be read, or an ``out`` that exists.
    """
    writable = {name: format.write for name, format in FORMATS.items() if format.write is not None}
    if to not in writable:
        raise ConfigError(unknown("format to write", to, writable))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            f"{out}: expected a new path, found one that exists already; remove it, or give --out another name"
        )
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()

    def records() -> Iterator[Record]:
        for source in config.sources:
            for file in source.paths():
                read_report = ReadReport()
                layout = source.layout(file, config.labels)
                for record in read_file(file, source.format, layout, read_report):
                    counts["records"] += 1
                    if progress:
                        progress(1)
                    yield record
                dropped.update(read_report.dropped)
                for _, message in read_report.warnings():
                    _LOG.warning("%s: %s", file, message)

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # The file is written elsewhere and renamed, so that a failure leaves nothing at ``out``.
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as staging:
            new = Path(staging) / out.name
            writable[to](records(), new)
            if out.is_dir():
                out.rmdir()  # it is empty: see the check above
            new.rename(out)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}") from None
    return counts["records"], dict(dropped)
