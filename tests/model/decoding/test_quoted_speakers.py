"""Attributions given to those whom the form of the text names."""

import pytest

from claimstance.model.decoding.attributions import FoundAttribution
from claimstance.model.decoding.quoted_speakers import name_speakers
from claimstance.model.text.layout import layout_of
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import Located


class Article:
    """An article, and attributions in it by their words."""

    def __init__(self, text):
        bounds = split_sentences(text)
        self.texts = [text[start:end] for start, end in bounds]
        self.layout = layout_of(text, bounds)

    def places(self, *parts):
        found = []
        for part in parts:
            index = next(i for i, text in enumerate(self.texts) if part in text)
            start = self.texts[index].index(part)
            found.append(Located(index, start, start + len(part)))
        return tuple(found)

    def attribution(self, source=(), cue=(), content=()):
        roles = (self.places(*role) for role in (source, cue, content))
        return FoundAttribution(*roles, 0.6)

    def named(self, *attributions):
        """The attributions with speakers named, as (source, cue, content, probability)."""
        result = name_speakers(attributions, self.texts, self.layout, (), lambda numbers: 0.9)
        return [
            (
                *(self.words(getattr(a, role)) for role in ("source", "cue", "content")),
                a.probability,
            )
            for a in result
        ]

    def words(self, places):
        return " ".join(self.texts[p.sentence][p.start : p.end] for p in places)


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


def test_an_attribution_without_any_other_content_keeps_its_cue_alone():
    article = Article(ROUND_UP)
    wrong = article.attribution(["Leaders"], ["said"], ["“It is gone.”", "“It is not.”"])
    assert article.named(wrong)[0] == ("Leaders", "said", "", 0.6)


def test_attributions_inside_a_quotation_stay():
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
def test_questions_and_answers_are_attributed_by_turns(cue):
    article = Article(EXCHANGE.format(cue=cue))
    said = ["“Is it gone?”", "“It is.”", "“Who knew?”", "“Nobody did.”"]
    asked = article.attribution(["Reporter Emil Draycott"], [cue], said)
    speakers = ["Reporter Emil Draycott", "Minister Runa Salt"] * 2
    assert article.named(asked) == [
        ("Reporter Emil Draycott", cue, "", 0.6),
        *[(speaker, "", words, 0.9) for speaker, words in zip(speakers, said, strict=True)],
    ]


def test_an_answer_without_a_named_person_has_no_source():
    article = Article("Emil Draycott asked.\n\n“Is it gone?”\n\n“It is.”")
    asked = article.attribution(["Emil Draycott"], ["asked"], ["“Is it gone?”", "“It is.”"])
    assert article.named(asked)[1:] == [
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
def test_attributions_of_other_quotations_stay(text):
    article = Article(text)
    cue = "said" if "said" in text else "asked"
    attribution = article.attribution(["Draycott"], [cue], article.texts[-1:])
    assert article.named(attribution) == [("Draycott", cue, article.texts[-1], 0.6)]
