"""The shares of a report that a sample corrects: which groups have one."""

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
    """Returns the corrections of results by a sample that ``code`` fills."""

    def find(results, code, change=lambda population: population, **options):
        path = sheet(results, tmp_path / "sample.csv", code, **options)
        population = change(read_population([results], read_labelled(path)))
        with Store.build([results]) as store:
            return corrections(store.connection, summarize(store.connection), population)

    return find


def test_all_people_targets_and_outlets_are_corrected(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=200)

    def code(row):  # in the Herald, the model is always wrong
        wrong = {"favor": "against", "against": "favor"}
        return wrong[row["model_label"]] if "Herald" in row["outlet"] else row["model_label"]

    found = corrections_of(results, code, size=120, by=("outlet", "label"))
    assert (found.is_of_stances, found.units, found.coded) == (True, 1000, 120)
    assert found.agreement == pytest.approx(0.5, abs=0.02)
    shares = {(row.kind, row.name): row.share for row in found.rows}
    assert list(shares) == [
        ("all", ""),
        ("holder", "people"),
        ("target", "the dam"),
        ("outlet", "Bay Post"),
        ("outlet", "Coast Herald"),
    ]
    assert {row.label for row in found.rows} == {"against"}
    herald, post = shares["outlet", "Coast Herald"], shares["outlet", "Bay Post"]
    assert herald.model.value == pytest.approx(0.6, abs=0.05)
    assert herald.corrected.value == pytest.approx(0.4, abs=0.05)
    assert post.corrected.value == pytest.approx(0.6, abs=0.05)
    assert found.skipped == 1  # the texts themselves hold no stance


def test_too_few_rows_correct_nothing(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=20)
    found = corrections_of(results, lambda row: row["model_label"], size=MIN_CODED - 1)
    assert (found.rows, found.agreement, found.coded) == ((), None, MIN_CODED - 1)


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
    found = corrections_of(
        results, lambda row: "no_claim", size=60, by=("label",), kind=UnitKind.sentences
    )
    assert not found.is_of_stances
    assert {row.label for row in found.rows} == {"claim"}
    assert [row.kind for row in found.rows] == ["all", "outlet", "outlet"]
    assert found.rows[0].share.model.value == 0.5
    assert found.rows[0].share.corrected.value < 0.1


def test_a_sample_of_other_results_is_refused(corrections_of, tmp_path):
    results = corpus(tmp_path / "tagged.jsonl", articles=30)

    def shorter(population):
        coded = population.coded
        kept = coded.positions < len(population.predicted) - 1
        coded = replace(
            coded,
            positions=coded.positions[kept],
            labels=coded.labels[kept],
            weights=coded.weights[kept],
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
        corrections_of(results, lambda row: row["model_label"], shorter)
