"""Sources against targets: how often each source is for or against whom, laid out as a table with a bounded width."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: What stands for a label where there is room for one character; labels of a user's own get a number.
SYMBOLS = {"favor": "+", "against": "−", "neutral": "○"}
_NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
TEXT_ITSELF = "the text itself"
NO_NAME = "not named"


@dataclass(frozen=True)
class StanceLabel:
    """A label as a page shows it.

    Attributes:
        number: its place among the labels of the page.
        symbol: one character for it.
        style: the class of its colours: the label itself, or ``other``.
    """

    number: int
    name: str
    symbol: str
    style: str


@dataclass(frozen=True)
class Count:
    """How often a label was found for one source and target, and a link to where."""

    label: StanceLabel
    count: int
    href: str
    title: str


Cell = tuple[Count, ...]


@dataclass(frozen=True)
class Holder:
    """Who holds stances: the head of a row. ``is_name`` is false for the text itself and for whoever is not named."""

    number: int
    name: str
    is_name: bool
    href: str


@dataclass(frozen=True)
class Target:
    """On whom or what: the head of a column."""

    number: int
    name: str


@dataclass(frozen=True)
class Row:
    """The stances of one holder: a cell for each column, and those on targets that have no column."""

    holder: Holder
    cells: tuple[Cell, ...]
    elsewhere: tuple[tuple[Target, Cell], ...] = ()


@dataclass(frozen=True)
class Matrix:
    """A table of stances; ``more`` are the rows after the first ones."""

    columns: tuple[Target, ...]
    rows: tuple[Row, ...]
    more: tuple[Row, ...]

    @property
    def beyond(self) -> list[Row]:
        """The rows with stances on targets that have no column."""
        return [row for row in (*self.rows, *self.more) if row.elsewhere]


def stance_labels(names: Iterable[str]) -> dict[str, StanceLabel]:
    """How the labels are shown: the usual three first, others in the order they come in."""
    found = list(dict.fromkeys(names))
    known = [name for name in SYMBOLS if name in found]
    others = [name for name in found if name not in SYMBOLS]
    labels = {name: StanceLabel(i, name, SYMBOLS[name], name) for i, name in enumerate(known)}
    for i, name in enumerate(others):
        symbol = _NUMBERS[i] if i < len(_NUMBERS) else name
        labels[name] = StanceLabel(len(known) + i, name, symbol, "other")
    return labels


def lay_out(
    holders: Sequence[Holder],
    targets: Sequence[Target],
    cells: Mapping[tuple[int, int], Cell],
    *,
    columns: int,
    rows: int,
) -> Matrix:
    """The table of ``cells``, which are given by the numbers of their holder and target.

    Holders without a cell have no row. Targets beyond the first ``columns`` are listed at the end of a row, and rows
    beyond the first ``rows`` come apart.

    Args:
        holders: in the order of the rows.
        targets: those that more is said for or against come first.
        cells: what was counted.
        columns: how many targets have a column.
        rows: how many rows come first.
    """
    weight: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    by_holder: dict[int, dict[int, Cell]] = defaultdict(dict)
    for (holder, target), cell in cells.items():
        by_holder[holder][target] = cell
        weight[target][0] += sum(count.count for count in cell if count.label.name != "neutral")
        weight[target][1] += sum(count.count for count in cell)
    ranked = sorted(
        (t for t in targets if t.number in weight), key=lambda t: [-n for n in weight[t.number]]
    )
    chosen, rest = ranked[:columns], ranked[columns:]
    found = [
        Row(
            holder,
            tuple(row.get(target.number, ()) for target in chosen),
            tuple((target, row[target.number]) for target in rest if target.number in row),
        )
        for holder in holders
        if (row := by_holder.get(holder.number))
    ]
    return Matrix(tuple(chosen), tuple(found[:rows]), tuple(found[rows:]))
