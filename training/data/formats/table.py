"""Tables with a header, a labelled sentence a row: CSV, TSV, Excel workbooks (XLSX) and Parquet.

Columns, unless mapped: ``text``, ``label``, and optionally ``target``, ``holder``, ``id``, ``doc_id``, ``annotator``,
``outlet``, ``date`` and ``split``. Instead of ``label`` the header may have columns named after the tasks (``claim``,
``check_worthy``, ``subjective`` and ``stance``), or ``roles`` may name the columns with their labels. All other columns
are kept in ``meta``, as text. An empty label is "not annotated". A split is ``train``, ``dev`` (or ``validation``,
``val``) or ``test``, in every row or in none.

Several annotators of a sentence are rows with one ``id``. A cell with labels of several tasks joined by ``#``, as
doccano writes them, is taken apart if ``labels`` has each of them.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Stance
from claimstance.training.data.documents.format import COLUMNS, Format, Layout, ReadReport
from claimstance.training.data.formats.table_rows import (
    TableRow,
    read_delimited,
    read_parquet,
    read_workbook,
)
from claimstance.training.data.splits import SplitColumn

TASKS = (*SENTENCE_TASKS, "stance")
_NO_LABEL = (
    "blank-label",
    "expected a label, found none in {rows}, which count as not annotated; "
    "--value =LABEL gives such rows a label",
)
_IGNORE = "ignore"
_STANCE_ROLES = ("target", "holder")
_ROLES = (*TASKS, *_STANCE_ROLES, _IGNORE)
_META = ("outlet", "date")

#: ``(path, the name of the text's column, report) -> rows``, the header first
_RowReader = Callable[[Path, str, ReadReport], Iterator[TableRow]]


class _UnusableRowError(Exception):
    """Raised when a row cannot be used; a lenient reading leaves the row out and counts it."""


@dataclass(frozen=True)
class _TableColumns:
    """Represent the indices of the columns in a row.

    Attributes:
        fields: name of a column in ``COLUMNS``, without ``label`` → index.
        labels: task → index of the column with its labels.
        meta: name of any other column → index.
    """

    fields: Mapping[str, int]
    labels: Mapping[str, int]
    meta: Mapping[str, int]


def read(
    path: Path, layout: Layout, report: ReadReport, row_reader: _RowReader
) -> Iterator[Record]:
    """Yield the rows of a table as records, in order.

    A row without an id is called ``STEM:ROW``, counted from 1 without the header.

    Raises:
        InputError: naming the file and the line, what was expected and what was found.
    """
    rows = row_reader(path, layout.columns.get("text", "text"), report)
    header = [name.strip() for name in next(rows, TableRow("", [])).cells]
    columns = _find_columns(path, header, layout)
    _warn_of_case(header, columns, layout, report)
    locations: dict[tuple[str, str | None], str] = {}  # (id, annotator) → its row
    splits = SplitColumn()
    row_number = 0
    for row_number, row in enumerate(rows, 1):
        report.location = row.location
        where = f"{path}, {row.location}"
        try:
            record = _parse_row(row, header, columns, layout, splits, f"{path.stem}:{row_number}")
        except _UnusableRowError as error:
            if not layout.lenient:
                raise InputError(f"{where}: {error}") from None
            report(str(error).partition(", found")[0])
            continue

        labels = {task: getattr(record, task) for task in SENTENCE_TASKS}
        if record.stances:
            labels["stance"] = record.stances[0].label
        # A wrong label is an error in a lenient reading, too: leaving out rows would hide it.
        for task, label in labels.items():
            if label is not None and task in layout.labels and label not in layout.labels[task]:
                raise InputError(f"{where}: {task}: {unknown('label', label, layout.labels[task])}")
        if not any(labels.values()):
            report.note(*_NO_LABEL, row.location)

        # Several annotators of a sentence are rows with one id.
        key = (record.id, record.annotator)
        if key in locations:
            by = f" by annotator '{record.annotator}'" if record.annotator is not None else ""
            raise InputError(
                f"{where}: expected a new id, found '{record.id}', already used in "
                f"{locations[key]}{by} (without an id column, rows are numbered)"
            )
        locations[key] = row.location
        yield record

    if row_number == 0:
        rows_in_file = "a header" if header else "nothing"
        raise InputError(f"{path}: expected a header and at least one row, found {rows_in_file}")


def _find_columns(path: Path, header: Sequence[str], layout: Layout) -> _TableColumns:
    """Return the columns of a table by its header, by ``layout.columns`` and by ``layout.roles``.

    Raises:
        InputError: for a column that is missing, occurs twice, or has two uses.
    """
    _check_names(path, header, layout)
    names = {column: layout.columns.get(column, column) for column in COLUMNS}
    names.update({role: name for name, role in layout.roles.items() if role in _STANCE_ROLES})
    labels = _task_columns(header, layout)

    required = ["text", *layout.columns]
    if layout.task is not None or not labels:
        required.append("label")
    for column in required:
        if names[column] not in header:
            raise InputError(_missing_column(path, names[column], header, layout))
        if names[column] in layout.roles and column in ("text", "label"):
            raise InputError(
                f"{path}: expected '{names[column]}' to be the column '{column}', "
                f"found it in roles as '{layout.roles[names[column]]}'"
            )

    # A column with a role is data for nothing else, even if it is called "text" or "id".
    fields = {}
    for column, name in names.items():
        if name in header and (name not in layout.roles or layout.roles[name] == column):
            fields[column] = header.index(name)
    if "target" in fields and layout.target is not None:
        raise InputError(
            f"{path}: expected a column '{names['target']}' or one target for the file, "
            f"found both ('{layout.target}')"
        )
    has_target = "target" in fields or layout.target is not None

    # Beside columns called as the tasks, a column "label" is data, unless the layout names it.
    label_column = fields.pop("label", None)
    if "label" in required and label_column is not None:
        task = layout.task or ("stance" if has_target else "claim")
        if task in labels:
            raise InputError(
                f"{path}: expected one column with labels of {task}, "
                f"found '{header[labels[task]]}' and '{names['label']}'"
            )
        labels[task] = label_column
    if "stance" in labels and not has_target:
        raise InputError(
            f"{path}: expected a column '{names['target']}' or one target for the file, since the "
            f"labels are stances, found {', '.join(header)}; "
            "--column target=NAME or --target TARGET says it"
        )

    used = {*fields.values(), *labels.values(), *(header.index(name) for name in layout.roles)}
    meta = {name: index for index, name in enumerate(header) if name and index not in used}
    return _TableColumns(fields, labels, meta)


def _task_columns(header: Sequence[str], layout: Layout) -> dict[str, int]:
    """Return task → index of the column with its labels, by the roles or by the column's name."""
    labels = {role: header.index(name) for name, role in layout.roles.items() if role in TASKS}
    if "label" in layout.columns or layout.task is not None:
        return labels  # the layout names the label column, so that other columns are data
    for task in TASKS:
        if task in header and task not in layout.roles:
            labels.setdefault(task, header.index(task))
    return labels


