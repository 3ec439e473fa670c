"""Test coefficients of agreement against published tables and their definitions."""

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

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", the example with missing data. Each row counts
# how many of four observers gave a unit the values 1 to 5. The 40 answers that can be paired have these values 9, 13,
# 10, 5 and 3 times; the second, sixth and eighth unit have 2, 4 and 2 pairs that differ.
# Alpha is 1 - 8 / ((1600 - 384) / 39) = 0.743.
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
    """Return the items that a table of counts describes, by unnamed annotators."""
    return [
        [
            Record(id=str(i), text="x", **{task: f"label {value}"})
            for value, count in enumerate(row)
            for _ in range(count)
        ]
        for i, row in enumerate(table)
    ]


def test_krippendorff_example():
    agreement = report(*counted(KRIPPENDORFF)).labels["claim"]
    assert agreement.alpha.value == pytest.approx(1 - 8 / ((1600 - 384) / 39))
    assert agreement.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert (agreement.items, agreement.single, agreement.alpha.n) == (11, 1, 11)
    # No unit has the fifth value together with another value.
    assert agreement.labels["label 4"] == 1
    # Observers differ about the first value in two units only, the sixth (3/3) and the eighth (3/3), counted in both orders.
    assert agreement.labels["label 0"] == pytest.approx(1 - (2 + 2) / ((1600 - 81 - 31**2) / 39))


def test_fleiss_table():
    agreement = report(*counted(FLEISS)).labels["claim"]
    assert np.sum(FLEISS, axis=0).tolist() == [26, 26, 30, 55, 43]
    assert agreement.fleiss == pytest.approx(0.430, abs=5e-4)
    assert (agreement.fleiss_items, agreement.fleiss_answers) == (30, 6)


def test_fleiss_kappa_uses_items_with_the_commonest_number_of_answers():
    agreement = report(*counted([*FLEISS, [9, 0, 0, 0, 0], [0, 1, 1, 0, 0]])).labels["claim"]
    assert (agreement.fleiss, agreement.fleiss_items) == (pytest.approx(0.430, abs=5e-4), 30)


def test_cohen_kappa_computed_by_hand():
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    agreement = report(
        *(
            item(i, {"bea": second, "ann": first}, "check_worthy")
            for i, (first, second) in enumerate(pairs)
        )
    ).labels["check_worthy"]
    (pair,) = agreement.pairs
    assert (pair.first, pair.second, pair.n, pair.agreement) == ("ann", "bea", 50, 0.7)
    # The agreement by chance is 25/50 · 30/50 + 25/50 · 20/50.
    assert pair.kappa == pytest.approx((0.7 - 0.5) / (1 - 0.5))


def test_alpha_equals_its_definition():
    rng = np.random.default_rng(1)
    for _ in range(20):
        units = [rng.integers(0, 3, size=rng.integers(0, 5)).tolist() for _ in range(12)]
        table = np.array([[unit.count(value) for value in range(3)] for unit in units], dtype=float)
        assert alpha(coincidences(table)) == pytest.approx(alpha_by_definition(units))


@pytest.mark.parametrize("label", ["claim", "no_claim"])
def test_identical_answers_show_no_agreement_beyond_chance(label):
    agreement = report(*(item(i, {"ann": label, "bea": label}) for i in range(5))).labels["claim"]
    assert (
        agreement.alpha.value,
        agreement.alpha.low,
        agreement.fleiss,
        agreement.pairs[0].kappa,
    ) == (
        None,
        None,
        None,
        None,
    )
    assert (agreement.labels, agreement.annotators["ann"].kappa) == ({label: None}, None)
    assert agreement.pairs[0].agreement == agreement.annotators["ann"].with_majority == 1


def test_confidence_intervals_resample_documents():
    def answers(i, doc):  # equal in the first half; in the second, bea always answers claim
        label = ["claim", "no_claim"][i % 2]
        return item(i, {"ann": label, "bea": "claim" if i >= 30 else label}, doc=doc)

    by_sentence = report(*(answers(i, None) for i in range(60)))
    by_document = report(*(answers(i, f"d{i // 30}") for i in range(60)))
    items, documents = by_sentence.labels["claim"].alpha, by_document.labels["claim"].alpha
    assert (by_sentence.documents, by_document.documents) == (60, 2)
    assert items.value == pytest.approx(documents.value)
    assert 0 < items.low < items.value < items.high < 1
    # One draw in four has the first document twice, one the second.
    assert documents.high == pytest.approx(1)
    assert documents.low == pytest.approx(alpha_by_definition([["c", "c"], ["n", "c"]] * 30))


def test_resampling_equal_documents_matches_a_plain_bootstrap():
    rng = np.random.default_rng(2)
    answers = [
        (["claim", "no_claim"][rng.random() < 0.4], ["claim", "no_claim"][rng.random() < 0.4])
        for _ in range(200)
    ]
    measure = (
        report(
            *(item(i, {"ann": first, "bea": second}) for i, (first, second) in enumerate(answers))
        )
        .labels["claim"]
        .alpha
    )
    units = np.array(
        [
            coincidences(np.array([[pair.count("claim"), pair.count("no_claim")]], dtype=float))
            for pair in answers
        ]
    )
    plain = bootstrap(units, lambda total: {"alpha": alphas(total[None])[0]}, 200)["alpha"]
    assert measure.value == pytest.approx(plain.value)
    assert (measure.low, measure.high) == (
        pytest.approx(plain.low, abs=0.03),
        pytest.approx(plain.high, abs=0.03),
    )
