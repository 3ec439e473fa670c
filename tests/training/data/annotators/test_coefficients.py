"""Coefficients of agreement against published tables and their definitions."""

import numpy as np
import pytest

from claimstance.model.record import Record
from claimstance.training.data.annotators.coefficients import (
    alpha,
    alphas,
    coincidences,
)
from claimstance.training.evaluation.metrics import bootstrap
from helpers.data.annotations import alpha_by_definition, item, report

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", the example with missing data: how many of four
# observers gave each of twelve units the values 1 to 5. Of its 40 answers with a pair, 9, 13, 10, 5 and 3 are each
# value; apart are 2 in the second unit, 4 in the sixth, 2 in the eighth. Alpha is 1 - 8 / ((1600 - 384) / 39) = 0.743.
KRIPPENDORFF = [
    [3, 0, 0, 0, 0],
    [0, 3, 1, 0, 0],
    [0, 0, 4, 0, 0],
    [0, 0, 4, 0, 0],
    [0, 4, 0, 0, 0],
    [1, 1, 1, 1, 0],
    [0, 0, 0, 4, 0],
    [3, 1, 0, 0, 0],
    [0, 4, 0, 0, 0],
    [0, 0, 0, 0, 3],
    [2, 0, 0, 0, 0],
    [0, 0, 1, 0, 0],
]


# Fleiss (1971), "Measuring nominal scale agreement among many raters": six psychiatrists' diagnoses of 30 patients.
FLEISS = [
    [0, 0, 0, 6, 0],
    [0, 3, 0, 0, 3],
    [0, 1, 4, 0, 1],
    [0, 0, 0, 0, 6],
    [0, 3, 0, 3, 0],
    [2, 0, 4, 0, 0],
    [0, 0, 4, 0, 2],
    [2, 0, 3, 1, 0],
    [2, 0, 0, 4, 0],
    [0, 0, 0, 0, 6],
    [1, 0, 0, 5, 0],
    [1, 1, 0, 4, 0],
    [0, 3, 3, 0, 0],
    [1, 0, 0, 5, 0],
    [0, 2, 0, 3, 1],
    [0, 0, 5, 0, 1],
    [3, 0, 0, 1, 2],
    [5, 1, 0, 0, 0],
    [0, 2, 0, 4, 0],
    [1, 0, 2, 0, 3],
    [0, 0, 0, 0, 6],
    [0, 1, 0, 5, 0],
    [0, 2, 0, 1, 3],
    [2, 0, 0, 4, 0],
    [1, 0, 0, 4, 1],
    [0, 5, 0, 1, 0],
    [4, 0, 0, 0, 2],
    [0, 2, 0, 4, 0],
    [1, 0, 5, 0, 0],
    [0, 0, 0, 0, 6],
]


def counted(table, task="claim"):
    """Items as a table counts them, by nobody named."""
    return [
        [
            Record(id=str(i), text="x", **{task: f"label {value}"})
            for value, count in enumerate(row)
            for _ in range(count)
        ]
        for i, row in enumerate(table)
    ]


def test_krippendorff_s_example():
    found = report(*counted(KRIPPENDORFF)).labels["claim"]
    assert found.alpha.value == pytest.approx(1 - 8 / ((1600 - 384) / 39))
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert (found.items, found.single, found.alpha.n) == (11, 1, 11)
    # The fifth value is never given beside another.
    assert found.labels["label 4"] == 1
    # Of the first, 3 answers are apart from others, 1 from each side of: units 6 (3/3) and 8 (3/3).
    assert found.labels["label 0"] == pytest.approx(1 - (2 + 2) / ((1600 - 81 - 31**2) / 39))


def test_fleiss_s_table():
    found = report(*counted(FLEISS)).labels["claim"]
    assert np.sum(FLEISS, axis=0).tolist() == [26, 26, 30, 55, 43]
    assert found.fleiss == pytest.approx(0.430, abs=5e-4)
    assert (found.fleiss_items, found.fleiss_answers) == (30, 6)


def test_fleiss_s_kappa_is_of_the_commonest_number_of_answers():
    found = report(*counted([*FLEISS, [9, 0, 0, 0, 0], [0, 1, 1, 0, 0]])).labels["claim"]
    assert (found.fleiss, found.fleiss_items) == (pytest.approx(0.430, abs=5e-4), 30)


def test_cohen_s_kappa_by_hand():
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = report(
        *(
            item(i, {"bea": second, "ann": first}, "check_worthy")
            for i, (first, second) in enumerate(pairs)
        )
    ).labels["check_worthy"]
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.n, pair.agreement) == ("ann", "bea", 50, 0.7)
    assert pair.kappa == pytest.approx(
        (0.7 - 0.5) / (1 - 0.5)
    )  # by chance: 25/50 · 30/50 + 25/50 · 20/50


def test_alpha_is_what_its_definition_says():
    rng = np.random.default_rng(1)
    for _ in range(20):
        units = [rng.integers(0, 3, size=rng.integers(0, 5)).tolist() for _ in range(12)]
        table = np.array([[unit.count(value) for value in range(3)] for unit in units], dtype=float)
        assert alpha(coincidences(table)) == pytest.approx(alpha_by_definition(units))


@pytest.mark.parametrize("label", ["claim", "no_claim"])
def test_all_alike_is_no_agreement_beyond_chance(label):
    found = report(*(item(i, {"ann": label, "bea": label}) for i in range(5))).labels["claim"]
    assert (found.alpha.value, found.alpha.low, found.fleiss, found.pairs[0].kappa) == (
        None,
        None,
        None,
        None,
    )
    assert (found.labels, found.annotators["ann"].kappa) == ({label: None}, None)
    assert found.pairs[0].agreement == found.annotators["ann"].with_majority == 1


def test_intervals_are_over_documents():
    def said(i, doc):  # alike in the first half; in the other, bea says claim whatever it is
        label = ["claim", "no_claim"][i % 2]
        return item(i, {"ann": label, "bea": "claim" if i >= 30 else label}, doc=doc)

    apart = report(*(said(i, None) for i in range(60)))
    whole = report(*(said(i, f"d{i // 30}") for i in range(60)))
    items, documents = apart.labels["claim"].alpha, whole.labels["claim"].alpha
    assert (apart.documents, whole.documents) == (60, 2)
    assert items.value == pytest.approx(documents.value)
    assert 0 < items.low < items.value < items.high < 1
    # One draw in four has the first document twice, one the second.
    assert documents.high == pytest.approx(1)
    assert documents.low == pytest.approx(alpha_by_definition([["c", "c"], ["n", "c"]] * 30))


def test_equal_documents_are_drawn_as_if_each_stood_alone():
    rng = np.random.default_rng(2)
    said = [
        (["claim", "no_claim"][rng.random() < 0.4], ["claim", "no_claim"][rng.random() < 0.4])
        for _ in range(200)
    ]
    found = (
        report(*(item(i, {"ann": one, "bea": two}) for i, (one, two) in enumerate(said)))
        .labels["claim"]
        .alpha
    )
    units = np.array(
        [
            coincidences(np.array([[pair.count("claim"), pair.count("no_claim")]], dtype=float))
            for pair in said
        ]
    )
    plain = bootstrap(units, lambda total: {"alpha": alphas(total[None])[0]}, 200)["alpha"]
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == (
        pytest.approx(plain.low, abs=0.03),
        pytest.approx(plain.high, abs=0.03),
    )
