"""Test the figures of a report: counts of sources and stances, limits of tables, and periods of time."""

import pytest

from claimstance.inference.corpus.figures import OTHER_TARGETS, TEXT_ITSELF, Cell
from claimstance.inference.corpus.series import periods_between
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import OTHER_OUTLETS, OUTLETS, SOURCES, summarize
from helpers.results import tagged, write_results


@pytest.fixture
def summary_of(tmp_path):
    """Return a function that summarizes articles."""

    def summarize_articles(*articles):
        with Store.build([write_results(tmp_path / "tagged.jsonl", *articles)]) as store:
            return summarize(store.connection)

    return summarize_articles


def dated(*days, **metadata):
    return [tagged(f"a{n}", ["Runa Salt"], date=day, **metadata) for n, day in enumerate(days)]


# Who speaks


def test_a_source_has_one_row_for_all_its_names(summary_of):
    summary = summary_of(
        tagged("a", [("Runa Salt", "the nets are empty")], outlet="Harbour News"),
        tagged("b", [("Runa Salt", "no"), ("Ms. Salt", "yes and no")], outlet="Tide"),
        tagged("c", [("Emil Draycott", "it rains"), None], outlet="Tide"),
    )
    rows = [(row.name, row.statements, row.words, row.articles) for row in summary.sources]
    assert rows == [("Runa Salt", 3, 8, 2), ("Emil Draycott", 1, 2, 1)]
    overview = summary.overview
    assert (overview.statements, overview.named, overview.named_words) == (5, 4, 10)
    assert (overview.articles, overview.sentences, overview.sources) == (3, 5, 2)


def test_outlets_with_more_articles_come_first_and_unknown_ones_last(summary_of):
    summary = summary_of(
        tagged("a", ["Ann Lee"]),
        tagged("b", ["Ann Lee"], outlet="Tide"),
        tagged("c", ["Ann Lee", "Bo Orr"], outlet="Herald"),
        tagged("d", ["Bo Orr"], outlet="Herald"),
    )
    assert [(it.name, it.articles, it.named) for it in summary.outlets] == [
        ("Herald", 2, 3),
        ("Tide", 1, 1),
        ("", 1, 1),
    ]
    assert summary.outlet_count == 2
    assert {row.name: row.by_outlet for row in summary.sources} == {
        "Ann Lee": (1, 1, 1),
        "Bo Orr": (2, 0, 0),
    }
    assert [[row.name for row in rows] for rows in summary.top_sources] == [
        ["Bo Orr", "Ann Lee"],
        ["Ann Lee"],
        ["Ann Lee"],
    ]


def test_small_outlets_are_counted_together(summary_of):
    articles = [tagged(f"a{n}", ["Ann Lee"], outlet=f"o{n:02}") for n in range(OUTLETS + 5)]
    articles.append(tagged("last", ["Ann Lee"], outlet="o00"))
    summary = summary_of(*articles)
    assert len(summary.outlets) == OUTLETS + 1
    assert summary.outlet_count == OUTLETS + 5
    assert (summary.outlets[0].name, summary.outlets[0].articles) == ("o00", 2)
    assert (summary.outlets[-1].name, summary.outlets[-1].articles) == (OTHER_OUTLETS, 5)
    assert summary.sources[0].by_outlet[-1] == 5


def test_long_lists_of_sources_keep_the_top_ones_of_each_outlet(summary_of):
    names = [f"{first}a {last}berg" for first in "BCDFGHKLMNPR" for last in "BCDFGHKLMNPR"]
    often = tagged("often", [name for name in names for _ in range(2)], outlet="Herald")
    seldom = tagged("seldom", ["Runa Salt"], outlet="Tide")
    summary = summary_of(often, seldom)
    assert summary.overview.sources == len(names) + 1 > SOURCES
    assert len(summary.sources) == SOURCES + 1
    assert summary.sources[-1].name == "Runa Salt"


# Who stands where


