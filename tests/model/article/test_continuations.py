"""Test contents that continue in other sentences: quotations of several sentences and paragraphs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.inference import Tagger
from claimstance.inference.writers.rows import TABLES
from claimstance.model.article.continuations import find_continuations
from claimstance.model.article.spans import Attribution, Span
from claimstance.model.coreference.quotes import find_quotes, join_quotes
from claimstance.model.text.sentences import split_sentences


def span(text, *phrases, name=None):
    pieces = tuple((text.index(phrase), text.index(phrase) + len(phrase)) for phrase in phrases)
    start, end = pieces[0][0], pieces[-1][1]
    return Span(start, end, text[start:end], pieces, name)


def attribute(text, source, cue, *contents, probability=0.9):
    """Return the sentence of the cue, and an attribution whose parts are words of ``text``."""
    bounds = split_sentences(text)
    cue = span(text, cue)
    sentence = next(i for i, (start, end) in enumerate(bounds) if start <= cue.start < end)
    source = span(text, source, name=source) if source else None
    return sentence, Attribution(source, cue, span(text, *contents), probability)


def continued(text, *attributions):
    """Return each continuation: its sentence, source and content, and the sentence with the cue."""
    rows = []
    for index, continuation in find_continuations(text, split_sentences(text), attributions):
        source = continuation.source and continuation.source.name
        rows.append((index, source, continuation.content.text, continuation.told_in))
    return rows


BEHIND = "“The ferry sank. Nobody came. We swam,” Ruud Klee said. It rained."
BEFORE = "Ruud Klee said: “The ferry sank. Nobody came. We swam.” It rained."
AMID = "“The ferry sank,” Ruud Klee said. “Nobody came. We swam.” It rained."
PARAGRAPHS = "Ruud Klee said: “The ferry sank.\n\n“Nobody came. We swam.”\n\nIt rained."
STRAIGHT = 'Ruud Klee said: "The ferry sank. Nobody came. We swam." It rained.'


@pytest.mark.parametrize(
    ("text", "contents", "expected"),
    [
        (
            BEHIND,
            ["“The ferry sank. Nobody came. We swam,”"],
            [(0, "“The ferry sank.", 2), (1, "Nobody came.", 2)],
        ),
        (
            BEFORE,
            ["“The ferry sank. Nobody came. We swam.”"],
            [(1, "Nobody came.", 0), (2, "We swam.”", 0)],
        ),
        (
            AMID,
            ["“The ferry sank,”", "“Nobody came. We swam.”"],
            [(1, "“Nobody came.", 0), (2, "We swam.”", 0)],
        ),
        (
            PARAGRAPHS,
            ["“The ferry sank.\n\n“Nobody came. We swam.”"],
            [(1, "“Nobody came.", 0), (2, "We swam.”", 0)],
        ),
        (
            STRAIGHT,
            ['"The ferry sank. Nobody came. We swam."'],
            [(1, "Nobody came.", 0), (2, 'We swam."', 0)],
        ),
    ],
)
def test_each_sentence_of_a_quotation_has_its_source_and_content(text, contents, expected):
    continuations = continued(text, attribute(text, "Ruud Klee", "said", *contents))
    assert continuations == [
        (index, "Ruud Klee", words, sentence) for index, words, sentence in expected
    ]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (BEHIND, "We swam,”"),
        (BEFORE, "“The ferry sank."),
        (PARAGRAPHS, "“The ferry sank."),
        (STRAIGHT, '"The ferry sank.'),
    ],
)
def test_a_whole_quotation_goes_to_its_source(text, content):
    continuations = continued(text, attribute(text, "Ruud Klee", "said", content))
    later_contents = "".join(words for _, _, words, _ in continuations)
    missing = {"ferry", "Nobody", "swam"} - set(re.findall(r"\w+", later_contents + content))
    assert missing == set()
    assert "rained" not in later_contents


def test_a_content_in_the_middle_of_a_quotation_does_not_claim_all_of_it():
    text = "“The ferry sank. Nobody came. We swam. All of us. Home.” Ruud Klee said so."
    assert continued(text, attribute(text, "Ruud Klee", "said", "Nobody came. We swam.")) == [
        (1, "Ruud Klee", "Nobody came.", 5),
        (2, "Ruud Klee", "We swam.", 5),
    ]


def test_a_source_within_a_quotation_is_not_its_speaker():
    text = "Ruud Klee said: “The mayor said yes. Nobody came. We swam.” It rained."
    outer = attribute(text, "Ruud Klee", "said:", "“The mayor said yes.")
    inner = attribute(text, "The mayor", "said yes", "Nobody came. We swam.”", probability=0.99)
    assert continued(text, outer, inner) == [
        (1, "Ruud Klee", "Nobody came.", 0),
        (2, "Ruud Klee", "We swam.”", 0),
    ]


def test_the_likelier_of_two_attributions_gets_the_sentence():
    text = "The paper wrote little. Ruud Klee said little. “Nobody came.”"
    unlikely = attribute(text, "The paper", "wrote", "little", "“Nobody came.”", probability=0.3)
    likely = attribute(text, "Ruud Klee", "said", "little.", "“Nobody came.”", probability=0.6)
    for attributions in ([unlikely, likely], [likely, unlikely]):
        assert [continuation[:2] for continuation in continued(text, *attributions)] == [
            (2, "Ruud Klee")
        ]


def test_an_attribution_with_a_source_is_preferred():
    text = "It was said. Ruud Klee said little. “Nobody came.”"
    unattributed = attribute(text, None, "was said", "“Nobody came.”", probability=0.9)
    attributed = attribute(
        text, "Ruud Klee", "said little", "little", "“Nobody came.”", probability=0.5
    )
    assert [continuation[:2] for continuation in continued(text, unattributed, attributed)] == [
        (2, "Ruud Klee")
    ]
    assert [continuation[:2] for continuation in continued(text, unattributed)] == [(2, None)]


@pytest.mark.parametrize(
    ("text", "content", "sentences"),
    [
        (
            "Ruud Klee said little: The ferry sank. Nobody came.",
            "The ferry sank. Nobody came.",
            [1],
        ),
        ("Nobody came. The ferry sank, Ruud Klee said.", "Nobody came. The ferry sank", []),
        ("Ruud Klee said: It sank. It did, and nobody came who knew why.", "It sank. It did", []),
    ],
)
def test_without_quotation_marks_most_of_a_later_sentence_must_be_content(text, content, sentences):
    continuations = continued(text, attribute(text, "Ruud Klee", "said", content))
    assert [index for index, *_ in continuations] == sentences


@pytest.mark.parametrize(
    ("text", "quotes", "quotations"),
    [
        ("“A b.” c “d”", ["“A b.”", "“d”"], ["“A b.”", "“d”"]),
        ("“A.\n\n“B.\n\n“C.” d", ["“A.", "“B.", "“C.”"], ["“A.\n\n“B.\n\n“C.”"]),
        ("“A.\n\nB. “C.”", ["“A.", "“C.”"], ["“A.", "“C.”"]),
        ("“A.”\n\n“B.”", ["“A.”", "“B.”"], ["“A.”", "“B.”"]),
        ("``A.\n``B.'' c", ["``A.", "``B.''"], ["``A.\n``B.''"]),
        ("", [], []),
    ],
)
def test_quotations_continue_in_paragraphs_that_open_with_a_mark(text, quotes, quotations):
    assert [text[quote.start : quote.end] for quote in find_quotes(text)] == quotes
    assert [text[quote.start : quote.end] for quote in join_quotes(text)] == quotations


@given(st.lists(st.sampled_from(["“", "”", '"', "Aa", "b.", "\n", " "]), max_size=40), st.data())
def test_continuations_of_any_contents_stay_in_their_sentences(pieces, data):
    text = "".join(pieces)
    bounds = split_sentences(text)
    position = st.integers(0, len(text))
    attributions = []
    for _ in range(data.draw(st.integers(0, 4)) if bounds else 0):
        start, end = sorted(data.draw(st.tuples(position, position)))
        content = Span(start, end, text[start:end], ((start, end),))
        source = Span(0, 1, text[:1], ((0, 1),), "A") if data.draw(st.booleans()) else None
        told_in = data.draw(st.integers(0, len(bounds) - 1))
        attributions.append((told_in, Attribution(source, None, content, 0.5)))
    last = -1
    for index, continuation in find_continuations(text, bounds, attributions):
        content, (start, end) = continuation.content, bounds[index]
        assert last <= index != continuation.told_in
        assert start <= content.start < content.end <= end
        assert text[content.start : content.end] == content.text
        last = index


ARTICLES = [
    (
        "Harbour pilot Ruud Klee told the court: “The ferry was overloaded. Everybody on the quay saw it.\n\n“They "
        "sold three hundred tickets and they counted two hundred.”\n\nThe owner declined to comment.\n",
        [0, 1, 2],
    ),
    (
        "“The road was never closed. The signs were missing. Nobody warned the drivers,” said Inspector Ana Duarte of "
        "Lindow.\n\nThe ministry declined to comment.\n",
        [0, 1, 2],
    ),
    (
        "“The price is too high,” said Professor Ilse Brandt. “It was set in May. Nobody has looked at it since.”\n\n"
        "The bank declined to comment.\n",
        [0, 1, 2],
    ),
]


@pytest.fixture(scope="module")
def bundled():
    return Tagger.from_pretrained(threads=1)


@pytest.mark.parametrize(("text", "sentences"), ARTICLES)
def test_the_bundled_model_names_the_source_of_every_sentence_of_a_quotation(
    bundled, text, sentences
):
    article = bundled.tag(text, [])
    speaker = article.sources[0]
    assert speaker.claims == sentences
    rows = list(TABLES["sentences"].rows(article))
    for number in sentences:
        assert speaker.name in rows[number]["sources"]
        assert rows[number]["cues"]
        assert rows[number]["contents"]
    continued_sentences = [row["index"] for row in rows if row["continued"]]
    assert len(continued_sentences) == len(sentences) - 1
    assert speaker.name not in rows[sentences[-1] + 1]["sources"]
