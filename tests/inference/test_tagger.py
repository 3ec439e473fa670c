"""Tagging as a user sees it: names, keys, offsets, targets, models without some heads, records in and out."""

import json
import pickle
import re
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claimstance.inference import Tagger
from claimstance.inference.articles.sources import Article
from claimstance.inference.coreference.resolver import refers_to
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.encoding import CancelledError
from claimstance.model.errors import ConfigError, InputError, ModelError
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from helpers.paths import SEEDS
from helpers.tiny import TEXT, exported, script, scripted

SENTENCE = {
    *("index", "start", "end", "text", *SENTENCE_TASKS),
    *("attributions", "continued", "entities", "stances"),
}
SPAN = {"start", "end", "text", "pieces", "name"}
LABEL = {"label", "probability", "probabilities"}
STANCE = {
    "holder",
    "target",
    "label",
    "probability",
    "probabilities",
    "sentence",
    "holder_span",
    "target_span",
    "abstained",
}

NASTY = [
    "“",
    "”",
    "‘",
    "’",
    '"',
    "''",
    "``",
    "(",
    "]",
    ".",
    "...",
    "?!",
    "…",
    "—",
    "-",
    ",",
    "\r\n",
    "\n\n",
    "\r",
    "\t",
    " ",
    "\xa0",
    "\u2028",
    "\u200b",
    "\ufeff",
    "\x00",
    "\x1f",
    "e\u0301",
    "a\u0308\u0327",
    "\u0301",
    "👩‍👩‍👧",
    "🇩🇪",
    "🧿",
    "ﬁ",
    "İ",
    "ß",
    "שלום",
    "\u202eabc\u202c",
    "مرحبا.",
    "北京说",
    "𝔘𝔫𝔦",
    "Mr.",
    "U.S.",
    "He said",
    "Carl Amsel",
    "she",
    "x" * 130,
]


def spans(article):
    """Every span of an article: whatever has a start, an end and a text."""
    for sentence in article.sentences:
        yield sentence
        yield from sentence.entities or ()
        for attribution in sentence.attributions or ():
            yield from filter(None, (attribution.source, attribution.cue, attribution.content))
        for continuation in sentence.continued or ():
            assert sentence.start <= continuation.content.start < continuation.content.end
            assert continuation.content.end <= sentence.end
            assert continuation.told_in != sentence.index
            yield continuation.content
    for stance in article.stances:
        yield from filter(None, (stance.holder_span, stance.target_span))


def check_offsets(article):
    text = article.text
    for span in spans(article):
        assert span.start < span.end
        assert text[span.start : span.end] == span.text
        for start, end in getattr(span, "pieces", ()):
            assert span.start <= start < end <= span.end
    ends = [0]
    for number, sentence in enumerate(article.sentences):
        assert sentence.index == number
        assert text[ends[-1] : sentence.start].strip() == ""
        ends.append(sentence.end)
    assert text[ends[-1] :].strip() == ""


def test_the_keys_of_an_article(tagger):
    data = tagger.tag(TEXT, targets=["Carl Amsel", "rail"], doc_id="a", title="t").to_dict()
    assert set(data) == {
        "doc_id",
        "title",
        "text",
        "model",
        "sentences",
        "sources",
        "warnings",
        "meta",
    }
    assert (data["doc_id"], data["title"], data["text"], data["warnings"]) == ("a", "t", TEXT, [])
    assert set(data["model"]) == {"name", "version", "sha256"}
    assert re.fullmatch("[0-9a-f]{64}", data["model"]["sha256"])
    assert all(set(sentence) == SENTENCE for sentence in data["sentences"])
    assert all(
        set(sentence[task]) == LABEL for sentence in data["sentences"] for task in SENTENCE_TASKS
    )
    attributions = [a for sentence in data["sentences"] for a in sentence["attributions"]]
    assert attributions
    assert all(set(a) == {"source", "cue", "content", "probability"} for a in attributions)
    assert all(
        set(a[part]) == SPAN
        for a in attributions
        for part in ("source", "cue", "content")
        if a[part]
    )
    stances = [stance for sentence in data["sentences"] for stance in sentence["stances"]]
    assert {stance["target"] for stance in stances} == {"Carl Amsel", "rail"}
    assert all(set(stance) == STANCE for stance in stances)
    assert all(set(source) == {"name", "claims", "stances"} for source in data["sources"])
    assert json.loads(json.dumps(data)) == data


