"""Test calibration: it recovers known parameters, and keeps its guarantees on unseen documents."""

import numpy as np
import pytest
from scipy.special import expit, logit

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ALWAYS_ABSTAIN, ModelConfig
from claimstance.model.decoding.tags import softmax
from claimstance.model.record import Record, Stance
from claimstance.training.calibration import calibrate, kind_calibration, scaling, thresholds
from claimstance.training.calibration.thresholds import MIN_ANSWERS
from claimstance.training.evaluation.answers import Answers, collect

LABELS = ("against", "neutral", "favor")
KINDS = ("stance.holder", "stance.mention", "stance.topic")


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def simulated(rng, n, labels=3, temperature=1.0, biases=0.0, rows_a_document=1):
    """Return logits, gold labels and documents.

    The gold labels are drawn from ``softmax((logits + biases) / temperature)``.
    """
    true = 2 * rng.normal(size=(n, labels))
    chances = softmax(true)
    gold = (chances.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return (
        true * temperature - biases,
        gold,
        np.array([str(i // rows_a_document) for i in range(n)]),
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_recovered(rng, temperature):
    scale = scaling.fit_scale(*simulated(rng, 4000, temperature=temperature))
    assert scale.temperature == pytest.approx(temperature, rel=0.06)
    assert not scale.biases.any()  # there are no biases, and none are fitted


def test_known_biases_are_recovered(rng):
    biases = np.array([0.0, 1.5, -0.5])
    scale = scaling.fit_scale(*simulated(rng, 6000, temperature=1.5, biases=biases))
    assert scale.temperature == pytest.approx(1.5, rel=0.06)
    np.testing.assert_allclose(scale.biases, biases, atol=0.15)


def test_two_labels_are_platt_scaled(rng):
    scale = scaling.fit_scale(
        *simulated(rng, 4000, labels=2, temperature=1.7, biases=np.array([0.0, 1.2]))
    )
    assert (scale.temperature, scale.biases[1]) == (
        pytest.approx(1.7, rel=0.07),
        pytest.approx(1.2, abs=0.15),
    )


def test_few_rows_give_no_extreme_parameters():
    logits = np.array([[4.0, 0.0], [5.0, 0.0], [0.0, 3.0]])
    scale = scaling.fit_scale(logits, np.array([0, 0, 1]), np.array(["a", "b", "c"]))
    assert 0.2 < scale.temperature < 1
    assert not scale.biases.any()


def test_a_threshold_scores_about_the_best_possible_f1(rng):
    for positive in (-2.0, 0.0, 1.5):
        chances = 1 / (1 + np.exp(-(1.5 * rng.normal(size=3000) + positive)))
        gold = rng.random(3000) < chances

        def f1(least, chances=chances, gold=gold):
            predicted = chances >= least
            return 2 * (predicted & gold).sum() / (predicted.sum() + gold.sum())

        best = max(f1(least) for least in np.unique(chances))
        threshold = thresholds.best_threshold(chances, gold)
        assert threshold == pytest.approx(best / 2)
        assert f1(threshold) > best - 0.012
        assert positive > 0 or f1(threshold) > f1(0.5)
    assert thresholds.best_threshold(np.array([0.2, 0.7]), np.array([False, False])) == 0.5


def test_given_answers_are_as_accurate_as_promised_for_every_label(rng):
    is_correct_by_label = {column: [] for column in range(3)}
    for _ in range(100):
        logits, gold, _ = simulated(rng, 3000, biases=np.array([0.0, -2.5, 0.0]))
        chances = softmax(logits + np.array([0.0, -2.5, 0.0]))
        confidence, predicted = chances.max(axis=1), chances.argmax(axis=1)
        is_fitted = np.arange(3000) < 1500
        for column, is_correct in is_correct_by_label.items():
            has_label = predicted == column
            least = thresholds.fit_abstention_threshold(
                confidence[has_label & is_fitted], gold[has_label & is_fitted] == column
            )
            assert least != ALWAYS_ABSTAIN
            is_given = has_label & ~is_fitted & (confidence >= least)
            is_correct += (gold == column)[is_given].tolist()
    for is_correct in is_correct_by_label.values():
        assert np.mean(is_correct) == pytest.approx(0.9, abs=0.015)
        assert len(is_correct) > 5000


def test_an_abstention_threshold_rests_on_counts_and_on_confidence():
    def least(confidence, is_correct):
        return thresholds.fit_abstention_threshold(np.array(confidence), np.array(is_correct, bool))

    assert least([0.95] * 30, [1] * 27 + [0] * 3) == 0
    assert least([0.95] * 30, [1] * 26 + [0] * 4) == ALWAYS_ABSTAIN
    assert least([0.8] * 30, [1] * 30) == 0
    assert least([0.95] * 30 + [0.5], [1] * 31) == 0
    assert least([0.8] * 5, [1] * 5) == ALWAYS_ABSTAIN  # luck, by their own confidence
    assert least([0.6] * 9, [1] * 9) == ALWAYS_ABSTAIN
    assert least([0.99] * 300, [1] * 240 + [0] * 60) == ALWAYS_ABSTAIN  # whatever their confidence
    assert least([0.95] * 300 + [0.5] * 300, [1] * 450 + [0] * 150) == 0.95
    assert least([], []) == ALWAYS_ABSTAIN


def test_underconfident_answers_are_given_nonetheless(rng):
    """Fit answers with too low a confidence, as rare labels may have, since all labels are fitted together."""
    is_given, is_correct_if_given = [], []
    for _ in range(100):
        confidence = rng.uniform(0.4, 0.85, 300)
        is_correct = rng.uniform(size=300) < expit(0.8 + 1.2 * logit(confidence))
        least = thresholds.fit_abstention_threshold(confidence[:150], is_correct[:150])
        is_given += (confidence[150:] >= least).tolist()
        is_correct_if_given += is_correct[150:][confidence[150:] >= least].tolist()
    assert np.mean(is_given) > 0.3
    assert np.mean(is_correct_if_given) == pytest.approx(0.9, abs=0.015)


def test_abstention_thresholds_need_a_minimum_of_answers():
    for n in (MIN_ANSWERS - 1, MIN_ANSWERS):
        config = ModelConfig({})
        rows = np.tile([0.05, 0.95], (n, 1))
        answers = Answers(
            ("no_claim", "claim"),
            rows,
            np.ones(n, int),
            np.ones(n, int),
            np.arange(n).astype(str),
            np.full(n, "claim"),
        )
        config = kind_calibration.calibrate_kind(config, "claim", answers)
        if n < MIN_ANSWERS:
            assert config.abstain_below == {}
    assert config.abstain_below == {"claim.no_claim": ALWAYS_ABSTAIN, "claim.claim": 0}


def test_label_sets_contain_the_gold_label_in_new_documents(rng):
    coverage = []
    for _ in range(200):
        sizes = rng.integers(1, 20, size=120)
        # Documents are easy or hard, and the long ones are the hard ones.
        ease = np.repeat(rng.normal(size=120), sizes)
        ease -= np.repeat(sizes, sizes) / 10
        gold_probabilities = 1 / (1 + np.exp(-ease - rng.normal(size=len(ease))))
        documents = np.repeat(np.arange(120), sizes)
        is_fitted = documents < 60
        least = thresholds.fit_conformal_threshold(
            gold_probabilities[is_fitted], documents[is_fitted].astype(str)
        )
        is_covered = gold_probabilities >= least
        coverage.append(
            np.mean([is_covered[documents == number].mean() for number in range(60, 120)])
        )
    assert np.mean(coverage) == pytest.approx(0.9, abs=0.012)


def test_too_few_documents_give_sets_of_all_labels():
    documents = np.array(["a"] * 50 + ["b"] * 50)
    assert thresholds.fit_conformal_threshold(np.linspace(0.5, 1, 100), documents) == 0


def test_each_kind_of_question_is_fitted_alone_and_together(monkeypatch, rng):
    records, predictions = [], []
    for kind, temperature in zip(KINDS, (0.5, 1.0, 2.0), strict=True):
        logits, gold, _ = simulated(rng, 1500, temperature=temperature)
        for number, (row, label) in enumerate(zip(softmax(logits), gold, strict=True)):
            records.append(
                Record(
                    id=f"{kind}{number}",
                    text="x",
                    stances=[Stance(target="x", label=LABELS[label])],
                )
            )
            predictions.append(
                Prediction(stances=[dict(zip(LABELS, map(float, row), strict=True))], kinds=[kind])
            )
    configurations = []

    def predict_records(reader, rows):
        configurations.append(reader.config)
        return list(zip(rows, predictions, strict=True))

    monkeypatch.setattr(calibrate, "predict_records", predict_records)
    before = ModelConfig(
        {},
        tasks=("stance",),
        labels={"stance": LABELS},
        temperatures={"stance": 9.0},
        biases={"claim": 1.0},
        conformal={"stance": 0.3},
    )
    config = calibrate.calibrate(ConfiguredReader(before), records)
    # The predictions are not calibrated.
    assert (configurations[0].temperatures, configurations[0].biases) == ({}, {})
    assert before.temperatures == {"stance": 9.0}
    assert set(config.temperatures) == set(config.conformal) == {*KINDS, "stance"}
    assert [config.temperatures[kind] for kind in KINDS] == pytest.approx([0.5, 1.0, 2.0], rel=0.1)
    names = {f"{kind}.{label}" for kind in (*KINDS, "stance") for label in LABELS}
    assert set(config.thresholds) == set(config.abstain_below) == names
    assert all(
        0.5 < config.abstention_threshold(kind, label) < 1 for kind in KINDS for label in LABELS
    )


class ConfiguredReader:
    """Stand in for a reader that has a configuration and reads nothing."""

    windows = backend = None
    workers = 1

    def __init__(self, config):
        self.config = config


def test_a_task_that_ranks_has_thresholds(rng):
    logits, gold, documents = simulated(rng, 2000, labels=2, temperature=2.0)
    config = ModelConfig({}, labels={"check_worthy": ("no", "yes")})
    answers = Answers(
        ("no", "yes"),
        softmax(logits),
        logits.argmax(axis=1),
        gold,
        documents,
        np.full(2000, "check_worthy"),
    )
    config = kind_calibration.calibrate_kind(config, "check_worthy", answers)
    assert config.temperatures["check_worthy"] == pytest.approx(2.0, rel=0.1)
    thresholds = config.thresholds_of("check_worthy")
    assert 0.35 < thresholds["yes"] < 0.5
    assert sum(thresholds.values()) == pytest.approx(1)


def test_an_unattainable_accuracy_is_reported(rng, caplog):
    answers = Answers(
        ("no_claim", "claim"),
        np.full((200, 2), 0.5),
        np.zeros(200, int),
        rng.integers(2, size=200),
        np.arange(200).astype(str),
        np.full(200, "claim"),
    )
    config = ModelConfig({})
    with caplog.at_level("WARNING"):
        config = kind_calibration.calibrate_kind(config, "claim", answers)
    assert config.abstain_below == {"claim.no_claim": ALWAYS_ABSTAIN, "claim.claim": ALWAYS_ABSTAIN}
    assert (
        "claim: no threshold reaches 90 % precision on dev for no_claim, claim; these answers will abstain"
        in caplog.text
    )


def test_the_predicted_label_is_the_highest_relative_to_its_threshold():
    def decided(config, kind, *rows):
        return [
            config.predict_label(
                kind, dict(zip(config.labels[kind.partition(".")[0]], row, strict=True))
            )
            for row in rows
        ]

    worthy = ((0.7, 0.3), (0.61, 0.39), (0.4, 0.6))
    assert decided(ModelConfig({}), "check_worthy", *worthy) == ["no", "no", "yes"]
    fitted = ModelConfig({}, thresholds={"check_worthy.no": 0.62, "check_worthy.yes": 0.38})
    assert decided(fitted, "check_worthy", *worthy) == ["no", "yes", "yes"]
    older = ModelConfig({}, thresholds={"check_worthy": 0.38})
    assert decided(older, "check_worthy", *worthy) == ["no", "yes", "yes"]

    rare = {"stance.holder.against": 0.2, "stance.holder.neutral": 0.6, "stance.holder.favor": 0.2}
    model = ModelConfig({}, temperatures={"stance.holder": 1.0}, thresholds=rare)
    assert decided(model, "stance.holder", (0.25, 0.65, 0.1), (0.2, 0.7, 0.1)) == [
        "against",
        "neutral",
    ]
    # No threshold was fitted to that kind.
    assert decided(model, "stance.topic", (0.25, 0.65, 0.1)) == ["neutral"]


@pytest.mark.parametrize("commonest", [0.5, 0.8, 0.95])
def test_thresholds_score_a_better_macro_f1_on_held_out_answers(rng, commonest):
    gains, errors = [], []
    for _ in range(20):
        rare = (1 - commonest) / 2
        gold = rng.choice(3, size=4000, p=[rare, commonest, rare])
        logits = rng.normal(size=(4000, 3)) + 1.5 * np.eye(3)[gold]
        # The exact probability of each label.
        chances = softmax(1.5 * logits + np.log([rare, commonest, rare]))
        fitted, held_out = chances[:2000], chances[2000:]
        best = thresholds.best_thresholds(fitted)
        assert best.sum() == pytest.approx(1)
        likeliest = held_out.argmax(axis=1)
        decided = (held_out / best).argmax(axis=1)
        score = macro_f1(gold[2000:], decided)
        errors.append(score - thresholds.expected_macro_f1(held_out, decided))
        gains.append(score - macro_f1(gold[2000:], likeliest))
    assert np.mean(errors) == pytest.approx(0, abs=0.02)
    assert np.mean(gains) > {0.5: 0, 0.8: 0.01, 0.95: 0.04}[commonest]


def macro_f1(gold, decided):
    scores = []
    for label in range(3):
        is_gold, is_decided = gold == label, decided == label
        scores.append(2 * np.sum(is_gold & is_decided) / max(is_gold.sum() + is_decided.sum(), 1))
    return np.mean(scores)


def test_unlabelled_questions_are_not_collected():
    records = [
        Record(
            id="1",
            text="x",
            doc_id="d",
            stances=[Stance(target="x"), Stance(target="y", label="favor")],
        ),
        Record(id="2", text="x"),
    ]
    row = {"against": 0.1, "neutral": 0.2, "favor": 0.7}
    predictions = [
        Prediction(stances=[row, row], kinds=["stance.topic", "stance.mention"]),
        Prediction(),
    ]
    pairs = list(zip(records, predictions, strict=True))
    answers = collect(ModelConfig({}), "stance", pairs)
    assert answers.probabilities.tolist() == [[0.1, 0.2, 0.7]]
    assert (answers.gold.tolist(), answers.documents.tolist(), answers.kinds.tolist()) == (
        [2],
        ["d"],
        ["stance.mention"],
    )
    assert collect(ModelConfig({}), "claim", pairs) is None


@pytest.mark.parametrize(
    ("task", "dropped"),
    [
        ("stance", {"stance", "stance.topic", "stance.holder.favor"}),
        ("claim", {"claim", "claim.claim"}),
        ("attribution", {"source", "link"}),
    ],
)
def test_the_calibration_of_other_tasks_stays(task, dropped):
    keys = {
        "stance",
        "stance.topic",
        "stance.holder.favor",
        "claim",
        "claim.claim",
        "source",
        "link",
        "check_worthy",
    }
    config = ModelConfig(
        encoder={},
        temperatures=dict.fromkeys(keys, 2.0),
        biases=dict.fromkeys(keys, 1.0),
        thresholds=dict.fromkeys(keys, 0.3),
        abstain_below=dict.fromkeys(keys, 0.5),
        conformal=dict.fromkeys(keys, 0.1),
    )
    uncalibrated = kind_calibration.without_calibration(config, [task])
    for values in (
        uncalibrated.temperatures,
        uncalibrated.biases,
        uncalibrated.thresholds,
        uncalibrated.abstain_below,
        uncalibrated.conformal,
    ):
        assert values.keys() == keys - dropped
    assert config.biases.keys() == keys  # as it was
