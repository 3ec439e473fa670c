"""Test calibration: it recovers known parameters, and keeps its guarantees on unseen documents."""

import numpy as np
import pytest
from scipy.special import expit, logit

from claimstance.model.config import ALWAYS_ABSTAIN, ModelConfig
from claimstance.model.decoding.tags import softmax
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.fine_tuning import calibration as calibrate
from claimstance.training.fine_tuning import thresholds
from claimstance.training.fine_tuning.thresholds import MIN_ANSWERS

LABELS = ("against", "neutral", "favor")
KINDS = ("stance.holder", "stance.mention", "stance.topic")


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def simulated(rng, n, labels=3, temperature=1.0, biases=0.0, rows_a_document=1):
    """Logits of which ``softmax((logits + biases) / temperature)`` is what truly decides the right label."""
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
    scale = calibrate.fit_scale(*simulated(rng, 4000, temperature=temperature))
    assert scale.temperature == pytest.approx(temperature, rel=0.06)
    assert not scale.biases.any()  # none were there, none are kept


def test_known_biases_are_recovered(rng):
    wanted = np.array([0.0, 1.5, -0.5])
    scale = calibrate.fit_scale(*simulated(rng, 6000, temperature=1.5, biases=wanted))
    assert scale.temperature == pytest.approx(1.5, rel=0.06)
    np.testing.assert_allclose(scale.biases, wanted, atol=0.15)


def test_two_labels_are_platt_scaled(rng):
    scale = calibrate.fit_scale(
        *simulated(rng, 4000, labels=2, temperature=1.7, biases=np.array([0.0, 1.2]))
    )
    assert (scale.temperature, scale.biases[1]) == (
        pytest.approx(1.7, rel=0.07),
        pytest.approx(1.2, abs=0.15),
    )


def test_a_handful_of_rows_leads_to_no_extremes():
    logits = np.array([[4.0, 0.0], [5.0, 0.0], [0.0, 3.0]])
    scale = calibrate.fit_scale(logits, np.array([0, 0, 1]), np.array(["a", "b", "c"]))
    assert 0.2 < scale.temperature < 1
    assert not scale.biases.any()


def test_a_threshold_scores_about_the_best_f1_there_is(rng):
    for positive in (-2.0, 0.0, 1.5):
        chances = 1 / (1 + np.exp(-(1.5 * rng.normal(size=3000) + positive)))
        gold = rng.random(3000) < chances

        def f1(least, chances=chances, gold=gold):
            said = chances >= least
            return 2 * (said & gold).sum() / (said.sum() + gold.sum())

        best = max(f1(least) for least in np.unique(chances))
        threshold = thresholds.best_threshold(chances, gold)
        assert threshold == pytest.approx(best / 2)
        assert f1(threshold) > best - 0.012
        assert positive > 0 or f1(threshold) > f1(0.5)
    assert thresholds.best_threshold(np.array([0.2, 0.7]), np.array([False, False])) == 0.5


def test_answers_given_are_as_right_as_promised_whatever_their_label(rng):
    kept = {column: [] for column in range(3)}
    for _ in range(100):
        logits, gold, _ = simulated(rng, 3000, biases=np.array([0.0, -2.5, 0.0]))
        chances = softmax(logits + np.array([0.0, -2.5, 0.0]))
        confidence, said = chances.max(axis=1), chances.argmax(axis=1)
        fitted, held = np.arange(3000) < 1500, np.arange(3000) >= 1500
        for column, right in kept.items():
            so = said == column
            least = thresholds.fit_abstention_threshold(
                confidence[so & fitted], gold[so & fitted] == column
            )
            assert least != ALWAYS_ABSTAIN
            right += (gold == column)[so & held & (confidence >= least)].tolist()
    assert all(
        np.mean(right) == pytest.approx(0.9, abs=0.015) and len(right) > 5000
        for right in kept.values()
    )


