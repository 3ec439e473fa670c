"""Test baselines on invented sentences whose results are known."""

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


SAYINGS = [f"The minister said that plan {i} fails." for i in range(12)]
RAIN = [f"Rain fell on field {i}." for i in range(12)]
TRAIN = claims(SAYINGS + RAIN, ["claim"] * 12 + ["no_claim"] * 12)


def stances(corpus="s"):
    """Return sentences that praise one person and blame another: only the words near a target determine its label."""
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


def test_the_majority_baseline_predicts_the_commonest_label_of_train():
    train = claims(["x"] * 5, ["claim"] * 3 + ["no_claim"] * 2)
    results = baselines.majority(
        train, claims(["y"] * 4, ["claim"] + ["no_claim"] * 3), DEFAULT_LABELS
    )
    assert set(results) == {"a/claim"}
    assert results["a/claim"]["accuracy"].value == 1 / 4
    assert results["a/claim"]["claim.recall"].value == 1
    assert results["a/claim"]["macro_f1"].value == pytest.approx((2 * 1 / (4 + 1)) / 2)
    assert results["a/claim"]["calibration_error"].value == pytest.approx(3 / 5 - 1 / 4)


def test_each_corpus_has_its_own_majority():
    train = claims(["x"] * 2, ["claim"] * 2) + claims(["x"] * 2, ["no_claim"] * 2, "b")
    test = (
        claims(["y"], ["claim"])
        + claims(["y"], ["no_claim"], "b")
        + claims(["y"], ["claim"], "untrained")
    )
    results = baselines.majority(train, test, DEFAULT_LABELS)
    assert {name: figures["accuracy"].value for name, figures in results.items()} == {
        "a/claim": 1,
        "b/claim": 1,
    }


def test_a_regression_on_words_distinguishes_sentences():
    test = claims(
        ["The minister said that nothing fails.", "Rain fell on the town."], ["claim", "no_claim"]
    )
    results, chosen = baselines.regression(TRAIN, (), test, DEFAULT_LABELS)
    assert results["a/claim"]["macro_f1"].value == 1
    assert chosen == {"a/claim": (3.0, None)}  # without dev there is no choice


def test_a_regression_on_words_around_the_target_predicts_its_stance():
    results, _ = baselines.regression(stances(), (), stances(), DEFAULT_LABELS)
    assert results["s/stance"]["accuracy"].value == 1
    assert results["s/stance"]["accuracy"].n == 32  # pairs without a label are not counted
    assert (
        baselines.majority(stances(), stances(), DEFAULT_LABELS)["s/stance"]["accuracy"].value
        == 0.5
    )


def test_subsets_of_a_corpus_are_scored_separately():
    test = claims(["The minister said it.", "Rain fell."], ["claim", "no_claim"])
    test[0].meta["subset"], test[1].meta["clean"] = "mt", True
    results, _ = baselines.regression(TRAIN, (), test, DEFAULT_LABELS)
    assert set(results) == {"a-mt/claim", "a/claim", "a-clean/claim"}


def test_the_settings_of_the_regression_are_chosen_on_dev():
    train = claims([*SAYINGS, *RAIN[:3]], ["claim"] * 12 + ["no_claim"] * 3)
    dev = claims(
        ["Rain fell on that plan.", "The minister said so."] * 3, ["no_claim", "claim"] * 3
    )
    _, chosen = baselines.regression(train, dev, dev, DEFAULT_LABELS)
    strength, weight = chosen["a/claim"]
    assert strength in baselines.STRENGTHS
    assert weight in baselines.WEIGHTS
    scores = {}
    for settings in ((0.3, None), (strength, weight)):
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(baselines, "STRENGTHS", settings[:1])
        monkeypatch.setattr(baselines, "WEIGHTS", settings[1:])
        scores[settings] = baselines.regression(train, dev, dev, DEFAULT_LABELS)[0]["a/claim"][
            "macro_f1"
        ].value
        monkeypatch.undo()
    assert scores[strength, weight] == max(scores.values()) > scores[0.3, None]


