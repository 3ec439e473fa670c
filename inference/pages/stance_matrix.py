"""The matrix of stances: sources as rows, targets as columns, with a bounded width."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from claimstance.inference.results import NO_SIDE

#: One character for each usual label; a user's own labels get numbers.
SYMBOLS = {"favor": "+", "against": "−", "neutral": "○"}
_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
TEXT_ITSELF = "the text itself"
NO_NAME = "not named"


@dataclass(frozen=True)
class StanceLabel:
    """Represent a label as a page shows it.

    Attributes:
        number: its position among the labels of the page.
        name: the label.
        symbol: one character for it.
        style: the CSS class of its colours: the label itself, or ``other``.
    """

    number: int
    name: str
    symbol: str
    style: str


@dataclass(frozen=True)
class Count:
    """Represent the number of stances with a label, for one source and target, and a link to them."""

    label: StanceLabel
    count: int
    href: str
    title: str


Cell = tuple[Count, ...]


@dataclass(frozen=True)
class Holder:
    """Represent the head of a row; ``is_name`` is false for the text itself and for unnamed holders."""

    number: int
    name: str
    is_name: bool
    href: str


@dataclass(frozen=True)
class Target:
    """Represent the head of a column."""

    number: int
    name: str


@dataclass(frozen=True)
class MatrixRow:
    """Represent the stances of one holder.

    Attributes:
        holder: the head of the row.
        cells: one for each column.
        elsewhere: stances on targets that have no column.
    """

    holder: Holder
    cells: tuple[Cell, ...]
    elsewhere: tuple[tuple[Target, Cell], ...] = ()


@dataclass(frozen=True)
class Matrix:
    """Represent a table of stances; ``more`` holds the rows after the first ones."""

    columns: tuple[Target, ...]
    rows: tuple[MatrixRow, ...]
    more: tuple[MatrixRow, ...]

    @property
    def rows_with_more_targets(self) -> list[MatrixRow]:
        """Return the rows that have stances on targets without a column."""
        return [row for row in (*self.rows, *self.more) if row.elsewhere]


def stance_labels(names: Iterable[str]) -> dict[str, StanceLabel]:
    """Return label → its appearance: the usual three first, others in the order of their appearance."""
    present = list(dict.fromkeys(names))
    usual = [name for name in SYMBOLS if name in present]
    custom = [name for name in present if name not in SYMBOLS]
    labels: dict[str, StanceLabel] = {}
    for name in usual:
        labels[name] = StanceLabel(len(labels), name, SYMBOLS[name], style=name)
    for i, name in enumerate(custom):
        # There are twenty circled numbers: further labels are written out.
        symbol = _NUMBERS[i] if i < len(_NUMBERS) else name
        labels[name] = StanceLabel(len(labels), name, symbol, style="other")
    return labels


def build_matrix(
    holders: Sequence[Holder],
    targets: Sequence[Target],
    cells: Mapping[tuple[int, int], Cell],
    *,
    columns: int,
    rows: int,
) -> Matrix:
    """Lay out ``cells``, keyed by the numbers of their holder and target.

    Stances that take no side are not counted. Holders and targets without any other get no row and no
    column. Targets with the most stances come first; those beyond the first ``columns`` are listed at
    the end of a row.

    Args:
        holders: in the order of the rows.
        targets: candidates for columns.
        cells: counts by (holder number, target number).
        columns: greatest number of columns.
        rows: number of rows that are shown at once.
    """
    totals: dict[int, int] = defaultdict(int)  # target → stances
    by_holder: dict[int, dict[int, Cell]] = defaultdict(dict)
    for (holder_number, target_number), cell in cells.items():
        sides = tuple(count for count in cell if count.label.name != NO_SIDE)
        if sides:
            by_holder[holder_number][target_number] = sides
            totals[target_number] += sum(count.count for count in sides)
    ranked = [target for target in targets if target.number in totals]
    ranked.sort(key=lambda target: -totals[target.number])
    with_column, without_column = ranked[:columns], ranked[columns:]

    matrix_rows = []
    for holder in holders:
        row = by_holder.get(holder.number)
        if row is None:
            continue
        row_cells = tuple(row.get(target.number, ()) for target in with_column)
        elsewhere = tuple(
            (target, row[target.number]) for target in without_column if target.number in row
        )
        matrix_rows.append(MatrixRow(holder, row_cells, elsewhere))
    return Matrix(tuple(with_column), tuple(matrix_rows[:rows]), tuple(matrix_rows[rows:]))