def _check_names(path: Path, header: Sequence[str], layout: Layout) -> None:
    """Raise ``InputError`` for unknown columns or roles, and for two columns of one name or role."""
    for name in layout.columns:
        if name not in COLUMNS:
            raise InputError(f"{path}: {unknown('column', name, COLUMNS)}")
    for name in header:
        if name and header.count(name) > 1:
            raise InputError(f"{path}: expected columns with different names, found '{name}' twice")

    names_by_role: dict[str, list[str]] = {}
    for name, role in layout.roles.items():
        if name not in header:
            raise InputError(
                f"{path}: roles: expected a column '{name}', "
                f"found {', '.join(header) or 'no header'}"
            )
        if role not in _ROLES:
            raise InputError(
                f"{path}: roles: {name}: expected {', '.join(_ROLES)} for a column of a table, "
                f"found '{role}'"
            )
        names_by_role.setdefault(role, []).append(name)
    for role, names in names_by_role.items():
        # Any number of columns can be ignored.
        if len(names) > 1 and role != _IGNORE:
            raise InputError(
                f"{path}: roles: expected one column for {role}, found {', '.join(names)}"
            )


def _missing_column(path: Path, name: str, header: Sequence[str], layout: Layout) -> str:
    """Return the message for a missing column, with the options that probably name the columns."""
    message = f"{path}: expected a column '{name}', found {', '.join(header) or 'no header'}"
    options = []
    for header_name in header:
        column = header_name.casefold()
        if column in header or header_name in layout.roles or column in layout.columns:
            continue
        if column in COLUMNS:
            options.append(f"--column {shlex.quote(f'{column}={header_name}')}")
        elif column in TASKS:
            options.append(f"--role {shlex.quote(f'{header_name}={column}')}")
    if options:
        return f"{message}; {' '.join(options)} reads them"
    if header and name in COLUMNS:
        return f"{message}; --column {name}=NAME says which one it is"
    return message