def test_the_names_of_the_contract():
    tagger, _ = script()
    article = tagger.tag(TEXT, targets=["harbour tax"])
    sentence = article.sentences[2]
    assert (sentence.claim.label, round(sentence.claim.probability, 3)) == ("claim", 0.731)
    source = sentence.attributions[0].source
    assert (source.text, source.name, TEXT[source.start : source.end]) == ("He", "Carl Amsel", "He")
    stance = next(s for s in article.stances if s.holder)
    assert (stance.holder, stance.target, stance.label, stance.sentence) == (
        "Carl Amsel",
        "harbour tax",
        "favor",
        2,
    )
    assert sum(stance.probabilities.values()) == pytest.approx(1)
    assert article.sources[0].name == "Carl Amsel"
    assert article.sources[0].claims == [2]
    assert article.sources[0].stances == {"harbour tax": {"favor": 1}}


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=25).map(" ".join)
    | st.text(max_size=200)
)
@example("")
@example(" \r\n\t\u2028 ")
@example("“")
@example("İ" * 70 + " said “e\u0301” 👩‍👩‍👧.\r\nשלום.")
def test_offsets_hold_whatever_the_text(tagger, text):
    for targets in ((), ["Carl Amsel", "שלום", "🧿"]):
        article = tagger.tag(text, targets)
        assert article.text == text
        check_offsets(article)


@pytest.mark.parametrize("text", ["", " \n\t\r\n "])
def test_an_article_without_sentences_gives_a_warning(tagger, text):
    article = tagger.tag(text, ["rail"])
    assert (article.sentences, article.stances, article.sources) == ([], [], [])
    assert article.warnings == ["the article has no sentence: nothing read"]


def test_a_sentence_of_50000_characters_is_read_in_pieces(tagger):
    text = ("the ministers who came to the harbour and " * 1200)[:50000].strip()
    article = tagger.tag(text, ["carl amsel"])
    assert [(s.start, s.end) for s in article.sentences] == [(0, len(text))]
    check_offsets(article)
    assert max(span.end for span in spans(article) if span is not article.sentences[0]) > 49000
    pieces, topic = article.warnings
    assert re.fullmatch(
        r"sentence 0: \d+ tokens do not fit one window of 62: read in pieces", pieces
    )
    assert topic.startswith("sentence 0: does not fit one window with the topic 'carl amsel'")


def test_one_word_of_50000_characters(tagger):
    article = tagger.tag("x" * 50000)
    assert [s.end for s in article.sentences] == [50000]
    check_offsets(article)


@pytest.mark.parametrize(
    ("name", "reference", "expected"),
    [
        ("Carl Amsel", "Amsel", True),
        ("Amsel", "Senator Carl Amsel", True),
        ("Carl Amsel", "Anna Amsel", False),
        ("United Nations", "the United Nations", True),
        ("United Nations", "UN", True),
        ("UN", "United Nations", False),
        ("Carl Amsel", "a spokesman for Amsel", False),
        ("harbour tax", "the harbour tax of Orvane", False),
    ],
)
def test_refers_to(name, reference, expected):
    assert refers_to(name, reference) is expected


def found_targets(article, target):
    """Sentence → the target's words there, or ``None`` where it is scored as a topic."""
    return {
        s.sentence: s.target_span and s.target_span.text
        for s in article.stances
        if s.target == target
    }


def test_a_target_is_scored_where_its_name_surname_or_pronoun_stands():
    tagger, backend = script()
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert found_targets(article, "Carl Amsel") == {1: "Carl Amsel", 2: "He", 3: "him", 5: "Amsel"}
    assert ("Critics", "him") in backend.asked
    assert ("He", "He") not in backend.asked  # nobody is asked about himself
    check_offsets(article)


def test_a_name_that_the_article_never_mentions_is_not_scored():
    tagger, backend = script()
    article = tagger.tag(TEXT, ["Carl Amsel", "Carl Ferries", "theft ferries"])
    assert found_targets(article, "Carl Ferries") == {}
    assert "Carl Ferries" not in {target for _, target in backend.asked}
    assert found_targets(article, "theft ferries") == dict.fromkeys(range(6))
    assert ("", "theft ferries") in backend.asked  # the topic, beside its sentence
    assert found_targets(article, "Carl Amsel").keys() == {1, 2, 3, 5}


