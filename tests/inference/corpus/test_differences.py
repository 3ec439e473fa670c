"""Shares of outlets: what is compared, and what is left out because there is too little of it."""

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
    """Returns the differences between the outlets of articles, and the names of the outlets."""

    def find(*articles):
        with Store.build([write_results(tmp_path / "tagged.jsonl", *articles)]) as store:
            summary = summarize(store.connection)
            return differences(store.connection, summary), [it.name for it in summary.outlets]

    return find


def outlet(name, count, says=(), stances=()):
    """Articles of an outlet, every third of which has a statement more."""
    return [
        tagged(f"{name}{n}", [*says, *(["Bo Orr"] if n % 3 == 0 else [])], stances, outlet=name)
        for n in range(count)
    ]


def test_a_source_of_one_outlet_stands_out(differences_of):
    found, outlets = differences_of(
        *outlet("Herald", ENOUGH, ["Runa Salt", "Ann Lee"]), *outlet("Tide", ENOUGH, ["Ann Lee"])
    )
    measures = {measure.name: measure.values for measure in found.quoted}
    assert set(measures) == {"Ann Lee", "Runa Salt", "Bo Orr"}
    values = {outlets[int(value.outlet)]: value for value in measures["Runa Salt"]}
    assert values["Herald"].value == pytest.approx(3 / 7)
    assert values["Tide"].value == 0
    assert values["Herald"].difference.low > 0
    assert found.attacked == found.own == ()


def test_differences_are_counted_over_all_panels(differences_of):
    found, _ = differences_of(
        *outlet("Herald", ENOUGH, ["Runa Salt", "Ann Lee"]), *outlet("Tide", ENOUGH, ["Ann Lee"])
    )
    counts = {it.name: it.compared for it in (*found.quoted, *found.habits)}
    assert counts == {"Ann Lee": 2, "Runa Salt": 1, "Bo Orr": 2}  # Tide never quotes Salt
    assert found.compared == 5


def test_what_people_and_what_texts_say_is_told_apart(differences_of):
    stances = [SALT, SALT, ("Runa Salt", "Orvane", "favor"), (None, "Orvane", "favor")]
    articles = [
        *outlet("Herald", ENOUGH, stances=stances),
        *outlet("Tide", ENOUGH, stances=stances),
    ]
    articles += [tagged(f"more{n}", stances=[SALT], outlet="Herald") for n in range(ENOUGH)]
    articles += [tagged(f"less{n}", stances=[SALT], outlet="Tide") for n in range(MIN_ARTICLES)]
    found, outlets = differences_of(*articles)
    (measure,) = found.attacked
    values = {outlets[int(value.outlet)]: value.value for value in measure.values}
    assert values == {
        "Herald": pytest.approx(3 / 4),
        "Tide": pytest.approx(7 / 10),
    }
    assert found.own == ()  # all alike: resampling shows no uncertainty


def test_articles_of_no_known_outlet_are_left_out(differences_of):
    unknown = [tagged(f"u{n}", ["Runa Salt"]) for n in range(ENOUGH)]
    found, outlets = differences_of(*outlet("Herald", ENOUGH, ["Ann Lee"]), *unknown)
    assert outlets == ["Herald", ""]
    assert found.quoted == ()


@pytest.mark.parametrize("count", [1, MIN_ARTICLES - 1])
def test_few_articles_are_not_compared(differences_of, count):
    found, _ = differences_of(
        *outlet("Herald", count, ["Runa Salt"]), *outlet("Tide", count, ["Ann Lee"])
    )
    assert found.quoted == found.habits == ()


def test_no_outlet_and_no_statement(differences_of):
    found, _ = differences_of(tagged())
    assert (found.quoted, found.attacked, found.own, found.habits) == ((), (), (), ())