def _warn_of_case(
    header: Sequence[str], columns: _TableColumns, layout: Layout, report: ReadReport
) -> None:
    """Warn of columns that are kept as data only because of the case of their names."""
    for name in columns.meta:
        column = name.casefold()
        if column in header or column in layout.columns or column not in COLUMNS:
            continue
        option = shlex.quote(f"{column}={name}")
        report.note(
            "column-name",
            f"expected the column '{column}', found '{name}', which is kept as data; "
            f"--column {option} reads it as {column}",
            "the header",
        )


def _parse_row(
    row: TableRow,
    header: Sequence[str],
    columns: _TableColumns,
    layout: Layout,
    splits: SplitColumn,
    default_id: str,
) -> Record:
    """Return the record of a row.

    Raises:
        _UnusableRowError: saying what was expected and what was found.
    """
    if row.problem:
        raise _UnusableRowError(row.problem)
    if len(row.cells) != len(header):
        raise _UnusableRowError(f"expected {len(header)} columns, found {len(row.cells)}")

    fields = {name: row.cells[index].strip() or None for name, index in columns.fields.items()}
    labels = _parse_labels(row.cells, columns, layout)
    text = fields["text"]
    if text is None:
        raise _UnusableRowError("expected a text, found an empty one")

    stances = None
    if "stance" in labels:
        target = fields.get("target") or layout.target
        if target is None:
            raise _UnusableRowError("expected a target, found an empty one")
        stances = [Stance(holder=fields.get("holder"), target=target, label=labels["stance"])]

    meta = {name: row.cells[index] for name, index in columns.meta.items()}
    for name in _META:
        value = fields.get(name)
        if value is not None:
            meta[name] = value
    if "split" in columns.fields:
        try:
            split = splits.read(row.cells[columns.fields["split"]], row.location)
        except ValueError as error:
            raise _UnusableRowError(str(error)) from None
        if split is not None:
            meta["split"] = split
    return Record(
        id=fields.get("id") or default_id,
        doc_id=fields.get("doc_id"),
        text=text,
        claim=labels.get("claim"),
        check_worthy=labels.get("check_worthy"),
        subjective=labels.get("subjective"),
        stances=stances,
        annotator=fields.get("annotator") or layout.annotator,
        meta=meta,
    )


def _parse_labels(cells: Sequence[str], columns: _TableColumns, layout: Layout) -> dict[str, str]:
    """Return task → label of a row; a task without a label is missing."""
    labels: dict[str, str] = {}
    for column_task, index in columns.labels.items():
        cell = cells[index].strip()
        cell = layout.values.get(cell, cell)
        if not cell:
            continue

        cell_labels = _joined_labels(cell, column_task, layout) or [(column_task, cell)]
        for task, label in cell_labels:
            if labels.setdefault(task, label) != label:
                raise _UnusableRowError(
                    f"expected one label of {task}, found '{labels[task]}' and '{label}'"
                )
    return labels


def _joined_labels(cell: str, column_task: str, layout: Layout) -> list[tuple[str, str]]:
    """Return (task, label) for each of the labels that ``#`` joins; empty if the cell is one label.

    A cell with a part that is no known label is one label.
    """
    if "#" not in cell or cell in layout.labels.get(column_task, ()):
        return []
    joined = []
    for part in cell.split("#"):
        label = layout.values.get(part.strip(), part.strip())
        tasks = [task for task in (column_task, *TASKS) if label in layout.labels.get(task, ())]
        if not tasks:
            return []
        joined.append((tasks[0], label))
    return joined


def _is_any_text(head: str) -> bool:
    """Return ``True``: only reading a table shows whether its columns are right."""
    return True


def _table_format(name: str, suffixes: tuple[str, ...], row_reader: _RowReader) -> Format:
    return Format(name, suffixes, _is_any_text, read=partial(read, row_reader=row_reader))


CSV = _table_format("csv", (".csv",), partial(read_delimited, delimiter=","))
TSV = _table_format("tsv", (".tsv", ".tab"), partial(read_delimited, delimiter="\t"))
XLSX = _table_format("xlsx", (".xlsx", ".xlsm"), read_workbook)
PARQUET = _table_format("parquet", (".parquet",), read_parquet)
