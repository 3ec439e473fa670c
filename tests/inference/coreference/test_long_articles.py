"""Names in long articles: the same as by a plain search, in a time that grows with the length."""

from itertools import count
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimstance.inference.coreference import phrases, resolver
from claimstance.inference.coreference.resolver import resolve_references
from claimstance.inference.coreference.salience import _MAX_MENTIONS
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
    """A text of ``words``, with sentences that end at stops, names as people, and everything else as a source."""
    text, sentences, people, sources = "", [], [], []
    begins = 0
    for word in words:
        word = word.replace("|", " ")
        start = len(text)
        text += word + " "
        end = start + len(word)
        if word == ".":
            sentences.append((begins, end))
            begins = len(text)
        elif word[0].isupper() and word.split()[0] in ("Ana", "Ben", "Dunn", "Lee", "Orr"):
            people.append((start, end, "PERSON"))
            sources.append((start, end))
        elif word[0].isalpha() and word not in ("said", "of", "and"):
            sources.append((start, end))
    if begins < len(text):
        sentences.append((begins, len(text)))
    return text, sentences, sources, people


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=120), st.data())
def test_names_equal_those_of_a_plain_search(words, data):
    text, sentences, sources, people = lay_out(words)
    numbers = st.sets(st.integers(0, max(0, len(sources) - 1)))
    chosen = data.draw(numbers)
    sources = [span for number, span in enumerate(sources) if number not in chosen]
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
    """An article whose paragraphs all name other people."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    numbers = count()
    text, sentences, sources, people = "", [], [], []

    def name():
        number = next(numbers)
        return "B" + "".join(letters[number // 26**place % 26] for place in (3, 2, 1, 0)) + "o"

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


@pytest.mark.parametrize(
    "shape",
    [
        lambda n: news(n),
        # No sentence ever ends; one name alone; the same few words over and over.
        lambda n: (lambda text, _, *rest: (text, [(0, len(text))], *rest))(*news(n)),
        lambda n: lay_out(["Ana|Orr", "said", "he", "she", "who", "they", ","] * n),
        lambda n: lay_out(["who", "It", "they", "The|agency"] * n),
    ],
)
def test_work_grows_with_the_length_and_not_with_its_square(shape):
    sizes = (_MAX_MENTIONS, 4 * _MAX_MENTIONS)
    first, second = (count_lines(resolver, resolve_references, *shape(n)) for n in sizes)
    assert second < 5 * first  # of four times the text


def test_a_sentence_with_more_mentions_than_are_stored():
    names = " ".join(f"Mr. B{'aeiou'[n % 5]}{n}" for n in range(2 * _MAX_MENTIONS))
    text = f"{names} met. He left."
    people, start = [], 0
    for word in names.split(" "):
        if word != "Mr.":
            people.append((start, start + len(word), "PERSON"))
        start += len(word) + 1
    he = text.index("He left")
    names = resolve_references(text, [(0, he - 1), (he, len(text))], [(he, he + 2)], people)
    assert names[he, he + 2] == "Ba0"


@pytest.mark.parametrize("word", ["x" * 50_000, "x" * 50_000 + "!", "the " + "x" * 50_000 + " of"])
def test_long_words_take_no_time(word):
    assert phrases.is_plural(word) is False
    assert phrases.is_person_noun(word) is False


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_a_long_article_can_be_cancelled(after):
    stop = Mock(side_effect=[False] * after + [True])
    with pytest.raises(CancelledError):
        resolve_references(*news(200), stop)
    assert stop.call_count == after + 1


def test_stop_is_called_more_often_for_a_longer_article():
    calls = []
    for paragraphs in (50, 500):
        stop = Mock(return_value=False)
        resolve_references(*news(paragraphs), stop)
        calls.append(stop.call_count)
    assert calls[1] > 5 * calls[0]
