"""Check that the figures of docs/trust.md are those that the program computes."""

import re

import numpy as np

from claimstance.inference.corpus.correction import MIN_CODED, Coded, corrected_share
from claimstance.inference.corpus.sampling.drawing import allocate
from claimstance.inference.corpus.sampling.sheets import FIELDS
from helpers.paths import ROOT

TEXT = (ROOT / "docs/trust.md").read_text(encoding="utf-8")
CODED = re.compile(
    r"^\| \*(\w+)\* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) stances \|$", re.M
)
ESTIMATE = re.compile(r"^\| ([a-z ,]+) \| (\d+) % \| (\d+) to (\d+) % \|$", re.MULTILINE)
UNITS = {"favor": 3000, "against": 2000}
ARTICLES = 2000


def table():
    """Return, by the model's label, how often each label was coded, the number of rows, and the weight of a row."""
    return {
        label: ([int(number) for number in codes], int(rows), float(weight))
        for label, *codes, rows, weight in CODED.findall(TEXT)
    }


def example():
    """Return the share of the example, with the stances spread over the articles at random."""
    positions, gold, weights, first = [], [], [], 0
    for label, units in UNITS.items():
        codes, rows, _ = table()[label]
        positions += range(first, first + rows)
        gold += np.repeat(["favor", "against", "neutral"], codes).tolist()
        weights += [units / rows] * rows
        first += units
    articles = np.random.default_rng(1).integers(ARTICLES, size=first)
    predicted = np.repeat(list(UNITS), list(UNITS.values()))
    coded = Coded(np.array(positions), np.array(gold), np.array(weights))
    return corrected_share(predicted, articles, coded, "favor", ["favor", "against"])


def test_rows_and_weights_of_the_example():
    assert {label: rows for label, (_, rows, _) in table().items()} == allocate(UNITS, 200)
    for label, (codes, rows, weight) in table().items():
        assert sum(codes) == rows
        assert weight == round(UNITS[label] / rows, 1)


def test_shares_of_the_example():
    share = example()
    expected = {}
    for name, estimate in (
        ("the model alone", share.model),
        ("the sample alone", share.sample),
        ("both, corrected", share.corrected),
    ):
        figures = (estimate.value, estimate.low, estimate.high)
        expected[name] = tuple(round(100 * figure) for figure in figures)
    stated = {name: tuple(map(int, figures)) for name, *figures in ESTIMATE.findall(TEXT)}
    assert stated == expected


def test_the_biased_share_of_the_first_paragraph():
    assert round(0.8 * 20 + 0.2 * 80) == 32
    assert "a share of 32 %, not of 20 %" in TEXT


def test_the_columns_of_a_sheet():
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, re.MULTILINE) == list(FIELDS.items())


def test_the_least_number_of_rows():
    assert f"at least {MIN_CODED} coded rows" in TEXT
