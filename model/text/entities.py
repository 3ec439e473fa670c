"""Named entities, and names that came apart put together again.

Labels come one token at a time and from machine-made annotation, so that *Clinton Foundation* may be read as a person
and an organization, of *Islamic State* only the first word, and *Trump* not at all where a sentence begins. The form of
the text tells better.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from claimstance.model.text.mentions import NO_FIRST_NAME, find_mentions, has_capital
from claimstance.model.text.person_names import is_title, person_name, words
from claimstance.model.windows import Located

_NEXT = re.compile(
    r" ([^\W\d_a-z][^\W\d_A-Z][\w-]*)"
)  # a capitalised word; acronyms stand for themselves
_BEFORE = re.compile(r"([^\W\d_a-z](?:[^\W_]|-(?=[^\W\d_a-z]))*) $")
_REACH = 60  # characters that the patterns look back over; a bound keeps long texts linear
_LAST_WORD = re.compile(r"[^\W_]+$")
# A word of a name goes on without a space: in initials (U | .S.), a number (EB | -5), an apostrophe (O | ’Malley).
_INITIALS_BEHIND = re.compile(r"(?:\.[A-Z](?![a-z]))+\.?")
_INITIALS_BEFORE = re.compile(r"(?:(?<![\w.])[A-Z]\.)(?:[A-Z]\.)*$")
_NUMBER_BEHIND = re.compile(r"-(?:\d\w*|[IVX]+\b)")
_APOSTROPHE_BEHIND = re.compile(r"[’'][A-Z][a-z]+")
_APOSTROPHE_BEFORE = re.compile(r"(?<!\w)[A-Z][’']$")
_NO_ENDS = words("a an and at for in of on the to with")
# What goes on behind a hyphen: Bashar al- | Assad, Trans- | Pacific Partnership.
_OPEN_ENDS = words("al Al el El Trans Sub Indo")
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OF_NAME = re.compile(r"[^\W\d_]+(?:[-’'](?!s\b)[^\W\d_]+)*")
_LOWER_CASE = re.compile(r"\b[a-z]\w+")
_MARKS = " “”\"‘’'([—–-"  # what may stand before the first word of a sentence
_HEADS = ("ORGANIZATION", "LOCATION")  # what a name of several parts is, whoever it was named after


@dataclass(frozen=True)
class FoundEntity:
    """A named entity."""

    place: Located
    label: str
    probability: float


def whole_names(found: Sequence[FoundEntity], texts: Sequence[str]) -> list[FoundEntity]:
    """Return the entities of the default labels without what is no name, and with what belongs to a name.

    Dropped is what has no capital. A name has whole words (*EB-5*, *U.S.*), and no *of* or hyphen at its end. Two that
    only a space parts are one name with the label of the last, if that is one of organizations and places or both have
    the same: *United Arab* | *Emirates*, but *Republican* | *Marco Rubio*. A name, unless a person's, goes on through
    the capitalised words on both sides of it, behind it up to a title, a day and the like (*Podesta* Group, Affordable
    *Care Act*, not *Russian* President, *Geneva* Monday), except in headings, where all words have capitals. A person
    named once is the same under the surname alone.

    Args:
        found: in the order of the texts.
        texts: the sentences that their places are in.
    """
    named = [
        replace(entity, place=_with_whole_words(entity.place, texts[entity.place.sentence]))
        for entity in found
        if has_capital(_text(entity, texts))
    ]
    closed = [
        replace(entity, place=_without_open_end(entity.place, texts[entity.place.sentence]))
        for entity in _grown(_joined(named, texts), texts)
    ]
    return with_known_people([entity for entity in closed if _text(entity, texts)], texts)


def _with_whole_words(place: Located, text: str) -> Located:
    """Return a place with what its first and its last word lack."""
    start, end = place.start, place.end
    word_end = end - 1 if text[end - 1] == "-" else end
    last = _LAST_WORD.search(text, max(start, end - _REACH), word_end)
    last_word = last[0] if last else ""
    behind = None
    if len(last_word) == 1:
        behind = _INITIALS_BEHIND.match(text, end) or _APOSTROPHE_BEHIND.match(text, end)
    if behind is None and last_word.isupper() and len(last_word) < 5:
        behind = _NUMBER_BEHIND.match(text, word_end)
    before = None
    if text[start].isupper():
        near = max(0, start - _REACH)
        before = _APOSTROPHE_BEFORE.search(text, near, start)
        if before is None and not text[start + 1 : start + 2].isalpha():
            before = _INITIALS_BEFORE.search(text, near, start)
    return replace(
        place,
        start=before.start() if before else start,
        end=behind.end() if behind else end,
    )


def _without_open_end(place: Located, text: str) -> Located:
    """Return a place without a hyphen or an *of* at its end."""
    start, end = place.start, place.end
    while end > start and not text[end - 1].isalnum() and text[end - 1] not in ".)":
        end -= 1
    while (last := _LAST_WORD.search(text, max(start, end - _REACH), end)) and last[0] in _NO_ENDS:
        end = start + len(text[start : last.start()].rstrip())
    return replace(place, end=end)


def _grown(joined: Sequence[FoundEntity], texts: Sequence[str]) -> Iterator[FoundEntity]:
    """Give each name, unless a person's, with the capitalised words beside it that belong to it."""
    previous: FoundEntity | None = None
    for entity, after in zip_longest(joined, joined[1:]):
        place, text = entity.place, texts[entity.place.sentence]
        if entity.label != "PERSON" and not _is_heading(text):
            first, limit = 0, len(text)
            if previous is not None and previous.place.sentence == place.sentence:
                first = previous.place.end
            if after is not None and after.place.sentence == place.sentence:
                limit = after.place.start
            start = _start(text, place.start, first)
            entity = replace(
                entity, place=replace(place, start=start, end=_end(text, place.end, limit))
            )
        yield entity
        previous = entity