def test_a_promise_rests_on_what_was_counted_and_on_what_the_answers_say():
    def least(said, right):
        return thresholds.fit_abstention_threshold(np.array(said), np.array(right, bool))

    assert least([0.95] * 30, [1] * 27 + [0] * 3) == 0
    assert least([0.95] * 30, [1] * 26 + [0] * 4) == ALWAYS_ABSTAIN
    assert least([0.8] * 30, [1] * 30) == 0
    assert least([0.95] * 30 + [0.5], [1] * 31) == 0
    assert least([0.8] * 5, [1] * 5) == ALWAYS_ABSTAIN  # luck, they say themselves
    assert least([0.6] * 9, [1] * 9) == ALWAYS_ABSTAIN
    assert least([0.99] * 300, [1] * 240 + [0] * 60) == ALWAYS_ABSTAIN  # whatever they say
    assert least([0.95] * 300 + [0.5] * 300, [1] * 450 + [0] * 150) == 0.95
    assert least([], []) == ALWAYS_ABSTAIN


def test_answers_that_say_too_little_of_themselves_are_given_nonetheless(rng):
    """As those about rare labels may: what they say is fitted to all labels together."""
    given, right = [], []
    for _ in range(100):
        confidence = rng.uniform(0.4, 0.85, 300)
        is_right = rng.uniform(size=300) < expit(0.8 + 1.2 * logit(confidence))
        least = thresholds.fit_abstention_threshold(confidence[:150], is_right[:150])
        given += (confidence[150:] >= least).tolist()
        right += is_right[150:][confidence[150:] >= least].tolist()
    assert np.mean(given) > 0.3
    assert np.mean(right) == pytest.approx(0.9, abs=0.015)


def test_little_is_promised_of_few_answers(rng):
    config = ModelConfig({})
    for n in (MIN_ANSWERS - 1, MIN_ANSWERS):
        rows = np.tile([0.05, 0.95], (n, 1))
        answers = Answers(
            ("no_claim", "claim"),
            rows,
            np.ones(n, int),
            np.ones(n, int),
            np.arange(n).astype(str),
            np.full(n, "claim"),
        )
        calibrate.fit(config, "claim", answers)
        if n < MIN_ANSWERS:
            assert config.abstain_below == {}
    assert config.abstain_below == {"claim.no_claim": ALWAYS_ABSTAIN, "claim.claim": 0}


def test_label_sets_hold_the_right_label_in_new_documents(rng):
    covered = []
    for _ in range(200):
        sizes = rng.integers(1, 20, size=120)
        ease = np.repeat(
            rng.normal(size=120), sizes
        )  # documents are easy or hard, and the long ones are the hard ones
        ease -= np.repeat(sizes, sizes) / 10
        of_right = 1 / (1 + np.exp(-ease - rng.normal(size=len(ease))))
        documents = np.repeat(np.arange(120), sizes)
        known = documents < 60
        least = thresholds.fit_conformal_threshold(of_right[known], documents[known].astype(str))
        found = of_right >= least
        covered.append(np.mean([found[documents == number].mean() for number in range(60, 120)]))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.012)


def test_too_few_documents_promise_only_all_labels():
    documents = np.array(["a"] * 50 + ["b"] * 50)
    assert thresholds.fit_conformal_threshold(np.linspace(0.5, 1, 100), documents) == 0


def test_each_kind_of_question_is_fitted_by_itself_and_all_together(monkeypatch, rng):
    records, predictions = [], []
    for kind, temperature in zip(KINDS, (0.5, 1.0, 2.0), strict=True):
        logits, gold, _ = simulated(rng, 1500, temperature=temperature)
        for number, (row, right) in enumerate(zip(softmax(logits), gold, strict=True)):
            records.append(
                Record(
                    id=f"{kind}{number}",
                    text="x",
                    stances=[Stance(target="x", label=LABELS[right])],
                )
            )
            predictions.append(
                Prediction(stances=[dict(zip(LABELS, map(float, row), strict=True))], kinds=[kind])
            )
    asked = []

    def predict_records(reader, rows):
        asked.append(reader.config)
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
    config = calibrate.calibrate(Deaf(before), records)
    assert (asked[0].temperatures, asked[0].biases) == (
        {},
        {},
    )  # probabilities that nothing was fitted to
    assert before.temperatures == {"stance": 9.0}
    assert set(config.temperatures) == set(config.conformal) == {*KINDS, "stance"}
    assert [config.temperatures[kind] for kind in KINDS] == pytest.approx([0.5, 1.0, 2.0], rel=0.1)
    names = {f"{kind}.{label}" for kind in (*KINDS, "stance") for label in LABELS}
    assert set(config.thresholds) == set(config.abstain_below) == names
    assert all(
        0.5 < config.abstention_threshold(kind, label) < 1 for kind in KINDS for label in LABELS
    )


