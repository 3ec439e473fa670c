"""Agreement between annotators: textbook tables, cases worked out by hand, and what is not defined."""

import itertools
import json
import os
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.annotators.agreement import Agreement, AgreementReport, annotations
from claimstance.training.data.annotators.coefficients import (
    alpha,
    alphas,
    coincidences,
    fleiss_kappa,
)
from claimstance.training.data.corpora import lookup
from claimstance.training.data.dataset import save
from claimstance.training.evaluation.metrics import bootstrap
from helpers.paths import BENCHMARKS

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")

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

#       0   4    9   13 17
TEXT = "Lee said the dam failed."


def item(number, said, task="claim", doc=None):
    """A sentence with a label by each of ``said``: annotator → label."""
    return [
        Record(
            id=f"{number}@{name}",
            doc_id=doc,
            start=number if doc else None,
            text=f"x {number}",
            annotator=name,
            **{task: label},
        )
        for name, label in said.items()
    ]


def report(*items):
    agreement = Agreement()
    for records in items:
        agreement.add(records)
    found = agreement.report()
    assert (
        AgreementReport.model_validate_json(found.model_dump_json()) == found
    )  # no NaN, which JSON has not
    return found


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


def alpha_by_definition(units):
    """One minus the disagreement of pairs within units over that of pairs of any two answers that have a partner."""
    units = [unit for unit in units if len(unit) > 1]
    answers = [answer for unit in units for answer in unit]
    within = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units
    )
    across = sum(a != b for a, b in itertools.permutations(answers, 2)) / (len(answers) - 1)
    return 1 - within / across


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


def attributed(name, *attributions, number=0, doc="d", text=TEXT):
    return Record(
        id=f"{doc}:{number}",
        doc_id=doc,
        start=100 * number,
        text=text,
        annotator=name,
        attributions=[Attribution(**parts) for parts in attributions],
    )


LEE, SAID, DAM, WHOLE = [(0, 3)], [(4, 8)], [(9, 16)], [(9, 23)]


def test_spans_by_hand():
    found = report(
        [
            attributed("ann", {"source": LEE, "cue": SAID, "content": WHOLE}),
            attributed("bea", {"source": LEE, "cue": SAID, "content": DAM}),
        ]
    )
    spans = found.spans["attribution"]
    # Tokens: Lee said the dam failed . – one of six apart; ann has three of content, bea two.
    assert spans.alpha.value == pytest.approx(
        alpha_by_definition(
            [["s", "s"], ["c", "c"], ["t", "t"], ["t", "t"], ["t", "-"], ["-", "-"]]
        )
    )
    assert spans.alpha.n == 6
    assert spans.roles["source"] == spans.roles["cue"] == 1
    assert spans.roles["content"] == pytest.approx(
        alpha_by_definition([["-", "-"]] * 3 + [["t", "t"]] * 2 + [["t", "-"]])
    )
    (pair,) = spans.pairs
    assert pair.figures == pytest.approx(
        {
            "source.overlap.f1": 1,
            "source.exact.f1": 1,
            "cue.overlap.f1": 1,
            "cue.exact.f1": 1,
            "content.overlap.f1": 2 * 2 / 5,
            "content.exact.f1": 0,
            "linked.f1": 1,
        }
    )
    assert spans.annotators["ann"].figures == pytest.approx(pair.figures)
    people = found.people["attribution"]
    assert {metric: figure.value for metric, figure in people.items()} == pytest.approx(
        pair.figures
    )
    assert people["linked.f1"].n == 1


def test_nested_attributions_are_flattened_over_the_document():
    inner = {"cue": [(17, 23)], "event": "E2"}
    outer = {"content": WHOLE, "event": "E1"}
    found = report([attributed("ann", outer, inner), attributed("bea", {"content": DAM}, inner)])
    assert found.spans["attribution"].alpha.value == 1


def test_attributions_that_run_over_sentences_are_linked():
    def two(name, number, source):
        first = {"source": LEE if source else None, "cue": SAID, "event": "E1"}
        return attributed(
            name, {"content": WHOLE, "event": "E1"} if number else first, number=number
        )

    linked = report(*([two("ann", number, True), two("bea", number, True)] for number in (0, 1)))
    assert linked.people["attribution"]["linked.f1"].value == 1
    lacking = report(*([two("ann", number, True), two("bea", number, False)] for number in (0, 1)))
    assert lacking.people["attribution"]["linked.f1"].value == 0
    assert lacking.people["attribution"]["content.exact.f1"].value == 1


def test_null_is_not_annotated_and_an_empty_list_is_none_there():
    there = attributed("ann", {"cue": SAID})
    nothing = attributed("bea")
    silent = Record(id="d@cy", doc_id="d", text=TEXT, annotator="cy")
    spans = report([there, nothing, silent]).spans["attribution"]
    assert (spans.items, list(spans.annotators), len(spans.pairs)) == (1, ["ann", "bea"], 1)
    assert spans.pairs[0].figures == {"cue.overlap.f1": 0, "cue.exact.f1": 0, "linked.f1": 0}
    alone = report([there, silent])
    assert (alone.spans["attribution"].items, alone.spans["attribution"].single) == (0, 1)
    assert (alone.spans["attribution"].alpha.value, alone.people) == (None, {})
    empty = report([nothing, attributed("ann")])
    assert (empty.spans["attribution"].alpha.value, empty.people) == (None, {})
    assert empty.spans["attribution"].pairs[0].n == 1


def test_entities_by_label():
    def named(name, *entities):
        return Record(
            id=name,
            text=TEXT,
            annotator=name,
            entities=[Entity(span=s, label=k) for s, k in entities],
        )

    found = report(
        [
            named("ann", (LEE, "PERSON"), (DAM, "LOCATION")),
            named("bea", (LEE, "PERSON"), ([(13, 16)], "LOCATION")),
        ]
    )
    assert found.spans["entity"].pairs[0].figures == pytest.approx(
        {
            "f1": 1 / 2,
            "PERSON.exact.f1": 1,
            "PERSON.overlap.f1": 1,
            "LOCATION.exact.f1": 0,
            "LOCATION.overlap.f1": 2 / 3,
        }
    )
    assert found.spans["entity"].roles == {
        "PERSON": 1,
        "LOCATION": pytest.approx(alpha_by_definition([["-", "-"]] * 4 + [["l", "-"], ["l", "l"]])),
    }
    assert found.people["entity"]["f1"].value == 1 / 2


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
def test_polnear_s_annotators_agree_about_as_its_authors_say(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from ceilings import between_articles, by_article

    polnear = lookup("polnear")
    records = [
        record
        for split in polnear.splits
        for record in polnear.read(
            Path(ROOT) / "polnear", split, lambda reason: None, annotator="all"
        )
    ]
    together = {
        name: annotators for name, annotators in by_article(records).items() if len(annotators) > 1
    }
    found = report(
        *(
            sentence
            for annotators in together.values()
            for sentence in zip(*annotators.values(), strict=True)
        )
    )
    assert found.documents == len(together)
    assert found.spans["attribution"].alpha.value == pytest.approx(0.754, abs=0.03)
    plain = between_articles(records)["polnear/attribution"]
    for metric, figure in found.people["attribution"].items():
        assert (figure.value, figure.n) == (pytest.approx(plain[metric].value), plain[metric].n)


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
