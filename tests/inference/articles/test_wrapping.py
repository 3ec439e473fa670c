"""Test the joining of texts that were wrapped at a column, and lines that people ended on purpose."""

import textwrap
import time

import pytest

from claimstance.inference.articles.sources import read_articles
from claimstance.inference.articles.wrapping import WRAPPED, unwrap
from helpers.paths import SEEDS

ARTICLES = {
    path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(SEEDS.glob("**/*.txt"))
}
PARAGRAPHS = [
    "Mayor Asks Council for Flood Wall",
    "The mayor of Karsholm, Ines Dorrin, asked the council on Tuesday for a flood wall of 4 kilometres, which "
    "would cost 31 million crowns and protect some 9,000 homes, according to Dr. Emil Salt of the water board.",
    "“We have measured the river for 31 years,” she said, “and nobody in Lower Karsholm can sleep.” Her "
    "opponent, J. B. Tarle, called the plan a well-known trick of the government’s.",
    "The council votes on Friday. The government – which pays half – has not said whether it agrees.",
]


def by_words(paragraph, width):
    return textwrap.wrap(paragraph, width)


def at_spaces(paragraph, width):
    return textwrap.wrap(paragraph, width, break_on_hyphens=False, break_long_words=False)


def with_blanks(paragraph, width):
    """Wrap as ``fold -s`` does: the space stays at the end of the line."""
    lines = at_spaces(paragraph, width)
    return [f"{line} " for line in lines[:-1]] + lines[-1:]


def by_bytes(paragraph, width):
    """Wrap with columns counted in bytes of UTF-8."""
    lines, line = [], ""
    for word in paragraph.split():
        if line and len(f"{line} {word}".encode()) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def in_words(paragraph, width):
    """Wrap as ``fold`` does without -s: after a number of characters, even within a word."""
    return [paragraph[i : i + width] for i in range(0, len(paragraph), width)]


WRAPPERS = [by_words, at_spaces, with_blanks, by_bytes, in_words]


