"""Quotations with the speaker's name behind them: *“It is a tragedy.” — Tom Vance, senator*.

No verb says that somebody speaks, so the form alone tells: a quotation that fills its line, and a name with a dash, in
parentheses, or on a line of its own. Likewise for lines of question and answer behind *Vance asked Reyes …*.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from claimstance.model.text.layout import Layout
from claimstance.model.text.person_names import is_title, person_name, words
from claimstance.model.text.speech import NAME, ROLE, is_name, signature
from claimstance.model.windows import Located

_BARE = re.compile(rf"\s*{NAME}{ROLE}\s*$")
_OPENING = re.compile(r"^\s*(?:[•*·–—-]\s*)?(?:\(?\d{1,3}[.)]\s+)?(?=(?:[“‘\"«„]|''|``))")
_CLOSING = re.compile(r"(?:[”’»\"]|'')(?:\s*$)")
_CLOSING_BEFORE_NAME = re.compile(r"(?:[”’»\"]|'')(?=\s*(?:[—–―(-]))")
_QUESTION = re.compile(r"\?\W*$")
_LONGEST = 30  # sentences of a quotation
_REACH = 400  # characters that a name with its role may take at most
_ANSWERER = re.compile(rf"\s+(?:the\s+)?{NAME}")
#: The first words of cues behind which two people take turns.
ASKING = words("ask asked asks asking interviewed interviews pressed questioned quizzed")


@dataclass(frozen=True)
class Quotation:
    """A quotation that fills its line or lines, with who is named behind it, if anybody is."""

    content: tuple[Located, ...]
    name: Located | None = None

    @property
    def first(self) -> int:
        """The sentence that it begins in."""
        return self.content[0].sentence

    @property
    def last(self) -> int:
        """The sentence that it ends in."""
        return self.content[-1].sentence


def quotations(
    texts: Sequence[str], layout: Layout, people: Collection[Located] = ()
) -> list[Quotation]:
    """Return the quotations that fill their lines, in order, each with the name behind it.

    Args:
        texts: the sentences of an article.
        layout: their lines.
        people: who is known to be a person. A name that is all of its line, without a dash, a title or a role, is the
            speaker's only if it is among them: it could be a heading.
    """
    result: list[Quotation] = []
    index = after_name = 0
    while index < len(texts):
        quotation = _quotation_from(texts, layout, index)
        if quotation is None:
            index += 1
            continue
        # A name above this quotation is its heading, unless it is that of the quotation before it. Then a name below it
        # is likewise the next one's.
        has_heading = index > after_name and _bare_name(texts, index - 1, people) is not None
        if quotation.name is None:
            quotation = _signed_below(texts, layout, quotation, people, not has_heading)
        result.append(quotation)
        index = quotation.last + 1
        if quotation.name is not None:
            index = after_name = max(index, quotation.name.sentence + 1)
    return result


def _quotation_from(texts: Sequence[str], layout: Layout, first: int) -> Quotation | None:
    """Return the quotation whose opening mark is the first character of sentence ``first`` and of its line."""
    opening = _OPENING.match(texts[first])
    if opening is None or (first and layout.lines[first - 1] == layout.lines[first]):
        return None
    content: list[Located] = []
    for index in range(first, min(first + _LONGEST, len(texts))):
        text = texts[index]
        start = opening.end() if index == first else 0
        is_last_of_line = index + 1 == len(texts) or layout.lines[index + 1] != layout.lines[index]
        if is_last_of_line:
            for closing in _CLOSING_BEFORE_NAME.finditer(text, max(start + 1, len(text) - _REACH)):
                if name := signature(text[closing.end() :]):
                    content.append(Located(index, start, closing.end()))
                    offset = closing.end()
                    place = Located(index, offset + name[0], offset + name[1])
                    return _unless_broken(texts, Quotation(tuple(content), place))
        content.append(Located(index, start, len(text)))
        if _CLOSING.search(text):
            if not is_last_of_line:
                return None
            return _unless_broken(texts, Quotation(tuple(content)))
        if is_last_of_line and (
            index + 1 == len(texts) or _OPENING.match(texts[index + 1]) is None
        ):
            return None  # a line that ends without a mark, and the next does not open once more
    return None


def _unless_broken(texts: Sequence[str], quotation: Quotation) -> Quotation | None:
    """Return the quotation, unless it closes before its end: *“No,” she said, “never.”* is told, not quoted alone."""
    for place in quotation.content:
        text = texts[place.sentence][place.start : place.end]
        inner = text[1:-1] if place == quotation.content[-1] else text[1:]
        if re.search(r"[”»]|(?<!^)\"(?=\s)|''(?=\s)", inner):
            return None
    return quotation


def _signed_below(
    texts: Sequence[str],
    layout: Layout,
    quotation: Quotation,
    people: Collection[Located],
    takes_bare_name: bool,
) -> Quotation:
    """Return the quotation with the name on the line below, if there is nothing else on it."""
    below = quotation.last + 1
    if below >= len(texts) or (
        below + 1 < len(texts) and layout.lines[below + 1] == layout.lines[below]
    ):
        return quotation
    name = signature(texts[below])
    if name is None and takes_bare_name:
        name = _bare_name(texts, below, people)
    if name is None:
        return quotation
    return Quotation(quotation.content, Located(below, *name))


def _bare_name(
    texts: Sequence[str], index: int, people: Collection[Located]
) -> tuple[int, int] | None:
    """Return where a person's name stands that is, with a role, the whole of sentence ``index``."""
    match = _BARE.match(texts[index].rstrip(" :")) if index >= 0 else None
    if match is None or texts[index].rstrip().endswith(".") or not is_name(match["name"]):
        return None
    name, start, end = match["name"], *match.span("name")
    if is_title(name.split()[0]) and len(name.split()) > 1:
        return start, end
    if person_name(name.title() if name.isupper() else name) is None:
        return None
    is_person = any(
        place.sentence == index and place.start < end and place.end > start for place in people
    )
    return (start, end) if match["role"] or is_person else None


def answerer(text: str, end: int) -> tuple[int, int] | None:
    """Return where the name stands that follows a cue of asking which ends at ``end``: *asked Governor Reyes*."""
    match = _ANSWERER.match(text, end)
    if match is None or not is_name(match["name"]):
        return None
    return match.start("name"), match.start("name") + len(match["name"].rstrip("."))


def is_question(text: str) -> bool:
    """Return whether a text ends with a question mark, quotation marks aside."""
    return _QUESTION.search(text) is not None
