"""Coreference of sources: the name that a pronoun, a surname or a role stands for.

The rules form a few sieves, the most precise first; each decides what the earlier ones left open. This follows the
multi-pass sieve of Raghunathan et al. (2010), "A Multi-Pass Sieve for Coreference Resolution", and Lee et al. (2013),
"Deterministic Coreference Resolution Based on Entity-Centric, Precision-Ranked Rules". Accuracy is measured in
``docs/experiments.md``, 'Who "he" is'.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from claimstance.model.coreference.people import (
    GENDERS,
    PRONOUN,
    LabelledOffsets,
    Mention,
    PeopleInText,
)
from claimstance.model.coreference.phrases import (
    GROUP_PRONOUNS,
    RELATIVE_PRONOUNS,
    THING_PRONOUNS,
    introduces_person,
    is_person_noun,
    is_plural,
    means_person,
    plain_name,
    pronoun_of,
    roles_of,
)
from claimstance.model.coreference.salience import RecentMentions
from claimstance.model.encoding import ShouldCancel, cancellable, never_cancel
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.offsets import Offsets
from claimstance.model.text.person_names import bare_name, person_name

Names = dict[Offsets, str | None]
#: End of a span → its rank among the names, and its name.
NamesByEnd = dict[int, tuple[int, str | None]]

# Sentences back from "they" and "it" to the group or thing that they mean: with 4, nearly all further answers are wrong
# (PolNeAR train).
_MAX_DISTANCE = 2
# The verb between a subject and an object pronoun ("Orr blamed him").
_VERB = re.compile(r",?\s\w+(?:\s(?:about|against|at|by|for|of|to|with))?\s$")
_VERB_REACH = 40  # characters before an object pronoun
# The text after a "her" that is an object, not a possessive.
_NO_NOUN = re.compile(r"[,.;:?!”]|\s(?:a|and|as|at|by|for|in|of|on|that|the|to|with)\b")
_COMMA = re.compile(r"['’]?,?\s*")


def resolve_names(
    text: str,
    sentences: Sequence[Offsets],
    sources: Sequence[Offsets],
    entities: Iterable[LabelledOffsets],
) -> list[str | None]:
    """Return the names that ``resolve_references`` gives the sources alone, in their order."""
    names = resolve_references(text, sentences, sources, entities)
    return [names[span] for span in sources]


def resolve_references(
    text: str,
    sentences: Sequence[Offsets],
    sources: Collection[Offsets],
    entities: Iterable[LabelledOffsets],
    *,
    others: Collection[Offsets] = (),
    should_cancel: ShouldCancel = never_cancel,
) -> Names:
    """Return the names that the sources, the ``others`` and each *he* and *she* of an article refer to, by span.

    Args:
        text: the article.
        sentences: ``(start, end)`` of its sentences, in order.
        sources: ``(start, end)`` of its sources. Pronouns prefer people who speak.
        entities: ``(start, end, label)``, as an entity tagger gives them, errors included.
        others: ``(start, end)`` of further spans to resolve, such as holders and targets of stances.
        should_cancel: called every few steps.

    Returns:
        Span → a name, in its fullest form in the article; the text of a description ("a US official");
        ``None`` for a pronoun that nobody fits.

    Raises:
        CancelledError: once ``should_cancel`` returns true.
    """
    people = PeopleInText(text, sentences, entities, should_cancel)
    speakers = set(sources)
    phrases: dict[Offsets, str] = {}  # span → its words, separated by single spaces
    for start, end in sorted(speakers.union(others)):
        phrases[start, end] = " ".join(text[start:end].split())

    names_by_role: dict[str, set[str]] = defaultdict(set)
    for person in cancellable(people.people, should_cancel):
        for role in roles_of(people.text, person):
            names_by_role[role].add(person.name)

    # Sieves 1 and 2: names, and roles ("the senator") that only one person has.
    names: Names = {}
    for span, phrase in cancellable(phrases.items(), should_cancel):
        if pronoun_of(phrase):
            continue
        name = _person_name(people, span)
        people_with_role = names_by_role.get(phrase.lower(), set())
        if not name and len(people_with_role) == 1:
            (name,) = people_with_role
        names[span] = name or plain_name(phrase)

    pronouns = _resolve_pronouns(people, speakers, names, should_cancel)
    # Pronouns follow the names here, since the next sieves prefer what comes first.
    for span in phrases:
        if span in pronouns:
            names[span] = pronouns[span]
    return {**pronouns, **_resolve_remaining(people, speakers, phrases, names, should_cancel)}


def same_name(a: str, b: str) -> bool:
    """Return whether two names may be those of one source.

    They are if they are equal without titles and accents, or are a full name and its surname.

    >>> same_name("Mr. Trump", "Donald Trump"), same_name("Bill Clinton", "Hillary Clinton")
    (True, False)
    """
    a, b = bare_name(fold_accents(a)), bare_name(fold_accents(b))
    if a.casefold() == b.casefold():
        return True
    first, second = person_name(a), person_name(b)
    if first and second:
        return (
            first.surname == second.surname
            and first.first[0] == second.first[0]
            and (first.first.startswith(second.first) or second.first.startswith(first.first))
        )
    short, person = (b, first) if first else (a, second)
    return person is not None and short in (person.surname, person.particles + person.surname)


def refers_to(name: str, resolved_name: str) -> bool:
    """Return whether a source or pronoun that was resolved to ``resolved_name`` is the one called ``name``.

    A *spokesman for Trump* is not Trump.

    >>> refers_to("Trump", "Donald Trump"), refers_to("United Nations", "UN"), refers_to("Trump", "an aide to Trump")
    (True, True, False)
    """
    # find_mentions takes an acronym for a name only beside lower case.
    phrase = f"the {resolved_name}"
    return same_name(name, resolved_name) or (4, len(phrase)) in find_mentions(name, phrase)


def _person_name(people: PeopleInText, span: Offsets) -> str | None:
    """Return the name of a phrase that is a name, or a name with a title, a role or an apposition.

    This is sieve 1.
    """
    for _, person in people.within(span):
        if means_person(people.text, span, person):
            return person.name
    # The entity tagger may have missed a name that the form of the phrase shows.
    phrase = bare_name(people.text[slice(*span)])
    return people.fullest(phrase) if people.is_person(phrase) else None


def _possible_antecedents(
    people: PeopleInText, sources: set[Offsets], names: Names
) -> list[Mention]:
    """Return the mentions of people and of descriptions, marked as sources where they speak.

    A person who is named within a source but is not that source does not speak: *an aide to Orr*.
    """
    mentions = list(people.people)
    for (start, end), name in names.items():
        if (start, end) not in sources:
            continue
        for number, person in people.within((start, end)):
            if person.name == name:
                mentions[number] = replace(person, source=True)
        # A person without a name who speaks goes by the description.
        if name and introduces_person(name):
            description = Mention(
                start,
                end,
                sentence=people.sentence_at(start),
                name=name,
                quoted=people.is_quoted(start),
                subject=True,
                source=True,
            )
            mentions.append(description)
    return mentions


def _resolve_pronouns(
    people: PeopleInText, sources: set[Offsets], names: Names, should_cancel: ShouldCancel
) -> Names:
    """Return the name of every *he* and *she*; a resolved pronoun keeps its person salient: sieve 3.

    Args:
        people: the people of the text.
        sources: the spans of its sources.
        names: the names of the spans that the earlier sieves have resolved.
        should_cancel: see ``cancellable``.
    """
    mentions = _possible_antecedents(people, sources, names)
    # Pronouns outside quotes go first: they never mean a person whom only quotes mention. A quoted
    # pronoun should not mean the speaker, who is often named only behind the quote.
    pronouns: list[Mention] = []
    resolved: Names = {}
    for quoted in (False, True):
        antecedents: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for pronoun in pronouns:
            antecedents[pronoun.sentence].add((pronoun.pronoun or "", pronoun.name))
        recent = RecentMentions(people, antecedents)

        candidates = sorted([*mentions, *pronouns], key=lambda mention: mention.start)
        position = 0
        for match in cancellable(PRONOUN.finditer(people.text), should_cancel):
            start, end = match.span()
            if people.is_quoted(start) != quoted:
                continue
            while position < len(candidates) and candidates[position].start < start:
                recent.add(candidates[position])
                position += 1

            word = match[0].lower()
            gender = GENDERS[word]
            sentence = people.sentence_at(start)
            excluded = _subject_before(people, resolved, match)
            name = recent.resolve(gender, sentence, quoted, excluded)
            resolved[start, end] = name
            if name is None:
                continue
            pronoun = Mention(
                start,
                end,
                sentence,
                name,
                quoted,
                subject=word in ("he", "she"),
                source=(start, end) in sources,
                pronoun=gender,
            )
            pronouns.append(pronoun)
            recent.add(pronoun)
    return resolved


def _subject_before(people: PeopleInText, resolved: Names, pronoun: re.Match[str]) -> set[str]:
    """Return the subjects that act on an object pronoun: *Orr blamed him*, *she spoke to him*.

    The pronoun never means its own subject, which would be *himself* (Hobbs 1978, "Resolving pronoun
    references").

    Args:
        people: the people of the text.
        resolved: the names of the pronouns so far.
        pronoun: the pronoun, as a match in the text.
    """
    text = pronoun.string
    start = pronoun.start()
    word = pronoun[0].lower()
    if word not in ("him", "her"):
        return set()
    if word == "her" and not _NO_NOUN.match(text, pronoun.end()):
        return set()  # a possessive: in "Orr sold her boat" the boat may be Orr's own
    verb = _VERB.search(text[max(0, start - _VERB_REACH) : start])
    if verb is None:
        return set()

    subject_end = start - len(verb[0])
    names = {person.name for person in people.ending_between(subject_end, subject_end)}
    for subject_pronoun in ("he", "she"):
        subject_start = subject_end - len(subject_pronoun)
        name = resolved.get((subject_start, subject_end))
        if name is not None:
            names.add(name)
    return names


def _resolve_remaining(
    people: PeopleInText,
    sources: Collection[Offsets],
    phrases: dict[Offsets, str],
    names: Names,
    should_cancel: ShouldCancel,
) -> Names:
    """Return ``names`` with the spans that the earlier sieves left open: *who*, *they*, *it*.

    Args:
        people: the people of the text.
        sources: the spans of its sources.
        phrases: span → its words.
        names: the names of the spans that the earlier sieves have resolved.
        should_cancel: see ``cancellable``.
    """
    names = dict(names)
    by_end: NamesByEnd = {}
    for rank, ((_, end), name) in enumerate(names.items()):
        by_end.setdefault(end, (rank, name))

    person_names = {person.name for person in people.people}
    # Is plural → the sentence and the name of the last group or thing, and of the last one that speaks.
    last_mentions: dict[bool, tuple[int, str]] = {}
    last_sources: dict[bool, tuple[int, str]] = {}
    for span, phrase in cancellable(phrases.items(), should_cancel):
        sentence = people.sentence_at(span[0])
        if span not in names:
            name = None
            word = pronoun_of(phrase)
            is_group = word in GROUP_PRONOUNS
            if word in RELATIVE_PRONOUNS:
                name = _antecedent_of_who(people, span[0], by_end)
            elif is_group or word in THING_PRONOUNS:
                # Sieve 5: the last group for *they*, the last thing for *it*, unless it is far back. A pronoun that
                # speaks prefers what has spoken before: "The embassy praised the deal. It accused ..."
                candidates = [last_mentions.get(is_group)]
                if span in sources:
                    candidates.insert(0, last_sources.get(is_group))
                for candidate in candidates:
                    if candidate is not None and sentence - candidate[0] <= _MAX_DISTANCE:
                        _, name = candidate
                        break
            names[span] = name
            by_end.setdefault(span[1], (len(names), name))

        # Whatever is no person can be meant by the next *they* or *it*.
        name = names[span]
        if name is not None and name not in person_names and not is_person_noun(name):
            last_mentions[is_plural(name)] = (sentence, name)
            if span in sources:
                last_sources[is_plural(name)] = (sentence, name)
    return names


def _antecedent_of_who(people: PeopleInText, start: int, by_end: NamesByEnd) -> str | None:
    """Return the name that ends before a *who*, with at most a comma between: sieve 4.

    Args:
        people: the people of the text.
        start: the first character of *who*.
        by_end: the names so far.
    """
    text = people.text
    space_start = start
    while space_start > 0 and text[space_start - 1].isspace():
        space_start -= 1
    # Two characters more, for an apostrophe and a comma.
    for person in people.ending_between(space_start - 2, start):
        if _COMMA.fullmatch(text, person.end, start):
            return person.name
    near = [by_end[end] for end in range(start - 2, start + 1) if end in by_end]
    if not near:
        return None
    _, name = min(near)
    return name
