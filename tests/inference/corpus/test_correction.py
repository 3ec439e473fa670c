"""Test prediction-powered inference: figures of its authors' package, and the coverage of its intervals."""

import numpy as np
import pytest

from claimstance.inference.corpus.correction import Coded, corrected_share
from claimstance.model.errors import InputError


def confusion_table(true_pos, false_neg, false_pos, true_neg, predicted_pos, units):
    """Return a corpus with ``predicted_pos`` positive labels of the model; coded units come first.

    Each unit is in an article of its own.
    """
    counts = [true_pos, false_neg, false_pos, true_neg]
    gold = np.repeat([1, 1, 0, 0], counts)
    coded_model = np.repeat([1, 0, 1, 0], counts)
    uncoded_pos = predicted_pos - true_pos - false_pos
    uncoded = [uncoded_pos, units - len(gold) - uncoded_pos]
    predicted = np.concatenate([coded_model, np.repeat([1, 0], uncoded)])
    coded = Coded(np.arange(len(gold)), gold, np.ones(len(gold)))
    return predicted, np.arange(units), coded


def bounds(estimate):
    return [estimate.value, estimate.low, estimate.high]


# Figures of other sources


@pytest.mark.parametrize(
    ("counts", "classical", "powered"),
    [
        (
            (780, 170, 180, 870, 520_000, 1_000_000),
            (0.475, 0.453114, 0.496886),
            (0.500909, 0.484253, 0.517566),
        ),
        (
            (600, 250, 300, 850, 550_000, 1_000_000),
            (0.425, 0.403335, 0.446665),
            (0.468848, 0.449412, 0.488285),
        ),
    ],
)
def test_estimates_equal_those_of_the_authors_package(counts, classical, powered):
    """Compare with ``classical_mean_ci`` and ``ppi_mean_ci`` (power-tuned) of ppi-python 0.2.3 at 95 %.

    The package assumes that the coded units lie outside of the corpus, and adds no units to the sample; its
    intervals therefore differ a little.
    """
    share = corrected_share(*confusion_table(*counts), label=1)
    assert share.sample.value == pytest.approx(classical[0])
    assert share.corrected.value == pytest.approx(powered[0], abs=2e-5)
    assert bounds(share.sample) == pytest.approx(classical, abs=2e-4)
    assert bounds(share.corrected) == pytest.approx(powered, abs=2e-4)


def test_the_classical_interval_adds_four_units():
    """Compare with Agresti and Coull (1998) for 0 of 40: 2 of 44, plus or minus 1.96 standard errors."""
    predicted = np.repeat([1, 0], [500, 500])
    gold = np.zeros(40, dtype=int)
    coded = Coded(np.arange(480, 520), gold, np.ones(40))
    share = corrected_share(predicted, np.arange(1000), coded, 1)
    error = np.sqrt(2 / 44 * 42 / 44 / 44)
    assert share.sample.low == share.sample.value == 0
    assert share.sample.high == pytest.approx(2 / 44 + 1.96 * error, abs=2e-3)


# Coverage


def simulated(rng, articles, label_rate, misses, inventions, spread):
    """Return the articles, gold labels and predicted labels of units; articles differ in their rate of labels."""
    numbers = np.repeat(np.arange(articles), rng.poisson(4, articles) + 1)
    rates = rng.beta(label_rate / spread, (1 - label_rate) / spread, articles)
    gold = (rng.random(len(numbers)) < rates[numbers]).astype(int)
    is_wrong = rng.random(len(numbers)) < np.where(gold == 1, misses, inventions)
    return numbers, gold, np.where(is_wrong, 1 - gold, gold)


