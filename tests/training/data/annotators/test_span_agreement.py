"""Test agreement on attributions and entities."""

from pathlib import Path

import pytest

from claimstance.model.record import Attribution, Entity, Record
from claimstance.training.data.corpora import lookup
from helpers.data.annotations import ROOT, TEXT, alpha_by_definition, report
from helpers.paths import BENCHMARKS


def attributed(name, *attributions, number=0, doc="d", text=TEXT):
    return Record(
        id=f"{doc}:{number}",
        doc_id=doc,
        start=100 * number,
        text=text,
        annotator=name,
        attributions=[Attribution(**roles) for roles in attributions],
    )


LEE, SAID, DAM, WHOLE = [(0, 3)], [(4, 8)], [(9, 16)], [(9, 23)]


def test_span_agreement_computed_by_hand():
    agreement = report(
        [
            attributed("ann", {"source": LEE, "cue": SAID, "content": WHOLE}),
            attributed("bea", {"source": LEE, "cue": SAID, "content": DAM}),
        ]
    )
    spans = agreement.spans["attribution"]
    # The annotators differ on one of the six tokens (Lee said the dam failed .): ann marks three as content, bea two.
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
    people = agreement.people["attribution"]
    assert {metric: figure.value for metric, figure in people.items()} == pytest.approx(
        pair.figures
    )
    assert people["linked.f1"].n == 1


def test_nested_attributions_are_flattened_over_the_document():
    inner = {"cue": [(17, 23)], "event": "E2"}
    outer = {"content": WHOLE, "event": "E1"}
    agreement = report(
        [attributed("ann", outer, inner), attributed("bea", {"content": DAM}, inner)]
    )
    assert agreement.spans["attribution"].alpha.value == 1


def test_attributions_that_run_over_sentences_are_linked():
    def sentence_by(name, number, source):
        first = {"source": LEE if source else None, "cue": SAID, "event": "E1"}
        return attributed(
            name, {"content": WHOLE, "event": "E1"} if number else first, number=number
        )

    linked = report(
        *([sentence_by("ann", number, True), sentence_by("bea", number, True)] for number in (0, 1))
    )
    assert linked.people["attribution"]["linked.f1"].value == 1
    lacking = report(
        *(
            [sentence_by("ann", number, True), sentence_by("bea", number, False)]
            for number in (0, 1)
        )
    )
    assert lacking.people["attribution"]["linked.f1"].value == 0
    assert lacking.people["attribution"]["content.exact.f1"].value == 1


def test_null_means_unannotated_and_an_empty_list_means_no_spans():
    with_span = attributed("ann", {"cue": SAID})
    without_spans = attributed("bea")
    unannotated = Record(id="d@cy", doc_id="d", text=TEXT, annotator="cy")
    spans = report([with_span, without_spans, unannotated]).spans["attribution"]
    assert (spans.items, list(spans.annotators), len(spans.pairs)) == (1, ["ann", "bea"], 1)
    assert spans.pairs[0].figures == {"cue.overlap.f1": 0, "cue.exact.f1": 0, "linked.f1": 0}
    single_annotator = report([with_span, unannotated])
    assert (
        single_annotator.spans["attribution"].items,
        single_annotator.spans["attribution"].single,
    ) == (0, 1)
    assert (single_annotator.spans["attribution"].alpha.value, single_annotator.people) == (
        None,
        {},
    )
    empty = report([without_spans, attributed("ann")])
    assert (empty.spans["attribution"].alpha.value, empty.people) == (None, {})
    assert empty.spans["attribution"].pairs[0].n == 1


def test_entities_by_label():
    def record_by(name, *entities):
        return Record(
            id=name,
            text=TEXT,
            annotator=name,
            entities=[Entity(span=span, label=label) for span, label in entities],
        )

    agreement = report(
        [
            record_by("ann", (LEE, "PERSON"), (DAM, "LOCATION")),
            record_by("bea", (LEE, "PERSON"), ([(13, 16)], "LOCATION")),
        ]
    )
    assert agreement.spans["entity"].pairs[0].figures == pytest.approx(
        {
            "f1": 1 / 2,
            "PERSON.exact.f1": 1,
            "PERSON.overlap.f1": 1,
            "LOCATION.exact.f1": 0,
            "LOCATION.overlap.f1": 2 / 3,
        }
    )
    assert agreement.spans["entity"].roles == {
        "PERSON": 1,
        "LOCATION": pytest.approx(alpha_by_definition([["-", "-"]] * 4 + [["l", "-"], ["l", "l"]])),
    }
    assert agreement.people["entity"]["f1"].value == 1 / 2


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
def test_agreement_on_polnear_is_close_to_the_published_one(monkeypatch):
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
    several_annotators = {
        name: annotators for name, annotators in by_article(records).items() if len(annotators) > 1
    }
    agreement = report(
        *(
            sentence
            for annotators in several_annotators.values()
            for sentence in zip(*annotators.values(), strict=True)
        )
    )
    assert agreement.documents == len(several_annotators)
    assert agreement.spans["attribution"].alpha.value == pytest.approx(0.754, abs=0.03)
    expected = between_articles(records)["polnear/attribution"]
    for metric, figure in agreement.people["attribution"].items():
        assert (figure.value, figure.n) == (
            pytest.approx(expected[metric].value),
            expected[metric].n,
        )