class Deaf:
    """A reader that has a configuration and is asked nothing."""

    windows = backend = None
    workers = 1

    def __init__(self, config):
        self.config = config


def test_what_is_ranked_by_has_a_threshold(rng):
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
    calibrate.fit(config, "check_worthy", answers)
    assert config.temperatures["check_worthy"] == pytest.approx(2.0, rel=0.1)
    thresholds = config.thresholds_of("check_worthy")
    assert 0.35 < thresholds["yes"] < 0.5
    assert sum(thresholds.values()) == pytest.approx(1)


def test_a_promise_that_cannot_be_kept_is_told(rng, caplog):
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
        calibrate.fit(config, "claim", answers)
    assert config.abstain_below == {"claim.no_claim": ALWAYS_ABSTAIN, "claim.claim": ALWAYS_ABSTAIN}
    assert (
        "claim: no probability from which 90 % of the answers on dev are right, for no_claim, claim"
        in caplog.text
    )


def test_a_label_is_decided_for_that_stands_highest_over_its_threshold():
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
    assert decided(model, "stance.topic", (0.25, 0.65, 0.1)) == [
        "neutral"
    ]  # nothing was fitted to that kind


@pytest.mark.parametrize("commonest", [0.5, 0.8, 0.95])
def test_thresholds_score_a_better_macro_f1_on_answers_that_they_were_not_fitted_to(rng, commonest):
    gained, missed = [], []
    for _ in range(20):
        rare = (1 - commonest) / 2
        gold = rng.choice(3, size=4000, p=[rare, commonest, rare])
        logits = rng.normal(size=(4000, 3)) + 1.5 * np.eye(3)[gold]
        chances = softmax(
            1.5 * logits + np.log([rare, commonest, rare])
        )  # what each label's probability is, exactly
        fitted, held = chances[:2000], chances[2000:]
        best = thresholds.best_thresholds(fitted)
        assert best.sum() == pytest.approx(1)
        likeliest, decided = (
            macro_f1(gold[2000:], each.argmax(axis=1)) for each in (held, held / best)
        )
        missed.append(decided - thresholds.expected_macro_f1(held, (held / best).argmax(axis=1)))
        gained.append(decided - likeliest)
    assert np.mean(missed) == pytest.approx(0, abs=0.02)
    assert np.mean(gained) > {0.5: 0, 0.8: 0.01, 0.95: 0.04}[commonest]


def macro_f1(gold, decided):
    return np.mean(
        [
            2
            * np.sum((gold == k) & (decided == k))
            / max(np.sum(gold == k) + np.sum(decided == k), 1)
            for k in range(3)
        ]
    )


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
    pairs = list(
        zip(
            records,
            [
                Prediction(stances=[row, row], kinds=["stance.topic", "stance.mention"]),
                Prediction(),
            ],
            strict=True,
        )
    )
    found = collect(ModelConfig({}), "stance", pairs)
    assert found.probabilities.tolist() == [[0.1, 0.2, 0.7]]
    assert (found.gold.tolist(), found.documents.tolist(), found.kinds.tolist()) == (
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
def test_what_was_fitted_to_other_tasks_stays(task, dropped):
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
    found = calibrate.without_calibration(config, [task])
    for values in (
        found.temperatures,
        found.biases,
        found.thresholds,
        found.abstain_below,
        found.conformal,
    ):
        assert values.keys() == keys - dropped
    assert config.biases.keys() == keys  # as it was
