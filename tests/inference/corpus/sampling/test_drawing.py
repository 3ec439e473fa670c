"""Test the drawing of samples: units, strata, and an equal chance for each unit of a stratum."""

from collections import Counter

import pytest

from claimstance.inference.corpus.sampling.drawing import allocate, draw_sample
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.inference.results import NO_SIDE
from claimstance.model.errors import ConfigError, InputError
from helpers.coding import article, corpus
from helpers.results import tagged, write_results

STANCES, SENTENCES = UnitKind.stances, UnitKind.sentences


@pytest.fixture
def results(tmp_path):
    return corpus(tmp_path / "tagged.jsonl")


def keys(sample):
    return [row.key for row in sample.rows]


def test_a_row_describes_its_stance(tmp_path):
    tagged_article = article("a1", ["favor", NO_SIDE], outlet="Bay Post", target="the dam")
    path = write_results(tmp_path / "t.jsonl", tagged_article)
    sample = draw_sample([path], STANCES, 2, [])
    assert sample.units == 2
    row = next(row for row in sample.rows if row.label == "favor")
    assert (row.doc_id, row.sentence, row.holder, row.target) == ("a1", 0, "Orr 0", "the dam")
    assert (row.text, row.before, row.after) == (
        "Orr 0 judges the dam.",
        "",
        "Orr 1 judges the dam.",
    )
    assert (row.outlet, row.probability, row.stratum) == ("Bay Post", 0.5, "all")


def test_units_are_the_stances_that_count_or_all_sentences(tmp_path):
    tagged_article = tagged(
        says=["Salt"],
        stances=[("Orr", "cod", "favor"), ("Orr", "cod", "against", True), (None, "cod", NO_SIDE)],
    )
    path = write_results(tmp_path / "t.jsonl", tagged_article)
    stances = draw_sample([path], STANCES, 9, [])
    assert sorted((row.holder, row.label) for row in stances.rows) == [
        ("", NO_SIDE),
        ("Orr", "favor"),
    ]
    sentences = draw_sample([path], SENTENCES, 9, [])
    assert Counter(row.label for row in sentences.rows) == {"claim": 1, "no_claim": 3}


def test_an_article_that_comes_twice_counts_once(tmp_path):
    tagged_article = article("a1", ["favor"] * 3)
    path = write_results(
        tmp_path / "t.jsonl", tagged_article, tagged_article, article("a2", ["favor"])
    )
    assert draw_sample([path], STANCES, 9, []).units == 4


def test_keys_define_the_strata(results):
    sample = draw_sample([results], STANCES, 40, ["outlet", "label"])
    assert list(sample.strata) == [
        "outlet=Bay Post, label=against",
        "outlet=Bay Post, label=favor",
        "outlet=Coast Herald, label=against",
        "outlet=Coast Herald, label=favor",
    ]
    assert sample.units == sum(sample.strata.values()) == 300
    for row in sample.rows:
        assert row.stratum == f"outlet={row.outlet}, label={row.label}"
    assert len(sample.rows) == len(set(keys(sample))) == 40


def test_the_order_of_the_articles_does_not_matter(results, tmp_path):
    lines = results.read_text(encoding="utf-8").splitlines(keepends=True)
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "part-00000.jsonl").write_text("".join(lines[:20:-1]), encoding="utf-8")
    (folder / "part-00001.jsonl").write_text("".join(lines[20::-1]), encoding="utf-8")
    assert draw_sample([folder], STANCES, 30) == draw_sample([results], STANCES, 30)


def test_a_larger_sample_contains_the_smaller_one(results):
    small, large = (draw_sample([results], STANCES, size) for size in (30, 70))
    assert set(keys(small)) < set(keys(large))
    reseeded = draw_sample([results], STANCES, 30, seed=14)
    assert set(keys(small)) != set(keys(reseeded))


def test_every_unit_has_the_same_chance_within_its_stratum(tmp_path):
    results = corpus(tmp_path / "t.jsonl", articles=20)
    drawn = Counter()
    for seed in range(150):
        drawn.update(keys(draw_sample([results], STANCES, 20, ["outlet"], seed)))
    assert len(drawn) == 100
    mean = 150 * 20 / 100
    deviation = sum((count - mean) ** 2 for count in drawn.values()) / 100
    assert deviation == pytest.approx(mean * 0.8, rel=0.35)  # that of a binomial distribution


def test_the_first_half_has_rows_of_each_stratum(results):
    sample = draw_sample([results], STANCES, 80, ["outlet", "label"])
    rows = Counter(row.stratum for row in sample.rows)
    first_half = Counter(row.stratum for row in sample.rows[:40])
    for stratum, count in rows.items():
        assert abs(first_half[stratum] - count / 2) <= 1


def test_small_strata_get_more_rows_than_their_share():
    assert allocate({"a": 10_000, "b": 100, "c": 1}, 111) == {"a": 100, "b": 10, "c": 1}
    assert allocate({"a": 5, "b": 3}, 100) == {"a": 5, "b": 3}
    assert allocate({"a": 1_000_000, "b": 2}, 10) == {"a": 8, "b": 2}


def test_too_few_rows_for_the_strata_are_an_error(results):
    message = r"--size: expected at least 8 rows for the 4 strata of --by outlet,label \(such as 'outlet=Bay"
    with pytest.raises(ConfigError, match=message):
        draw_sample([results], STANCES, 7, ["outlet", "label"])


@pytest.mark.parametrize(
    ("kind", "by", "message"),
    [
        (STANCES, ["lable"], "--by: unknown key 'lable'. Did you mean 'label'"),
        (SENTENCES, ["target"], "--by: expected outlet or label for sentences, found target"),
    ],
)
def test_keys_that_make_no_strata_are_an_error(results, kind, by, message):
    with pytest.raises(ConfigError, match=message):
        draw_sample([results], kind, 50, by)


def test_results_without_units_are_an_error(tmp_path):
    path = write_results(tmp_path / "t.jsonl", tagged(says=["Salt"]))
    with pytest.raises(InputError, match=r"t\.jsonl: expected stances that count, found none"):
        draw_sample([path], STANCES, 10)


def test_results_without_claims_are_an_error(tmp_path):
    tagged_article = tagged(says=["Salt"])
    object.__setattr__(tagged_article.sentences[0], "claim", None)
    path = write_results(tmp_path / "t.jsonl", tagged_article)
    with pytest.raises(InputError, match="'a1': expected sentences with a claim label, found"):
        draw_sample([path], SENTENCES, 10)