def test_a_topic_is_scored_in_every_sentence_even_if_some_mention_it():
    tagger, _ = script()
    article = tagger.tag(TEXT, ["harbour tax"])
    assert found_targets(article, "harbour tax") == {
        0: "Harbour Tax",
        1: None,
        2: "harbour tax",
        3: None,
        4: None,
        5: None,
    }


def test_without_targets_the_entities_of_each_sentence_are_the_targets():
    tagger, _ = script()
    article = tagger.tag(TEXT)
    assert [(s.sentence, s.holder, s.target) for s in article.stances] == [
        (1, None, "Carl Amsel"),
        (5, "spokesman", "Amsel"),
        (5, None, "Amsel"),
    ]


def tagger_neutral_on(name, text, **config):
    """A scripted tagger whose stances on one of the people Amsel and Birke are neutral."""
    told = {"source": "Holm", "cue": "said", "content": "well"}
    tagger, backend = scripted(text, told, {"PERSON": "Amsel Birke Holm"}, **config)
    decide = backend.stance

    def stance(hidden, holders, targets, sentences):
        rows = decide(hidden, holders, targets, sentences)
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


def test_neutral_stances_are_listed_only_where_they_are_asked_for():
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


def test_no_stance_of_a_holder_toward_itself_under_another_name():
    text = "The plan of Carl Amsel won, he said."
    told = {"source": "he", "cue": "said", "content": "won"}
    article = scripted(text, told, {"PERSON": "Carl Amsel"})[0].tag(text, ["Carl Amsel"])
    assert article.sentences[0].attributions[0].source.name == "Carl Amsel"
    assert [(stance.holder, stance.target) for stance in article.stances] == [(None, "Carl Amsel")]


def test_a_name_has_a_capital_where_the_labels_are_those_of_names():
    text = "Amsel met Birke but by Holm."
    names = {"PERSON": "Amsel Birke by"}
    found = scripted(text, {}, names)[0].tag(text).sentences[0].entities
    assert [entity.text for entity in found] == ["Amsel", "Birke"]
    own = {"labels": {**DEFAULT_LABELS, "entity": ("PERSON", "ORGANIZATION", "LOCATION", "WEAPON")}}
    found = scripted(text, {}, names, **own)[0].tag(text).sentences[0].entities
    assert [entity.text for entity in found] == ["Amsel", "Birke", "by"]


def test_an_entity_named_twice_is_one_target_at_its_first_mention():
    text = "Amsel met Birke and Amsel met Holm."
    article = scripted(text, {}, {"PERSON": "Amsel Birke Holm"})[0].tag(text)
    assert [(s.target, s.target_span.start) for s in article.stances] == [
        ("Amsel", 0),
        ("Birke", 10),
        ("Holm", 30),
    ]


def test_a_single_target_and_a_repeated_target(tagger):
    once = tagger.tag(TEXT, ["rail"]).stances
    assert tagger.tag(TEXT, "rail").stances == once
    assert tagger.tag(TEXT, ["rail", "rail"]).stances == once
    assert {stance.target for stance in once} == {"rail"}


@pytest.mark.parametrize(
    ("text", "targets", "message"),
    [
        ("x", [" "], "targets: expected names or topics, found a blank one"),
        (
            "ab \ud800",
            [],
            r"the text: expected Unicode characters, found half .*, '.ud800', at character 3",
        ),
        ("x", ["a", "\udcff"], r"targets: expected Unicode characters, .* at character 0"),
    ],
)
def test_invalid_texts_and_targets_are_rejected(tagger, text, targets, message):
    with pytest.raises(InputError, match=message):
        tagger.tag(text, targets)


def test_abstention_thresholds_by_kind_of_query():
    tagger, _ = script(
        temperatures={"stance.topic": 1.0}, abstain_below={"stance": 0.99, "stance.topic": 0.0}
    )
    pairs = [{"target": "Ships"}, {"target": "harbour tax"}]
    [row] = tagger.predict([{"id": "1", "text": "Ships waited.", "stances": pairs}])
    assert [stance["abstained"] for stance in row["predicted"]["stances"]] == [True, False]
    stances = tagger.tag(TEXT, ["harbour tax"]).stances
    assert {stance.abstained for stance in stances if stance.target_span} == {True}
    assert {stance.abstained for stance in stances if not stance.target_span} == {False}


