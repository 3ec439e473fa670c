import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claimstance.model.text.sentences import split_sentences


def sentences(text):
    return [text[start:end] for start, end in split_sentences(text)]


def check_cover(text, spans):
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
def test_cover_holds_whatever_the_splitter_returns(text, found):
    check_cover(text, split_sentences(text, lambda paragraph: found))


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
def test_abbreviations_and_initials(text, expected):
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


def test_headline_is_a_sentence_of_its_own():
    assert sentences("Mayor quits\nLONDON — She left on Friday.\n\nno comment") == [
        "Mayor quits",
        "LONDON — She left on Friday.",
        "no comment",
    ]


def test_wrapped_line_is_not_an_end():
    assert sentences("The mayor said on\r\nfriday that she,\nlike others, left. It rained.") == [
        "The mayor said on\r\nfriday that she,\nlike others, left.",
        "It rained.",
    ]


def test_offsets_count_code_points():
    text = "😀 👩‍👧 came. Cafe\u0301 closed.\r\nIt rained."
    assert sentences(text) == ["😀 👩‍👧 came.", "Cafe\u0301 closed.", "It rained."]


@pytest.mark.parametrize(
    "piece", ["a", "word ", '"', "''", "(", "A. ", '. "', "\n", "a\n", "😀", "He left. "]
)
def test_long_text_takes_linear_time(piece):
    text = piece * (50_000 // len(piece))
    began = time.perf_counter()
    check_cover(text, split_sentences(text))
    assert time.perf_counter() - began < 5
