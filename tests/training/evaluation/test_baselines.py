"""What a model has to beat, and what people reach: on invented sentences with known answers."""

import subprocess
import sys
from collections import Counter

import pytest

from claimstance.model.labels import CLAIM, DEFAULT_LABELS, STANCE
from claimstance.model.record import Attribution, Record, Stance
from claimstance.training.data.annotators import ceiling
from claimstance.training.evaluation import baselines


def claims(texts, labels, corpus="a"):
    return [
        Record(id=f"{corpus}{i}", text=text, claim=label, meta={"corpus": corpus})
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]


SAID = [f"The minister said that plan {i} fails." for i in range(12)]
RAINED = [f"Rain fell on field {i}." for i in range(12)]
TALK = claims(SAID + RAINED, ["claim"] * 12 + ["no_claim"] * 12)


def stances(corpus="s"):
    """Two people in a sentence, one praised, one blamed: only what stands about the target tells the label."""
    records = []
    for i in range(16):
        text = f"In town {i} all of the crowd loudly cheered Ada, and then many hours later the press mocked Bert."
        ada, bert = text.index("Ada"), text.index("Bert")
        records.append(
            Record(
                id=f"{corpus}{i}",
                text=text,
                meta={"corpus": corpus},
                stances=[
                    Stance(target=[(ada, ada + 3)], label="favor"),
                    Stance(target=[(bert, bert + 4)], label="against"),
                    Stance(target="Ada"),
                ],
            )
        )
    return records


def test_the_majority_is_the_commonest_label_of_train():
    train = claims(["x"] * 5, ["claim"] * 3 + ["no_claim"] * 2)
    found = baselines.majority(
        train, claims(["y"] * 4, ["claim"] + ["no_claim"] * 3), DEFAULT_LABELS
    )
    assert set(found) == {"a/claim"}
    assert found["a/claim"]["accuracy"].value == 1 / 4
    assert found["a/claim"]["claim.recall"].value == 1
    assert found["a/claim"]["macro_f1"].value == pytest.approx((2 * 1 / (4 + 1)) / 2)
    assert found["a/claim"]["calibration_error"].value == pytest.approx(3 / 5 - 1 / 4)


def test_the_majority_is_of_each_corpus_its_own():
    train = claims(["x"] * 2, ["claim"] * 2) + claims(["x"] * 2, ["no_claim"] * 2, "b")
    test = (
        claims(["y"], ["claim"])
        + claims(["y"], ["no_claim"], "b")
        + claims(["y"], ["claim"], "untrained")
    )
    found = baselines.majority(train, test, DEFAULT_LABELS)
    assert {name: figures["accuracy"].value for name, figures in found.items()} == {
        "a/claim": 1,
        "b/claim": 1,
    }


def test_words_tell_sentences_apart():
    test = claims(
        ["The minister said that nothing fails.", "Rain fell on the town."], ["claim", "no_claim"]
    )
    found, chosen = baselines.regression(TALK, (), test, DEFAULT_LABELS)
    assert found["a/claim"]["macro_f1"].value == 1
    assert chosen == {"a/claim": (3.0, None)}  # nothing was chosen without dev


def test_words_around_the_target_tell_its_stance():
    found, _ = baselines.regression(stances(), (), stances(), DEFAULT_LABELS)
    assert found["s/stance"]["accuracy"].value == 1
    assert found["s/stance"]["accuracy"].n == 32  # what has no label is asked, and not counted
    assert (
        baselines.majority(stances(), stances(), DEFAULT_LABELS)["s/stance"]["accuracy"].value
        == 0.5
    )


def test_parts_of_a_corpus_are_scored_apart():
    test = claims(["The minister said it.", "Rain fell."], ["claim", "no_claim"])
    test[0].meta["subset"], test[1].meta["clean"] = "mt", True
    found, _ = baselines.regression(TALK, (), test, DEFAULT_LABELS)
    assert set(found) == {"a-mt/claim", "a/claim", "a-clean/claim"}


def test_the_regression_is_chosen_on_dev():
    train = claims([*SAID, *RAINED[:3]], ["claim"] * 12 + ["no_claim"] * 3)
    dev = claims(
        ["Rain fell on that plan.", "The minister said so."] * 3, ["no_claim", "claim"] * 3
    )
    _, chosen = baselines.regression(train, dev, dev, DEFAULT_LABELS)
    strength, weight = chosen["a/claim"]
    assert strength in baselines.STRENGTHS
    assert weight in baselines.WEIGHTS
    scores = {}
    for settings in ((0.3, None), (strength, weight)):
        only = pytest.MonkeyPatch()
        only.setattr(baselines, "STRENGTHS", settings[:1])
        only.setattr(baselines, "WEIGHTS", settings[1:])
        scores[settings] = baselines.regression(train, dev, dev, DEFAULT_LABELS)[0]["a/claim"][
            "macro_f1"
        ].value
        only.undo()
    assert scores[strength, weight] == max(scores.values()) > scores[0.3, None]


