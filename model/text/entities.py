"""Named entities, and names that came apart put together again.

Labels come one token at a time and from machine-made annotation, so that *Clinton Foundation* may be read as a person
and an organization, and of *Islamic State* only the first word. The form of the text tells better.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from claimstance.model.text.mentions import NO_FIRST_NAME, has_capital
from claimstance.model.text.person_names import is_title
from claimstance.model.windows import Located

_NEXT = re.compile(
    r" ([^\W\d_a-z][^\W\d_A-Z][\w-]*)"
)  # a capitalised word; acronyms stand for themselves
_WORD = re.compile(r"[^\W\d_]+")
_HEADS = ("ORGANIZATION", "LOCATION")  # what a name of several parts is, whoever it was named after


@dataclass(frozen=True)
class FoundEntity:
    """A named entity."""

    place: Located
    label: str
    probability: float


def whole_names(found: Sequence[FoundEntity], texts: Sequence[str]) -> Iterator[FoundEntity]:
    """Entities of the default labels without what is no name, and with what belongs to a name.

    Dropped is what has no capital. Two that only a space parts are one name with the label of the last, if that is one
    of organizations and places or both have the same: *United Arab* | *Emirates*, but *Republican* | *Marco Rubio*. A
    name, unless a person's, goes on through the capitalised words behind it, up to a title, a day and the like
    (*Podesta* Group, not *Russian* President, *Geneva* Monday), except in headings, where all words have capitals.

    Args:
        found: in the order of the texts.
        texts: the sentences that their places are in.
    """
    joined = _joined([one for one in found if has_capital(_text(one, texts))], texts)
    for one, after in zip(joined, [*joined, None][1:], strict=True):
        text = texts[one.place.sentence]
        limit = (
            after.place.start if after and after.place.sentence == one.place.sentence else len(text)
        )
        grows = one.label != "PERSON" and not _is_heading(text)
        yield (
            replace(one, place=replace(one.place, end=_end(text, one.place.end, limit)))
            if grows
            else one
        )


def _text(one: FoundEntity, texts: Sequence[str]) -> str:
    return texts[one.place.sentence][one.place.start : one.place.end]


def _joined(found: Sequence[FoundEntity], texts: Sequence[str]) -> list[FoundEntity]:
    result: list[FoundEntity] = []
    for one in found:
        last = result[-1] if result else None
        if last and _touch(last, one, texts) and (one.label in _HEADS or one.label == last.label):
            place = replace(last.place, end=one.place.end)
            result[-1] = FoundEntity(place, one.label, min(last.probability, one.probability))
        else:
            result.append(one)
    return result


def _touch(last: FoundEntity, one: FoundEntity, texts: Sequence[str]) -> bool:
    if last.place.sentence != one.place.sentence:
        return False
    text = texts[one.place.sentence]
    return text[last.place.end : one.place.start] == " " and has_capital(text[one.place.start])


def _end(text: str, end: int, limit: int) -> int:
    """Where a name ends that goes on behind ``end``; what begins at ``limit`` does not belong to it."""
    while (
        (word := _NEXT.match(text, end, limit))
        and word[1] not in NO_FIRST_NAME
        and (word[1] == "State" or not is_title(word[1]))
    ):
        end = word.end()
    return end


def _is_heading(text: str) -> bool:
    words = _WORD.findall(text)[1:]
    return bool(2 * sum(word[0].isupper() for word in words) > len(words))
