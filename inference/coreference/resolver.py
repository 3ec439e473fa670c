"""Coreference of sources: the name that a pronoun, a surname or a role stands for.

The rules form a few sieves, the most precise first; each decides what the earlier ones left open. This follows the
multi-pass sieve of Raghunathan et al. (2010), "A Multi-Pass Sieve for Coreference Resolution", and Lee et al. (2013),
"Deterministic Coreference Resolution Based on Entity-Centric, Precision-Ranked Rules". Accuracy is measured in
``docs/experiments.md``, 'Who "he" is'.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from claimstance.inference.coreference.people import (
    GENDERS,
    PRONOUN,
    LabelledOffsets,
    Mention,
    Offsets,
    PeopleInText,
    cancellable,
)
from claimstance.inference.coreference.salience import RecentMentions
from claimstance.model.predictor import ShouldCancel, never_cancel
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.person_names import bare_name, honorific_of, person_name, words

Names = dict[Offsets, str | None]

_RELATIVE = words("who whom whose that which")
_GROUP_PRONOUNS = words("they them their theirs themselves")
_THING_PRONOUNS = words("it its itself")
_OTHER_PRONOUNS = words(
    "i me my myself we us our you your one this these those himself herself both"
)
_PLURALS = words(
    "people men women police many some others most several few dozens hundreds thousands"
)
_MAX_DISTANCE = 4  # sentences back from "they" and "it" to the group or thing that they mean
# Words before a name that make the phrase mean somebody else ("an aide to Orr"), and words after a
# name that still describe the person ("Orr, the senator").
_BELONGS_ELSEWHERE = re.compile(
    r"\b(?:about|and|at|by|for|from|in|of|on|or|to|with)\b[^,]*$|['’]s?\s*$", re.IGNORECASE
)
_DESCRIBES = re.compile(r"(?:['’]s?)?\s*(?:$|[,(—–]|of\b|who\b|in\b|from\b|at\b)")
# "A veteran aide to the mayor" introduces a person. "The aide" mostly is a person with a name.
_INDEFINITE = re.compile(r"(?:an?|one|another)\s", re.IGNORECASE)
_PERSON_NOUN = re.compile(
    r"(?:man|woman|person|\w+(?:ist|ian|eer|or)|aide|ally|critic|official|analyst|veteran|resident|president|student|"
    r"agent|expert|friend|father|mother|brother|sister|husband|wife|lawyer|officer|leader|member|speaker|reporter|writer|worker|"
    r"voter|supporter|manager|adviser|lawmaker|minister|teacher|farmer|owner|researcher|commander|organizer|volunteer|"
    r"candidate|nominee|delegate|diplomat|mayor|judge|secretary|general|attorney|chief|source|survivor|witness)"
)
# Lookarounds tie the match to whole words: otherwise a word of 50,000 letters would take minutes.
_HEAD = re.compile(
    r"(?<!\w)(\w+)(?!\w)(?=,|$|\s(?:of|in|for|from|with|who|that|at|on|to|near|familiar|close)\b)"
)
_ROLE_AFTER = re.compile(
    r",\s+(the\s+[\w-]+(?:\s[\w-]+){0,3}?)(?=[,.;)]|\s(?:of|for|who|in|from)\b)"
)
# The verb between a subject and an object pronoun ("Orr blamed him").
_VERB = re.compile(r",?\s\w+(?:\s(?:about|against|at|by|for|of|to|with))?\s$")
_VERB_REACH = 40  # characters before an object pronoun
_TITLE_REACH = 40  # characters before a name
# The text after a "her" that is an object, not a possessive.
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
    text: str,
    sentences: Sequence[Offsets],
    sources: Sequence[Offsets],
    entities: Iterable[LabelledOffsets],
) -> list[str | None]:
    """Return the name of the source that each source span refers to.

    Args:
        text: the article.
        sentences: ``(start, end)`` of its sentences, in order.
        sources: ``(start, end)`` of its sources, in order.
        entities: ``(start, end, label)``, as an entity tagger gives them, errors included.

    Returns:
        One entry per source: a name, in its fullest form in the article; the text of a description
        ("a US official"); ``None`` for a pronoun that nobody fits.
    """
    names = resolve_references(text, sentences, sources, entities)
    return [names[span] for span in sources]


def resolve_references(
    text: str,
    sentences: Sequence[Offsets],
    sources: Sequence[Offsets],
    entities: Iterable[LabelledOffsets],
    stop: ShouldCancel = never_cancel,
) -> Names:
    """Return names as ``resolve_names`` does, by span, with every *he* and *she* of the article added.

    Raises:
        CancelledError: once ``stop``, which is called every few steps, returns true.
    """
    people = PeopleInText(text, sentences, entities, stop)
    phrases = {}  # span of a source → its words, separated by single spaces
    for start, end in sources:
        phrases[start, end] = " ".join(text[start:end].split())

    names_by_role: dict[str, set[str]] = defaultdict(set)
    for person in cancellable(people.people, stop):
        for role in _roles_of(people.text, person):
            names_by_role[role].add(person.name)

    # Sieves 1 and 2: names, and roles ("the senator") that only one person has.
    names: Names = {}
    for span, phrase in cancellable(phrases.items(), stop):
        if is_pronoun(_lower(phrase)):
            continue
        name = _person_name(people, span)
        people_with_role = names_by_role.get(phrase.lower(), set())
        if not name and len(people_with_role) == 1:
            (name,) = people_with_role
        # A phrase of punctuation alone stays as it is, since a name is never empty.
        names[span] = name or phrase.rstrip(" ,;") or phrase

    pronouns = _resolve_pronouns(people, set(sources), names, stop)
    # Pronouns follow the names here, since the next sieves prefer what comes first.
    for span in phrases:
        if span in pronouns:
            names[span] = pronouns[span]
    return {**pronouns, **_resolve_remaining(people, phrases, names, stop)}


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


def refers_to(name: str, reference: str) -> bool:
    """Return whether a source or pronoun resolved to ``reference`` is the one called ``name``.

    A *spokesman for Trump* is not Trump.

    >>> refers_to("Trump", "Donald Trump"), refers_to("United Nations", "UN"), refers_to("Trump", "an aide to Trump")
    (True, True, False)
    """
    phrase = f"the {reference}"  # find_mentions takes an acronym for a name only beside lower case
    return same_name(name, reference) or (4, len(phrase)) in find_mentions(name, phrase)


def _lower(phrase: str) -> str:
    """Return a phrase in lower case, except *US*: it is a country, not a pronoun."""
    return phrase if phrase == "US" else phrase.lower()


def is_pronoun(word: str) -> bool:
    """Return whether a word in lower case is a pronoun of any kind."""
    groups = (GENDERS, _RELATIVE, _GROUP_PRONOUNS, _THING_PRONOUNS, _OTHER_PRONOUNS)
    return any(word in group for group in groups)


def _person_name(people: PeopleInText, span: Offsets) -> str | None:
    """Return the name of a phrase that is a name, or a name with a title, a role or an apposition.

    This is sieve 1.
    """
    for _, person in people.within(span):
        if _means_person(people.text, span, person):
            return person.name
    # The entity tagger may have missed a name that the form of the phrase shows.
    phrase = bare_name(people.text[slice(*span)])
    return people.fullest(phrase) if people.is_person(phrase) else None


def _means_person(text: str, span: Offsets, person: Mention) -> bool:
    """Return whether a phrase means a person who is named in it: not *an aide to Orr*."""
    before = text[span[0] : person.start]
    after = text[person.end : span[1]]
    return not _BELONGS_ELSEWHERE.search(before) and _DESCRIBES.match(after) is not None


def _roles_of(text: str, person: Mention) -> Iterator[str]:
    """Yield the roles of a person: the apposition after the name, and the title before it."""
    apposition = _ROLE_AFTER.match(text, person.end)
    if apposition is not None:
        yield apposition[1].lower()

    # A title stands in the same line as the name: a heading ends with its line.
    line = text[max(0, person.start - _TITLE_REACH) : person.end].rpartition("\n")[2]
    line_words = line.split(" ")
    title = ""
    for i in range(len(line_words)):  # the longest title comes first
        title = honorific_of(" ".join(line_words[i:]))
        if title:
            break
    words_in_title = title.lower().replace(".", "").split()
    title_words = [
        _LONG_FORMS.get(word, word) for word in words_in_title if word not in ("former", "the")
    ]
    if title_words:
        yield f"the {' '.join(title_words)}"
        yield f"the {title_words[-1]}"


def _resolve_pronouns(
    people: PeopleInText, sources: set[Offsets], names: Names, stop: ShouldCancel
) -> Names:
    """Return the name of every *he* and *she*; a resolved pronoun keeps its person salient.

    This is sieve 3.
    """
    mentions = _mark_sources(people, names)
    for span, name in names.items():
        if name and _INDEFINITE.match(name) and _is_person_noun(name):
            # A person without a name who speaks goes by the description.
            sentence, quoted = people.sentence_at(span[0]), people.is_quoted(span[0])
            mentions.append(Mention(*span, sentence, name, quoted, subject=True, source=True))

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
        for match in cancellable(PRONOUN.finditer(people.text), stop):
            span, word = match.span(), match[0].lower()
            if people.is_quoted(span[0]) != quoted:
                continue
            while position < len(candidates) and candidates[position].start < span[0]:
                recent.add(candidates[position])
                position += 1

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
    """Return the subjects that act on an object pronoun: *Orr blamed him*, *she spoke to him*.

    The pronoun never means its own subject, which would be *himself* (Hobbs 1978, "Resolving pronoun
    references").
    """
    text, start, word = pronoun.string, pronoun.start(), pronoun[0].lower()
    if word not in ("him", "her"):
        return set()
    if word == "her" and not _NO_NOUN.match(text, pronoun.end()):
        return set()  # a possessive: in "Orr sold her boat" the boat may be Orr's own
    verb = _VERB.search(text[max(0, start - _VERB_REACH) : start])
    if verb is None:
        return set()

    end = start - len(verb[0])  # of the subject
    names = {person.name for person in people.ending_between(end, end)}
    for word in ("he", "she"):
        name = resolved.get((end - len(word), end))
        if name is not None:
            names.add(name)
    return names


def _is_person_noun(name: str) -> bool:
    """Return whether the head of a description is a noun for a person: "an aide to the mayor"."""
    head = _HEAD.search(name.lower())
    return head is not None and _PERSON_NOUN.fullmatch(head[1]) is not None


def describes_person(name: str) -> bool:
    """Return whether a name only describes somebody: its head is a noun for a person, in lower case.

    >>> describes_person("the Vermont senator"), describes_person("Senator Lee"), describes_person("voters")
    (True, False, False)
    """
    head = _HEAD.search(name)
    return head is not None and head[1].islower() and _PERSON_NOUN.fullmatch(head[1]) is not None


def _mark_sources(people: PeopleInText, names: Names) -> list[Mention]:
    """Return the people, marked as sources where they speak.

    A person who is named within a source but is not that source does not speak: *an aide to Orr*.
    """
    marked = list(people.people)
    for span, name in names.items():
        for number, person in people.within(span):
            if person.name == name:
                marked[number] = replace(person, source=True)
    return marked


def _resolve_remaining(
    people: PeopleInText, phrases: dict[Offsets, str], names: Names, stop: ShouldCancel
) -> Names:
    """Return ``names`` with the sources that the earlier sieves left open: *who*, *they*, *it*."""
    names = dict(names)
    by_end: dict[int, tuple[int, str | None]] = {}  # end → (rank in ``names``, name)
    for rank, ((_, end), name) in enumerate(names.items()):
        by_end.setdefault(end, (rank, name))

    person_names = {person.name for person in people.people}
    # Is plural → the sentence and the name of the last group or thing.
    last_mentions: dict[bool, tuple[int, str]] = {}
    for span, phrase in cancellable(phrases.items(), stop):
        word, sentence = _lower(phrase), people.sentence_at(span[0])
        if span not in names:
            name = None
            if word in _RELATIVE:
                name = _antecedent_of_who(people, span, by_end)
            elif word in _GROUP_PRONOUNS or word in _THING_PRONOUNS:
                # Sieve 5: the last group for *they*, the last thing for *it*, unless it is far back.
                last_mention = last_mentions.get(word in _GROUP_PRONOUNS)
                if last_mention is not None and sentence - last_mention[0] <= _MAX_DISTANCE:
                    name = last_mention[1]
            names[span] = name
            by_end.setdefault(span[1], (len(names), name))
        # Whatever is no person can be meant by the next *they* or *it*.
        name = names[span]
        if name is not None and name not in person_names and not _is_person_noun(name):
            last_mentions[_is_plural(name)] = (sentence, name)
    return names


def _antecedent_of_who(
    people: PeopleInText, span: Offsets, by_end: dict[int, tuple[int, str | None]]
) -> str | None:
    """Return the name that ends before a *who*, with at most a comma between: sieve 4."""
    text, start = people.text, span[0]
    space_start = start
    while space_start > 0 and text[space_start - 1].isspace():
        space_start -= 1
    # Two characters more, for an apostrophe and a comma.
    for person in people.ending_between(space_start - 2, start):
        if _COMMA.fullmatch(text, person.end, start):
            return person.name
    near = [by_end[end] for end in range(start - 2, start + 1) if end in by_end]
    return min(near)[1] if near else None


def _is_plural(name: str) -> bool:
    """Return whether a description or name means several people or things."""
    if " and " in name:
        return True
    head = _HEAD.search(name.lower())
    if head is None:
        return False
    word = head[1]
    has_plural_ending = word.endswith("s") and not word.endswith(("ss", "us", "is", "news"))
    return word in _PLURALS or has_plural_ending
