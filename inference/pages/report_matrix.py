"""The matrix of a report: the sources and targets that it shows, and the stances of each pair."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from claimstance.inference.corpus.figures import OTHER_TARGETS, TEXT_ITSELF, Sides, Summary


@dataclass(frozen=True)
class MatrixRow:
    """Represent a source in the matrix.

    Attributes:
        holder: its number.
        name: its name; empty for the text itself.
        total: its stances on all targets, whether they have a column or not.
        cells: its stances on the target of each column.
    """

    holder: int
    name: str
    total: Sides
    cells: list[Sides]


@dataclass(frozen=True)
class Matrix:
    """Represent the columns of the matrix, as numbers of people → names, and its rows."""

    targets: dict[int, str]
    rows: list[MatrixRow]


def matrix_of(summary: Summary, rows: int, columns: int) -> Matrix:
    """Return the part of the matrix with the pairs that have the most stances.

    Pairs are taken from the most stances down, as long as their source has a row or there is room for one, and
    their target a column in the same way. The text itself comes after the sources with a name: its many stances
    would take all columns. The script of the page does the same with what a reader filters.

    Args:
        summary: the figures.
        rows: the most rows.
        columns: the most columns.
    """
    by_pair: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    by_holder: dict[int, Counter[str]] = defaultdict(Counter)
    by_target: Counter[int] = Counter()
    for cell in summary.cells:
        by_holder[cell.holder][cell.label] += cell.count
        if cell.target != OTHER_TARGETS:
            by_pair[cell.holder, cell.target][cell.label] += cell.count
            by_target[cell.target] += cell.count

    def rank(pair: tuple[int, int]) -> tuple[bool, int]:
        holder, _ = pair
        return holder == TEXT_ITSELF, -by_pair[pair].total()

    holders: set[int] = set()
    targets: list[int] = []
    for holder, target in sorted(by_pair, key=rank):
        has_row = holder in holders or len(holders) < rows
        has_column = target in targets or len(targets) < columns
        if has_row and has_column:
            holders.add(holder)
            if target not in targets:
                targets.append(target)
    # Sorting is stable: of equally frequent targets, the one whose pair came first stays first.
    targets.sort(key=lambda target: -by_target[target])

    matrix_rows = []
    for holder, name in summary.holders.items():  # most stances first
        if holder in holders:
            cells: list[Sides] = [by_pair.get((holder, target), {}) for target in targets]
            matrix_rows.append(MatrixRow(holder, name, by_holder[holder], cells))
    return Matrix({target: summary.matrix_targets[target] for target in targets}, matrix_rows)
