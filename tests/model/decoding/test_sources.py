"""Test which sources attributions share, and which spans are completed to whole names."""

import pytest

from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.decoding.sources import NameCompleter, complete_sources, share_sources
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.windows import SentenceSpan


def span(text, words, sentence=0):
    """Return the span of the first occurrence of ``words`` in a sentence; nothing for no words."""
    if not words:
        return ()
    start = text.index(words)
    return (SentenceSpan(sentence, start, start + len(words)),)


def attribution(text, source, cue, content, sentence=0):
    spans = (span(text, words, sentence) for words in (source, cue, content))
    return DecodedAttribution(*spans, 0.9)


def sources(text, *roles):
    """Return the words of the source of each attribution in a sentence, after sharing."""
    attributions = [attribution(text, *words) for words in roles]
    shared = share_sources(attributions, [text])
    return [text[a.source[0].start : a.source[0].end] if a.source else None for a in shared]


@pytest.mark.parametrize(
    ("text", "second_cue", "second_content"),
    [
        ("Reyes praised Orr and accused Vance of fraud.", "accused", "Vance of fraud"),
        ("Reyes praised Orr, adding that Vance had lied.", "adding", "that Vance had lied"),
        ("Reyes praised Orr but has also warned Vance.", "warned", "Vance"),
        ("Reyes praised Orr, and later publicly attacked Vance.", "attacked", "Vance"),
    ],
)
def test_a_verb_with_the_subject_of_the_verb_before_shares_its_source(
    text, second_cue, second_content
):
    roles = ("Reyes", "praised", "Orr"), (None, second_cue, second_content)
    assert sources(text, *roles) == ["Reyes", "Reyes"]


@pytest.mark.parametrize(
    ("text", "second_cue", "second_content"),
    [
        (
            "Reyes praised Orr after it emerged that Vance had lied.",
            "emerged",
            "that Vance had lied",
        ),
        ("Reyes praised the bill, was told of its cost.", "was told", "of its cost"),
        ("Reyes praised Orr while the mayor attacked Vance.", "attacked", "Vance"),
    ],
)
def test_a_verb_with_another_subject_or_in_the_passive_shares_nothing(
    text, second_cue, second_content
):
    roles = ("Reyes", "praised", text.split()[2]), (None, second_cue, second_content)
    assert sources(text, *roles) == ["Reyes", None]


def test_a_third_verb_shares_the_source_of_the_first():
    text = "Reyes praised Orr, thanked Vance and attacked Bell."
    roles = ("Reyes", "praised", "Orr"), (None, "thanked", "Vance"), (None, "attacked", "Bell")
    assert sources(text, *roles) == ["Reyes"] * 3


def test_a_verb_inside_of_the_content_shares_nothing():
    text = "Reyes said Orr came and accused Vance."
    assert sources(text, ("Reyes", "said", text[11:-1]), (None, "accused", "Vance")) == [
        "Reyes",
        None,
    ]


def test_a_source_behind_its_verb_is_not_shared():
    text = "It will hold, said Reyes, and attacked Vance."
    assert sources(text, ("Reyes", "said", "It will hold"), (None, "attacked", "Vance")) == [
        "Reyes",
        None,
    ]


def test_sources_are_not_shared_between_sentences():
    texts = ["Reyes praised Orr.", "And accused Vance."]
    attributions = [
        attribution(texts[0], "Reyes", "praised", "Orr"),
        attribution(texts[1], None, "accused", "Vance", sentence=1),
    ]
    assert share_sources(attributions, texts) == attributions


def entity(text, words, label="ORGANIZATION"):
    return DecodedEntity(*span(text, words), label, 0.9)


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("Sabha", "Lok Sabha"),
        ("The Lok", "The Lok Sabha"),
        ("The Lok Sabha", "The Lok Sabha"),
        ("the Congress", "the Congress"),
    ],
)
def test_a_span_that_cuts_a_name_gets_all_of_it(words, completed):
    text = "The Lok Sabha met, and the Congress left."
    completer = NameCompleter([entity(text, "Lok Sabha"), entity(text, "Congress")])
    [before] = span(text, words)
    after = completer.complete(before)
    assert text[after.start : after.end] == completed


@pytest.mark.parametrize(
    ("text", "source", "completed"),
    [
        ("The Lok Sabha praised Orr.", "Sabha", "Lok Sabha"),
        ("Mayor Okafor's office declined.", "'s office", "Okafor's office"),
        ("Anders Holm on Friday said so.", "Anders Holm on", "Anders Holm"),
        ("Critics, those who said so, left.", "those who", "those"),
        ("Tran, a cardiologist, said so.", ",", None),
        ("At noon he left.", "At", "At"),
    ],
)
def test_sources_become_whole_phrases(text, source, completed):
    entities = [entity(text, "Lok Sabha")] if "Lok Sabha" in text else []
    before = attribution(text, source, None, None)
    assert complete_sources([before], entities, [text]) == [
        attribution(text, completed, None, None)
    ]
