"""Test tagging: names, keys, offsets, targets, models that lack tasks, and records."""

import json
import re
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claimstance.inference import Tagger
from claimstance.inference.articles.sources import Article
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.coreference.resolver import refers_to
from claimstance.model.encoding import CancelledError
from claimstance.model.errors import InputError, ModelError
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
    """Yield every span of an article: whatever has a start, an end and a text."""
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


def test_an_article_has_the_documented_keys(tagger):
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
        set(a[role]) == SPAN
        for a in attributions
        for role in ("source", "cue", "content")
        if a[role]
    )
    stances = [stance for sentence in data["sentences"] for stance in sentence["stances"]]
    assert {stance["target"] for stance in stances} == {"Carl Amsel", "rail"}
    assert all(set(stance) == STANCE for stance in stances)
    assert all(set(source) == {"name", "claims", "stances"} for source in data["sources"])
    assert json.loads(json.dumps(data)) == data


def test_results_have_the_documented_attributes():
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
def test_offsets_are_correct_for_any_text(tagger, text):
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


def test_a_word_of_50000_characters_is_read(tagger):
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
def test_refers_to_compares_names_with_references(name, reference, expected):
    assert refers_to(name, reference) is expected


def target_words(article, target):
    """Return the words of the target in each sentence, or ``None`` where the target is scored as a topic."""
    return {
        s.sentence: s.target_span and s.target_span.text
        for s in article.stances
        if s.target == target
    }


def test_a_target_is_scored_where_its_name_surname_or_pronoun_occurs():
    tagger, backend = script()
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert target_words(article, "Carl Amsel") == {1: "Carl Amsel", 2: "He", 3: "him", 5: "Amsel"}
    assert ("Critics", "him") in backend.asked
    assert ("He", "He") not in backend.asked  # no stance of a person on himself is scored
    check_offsets(article)


def test_a_name_that_the_article_never_mentions_is_not_scored():
    tagger, backend = script()
    article = tagger.tag(TEXT, ["Carl Amsel", "Carl Ferries", "theft ferries"])
    assert target_words(article, "Carl Ferries") == {}
    assert "Carl Ferries" not in {target for _, target in backend.asked}
    assert target_words(article, "theft ferries") == dict.fromkeys(range(6))
    assert ("", "theft ferries") in backend.asked  # the topic, together with its sentence
    assert target_words(article, "Carl Amsel").keys() == {1, 2, 3, 5}


def test_a_topic_is_scored_in_every_sentence_even_if_some_mention_it():
    tagger, _ = script()
    article = tagger.tag(TEXT, ["harbour tax"])
    assert target_words(article, "harbour tax") == {
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


def test_a_holder_has_no_stance_on_itself_under_another_name():
    text = "The plan of Carl Amsel won, he said."
    roles = {"source": "he", "cue": "said", "content": "won"}
    article = scripted(text, roles, {"PERSON": "Carl Amsel"})[0].tag(text, ["Carl Amsel"])
    assert article.sentences[0].attributions[0].source.name == "Carl Amsel"
    assert [(stance.holder, stance.target) for stance in article.stances] == [(None, "Carl Amsel")]


def test_entities_with_labels_of_names_have_a_capital():
    text = "Amsel met Birke but by Holm."
    names = {"PERSON": "Amsel Birke by"}
    entities = scripted(text, {}, names)[0].tag(text).sentences[0].entities
    assert [entity.text for entity in entities] == ["Amsel", "Birke"]
    custom_config = {
        "labels": {**DEFAULT_LABELS, "entity": ("PERSON", "ORGANIZATION", "LOCATION", "WEAPON")}
    }
    entities = scripted(text, {}, names, **custom_config)[0].tag(text).sentences[0].entities
    assert [entity.text for entity in entities] == ["Amsel", "Birke", "by"]


def test_an_entity_named_twice_is_one_target_at_its_first_mention():
    text = "Amsel met Birke and Amsel met Holm."
    article = scripted(text, {}, {"PERSON": "Amsel Birke Holm"})[0].tag(text)
    assert [(s.target, s.target_span.start) for s in article.stances] == [
        ("Amsel", 0),
        ("Birke", 10),
        ("Holm", 30),
    ]


def test_a_string_or_a_repeated_name_is_one_target(tagger):
    stances = tagger.tag(TEXT, ["rail"]).stances
    assert tagger.tag(TEXT, "rail").stances == stances
    assert tagger.tag(TEXT, ["rail", "rail"]).stances == stances
    assert {stance.target for stance in stances} == {"rail"}


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


def test_a_model_may_predict_claims_alone(tiny_encoder):
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("claim",)), 1)
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert {s.claim.label for s in article.sentences} <= {"claim", "no_claim"}
    assert {
        (s.check_worthy, s.attributions, s.entities, *s.stances) for s in article.sentences
    } == {(None, None, None)}
    assert (article.stances, article.sources) == ([], [])
    record = {"id": "1", "text": "He left.", "stances": [{"holder": None, "target": "he"}]}
    assert set(next(tagger.predict([record]))["predicted"]) == {"claim"}


