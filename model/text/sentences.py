"""Division of a news article into sentences, as offsets.

A paragraph's end is a sentence's end whatever the punctuation: headlines and datelines have none. Within a paragraph
sentencex decides; measurements led to this choice (``docs/experiments.md``, "Sentence splitting"). It never divides
quotations and parentheses, which in news contain several sentences or are never closed. Therefore it gets the text
without these marks, which are then assigned to the sentences beside them. It also gets web addresses, and abbreviations
that end a sentence, with *x* for their letters.
"""

import re
from collections.abc import Callable, Iterator

import sentencex  # type: ignore[import-untyped]

from claimstance.model.text.abbreviations import without_abbreviations
from claimstance.model.text.speech import SPEAKER_REACH, names_speaker, signature

#: Returns the offsets of the sentences of a paragraph, in order; only their starts are used.
ParagraphSplitter = Callable[[str], list[tuple[int, int]]]

_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKS = re.compile(r"[“”‘\"„«»‟()]|''|``")
# Web and mail addresses, without a stop at their end; and the stop that begins a public reply (.@MayorHale).
_ADDRESS = re.compile(
    r"(?:https?://|\bwww\.)[^\s\"“”«»<>]*[\w/]|(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b"
    r"|(?<![\w.-])(?:[\w-]+\.)+(?:com|org|net|gov|edu|info|co\.uk)\b(?:/[^\s\"“”«»<>]*[\w/])?",
    re.IGNORECASE,
)
_ADDRESS_SIGNS = ("@", "://", "www.", ".com", ".org", ".net", ".gov", ".edu", ".info", ".co.uk")
_REPLY = re.compile(r"(?:^|(?<=\s))\.(?=@\w)")
# Closing marks after a boundary belong to the sentence before it, opening marks before it to the next sentence.
_CLOSING = re.compile(r"[”’)\]}»]+|[\"']+(?=\s|$)")
_OPENING = re.compile(
    r"(?:(?:^|(?<=\s))[\"“„«'‘`(\[]+\s*|(?:(?<=[.!?…])|(?<=[.!?…][”’»)\]]))[“„«‘(\[])$"
)
# A straight mark directly after a stop opens or closes a quotation: the number of marks before it decides.
_STRAIGHT = re.compile(r"(?<=[.!?…])(?:\"|'')$")
# The beginning of a line in a list or an interview (1., (a), Q.) is no sentence of its own.
_LIST_MARK = re.compile(r"\s*\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{2,4})[.)]\s*")
# No sentence ends after a title, nor after an initial within a name.
_NAME_FOLLOWS = re.compile(
    r"\b(?:Mr|Mrs|Ms|Messrs|Drs?|Profs?|Sens?|Reps?|Govs?|Gens?|Lt|Col|Adm|Capt|Cmdr|Sgt|Maj|Rev|Fr|Hon|Supt|Atty"
    r"|(?<![\w.])[A-Z][\w’'-]+\s[A-Z])\.[\s\"“‘']*$"
)
_QUOTED = re.compile(r"(?:[”’»\"]|''|(?<=[.!?…])')\s*$")
_QUESTION_QUOTED = re.compile(r"[?!](?:[”’»\"]|'+)+\s*$")
_HOUR = re.compile(r"\b[ap]\.m\.\s*$")
_AFTER_HOUR = re.compile(r"(?:[ECMP][SD]?T|GMT|UTC|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b")
_REACH = 40  # characters before a boundary for these patterns; a limit keeps long texts linear


def split_sentences(text: str, splitter: ParagraphSplitter | None = None) -> list[tuple[int, int]]:
    """Return the sentences of ``text`` as ``(start, end)``, in code points, end exclusive.

    They are in order, do not overlap, have no outer whitespace, and contain every non-space character of the text.

    Args:
        text: a news article whose paragraphs end with a line break. Any string is accepted; one without a non-space
            character has no sentences.
        splitter: the function that divides a paragraph; sentencex, for English, if ``None``.
    """
    splitter = splitter or split_paragraph
    paragraphs: list[tuple[int, int]] = []
    start = 0
    for line_end in _LINE_END.finditer(text):
        before = text[line_end.start() - 1 : line_end.start()]
        after = text[line_end.end() : line_end.end() + 1]
        # No stop precedes a break that only wraps a line, and lower case follows it.
        is_wrapped = after.islower() and (before.isalnum() or before in (",", "-", "–", "—"))
        if not is_wrapped:
            paragraphs += _trim(text, start, line_end.start())
            start = line_end.end()
    paragraphs += _trim(text, start, len(text))

    sentences = []
    for offset, end in paragraphs:
        paragraph = text[offset:end]
        starts = [start for start, _ in splitter(paragraph)]
        for sentence_start, sentence_end in _adjust_boundaries(paragraph, starts):
            sentences.append((offset + sentence_start, offset + sentence_end))
    return sentences


