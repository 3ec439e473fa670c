"""Measure the agreement of annotators, a ceiling for models, on invented sentences with known answers."""

from collections import Counter

import pytest

from claimstance.model.labels import CLAIM, STANCE
from claimstance.model.record import Attribution, Record, Stance
from helpers.paths import BENCHMARKS


@pytest.fixture
def ceilings(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import ceilings

    return ceilings


def annotated(annotator, article, *sentences):
    """Return an article's sentences as one annotator marked them, each given as ``(source, cue, claim)``."""
    records = []
    for i, (source, cue, claim) in enumerate(sentences):
        spans = {
            role: [(start, start + 3)]
            for role, start in (("source", source), ("cue", cue))
            if start is not None
        }
        records.append(
            Record(
                id=f"{article}@{annotator}:{i}",
                doc_id=f"{article}@{annotator}",
                text="Ada Bob Cid.",
                claim=claim,
                attributions=[Attribution(**spans)] if spans else [],
                annotator=annotator,
                meta={"corpus": "p", "article": article},
            )
        )
    return records


def test_annotators_are_scored_against_each_other(ceilings):
    alike = (0, 4, "claim")
    first = [
        *annotated("ann", "one", alike),
        *annotated("bea", "one", alike),
        *annotated("cy", "one", alike),
    ]
    apart = [*annotated("ann", "two", alike), *annotated("bea", "two", (0, 8, "no_claim"))]
    alone = annotated("ann", "three", (None, None, "no_claim"))
    figures = ceilings.between_articles([*first, *apart, *alone])
    attribution, claim = figures["p/attribution"], figures["p/claim"]
    assert attribution["source.overlap.f1"].value == 1
    # Each article has the same weight, although one has six ordered pairs and the other two.
    assert attribution["cue.overlap.f1"].value == attribution["cue.exact.f1"].value == 1 / 2
    assert attribution["linked.f1"].value == 1 / 2
    assert attribution["cue.exact.precision"].value == attribution["cue.exact.recall"].value
    assert (attribution["linked.f1"].low, attribution["linked.f1"].high) == (0, 1)
    assert attribution["linked.f1"].n == 2
    assert claim["accuracy"].value == 1 / 2


def test_one_annotator_gives_no_ceiling(ceilings):
    assert ceilings.between_articles(annotated("ann", "one", (0, 4, "claim"))) == {}


def answered(number, answers):
    """Return a record with the answers of several annotators about its stance."""
    return Record(
        id=str(number),
        text="x",
        stances=[Stance(target="x", label=Counter(answers).most_common(1)[0][0])],
        meta={"corpus": "g", "annotations": answers},
    )


def test_answers_are_scored_against_the_others(ceilings):
    answers = (["favor"] * 3 + ["against"], ["against"] * 4, ["favor", "against"])
    records = [*map(answered, range(3), answers), Record(id="3", text="x", meta={"corpus": "g"})]
    figures = ceilings.between_answers(records, STANCE)["g/stance"]
    # Three of four agree with the others, then four of four, and then none of two.
    assert figures["accuracy"].value == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert figures["accuracy"].n == 3


def test_ties_of_the_others_are_left_out(ceilings):
    tied = answered(0, ["favor", "favor", "against", "against", "neutral"])
    figures = ceilings.between_answers([tied], STANCE)["g/stance"]
    # The others of the neutral answer are tied; for every other answer, the other side leads.
    assert figures["accuracy"].value == 0
    assert figures["neutral.recall"].value == figures["neutral.precision"].value == 0
    assert ceilings.between_answers([answered(0, ["favor", "against", "neutral"])], STANCE) == {}


def test_a_sentence_with_more_answers_has_no_more_weight(ceilings):
    many = answered(0, ["favor"] * 40)
    few = answered(1, ["against"] * 2 + ["favor"])
    four = answered(0, ["favor"] * 4)
    with_many, with_four = (
        ceilings.between_answers([record, few], STANCE)["g/stance"]["accuracy"].value
        for record in (many, four)
    )
    assert with_many == pytest.approx(with_four)


def test_claims_are_the_default_labels_of_articles(ceilings):
    records = [*annotated("ann", "one", (0, 4, "claim")), *annotated("bea", "one", (0, 4, "claim"))]
    assert set(ceilings.between_articles(records)["p/claim"]) >= {f"{label}.f1" for label in CLAIM}
