"""Test the intervals of outlets from resampled articles, and differences that are not due to chance."""

import numpy as np
import pytest

from claimstance.inference.corpus import intervals
from claimstance.inference.corpus.intervals import MIN_ARTICLES
from claimstance.model.errors import InputError


def outlet_values(outlets, counts, totals, **options):
    """Return the values of outlets for one share."""
    (values,) = intervals.outlet_values(outlets, [(counts, totals)], **options)
    return values


def draw_articles(rng, sizes, spread=0.1, rate=0.3):
    """Return articles of outlets in which sentences are claims at the same rate."""
    outlets = np.repeat([f"o{number}" for number in range(len(sizes))], sizes)
    totals = rng.poisson(15, len(outlets)) + 1
    rates = rng.beta(rate / spread, (1 - rate) / spread, len(outlets))
    return outlets, rng.binomial(totals, rates), totals


def test_a_value_is_the_sum_of_counts_over_the_sum_of_totals():
    values = outlet_values(["b", "a", "b"], np.array([1, 3, 5]), np.array([10, 4, 20]))
    assert [(value.outlet, value.articles, value.value) for value in values] == [
        ("a", 1, 0.75),
        ("b", 2, 0.2),
    ]


def test_articles_without_a_total_do_not_count():
    (value,) = outlet_values(["a"] * 3, np.array([1, 0, 0]), np.array([2, 0, 0]))
    assert (value.articles, value.value) == (1, 0.5)
    (value,) = outlet_values(["a"], np.array([0]), np.array([0]))
    assert (value.articles, value.value, value.interval) == (0, None, None)


def test_few_articles_give_a_value_without_an_interval():
    rng = np.random.default_rng(1)
    few, many = outlet_values(*draw_articles(rng, [MIN_ARTICLES - 1, 200]))
    assert few.value is not None
    assert few.interval is None
    assert few.difference is None
    assert many.interval is not None
    assert many.difference is None  # the other outlet has too few articles


def test_articles_that_are_all_equal_show_no_uncertainty():
    outlets = np.repeat(["a", "b"], 50)
    counts = np.concatenate([np.zeros(50), np.arange(50)])
    constant, varied = outlet_values(outlets, counts, np.full(100, 50))
    assert (constant.value, constant.interval, constant.difference) == (0, None, None)
    assert varied.interval is not None


def test_the_same_seed_gives_the_same_intervals():
    articles = draw_articles(np.random.default_rng(1), [40, 60])
    assert outlet_values(*articles) == outlet_values(*articles)
    assert outlet_values(*articles) != outlet_values(*articles, seed=2)


def test_intervals_widen_where_sentences_of_an_article_are_alike():
    rng = np.random.default_rng(5)
    widths = []
    for spread in (0.01, 2.0):
        value, _ = outlet_values(*draw_articles(rng, [100, 100], spread))
        widths.append(value.interval.high - value.interval.low)
    assert widths[1] > 2 * widths[0]


@pytest.mark.parametrize("sizes", [[20] * 6, [30, 60, 300]], ids=["many outlets", "uneven"])
def test_all_differences_hold_at_once(sizes):
    rng = np.random.default_rng(3)
    trials, all_hold, covered = 100, 0, []
    for _ in range(trials):
        values = outlet_values(*draw_articles(rng, sizes), resamples=300)
        all_hold += all(value.difference.low <= 0 <= value.difference.high for value in values)
        covered += [value.interval.low <= 0.3 <= value.interval.high for value in values]
    assert all_hold / trials >= 0.9
    assert np.mean(covered) >= 0.9


def draw_rare_quotations(rng, sizes, sources=8):
    """Return articles of outlets that quote the same sources: each in few articles, but often in these."""
    outlets = np.repeat([f"o{number}" for number in range(len(sizes))], sizes)
    totals = rng.poisson(15, len(outlets)) + 1
    shares = []
    for _ in range(sources):
        is_about = rng.random(len(outlets)) < 0.1
        counts = rng.binomial(totals, np.where(is_about, rng.beta(0.6, 2.4, len(outlets)), 0))
        shares.append((counts, totals))
    return outlets, shares


def test_no_outlet_differs_by_chance_in_any_of_several_shares():
    rng = np.random.default_rng(8)
    trials, all_hold = 60, 0
    for _ in range(trials):
        shares = intervals.outlet_values(*draw_rare_quotations(rng, [20, 40, 300]), resamples=300)
        differences = []
        for values in shares:
            differences += [value.difference for value in values if value.difference]
        all_hold += all(difference.low <= 0 <= difference.high for difference in differences)
    assert all_hold / trials >= 0.9


def test_intervals_of_rare_sources_are_no_wider_than_shares_can_differ():
    rng = np.random.default_rng(9)
    for values in intervals.outlet_values(*draw_rare_quotations(rng, [20] * 3)):
        differences = [value.difference for value in values if value.difference]
        assert all(difference.high - difference.value < 1 for difference in differences)


def test_a_real_difference_is_detected():
    rng = np.random.default_rng(4)
    _, high_counts, high_totals = draw_articles(rng, [150], rate=0.5)
    low_outlets, low_counts, low_totals = draw_articles(rng, [150, 150], rate=0.3)
    outlets = np.concatenate([np.repeat("x", 150), low_outlets])
    counts = np.concatenate([high_counts, low_counts])
    totals = np.concatenate([high_totals, low_totals])
    low_value, _, high_value = outlet_values(outlets, counts, totals)
    assert high_value.outlet == "x"
    assert high_value.difference.low > 0.1
    assert low_value.difference.high < 0


def test_groups_of_many_articles_have_the_error_of_the_articles():
    rng = np.random.default_rng(6)
    totals = rng.integers(200, 2000, 5000)
    counts = rng.binomial(totals, rng.beta(3, 7, 5000))
    (value,) = outlet_values(["a"] * 5000, counts, totals)
    ratio = counts.sum() / totals.sum()
    error = np.sqrt(((counts - ratio * totals) ** 2).sum()) / totals.sum()
    assert value.value == pytest.approx(ratio)
    width = value.interval.high - value.interval.low
    assert width == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_arrays_that_do_not_fit_are_an_error():
    with pytest.raises(InputError, match="counts and totals of 2 articles, found 1 and 2"):
        outlet_values(["a", "b"], np.array([1]), np.array([1, 2]))
    with pytest.raises(InputError, match="at least 0, found a negative one"):
        outlet_values(["a", "b"], np.array([1, -1]), np.array([1, 2]))
