"""Sentences of a news article, as offsets.

A paragraph's end is a sentence's end whatever the punctuation: headlines and datelines have none. Within a paragraph
sentencex decides; it was chosen by measuring (``docs/experiments.md``, "Sentence splitting"). It refuses to cut inside
quotes and brackets, which in news hold several sentences or are never closed, so it is shown the text without them,
and the marks are given back to the sentence they touch.
"""

import re
from collections.abc import Callable, Iterator

import sentencex  # type: ignore[import-untyped]

#: From the text of one paragraph to the offsets of its sentences, in order; only their starts are used.
ParagraphSplitter = Callable[[str], list[tuple[int, int]]]

_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKS = re.compile(r"[“”\"„«»‟()]|''|``")
# Closing marks after a cut belong to the sentence before it, opening marks before a cut to the sentence after it.
_CLOSING = re.compile(r"[”’)\]}»]+|[\"']+(?=\s|$)")
_OPENING = re.compile(r"(?:^|(?<=\s))[\"“„«'‘`(\[]+\s*$")
# Nothing ends after a title, nor after an initial within a name.
_NAME_FOLLOWS = re.compile(
    r"\b(?:Mr|Mrs|Ms|Messrs|Drs?|Profs?|Sens?|Reps?|Govs?|Gens?|Lt|Col|Adm|Capt|Cmdr|Sgt|Maj|Rev|Fr|Hon|Supt|Atty"
    r"|(?<![\w.])[A-Z][\w’'-]+\s[A-Z])\.[\s\"“‘']*$"
)
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
    """The sentences of one paragraph as sentencex sees them without quotes and brackets."""
    found = sentencex.get_sentence_boundaries("en", without_marks(paragraph))
    return [(sentence["start_index"], sentence["end_index"]) for sentence in found]


def without_marks(paragraph: str) -> str:
    """The paragraph with a space for every character of a quotation mark or parenthesis: offsets stay."""
    return _MARKS.sub(lambda mark: " " * len(mark[0]), paragraph)


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
    left = 0
    for start, _ in found:
        cut = _between_marks(paragraph, start)
        if cut > left and not _goes_on(
            paragraph[max(left, cut - _REACH) : cut], paragraph[cut : cut + _REACH]
        ):
            yield from _trimmed(paragraph, left, cut)
            left = cut
    yield from _trimmed(paragraph, left, len(paragraph))


def _goes_on(before: str, after: str) -> bool:
    """Whether a cut here would tear a sentence: a name or an hour (5 p.m. Tuesday) open, a comma or lower case next."""
    inside_initials = before[-1:] == "." and after[:1].isalpha() and after[1:2] == "."  # N.|H.
    if inside_initials or _NAME_FOLLOWS.search(before):
        return True
    after = after.lstrip()
    if _HOUR.search(before) and _AFTER_HOUR.match(after):
        return True
    is_lower = after[:1].islower() and not after[1:2].isupper()  # iPhone begins a sentence
    return is_lower or after[:1] in (",", ";", ":", ")", "]")


def _between_marks(paragraph: str, cut: int) -> int:
    if closing := _CLOSING.match(paragraph, cut):
        return closing.end()
    opening = _OPENING.search(paragraph, max(0, cut - _REACH), cut)
    return opening.start() if opening else cut


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece and not piece.isspace():
        yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
