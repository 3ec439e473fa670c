"""The columns of a table with labels: which of them has the text, the labels, the target and so on.

A column is found by its name, unless ``--column`` or ``--role`` gives another name its use.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import LABEL_TASKS
from claimstance.training.data.documents.format import COLUMNS, Layout, ReadReport

_IGNORE = "ignore"
_STANCE_ROLES = ("target", "holder")
_ROLES = (*LABEL_TASKS, *_STANCE_ROLES, _IGNORE)


@dataclass(frozen=True)
class TableColumns:
    """Represent the indices of the columns in a row.

    Attributes:
        fields: name of a column in ``COLUMNS``, without ``label`` → index.
        labels: task → index of the column with its labels.
        meta: name of any other column → index.
    """

    fields: Mapping[str, int]
    labels: Mapping[str, int]
    meta: Mapping[str, int]


def find_columns(path: Path, header: Sequence[str], layout: Layout) -> TableColumns:
    """Return the columns of a table by its header, by ``layout.columns`` and by ``layout.roles``.

    Raises:
        InputError: for a column that is missing, occurs twice, or has two uses.
    """
    _check_names(path, header, layout)
    # A column is called as in COLUMNS, unless the layout gives another name its use.
    names = {column: layout.columns.get(column, column) for column in COLUMNS}
    names |= {role: name for name, role in layout.roles.items() if role in _STANCE_ROLES}
    labels = _task_columns(header, layout)
    # Beside columns called as the tasks, a column "label" is data, unless the layout names it.
    has_label_column = not labels or layout.task is not None or "label" in layout.columns
    _check_required(path, header, layout, names, has_label_column)

    fields = {}
    for column, name in names.items():
        # A column with a role is data for nothing else, even if it is called "text" or "id".
        role = layout.roles.get(name, column)
        if column != "label" and name in header and role == column:
            fields[column] = header.index(name)
    if "target" in fields and layout.target is not None:
        raise InputError(
            f"{path}: expected a column '{names['target']}' or one target for the file, "
            f"found both ('{layout.target}')"
        )
    has_target = "target" in fields or layout.target is not None

    if has_label_column:
        # Only a stance has a target: labels of a table without targets are taken for claims.
        default_task = "stance" if has_target else "claim"
        task = layout.task or default_task
        if task in labels:
            raise InputError(
                f"{path}: expected one column with labels of {task}, "
                f"found '{header[labels[task]]}' and '{names['label']}'"
            )
        labels[task] = header.index(names["label"])
    if "stance" in labels and not has_target:
        raise InputError(
            f"{path}: expected a column '{names['target']}' or one target for the file, since the "
            f"labels are stances, found {', '.join(header)}; "
            "--column target=NAME or --target TARGET says it"
        )

    # A column with a role is no other data either, not even one with the role "ignore".
    with_role = [header.index(name) for name in layout.roles]
    used = {*fields.values(), *labels.values(), *with_role}
    meta = {name: index for index, name in enumerate(header) if name and index not in used}
    return TableColumns(fields, labels, meta)


def _check_required(
    path: Path,
    header: Sequence[str],
    layout: Layout,
    names: Mapping[str, str],
    has_label_column: bool,
) -> None:
    """Raise ``InputError`` if the text, the label or a column of the layout is missing, or has two uses.

    Args:
        path: the table, for messages.
        header: its header.
        layout: the layout.
        names: column in ``COLUMNS`` → its name in the header.
        has_label_column: whether the column ``label`` is needed.
    """
    required = ["text", *layout.columns]
    if has_label_column:
        required.append("label")
    for column in required:
        name = names[column]
        if name in header:
            if name in layout.roles and column in ("text", "label"):
                raise InputError(
                    f"{path}: expected '{name}' to be the column '{column}', "
                    f"found it in roles as '{layout.roles[name]}'"
                )
            continue

        # The message has the options that probably name the columns: the case of a name is the
        # commonest reason why a column is not found ("Text", "LABEL").
        options = []
        for header_name in header:
            lower_case = header_name.casefold()
            is_used = header_name in layout.roles or lower_case in layout.columns
            if is_used or lower_case in header:
                continue
            if lower_case in COLUMNS:
                options.append(f"--column {shlex.quote(f'{lower_case}={header_name}')}")
            elif lower_case in LABEL_TASKS:
                options.append(f"--role {shlex.quote(f'{header_name}={lower_case}')}")

        message = f"{path}: expected a column '{name}', found {', '.join(header) or 'no header'}"
        if options:
            message += f"; {' '.join(options)} reads them"
        elif header and name in COLUMNS:
            message += f"; --column {name}=NAME says which one it is"
        raise InputError(message)


def _task_columns(header: Sequence[str], layout: Layout) -> dict[str, int]:
    """Return task → index of the column with its labels, by the roles or by the column's name."""
    labels = {}
    for name, role in layout.roles.items():
        if role in LABEL_TASKS:
            labels[role] = header.index(name)
    # If the layout names the column with the labels, columns called as a task are data.
    if "label" in layout.columns or layout.task is not None:
        return labels
    for task in LABEL_TASKS:
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


def warn_of_case(
    header: Sequence[str], columns: TableColumns, layout: Layout, report: ReadReport
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