def split_paragraph(paragraph: str) -> list[tuple[int, int]]:
    """Return the sentences of one paragraph according to sentencex, without the characters that mislead it."""
    simplified = without_marks(without_addresses(without_abbreviations(paragraph)))
    boundaries = sentencex.get_sentence_boundaries("en", simplified)
    return [(sentence["start_index"], sentence["end_index"]) for sentence in boundaries]


def without_marks(paragraph: str) -> str:
    """Return the paragraph with spaces for its quotation marks and parentheses; offsets do not change."""
    return _MARKS.sub(lambda mark: " " * len(mark[0]), paragraph)


def without_addresses(paragraph: str) -> str:
    """Return the paragraph with *x* for the characters of web and mail addresses; offsets do not change."""
    in_lower_case = paragraph.lower()
    if not any(sign in in_lower_case for sign in _ADDRESS_SIGNS):  # in most paragraphs
        return paragraph
    without_replies = _REPLY.sub(" ", paragraph)
    return _ADDRESS.sub(lambda address: "x" * len(address[0]), without_replies)


def _adjust_boundaries(paragraph: str, starts: list[int]) -> Iterator[tuple[int, int]]:
    """Yield sentences that cover the paragraph, divided at those of ``starts`` that can be right."""
    is_list = _LIST_MARK.match(paragraph) is not None
    sentence_start = counted = 0
    quotes = {'"': 0, "''": 0}  # the number of straight marks before ``counted``
    for start in starts:
        # Marks are counted from one boundary to the next, so that long paragraphs stay linear.
        for mark in quotes:
            quotes[mark] += paragraph.count(mark, counted, max(start, counted))
        counted = max(start, counted)
        boundary = _shift_past_marks(paragraph, start, quotes)
        if boundary <= sentence_start:
            continue
        if is_list and _LIST_MARK.fullmatch(paragraph, sentence_start, boundary):
            continue
        before = paragraph[max(sentence_start, boundary - _REACH) : boundary]
        if not _continues(before, paragraph[boundary : boundary + SPEAKER_REACH]):
            yield from _trim(paragraph, sentence_start, boundary)
            sentence_start = boundary
    yield from _trim(paragraph, sentence_start, len(paragraph))


def _continues(before: str, after: str) -> bool:
    """Return whether a sentence continues over a boundary between the two texts.

    It does within a name or a time (5 p.m. Tuesday), before a comma or lower case, and before the speaker of a
    quotation: with a verb after a question, after a dash at the paragraph's end.
    """
    next_is_initial = after[:1].isalpha() and after[1:2] == "."
    inside_initials = before.endswith(".") and next_is_initial  # N.|H.
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


def _shift_past_marks(paragraph: str, boundary: int, quotes: dict[str, int]) -> int:
    """Return the position beside ``boundary`` that leaves each mark with its own sentence.

    ``quotes`` counts the straight marks before the boundary: an odd number means that a quotation is open.
    """
    if boundary > 0 and _REPLY.match(paragraph, boundary - 1):
        return boundary - 1
    closing = _CLOSING.match(paragraph, boundary)
    if closing is not None:
        return closing.end()
    first = max(0, boundary - _REACH)
    straight = _STRAIGHT.search(paragraph, first, max(boundary, 0))
    if straight is not None:
        # The form of a straight mark does not show whether it opens: their number and the next word do.
        opens = quotes[straight[0]] % 2 and paragraph[boundary : boundary + 1].isalnum()
        return straight.start() if opens else boundary
    opening = _OPENING.search(paragraph, first, boundary)
    return opening.start() if opening else boundary


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield ``(start, end)`` without outer whitespace, or nothing if there is only whitespace."""
    piece = text[start:end]
    if piece and not piece.isspace():
        yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
