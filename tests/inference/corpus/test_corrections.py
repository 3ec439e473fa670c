"""Test the shares of a report that a sample corrects, and which groups have one."""

from dataclasses import replace

import pytest

from claimstance.inference.corpus.correction import MIN_CODED
from claimstance.inference.corpus.corrections import corrections
from claimstance.inference.corpus.sampling.population import read_population
from claimstance.inference.corpus.sampling.sheets import read_labelled
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from claimstance.model.errors import InputError
from helpers.coding import article, corpus, sheet
from helpers.results import write_results


@pytest.fixture
def corrections_of(tmp_path):
    """Return a function that corrects results by a sample that ``code`` fills."""

    def correct(results, code, change=lambda population: population, **options):
        path = sheet(results, tmp_path / "sample.csv", code, **options)
        population = change(read_population([results], read_labelled(path)))
        with Store.build([results]) as store:
            return corrections(store.connection, summarize(store.connection), population)

    return correct


def test_shares_of_people_targets_and_outlets_are_corrected(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=200)

    def code(row):  # in the Herald, the model is always wrong
        opposite = {"favor": "against", "against": "favor"}
        return opposite[row["model_label"]] if "Herald" in row["outlet"] else row["model_label"]

    corrected = corrections_of(results, code, size=120, by=("outlet", "label"))
    assert (corrected.is_of_stances, corrected.units, corrected.coded) == (True, 1000, 120)
    assert corrected.agreement == pytest.approx(0.5, abs=0.02)
    shares = {(row.kind, row.name): row.share for row in corrected.rows}
    assert list(shares) == [
        ("all", ""),
        ("holder", "people"),
        ("target", "the dam"),
        ("outlet", "Bay Post"),
        ("outlet", "Coast Herald"),
    ]
    assert {row.label for row in corrected.rows} == {"against"}
    herald, post = shares["outlet", "Coast Herald"], shares["outlet", "Bay Post"]
    assert herald.model.value == pytest.approx(0.6, abs=0.05)
    assert herald.corrected.value == pytest.approx(0.4, abs=0.05)
    assert post.corrected.value == pytest.approx(0.6, abs=0.05)
    assert corrected.skipped == 1  # the texts themselves take no side


def test_too_few_rows_correct_nothing(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=20)
    corrected = corrections_of(results, lambda row: row["model_label"], size=MIN_CODED - 1)
    assert (corrected.rows, corrected.agreement, corrected.coded) == ((), None, MIN_CODED - 1)


def test_a_sample_of_sentences_corrects_claims(corrections_of, tmp_path):
    results = write_results(
        tmp_path / "tagged.jsonl",
        *(
            article(
                f"a{number}", claims=["claim", "no_claim"], outlet=("Post", "Herald")[number % 2]
            )
            for number in range(60)
        ),
    )
    corrected = corrections_of(
        results, lambda row: "no_claim", size=60, by=("label",), kind=UnitKind.sentences
    )
    assert not corrected.is_of_stances
    assert {row.label for row in corrected.rows} == {"claim"}
    assert [row.kind for row in corrected.rows] == ["all", "outlet", "outlet"]
    assert corrected.rows[0].share.model.value == 0.5
    assert corrected.rows[0].share.corrected.value < 0.1


def test_a_sample_of_other_results_is_refused(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=30)

    def without_last_unit(population):
        coded = population.coded
        in_range = coded.positions < len(population.predicted) - 1
        coded = replace(
            coded,
            positions=coded.positions[in_range],
            labels=coded.labels[in_range],
            weights=coded.weights[in_range],
        )
        return replace(
            population,
            predicted=population.predicted[:-1],
            articles=population.articles[:-1],
            coded=coded,
        )

    with pytest.raises(
        InputError, match="expected a sample of 150 stances as in the results, found one of 149"
    ):
        corrections_of(results, lambda row: row["model_label"], without_last_unit)
