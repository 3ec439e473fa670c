"""Test the division of texts into sentences."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claimstance.model.text.sentences import split_sentences


def sentences(text):
    """Return the sentences of a text."""
    return [text[start:end] for start, end in split_sentences(text)]


def check_cover(text, spans):
    """Check that spans are in order, begin and end with words, and leave only whitespace between them."""
    previous = 0
    for start, end in spans:
        assert previous <= start < end <= len(text)
        assert text[previous:start].strip() == ""
        assert text[start:end] == text[start:end].strip()
        previous = end
    assert text[previous:].strip() == ""


NEWS_LIKE = st.lists(
    st.sampled_from(
        [
            "He",
            "said",
            "U.S.",
            "Gen.",
            "No.",
            "4",
            "K.",
            ".",
            "?",
            "!",
            "…",
            "“",
            "”",
            '"',
            "'",
            "''",
            "(",
            ")",
            " ",
            "\n",
            "\r\n",
            "\n\n",
            "\t",
            "😀",
            "👩‍👧",
            "e\u0301",
            "\u00a0",
            "\u2028",
            "\u200b",
            "\ufeff",
            "ß",
            "İ",
            "东京。",
        ]
    ),
    max_size=60,
).map("".join)


@given(st.one_of(st.text(max_size=200), NEWS_LIKE))
@example("\x1c\x1d.\x85a")
def test_every_character_lies_in_one_sentence(text):
    check_cover(text, split_sentences(text))


@given(NEWS_LIKE, st.lists(st.tuples(st.integers(-5, 300), st.integers(-5, 300)), max_size=8))
def test_every_character_is_covered_for_any_splitter(text, spans):
    check_cover(text, split_sentences(text, lambda paragraph: spans))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("Storm nears", ["Storm nears"]),
        (
            "U.S. Sen. Ann Lee met Gen. Sergei K. Orlov in Room No. 4 of Acme Inc. on Monday. She left.",
            [
                "U.S. Sen. Ann Lee met Gen. Sergei K. Orlov in Room No. 4 of Acme Inc. on Monday.",
                "She left.",
            ],
        ),
        (
            "He went home to the U.S. The vote stood.",
            ["He went home to the U.S.", "The vote stood."],
        ),
        ("It opened at 5 p.m. Tuesday. Few came.", ["It opened at 5 p.m. Tuesday.", "Few came."]),
        (
            "Rep. Lee (R-N.H.) voted aye. J. Poe left.",
            ["Rep. Lee (R-N.H.) voted aye.", "J. Poe left."],
        ),
        ("Lee (D-Ore.), who left, won.", ["Lee (D-Ore.), who left, won."]),
    ],
)
def test_abbreviations_and_initials_end_no_sentence(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“We won’t go.” He left.", ["“We won’t go.”", "He left."]),
        ('"Really?" she asked. "Yes," said Poe.', ['"Really?" she asked.', '"Yes," said Poe.']),
        (
            "''We left,'' he said. ''It rained.'' No.",
            ["''We left,'' he said.", "''It rained.''", "No."],
        ),
        ("“It is late. We must go. He waits.", ["“It is late.", "We must go.", "He waits."]),
        ("“He told me ‘no.’” Then he left.", ["“He told me ‘no.’”", "Then he left."]),
        ("They won. (See below.) It rained.", ["They won.", "(See below.)", "It rained."]),
    ],
)
def test_quotes_stay_with_their_sentence(text, expected):
    assert sentences(text) == expected


def test_a_headline_is_a_sentence():
    assert sentences("Mayor quits\nLONDON — She left on Friday.\n\nno comment") == [
        "Mayor quits",
        "LONDON — She left on Friday.",
        "no comment",
    ]


def test_a_wrapped_line_is_not_the_end_of_a_sentence():
    assert sentences("The mayor said on\r\nfriday that she,\nlike others, left. It rained.") == [
        "The mayor said on\r\nfriday that she,\nlike others, left.",
        "It rained.",
    ]


def test_offsets_count_code_points():
    text = "😀 👩‍👧 came. Cafe\u0301 closed.\r\nIt rained."
    assert sentences(text) == ["😀 👩‍👧 came.", "Cafe\u0301 closed.", "It rained."]


@pytest.mark.parametrize(
    "piece",
    [
        *["a", "word ", '"', "''", "(", "A. ", '. "', "\n", "a\n", "😀", "He left. "],
        *['."A', "a.a@", "www.", "the U.S. A", "?” Salt ", "1. "],
    ],
)
def test_long_text_takes_linear_time(piece):
    text = piece * (50_000 // len(piece))
    start = time.perf_counter()
    check_cover(text, split_sentences(text))
    assert time.perf_counter() - start < 5


CLAUSES = ["Governor Salt disagreed.", "Runa Salt disagreed.", "Workers disagreed.", "It’s late."]


@pytest.mark.parametrize("following", CLAUSES)
@pytest.mark.parametrize(
    "first",
    [
        "Asked whether the bridge would hold, the engineer said no.",
        "“Nobody ever asked me.”",
        "The vote was in May.",
        "It shut in Sept.",
        "The minister lives in Washington, D.C.",
        "The fleet sails from Portland, Ore.",
        "Half of the catch goes to the U.S.",
        "The minister left the U.K.",
        "The boats were built by Orvane Marine Inc.",
        "The union sued Podmer & Co.",
        "The office is on Harbour St.",
        "The office is on 42nd St.",
        "The office is on Ninth Ave.",
        "Fish, nets, ropes etc.",
    ],
)
def test_an_abbreviation_before_a_name_or_noun_ends_a_sentence(first, following):
    assert sentences(f"{first} {following} It rained.") == [first, following, "It rained."]


@pytest.mark.parametrize(
    "text",
    [
        "The room has no. 4 on its door.",
        "U.S. Attorney Runa Salt disagreed.",
        "Former U.S. Sen. Runa Salt disagreed.",
        "It went to the U.S. Senate on Monday.",
        "It went to the U.S. Treasury Department on Monday.",
        "The U.S. Men’s National Team lost.",
        "She spoke for the U.S. Latino community.",
        "The D.C. Circuit ruled on it.",
        "Orvane Inc. Chief Executive Runa Salt left.",
        "Orvane Corp. President Runa Salt left.",
        "It shut on Sept. 4 for good.",
        "It is in downtown St. Louis, he said.",
        "It is in East St. Louis, he said.",
        "The St. Patrick School shut.",
        "The Ninth Ave. Bridge shut.",
        "Emil Draycott Jr. Boulevard shut.",
    ],
)
def test_an_abbreviation_that_belongs_to_the_next_word_ends_no_sentence(text):
    assert sentences(f"It rained. {text} It snowed.") == ["It rained.", text, "It snowed."]


@pytest.mark.parametrize("mark", ["1.", "12.", "(3)", "Q.", "A.", "IV.", "b)"])
def test_the_mark_of_a_list_item_is_not_a_sentence(mark):
    text = f"{mark} Runa Salt called the plan a disgrace. It rained.\nA line."
    assert sentences(text) == [
        f"{mark} Runa Salt called the plan a disgrace.",
        "It rained.",
        "A line.",
    ]


def test_marks_of_a_list_in_one_line_are_not_sentences():
    assert sentences("1. Salt left. 2. Draycott came.") == ["1. Salt left.", "2. Draycott came."]
    assert sentences("How many came? 5. He left.") == ["How many came?", "5.", "He left."]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.Orvane.Example/News/Cod.Html",
        "www.Orvane.Com",
        "Runa.Salt@Orvane.Org",
        "Orvane.Com/Cod.News",
    ],
)
def test_an_address_is_not_divided(address):
    for text in (f"See {address} for more.", f"It is at {address}."):
        assert sentences(f"It rained. {text} He left.") == ["It rained.", text, "He left."]


def test_a_public_reply_keeps_its_initial_stop():
    assert sentences(".@MinisterSalt is wrong. He left.") == [
        ".@MinisterSalt is wrong.",
        "He left.",
    ]
    assert sentences("It rained. .@Salt is wrong.") == ["It rained.", ".@Salt is wrong."]


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", "«»", ("''", "''")])
def test_a_mark_after_a_stop_stays_with_its_quotation(marks):
    opening, closing = marks
    speech = f"{opening}It is over,{closing} he said."
    assert sentences(f"The minister left.{speech}") == ["The minister left.", speech]
    quotation = f"{opening}It is over.{closing}"
    assert sentences(f"{quotation}He left. {speech}") == [quotation, "He left.", speech]


@pytest.mark.parametrize("marks", ["“”", "‘’", "«»"])
def test_a_quotation_directly_after_another_begins_with_its_mark(marks):
    opening, closing = marks
    first, second = f"{opening}It is over.{closing}", f"{opening}We won,{closing} he said."
    assert sentences(f"{first}{second}") == [first, second]


def test_sentences_within_single_marks_are_divided():
    assert sentences("‘We warned them. Nobody came,’ he said. It’s late.") == [
        "‘We warned them.",
        "Nobody came,’ he said.",
        "It’s late.",
    ]


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", ("''", "''")])
@pytest.mark.parametrize(
    "speaker",
    [
        "Runa Salt asked.",
        "Salt asked the fishermen on Monday.",
        "Capt. Emil Draycott shouted.",
        "Minister Runa Salt (D-Ore.) said of the cod.",
        "Emil Draycott, the chief negotiator, wrote on Twitter.",
        "Salt later told reporters, who laughed.",
        "asked Runa Salt.",
        "he asked.",
    ],
)
def test_the_speaker_of_a_quoted_question_belongs_to_it(marks, speaker):
    text = f"{marks[0]}Who will pay for it?{marks[1]} {speaker}"
    assert sentences(f"It rained. {text} It snowed.") == ["It rained.", text, "It snowed."]


@pytest.mark.parametrize(
    "following",
    [
        "Runa Salt walked away.",
        "Runa Salt said the question was unfair.",
        "Runa Salt asked whether it was fair.",
        "Salt wrote a book.",
        "Salt writes back, “Nobody.”",
        "The minister asked.",
        "They asked the fishermen.",
    ],
)
def test_a_sentence_after_a_quoted_question_is_separate(following):
    assert sentences(f"“Who will pay for it?” {following}") == ["“Who will pay for it?”", following]
