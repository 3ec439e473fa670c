"""Test the comparison of outlets by their shares, and what is left out for lack of articles."""

import pytest

from claimstance.inference.corpus.differences import differences
from claimstance.inference.corpus.intervals import MIN_ARTICLES
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from helpers.results import tagged, write_results

ENOUGH = 3 * MIN_ARTICLES
SALT = ("Runa Salt", "Orvane", "against")


@pytest.fixture
def differences_of(tmp_path):
    """Return a function that returns the differences between outlets, and the names of the outlets."""

    def compare(*articles):
        with Store.build([write_results(tmp_path / "tagged.jsonl", *articles)]) as store:
            summary = summarize(store.connection)
            names = [row.name for row in summary.outlets]
            return differences(store.connection, summary), names

    return compare


def outlet(name, count, says=(), stances=()):
    """Return articles of an outlet; every third one has an additional statement."""
    articles = []
    for n in range(count):
        sources = [*says, "Bo Orr"] if n % 3 == 0 else says
        articles.append(tagged(f"{name}{n}", sources, stances, outlet=name))
    return articles


def test_a_source_of_one_outlet_stands_out(differences_of):
    comparison, outlets = differences_of(
        *outlet("Herald", ENOUGH, ["Runa Salt", "Ann Lee"]), *outlet("Tide", ENOUGH, ["Ann Lee"])
    )
    measures = {measure.name: measure.values for measure in comparison.quoted}
    assert set(measures) == {"Ann Lee", "Runa Salt", "Bo Orr"}
    values = {outlets[int(value.outlet)]: value for value in measures["Runa Salt"]}
    assert values["Herald"].value == pytest.approx(3 / 7)
    assert values["Tide"].value == 0
    assert values["Herald"].difference.low > 0
    assert comparison.attacked == comparison.own == ()


def test_differences_are_counted_over_all_panels(differences_of):
    comparison, _ = differences_of(
        *outlet("Herald", ENOUGH, ["Runa Salt", "Ann Lee"]), *outlet("Tide", ENOUGH, ["Ann Lee"])
    )
    measures = (*comparison.quoted, *comparison.habits)
    counts = {measure.name: measure.compared for measure in measures}
    assert counts == {"Ann Lee": 2, "Runa Salt": 1, "Bo Orr": 2}  # Tide never quotes Salt
    assert comparison.compared == 5


def test_stances_of_people_and_of_texts_are_separate(differences_of):
    stances = [SALT, SALT, ("Runa Salt", "Orvane", "favor"), (None, "Orvane", "favor")]
    articles = [
        *outlet("Herald", ENOUGH, stances=stances),
        *outlet("Tide", ENOUGH, stances=stances),
    ]
    articles += [tagged(f"more{n}", stances=[SALT], outlet="Herald") for n in range(ENOUGH)]
    articles += [tagged(f"less{n}", stances=[SALT], outlet="Tide") for n in range(MIN_ARTICLES)]
    comparison, outlets = differences_of(*articles)
    (measure,) = comparison.attacked
    values = {outlets[int(value.outlet)]: value.value for value in measure.values}
    assert values == {
        "Herald": pytest.approx(3 / 4),
        "Tide": pytest.approx(7 / 10),
    }
    assert comparison.own == ()  # all alike: resampling shows no uncertainty


def test_articles_of_an_unknown_outlet_are_left_out(differences_of):
    unknown = [tagged(f"u{n}", ["Runa Salt"]) for n in range(ENOUGH)]
    comparison, outlets = differences_of(*outlet("Herald", ENOUGH, ["Ann Lee"]), *unknown)
    assert outlets == ["Herald", ""]
    assert comparison.quoted == ()


@pytest.mark.parametrize("count", [1, MIN_ARTICLES - 1])
def test_few_articles_are_not_compared(differences_of, count):
    comparison, _ = differences_of(
        *outlet("Herald", count, ["Runa Salt"]), *outlet("Tide", count, ["Ann Lee"])
    )
    assert comparison.quoted == comparison.habits == ()


def test_without_outlets_and_statements_nothing_is_compared(differences_of):
    comparison, _ = differences_of(tagged())
    assert comparison.quoted == comparison.attacked == comparison.own == comparison.habits == ()
