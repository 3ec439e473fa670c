"""The matrix of a report: which pairs it shows where there is no room for all."""

import pytest

from claimstance.inference.corpus import summary as summaries
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from claimstance.inference.pages.report_matrix import matrix_of
from helpers.results import tagged, write_results


@pytest.fixture
def matrix(tmp_path):
    """Returns the matrix of stances against targets, as its targets and its rows of name, total and cells."""

    def make(stances, rows=9, columns=9):
        path = write_results(tmp_path / "tagged.jsonl", tagged(stances=stances))
        with Store.build([path]) as store:
            found = matrix_of(summarize(store.connection), rows, columns)
        cells = [
            (row.name, sum(row.total.values()), [sum(cell.values()) for cell in row.cells])
            for row in found.rows
        ]
        return list(found.targets.values()), cells

    return make


def stances(**pairs):
    """Stances against targets: a number for each holder and target, joined by an underscore."""
    names = {"ann": "Ann Lee", "bo": "Bo Orr", "runa": "Runa Salt", "text": None}
    found = []
    for pair, count in pairs.items():
        holder, target = pair.split("_")
        found += [(names[holder], target.title(), "against")] * count
    return found


def test_the_strongest_pair_has_a_column_before_targets_of_many_sources(matrix):
    targets, rows = matrix(stances(ann_cod=1, bo_cod=1, runa_cod=1, ann_orvane=4), columns=1)
    assert targets == ["Orvane"]
    assert rows == [("Ann Lee", 5, [4])]


def test_a_pair_takes_no_room_that_half_of_it_lacks(matrix):
    targets, rows = matrix(stances(ann_orvane=4, bo_lissant=3, ann_cod=2), rows=1, columns=2)
    assert targets == ["Orvane", "Cod"]
    assert rows == [("Ann Lee", 6, [4, 2])]


def test_rows_and_columns_are_ordered_by_their_totals(matrix):
    targets, rows = matrix(
        stances(ann_orvane=4, bo_orvane=2, bo_cod=3, bo_lissant=1, runa_cod=4), columns=2
    )
    assert targets == ["Cod", "Orvane"]
    assert rows == [("Bo Orr", 6, [3, 2]), ("Ann Lee", 4, [0, 4]), ("Runa Salt", 4, [4, 0])]


def test_the_texts_do_not_crowd_out_sources(matrix):
    targets, rows = matrix(stances(text_cod=9, text_lissant=8, ann_orvane=1), columns=2)
    assert targets == ["Cod", "Orvane"]
    assert rows == [("", 17, [9, 0]), ("Ann Lee", 1, [0, 1])]


def test_totals_count_targets_beyond_those_of_the_summary(matrix, monkeypatch):
    monkeypatch.setattr(summaries, "MATRIX_TARGETS", 1)
    assert matrix(stances(ann_orvane=4, ann_cod=2)) == (["Orvane"], [("Ann Lee", 6, [4])])
