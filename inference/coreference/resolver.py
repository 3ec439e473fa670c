"""Who "he" is: the name of the source behind a pronoun, a surname or a role.

A few sieves, the surest first, each deciding what the ones before left open, after the multi-pass sieve of Raghunathan
et al. (2010), "A Multi-Pass Sieve for Coreference Resolution", and Lee et al. (2013), "Deterministic Coreference
Resolution Based on Entity-Centric, Precision-Ranked Rules". Measured in ``docs/experiments.md``, 'Who "he" is'.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from claimstance.inference.coreference.people import (
    GENDERS,
    PRONOUN,
    Entity,
    Mention,
    PeopleInText,
    Span,
    unless_stopped,
)
from claimstance.inference.coreference.salience import RecentMentions
from claimstance.model.predictor import Stop, never
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.person_names import bare_name, person_name, title_of, words

Names = dict[Span, str | None]

_RELATIVE = words("who whom whose that which")
_GROUP_PRONOUNS = words("they them their theirs themselves")
_THING_PRONOUNS = words("it its itself")
_OTHER_PRONOUNS = words(
    "i me my myself we us our you your one this these those himself herself both"
)
_PLURALS = words(
    "people men women police many some others most several few dozens hundreds thousands"
)
_NEAR = 4  # sentences back from "they" and "it"; farther, nobody is answered
# What may stand before and after a person's name for the whole phrase to mean that person.
_BELONGS_ELSEWHERE = re.compile(
    r"\b(?:about|and|at|by|for|from|in|of|on|or|to|with)\b[^,]*$|['’]s?\s*$", re.IGNORECASE
)
_DESCRIBES = re.compile(r"(?:['’]s?)?\s*(?:$|[,(—–]|of\b|who\b|in\b|from\b|at\b)")
# "A veteran aide to the mayor": somebody new. "The aide" mostly is somebody who has been named, and is left to sieve 3.
_INDEFINITE = re.compile(r"(?:an?|one|another)\s", re.IGNORECASE)
_PERSON_NOUN = re.compile(
    r"(?:man|woman|person|\w+(?:ist|ian|eer|or)|aide|ally|critic|official|analyst|veteran|resident|president|student|"
    r"agent|expert|friend|father|mother|brother|sister|husband|wife|lawyer|officer|leader|member|speaker|reporter|writer|worker|"
    r"voter|supporter|manager|adviser|lawmaker|minister|teacher|farmer|owner|researcher|commander|organizer|volunteer|"
    r"candidate|nominee|delegate|diplomat|mayor|judge|secretary|general|attorney|chief|source|survivor|witness)"
)
# The search begins at the beginning of words and ends at their end, or a word of 50,000 letters would take minutes.
_HEAD = re.compile(
    r"(?<!\w)(\w+)(?!\w)(?=,|$|\s(?:of|in|for|from|with|who|that|at|on|to|near|familiar|close)\b)"
)
_ROLE_AFTER = re.compile(
    r",\s+(the\s+[\w-]+(?:\s[\w-]+){0,3}?)(?=[,.;)]|\s(?:of|for|who|in|from)\b)"
)
# The verb between a subject and an object pronoun; what follows a "her" that is no possessive.
_VERB = re.compile(r",?\s\w+(?:\s(?:about|against|at|by|for|of|to|with))?\s$")
_VERB_REACH = 40  # characters
_NO_NOUN = re.compile(r"[,.;:?!”]|\s(?:a|and|as|at|by|for|in|of|on|that|the|to|with)\b")
_COMMA = re.compile(r"['’]?,?\s*")
_LONG_FORMS = {
    "sen": "senator",
    "gov": "governor",
    "gen": "general",
    "prof": "professor",
    "dr": "doctor",
}


def resolve_names(
    text: str, sentences: Sequence[Span], sources: Sequence[Span], entities: Iterable[Entity]
) -> list[str | None]:
    """Return the name of the source that each source span refers to.

    Args:
        text: the article.
        sentences: ``(start, end)`` of its sentences, in order.
        sources: ``(start, end)`` of its sources, in order.
        entities: ``(start, end, label)``, as an entity tagger gives them, errors included.

    Returns:
        For each source: a name, in the fullest form in the article; a description's own text ("a US official");
        ``None`` for a pronoun that nobody fits.
    """
    names = resolve_references(text, sentences, sources, entities)
    return [names[span] for span in sources]


def resolve_references(
    text: str,
    sentences: Sequence[Span],
    sources: Sequence[Span],
    entities: Iterable[Entity],
    stop: Stop = never,
) -> Names:
    """Return names as ``resolve_names`` does, by span, and with every he and she of the article, sources or not.

    Raises:
        StoppedError: once ``stop``, which is asked now and then, says so.
    """
    people = PeopleInText(text, sentences, entities, stop)
    phrases = {span: " ".join(text[slice(*span)].split()) for span in sources}
    roles = _roles(people, stop)
    names: Names = {
        span: _named(people, span) or roles.get(phrase.lower()) or phrase.rstrip(" ,;") or phrase
        for span, phrase in unless_stopped(phrases.items(), stop)
        if not _is_pronoun(_word(phrase))
    }
    pronouns = _resolve_pronouns(people, set(sources), names, stop)
    names |= {span: pronouns[span] for span in phrases if span in pronouns}
    return {**pronouns, **_resolve_others(people, phrases, names, stop)}


def same_name(a: str, b: str) -> bool:
    """Return whether two names may be one source's: equal without titles and accents, or a full name
    and its surname.

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


