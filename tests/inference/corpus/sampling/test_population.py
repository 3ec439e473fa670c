"""Test the shares that a coded sample corrects in the results that it was drawn from."""

import pytest

from claimstance.inference.corpus.sampling.population import read_population
from claimstance.inference.corpus.sampling.sheets import read_labelled
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.model.errors import ConfigError, InputError
from helpers.coding import article, corpus, read_rows, sheet, write_rows
from helpers.results import write_results


@pytest.fixture
def results(tmp_path):
    return corpus(tmp_path / "tagged.jsonl", articles=200)


def population_of(results, path):
    return read_population([results], read_labelled(path))


def coded_sheet(results, tmp_path, code, size=120, by=("outlet", "label"), kind=UnitKind.stances):
    return sheet(results, tmp_path / "sample.csv", code, size, by, kind)


def test_a_sample_that_agrees_does_not_change_shares(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: row["model_label"])
    share = population_of(results, path).corrected_share("favor")
    assert (share.units, share.coded, share.agreement) == (1000, 120, 1)
    assert share.corrected.value == pytest.approx(share.model.value, abs=0.005)


def test_a_sample_corrects_errors_of_the_model(results, tmp_path):
    """Correct a share if every second *favor* of the model is wrong: 20 of 40 in 100 remain."""

    def code(row):
        is_mistake = row["model_label"] == "favor" and int(row["unit"][-3]) % 2
        return "against" if is_mistake else row["model_label"]

    share = population_of(results, coded_sheet(results, tmp_path, code)).corrected_share("favor")
    assert share.model.value == pytest.approx(0.4, abs=0.03)
    assert share.corrected.low < 0.2 < share.corrected.high
    assert share.corrected.high < share.model.low


def test_neutral_stances_do_not_count_among_the_sides(results, tmp_path):
    def code(row):
        return "neutral" if row["model_label"] == "favor" else "against"

    population = population_of(results, coded_sheet(results, tmp_path, code))
    assert population.corrected_share("favor").sample.value == 0
    neutral = population.corrected_share("neutral")
    assert neutral.model.value == 0
    assert neutral.corrected.value == pytest.approx(0.4, abs=0.03)


def test_outlets_have_shares_of_their_own(results, tmp_path):
    """Correct the share of one outlet, in which the model is always wrong."""

    def code(row):
        return "favor" if row["outlet"] == "Bay Post" else row["model_label"]

    population = population_of(results, coded_sheet(results, tmp_path, code))
    assert population.corrected_share("favor", outlet="Bay Post").corrected.value > 0.95
    herald = population.corrected_share("favor", outlet="Coast Herald")
    assert herald.units == 500
    assert herald.corrected.value == pytest.approx(herald.model.value, abs=0.03)
    assert population.corrected_share("favor", outlet="Hill News") is None


def test_targets_have_shares_of_their_own(tmp_path):
    articles = [
        article(f"{target}{number}", [label] * 2, target=target)
        for number in range(30)
        for target, label in (("the dam", "favor"), ("the bridge", "against"))
    ]
    results = write_results(tmp_path / "t.jsonl", *articles)
    path = coded_sheet(results, tmp_path, lambda row: row["model_label"], 80, ("target",))
    population = population_of(results, path)
    assert population.corrected_share("favor", target="the dam").sample.value == 1
    assert population.corrected_share("favor", target="the bridge").sample.value == 0


def test_sentences_have_shares_of_claims(tmp_path):
    articles = [article(f"a{n}", claims=["claim", "claim", "no_claim"]) for n in range(40)]
    results = write_results(tmp_path / "t.jsonl", *articles)
    path = coded_sheet(
        results, tmp_path, lambda row: row["model_label"], 60, ("label",), UnitKind.sentences
    )
    population = population_of(results, path)
    assert population.corrected_share("claim").corrected.value == pytest.approx(2 / 3, abs=0.01)
    with pytest.raises(ConfigError, match="target: expected none for sentences"):
        population.corrected_share("claim", target="the dam")


def test_capitals_of_labels_do_not_matter(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: f" {row['model_label'].title()} ")
    assert population_of(results, path).corrected_share("favor").agreement == 1


def test_an_unknown_label_is_an_error(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: "favour")
    message = r"sample\.csv, line 2: gold: unknown label 'favour'. Did you mean 'favor'\?"
    with pytest.raises(InputError, match=message):
        population_of(results, path)
    population = population_of(
        results, coded_sheet(results, tmp_path, lambda row: row["model_label"])
    )
    with pytest.raises(ConfigError, match="unknown label 'pro'"):
        population.corrected_share("pro")


def test_rows_of_other_results_are_an_error(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: row["model_label"])
    other_results = corpus(tmp_path / "other.jsonl", articles=100)
    message = (
        r"line \d+: unit: expected an answer of the results, found stance-\w+-\d-0, which they lack"
    )
    with pytest.raises(InputError, match=message):
        population_of(other_results, path)


def test_results_with_more_articles_are_an_error(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: row["model_label"])
    larger_results = corpus(tmp_path / "other.jsonl", articles=201)
    message = r"sample\.csv: expected the results .* with 1,000 stances, found 1,005"
    with pytest.raises(InputError, match=message):
        population_of(larger_results, path)


def test_labels_of_another_model_are_an_error(results, tmp_path):
    path = coded_sheet(results, tmp_path, lambda row: row["model_label"])
    rows = read_rows(path)
    rows[7]["model_label"] = "neutral"
    write_rows(path, rows)
    message = r"line 9: model_label: expected '(favor|against)' as in the results, found 'neutral'"
    with pytest.raises(InputError, match=message):
        population_of(results, path)