def _text(one: FoundEntity, texts: Sequence[str]) -> str:
    return texts[one.place.sentence][one.place.start : one.place.end]


def _joined(found: Sequence[FoundEntity], texts: Sequence[str]) -> list[FoundEntity]:
    result: list[FoundEntity] = []
    for entity in found:
        last = result[-1] if result else None
        if last is not None and _are_one(last, entity, texts):
            place = replace(last.place, end=max(last.place.end, entity.place.end))
            result[-1] = FoundEntity(place, entity.label, min(last.probability, entity.probability))
        else:
            result.append(entity)
    return result


def _are_one(last: FoundEntity, entity: FoundEntity, texts: Sequence[str]) -> bool:
    if last.place.sentence != entity.place.sentence:
        return False
    text = texts[entity.place.sentence]
    if entity.place.start < last.place.end:  # both were completed with the same word
        return True
    between = text[last.place.end : entity.place.start]
    has_hyphen = between == "" and text[last.place.end - 1] == "-"
    if between == "-" or has_hyphen:
        end = _LAST_WORD.search(text, last.place.start, last.place.end - has_hyphen)
        return end is not None and end[0] in _OPEN_ENDS
    is_name = between == " " and has_capital(text[entity.place.start])
    return is_name and (entity.label in _HEADS or entity.label == last.label)


def _start(text: str, start: int, limit: int) -> int:
    """Return where a name begins that goes on before ``start``; what ends at ``limit`` does not belong to it.

    The first word of a sentence has its capital anyway.
    """
    while (
        (word := _BEFORE.search(text, max(limit, start - _REACH), start))
        and text[: word.start()].strip(_MARKS)
        and not _ends_sentence(text, word.start())
        and word[1] not in NO_FIRST_NAME
        and not is_title(word[1])
    ):
        start = word.start()
    return start


def _ends_sentence(text: str, position: int) -> bool:
    return text[max(0, position - 3) : position].rstrip(" “\"‘'(")[-1:] in (".", "?", "!", ":")


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


