"""Agreement of annotators on labels and stances, and the scores that people reach."""

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


def test_annotators_against_the_others():
    found = report(
        item(0, {"ann": "claim", "bea": "claim", "cy": "no_claim"}),
        item(1, {"ann": "no_claim", "bea": "no_claim", "cy": "no_claim"}),
        item(2, {"ann": "claim", "bea": "no_claim"}),
        item(3, {"ann": "claim", "cy": "no_claim"}),
        item(4, {"ann": "claim"}),
    )
    labels = found.labels["claim"]
    ann, bea, cy = labels.annotators.values()
    # Of the first sentence, the others are tied for ann and bea; cy is against both.
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
    assert found.annotators == {"ann": 5, "bea": 3, "cy": 3}
    assert (found.items, found.single, labels.items, labels.single) == (4, 1, 4, 1)


def test_people_stand_where_a_model_does():
    found = report(
        item(0, {"ann": "claim", "bea": "claim", "cy": "no_claim"}),
        item(1, {"ann": "no_claim", "bea": "no_claim", "cy": "no_claim"}),
        item(2, {"ann": "claim", "bea": "no_claim"}),
    ).people["claim"]
    # What most others say, against what one says: claim, no_claim once; thrice no_claim, no_claim, weighing one
    # together; of the last pair each way round, weighing a half. Rows claim: 0, 1.5; no_claim: 0.5, 1.
    assert found["accuracy"].value == pytest.approx(1 / 3)
    assert found["claim.f1"].value == 0
    assert found["no_claim.f1"].value == pytest.approx(2 * 1 / (2 * 1 + 1.5 + 0.5))
    assert found["macro_f1"].value == pytest.approx(0.25)
    assert found["macro_f1"].n == 3


def test_stances_are_compared_by_question():
    def said(name, *stances):
        return Record(
            id=name,
            text="x Lee",
            annotator=name,
            stances=[
                Stance(holder=holder, target=target, label=label)
                for holder, target, label in stances
            ],
        )

    found = report(
        [
            said("ann", ("Lee", "Dam", "favor"), (None, [(2, 5)], "against")),
            said(
                "bea", ("lee", "dam", "favor"), (None, [(2, 5)], "neutral"), (None, "Lee", "favor")
            ),
            said("cy"),
        ]
    ).labels["stance"]
    assert (found.items, found.single) == (2, 1)
    (pair,) = found.pairs
    assert (pair.n, pair.agreement) == (2, 0.5)
    assert found.alpha.value == pytest.approx(alpha_by_definition([["f", "f"], ["a", "n"]]))


def test_one_item_in_common():
    found = report(item(0, {"ann": "claim", "bea": "no_claim"}), item(1, {"bea": "claim"})).labels[
        "claim"
    ]
    assert found.alpha.value == pytest.approx(alpha_by_definition([["c", "n"]])) == 0
    assert (found.alpha.low, found.alpha.high) == (None, None)  # one document
    assert found.pairs[0].kappa == 0


def test_annotators_who_share_nothing():
    found = report(item(0, {"ann": "claim"}), item(1, {"bea": "no_claim"}))
    labels = found.labels["claim"]
    assert (labels.alpha.value, labels.fleiss, labels.fleiss_answers, labels.pairs) == (
        None,
        None,
        0,
        [],
    )
    assert (labels.annotators["ann"].with_majority, labels.annotators["ann"].kappa) == (None, None)
    assert (found.items, found.single, found.documents, found.people) == (0, 2, 0, {})


def test_nothing_at_all():
    found = report()
    assert (found.items, found.labels, found.spans, found.people) == (0, {}, {}, {})


def test_what_nobody_annotated_is_not_told():
    assert report(item(0, {"ann": "claim", "bea": "claim"})).labels.keys() == {"claim"}


def test_answers_without_names_count_together():
    record = Record(
        id="g",
        text="x",
        stances=[Stance(target="dam", label="favor", probabilities={"favor": 1.0})],
        meta={"annotations": ["favor", "favor", "against"]},
    )
    parts = annotations(record)
    assert [(one.annotator, one.stances[0].label, one.stances[0].target) for one in parts] == [
        (None, "favor", "dam"),
        (None, "favor", "dam"),
        (None, "against", "dam"),
    ]
    found = report(parts).labels["stance"]
    assert found.alpha.value == pytest.approx(alpha_by_definition([["f", "f", "a"]]))
    assert (found.pairs, found.annotators) == ([], {})
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
def test_what_is_not_one_item(records, message):
    with pytest.raises(InputError, match=message):
        Agreement().add(records)


def test_records_are_not_kept():
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
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1500 * 20


@pytest.mark.slow
def test_people_stand_beside_the_model(run, model, seeds):
    mine = [
        record.model_copy(update={"meta": {"corpus": corpus}})
        for corpus, record in zip(["mine"] * 5 + ["other"] * 5, seeds["port-strike"], strict=False)
    ]
    save({"test": mine}, DEFAULT_LABELS, Path("data"))
    plain = run("evaluate", model, "--data", "data", "--out", "before")
    assert "people" not in plain.out
    assert "people" not in json.loads(Path("before/evaluation.json").read_bytes())
    alone = report(item(0, {"ann": "claim"}))
    several_people = report(
        *(
            item(i, {"ann": label, "bea": "claim"})
            for i, label in enumerate(["claim", "claim", "claim", "no_claim"])
        )
    )
    agreement = {
        name: json.loads(found.model_dump_json())
        for name, found in {"mine": several_people, "other": alone, "gone": several_people}.items()
    }
    Path("data/report.json").write_text(json.dumps({"agreement": agreement}), encoding="utf-8")
    told = run("evaluate", model, "--data", "data", "--out", "after")
    assert told.code == 0
    account = json.loads(Path("after/evaluation.json").read_bytes())
    assert account["people"].keys() == {"mine/claim"}
    # Three sentences alike, one apart whoever of the two is the model: of eight answers six are right.
    assert (
        account["people"]["mine/claim"]["accuracy"]
        == agreement["mine"]["people"]["claim"]["accuracy"]
    )
    assert account["people"]["mine/claim"]["accuracy"]["value"] == pytest.approx(6 / 8)
    assert account["people"]["mine/claim"].keys() <= account["results"]["mine/claim"].keys()
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in told.out.splitlines()
        if "│" in line
    ]
    beside = {(row[0], row[1], row[2]): row[6] for row in rows}
    assert beside["mine", "claim", "accuracy"] == "75.0"
    assert (
        beside["other", "claim", "accuracy"] == beside["mine", "claim", "calibration_error"] == ""
    )
    assert "people: each annotator against the others" in told.out


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
def test_gwsd_s_eight_annotators():
    gwsd = lookup("gwsd")
    records = [
        record
        for split in gwsd.splits
        for record in gwsd.read(Path(ROOT) / "gwsd", split, lambda reason: None)
    ]
    found = report(*map(annotations, records)).labels["stance"]
    units = [
        Counter(record.meta["annotations"])
        for record in records
        if len(record.meta["annotations"]) == 8
    ]
    assert (found.fleiss_items, found.fleiss_answers) == (len(units), 8)
    table = np.array(
        [[unit[label] for label in ("against", "neutral", "favor")] for unit in units], dtype=float
    )
    assert found.fleiss == pytest.approx(
        fleiss_kappa(len(units), 8, table.sum(axis=0), float((table**2).sum()))
    )
    assert 0.3 < found.fleiss < 0.4
