"""Quotations that the speaker's name follows: *“It is a tragedy.” — Tom Vance, senator*.

Without a verb of speech, the form of the text decides: a quotation fills its line, and a name follows with a dash, in
parentheses, or on a line of its own. The form also identifies questions and answers after *Vance asked Reyes …*.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from claimstance.model.text.layout import Layout
from claimstance.model.text.person_names import is_title, person_name, words
from claimstance.model.text.speech import NAME, ROLE, is_name, signature
from claimstance.model.windows import SentenceSpan

_BARE = re.compile(rf"\s*{NAME}{ROLE}\s*$")
_OPENING = re.compile(
    r"^\s*(?:[•*·–—-]\s*)?(?:\(?\d{1,3}[.)]\s+)?(?=(?:[“‘\"«„]|''|``|'(?=[A-Z])))"
)
_APOSTROPHE = re.compile(r"'(?!')")
_QUESTION = re.compile(r"\?\W*$")
_LONGEST = 30  # sentences in a quotation
_REACH = 400  # the greatest length of a name with its role, in characters
_ANSWERER = re.compile(rf"\s+(?:the\s+)?{NAME}")
#: Words of cues after which two people take turns.
ASKING = words("ask asked asks asking interviewed interviews pressed questioned quizzed")


@dataclass(frozen=True)
class _ClosingMarks:
    """Represent the patterns of the marks that close a quotation.

    Attributes:
        at_end: a mark that ends a text.
        before_name: a mark before the dash or the parenthesis of a signature.
        inner: a mark that closes a quotation before its end.
    """

    at_end: re.Pattern[str]
    before_name: re.Pattern[str]
    inner: re.Pattern[str]


def _closing_marks(mark: str, inner: str) -> _ClosingMarks:
    """Compile the patterns from those of a mark, and of a mark within a quotation."""
    before_name = re.compile(rf"(?:{mark})(?=\s*[—–―(-])")
    return _ClosingMarks(re.compile(rf"(?:{mark})\s*$"), before_name, re.compile(inner))


_MARKS = _closing_marks(r"[”’»\"]|''", r"[”»]|(?<!^)\"(?=\s)|''(?=\s)")
# An apostrophe closes a quotation that one opens, after a stop or a comma: within a word, it means something else.
_APOSTROPHES = _closing_marks(r"(?<=[.,!?…])'", r"(?<=[.,!?…])'(?=\s)")


@dataclass(frozen=True)
class Quotation:
    """Represent a quotation that fills its lines, with the name that follows it, if there is one."""

    content: tuple[SentenceSpan, ...]
    name: SentenceSpan | None = None

    @property
    def first(self) -> int:
        """Return the number of its first sentence."""
        return self.content[0].sentence

    @property
    def last(self) -> int:
        """Return the number of its last sentence."""
        return self.content[-1].sentence


def quotations(
    texts: Sequence[str], layout: Layout, people: Collection[SentenceSpan] = ()
) -> list[Quotation]:
    """Return the quotations that fill their lines, in order, each with the name that follows it.

    Args:
        texts: the sentences of an article.
        layout: their lines.
        people: the persons that the model recognized. A name that fills its line, without a dash, a title or a role, is
            the speaker's only if it is among them: otherwise it may be a heading.
    """
    complete: list[Quotation] = []
    index = after_name = 0
    while index < len(texts):
        quotation = _quotation_from(texts, layout, index)
        if quotation is None or _is_broken(quotation, texts):
            index += 1
            continue

        # A name on the line before a quotation is its heading, unless it belongs to the quotation before. If
        # quotations have headings, a name on the line after this one is the heading of the next.
        has_heading = index > after_name and _bare_name(texts, index - 1, people) is not None
        below = quotation.last + 1
        if quotation.name is None and below < len(texts) and layout.ends_line(below):
            name = signature(texts[below])
            if name is None and not has_heading:
                name = _bare_name(texts, below, people)
            if name is not None:
                quotation = replace(quotation, name=SentenceSpan(below, *name))

        complete.append(quotation)
        index = quotation.last + 1
        if quotation.name is not None:
            after_name = max(index, quotation.name.sentence + 1)
            index = after_name
    return complete


def _quotation_from(texts: Sequence[str], layout: Layout, first: int) -> Quotation | None:
    """Return the quotation whose opening mark is the first character of sentence ``first`` and of its line."""
    opening = _OPENING.match(texts[first])
    if opening is None or not layout.begins_line(first):
        return None

    marks = _marks_of(texts[first], opening.end())
    content: list[SentenceSpan] = []
    for index in range(first, min(first + _LONGEST, len(texts))):
        text = texts[index]
        start = opening.end() if index == first else 0
        ends_line = layout.ends_line(index)
        if ends_line:
            # The name may follow the closing mark in the same sentence.
            earliest = max(start + 1, len(text) - _REACH)
            for closing in marks.before_name.finditer(text, earliest):
                end = closing.end()
                name = signature(text[end:])
                if name is not None:
                    content.append(SentenceSpan(index, start, end))
                    span = SentenceSpan(index, end + name[0], end + name[1])
                    return Quotation(tuple(content), span)

        content.append(SentenceSpan(index, start, len(text)))
        if marks.at_end.search(text):
            return Quotation(tuple(content)) if ends_line else None
        # A quotation without a closing mark continues only on a line that opens it again.
        is_last = index + 1 == len(texts)
        if ends_line and (is_last or _OPENING.match(texts[index + 1]) is None):
            return None
    return None


def _marks_of(text: str, start: int) -> _ClosingMarks:
    """Return the marks that close the quotation whose opening mark is at ``start``."""
    return _APOSTROPHES if _APOSTROPHE.match(text, start) else _MARKS


def _is_broken(quotation: Quotation, texts: Sequence[str]) -> bool:
    """Return whether a mark closes a quotation before its end: *“No,” she said, “never.”* has its own cue."""
    first = quotation.content[0]
    marks = _marks_of(texts[first.sentence], first.start)
    for piece in quotation.content:
        # The marks at both ends of the quotation are its own.
        text = texts[piece.sentence][piece.start : piece.end]
        inner = text[1:-1] if piece == quotation.content[-1] else text[1:]
        if marks.inner.search(inner):
            return True
    return False


def _bare_name(
    texts: Sequence[str], index: int, people: Collection[SentenceSpan]
) -> tuple[int, int] | None:
    """Return the offsets of a person's name that, with a role, fills sentence ``index``."""
    if index < 0 or texts[index].rstrip().endswith("."):
        return None
    match = _BARE.match(texts[index].rstrip(" :"))
    if match is None or not is_name(match["name"]):
        return None
    name = match["name"]
    start, end = match.span("name")
    name_words = name.split()
    if len(name_words) > 1 and is_title(name_words[0]):
        return start, end
    if person_name(name.title() if name.isupper() else name) is None:
        return None
    if match["role"]:
        return start, end
    if any(map(SentenceSpan(index, start, end).overlaps, people)):
        return start, end
    return None


def answerer(text: str, end: int) -> tuple[int, int] | None:
    """Return the offsets of the name after a cue of asking that ends at ``end``: *asked Governor Reyes*."""
    match = _ANSWERER.match(text, end)
    if match is None or not is_name(match["name"]):
        return None
    start = match.start("name")
    return start, start + len(match["name"].rstrip("."))


def is_question(text: str) -> bool:
    """Return whether a text ends with a question mark, apart from quotation marks."""
    return _QUESTION.search(text) is not None
