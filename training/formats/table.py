"""Tables: CSV and TSV files with a header, a labelled sentence a row.

Columns, unless mapped: ``text``, ``label``, and if there ``target``, ``holder``, ``id``, ``doc_id``. In place of
``label`` the header may have columns named after the tasks, ``claim``, ``check_worthy``, ``subjective`` and ``stance``.
All others are kept in ``meta``. An empty label is "not annotated".
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Stance, check_labels, read_lines
from claimstance.training.formats.base import Layout, OnDrop, Reader

COLUMNS = ("text", "label", "target", "holder", "id", "doc_id")
TASKS = (*SENTENCE_TASKS, "stance")


class _UnusableRowError(Exception):
    """A row that cannot be used, and why; left out if the reader is lenient."""


@dataclass(frozen=True)
class _Columns:
    """The places of the columns in a row."""

    places: Mapping[str, int]  # of COLUMNS without "label"
    labels: Mapping[str, int]  # task → place
    others: Mapping[str, int]


def read(path: Path, layout: Layout, on_drop: OnDrop, delimiter: str = ",") -> Iterator[Record]:
    """The rows of a table as records, in order. A missing id is ``STEM:ROW``, counted from 1 without the header.

    Raises:
        InputError: naming the file and the line, what was expected and what was found.
    """
    rows = _rows(path, delimiter)
    _, header = next(rows, (0, []))
    columns = _find_columns(path, [name.strip() for name in header], layout)
    seen: dict[str, int] = {}
    number = 0
    for line, row in rows:
        number += 1
        where = f"{path}, line {line}"
        try:
            record = _record(row, header, columns, layout, f"{path.stem}:{number}", where)
        except _UnusableRowError as problem:
            if not layout.lenient:
                raise InputError(f"{where}: {problem}") from None
            on_drop(str(problem).partition(", found")[0])
            continue
        if record.id in seen:
            raise InputError(f"{where}: expected a new id, found '{record.id}', already used in line "
                             f"{seen[record.id]} (without an id column, rows are numbered)")
        seen[record.id] = line
        yield record
    if not number:
        raise InputError(f"{path}: expected a header and at least one row, found {'a header' if header else 'nothing'}")


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its last line."""
    rows = csv.reader((line + "\n" for line in read_lines(path)), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            if any(field.strip() for field in row):
                yield rows.line_num, row
    except csv.Error as error:
        kind = "TSV" if delimiter == "\t" else "CSV"
        raise InputError(f"{path}, line {rows.line_num}: expected {kind} with fields in plain double quotes or none, "
                         f"found text that is not ({error})") from None


def _find_columns(path: Path, header: list[str], layout: Layout) -> _Columns:
    for name in layout.columns:
        if name not in COLUMNS:
            raise InputError(f"{path}: {unknown('column', name, COLUMNS)}")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"{path}: expected columns with different names, found '{twice}' twice")
    found = {ours: layout.columns.get(ours, ours) for ours in COLUMNS}
    required = ["text", *layout.columns]
    own = [] if "label" in layout.columns or layout.task else [task for task in TASKS if task in header]
    if not own:
        required.append("label")
    for ours in required:
        if found[ours] not in header:
            raise InputError(f"{path}: expected a column '{found[ours]}', found {', '.join(header) or 'no header'}")
    places = {ours: header.index(theirs) for ours, theirs in found.items() if theirs in header}
    if "target" in places and layout.target is not None:
        raise InputError(f"{path}: expected a column '{found['target']}' or one target for the file, found both "
                         f"('{layout.target}')")
    has_target = "target" in places or layout.target is not None
    labels = {task: header.index(task) for task in own}
    if not own:
        labels = {layout.task or ("stance" if has_target else "claim"): places["label"]}
    if "stance" in labels and not has_target:
        raise InputError(f"{path}: expected a column '{found['target']}' or one target for the file, since the labels "
                         f"are stances, found {', '.join(header)}")
    used = {*places.values(), *labels.values()}
    others = {name: place for place, name in enumerate(header) if place not in used and name}
    return _Columns({ours: place for ours, place in places.items() if ours != "label"}, labels, others)


def _record(
    row: list[str], header: list[str], columns: _Columns, layout: Layout, default_id: str, where: str
) -> Record:
    if len(row) != len(header):
        raise _UnusableRowError(f"expected {len(header)} columns, found {len(row)}")
    value = {ours: row[place].strip() or None for ours, place in columns.places.items()}
    label: dict[str, Any] = {task: row[place].strip() or None for task, place in columns.labels.items()}
    text = value["text"]
    if text is None:
        raise _UnusableRowError("expected a text, found an empty one")
    record = Record(
        id=value.get("id") or default_id,
        doc_id=value.get("doc_id"),
        text=text,
        **{task: label.get(task) for task in SENTENCE_TASKS},
        stances=_stances(value, label, layout),
        meta={name: row[place] for name, place in columns.others.items()},
    )
    check_labels(record, {**_own_labels(record), **layout.labels}, where)
    return record


def _stances(
    value: Mapping[str, str | None], label: Mapping[str, str | None], layout: Layout
) -> list[Stance] | None:
    if label.get("stance") is None:
        return None
    target = value.get("target") or layout.target
    if target is None:
        raise _UnusableRowError("expected a target, found an empty one")
    return [Stance(holder=value.get("holder"), target=target, label=label["stance"])]


def _own_labels(record: Record) -> dict[str, Any]:
    """The labels of a record as its label sets: what a user's own table says is right, unless configured."""
    return {
        **{task: (getattr(record, task),) for task in SENTENCE_TASKS},
        "stance": tuple(stance.label for stance in record.stances or ()),
    }


read_csv: Reader = read
read_tsv: Reader = partial(read, delimiter="\t")
