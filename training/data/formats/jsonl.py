"""JSON Lines: a record a line, as ``claimstance.model.record`` has it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Record, read_jsonl, write_jsonl
from claimstance.training.data.documents.format import Format, Layout, ReadReport


def read(path: Path, layout: Layout, reading: ReadReport) -> Iterator[Record]:
    """The records of a file, their labels checked against ``layout.labels``, else the default sets.

    Raises:
        InputError: naming file, line and field; also if the layout speaks of columns, which records do not have.
    """
    for name in ("columns", "task", "target", "roles", "values", "sentences"):
        if getattr(layout, name):
            raise InputError(
                f"{path}: expected another format, to which '{name}' applies, found JSON Lines of records"
            )
    for record in read_jsonl(path, layout.labels):
        if record.annotator is None and layout.annotator is not None:
            record.annotator = layout.annotator
        yield record


def recognise(head: str) -> bool:
    """Whether the first line is an object with "text" and what only records have."""
    try:
        first = json.loads(next((line for line in head.splitlines() if line.strip()), ""))
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(first, dict)
        and "text" in first
        and not first.keys() - Record.model_fields.keys() - {"predicted"}
    )


def write(records: Iterable[Record], path: Path) -> None:
    """Write records, one a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        write_jsonl(records, file)


FORMAT = Format("jsonl", (".jsonl", ".ndjson"), recognise, read=read, write=write)
