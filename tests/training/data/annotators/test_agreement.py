"""Test agreement of annotators on labels and stances, and the scores that people reach."""

import json
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance
from claimstance.training.data.annotators.agreement import Agreement, annotations
from claimstance.training.data.annotators.coefficients import (
    fleiss_kappa,
)
from claimstance.training.data.corpora import lookup
from claimstance.training.data.dataset import save
from helpers.data.annotations import ROOT, alpha_by_definition, item, report


def test_each_annotator_is_compared_with_the_others():
    agreement = report(
        item(0, {"ann": "claim", "bea": "claim", "cy": "no_claim"}),
        item(1, {"ann": "no_claim", "bea": "no_claim", "cy": "no_claim"}),
        item(2, {"ann": "claim", "bea": "no_claim"}),
        item(3, {"ann": "claim", "cy": "no_claim"}),
        item(4, {"ann": "claim"}),
    )
    labels = agreement.labels["claim"]
    ann, bea, cy = labels.annotators.values()
    # On the first sentence, the others of ann and those of bea are tied; cy disagrees with both others.
    assert (ann.n, ann.compared, ann.with_majority) == (5, 3, pytest.approx(1 / 3))
    assert (bea.n, bea.compared, bea.with_majority) == (3, 2, pytest.approx(1 / 2))
    assert (cy.n, cy.compared, cy.with_majority) == (3, 3, pytest.approx(1 / 3))
    kappas = {(pair.first, pair.second): (pair.n, pair.kappa) for pair in labels.pairs}
    assert kappas == {
        ("ann", "bea"): (3, pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))),
        ("ann", "cy"): (3, pytest.approx(0)),
        ("bea", "cy"): (2, pytest.approx(0)),
    }
    assert ann.kappa == pytest.approx((3 * 0.4 + 3 * 0) / 6)
    assert cy.kappa == pytest.approx(0)
    assert agreement.annotators == {"ann": 5, "bea": 3, "cy": 3}
    assert (agreement.items, agreement.single, labels.items, labels.single) == (4, 1, 4, 1)


def test_annotators_are_scored_as_a_model_is():
    scores = report(
        item(0, {"ann": "claim", "bea": "claim", "cy": "no_claim"}),
        item(1, {"ann": "no_claim", "bea": "no_claim", "cy": "no_claim"}),
        item(2, {"ann": "claim", "bea": "no_claim"}),
    ).people["claim"]
    # Pairs of the majority of the others and an annotator's label: (claim, no_claim) once; (no_claim, no_claim)
    # three times, with a total weight of 1; those of the last sentence in both orders, each with a weight of 1/2.
    # The confusion matrix therefore has the rows claim: 0, 1.5 and no_claim: 0.5, 1.
    assert scores["accuracy"].value == pytest.approx(1 / 3)
    assert scores["claim.f1"].value == 0
    assert scores["no_claim.f1"].value == pytest.approx(2 * 1 / (2 * 1 + 1.5 + 0.5))
    assert scores["macro_f1"].value == pytest.approx(0.25)
    assert scores["macro_f1"].n == 3


def test_stances_are_compared_by_holder_and_target():
    def record_by(name, *stances):
        return Record(
            id=name,
            text="x Lee",
            annotator=name,
            stances=[
                Stance(holder=holder, target=target, label=label)
                for holder, target, label in stances
            ],
        )

    agreement = report(
        [
            record_by("ann", ("Lee", "Dam", "favor"), (None, [(2, 5)], "against")),
            record_by(
                "bea", ("lee", "dam", "favor"), (None, [(2, 5)], "neutral"), (None, "Lee", "favor")
            ),
            record_by("cy"),
        ]
    ).labels["stance"]
    assert (agreement.items, agreement.single) == (2, 1)
    (pair,) = agreement.pairs
    assert (pair.n, pair.agreement) == (2, 0.5)
    assert agreement.alpha.value == pytest.approx(alpha_by_definition([["f", "f"], ["a", "n"]]))


def test_one_item_in_common():
    agreement = report(
        item(0, {"ann": "claim", "bea": "no_claim"}), item(1, {"bea": "claim"})
    ).labels["claim"]
    assert agreement.alpha.value == pytest.approx(alpha_by_definition([["c", "n"]])) == 0
    assert (agreement.alpha.low, agreement.alpha.high) == (None, None)  # one document
    assert agreement.pairs[0].kappa == 0


def test_annotators_without_common_items():
    agreement = report(item(0, {"ann": "claim"}), item(1, {"bea": "no_claim"}))
    labels = agreement.labels["claim"]
    assert (labels.alpha.value, labels.fleiss, labels.fleiss_answers, labels.pairs) == (
        None,
        None,
        0,
        [],
    )
    assert (labels.annotators["ann"].with_majority, labels.annotators["ann"].kappa) == (None, None)
    assert (agreement.items, agreement.single, agreement.documents, agreement.people) == (
        0,
        2,
        0,
        {},
    )


def test_no_records_give_an_empty_report():
    agreement = report()
    assert (agreement.items, agreement.labels, agreement.spans, agreement.people) == (0, {}, {}, {})