def with_known_people(found: Sequence[FoundEntity], texts: Sequence[str]) -> list[FoundEntity]:
    """Return the entities with each person who is named in full once, under the surname alone, too.

    A surname that stands alone and is no entity yet becomes one, but not where a sentence begins with it and the texts
    have it as a word in lower case, too (*Fields*). One with another label becomes a person's, unless more entities of
    that name have the other label than a person's (*Washington*). The probability is that of the full name: it is why
    the surname is taken for a person's.

    Args:
        found: in the order of the texts.
        texts: the sentences that their places are in.
    """
    people = _people(found, texts)
    if not people:
        return list(found)
    in_headings = {surname.upper(): names for surname, names in people.items()}
    counts = Counter(
        (_text(entity, texts), entity.label) for entity in found if _text(entity, texts) in people
    )
    ordinary = _ordinary_words(texts, people)
    by_sentence: dict[int, list[FoundEntity]] = defaultdict(list)
    for entity in found:
        by_sentence[entity.place.sentence].append(entity)
    result: list[FoundEntity] = []
    for index, text in enumerate(texts):
        entities = by_sentence[index]
        known = _people_of(text, in_headings if text.isupper() else people)
        for name, probability in known.items():
            for start, end in find_mentions(name, text):
                has_capital_anyway = text.isupper() or not text[:start].strip(_MARKS)
                if has_capital_anyway and text[start:end].lower() in ordinary:
                    continue
                entities = _with_person(
                    entities, Located(index, start, end), probability, text, counts
                )
        result += sorted(entities, key=lambda entity: entity.place)
    return result


def _people(found: Sequence[FoundEntity], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return surname → full names that were found → the greatest probability of each."""
    people: dict[str, dict[str, float]] = defaultdict(dict)
    for entity in found:
        name = _text(entity, texts)
        person = person_name(name) if entity.label == "PERSON" else None
        if person is not None and NO_FIRST_NAME.isdisjoint(name.split()):
            names = people[person.surname]
            names[name] = max(entity.probability, names.get(name, 0.0))
    return people


def _ordinary_words(texts: Sequence[str], surnames: Iterable[str]) -> set[str]:
    """Return the surnames, in lower case, that the texts also have as words."""
    in_lower_case = {surname.lower() for surname in surnames}
    return {word for text in texts for word in _LOWER_CASE.findall(text) if word in in_lower_case}


def _people_of(text: str, people: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the full names whose surname a text has, with their probabilities."""
    surnames = {word for word in _WORD_OF_NAME.findall(text) if word in people}
    return {name: chance for surname in surnames for name, chance in people[surname].items()}


def _with_person(
    entities: list[FoundEntity],
    place: Located,
    probability: float,
    text: str,
    counts: Mapping[tuple[str, str], int],
) -> list[FoundEntity]:
    """Return the entities of a sentence with a person at ``place``, if that fits what is there."""
    if _goes_on(text, place):
        return entities
    touching = [
        entity
        for entity in entities
        if entity.place.start < place.end and place.start < entity.place.end
    ]
    if not touching:
        return [*entities, FoundEntity(place, "PERSON", probability)]
    [entity, *others] = touching
    if others or entity.label == "PERSON" or entity.place != place:
        return entities
    name = text[place.start : place.end]
    if " " in name:  # the model had all of the name to tell by
        return entities
    if counts[name, entity.label] > counts[name, "PERSON"] + 1:
        return entities
    return [replace(e, label="PERSON") if e is entity else e for e in entities]


def _goes_on(text: str, place: Located) -> bool:
    """Return whether a surname is part of another name (Trump Tower) or word (Trump-backed, anti-Trump)."""
    if text[place.end : place.end + 1] in ("-", "–") or text[place.start - 1 : place.start] == "-":
        return True
    return _NEXT.match(text, place.end) is not None and not _is_heading(text)