@pytest.mark.parametrize("article", ARTICLES)
@pytest.mark.parametrize("width", [60, 72, 100])
@pytest.mark.parametrize("fold", WRAPPERS)
@pytest.mark.parametrize("separator", ["\n\n", "\r\n\r\n"], ids=["lf", "crlf"])
def test_wrapped_articles_are_joined(article, width, fold, separator):
    paragraphs = [line for line in ARTICLES[article].split("\n") if line.strip()]
    end = separator[: len(separator) // 2]
    wrapped = separator.join(end.join(fold(paragraph, width)) for paragraph in paragraphs)
    assert unwrap(wrapped) == separator.join(paragraphs)


@pytest.mark.parametrize("article", ARTICLES)
@pytest.mark.parametrize("width", [60, 72, 100])
@pytest.mark.parametrize("fold", [by_words, at_spaces, with_blanks])
def test_lines_end_with_paragraphs_where_no_blank_lines_separate_them(article, width, fold):
    paragraphs = [line for line in ARTICLES[article].split("\n") if line.strip()]
    wrapped = "\n".join("\n".join(fold(paragraph, width)) for paragraph in paragraphs)
    lines = unwrap(wrapped).split("\n")
    assert " ".join(lines) == " ".join(paragraphs)
    # Each prefix of the lines is a prefix of the paragraphs: no line ends within a paragraph.
    line_prefixes = {" ".join(lines[: i + 1]) for i in range(len(lines))}
    paragraph_prefixes = {" ".join(paragraphs[: i + 1]) for i in range(len(paragraphs))}
    assert line_prefixes <= paragraph_prefixes
    assert len(lines) > len(paragraphs) / 2
    assert lines[0] == paragraphs[0]


@pytest.mark.parametrize("article", ARTICLES)
def test_articles_that_were_not_wrapped_are_unchanged(article):
    for text in (ARTICLES[article], ARTICLES[article].replace("\n", "\n\n")):
        assert unwrap(text) == text


@pytest.mark.parametrize("article", ARTICLES)
@pytest.mark.parametrize("width", [60, 100])
def test_unwrapping_twice_equals_unwrapping_once(article, width):
    wrapped = "\n\n".join(textwrap.fill(line, width) for line in ARTICLES[article].split("\n"))
    assert unwrap(unwrap(wrapped)) == unwrap(wrapped)


LINES = {
    "a poem": """\
        The harbour sleeps, the harbour wakes,
        The gulls are loud above the quay,
        And every promise that he makes
        Is gone before the boats at sea.

        The minister has come to town,
        He brought a paper and a pen,
        He wrote the price of herring down
        And sailed away from us again.""",
    "a poem without capitals": """\
        the harbour sleeps and then it wakes
        above the quay
        and every promise that he makes
        is lost at sea

        the minister came down to town
        to bring a pen
        he wrote the price of herring down
        and left again""",
    "headlines": """\
        Ministers Clash over Harbour Tax as Strike Enters Ninth Day
        Council Votes for Flood Wall after Two Years of Delay
        Fishing Nations Trade Accusations as Cod Talks Open Here
        Obituary: Amalia Trent, Judge Who Opened the Courts, 91
        Weather: Storm from the North, Gusts up to 110 km/h""",
    "headlines with few capitals": """\
        Ministers clash over harbour tax as strike enters ninth day
        Council votes for flood wall after two years of long delay
        Fishing nations trade accusations as cod talks open in town
        Amalia Trent, judge who opened the courts, dies aged 91
        Storm from the north brings gusts of up to 110 km/h""",
    "a list": """\
        What the agreement says:
        - quotas fall by a fifth within three years
        - boats carry transponders that cannot be switched off
        - inspectors may board at any time of the day
        - fines of up to 40,000 crowns for each offence
        - the five countries meet again next spring""",
    "a numbered list": """\
        1. quotas fall by a fifth within the next three years, the draft says.
        2. boats carry transponders that nobody on board can switch off.
        3. inspectors may board at any time of the day or of the night.
        4. fines of up to 40,000 crowns are due for each single offence.""",
    "a transcript": """\
        REPORTER: Minister, will the quota fall this year?
        SALT: It will fall, and everybody at the table knows it.
        REPORTER: By how much?
        SALT: I have never given numbers before a meeting, and I will not now.
        REPORTER: And if the talks fail?
        SALT: then we meet again in spring.""",
    "an address": """\
        The Hessmark Tribune
        12 Old Customs House Lane
        Hessmark
        letters to the editor: letters@tribune.example""",
    "a table": """\
        country      landed   quota   share of all
        Haldria      61,000   50,000  a third, nearly
        Lissant      48,000   35,000  a fifth or so
        Orvane       72,000   55,000  a third, at most
        Karsholm     31,000   20,000  a tenth of it""",
    "short paragraphs": """\
        Talks failed.
        He left at noon.
        nobody knows why he did so.
        She stayed.""",
}


@pytest.mark.parametrize("text", LINES.values(), ids=LINES)
@pytest.mark.parametrize("times", [1, 5])
def test_intended_line_breaks_stay(text, times):
    text = "\n\n".join([textwrap.dedent(text)] * times)
    assert unwrap(text) == text


@pytest.mark.parametrize("name", ["a list", "a numbered list", "a table", "a transcript"])
@pytest.mark.parametrize("width", [60, 72])
def test_intended_line_breaks_stay_within_a_wrapped_text(name, width):
    block = textwrap.dedent(LINES[name])
    paragraphs = [*PARAGRAPHS * 3, block, *PARAGRAPHS]
    wrapped = "\n\n".join(
        paragraph if paragraph == block else textwrap.fill(paragraph, width)
        for paragraph in paragraphs
    )
    assert unwrap(wrapped) == "\n\n".join(paragraphs)


def test_quoted_mail_stays_in_lines():
    quoted = "\n".join(f"> {line}" for line in textwrap.wrap(PARAGRAPHS[1], 70))
    wrapped = "\n\n".join([*(textwrap.fill(line, 72) for line in PARAGRAPHS * 3), quoted])
    assert unwrap(wrapped).endswith(f"\n\n{quoted}")


def test_indented_paragraphs_are_joined():
    wrapped = "\n".join(
        textwrap.fill(line, 72, initial_indent="    ") for line in PARAGRAPHS[1:] * 3
    )
    assert unwrap(wrapped) == "\n".join(f"    {line}" for line in PARAGRAPHS[1:] * 3)


@pytest.mark.parametrize(
    ("end", "next_line", "joined"),
    [
        ("a well-", "known man", "a well-known man"),
        ("the min-", "ister left", "the minister left"),
        ("pre-", "and post-war", "pre- and post-war"),
        ("the plan—", "a bad one", "the plan—a bad one"),
        ("the plan –", "a bad one", "the plan – a bad one"),
        ("the years 2010–", "2015", "the years 2010–2015"),
        ("Governor Capt.", "Emil Draycott", "Governor Capt. Emil Draycott"),
        ("of no more than", "130,000 tons", "of no more than 130,000 tons"),
    ],
)
def test_the_end_of_a_line_decides_how_it_is_joined(end, next_line, joined):
    context = "\n\n".join(textwrap.fill(line, 72) for line in PARAGRAPHS[1:] * 2)
    line = f"He told of {'x' * (60 - len(end))} {end}"
    unwrapped = unwrap(
        f"{context}\n\n{line}\n{next_line} who spoke of it as the minister of that day."
    )
    assert joined in unwrapped.split("\n")[-1]


def test_wrapped_files_and_rows_are_joined(workdir):
    wrapped = "\n\n".join(textwrap.fill(line, 72) for line in PARAGRAPHS)
    (workdir / "a.txt").write_bytes(wrapped.encode())
    (workdir / "b.csv").write_text(f'id,text\n1,"{wrapped}"\n', encoding="utf-8")
    for article in read_articles(["a.txt", "b.csv"]):
        assert article.text == "\n\n".join(PARAGRAPHS)
        assert article.title == PARAGRAPHS[0]


def test_a_wrapped_text_that_stays_as_it_is_has_a_warning(tagger):
    wrapped = "\n\n".join(textwrap.fill(line, 72) for line in PARAGRAPHS)
    assert WRAPPED in tagger.tag(wrapped).warnings
    assert WRAPPED not in tagger.tag(unwrap(wrapped)).warnings


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 5_000_000,
        "x\n" * 3_000_000,
        "Aaaa Bbbb the end of it was near and\n" * 200_000,
        f"{'the end of it was very near to us and to them.'}\n{'A' * 2000}\n" * 2_000,
        f"{'the end of it was very near to us and to them.'}\nso {'A' * 2_000_000}\n" * 4,
    ],
)
def test_long_texts_take_little_time(text):
    start = time.process_time()
    unwrap(text)
    assert time.process_time() - start < 20