def test_tasks_without_annotations_are_not_reported():
    assert report(item(0, {"ann": "claim", "bea": "claim"})).labels.keys() == {"claim"}


def test_answers_of_unnamed_annotators_are_compared():
    record = Record(
        id="g",
        text="x",
        stances=[Stance(target="dam", label="favor", probabilities={"favor": 1.0})],
        meta={"annotations": ["favor", "favor", "against"]},
    )
    answers = annotations(record)
    assert [
        (answer.annotator, answer.stances[0].label, answer.stances[0].target) for answer in answers
    ] == [
        (None, "favor", "dam"),
        (None, "favor", "dam"),
        (None, "against", "dam"),
    ]
    agreement = report(answers).labels["stance"]
    assert agreement.alpha.value == pytest.approx(alpha_by_definition([["f", "f", "a"]]))
    assert (agreement.pairs, agreement.annotators) == ([], {})
    plain = Record(id="p", text="x", meta={"annotations": "none"})
    assert annotations(plain) == [plain]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            [Record(id="a", text="x", annotator="ann"), Record(id="b", text="y", annotator="bea")],
            "b: text: expected the text of a",
        ),
        (
            [Record(id="a", text="x", annotator="ann")] * 2,
            "a: annotator: expected each once, found 'ann' twice",
        ),
    ],
)
def test_records_of_different_items_are_rejected(records, message):
    with pytest.raises(InputError, match=message):
        Agreement().add(records)


def test_memory_does_not_grow_with_the_records():
    agreement, rng = Agreement(), np.random.default_rng(3)

    def add(count):
        for i in range(count):
            agreement.add(
                item(
                    i,
                    {
                        name: ["claim", "no_claim"][int(rng.integers(2))]
                        for name in ("ann", "bea", "cy")
                    },
                )
            )

    add(300)
    tracemalloc.start()
    add(1500)
    memory_growth, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert memory_growth < 1500 * 20


@pytest.mark.slow
def test_scores_of_annotators_are_shown_beside_the_model(run, model, seeds):
    records = [
        record.model_copy(update={"meta": {"corpus": corpus}})
        for corpus, record in zip(["mine"] * 5 + ["other"] * 5, seeds["port-strike"], strict=False)
    ]
    save({"test": records}, DEFAULT_LABELS, Path("data"))
    plain = run("evaluate", model, "--data", "data", "--out", "before")
    assert "people" not in plain.out
    assert "people" not in json.loads(Path("before/evaluation.json").read_bytes())
    single_annotator = report(item(0, {"ann": "claim"}))
    two_annotators = report(
        *(
            item(i, {"ann": label, "bea": "claim"})
            for i, label in enumerate(["claim", "claim", "claim", "no_claim"])
        )
    )
    agreement = {
        name: json.loads(agreement_report.model_dump_json())
        for name, agreement_report in {
            "mine": two_annotators,
            "other": single_annotator,
            "gone": two_annotators,
        }.items()
    }
    Path("data/report.json").write_text(json.dumps({"agreement": agreement}), encoding="utf-8")
    output = run("evaluate", model, "--data", "data", "--out", "after")
    assert output.code == 0
    evaluation = json.loads(Path("after/evaluation.json").read_bytes())
    assert evaluation["people"].keys() == {"mine/claim"}
    # The two annotators agree on three of four sentences, whichever of them counts as the model: six of eight
    # answers are correct.
    assert (
        evaluation["people"]["mine/claim"]["accuracy"]
        == agreement["mine"]["people"]["claim"]["accuracy"]
    )
    assert evaluation["people"]["mine/claim"]["accuracy"]["value"] == pytest.approx(6 / 8)
    assert evaluation["people"]["mine/claim"].keys() <= evaluation["results"]["mine/claim"].keys()
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in output.out.splitlines()
        if "│" in line
    ]
    annotator_scores = {(row[0], row[1], row[2]): row[6] for row in rows}
    assert annotator_scores["mine", "claim", "accuracy"] == "75.0"
    assert (
        annotator_scores["other", "claim", "accuracy"]
        == annotator_scores["mine", "claim", "calibration_error"]
        == ""
    )
    assert "people: each annotator against the others" in output.out


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
def test_agreement_of_the_eight_annotators_of_gwsd():
    gwsd = lookup("gwsd")
    records = [
        record
        for split in gwsd.splits
        for record in gwsd.read(Path(ROOT) / "gwsd", split, lambda reason: None)
    ]
    agreement = report(*map(annotations, records)).labels["stance"]
    units = [
        Counter(record.meta["annotations"])
        for record in records
        if len(record.meta["annotations"]) == 8
    ]
    assert (agreement.fleiss_items, agreement.fleiss_answers) == (len(units), 8)
    table = np.array(
        [[unit[label] for label in ("against", "neutral", "favor")] for unit in units], dtype=float
    )
    assert agreement.fleiss == pytest.approx(
        fleiss_kappa(len(units), 8, table.sum(axis=0), float((table**2).sum()))
    )
    assert 0.3 < agreement.fleiss < 0.4