def refers_to(name: str, reference: str) -> bool:
    """Return whether a source or pronoun called ``reference`` is the one called ``name``; no *spokesman for Trump* is
    Trump.

    >>> refers_to("Trump", "Donald Trump"), refers_to("United Nations", "UN"), refers_to("Trump", "an aide to Trump")
    (True, True, False)
    """
    phrase = f"the {reference}"  # an acronym is one only beside lower case
    return same_name(name, reference) or (4, len(phrase)) in find_mentions(name, phrase)


def _word(phrase: str) -> str:
    return phrase if phrase == "US" else phrase.lower()  # a country, not us


def _is_pronoun(word: str) -> bool:
    return any(
        word in group
        for group in (GENDERS, _RELATIVE, _GROUP_PRONOUNS, _THING_PRONOUNS, _OTHER_PRONOUNS)
    )


def _named(people: PeopleInText, span: Span) -> str | None:
    """Sieve 1: return the name of a phrase that is a name, or a name with a title, a role or an apposition."""
    text = people.text
    for _, person in people.within(span):
        if _means_person(text, span, person):
            return person.name
    whole = bare_name(text[slice(*span)])
    return people.fullest(whole) if people.is_person(whole) else None


def _means_person(text: str, span: Span, person: Mention) -> bool:
    before, after = text[span[0] : person.start], text[person.end : span[1]]
    return not _BELONGS_ELSEWHERE.search(before) and _DESCRIBES.match(after) is not None


def _roles(people: PeopleInText, stop: Stop) -> dict[str, str]:
    """Sieve 2: return the name for "the senator", where only one person has that title or apposition."""
    holders: dict[str, set[str]] = {}
    for person in unless_stopped(people.people, stop):
        for role in _roles_of(people.text, person):
            holders.setdefault(role, set()).add(person.name)
    return {role: names.pop() for role, names in holders.items() if len(names) == 1}


def _roles_of(text: str, person: Mention) -> Iterator[str]:
    if after := _ROLE_AFTER.match(text, person.end):
        yield after[1].lower()
    near = text[max(0, person.start - 40) : person.end].rpartition("\n")[2].split(" ")
    titles = next(filter(None, (title_of(" ".join(near[i:])) for i in range(len(near)))), "")
    bare = (
        word for word in titles.lower().replace(".", "").split() if word not in ("former", "the")
    )
    title = " ".join(_LONG_FORMS.get(word, word) for word in bare)
    if title:
        yield f"the {title}"
        yield f"the {title.split()[-1]}"


def _resolve_pronouns(people: PeopleInText, sources: set[Span], names: Names, stop: Stop) -> Names:
    """Sieve 3: return whom every he and she means; one who is spoken of again and again stays at hand."""
    mentions = _as_sources(people, names)
    mentions += [
        _described(people, span, name)
        for span, name in names.items()
        if name and _is_described(name)
    ]
    # Outside quotes first: a pronoun there never means somebody whom only quotes mention, while a quoted one had better
    # not mean the speaker, who is often named behind the quote.
    pronouns: list[Mention] = []
    resolved: Names = {}
    for quoted in (False, True):
        meant: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for pronoun in pronouns:
            meant[pronoun.sentence].add((pronoun.pronoun or "", pronoun.name))
        recent = RecentMentions(people, meant)
        waiting = sorted([*mentions, *pronouns], key=lambda mention: mention.start)
        passed = 0
        for match in unless_stopped(PRONOUN.finditer(people.text), stop):
            span, word = match.span(), match[0].lower()
            if people.is_quoted(span[0]) != quoted:
                continue
            while passed < len(waiting) and waiting[passed].start < span[0]:
                recent.add(waiting[passed])
                passed += 1
            gender, sentence = GENDERS[word], people.sentence_at(span[0])
            subject = _subject_before(people, resolved, match)
            resolved[span] = name = recent.resolve(gender, sentence, quoted, subject)
            if name is not None:
                is_subject, is_source = word in ("he", "she"), span in sources
                pronoun = Mention(*span, sentence, name, quoted, is_subject, is_source, gender)
                pronouns.append(pronoun)
                recent.add(pronoun)
    return resolved


