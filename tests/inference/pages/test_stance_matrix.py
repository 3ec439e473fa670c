"""Test the matrix of stances: its columns, its rows, and the symbols of labels."""

from claimstance.inference.pages.stance_matrix import (
    Count,
    Holder,
    Target,
    build_matrix,
    stance_labels,
)


def test_columns_are_the_targets_with_most_stances_and_others_are_listed():
    labels = stance_labels(["neutral", "favor"])
    holders = [Holder(i, f"h{i}", True, "#") for i in range(4)]
    targets = [Target(i, f"t{i}") for i in range(4)]

    def cell(label, count):
        return (Count(labels[label], count, "#", ""),)

    cells = {
        (0, 0): cell("neutral", 9),
        (1, 1): cell("favor", 1),
        (2, 2): cell("favor", 1),
        (2, 3): cell("favor", 1),
        (3, 1): cell("favor", 1),
        (3, 2): cell("favor", 1),
    }
    matrix = build_matrix(holders, targets, cells, columns=2, rows=2)
    assert [target.name for target in matrix.columns] == ["t1", "t2"]
    assert [row.holder.name for row in matrix.rows] == ["h1", "h2"]
    assert [(row.holder.name, row.cells) for row in matrix.more] == [
        ("h3", (cell("favor", 1), cell("favor", 1)))
    ]
    assert [(row.holder.name, row.elsewhere) for row in matrix.rows_with_more_targets] == [
        ("h2", ((targets[3], cell("favor", 1)),))
    ]


def test_neutral_stances_have_no_cell_row_or_column():
    labels = stance_labels(["neutral", "favor", "own"])
    holders = [Holder(i, f"h{i}", True, "#") for i in range(3)]
    targets = [Target(i, f"t{i}") for i in range(2)]

    def counts(*names):
        return tuple(Count(labels[name], 2, "#", "") for name in names)

    cells = {
        (0, 0): counts("neutral"),
        (1, 0): counts("neutral"),
        (1, 1): counts("favor", "neutral", "own"),
    }
    matrix = build_matrix(holders, targets, cells, columns=9, rows=9)
    assert [target.name for target in matrix.columns] == ["t1"]
    assert [(row.holder.name, row.cells) for row in matrix.rows] == [
        ("h1", (counts("favor", "own"),))
    ]


def test_the_usual_labels_have_their_signs_and_others_numbers():
    labels = stance_labels(["neutral", "calm", "favor", "worried"])
    assert [(label.name, label.symbol, label.style) for label in labels.values()] == [
        ("favor", "+", "favor"),
        ("neutral", "○", "neutral"),
        ("calm", "①", "other"),
        ("worried", "②", "other"),
    ]
