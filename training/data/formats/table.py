"""Tables with a header, a labelled sentence a row: CSV, TSV, Excel workbooks (XLSX) and Parquet.

Columns, unless mapped: ``text``, ``label``, and optionally ``target``, ``holder``, ``id``, ``doc_id``, ``annotator``,
``outlet``, ``date`` and ``split``. Instead of ``label`` the header may have columns named after the tasks (``claim``,
``check_worthy``, ``subjective`` and ``stance``), or ``roles`` may name the columns with their labels. All other columns
are kept in ``meta``, as text. An empty label is "not annotated". A split is ``train``, ``dev`` (or ``validation``,
``val``) or ``test``, in every row or in none.

Several annotators of a sentence are rows with one ``id``. A cell with labels of several tasks joined by ``#``, as
doccano writes them, is taken apart if ``labels`` has each of them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import LABEL_TASKS, SENTENCE_TASKS
from claimstance.model.record import Record, Stance
from claimstance.training.data.documents.format import Format, Layout, ReadReport
from claimstance.training.data.formats.table_columns import (
    TableColumns,
    find_columns,
    warn_of_case,
)
from claimstance.training.data.formats.table_rows import (
    TableRow,
    read_delimited,
    read_parquet,
    read_workbook,
)

_NO_LABEL = (
    "blank-label",
    "expected a label, found none in {rows}, which count as not annotated; "
    "--value =LABEL gives such rows a label",
)
_META = ("outlet", "date", "split")

#: ``(path, the name of the text's column, report) -> rows``, the header first
_RowReader = Callable[[Path, str, ReadReport], Iterator[TableRow]]


class _UnusableRowError(Exception):
    """Raised when a row cannot be used; a lenient reading leaves the row out and counts it."""


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
    columns = find_columns(path, header, layout)
    warn_of_case(header, columns, layout, report)
    locations: dict[tuple[str, str | None], str] = {}  # (id, annotator) → its row
    row_number = 0
    for row_number, row in enumerate(rows, 1):
        report.location = row.location
        where = f"{path}, {row.location}"
        try:
            record = _parse_row(row, header, columns, layout, f"{path.stem}:{row_number}")
        except _UnusableRowError as error:
            if not layout.lenient:
                raise InputError(f"{where}: {error}") from None
            report.drop(str(error).partition(", found")[0])
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
            earlier = locations[key]
            if record.annotator is not None:
                earlier += f" by annotator '{record.annotator}'"
            raise InputError(
                f"{where}: expected a new id, found '{record.id}', already used in {earlier} "
                "(without an id column, rows are numbered)"
            )
        locations[key] = row.location
        yield record

    if row_number == 0:
        rows_in_file = "a header" if header else "nothing"
        raise InputError(f"{path}: expected a header and at least one row, found {rows_in_file}")


def _parse_row(
    row: TableRow,
    header: Sequence[str],
    columns: TableColumns,
    layout: Layout,
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


def _parse_labels(cells: Sequence[str], columns: TableColumns, layout: Layout) -> dict[str, str]:
    """Return task → label of a row; a task without a label is missing."""
    labels: dict[str, str] = {}
    for column_task, index in columns.labels.items():
        cell = cells[index].strip()
        cell = layout.values.get(cell, cell)
        if not cell:
            continue

        is_joined = "#" in cell and cell not in layout.labels.get(column_task, ())
        pieces = cell.split("#") if is_joined else []
        cell_labels = []
        for piece in pieces:
            label = layout.values.get(piece.strip(), piece.strip())
            # A label that several tasks have is one of the column's own task, if that has it.
            tasks = [
                task for task in (column_task, *LABEL_TASKS) if label in layout.labels.get(task, ())
            ]
            if tasks:
                cell_labels.append((tasks[0], label))
        # A cell with a piece that is no known label is one label.
        if not is_joined or len(cell_labels) < len(pieces):
            cell_labels = [(column_task, cell)]

        for task, label in cell_labels:
            if labels.setdefault(task, label) != label:
                raise _UnusableRowError(
                    f"expected one label of {task}, found '{labels[task]}' and '{label}'"
                )
    return labels


def _table_format(name: str, suffixes: tuple[str, ...], row_reader: _RowReader) -> Format:
    # Any file with the suffix is taken for a table: only reading it shows whether its columns are right.
    return Format(name, suffixes, lambda head: True, read=partial(read, row_reader=row_reader))


CSV = _table_format("csv", (".csv",), partial(read_delimited, delimiter=","))
TSV = _table_format("tsv", (".tsv", ".tab"), partial(read_delimited, delimiter="\t"))
XLSX = _table_format("xlsx", (".xlsx", ".xlsm"), read_workbook)
PARQUET = _table_format("parquet", (".parquet",), read_parquet)
