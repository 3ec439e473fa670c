"""Quotations that fill their lines, and the names behind them."""

import pytest

from claimstance.model.text.layout import layout_of
from claimstance.model.text.quotations import answerer, is_question, quotations
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import Located


def found(text, people=()):
    """Each quotation with its name, as text; ``people`` are persons that the model found, by name."""
    bounds = split_sentences(text)
    texts = [text[start:end] for start, end in bounds]
    places = [
        Located(index, sentence.index(name), sentence.index(name) + len(name))
        for name in people
        for index, sentence in enumerate(texts)
        if name in sentence
    ]
    return [
        (
            " ".join(texts[p.sentence][p.start : p.end] for p in quotation.content),
            quotation.name
            and texts[quotation.name.sentence][quotation.name.start : quotation.name.end],
        )
        for quotation in quotations(texts, layout_of(text, bounds), places)
    ]


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", "«»", ("''", "''")])
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
    assert found(f"They spoke.\n\n{quotation}{behind}\n\nIt rained.") == [(quotation, name)]


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
def test_other_words_after_a_quotation_are_no_speaker(behind):
    assert [name for _, name in found(f"“We came to fish.”{behind}")] in ([], [None])


@pytest.mark.parametrize(
    "text",
    [
        "Salt called it “a disgrace” — Runa Salt",
        "“It is over,” she said. “We go.” — Runa Salt",
        "It rained. “We go.” — Runa Salt",
        "“It is over. We go — Runa Salt",
    ],
)
def test_a_quotation_that_does_not_fill_its_line_is_ignored(text):
    assert found(text) == []


def test_a_name_alone_on_its_line_is_a_speaker_only_if_it_is_a_person():
    text = "“We came to fish.”\n\nRuna Salt\n\nIt rained."
    assert found(text) == [("“We came to fish.”", None)]
    assert found(text, ["Runa Salt"]) == [("“We came to fish.”", "Runa Salt")]


def test_a_name_above_a_quotation_is_its_heading():
    people = ["Runa Salt", "Emil Draycott"]
    above = "Runa Salt\n\n“We came to fish.”\n\nEmil Draycott\n\n“We did not.”"
    assert [name for _, name in found(above, people)] == [None, None]
    below = "“We came to fish.”\n\nRuna Salt\n\n“We did not.”\n\nEmil Draycott"
    assert [name for _, name in found(below, people)] == people


def test_a_quotation_of_several_sentences_and_paragraphs_is_one():
    text = "• “We came to fish. It rained.\n\n“Then we left.”\n— Runa Salt"
    assert found(text) == [("“We came to fish. It rained. “Then we left.”", "Runa Salt")]


def test_the_answerer_follows_the_cue():
    text = "Draycott asked Minister Runa Salt about cod."
    start, end = answerer(text, len("Draycott asked"))
    assert text[start:end] == "Minister Runa Salt"
    assert answerer("Draycott asked about cod.", len("Draycott asked")) is None
    assert is_question("“Is it gone?”")
    assert not is_question("“Is it gone? No.”")
