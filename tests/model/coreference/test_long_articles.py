"""Test names in long articles: they equal those of a plain search, in time that is linear in the length."""

from itertools import count
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimstance.model.coreference import phrases, resolver
from claimstance.model.coreference.resolver import resolve_references
from claimstance.model.coreference.salience import _MAX_MENTIONS
from claimstance.model.encoding import CancelledError
from helpers import plain_names
from helpers.operations import count_lines

# A bar stands for a space within a phrase.
WORDS = [
    *(
        "He",
        "he",
        "She",
        "she",
        "her",
        "his",
        "him",
        "They",
        "they",
        "It",
        "it",
        "who",
        "said",
        "of",
        "and",
        "\n",
    ),
    *(
        ",",
        ".",
        ".",
        "“",
        "”",
        "Mr.",
        "Mrs.",
        "Sen.",
        "Ana",
        "Ben",
        "Dunn",
        "Orr",
        "Orr",
        "Ana|Orr",
        "Ben|Dunn",
    ),
    *(
        "Lee|Roe",
        "the|senator",
        "The|senator",
        "the|mayor,",
        "a|veteran|aide",
        "Two|senators",
        "The|agency",
    ),
]


def lay_out(words):
    """Return a text of ``words`` with sentences that end at stops; names are people, and other words are sources."""
    text, sentences, people, sources = "", [], [], []
    sentence_start = 0
    for word in words:
        word = word.replace("|", " ")
        start = len(text)
        text += word + " "
        end = start + len(word)
        if word == ".":
            sentences.append((sentence_start, end))
            sentence_start = len(text)
        elif word[0].isupper() and word.split()[0] in ("Ana", "Ben", "Dunn", "Lee", "Orr"):
            people.append((start, end, "PERSON"))
            sources.append((start, end))
        elif word[0].isalpha() and word not in ("said", "of", "and"):
            sources.append((start, end))
    if sentence_start < len(text):
        sentences.append((sentence_start, len(text)))
    return text, sentences, sources, people


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=120), st.data())
def test_names_equal_those_of_a_plain_search(words, data):
    text, sentences, sources, people = lay_out(words)
    subsets = st.sets(st.integers(0, max(0, len(sources) - 1)))
    omitted = data.draw(subsets)
    sources = [span for number, span in enumerate(sources) if number not in omitted]
    assert resolve_references(text, sentences, sources, people) == plain_names.resolve(
        text, sentences, sources, people
    )


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="Hesheidt Orr.,“”\"'\n", max_size=120), st.data())
def test_names_equal_those_of_a_plain_search_for_any_spans(text, data):
    position = st.integers(0, len(text))
    spans = sorted({tuple(sorted(data.draw(st.tuples(position, position)))) for _ in range(6)})
    people = [(*span, "PERSON") for span in spans[::2]]
    sentences = [(0, len(text) // 2), (len(text) // 2, len(text))]
    assert resolve_references(text, sentences, spans, people) == plain_names.resolve(
        text, sentences, spans, people
    )


def news(paragraphs):
    """Return an article whose paragraphs all name other people."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    numbers = count()
    text, sentences, sources, people = "", [], [], []

    def name():
        number = next(numbers)
        digits = [number // 26**exponent % 26 for exponent in (3, 2, 1, 0)]
        return "B" + "".join(letters[digit] for digit in digits) + "o"

    def write(*words):
        nonlocal text
        begins = len(text)
        for kind, word in words:
            start = len(text)
            text += word + " "
            if kind in "ps":
                sources.append((start, start + len(word)))
            if kind == "p":
                people.append((start, start + len(word), "PERSON"))
        sentences.append((begins, len(text) - 1))

    for _ in range(paragraphs):
        first, second = f"Ann {name()}", f"Bob {name()}"
        write(("p", first), ("", "met Mr."), ("p", second), ("", "there."))
        write(("s", "She"), ("", "said that his plan was late."))
        write(("s", "Two officials"), ("", "agreed;"), ("s", "they"), ("", "praised her."))
        write(("s", "who"), ("", "said “he knew it”,"), ("s", "he"), ("", "said of it."))
    return text, sentences, sources, people


def news_in_one_sentence(paragraphs):
    """Return the article of ``news`` as one sentence that never ends."""
    text, _, sources, people = news(paragraphs)
    return text, [(0, len(text))], sources, people


@pytest.mark.parametrize(
    "make_article",
    [
        news,
        news_in_one_sentence,
        # One name and pronouns; pronouns and a role without any name.
        lambda n: lay_out(["Ana|Orr", "said", "he", "she", "who", "they", ","] * n),
        lambda n: lay_out(["who", "It", "they", "The|agency"] * n),
    ],
)
def test_work_is_linear_in_the_length(make_article):
    sizes = (_MAX_MENTIONS, 4 * _MAX_MENTIONS)
    first, second = (count_lines(resolver, resolve_references, *make_article(n)) for n in sizes)
    assert second < 5 * first  # for four times the text


def test_a_pronoun_after_a_sentence_with_more_mentions_than_are_stored():
    listed_names = " ".join(f"Mr. B{'aeiou'[n % 5]}{n}" for n in range(2 * _MAX_MENTIONS))
    text = f"{listed_names} met. He left."
    people, start = [], 0
    for word in listed_names.split(" "):
        if word != "Mr.":
            people.append((start, start + len(word), "PERSON"))
        start += len(word) + 1
    he = text.index("He left")
    names = resolve_references(text, [(0, he - 1), (he, len(text))], [(he, he + 2)], people)
    assert names[he, he + 2] == "Ba0"


@pytest.mark.parametrize("word", ["x" * 50_000, "x" * 50_000 + "!", "the " + "x" * 50_000 + " of"])
def test_long_words_take_little_time(word):
    assert phrases.is_plural(word) is False
    assert phrases.is_person_noun(word) is False


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_a_long_article_can_be_cancelled(after):
    should_cancel = Mock(side_effect=[False] * after + [True])
    with pytest.raises(CancelledError):
        resolve_references(*news(200), should_cancel=should_cancel)
    assert should_cancel.call_count == after + 1


def test_stop_is_called_more_often_for_a_longer_article():
    calls = []
    for paragraphs in (50, 500):
        should_cancel = Mock(return_value=False)
        resolve_references(*news(paragraphs), should_cancel=should_cancel)
        calls.append(should_cancel.call_count)
    assert calls[1] > 5 * calls[0]