def test_abstention_thresholds_by_label():
    plain, _ = script()
    label = plain.tag(TEXT, ["harbour tax"]).stances[0].label
    other = next(name for name in ("against", "neutral", "favor") if name != label)
    for named, abstained in ((label, {True}), (other, {False})):
        tagger, _ = script(abstain_below={f"stance.{named}": 2.0})
        said = [
            stance for stance in tagger.tag(TEXT, ["harbour tax"]).stances if stance.label == label
        ]
        assert {stance.abstained for stance in said} == abstained


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


def test_abstained_stances():
    tagger, _ = script(abstain_below={"stance": 0.99})
    article = tagger.tag(TEXT, ["harbour tax"])
    assert all(stance.abstained for stance in article.stances)
    assert [(source.name, source.stances) for source in article.sources] == [
        ("Carl Amsel", {}),
        ("Critics", {}),
        ("spokesman", {}),
    ]
    assert all(
        s["abstained"]
        for s in next(
            tagger.predict([{"id": "1", "text": "Ships waited.", "stances": [{"target": "Ships"}]}])
        )["predicted"]["stances"]
    )


def test_a_model_for_claims_alone(tiny_encoder):
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("claim",)), 1)
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert {s.claim.label for s in article.sentences} <= {"claim", "no_claim"}
    assert {
        (s.check_worthy, s.attributions, s.entities, *s.stances) for s in article.sentences
    } == {(None, None, None)}
    assert (article.stances, article.sources) == ([], [])
    record = {"id": "1", "text": "He left.", "stances": [{"holder": None, "target": "he"}]}
    assert set(next(tagger.predict([record]))["predicted"]) == {"claim"}


def test_a_model_for_stances_alone(tiny_encoder):
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("stance",)), 1)
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert {(s.claim, s.check_worthy, s.attributions, s.entities) for s in article.sentences} == {
        (None,) * 4
    }
    assert [(s.sentence, s.holder) for s in article.stances] == [(1, None), (5, None)]
    assert tagger.tag(TEXT).stances == []
    record = {"id": "1", "text": "He left.", "stances": [{"holder": None, "target": "he"}]}
    assert set(next(tagger.predict([record]))["predicted"]) == {"stances"}


def test_custom_labels_come_back_by_name(tiny_encoder):
    own = {"claim": ("boast", "promise", "threat"), "stance": ("pro", "contra")}
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("claim", "stance"), **own), 1)
    assert tagger.labels == own
    article = tagger.tag(TEXT, ["Carl Amsel"])
    for task, labels in (
        ("claim", [s.claim for s in article.sentences]),
        ("stance", article.stances),
    ):
        for label in labels:
            assert tuple(label.probabilities) == own[task]
            assert (
                label.probabilities[label.label]
                == label.probability
                == max(label.probabilities.values())
            )
    row = next(
        tagger.predict(
            [{"id": "1", "text": "He left.", "claim": "else", "stances": [{"target": "he"}]}]
        )
    )
    assert row["predicted"]["claim"]["label"] in own["claim"]
    assert tuple(row["predicted"]["stances"][0]["probabilities"]) == own["stance"]


def test_a_missing_model_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere: expected a model folder, found nothing"):
        Tagger.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize("name", BUNDLED_MODELS)
def test_bundled_models_read_the_demo_article(name):
    text = (SEEDS / "demo.txt").read_text(encoding="utf-8")
    article = Tagger.from_pretrained(name).tag(text, targets=["Orvane"])
    said = {
        a.source.text: (a.source.name, a.cue.text)
        for s in article.sentences
        for a in s.attributions
        if a.source and a.cue
    }
    assert said["she"] == ("Runa Salt", "added")
    assert said["Lissant"] == ("Lissant", "argues")
    accused = next(s for s in article.stances if s.holder == "Runa Salt" and s.label == "against")
    assert accused.target == "Orvane"


def test_tag_all_gives_the_same_results_as_tag(seeds):
    tagger = Tagger.from_pretrained(threads=3)
    alone = Tagger.from_pretrained(threads=1)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:5]]
    articles = [Article(str(number), text, warnings=("odd",)) for number, text in enumerate(texts)]
    lost = InputError("x.txt: expected UTF-8 text")
    found = list(tagger.tag_all([*articles[:2], lost, *articles[2:]], ["the harbour"]))
    assert found[2] is lost
    for tagged, article in zip([*found[:2], *found[3:]], articles, strict=True):
        expected = alone.tag(article.text, ["the harbour"], article.doc_id)
        assert tagged.warnings == [*expected.warnings, "odd"]
        assert replace(tagged, warnings=expected.warnings) == expected  # to the last bit