def stratified(rng, predicted, rows):
    """Return positions and weights of a sample with equally many rows of each predicted label."""
    positions, weights = [], []
    for label in np.unique(predicted):
        units = np.flatnonzero(predicted == label)
        size = min(rows // 2, len(units))
        positions.append(rng.choice(units, size, replace=False))
        weights.append(np.full(size, len(units) / size))
    return np.concatenate(positions), np.concatenate(weights)


@pytest.mark.parametrize(
    ("articles", "rows", "label_rate", "misses", "inventions", "spread"),
    [
        (800, 200, 0.3, 0.2, 0.2, 0.2),
        (800, 200, 0.3, 0.3, 0.05, 1.0),
        (800, 40, 0.3, 0.05, 0.05, 0.2),
        (100, 100, 0.3, 0.2, 0.3, 0.5),
    ],
    ids=["usual", "dependent", "few rows", "few articles"],
)
def test_intervals_have_their_nominal_coverage(
    articles, rows, label_rate, misses, inventions, spread
):
    rng = np.random.default_rng(7)
    trials, hits, model_hits, widths = 200, 0, 0, []
    for _ in range(trials):
        numbers, gold, predicted = simulated(rng, articles, label_rate, misses, inventions, spread)
        positions, weights = stratified(rng, predicted, rows)
        share = corrected_share(predicted, numbers, Coded(positions, gold[positions], weights), 1)
        hits += share.corrected.low <= label_rate <= share.corrected.high
        model_hits += share.model.low <= label_rate <= share.model.high
        widths.append(
            (share.corrected.high - share.corrected.low) / (share.sample.high - share.sample.low)
        )
    assert hits / trials >= 0.92
    assert model_hits / trials < hits / trials - 0.1
    assert np.mean(widths) < 1


def test_a_share_among_sides_is_corrected_for_those_who_take_none():
    """Correct a share if the model finds a side, mostly *favor*, in a fifth of the units that have none."""
    rng = np.random.default_rng(11)
    hits, trials = 0, 200
    for _ in range(trials):
        numbers = np.repeat(np.arange(600), 5)
        gold = rng.choice(["favor", "against", "neutral"], len(numbers), p=[0.2, 0.3, 0.5])
        invented = rng.choice(["favor", "against", "neutral"], len(numbers), p=[0.15, 0.05, 0.8])
        predicted = np.where(gold == "neutral", invented, gold)
        listed = predicted != "neutral"
        numbers, gold, predicted = numbers[listed], gold[listed], predicted[listed]
        positions = rng.choice(len(gold), 150, replace=False)
        coded = Coded(positions, gold[positions], np.ones(150))
        share = corrected_share(predicted, numbers, coded, "favor", ["favor", "against"])
        hits += share.corrected.low <= 0.4 <= share.corrected.high
        assert share.model.value > 0.41
    assert hits / trials >= 0.92


# Assumptions and limits


def test_a_model_without_errors_is_trusted_and_a_useless_one_is_not():
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 2, 4000)
    positions = np.arange(300)
    coded = Coded(positions, gold[positions], np.ones(300))
    accurate = corrected_share(gold, np.arange(4000), coded, 1)
    assert accurate.agreement == 1
    assert accurate.tuning > 0.95
    assert accurate.corrected.value == pytest.approx(gold.mean(), abs=0.005)
    useless = corrected_share(rng.integers(0, 2, 4000), np.arange(4000), coded, 1)
    assert useless.tuning < 0.15
    assert useless.corrected.value == pytest.approx(gold[:300].mean(), abs=0.01)


def test_a_small_sample_without_errors_leaves_doubt():
    gold = np.repeat([0, 1], 500)
    coded = Coded(np.arange(480, 520), gold[480:520], np.ones(40))
    share = corrected_share(gold, np.arange(1000), coded, 1)
    assert share.corrected.low < 0.45
    assert share.corrected.high > 0.55


def test_weights_compensate_for_an_uneven_draw():
    predicted = np.repeat([0, 1], [900, 100])
    gold = predicted.copy()
    gold[:90] = 1  # a tenth of those that the model calls 0
    positions = np.concatenate([np.arange(80, 180), np.arange(900, 1000)])
    weights = np.repeat([9.0, 1.0], 100)
    share = corrected_share(
        predicted, np.arange(1000), Coded(positions, gold[positions], weights), 1
    )
    assert share.sample.value == pytest.approx((9 * 10 + 100) / 1000)
    assert share.corrected.value == pytest.approx(0.19)
    assert share.agreement == pytest.approx(0.91)


def test_equal_units_of_one_article_count_as_one():
    rng = np.random.default_rng(2)
    gold, predicted = rng.integers(0, 2, 1000), rng.integers(0, 2, 1000)
    coded = Coded(np.arange(200), gold[:200], np.ones(200))
    once = corrected_share(predicted, np.arange(1000), coded, 1)
    coded_5_times = Coded(np.arange(1000), np.repeat(gold[:200], 5), np.ones(1000))
    predicted_5_times = np.repeat(predicted, 5)
    articles_of_5 = np.repeat(np.arange(1000), 5)
    dependent = corrected_share(predicted_5_times, articles_of_5, coded_5_times, 1)
    independent = corrected_share(predicted_5_times, np.arange(5000), coded_5_times, 1)
    width = once.corrected.high - once.corrected.low
    assert dependent.corrected.high - dependent.corrected.low == pytest.approx(width, rel=0.03)
    assert independent.corrected.high - independent.corrected.low < 0.5 * width


def test_too_few_coded_units_give_no_share():
    predicted = np.repeat(["favor", "against"], 100)
    coded = Coded(np.arange(90, 109), predicted[90:109], np.ones(19))
    assert corrected_share(predicted, np.arange(200), coded, "favor") is None


def test_no_coded_unit_with_a_side_gives_no_share():
    predicted = np.repeat(["favor", "against"], 100)
    coded = Coded(np.arange(90, 115), np.repeat(["neutral"], 25), np.ones(25))
    sides = ["favor", "against"]
    assert corrected_share(predicted, np.arange(200), coded, "favor", sides) is None


@pytest.mark.parametrize(
    ("articles", "positions", "weights", "message"),
    [
        (50, 20, [1.0] * 20, "expected an article for each of 60 units, found 50"),
        (60, 20, [1.0] * 19, r"coded units \(20\), found 20 and 19"),
        (60, 20, [0.0] * 20, "expected weights above 0, found 0.0"),
    ],
)
def test_arrays_that_do_not_fit_are_an_error(articles, positions, weights, message):
    predicted = np.zeros(60, dtype=int)
    coded = Coded(np.arange(positions), np.zeros(20, dtype=int), np.array(weights))
    with pytest.raises(InputError, match=message):
        corrected_share(predicted, np.arange(articles), coded, 0)