def test_a_regression_needs_two_labels():
    assert baselines.regression(TRAIN[:12], (), TRAIN, DEFAULT_LABELS) == ({}, {})


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
    """Return vectors that tell whether a text contains the word said."""
    return np.array([[1.0, 0.0] if "said" in text else [0.0, 1.0] for text in texts])


def test_a_regression_on_embeddings_distinguishes_sentences():
    test = claims(["The mayor said so.", "It was cold."], ["claim", "no_claim"])
    results, chosen = baselines.regression(TRAIN, (), test, DEFAULT_LABELS, embed)
    assert results["a/claim"]["macro_f1"].value == 1
    assert chosen == {"a/claim": (baselines.EMBEDDING_STRENGTHS[-1], None)}


def test_embeddings_include_the_text_near_the_target():
    def cheers(texts):
        # The sentence has both words: only the texts near the targets distinguish the two.
        return np.array([["cheered" in text, "mocked" in text, 1] for text in texts], float)

    results, _ = baselines.regression(stances(), (), stances(), DEFAULT_LABELS, cheers)
    assert results["s/stance"]["accuracy"].value == 1


def test_each_text_is_embedded_once():
    embedded = []

    def record_texts(texts):
        embedded.extend(texts)
        return embed(texts)

    train = claims(["a said", "b"] * 5, ["claim", "no_claim"] * 5)
    baselines.regression(train, (), TRAIN, DEFAULT_LABELS, record_texts)
    assert len(embedded) == len(set(embedded))


def test_a_regression_is_fitted_on_a_sample_of_many_rows():
    counts = []

    def count_texts(texts):
        counts.append(len(texts))
        return embed(texts)

    baselines.regression(TRAIN, (), TRAIN[:2], DEFAULT_LABELS, count_texts, max_rows=10)
    assert counts == [10, 2]


def test_all_baselines_are_computed():
    computed = baselines.compute_baselines(TRAIN, TRAIN, TRAIN, DEFAULT_LABELS, embed)
    assert list(computed) == ["majority", "words", "embeddings"]
    assert [list(results) for results in computed.values()] == [["a/claim"]] * 3
    assert list(baselines.compute_baselines(TRAIN, (), TRAIN, DEFAULT_LABELS)) == [
        "majority",
        "words",
    ]
    assert baselines.compute_baselines((), (), TRAIN, DEFAULT_LABELS) == {}
    computed_on_one_label = baselines.compute_baselines(
        TRAIN[:12], (), TRAIN, DEFAULT_LABELS, embed
    )
    assert list(computed_on_one_label) == ["majority"]


def test_splits_from_separate_files_have_baselines():
    texts, labels = SAYINGS[:4] + RAIN[:4], ["claim"] * 4 + ["no_claim"] * 4
    dev, test = claims(texts, labels, "dev_file"), claims(texts, labels, "test_file")
    computed = baselines.compute_baselines(TRAIN, dev, test, DEFAULT_LABELS, embed)
    assert [list(results) for results in computed.values()] == [["test_file/claim"]] * 3
    assert computed["words"]["test_file/claim"]["accuracy"].value == 1
    assert computed["majority"]["test_file/claim"]["accuracy"].value == 0.5


def figures(**values):
    return {f"a/{task}": {"macro_f1": Figure(value, 0, 1, 9)} for task, value in values.items()}


@pytest.mark.parametrize(
    ("model", "scores_of_baselines", "messages"),
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
def test_a_model_that_is_no_better_than_a_baseline_is_named(model, scores_of_baselines, messages):
    baseline_figures = {name: figures(**values) for name, values in scores_of_baselines.items()}
    assert baselines.not_beaten(figures(**model), baseline_figures) == messages


def test_tasks_without_macro_f1_have_no_baseline():
    spans = {"a/entity": {"f1": Figure(0.1, 0, 1, 9)}}
    assert baselines.not_beaten(spans, {"words": figures(claim=0.9)}) == []