def _subject_before(people: PeopleInText, resolved: Names, pronoun: re.Match[str]) -> set[str]:
    """Return who acts on an object pronoun: *Orr blamed him*, *she spoke to him*. It never means them; that would be
    *himself* (Hobbs 1978, "Resolving pronoun references").
    """
    text, start = pronoun.string, pronoun.start()
    is_object = pronoun[0].lower() == "him" or (
        pronoun[0].lower() == "her" and _NO_NOUN.match(text, pronoun.end())
    )
    verb = _VERB.search(text[max(0, start - _VERB_REACH) : start])
    if not is_object or verb is None:
        return set()
    end = start - len(verb[0])
    names = {person.name for person in people.ending_between(end, end)}
    for word in ("he", "she"):
        name = resolved.get((end - len(word), end))
        if name is not None:
            names.add(name)
    return names


def _is_described(name: str) -> bool:
    return _INDEFINITE.match(name) is not None and _is_somebody(name)


def _is_somebody(name: str) -> bool:
    head = _HEAD.search(name.lower())
    return head is not None and _PERSON_NOUN.fullmatch(head[1]) is not None


def _described(people: PeopleInText, span: Span, name: str) -> Mention:
    """Return somebody without a name who speaks, under the description."""
    quoted = people.is_quoted(span[0])
    return Mention(*span, people.sentence_at(span[0]), name, quoted, subject=True, source=True)


def _as_sources(people: PeopleInText, names: Names) -> list[Mention]:
    """Return the people, each marked if a source is called so; others named within a source do not speak."""
    speaking = {
        number
        for span, name in names.items()
        for number, person in people.within(span)
        if person.name == name
    }
    return [
        replace(person, source=number in speaking) for number, person in enumerate(people.people)
    ]


def _resolve_others(
    people: PeopleInText, phrases: dict[Span, str], names: Names, stop: Stop
) -> Names:
    """Return ``names`` with those of the sources that none of the sieves before has decided: who, they, it."""
    names = dict(names)
    by_end: dict[int, tuple[int, str | None]] = {}  # end → (rank in ``names``, name)
    for rank, ((_, end), name) in enumerate(names.items()):
        by_end.setdefault(end, (rank, name))
    known = {person.name for person in people.people}
    groups: dict[bool, tuple[int, str]] = {}  # plural? → (sentence, name) of the last one
    for span, phrase in unless_stopped(phrases.items(), stop):
        word, sentence = _word(phrase), people.sentence_at(span[0])
        if span not in names:
            name = None
            if word in _RELATIVE:
                name = _just_before(people, span, by_end)
            elif word in _GROUP_PRONOUNS or word in _THING_PRONOUNS:
                name = _earlier_group(groups, sentence, plural=word in _GROUP_PRONOUNS)
            names[span] = name
            by_end.setdefault(span[1], (len(names), name))
        name = names[span]
        if name is not None and name not in known and not _is_somebody(name):
            groups[_is_plural(name)] = (sentence, name)
    return names


def _just_before(
    people: PeopleInText, span: Span, by_end: dict[int, tuple[int, str | None]]
) -> str | None:
    """Sieve 4, for who: return the name that ends before it, with no more than a comma between."""
    text, start = people.text, span[0]
    first = start
    while first > 0 and text[first - 1].isspace():
        first -= 1
    for person in people.ending_between(first - 2, start):  # an apostrophe and a comma
        if _COMMA.fullmatch(text, person.end, start):
            return person.name
    near = [by_end[end] for end in range(start - 2, start + 1) if end in by_end]
    return min(near)[1] if near else None


def _earlier_group(groups: dict[bool, tuple[int, str]], sentence: int, plural: bool) -> str | None:
    """Sieve 5, for they and it: return the nearest earlier source that is a group, or a thing."""
    if plural not in groups:
        return None
    earlier, name = groups[plural]
    return name if sentence - earlier <= _NEAR else None


def _is_plural(name: str) -> bool:
    head = _HEAD.search(name.lower())
    word = head[1] if head else ""
    return (
        " and " in name
        or word in _PLURALS
        or (word.endswith("s") and not word.endswith(("ss", "us", "is", "news")))
    )
