"""Test the matrix of a report: the pairs that it shows where there is no room for all."""

import pytest

from claimstance.inference.corpus import summary as summaries
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from claimstance.inference.pages.report_matrix import matrix_of
from helpers.results import tagged, write_results


@pytest.fixture
def matrix(tmp_path):
    """Return a function that gives the matrix of stances: its targets, and its rows as (name, total, cells)."""

    def make(stances, rows=9, columns=9):
        path = write_results(tmp_path / "tagged.jsonl", tagged(stances=stances))
        with Store.build([path]) as store:
            result = matrix_of(summarize(store.connection), rows, columns)
        cells = [
            (row.name, sum(row.total.values()), [sum(cell.values()) for cell in row.cells])
            for row in result.rows
        ]
        return list(result.targets.values()), cells

    return make


def stances(**pairs):
    """Return stances against targets, from the number for each ``holder_target``."""
    names = {"ann": "Ann Lee", "bo": "Bo Orr", "runa": "Runa Salt", "text": None}
    stance_list = []
    for pair, count in pairs.items():
        holder, target = pair.split("_")
        stance_list += [(names[holder], target.title(), "against")] * count
    return stance_list


def test_the_strongest_pair_has_a_column_before_targets_of_many_sources(matrix):
    targets, rows = matrix(stances(ann_cod=1, bo_cod=1, runa_cod=1, ann_orvane=4), columns=1)
    assert targets == ["Orvane"]
    assert rows == [("Ann Lee", 5, [4])]


def test_a_pair_without_a_row_gets_no_column(matrix):
    targets, rows = matrix(stances(ann_orvane=4, bo_lissant=3, ann_cod=2), rows=1, columns=2)
    assert targets == ["Orvane", "Cod"]
    assert rows == [("Ann Lee", 6, [4, 2])]


def test_rows_and_columns_are_ordered_by_their_totals(matrix):
    targets, rows = matrix(
        stances(ann_orvane=4, bo_orvane=2, bo_cod=3, bo_lissant=1, runa_cod=4), columns=2
    )
    assert targets == ["Cod", "Orvane"]
    assert rows == [("Bo Orr", 6, [3, 2]), ("Ann Lee", 4, [0, 4]), ("Runa Salt", 4, [4, 0])]


def test_stances_of_the_texts_do_not_displace_sources(matrix):
    targets, rows = matrix(stances(text_cod=9, text_lissant=8, ann_orvane=1), columns=2)
    assert targets == ["Cod", "Orvane"]
    assert rows == [("", 17, [9, 0]), ("Ann Lee", 1, [0, 1])]


def test_totals_count_targets_beyond_those_of_the_summary(matrix, monkeypatch):
    monkeypatch.setattr(summaries, "MATRIX_TARGETS", 1)
    assert matrix(stances(ann_orvane=4, ann_cod=2)) == (["Orvane"], [("Ann Lee", 6, [4])])
