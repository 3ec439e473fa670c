"""Correction of named entities by the form of the text.

The model labels single tokens and was trained on automatic annotations. It may label *Clinton Foundation* as a person
and an organization, only the first word of *Islamic State*, and *Trump* not at all at the beginning of a sentence.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from claimstance.model.text.mentions import NO_FIRST_NAME, find_mentions, has_capital
from claimstance.model.text.name_extent import (
    LAST_WORD,
    LEADING_MARKS,
    NEXT_WORD,
    extend_back,
    extend_forward,
    with_whole_words,
    without_open_end,
)
from claimstance.model.text.person_names import person_name, words
from claimstance.model.windows import SentenceSpan

# Words that continue after a hyphen: Bashar al- | Assad, Trans- | Pacific Partnership.
_OPEN_ENDS = words("al Al el El Trans Sub Indo")
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OF_NAME = re.compile(r"[^\W\d_]+(?:[-’'](?!s\b)[^\W\d_]+)*")
_LOWER_CASE = re.compile(r"\b[a-z]\w+")
# The last part of a name decides its label if it is one of these: Clinton | Foundation.
_HEADS = ("ORGANIZATION", "LOCATION")


@dataclass(frozen=True)
class DecodedEntity:
    """Represent a named entity that the model found."""

    span: SentenceSpan
    label: str
    probability: float


def whole_names(entities: Sequence[DecodedEntity], texts: Sequence[str]) -> list[DecodedEntity]:
    """Return the entities as complete names, for the default labels.

    - An entity without a capital is dropped.
    - A name consists of whole words (*EB-5*, *U.S.*), and has no *of* or hyphen at its end.
    - Two entities with only a space between them are one name with the label of the second if that is an organization
      or place, or if both have the same label: *United Arab* | *Emirates*, but *Republican* | *Marco Rubio*.
    - A name, unless a person's, includes the capitalised words on both sides, up to a title, a day and the like after
      it (*Podesta* Group, Affordable *Care Act*, not *Russian* President, *Geneva* Monday). Headings, where all words
      have capitals, are an exception.
    - A person who is named once is the same person under the surname alone.

    Args:
        entities: the entities, in the order of the texts.
        texts: the sentences that they are in.
    """
    names: list[DecodedEntity] = []
    for entity in entities:
        if not has_capital(_text_of(entity, texts)):
            continue
        span = with_whole_words(entity.span, texts[entity.span.sentence])
        name = replace(entity, span=span)
        last = names[-1] if names else None
        if last is not None and _are_one_name(last, name, texts):
            span = replace(last.span, end=max(last.span.end, span.end))
            probability = min(last.probability, name.probability)
            names[-1] = DecodedEntity(span, name.label, probability)
        else:
            names.append(name)

    # Only whole names can limit one another, so that they grow in a second pass.
    complete = []
    previous: SentenceSpan | None = None
    for entity, following in zip_longest(names, names[1:]):
        span, text = entity.span, texts[entity.span.sentence]
        if entity.label != "PERSON" and not _is_heading(text):
            # The neighbouring entities of the sentence limit the name.
            first, limit = 0, len(text)
            if previous is not None and previous.sentence == span.sentence:
                first = previous.end
            if following is not None and following.span.sentence == span.sentence:
                limit = following.span.start
            start = extend_back(text, span.start, first)
            end = extend_forward(text, span.end, limit)
            span = replace(span, start=start, end=end)

        previous = span
        span = without_open_end(span, text)
        if span.start < span.end:
            complete.append(replace(entity, span=span))

    return with_known_people(complete, texts)


def _text_of(entity: DecodedEntity, texts: Sequence[str]) -> str:
    """Return the text of an entity."""
    return texts[entity.span.sentence][entity.span.start : entity.span.end]


def _are_one_name(last: DecodedEntity, entity: DecodedEntity, texts: Sequence[str]) -> bool:
    """Return whether two successive entities are parts of one name."""
    if last.span.sentence != entity.span.sentence:
        return False
    text = texts[entity.span.sentence]
    if entity.span.start < last.span.end:  # both were completed with the same word
        return True
    between = text[last.span.end : entity.span.start]
    has_hyphen = between == "" and text[last.span.end - 1] == "-"
    if between == "-" or has_hyphen:
        end = LAST_WORD.search(text, last.span.start, last.span.end - has_hyphen)
        return end is not None and end[0] in _OPEN_ENDS
    is_name = between == " " and has_capital(text[entity.span.start])
    return is_name and (entity.label in _HEADS or entity.label == last.label)


def _is_heading(text: str) -> bool:
    """Return whether more than half of the words after the first have capitals."""
    following: list[str] = _WORD.findall(text)[1:]
    capitalised = sum(word[0].isupper() for word in following)
    return 2 * capitalised > len(following)


def with_known_people(
    entities: Sequence[DecodedEntity], texts: Sequence[str]
) -> list[DecodedEntity]:
    """Return the entities, and persons under their surname alone if they are named in full elsewhere.

    A surname alone that is no entity yet becomes one, unless it begins a sentence and the texts also have it as a word
    in lower case (*Fields*). An entity with another label becomes a person, unless more entities of that name have its
    label than *PERSON* (*Washington*). The probability is that of the full name, from which the surname is inferred.

    Args:
        entities: the entities, in the order of the texts.
        texts: the sentences that they are in.
    """
    people: dict[str, dict[str, float]] = defaultdict(dict)  # surname → full name → probability
    for entity in entities:
        name = _text_of(entity, texts)
        person = person_name(name) if entity.label == "PERSON" else None
        # The model may take a word that begins a sentence for a first name: *When Ortega*.
        if person is not None and NO_FIRST_NAME.isdisjoint(name.split()):
            probabilities = people[person.surname]
            probabilities[name] = max(entity.probability, probabilities.get(name, 0.0))
    if not people:
        return list(entities)
    people_in_capitals = {surname.upper(): names for surname, names in people.items()}

    counts: Counter[tuple[str, str]] = Counter()
    by_sentence: dict[int, list[DecodedEntity]] = defaultdict(list)
    for entity in entities:
        name = _text_of(entity, texts)
        if name in people:
            counts[name, entity.label] += 1
        by_sentence[entity.span.sentence].append(entity)
    # Surnames, in lower case, that the texts also have as words in lower case.
    lower_surnames = {surname.lower() for surname in people}
    ordinary_words: set[str] = set()
    for text in texts:
        ordinary_words |= lower_surnames.intersection(_LOWER_CASE.findall(text))

    completed: list[DecodedEntity] = []
    for index, text in enumerate(texts):
        in_sentence = by_sentence[index]
        is_in_capitals = text.isupper()
        people_by_word = people_in_capitals if is_in_capitals else people
        names: dict[str, float] = {}  # the full names whose surname the text contains
        for word in _WORD_OF_NAME.findall(text):
            names.update(people_by_word.get(word, {}))
        for name, probability in names.items():
            for start, end in find_mentions(name, text):
                has_capital_anyway = is_in_capitals or not text[:start].strip(LEADING_MARKS)
                if has_capital_anyway and text[start:end].lower() in ordinary_words:
                    continue
                span = SentenceSpan(index, start, end)
                in_sentence = _with_person(in_sentence, span, probability, text, counts)
        completed += sorted(in_sentence, key=lambda entity: entity.span)
    return completed


def _with_person(
    entities: list[DecodedEntity],
    span: SentenceSpan,
    probability: float,
    text: str,
    counts: Mapping[tuple[str, str], int],
) -> list[DecodedEntity]:
    """Return the entities of a sentence with a person at ``span``, if no other entity contradicts."""
    # Trump-backed and anti-Trump are other words, Trump Tower is another name.
    if text[span.end : span.end + 1] in ("-", "–") or text[span.start - 1 : span.start] == "-":
        return entities
    if NEXT_WORD.match(text, span.end) and not _is_heading(text):
        return entities

    overlapping = [
        entity
        for entity in entities
        if entity.span.start < span.end and span.start < entity.span.end
    ]
    if not overlapping:
        return [*entities, DecodedEntity(span, "PERSON", probability)]
    entity = overlapping[0]
    # Only an entity at exactly this place is another reading of the same name.
    if len(overlapping) > 1 or entity.label == "PERSON" or entity.span != span:
        return entities

    name = text[span.start : span.end]
    # The model has seen all of a full name, and is more reliable there.
    if " " in name:
        return entities
    if counts[name, entity.label] > counts[name, "PERSON"] + 1:
        return entities

    completed = list(entities)
    completed[entities.index(entity)] = replace(entity, label="PERSON")
    return completed
