"""Test the dates of articles."""

import pytest

from claimstance.inference.corpus.dates import parse_date


@pytest.mark.parametrize(
    "value",
    [
        "2016-05-09",
        "2016-05-09T23:10:00.000-05:00",
        "2016-05-09 10:31",
        "2016/5/9",
        "20160509",
        20160509,
        "May 9, 2016",
        "MAY 9 2016",
        "Mon, 09 May 2016 10:00:00 GMT",
        "Monday, May 9th, 2016 at 10:31 a.m.",
        "9 May 2016",
        "9th of May, 2016",
        "09-May-2016",
        "Published 9 May 2016, printed 2016-05-09",
    ],
)
def test_the_day_is_found_in_usual_forms(value):
    assert parse_date(value) == "2016-05-09"


def test_months_may_be_shortened():
    assert parse_date("Sept. 3, 2016") == parse_date("3 Sep 2016") == "2016-09-03"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "2016",
        "May 2016",
        "5/9/2016",
        "2016-02-30",
        "20161399",
        "12016-05-09",
        "Published 9 May 2016, updated 10 May 2016",
        1462752000,
        20160509.0,
        True,
        ["2016-05-09"],
    ],
)
def test_ambiguous_and_incomplete_dates_are_not_guessed(value):
    assert parse_date(value) is None
