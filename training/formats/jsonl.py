"""JSON Lines: a record a line, as ``claimstance.model.record`` has it."""

from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Record, read_jsonl
from claimstance.training.formats.base import Layout, OnDrop


def read(path: Path, layout: Layout, on_drop: OnDrop) -> Iterator[Record]:
    """The records of a file, their labels checked against ``layout.labels``, else the default sets.

    Raises:
        InputError: naming file, line and field; also if the layout speaks of columns, which records do not have.
    """
    for name in ("columns", "task", "target"):
        if getattr(layout, name):
            raise InputError(f"{path}: expected CSV or TSV, to which '{name}' applies, found JSON Lines")
    return read_jsonl(path, layout.labels)