def test_one_label_is_nothing_to_learn():
    assert baselines.regression(TALK[:12], (), TALK, DEFAULT_LABELS) == ({}, {})


@pytest.mark.parametrize(
    ("what", "near"),
    [
        ([(8, 11)], "a b c d Ada e f g h i"),
        ("Ada", "a b c d Ada e f g h i"),
        ("Lovelace", "Lovelace"),
        (None, ""),
    ],
)
def test_what_is_near_a_target(what, near):
    assert baselines._near("a b c d Ada e f g h i j k", what) == near


def test_torch_is_not_needed():
    code = (
        "import sys; sys.modules['torch'] = None; from claimstance.training.evaluation import baselines; "
        "from claimstance.training.data.annotators import ceiling"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def annotated(annotator, article, *sentences):
    """An article's sentences ``(source, cue, claim)`` as one annotator marked them."""
    records = []
    for i, (source, cue, claim) in enumerate(sentences):
        parts = {
            role: [(at, at + 3)]
            for role, at in (("source", source), ("cue", cue))
            if at is not None
        }
        records.append(
            Record(
                id=f"{article}@{annotator}:{i}",
                doc_id=f"{article}@{annotator}",
                text="Ada Bob Cid.",
                claim=claim,
                attributions=[Attribution(**parts)] if parts else [],
                annotator=annotator,
                meta={"corpus": "p", "article": article},
            )
        )
    return records


def test_annotators_are_scored_against_each_other():
    alike = (0, 4, "claim")
    first = [
        *annotated("ann", "one", alike),
        *annotated("bea", "one", alike),
        *annotated("cy", "one", alike),
    ]
    apart = [*annotated("ann", "two", alike), *annotated("bea", "two", (0, 8, "no_claim"))]
    alone = annotated("ann", "three", (None, None, "no_claim"))
    found = ceiling.between_articles([*first, *apart, *alone])
    attribution, claim = found["p/attribution"], found["p/claim"]
    assert attribution["source.overlap.f1"].value == 1
    # Each article weighs once, although one has six ordered pairs and the other two.
    assert attribution["cue.overlap.f1"].value == attribution["cue.exact.f1"].value == 1 / 2
    assert attribution["linked.f1"].value == 1 / 2
    assert attribution["cue.exact.precision"].value == attribution["cue.exact.recall"].value
    assert (attribution["linked.f1"].low, attribution["linked.f1"].high) == (0, 1)
    assert attribution["linked.f1"].n == 2
    assert claim["accuracy"].value == 1 / 2


def test_one_annotator_is_no_ceiling():
    assert ceiling.between_articles(annotated("ann", "one", (0, 4, "claim"))) == {}


def answered(number, answers):
    return Record(
        id=str(number),
        text="x",
        stances=[Stance(target="x", label=Counter(answers).most_common(1)[0][0])],
        meta={"corpus": "g", "annotations": answers},
    )


def test_answers_are_scored_against_the_others():
    given = (["favor"] * 3 + ["against"], ["against"] * 4, ["favor", "against"])
    records = [*map(answered, range(3), given), Record(id="3", text="x", meta={"corpus": "g"})]
    figures = ceiling.between_answers(records, STANCE)["g/stance"]
    # Three of four agree with the others, four of four, and of two, nobody.
    assert figures["accuracy"].value == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert figures["accuracy"].n == 3


def test_ties_of_the_others_are_left_out():
    tied = answered(0, ["favor", "favor", "against", "against", "neutral"])
    figures = ceiling.between_answers([tied], STANCE)["g/stance"]
    # To who said neutral the others are tied; to each other one, the other side leads.
    assert figures["accuracy"].value == 0
    assert figures["neutral.recall"].value == figures["neutral.precision"].value == 0
    assert ceiling.between_answers([answered(0, ["favor", "against", "neutral"])], STANCE) == {}


def test_a_sentence_with_more_answers_weighs_no_more():
    many = answered(0, ["favor"] * 40)
    few = answered(1, ["against"] * 2 + ["favor"])
    assert ceiling.between_answers([many, few], STANCE)["g/stance"][
        "accuracy"
    ].value == pytest.approx(
        ceiling.between_answers([answered(0, ["favor"] * 4), few], STANCE)["g/stance"][
            "accuracy"
        ].value
    )


def test_claims_are_the_default_labels_of_articles():
    records = [*annotated("ann", "one", (0, 4, "claim")), *annotated("bea", "one", (0, 4, "claim"))]
    assert set(ceiling.between_articles(records)["p/claim"]) >= {f"{label}.f1" for label in CLAIM}