def test_a_model_may_predict_stances_alone(tiny_encoder):
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("stance",)), 1)
    article = tagger.tag(TEXT, ["Carl Amsel"])
    assert {(s.claim, s.check_worthy, s.attributions, s.entities) for s in article.sentences} == {
        (None,) * 4
    }
    assert [(s.sentence, s.holder) for s in article.stances] == [(1, None), (5, None)]
    assert tagger.tag(TEXT).stances == []
    record = {"id": "1", "text": "He left.", "stances": [{"holder": None, "target": "he"}]}
    assert set(next(tagger.predict([record]))["predicted"]) == {"stances"}


def test_predictions_have_the_names_of_custom_labels(tiny_encoder):
    custom_labels = {"claim": ("boast", "promise", "threat"), "stance": ("pro", "contra")}
    tagger = Tagger.from_pretrained(exported(tiny_encoder, ("claim", "stance"), **custom_labels), 1)
    assert tagger.labels == custom_labels
    article = tagger.tag(TEXT, ["Carl Amsel"])
    for task, labels in (
        ("claim", [s.claim for s in article.sentences]),
        ("stance", article.stances),
    ):
        for label in labels:
            assert tuple(label.probabilities) == custom_labels[task]
            assert label.probability == label.probabilities[label.label]
            assert label.probability == max(label.probabilities.values())
    record = {"id": "1", "text": "He left.", "claim": "else", "stances": [{"target": "he"}]}
    [row] = tagger.predict([record])
    assert row["predicted"]["claim"]["label"] in custom_labels["claim"]
    assert tuple(row["predicted"]["stances"][0]["probabilities"]) == custom_labels["stance"]


def test_a_missing_model_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere: expected a model folder, found nothing"):
        Tagger.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize("name", BUNDLED_MODELS)
def test_bundled_models_read_the_demo_article(name):
    text = (SEEDS / "demo.txt").read_text(encoding="utf-8")
    article = Tagger.from_pretrained(name).tag(text, targets=["Orvane"])
    name_and_cue = {
        a.source.text: (a.source.name, a.cue.text)
        for s in article.sentences
        for a in s.attributions
        if a.source and a.cue
    }
    assert name_and_cue["she"] == ("Runa Salt", "added")
    assert name_and_cue["Lissant"] == ("Lissant", "argues")
    accused = next(s for s in article.stances if s.holder == "Runa Salt" and s.label == "against")
    assert accused.target == "Orvane"


def test_tag_all_gives_the_same_results_as_tag(seeds):
    tagger = Tagger.from_pretrained(threads=3)
    single_tagger = Tagger.from_pretrained(threads=1)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:5]]
    articles = [Article(str(number), text, warnings=("odd",)) for number, text in enumerate(texts)]
    error = InputError("x.txt: expected UTF-8 text")
    results = list(tagger.tag_all([*articles[:2], error, *articles[2:]], ["the harbour"]))
    assert results[2] is error
    for tagged, article in zip([*results[:2], *results[3:]], articles, strict=True):
        expected = single_tagger.tag(article.text, ["the harbour"], article.doc_id)
        assert tagged.warnings == [*expected.warnings, "odd"]
        assert replace(tagged, warnings=expected.warnings) == expected  # to the last bit


def test_articles_begun_together_give_the_same_results_as_tag(seeds):
    tagger, single_tagger = Tagger.from_pretrained(threads=3), Tagger.from_pretrained(threads=1)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:4]]
    calls = [
        (Article(str(number), text), ["the harbour", "Lissant"][: number % 3])
        for number, text in enumerate(texts)
    ]
    results = list(tagger.prefetch(tagger.begin(*call) for call in calls))
    assert results == [
        single_tagger.tag(article.text, targets, article.doc_id) for article, targets in calls
    ]


@pytest.mark.parametrize("targets", [(), ["Carl Amsel", "rail"]])
def test_resolving_names_and_targets_can_be_cancelled(targets):
    never_stop = Mock(return_value=False)
    script()[0].begin(Article("", TEXT), (), never_stop)()
    windows = 1
    assert never_stop.call_count > windows
    for checks in range(windows, never_stop.call_count):
        should_cancel = Mock(side_effect=[False] * checks + [True])
        with pytest.raises(CancelledError):
            script()[0].begin(Article("", TEXT), targets, should_cancel)()


def test_holders_are_paired_only_with_targets_in_the_same_piece():
    """Check that the pairs of a sentence of several windows do not grow with the square of its length."""
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
    assert counts[4] == 16  # a sentence that fits a window has all pairs
    assert counts[20] < counts[40] < 3 * counts[20]
