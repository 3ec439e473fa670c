"""Tables with a header, a labelled sentence a row: CSV, TSV, Excel workbooks (XLSX) and Parquet.

Columns, unless mapped: ``text``, ``label``, and if there ``target``, ``holder``, ``id``, ``doc_id``, ``annotator``,
``outlet``, ``date`` and ``split``. In place of ``label`` the header may have columns named after the tasks, ``claim``,
``check_worthy``, ``subjective`` and ``stance``, or ``roles`` may say which columns have their labels. All others are
kept in ``meta``, as text. An empty label is "not annotated". A split is ``train``, ``dev`` (or ``validation``, ``val``)
or ``test``, in every row or in none.

Several annotators of a sentence are rows with one ``id``. A cell with labels of several tasks joined by ``#``, as
doccano writes them, is taken apart if ``labels`` has each of them.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Stance, check_labels
from claimstance.training.data.documents.format import COLUMNS, Format, Layout, ReadReport
from claimstance.training.data.formats.table_rows import Row, delimited, parquet, workbook
from claimstance.training.data.splits import SplitColumn

TASKS = (*SENTENCE_TASKS, "stance")
_NO_LABEL = (
    "blank-label",
    "expected a label, found none in {rows}, which count as not annotated; --value =LABEL gives such rows a label",
)
_IGNORE = "ignore"
_ROLES = (*TASKS, "target", "holder", _IGNORE)  # what roles can make of a column
_META = ("outlet", "date")

#: ``(path, the name of the text's column, reading) -> rows``, the header first
_Source = Callable[[Path, str, ReadReport], Iterator[Row]]


class _UnusableRowError(Exception):
    """A row that cannot be used, and why; left out if the reader is lenient."""


@dataclass(frozen=True)
class _Columns:
    """The places of the columns in a row."""

    places: Mapping[str, int]  # of COLUMNS without "label"
    labels: Mapping[str, int]  # task → place
    others: Mapping[str, int]


def read(path: Path, layout: Layout, reading: ReadReport, source: _Source) -> Iterator[Record]:
    """The rows of a table as records, in order. A missing id is ``STEM:ROW``, counted from 1 without the header.

    Raises:
        InputError: naming the file and the line, what was expected and what was found.
    """
    rows = source(path, layout.columns.get("text", "text"), reading)
    header = [name.strip() for name in next(rows, Row("", [])).values]
    columns = _find_columns(path, header, layout)
    _note_other_case(header, columns, layout, reading)
    seen: dict[tuple[str, str | None], str] = {}
    splits = SplitColumn()
    number = 0
    for row in rows:
        number += 1
        reading.place = row.place
        where = f"{path}, {row.place}"
        try:
            record = _record(row, header, columns, layout, f"{path.stem}:{number}", where)
            _set_split(record, row, columns, splits)
        except _UnusableRowError as problem:
            if not layout.lenient:
                raise InputError(f"{where}: {problem}") from None
            reading(str(problem).partition(", found")[0])
            continue
        key = record.id, record.annotator
        if key in seen:
            by = f" by annotator '{record.annotator}'" if record.annotator is not None else ""
            raise InputError(
                f"{where}: expected a new id, found '{record.id}', already used in {seen[key]}{by} "
                "(without an id column, rows are numbered)"
            )
        seen[key] = row.place
        if not _has_label(record):
            reading.note(*_NO_LABEL, row.place)
        yield record
    if not number:
        raise InputError(
            f"{path}: expected a header and at least one row, found {'a header' if header else 'nothing'}"
        )


def _set_split(record: Record, row: Row, columns: _Columns, splits: SplitColumn) -> None:
    """Put the split that the row names into ``meta``, by our name for it."""
    if "split" not in columns.places:
        return
    try:
        split = splits.read(row.values[columns.places["split"]], row.place)
    except ValueError as problem:
        raise _UnusableRowError(str(problem)) from None
    if split is not None:
        record.meta["split"] = split


def _has_label(record: Record) -> bool:
    return bool(record.stances) or any(getattr(record, task) for task in SENTENCE_TASKS)


def _note_other_case(
    header: Sequence[str], columns: _Columns, layout: Layout, reading: ReadReport
) -> None:
    """Warn of columns that nothing but their case keeps from being read as more than data."""
    for name in columns.others:
        ours = name.casefold()
        if ours in header or ours in layout.columns or ours not in COLUMNS:
            continue
        option = shlex.quote(f"{ours}={name}")
        reading.note(
            "column-name",
            f"expected the column '{ours}', found '{name}', which is kept as data; "
            f"--column {option} reads it as {ours}",
            "the header",
        )


def _find_columns(path: Path, header: list[str], layout: Layout) -> _Columns:
    for name in layout.columns:
        if name not in COLUMNS:
            raise InputError(f"{path}: {unknown('column', name, COLUMNS)}")
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise InputError(f"{path}: expected columns with different names, found '{twice[0]}' twice")
    found = {ours: layout.columns.get(ours, ours) for ours in COLUMNS}
    given = _find_roles(path, header, layout)
    found.update({role: name for name, role in given.items() if role in ("target", "holder")})
    labels = {role: header.index(name) for name, role in given.items() if role in TASKS}
    asked = "label" in layout.columns or layout.task is not None
    if not asked:
        labels = {
            **{task: header.index(task) for task in TASKS if task in header and task not in given},
            **labels,
        }
    for ours in ["text", *layout.columns, *([] if labels and not asked else ["label"])]:
        if found[ours] not in header:
            raise InputError(_no_column(path, found[ours], header, layout))
    places = {
        ours: header.index(theirs)
        for ours, theirs in found.items()
        if theirs in header and theirs not in given
    }
    places.update(
        {role: header.index(name) for name, role in given.items() if role in ("target", "holder")}
    )
    has_target = _has_target(path, found["target"], places, layout)
    if not labels or asked:
        task = layout.task or ("stance" if has_target else "claim")
        if task in labels:
            raise InputError(
                f"{path}: expected one column with labels of {task}, found '{header[labels[task]]}' and "
                f"'{found['label']}'"
            )
        labels[task] = places["label"]
    elif "label" not in layout.columns:
        places.pop("label", None)
    if "stance" in labels and not has_target:
        raise InputError(
            f"{path}: expected a column '{found['target']}' or one target for the file, since the labels "
            f"are stances, found {', '.join(header)}; --column target=NAME or --target TARGET says it"
        )
    used = {*places.values(), *labels.values(), *(header.index(name) for name in given)}
    others = {name: place for place, name in enumerate(header) if place not in used and name}
    return _Columns(
        {ours: place for ours, place in places.items() if ours != "label"}, labels, others
    )


def _no_column(path: Path, wanted: str, header: Sequence[str], layout: Layout) -> str:
    """Return the message for a missing column, with the options that name the columns as they seem to be meant."""
    message = f"{path}: expected a column '{wanted}', found {', '.join(header) or 'no header'}"
    options = []
    for name in header:
        ours = name.casefold()
        if ours in header or name in layout.roles or ours in layout.columns:
            continue
        if ours in COLUMNS:
            options.append(f"--column {shlex.quote(f'{ours}={name}')}")
        elif ours in TASKS:
            options.append(f"--role {shlex.quote(f'{name}={ours}')}")
    if options:
        return f"{message}; {' '.join(options)} reads them"
    if header and wanted in COLUMNS:
        return f"{message}; --column {wanted}=NAME says which one it is"
    return message


def _find_roles(path: Path, header: list[str], layout: Layout) -> dict[str, str]:
    """Column → what ``layout.roles`` says it is."""
    for name, role in layout.roles.items():
        if name not in header:
            raise InputError(
                f"{path}: roles: expected a column '{name}', found {', '.join(header) or 'no header'}"
            )
        if role not in _ROLES:
            raise InputError(
                f"{path}: roles: {name}: expected {', '.join(_ROLES)} for a column of a table, found "
                f"'{role}'"
            )
    roles = [role for role in layout.roles.values() if role != _IGNORE]
    if twice := [role for role in roles if roles.count(role) > 1]:
        raise InputError(
            f"{path}: roles: expected one column for {twice[0]}, found "
            f"{', '.join(name for name, role in layout.roles.items() if role == twice[0])}"
        )
    return dict(layout.roles)


def _has_target(path: Path, name: str, places: Mapping[str, int], layout: Layout) -> bool:
    if "target" in places and layout.target is not None:
        raise InputError(
            f"{path}: expected a column '{name}' or one target for the file, found both "
            f"('{layout.target}')"
        )
    return "target" in places or layout.target is not None


def _record(
    row: Row, header: list[str], columns: _Columns, layout: Layout, default_id: str, where: str
) -> Record:
    if row.problem:
        raise _UnusableRowError(row.problem)
    if len(row.values) != len(header):
        raise _UnusableRowError(f"expected {len(header)} columns, found {len(row.values)}")
    value = {ours: row.values[place].strip() or None for ours, place in columns.places.items()}
    label = _labels(row.values, columns, layout)
    text = value["text"]
    if text is None:
        raise _UnusableRowError("expected a text, found an empty one")
    record = Record(
        id=value.get("id") or default_id,
        doc_id=value.get("doc_id"),
        text=text,
        **{task: label.get(task) for task in SENTENCE_TASKS},
        stances=_stances(value, label, layout),
        annotator=value.get("annotator") or layout.annotator,
        meta={name: row.values[place] for name, place in columns.others.items()},
    )
    record.meta.update({name: value[name] for name in _META if value.get(name) is not None})
    check_labels(record, {**_own_labels(record), **layout.labels}, where)
    return record


def _labels(values: Sequence[str], columns: _Columns, layout: Layout) -> dict[str, Any]:
    """Task → label of a row, by the names that ``layout.values`` gives them."""
    found: dict[str, Any] = {}
    for task, place in columns.labels.items():
        cell = values[place].strip()
        cell = layout.values.get(cell, cell)
        parts = _joined(cell, task, layout)
        for part_task, label in parts.items() if parts else [(task, cell or None)]:
            if found.get(part_task) not in (None, label):
                raise _UnusableRowError(
                    f"expected one label of {part_task}, found '{found[part_task]}' and '{label}'"
                )
            found[part_task] = label if label is not None else found.get(part_task)
    return found


def _joined(cell: str, task: str, layout: Layout) -> dict[str, str]:
    """Task → label of a cell with several labels joined by ``#``; empty if it is one, or one of them is not known."""
    if "#" not in cell or cell in layout.labels.get(task, ()):
        return {}
    found: dict[str, str] = {}
    for part in cell.split("#"):
        label = layout.values.get(part.strip(), part.strip())
        known = [
            name for name in dict.fromkeys([task, *TASKS]) if label in layout.labels.get(name, ())
        ]
        if not known:
            return {}
        if found.setdefault(known[0], label) != label:
            raise _UnusableRowError(
                f"expected one label of {known[0]}, found '{found[known[0]]}' and '{label}'"
            )
    return found


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


def _any(head: str) -> bool:
    """Any text is a table: what its columns are, reading tells."""
    return True


def _format(
    name: str, suffixes: tuple[str, ...], source: _Source, recognise: Callable[[str], bool] = _any
) -> Format:
    return Format(name, suffixes, recognise, read=partial(read, source=source))


CSV = _format("csv", (".csv",), partial(delimited, delimiter=","))
TSV = _format("tsv", (".tsv", ".tab"), partial(delimited, delimiter="\t"))
XLSX = _format("xlsx", (".xlsx", ".xlsm"), workbook)
PARQUET = _format("parquet", (".parquet",), parquet)
