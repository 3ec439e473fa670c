"""Test which stances a tagger lists: neutral ones, abstention below thresholds, and models of one topic."""

import pickle

import numpy as np
import pytest

from claimstance.inference import Tagger
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from helpers.tiny import TEXT, exported, script, scripted

# Neutral stances


def tagger_neutral_on(name, text, **config):
    """Return a scripted tagger whose stances on one of the people Amsel and Birke are neutral."""
    roles = {"source": "Holm", "cue": "said", "content": "well"}
    tagger, backend = scripted(text, roles, {"PERSON": "Amsel Birke Holm"}, **config)
    scripted_stance = backend.stance

    def stance(hidden, holders, targets, sentences):
        rows = scripted_stance(hidden, holders, targets, sentences)
        for number in range(len(rows)):
            if backend.asked[number - len(rows)][1] == name:
                rows[number] = [0.0, 2.0, 0.0]
        return rows

    backend.stance = stance
    return tagger


def labels_of(article):
    return [(s.holder, s.target, s.label) for s in article.stances]


OF_AMSEL = [("Holm", "Amsel", "favor"), (None, "Amsel", "against")]
OF_BIRKE = [("Holm", "Birke", "neutral"), (None, "Birke", "neutral")]


def test_neutral_stances_are_listed_only_on_request():
    text = "Holm said Amsel met Birke well."
    tagger = tagger_neutral_on("Birke", text)
    on_holm = [(None, "Holm", "against")]
    assert labels_of(tagger.tag(text)) == [*on_holm, *OF_AMSEL]
    assert labels_of(tagger.tag(text, neutral=True)) == [*on_holm, *OF_AMSEL, *OF_BIRKE]
    assert labels_of(tagger.tag(text)) == [*on_holm, *OF_AMSEL]
    assert labels_of(tagger.tag(text, ["Birke"])) == OF_BIRKE
    assert labels_of(tagger.tag(text, ["Birke", "Amsel"])) == [*OF_BIRKE, *OF_AMSEL]
    assert labels_of(tagger.tag_many([text], neutral=True)[0]) == [*on_holm, *OF_AMSEL, *OF_BIRKE]
    assert labels_of(next(iter(tagger.tag_all([text])))) == [*on_holm, *OF_AMSEL]


def test_a_source_counts_the_neutral_stances_that_are_listed():
    text = "Holm said Amsel met Birke well."
    tagger = tagger_neutral_on("Birke", text)
    counted = [
        tagger.tag(text, targets, neutral=neutral).sources[0].stances
        for targets, neutral in (((), False), ((), True), (["Birke"], False))
    ]
    on_amsel, on_birke = {"Amsel": {"favor": 1}}, {"Birke": {"neutral": 1}}
    assert counted == [on_amsel, on_amsel | on_birke, on_birke]


def test_a_model_without_a_neutral_label_lists_all_pairs():
    text = "Holm said Amsel met Birke well."
    labels = {**DEFAULT_LABELS, "stance": ("contra", "unclear", "pro")}
    tagger = tagger_neutral_on("Birke", text, labels=labels)
    assert [label for *_, label in labels_of(tagger.tag(text))] == [
        "contra",
        "pro",
        "contra",
        "unclear",
        "unclear",
    ]


def test_neutral_stances_on_a_topic_of_the_model_are_listed():
    text = "Amsel met Birke."
    tasks = ("claim", "stance")
    tagger, backend = scripted(text, {}, {}, tasks=tasks, topics=("birke",))
    backend.stance = lambda hidden, holders, targets, sentences: np.array(
        [[0.0, 2.0, 0.0]] * len(targets)
    )
    assert labels_of(tagger.tag(text)) == [(None, "birke", "neutral")]


# Thresholds


def test_abstention_thresholds_may_depend_on_the_kind_of_query():
    tagger, _ = script(
        temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.99, "stance.topic": 0.0}
    )
    pairs = [{"target": "Ships"}, {"target": "harbour tax"}]
    [row] = tagger.predict([{"id": "1", "text": "Ships waited.", "stances": pairs}])
    assert [stance["abstained"] for stance in row["predicted"]["stances"]] == [True, False]
    stances = tagger.tag(TEXT, ["harbour tax"]).stances
    assert {stance.abstained for stance in stances if stance.target_span} == {True}
    assert {stance.abstained for stance in stances if not stance.target_span} == {False}


