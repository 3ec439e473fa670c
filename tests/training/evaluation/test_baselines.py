"""Baselines on invented sentences with known answers."""

import numpy as np
import pytest

from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation import baselines
from claimstance.training.evaluation.metrics import Figure


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
    ("target", "expected"),
    [
        ([(8, 11)], "a b c d Ada e f g h i"),
        ("Ada", "a b c d Ada e f g h i"),
        ("Lovelace", "Lovelace"),
        (None, ""),
    ],
)
def test_targets_get_the_words_around_them(target, expected):
    assert baselines._with_context("a b c d Ada e f g h i j k", target) == expected


def embed(texts):
    """Vectors that tell whether a text speaks of somebody who said something."""
    return np.array([[1.0, 0.0] if "said" in text else [0.0, 1.0] for text in texts])


def test_embeddings_tell_sentences_apart():
    test = claims(["The mayor said so.", "It was cold."], ["claim", "no_claim"])
    results, chosen = baselines.regression(TALK, (), test, DEFAULT_LABELS, embed)
    assert results["a/claim"]["macro_f1"].value == 1
    assert chosen == {"a/claim": (baselines.EMBEDDING_STRENGTHS[-1], None)}


def test_embeddings_are_of_the_text_near_the_target_too():
    def cheers(texts):
        # The whole sentence has both words: the texts near the targets alone tell the two apart.
        return np.array([["cheered" in text, "mocked" in text, 1] for text in texts], float)

    results, _ = baselines.regression(stances(), (), stances(), DEFAULT_LABELS, cheers)
    assert results["s/stance"]["accuracy"].value == 1


def test_each_text_is_embedded_once():
    asked = []

    def count(texts):
        asked.extend(texts)
        return embed(texts)

    baselines.regression(
        claims(["a said", "b"] * 5, ["claim", "no_claim"] * 5), (), TALK, DEFAULT_LABELS, count
    )
    assert len(asked) == len(set(asked))


def test_a_regression_is_fitted_on_a_sample_of_many_rows():
    seen = []

    def count(texts):
        seen.append(len(texts))
        return embed(texts)

    baselines.regression(TALK, (), TALK[:2], DEFAULT_LABELS, count, max_rows=10)
    assert seen == [10, 2]


def test_all_baselines_are_computed():
    found = baselines.compute_baselines(TALK, TALK, TALK, DEFAULT_LABELS, embed)
    assert list(found) == ["majority", "words", "embeddings"]
    assert [list(results) for results in found.values()] == [["a/claim"]] * 3
    assert list(baselines.compute_baselines(TALK, (), TALK, DEFAULT_LABELS)) == [
        "majority",
        "words",
    ]
    assert baselines.compute_baselines((), (), TALK, DEFAULT_LABELS) == {}
    one = baselines.compute_baselines(TALK[:12], (), TALK, DEFAULT_LABELS, embed)
    assert list(one) == ["majority"]


def test_files_of_their_own_for_each_split_have_baselines_too():
    texts, labels = SAID[:4] + RAINED[:4], ["claim"] * 4 + ["no_claim"] * 4
    dev, test = claims(texts, labels, "dev_file"), claims(texts, labels, "test_file")
    found = baselines.compute_baselines(TALK, dev, test, DEFAULT_LABELS, embed)
    assert [list(results) for results in found.values()] == [["test_file/claim"]] * 3
    assert found["words"]["test_file/claim"]["accuracy"].value == 1
    assert found["majority"]["test_file/claim"]["accuracy"].value == 0.5


def figures(**values):
    return {f"a/{task}": {"macro_f1": Figure(value, 0, 1, 9)} for task, value in values.items()}


@pytest.mark.parametrize(
    ("model", "others", "messages"),
    [
        ({"claim": 0.7}, {"words": {"claim": 0.6}, "embeddings": {"claim": 0.69}}, []),
        (
            {"claim": 0.613},
            {"majority": {"claim": 0.2}, "words": {"claim": 0.5}, "embeddings": {"claim": 0.632}},
            [
                "a/claim: the model is not better than a logistic regression on sentence embeddings: "
                "macro-F1 61.3 against 63.2"
            ],
        ),
        (
            {"claim": 0.5, "stance": 0.9},
            {"words": {"claim": 0.5, "stance": 0.3}},
            [
                "a/claim: the model is not better than a logistic regression on words: macro-F1 50.0 against 50.0"
            ],
        ),
        (
            {"claim": 0.3},
            {"majority": {"claim": 0.4}},
            [
                "a/claim: the model is not better than the commonest label: macro-F1 30.0 against 40.0"
            ],
        ),
        ({"claim": 1.0}, {"words": {"claim": 1.0}}, []),
        ({"claim": 0.5}, {"words": {"stance": 0.9}}, []),
        ({"claim": 0.5}, {}, []),
    ],
)
def test_a_model_that_is_no_better_than_a_baseline_is_named(model, others, messages):
    theirs = {name: figures(**values) for name, values in others.items()}
    assert baselines.not_beaten(figures(**model), theirs) == messages


def test_tasks_without_macro_f1_have_no_baseline():
    spans = {"a/entity": {"f1": Figure(0.1, 0, 1, 9)}}
    assert baselines.not_beaten(spans, {"words": figures(claim=0.9)}) == []