def test_only_sure_sides_count_and_holders_without_a_name_have_no_row(summary_of):
    summary = summary_of(
        tagged(
            "a",
            stances=[
                ("Runa Salt", "Orvane", "against"),
                ("Runa Salt", "Orvane", "against", True),
                ("Runa Salt", "Orvane", "neutral"),
                ("he", "Orvane", "favor"),
                (None, "Orvane", "favor"),
            ],
            outlet="Tide",
        )
    )
    overview = summary.overview
    assert overview.sides == {"against": 1, "favor": 2}
    assert overview.own_sides == {"favor": 1}
    assert overview.abstained == 1
    assert (overview.holders, overview.targets, overview.pairs) == (1, 1, 1)
    assert [(it.holder_name, it.target_name, it.sides) for it in summary.pairs] == [
        ("Runa Salt", "Orvane", {"against": 1})
    ]
    assert sorted(summary.holders.values()) == ["", "Runa Salt"]
    (target,) = summary.matrix_targets
    salt = next(number for number, name in summary.holders.items() if name)
    assert set(summary.cells) == {
        Cell(salt, target, 0, "against", 1),
        Cell(TEXT_ITSELF, target, 0, "favor", 1),
    }


@pytest.mark.parametrize("pronoun", ["you", "They", "us"])
def test_pronouns_count_as_targets_but_have_no_row(summary_of, pronoun):
    stances = [("Ann Lee", pronoun), ("Ann Lee", "US"), (None, pronoun), ("he", pronoun)]
    summary = summary_of(tagged(stances=stances))
    assert sum(summary.overview.sides.values()) == 4
    assert (summary.overview.targets, summary.overview.pairs) == (1, 1)
    for rows in (summary.targets, summary.own):
        assert {row.name for row in rows} <= {"US"}
    assert [pair.target_name for pair in summary.pairs] == ["US"]
    assert list(summary.matrix_targets.values()) == ["US"]
    assert "(not named)" not in summary.people().values()
    assert sum(cell.count for cell in summary.cells if cell.target == OTHER_TARGETS) == 2


def test_the_least_probability_is_that_of_a_holder(summary_of):
    assert summary_of(tagged(stances=[(None, "Orvane")])).overview.least_probability is None
    assert summary_of(tagged(stances=[("Ann Lee", "cod")])).overview.least_probability == 0.5


def test_targets_of_many_sources_come_first_in_the_matrix(summary_of):
    summary = summary_of(
        tagged("a", stances=[(None, "Lissant")] * 5 + [("Ann Lee", "Orvane"), ("Bo Orr", "Orvane")])
    )
    assert list(summary.matrix_targets.values()) == ["Orvane", "Lissant"]
    assert [row.name for row in summary.targets] == ["Lissant", "Orvane"]
    assert [row.name for row in summary.own] == ["Lissant"]


def test_labels_of_own_models_are_counted(summary_of):
    summary = summary_of(
        tagged(stances=[("Ann Lee", "rain", "worried"), ("Bo Orr", "rain", "calm")])
    )
    assert summary.labels == ("calm", "worried")
    assert summary.targets[0].sides == {"calm": 1, "worried": 1}


# Over time


@pytest.mark.parametrize(
    ("last", "unit", "count"),
    [
        ("2016-01-05", "day", 2),
        ("2016-02-18", "day", 46),
        ("2016-02-19", "week", 7),
        ("2017-02-27", "week", 61),
        ("2017-03-31", "month", 15),
        ("2029-01-01", "year", 14),
    ],
)
def test_the_unit_of_time_fits_the_dates(summary_of, last, unit, count):
    series = summary_of(*dated("2016-01-04", last)).series
    assert (series.unit, len(series.periods)) == (unit, count)
    assert [course.statements[0] for course in series.outlets] == [1]
    assert sum(series.outlets[0].statements) == 2
    assert series.sources[0].statements == series.outlets[0].statements


def test_weeks_begin_on_monday(summary_of):
    series = summary_of(*dated("2016-01-03", "2016-01-10", "2016-03-31")).series
    assert series.periods[:2] == ("2015-12-28", "2016-01-04")
    assert series.outlets[0].statements[:2] == (1, 1)


@pytest.mark.parametrize(
    "days", [(None, None), ("2016-01-04", "2016-01-04"), ("soon", "2016-01-04")]
)
def test_a_course_needs_two_periods(summary_of, days):
    summary = summary_of(*dated(*days))
    assert summary.series is None
    assert summary.overview.undated == sum(day in (None, "soon") for day in days)


def test_dates_too_far_apart_give_no_course(summary_of):
    assert summary_of(*dated("0001-01-01", "9999-12-31")).series is None


def test_articles_without_a_date_are_left_out_of_the_course(summary_of):
    summary = summary_of(*dated("2016-01-04", None, "2016-01-06"))
    assert summary.series.outlets[0].statements == (1, 0, 1)


def test_periods_end_with_the_calendar():
    assert periods_between("year", "9998-01-01", "9999-01-01") == ["9998-01-01", "9999-01-01"]