def test_abstention_thresholds_may_depend_on_the_label():
    default_tagger, _ = script()
    label = default_tagger.tag(TEXT, ["harbour tax"]).stances[0].label
    other_label = next(name for name in ("against", "neutral", "favor") if name != label)
    for threshold_label, abstained in ((label, {True}), (other_label, {False})):
        tagger, _ = script(abstain_below={f"stance.{threshold_label}": 2.0})
        stances = [
            stance for stance in tagger.tag(TEXT, ["harbour tax"]).stances if stance.label == label
        ]
        assert {stance.abstained for stance in stances} == abstained


def test_the_label_with_the_largest_ratio_to_its_threshold_is_predicted():
    thresholds = {
        "stance.against": 0.01,
        "stance.neutral": 0.98,
        "stance.favor": 0.01,
        "claim.claim": 0.99,
        "claim.no_claim": 0.01,
    }
    tagger, _ = script(thresholds=thresholds)
    article = tagger.tag(TEXT, ["harbour tax"])
    assert {stance.label for stance in article.stances} <= {"against", "favor"}
    assert {sentence.claim.label for sentence in article.sentences} == {"no_claim"}
    assert all(
        stance.probability == stance.probabilities[stance.label] for stance in article.stances
    )
    [row] = tagger.predict([{"id": "1", "text": "Ships waited.", "stances": [{"target": "Ships"}]}])
    assert row["predicted"]["claim"]["label"] == "no_claim"
    assert row["predicted"]["stances"][0]["label"] in {"against", "favor"}


def test_abstained_stances_are_not_counted():
    tagger, _ = script(abstain_below={"stance": 0.99})
    article = tagger.tag(TEXT, ["harbour tax"])
    assert all(stance.abstained for stance in article.stances)
    assert [(source.name, source.stances) for source in article.sources] == [
        ("Carl Amsel", {}),
        ("Critics", {}),
        ("spokesman", {}),
    ]
    record = {"id": "1", "text": "Ships waited.", "stances": [{"target": "Ships"}]}
    [row] = tagger.predict([record])
    assert all(stance["abstained"] for stance in row["predicted"]["stances"])


@pytest.mark.parametrize("limit", [0, 0.5, 1])
def test_stances_below_the_chosen_confidence_abstain(tiny_encoder, limit):
    tagger = Tagger.from_pretrained(exported(tiny_encoder), 1, min_confidence=limit)
    article = tagger.tag("Senator Moss criticized the harbour tax.", ["Moss", "harbour tax"])
    assert article.stances
    assert all(stance.abstained == (stance.probability < limit) for stance in article.stances)
    copy = pickle.loads(pickle.dumps(tagger))
    assert copy.tag(article.text, ["Moss", "harbour tax"]).stances == article.stances


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_the_minimum_confidence_must_be_a_probability(tiny_encoder, limit):
    with pytest.raises(
        ConfigError, match=f"min_confidence: expected a number from 0 to 1, found {limit}"
    ):
        Tagger.from_pretrained(exported(tiny_encoder), min_confidence=limit)


# A model of one topic


def one_topic_tagger(topic, tasks=("stance",), **config):
    text = "The tax is theft. Rain fell."
    tagger, _ = scripted(text, {}, {"PERSON": "Rain"}, tasks=tasks, topics=(topic,), **config)
    return tagger, text


@pytest.mark.parametrize("topic", ["the tax", "Global warming"])  # names, too, mentioned or not
def test_a_model_of_one_topic_scores_it_in_every_sentence(topic):
    tagger, text = one_topic_tagger(topic)
    assert tagger.topics == (topic,)
    article = tagger.tag(text)
    assert [(s.sentence, s.target, s.holder) for s in article.stances] == [
        (0, topic, None),
        (1, topic, None),
    ]
    assert {s.target_span for s in article.stances} == {None}
    assert article.warnings == []


def test_named_targets_replace_the_topic():
    tagger, text = one_topic_tagger("the tax")
    assert {s.target for s in tagger.tag(text, ["rain"]).stances} == {"rain"}


def test_a_model_with_entities_scores_entities():
    tagger, text = one_topic_tagger("the tax", tasks=("stance", "entity"))
    assert tagger.topics == ()
    assert {s.target for s in tagger.tag(text).stances} == {"Rain"}


def test_a_model_without_a_topic_warns_of_missing_targets():
    tagger, _ = scripted("Rain fell.", {}, {}, tasks=("stance",))
    article = tagger.tag("Rain fell.")
    assert article.stances == []
    assert any("no target was named" in warning for warning in article.warnings)
