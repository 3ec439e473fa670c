"""Sentences of a news article, as offsets.

A paragraph's end is a sentence's end whatever the punctuation: headlines and datelines have none. Within a paragraph
sentencex decides; it was chosen by measuring (``docs/experiments.md``, "Sentence splitting"). It refuses to cut inside
quotes and brackets, which in news hold several sentences or are never closed, so it is shown the text without them,
and the marks are given back to the sentence they touch. Web addresses, and abbreviations that end a sentence, are
spelled with *x* for it.
"""

import re
from collections.abc import Callable, Iterator

import sentencex  # type: ignore[import-untyped]

from claimstance.model.text.abbreviations import without_abbreviations
from claimstance.model.text.speech import SPEAKER_REACH, names_speaker, signature

#: From the text of one paragraph to the offsets of its sentences, in order; only their starts are used.
ParagraphSplitter = Callable[[str], list[tuple[int, int]]]

_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKS = re.compile(r"[“”‘\"„«»‟()]|''|``")
# Addresses of pages and people, without a stop at their end; and the stop that opens a public reply (.@MayorHale).
_ADDRESS = re.compile(
    r"(?:https?://|\bwww\.)[^\s\"“”«»<>]*[\w/]|(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b"
    r"|(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|gov|edu|info|co\.uk)\b(?:/[^\s\"“”«»<>]*[\w/])?",
    re.IGNORECASE,
)
_ADDRESS_SIGNS = ("@", "://", "www.", ".com", ".org", ".net", ".gov", ".edu", ".info", ".co.uk")
_REPLY = re.compile(r"(?:^|(?<=\s))\.(?=@\w)")
# Closing marks after a cut belong to the sentence before it, opening marks before a cut to the sentence after it.
_CLOSING = re.compile(r"[”’)\]}»]+|[\"']+(?=\s|$)")
_OPENING = re.compile(r"(?:(?:^|(?<=\s))[\"“„«'‘`(\[]+\s*|(?<=[.!?…])[“„«‘(\[])$")
# A straight mark right after a stop opens or closes: the marks before it tell (the stop."It or ."He).
_STRAIGHT = re.compile(r"(?<=[.!?…])(?:\"|'')$")
# What opens a line of a list or of questions and answers: no sentence of its own.
_LIST_MARK = re.compile(r"\s*\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{2,4})[.)]\s*")
# Nothing ends after a title, nor after an initial within a name.
_NAME_FOLLOWS = re.compile(
    r"\b(?:Mr|Mrs|Ms|Messrs|Drs?|Profs?|Sens?|Reps?|Govs?|Gens?|Lt|Col|Adm|Capt|Cmdr|Sgt|Maj|Rev|Fr|Hon|Supt|Atty"
    r"|(?<![\w.])[A-Z][\w’'-]+\s[A-Z])\.[\s\"“‘']*$"
)
_QUOTED = re.compile(r"(?:[”’»\"]|'')\s*$")
_QUESTION_QUOTED = re.compile(r"[?!](?:[”’»\"]|'+)+\s*$")
_HOUR = re.compile(r"\b[ap]\.m\.\s*$")
_AFTER_HOUR = re.compile(r"(?:[ECMP][SD]?T|GMT|UTC|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b")
_REACH = (
    40  # characters that the patterns above may look back over; a bound keeps long texts linear
)


def split_sentences(text: str, splitter: ParagraphSplitter | None = None) -> list[tuple[int, int]]:
    """The sentences of ``text`` as ``(start, end)``, in code points, end exclusive.

    They are in order, do not overlap, have no outer whitespace, and hold every non-space character of the text.

    Args:
        text: a news article whose paragraphs end with a line break. Any string will do; one without a non-space
            character gives ``[]``.
        splitter: what cuts a paragraph; sentencex, for English, if ``None``.
    """
    splitter = splitter or split_paragraph
    return [
        (start + left, start + right)
        for start, end in _paragraphs(text)
        for left, right in _tidy(text[start:end], splitter(text[start:end]))
    ]


