"""Test figures of the report: labels, lengths and agreement."""

import numpy as np
import pytest

from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.report.figures import (
    LabelRow,
    cautions,
    few_documents,
    histograms,
    label_rows,
    verdict,
)
from claimstance.training.data.report.lengths import BINS, Lengths


def test_label_rows_keep_the_order_of_labels_and_have_shares_of_labelled_rows():
    labels = {"train": {"stance": {"favor": 3, "against": 1, "none": 6, "other": 0}}, "dev": {}}
    assert label_rows(labels, "stance", ["against", "neutral", "favor"]) == [
        LabelRow("against", {"train": 1, "dev": 0}, {"train": 0.25, "dev": None}),
        LabelRow("neutral", {"train": 0, "dev": 0}, {"train": 0.0, "dev": None}),
        LabelRow("favor", {"train": 3, "dev": 0}, {"train": 0.75, "dev": None}),
        LabelRow("other", {"train": 0, "dev": 0}, {"train": 0.0, "dev": None}),
        LabelRow("none", {"train": 6, "dev": 0}, {"train": None, "dev": None}),
    ]


def test_lengths_are_counted_in_bins_of_eight_words():
    lengths = Lengths.of_words(
        {"train": np.array([0, 7, 8, 15, 16, 183, 184, 9999]), "test": np.array([], dtype=int)}
    )
    train = lengths.counts["train"]
    assert (train[:3], train[22], train[23], train[BINS - 1], len(train)) == (
        [2, 2, 1],
        1,
        1,
        1,
        BINS,
    )
    assert lengths.beyond("train") == 2  # of 184 and of 9999 words
    assert lengths.median_bound("train") == 15  # the fourth of eight has 15
    assert (lengths.median_bound("test"), lengths.beyond("test")) == (None, 0)
    assert (lengths.label(0), lengths.label(BINS - 1)) == ("0 to 7", "504 and more")


def test_histograms_share_one_scale():
    drawn = histograms(Lengths(counts={"train": [1, 3], "test": [1, 1, 0]}, limit=8))
    heights = {split: [bar.height for bar in histogram.bars] for split, histogram in drawn.items()}
    full = heights["train"][1]
    # The highest bar stands for three quarters of train; a quarter has a third of its height, a half two thirds.
    assert heights["train"] == [pytest.approx(full / 3, abs=0.1), full]
    assert heights["test"] == [pytest.approx(full * 2 / 3, abs=0.1)] * 2
    assert drawn["train"].highest == 0.75
    assert drawn["train"].limit == drawn["train"].bars[1].x
    assert list(drawn["train"].ticks) == [0, 8]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.85, 0.82, 0.9), "reliable"),
        ((0.8, 0.8, 0.8), "reliable"),
        (
            (0.7, 0.6, 0.81),
            "good for tentative conclusions; by its interval perhaps too low to rely on or reliable",
        ),
        ((0.7, None, None), "good for tentative conclusions"),
        ((0.66, 0.5, 0.66), "too low to rely on"),
        ((-0.1, -0.3, 0.2), "no better than chance; by its interval perhaps too low to rely on"),
    ],
)
def test_verdicts_on_values_of_alpha(values, words):
    assert verdict(Measure(value=values[0], low=values[1], high=values[2], n=1000)) == words


def test_the_verdict_on_an_undefined_alpha_says_why():
    assert verdict(Measure(value=None, low=None, high=None, n=3)).startswith(
        "not defined: all answers are alike"
    )


def test_few_items_and_documents_call_for_caution():
    good = Measure(value=0.8, low=0.7, high=0.9, n=500)
    without_interval = Measure(value=0.8, low=None, high=None, n=500)
    assert cautions(500, good) == []
    assert "fewer than 100 items" in cautions(99, good)[0]
    assert "no interval" in cautions(500, without_interval)[0]
    assert few_documents(20) is None
    assert "12 documents" in few_documents(12)
