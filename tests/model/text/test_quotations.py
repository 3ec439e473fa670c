"""Test quotations that fill their lines, and the names of speakers after them."""

import pytest

from claimstance.model.text.layout import layout_of
from claimstance.model.text.quotations import answerer, is_question, quotations
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import SentenceSpan


def quotations_with_speakers(text, people=()):
    """Return each quotation with the name of its speaker; ``people`` are the names that the model tagged as persons."""
    bounds = split_sentences(text)
    texts = [text[start:end] for start, end in bounds]
    person_spans = [
        SentenceSpan(index, sentence.index(name), sentence.index(name) + len(name))
        for name in people
        for index, sentence in enumerate(texts)
        if name in sentence
    ]

    def surface(span):
        return texts[span.sentence][span.start : span.end]

    return [
        (
            " ".join(surface(piece) for piece in quotation.content),
            quotation.name and surface(quotation.name),
        )
        for quotation in quotations(texts, layout_of(text, bounds), person_spans)
    ]


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", "«»", ("''", "''"), "''"])
@pytest.mark.parametrize(
    ("behind", "name"),
    [
        (" — Runa Salt", "Runa Salt"),
        (" – Minister Runa Salt, who signed it", "Minister Runa Salt"),
        (" - Salt", "Salt"),
        ("—Runa Salt, fisheries minister of Haldria", "Runa Salt"),
        (" --Runa Salt (Cod Party)", "Runa Salt"),
        ("\n— Runa Salt", "Runa Salt"),
        ("\n\n-Runa Salt.", "Runa Salt"),
        ("\n\nRuna Salt, fisheries minister", "Runa Salt"),
        ("\nMinister Salt", "Minister Salt"),
        (" (Runa Salt, fisheries minister)", "Runa Salt"),
        ("\n(Runa Salt)", "Runa Salt"),
        (" — Institute of Sea and Coast", "Institute of Sea and Coast"),
    ],
)
def test_a_name_after_a_quotation_is_its_speaker(marks, behind, name):
    quotation = f"{marks[0]}We came to leave some for our grandchildren.{marks[1]}"
    assert quotations_with_speakers(f"They spoke.\n\n{quotation}{behind}\n\nIt rained.") == [
        (quotation, name)
    ]


@pytest.mark.parametrize(
    "behind",
    [
        " — Nobody left.",
        " — But Monday",
        " - Read More",
        "\n\nRuna Salt left in May.",
        "\n\nClimate Change",
        "\n\nRuna Salt came. It rained.",
        " It rained. — Runa Salt, minister",
    ],
)
def test_other_words_after_a_quotation_are_not_a_speaker(behind):
    speakers = {name for _, name in quotations_with_speakers(f"“We came to fish.”{behind}")}
    assert speakers <= {None}


@pytest.mark.parametrize(
    "text",
    [
        "Salt called it “a disgrace” — Runa Salt",
        "“It is over,” she said. “We go.” — Runa Salt",
        "It rained. “We go.” — Runa Salt",
        "“It is over. We go — Runa Salt",
        "'It is over,' she said. 'We go.' — Runa Salt",
        "'It is the ministers' — Runa Salt",
    ],
)
def test_a_quotation_that_does_not_fill_its_line_is_ignored(text):
    assert quotations_with_speakers(text) == []


def test_apostrophes_within_a_quotation_do_not_close_it():
    text = "'It's the ministers' tax, isn't it? We won't pay.' — Runa Salt"
    assert quotations_with_speakers(text) == [(text.removesuffix(" — Runa Salt"), "Runa Salt")]
    nested = "“He told us 'no.' We left.” — Runa Salt"
    assert quotations_with_speakers(nested) == [(nested.removesuffix(" — Runa Salt"), "Runa Salt")]


def test_a_name_alone_on_its_line_is_a_speaker_only_if_it_is_a_person():
    text = "“We came to fish.”\n\nRuna Salt\n\nIt rained."
    assert quotations_with_speakers(text) == [("“We came to fish.”", None)]
    assert quotations_with_speakers(text, ["Runa Salt"]) == [("“We came to fish.”", "Runa Salt")]


def test_a_name_above_a_quotation_is_a_heading_and_not_its_speaker():
    people = ["Runa Salt", "Emil Draycott"]
    above = "Runa Salt\n\n“We came to fish.”\n\nEmil Draycott\n\n“We did not.”"
    assert [name for _, name in quotations_with_speakers(above, people)] == [None, None]
    below = "“We came to fish.”\n\nRuna Salt\n\n“We did not.”\n\nEmil Draycott"
    assert [name for _, name in quotations_with_speakers(below, people)] == people


def test_a_quotation_of_several_sentences_and_paragraphs_is_one():
    text = "• “We came to fish. It rained.\n\n“Then we left.”\n— Runa Salt"
    assert quotations_with_speakers(text) == [
        ("“We came to fish. It rained. “Then we left.”", "Runa Salt")
    ]


def test_the_person_who_answers_follows_the_cue():
    text = "Draycott asked Minister Runa Salt about cod."
    start, end = answerer(text, len("Draycott asked"))
    assert text[start:end] == "Minister Runa Salt"
    assert answerer("Draycott asked about cod.", len("Draycott asked")) is None
    assert is_question("“Is it gone?”")
    assert not is_question("“Is it gone? No.”")
