"""Test which speakers the layout of a text names for its quotations."""

import pytest

from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.decoding.quoted_speakers import name_speakers
from claimstance.model.text.layout import layout_of
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import SentenceSpan


class Article:
    """Make attributions in an article by their words."""

    def __init__(self, text):
        bounds = split_sentences(text)
        self.texts = [text[start:end] for start, end in bounds]
        self.layout = layout_of(text, bounds)

    def locate(self, *phrases):
        """Return the first span of each phrase."""
        spans = []
        for phrase in phrases:
            index = next(i for i, text in enumerate(self.texts) if phrase in text)
            start = self.texts[index].index(phrase)
            spans.append(SentenceSpan(index, start, start + len(phrase)))
        return tuple(spans)

    def attribution(self, source=(), cue=(), content=()):
        """Return an attribution whose roles are given as phrases."""
        roles = (self.locate(*phrases) for phrases in (source, cue, content))
        return DecodedAttribution(*roles, 0.6)

    def named(self, *attributions):
        """Return the attributions after naming speakers, as (source, cue, content, probability)."""
        return [
            (self.words(a.source), self.words(a.cue), self.words(a.content), a.probability)
            for a in name_speakers(attributions, self.texts, self.layout, (), lambda numbers: 0.9)
        ]

    def words(self, spans):
        """Return the words of spans."""
        return " ".join(self.texts[s.sentence][s.start : s.end] for s in spans)


@pytest.mark.parametrize(
    ("text", "content", "source", "cue"),
    [
        ("“The dam is old, the Tribune writes”.", "“The dam is old,", "the Tribune", "writes"),
        ("The dam is old, Lena Orr said.", "The dam is old", "Lena Orr", "said"),
        ("“It holds,” The Daily Post reported.", "“It holds,”", "", ""),  # no verb of the list
        ("“It holds,” The Daily Post added.", "“It holds,”", "The Daily Post", "added"),
        ("It holds, Orr said on Monday.", "It holds", "", ""),
        ("It holds, officials said.", "It holds", "", ""),
        ("It holds, But said.", "It holds", "", ""),
    ],
)
def test_a_name_and_a_verb_that_end_the_sentence_belong_to_the_content(text, content, source, cue):
    article = Article(text)
    alone = article.attribution(content=[content])
    assert article.named(alone) == [(source, cue, content, 0.6)]


def test_an_attribution_with_a_source_or_a_cue_ignores_the_end_of_the_sentence():
    article = Article("Ana Reyes told us that the dam is old, Lena Orr said.")
    complete = article.attribution(["Ana Reyes"], ["told"], ["that the dam is old"])
    without_source = article.attribution([], ["told"], ["that the dam is old"])
    assert article.named(complete) == [("Ana Reyes", "told", "that the dam is old", 0.6)]
    assert article.named(without_source) == [("", "told", "that the dam is old", 0.6)]


ROUND_UP = "Leaders said this of the cod.\n\n“It is gone.” — Runa Salt\n\n“It is not.”\n\nEmil Draycott, negotiator"


def test_each_quotation_is_attributed_to_the_name_after_it():
    article = Article(ROUND_UP)
    wrong = article.attribution(["Leaders"], ["said"], ["the cod", "“It is gone.” — Runa Salt"])
    alone = article.attribution(content=["“It is not.”"])
    assert article.named(wrong, alone) == [
        ("Leaders", "said", "the cod", 0.6),
        ("Runa Salt", "", "“It is gone.”", 0.9),
        ("Emil Draycott", "", "“It is not.”", 0.9),
    ]


def test_an_attribution_that_loses_all_content_keeps_source_and_cue():
    article = Article(ROUND_UP)
    wrong = article.attribution(["Leaders"], ["said"], ["“It is gone.”", "“It is not.”"])
    assert article.named(wrong)[0] == ("Leaders", "said", "", 0.6)


def test_attributions_inside_a_quotation_are_kept():
    article = Article("“Draycott says it is gone.” — Runa Salt")
    inner = article.attribution(["Draycott"], ["says"], ["it is gone"])
    dash = article.attribution(["Runa Salt"], ["—"], ["“Draycott says it is gone.”"])
    assert article.named(inner, dash) == [
        ("Runa Salt", "", "“Draycott says it is gone.”", 0.9),
        ("Draycott", "says", "it is gone", 0.6),
    ]


EXCHANGE = (
    "Reporter Emil Draycott {cue} Minister Runa Salt about the cod.\n\n“Is it gone?”\n\n“It is.”\n\n“Who knew?”\n\n"
    "“Nobody did.”\n\nIt rained."
)


@pytest.mark.parametrize("cue", ["asked", "questioned", "interviewed"])
def test_questions_and_answers_are_attributed_in_turn(cue):
    article = Article(EXCHANGE.format(cue=cue))
    quotations = ["“Is it gone?”", "“It is.”", "“Who knew?”", "“Nobody did.”"]
    interview = article.attribution(["Reporter Emil Draycott"], [cue], quotations)
    speakers = ["Reporter Emil Draycott", "Minister Runa Salt"] * 2
    assert article.named(interview) == [
        ("Reporter Emil Draycott", cue, "", 0.6),
        *((speaker, "", words, 0.9) for speaker, words in zip(speakers, quotations, strict=True)),
    ]


def test_an_answer_without_a_named_person_has_no_source():
    article = Article("Emil Draycott asked.\n\n“Is it gone?”\n\n“It is.”")
    interview = article.attribution(["Emil Draycott"], ["asked"], ["“Is it gone?”", "“It is.”"])
    assert article.named(interview)[1:] == [
        ("Emil Draycott", "", "“Is it gone?”", 0.9),
        ("", "", "“It is.”", 0.9),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Draycott said this.\n\n“It is gone?”\n\n“It is.”",  # nobody asks
        "Draycott asked Salt.\n\n“It is gone.”\n\n“It is.”",  # no question
        "Draycott asked Salt.\n\n“Is it gone?”",  # no answer
        "Draycott asked Salt.\n\nIt rained.\n\n“Is it gone?”\n\n“It is.”",  # something between
    ],
)
def test_attributions_of_other_quotations_are_kept(text):
    article = Article(text)
    cue = "said" if "said" in text else "asked"
    attribution = article.attribution(["Draycott"], [cue], article.texts[-1:])
    assert article.named(attribution) == [("Draycott", cue, article.texts[-1], 0.6)]