def split_paragraph(paragraph: str) -> list[tuple[int, int]]:
    """Return the sentences of one paragraph as sentencex sees them without what misleads it."""
    shown = without_marks(without_addresses(without_abbreviations(paragraph)))
    boundaries = sentencex.get_sentence_boundaries("en", shown)
    return [(sentence["start_index"], sentence["end_index"]) for sentence in boundaries]


def without_marks(paragraph: str) -> str:
    """Return the paragraph with spaces for its quotation marks and parentheses; offsets stay."""
    return _MARKS.sub(lambda mark: " " * len(mark[0]), paragraph)


def without_addresses(paragraph: str) -> str:
    """Return the paragraph with *x* for the characters of web and mail addresses; offsets stay."""
    in_lower_case = paragraph.lower()
    if not any(sign in in_lower_case for sign in _ADDRESS_SIGNS):  # most paragraphs, at no cost
        return paragraph
    replies_opened = _REPLY.sub(" ", paragraph)
    return _ADDRESS.sub(lambda address: "x" * len(address[0]), replies_opened)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line_end in _LINE_END.finditer(text):
        if not _is_wrapped(text, line_end.start(), line_end.end()):
            yield from _trimmed(text, start, line_end.start())
            start = line_end.end()
    yield from _trimmed(text, start, len(text))


def _is_wrapped(text: str, start: int, end: int) -> bool:
    """Whether the line break at ``start`` only wraps a line: the text goes on in lower case after an open end."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return after.islower() and (before.isalnum() or before in (",", "-", "–", "—"))


def _tidy(paragraph: str, found: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sentences that cover the whole paragraph, cut where those of ``found`` start if that can be right."""
    is_list = _LIST_MARK.match(paragraph) is not None
    left = counted = 0
    quotes = {'"': 0, "''": 0}  # how many straight marks stand before ``counted``
    for start, _ in found:
        for mark in quotes:
            quotes[mark] += paragraph.count(mark, counted, max(start, counted))
        counted = max(start, counted)
        cut = _between_marks(paragraph, start, quotes)
        if cut <= left or (is_list and _LIST_MARK.fullmatch(paragraph, left, cut)):
            continue
        before = paragraph[max(left, cut - _REACH) : cut]
        if not _goes_on(before, paragraph[cut : cut + SPEAKER_REACH]):
            yield from _trimmed(paragraph, left, cut)
            left = cut
    yield from _trimmed(paragraph, left, len(paragraph))


def _goes_on(before: str, after: str) -> bool:
    """Return whether a cut here would tear a sentence.

    A name or an hour (5 p.m. Tuesday) is open, a comma or lower case follows, or the speaker of a quotation: with a
    verb behind a question, after a dash at the paragraph's end.
    """
    inside_initials = before[-1:] == "." and after[:1].isalpha() and after[1:2] == "."  # N.|H.
    if inside_initials or _NAME_FOLLOWS.search(before):
        return True
    after = after.lstrip()
    if _QUESTION_QUOTED.search(before) and names_speaker(after):
        return True
    if len(after) < SPEAKER_REACH and _QUOTED.search(before) and signature(after):
        return True
    if _HOUR.search(before) and _AFTER_HOUR.match(after):
        return True
    is_lower = after[:1].islower() and not after[1:2].isupper()  # iPhone begins a sentence
    return is_lower or after[:1] in (",", ";", ":", ")", "]")


def _between_marks(paragraph: str, cut: int, quotes: dict[str, int]) -> int:
    """Where a cut at ``cut`` leaves each mark beside it to its own sentence.

    ``quotes`` counts the straight marks up to there: an odd one has opened.
    """
    if cut > 0 and _REPLY.match(paragraph, cut - 1):
        return cut - 1
    if closing := _CLOSING.match(paragraph, cut):
        return closing.end()
    if straight := _STRAIGHT.search(paragraph, max(0, cut - _REACH), max(cut, 0)):
        opens = quotes[straight[0]] % 2 and paragraph[cut : cut + 1].isalnum()
        return straight.start() if opens else cut
    opening = _OPENING.search(paragraph, max(0, cut - _REACH), cut)
    return opening.start() if opening else cut


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece and not piece.isspace():
        yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
