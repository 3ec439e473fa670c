"""What is fitted on held-out records: it recovers what was known, and keeps what it promises on documents not seen."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from claimstance.model.config import ModelConfig
from claimstance.model.decoding import softmax
from claimstance.model.predicting import Prediction
from claimstance.model.record import Record, Stance
from claimstance.training import calibrate
from claimstance.training.answers import Answers, collect
from claimstance.training.calibrate import ENOUGH, NEVER

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
    return true * temperature - biases, gold, np.array([str(i // rows_a_document) for i in range(n)])


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
    scale = calibrate.fit_scale(*simulated(rng, 4000, labels=2, temperature=1.7, biases=np.array([0.0, 1.2])))
    assert (scale.temperature, scale.biases[1]) == (pytest.approx(1.7, rel=0.07), pytest.approx(1.2, abs=0.15))


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
        threshold = calibrate.best_threshold(chances, gold)
        assert threshold == pytest.approx(best / 2)
        assert f1(threshold) > best - 0.012
        assert positive > 0 or f1(threshold) > f1(0.5)
    assert calibrate.best_threshold(np.array([0.2, 0.7]), np.array([False, False])) == 0.5


def test_the_bound_is_clopper_and_pearsons_where_documents_are_alone():
    right = np.array([True] * 45 + [False] * 5)
    alone = np.array([str(i) for i in range(50)])
    exact = binomtest(45, 50).proportion_ci(confidence_level=0.9, method="exact").low
    assert calibrate.lower_bound(right, alone) == pytest.approx(exact, abs=0.004)
    assert calibrate.lower_bound(np.ones(29, bool), alone[:29]) == pytest.approx(beta.ppf(0.05, 29, 1))
    assert calibrate.lower_bound(np.zeros(9, bool), alone[:9]) == 0


def test_answers_that_are_alike_within_documents_tell_less():
    right = np.repeat([True] * 45 + [False] * 5, 4)
    alone, alike = (np.array([str(i // size) for i in range(200)]) for size in (1, 4))
    assert calibrate.lower_bound(right, alike) < calibrate.lower_bound(right, alone)
    assert calibrate.lower_bound(right, alike) == pytest.approx(
        calibrate.lower_bound(right[::4], alone[:50]), abs=0.004)


def test_answers_given_are_as_right_as_promised(rng):
    kept = answered = 0
    for _ in range(100):
        logits, gold, documents = simulated(rng, 3000, rows_a_document=3)
        chances = softmax(logits)
        confidence, right = chances.max(axis=1), chances.argmax(axis=1) == gold
        fitted, held = slice(0, 1500), slice(1500, None)
        least = calibrate.answered_from(confidence[fitted], right[fitted], documents[fitted])
        given = confidence[held] >= least
        if least != NEVER:
            answered += 1
            kept += right[held][given].mean() >= 0.9 - 2 * np.sqrt(0.09 / given.sum())
    assert answered >= 80
    assert kept >= 0.95 * answered


def test_a_promise_is_not_found_by_trying_often(rng):
    documents = np.arange(500).astype(str)
    found = [calibrate.answered_from(rng.random(500), rng.random(500) < 0.89, documents) for _ in range(200)]
    assert sum(least != NEVER for least in found) <= 0.08 * 200  # 5 % were promised, and chance adds to that


def test_a_document_tells_no_more_than_its_answers_differ():
    one = np.full(60, "a")
    assert calibrate.lower_bound(np.ones(60, bool), one) == pytest.approx(0.05)
    assert calibrate.lower_bound(np.ones(60, bool), np.arange(60).astype(str)) == pytest.approx(0.05 ** (1 / 60))


def test_what_cannot_be_promised_is_not_answered(rng):
    confidence, documents = rng.uniform(0.5, 1, size=ENOUGH), np.arange(ENOUGH).astype(str)
    assert calibrate.answered_from(confidence, np.ones(ENOUGH, bool), documents) == 0
    assert calibrate.answered_from(confidence, rng.random(ENOUGH) < 0.6, documents) == NEVER
    assert calibrate.answered_from(confidence[1:], np.ones(ENOUGH - 1, bool), documents[1:]) is None


def test_label_sets_hold_the_right_label_in_new_documents(rng):
    covered = []
    for _ in range(200):
        sizes = rng.integers(1, 20, size=120)
        ease = np.repeat(rng.normal(size=120), sizes)  # documents are easy or hard, and the long ones are the hard ones
        ease -= np.repeat(sizes, sizes) / 10
        of_right = 1 / (1 + np.exp(-ease - rng.normal(size=len(ease))))
        documents = np.repeat(np.arange(120), sizes)
        known = documents < 60
        least = calibrate.belongs_from(of_right[known], documents[known].astype(str))
        found = of_right >= least
        covered.append(np.mean([found[documents == number].mean() for number in range(60, 120)]))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.012)


def test_too_few_documents_promise_only_all_labels():
    documents = np.array(["a"] * 50 + ["b"] * 50)
    assert calibrate.belongs_from(np.linspace(0.5, 1, 100), documents) == 0


def test_each_kind_of_question_is_fitted_by_itself_and_all_together(monkeypatch, rng):
    records, predictions = [], []
    for kind, temperature in zip(KINDS, (0.5, 1.0, 2.0), strict=True):
        logits, gold, _ = simulated(rng, 1500, temperature=temperature)
        for number, (row, right) in enumerate(zip(softmax(logits), gold, strict=True)):
            records.append(Record(id=f"{kind}{number}", text="x", stances=[Stance(target="x", label=LABELS[right])]))
            predictions.append(Prediction(stances=[dict(zip(LABELS, map(float, row), strict=True))], kinds=[kind]))
    asked = []

    def pair(reader, rows):
        asked.append(reader.config)
        return list(zip(rows, predictions, strict=True))

    monkeypatch.setattr(calibrate, "pair", pair)
    before = ModelConfig({}, tasks=("stance",), labels={"stance": LABELS}, temperatures={"stance": 9.0},
                         biases={"claim": 1.0}, conformal={"stance": 0.3})
    config = calibrate.calibrate(Deaf(before), records)
    assert (asked[0].temperatures, asked[0].biases) == ({}, {})  # probabilities that nothing was fitted to
    assert before.temperatures == {"stance": 9.0}
    assert set(config.temperatures) == set(config.conformal) == set(config.abstain_below) == {*KINDS, "stance"}
    assert [config.temperatures[kind] for kind in KINDS] == pytest.approx([0.5, 1.0, 2.0], rel=0.1)
    assert config.thresholds == {}  # the likeliest stance is the one that is told
    assert all(0.5 < config.abstain_below[kind] < 1 for kind in KINDS)


class Deaf:
    """A reader that has a configuration and is asked nothing."""

    windows = backend = None
    workers = 1

    def __init__(self, config):
        self.config = config


def test_what_is_ranked_by_has_a_threshold(rng):
    logits, gold, documents = simulated(rng, 2000, labels=2, temperature=2.0)
    config = ModelConfig({}, labels={"check_worthy": ("no", "yes")})
    answers = Answers(("no", "yes"), softmax(logits), gold, documents, np.full(2000, "check_worthy"))
    calibrate.fit(config, "check_worthy", answers)
    assert config.temperatures["check_worthy"] == pytest.approx(2.0, rel=0.1)
    assert 0.35 < config.thresholds["check_worthy"] < 0.5


def test_a_promise_that_cannot_be_kept_is_told(rng, caplog):
    answers = Answers(("no_claim", "claim"), np.full((200, 2), 0.5), rng.integers(2, size=200),
                      np.arange(200).astype(str), np.full(200, "claim"))
    config = ModelConfig({})
    with caplog.at_level("WARNING"):
        calibrate.fit(config, "claim", answers)
    assert config.abstain_below == {"claim": NEVER}
    assert "claim: no probability from which 90 % of the answers on dev are right" in caplog.text


def test_a_decision_is_made_at_the_threshold_and_else_for_the_likeliest():
    rows = np.array([[0.7, 0.3], [0.61, 0.39], [0.4, 0.6]])
    answers = Answers(("no", "yes"), rows, np.zeros(3, int), np.array(["a", "b", "c"]), np.full(3, "check_worthy"))
    assert answers.decided(None).tolist() == [0, 0, 1]
    assert answers.decided(0.39).tolist() == [0, 1, 1]
    three = Answers(LABELS, np.array([[0.2, 0.35, 0.45], [0.5, 0.1, 0.4]]), np.zeros(2, int), np.array(["a", "b"]),
                    np.full(2, "x"))
    assert three.decided(0.42).tolist() == [2, 0]


def test_unlabelled_questions_are_not_collected():
    records = [Record(id="1", text="x", doc_id="d", stances=[Stance(target="x"), Stance(target="y", label="favor")]),
               Record(id="2", text="x")]
    row = {"against": 0.1, "neutral": 0.2, "favor": 0.7}
    pairs = list(zip(records, [Prediction(stances=[row, row], kinds=["stance.topic", "stance.mention"]), Prediction()],
                     strict=True))
    found = collect(LABELS, "stance", pairs)
    assert found.probabilities.tolist() == [[0.1, 0.2, 0.7]]
    assert (found.gold.tolist(), found.documents.tolist(), found.kinds.tolist()) == ([2], ["d"], ["stance.mention"])
    assert collect(("no_claim", "claim"), "claim", pairs) is None
