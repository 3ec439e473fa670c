"""JSON Lines: a record a line, as ``claimstance.model.record`` defines it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Record, read_jsonl, write_jsonl
from claimstance.training.data.documents.format import Format, Layout, ReadReport

#: Parts of a layout that have no meaning for records.
_UNUSED_LAYOUT = ("columns", "task", "target", "roles", "values", "sentences")


def read(path: Path, layout: Layout, report: ReadReport) -> Iterator[Record]:
    """Yield the records of a file, with their labels checked against ``layout.labels``, else the default sets.

    Raises:
        InputError: naming file, line and field; also if the layout has columns or roles, which records do not have.
    """
    for name in _UNUSED_LAYOUT:
        if getattr(layout, name):
            raise InputError(
                f"{path}: expected another format, to which '{name}' applies, "
                "found JSON Lines of records"
            )
    for record in read_jsonl(path, layout.labels):
        if record.annotator is None and layout.annotator is not None:
            record.annotator = layout.annotator
        yield record


def recognise(head: str) -> bool:
    """Return whether the first line is an object with a "text", and no key that a record lacks."""
    lines = [line for line in head.splitlines() if line.strip()]
    if not lines:
        return False
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        return False
    if not isinstance(first, dict) or "text" not in first:
        return False
    return first.keys() <= Record.model_fields.keys() | {"predicted"}


def write(records: Iterable[Record], path: Path) -> None:
    """Write records, one a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        write_jsonl(records, file)


FORMAT = Format("jsonl", (".jsonl", ".ndjson"), recognise, read=read, write=write)