def test_articles_begun_together_give_the_same_results_as_tag(seeds):
    tagger, alone = Tagger.from_pretrained(threads=3), Tagger.from_pretrained(threads=1)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:4]]
    asked = [
        (Article(str(number), text), ["the harbour", "Lissant"][: number % 3])
        for number, text in enumerate(texts)
    ]
    found = list(tagger.ahead(tagger.begin(*one) for one in asked))
    assert found == [alone.tag(article.text, targets, article.doc_id) for article, targets in asked]


@pytest.mark.parametrize("targets", [(), ["Carl Amsel", "rail"]])
def test_resolving_names_and_targets_can_be_cancelled(targets):
    wanted = Mock(return_value=False)
    script()[0].begin(Article("", TEXT), (), wanted)()
    windows = 1
    assert wanted.call_count > windows
    for answers in range(windows, wanted.call_count):
        stop = Mock(side_effect=[False] * answers + [True])
        with pytest.raises(CancelledError):
            script()[0].begin(Article("", TEXT), targets, stop)()


def test_holders_are_paired_only_with_targets_in_the_same_piece():
    """A sentence of several windows: not all pairs of it, whose number grows with the square of its length."""
    roles = {"source": "Critics", "cue": "said", "content": "that stayed"}
    counts = {}
    for count in (4, 20, 40):
        names = [f"Amsel{number}" for number in range(count)]
        text = "".join(f"Critics said that {name} stayed , and " for name in names)
        tagger, _ = scripted(text, roles, {"PERSON": " ".join(names)})
        stances = tagger.tag(text, neutral=True).stances
        pairs = [(s.holder_span, s.target_span) for s in stances if s.holder_span]
        assert all(abs(h.start - t.start) < 64 * len("Amsel10 ") for h, t in pairs)
        counts[count] = len(pairs)
    assert counts[4] == 16  # of a sentence that fits a window: all of them
    assert counts[20] < counts[40] < 3 * counts[20]


# A model of one topic


def of_one_topic(topic, tasks=("stance",), **config):
    text = "The tax is theft. Rain fell."
    tagger, _ = scripted(text, {}, {"PERSON": "Rain"}, tasks=tasks, topics=(topic,), **config)
    return tagger, text


@pytest.mark.parametrize("topic", ["the tax", "Global warming"])  # a name, too, mentioned or not
def test_a_model_of_one_topic_scores_it_in_every_sentence(topic):
    tagger, text = of_one_topic(topic)
    assert tagger.topics == (topic,)
    article = tagger.tag(text)
    assert [(s.sentence, s.target, s.holder) for s in article.stances] == [
        (0, topic, None),
        (1, topic, None),
    ]
    assert {s.target_span for s in article.stances} == {None}
    assert article.warnings == []


def test_named_targets_replace_the_topic():
    tagger, text = of_one_topic("the tax")
    assert {s.target for s in tagger.tag(text, ["rain"]).stances} == {"rain"}


def test_a_model_with_entities_scores_these():
    tagger, text = of_one_topic("the tax", tasks=("stance", "entity"))
    assert tagger.topics == ()
    assert {s.target for s in tagger.tag(text).stances} == {"Rain"}


def test_a_model_without_a_topic_says_that_a_target_is_missing():
    tagger, _ = scripted("Rain fell.", {}, {}, tasks=("stance",))
    article = tagger.tag("Rain fell.")
    assert article.stances == []
    assert any("no target was named" in warning for warning in article.warnings)


@pytest.mark.parametrize("limit", [0, 0.5, 1])
def test_stances_below_the_chosen_confidence_abstain(tiny_encoder, limit):
    tagger = Tagger.from_pretrained(exported(tiny_encoder), 1, min_confidence=limit)
    article = tagger.tag("Senator Moss criticized the harbour tax.", ["Moss", "harbour tax"])
    assert article.stances
    assert all(stance.abstained == (stance.probability < limit) for stance in article.stances)
    again = pickle.loads(pickle.dumps(tagger))
    assert again.tag(article.text, ["Moss", "harbour tax"]).stances == article.stances


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_a_confidence_is_a_probability(tiny_encoder, limit):
    with pytest.raises(
        ConfigError, match=f"min_confidence: expected a number from 0 to 1, found {limit}"
    ):
        Tagger.from_pretrained(exported(tiny_encoder), min_confidence=limit)
