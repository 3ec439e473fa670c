"""Who "he" is: the name of the source behind a pronoun, a surname or a role.

A few sieves, the surest first, each deciding what the ones before left open, after the multi-pass sieve of Raghunathan
et al. (2010), "A Multi-Pass Sieve for Coreference Resolution", and Lee et al. (2013), "Deterministic Coreference
Resolution Based on Entity-Centric, Precision-Ranked Rules". Measured in ``docs/experiments.md``, 'Who "he" is'.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from claimstance.inference.coreference.people import (
    GENDERS,
    PRONOUN,
    Article,
    Entity,
    Mention,
    Span,
)
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.person_names import bare_name, person_name, title_of, words

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
_FAR = 8  # sentences back from "he" and "she"
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
_HEAD = re.compile(
    r"(\w+)(?=,|$|\s(?:of|in|for|from|with|who|that|at|on|to|near|familiar|close)\b)"
)
_ROLE_AFTER = re.compile(
    r",\s+(the\s+[\w-]+(?:\s[\w-]+){0,3}?)(?=[,.;)]|\s(?:of|for|who|in|from)\b)"
)
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
    """The name of the source that each source span refers to.

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
    text: str, sentences: Sequence[Span], sources: Sequence[Span], entities: Iterable[Entity]
) -> dict[Span, str | None]:
    """As ``resolve_names``, by span, and with every he and she of the article, sources or not."""
    article = Article(text, sentences, entities)
    phrases = {span: " ".join(text[slice(*span)].split()) for span in sources}
    roles = _roles(article)
    names: dict[Span, str | None] = {
        span: _named(article, span) or roles.get(phrase.lower()) or phrase.rstrip(" ,;") or phrase
        for span, phrase in phrases.items()
        if not _is_pronoun(_word(phrase))
    }
    persons = _persons(article, set(sources), names)
    names |= {span: persons[span] for span in sources if span in persons}
    for i, span in enumerate(sources):
        if span in names:
            continue
        word = _word(phrases[span])
        if word in _RELATIVE:
            names[span] = _just_before(article, span, names)
        elif word in _GROUP_PRONOUNS:
            names[span] = _earlier_group(article, sources[:i], span, names, plural=True)
        elif word in _THING_PRONOUNS:
            names[span] = _earlier_group(article, sources[:i], span, names, plural=False)
        else:
            names[span] = None
    return {**persons, **names}


def same_name(a: str, b: str) -> bool:
    """Whether two names of one article may be one source's: equal without titles, or a full name and its surname.

    >>> same_name("Mr. Trump", "Donald Trump"), same_name("Bill Clinton", "Hillary Clinton")
    (True, False)
    """
    a, b = bare_name(a), bare_name(b)
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


def is_meant(name: str, reference: str) -> bool:
    """Whether whoever a source or pronoun refers to is the one called ``name``; no *spokesman for Trump* is Trump.

    >>> is_meant("Trump", "Donald Trump"), is_meant("United Nations", "UN"), is_meant("Trump", "an aide to Trump")
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


def _named(article: Article, span: Span) -> str | None:
    """Sieve 1: the phrase is a name, or a name with a title, a role or an apposition."""
    text = article.text
    for person in article.people:
        if span[0] <= person.start and person.end <= span[1] and _means_person(text, span, person):
            return person.name
    whole = bare_name(text[slice(*span)])
    if person_name(whole) or whole in article.full_names:
        return article.fullest(whole)
    return None


def _means_person(text: str, span: Span, person: Mention) -> bool:
    before, after = text[span[0] : person.start], text[person.end : span[1]]
    return not _BELONGS_ELSEWHERE.search(before) and _DESCRIBES.match(after) is not None


def _roles(article: Article) -> dict[str, str]:
    """Sieve 2: "the senator", where only one person of the article has that title or apposition."""
    holders: dict[str, set[str]] = {}
    for person in article.people:
        for role in _roles_of(article.text, person):
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


def _persons(
    article: Article, sources: set[Span], names: dict[Span, str | None]
) -> dict[Span, str | None]:
    """Sieve 3: every he and she of the text in order, so that one who is spoken of again and again stays at hand."""
    people = [_as_source(person, names) for person in article.people]
    people += [
        _described(article, span, name)
        for span, name in names.items()
        if name and _is_described(name)
    ]
    people.sort(key=lambda person: person.start)
    known: list[Mention] = []
    found: dict[Span, str | None] = {}
    waiting = iter(people)
    person = next(waiting, None)
    for pronoun in PRONOUN.finditer(article.text):
        while person is not None and person.start < pronoun.start():
            known.append(person)
            person = next(waiting, None)
        span, name = pronoun.span(), _most_salient(article, known, pronoun)
        found[span] = name
        if name is not None:
            sentence, quoted = article.sentence_at(span[0]), article.is_quoted(span[0])
            is_subject = pronoun[0].lower() in ("he", "she")
            known.append(Mention(*span, sentence, name, quoted, is_subject, source=span in sources))
    return found


def _is_described(name: str) -> bool:
    return _INDEFINITE.match(name) is not None and _is_somebody(name)


def _is_somebody(name: str) -> bool:
    head = _HEAD.search(name.lower())
    return head is not None and _PERSON_NOUN.fullmatch(head[1]) is not None


def _described(article: Article, span: Span, name: str) -> Mention:
    """Somebody without a name who speaks, under the description."""
    quoted = article.is_quoted(span[0])
    return Mention(*span, article.sentence_at(span[0]), name, quoted, subject=True, source=True)


def _as_source(person: Mention, names: dict[Span, str | None]) -> Mention:
    """The mention, marked if it is what a source is called; others named within a source do not speak."""
    return replace(
        person,
        source=any(
            start <= person.start and person.end <= end and name == person.name
            for (start, end), name in names.items()
        ),
    )


def _most_salient(article: Article, known: Sequence[Mention], pronoun: re.Match[str]) -> str | None:
    """The first source, else the first subject, else the first person of the nearest sentence with one who fits."""
    gender, sentence = GENDERS[pronoun[0].lower()], article.sentence_at(pronoun.start())
    may_be_quoted = article.is_quoted(pronoun.start())
    nearest: list[Mention] = []
    for person in reversed(known):
        if person.sentence < sentence - _FAR or (
            nearest and person.sentence != nearest[0].sentence
        ):
            break
        if article.genders.get(person.name, gender) == gender and (
            may_be_quoted or not person.quoted
        ):
            nearest.append(person)
    if not nearest:
        return None
    in_order = nearest[::-1]
    return max(
        in_order, key=lambda person: (person.source, person.subject)
    ).name  # the first of the best


def _just_before(article: Article, span: Span, names: dict[Span, str | None]) -> str | None:
    """Sieve 4, for who: the name that ends right before it."""
    for person in article.people:
        if person.end <= span[0] and re.fullmatch(
            r"['’]?,?\s*", article.text[person.end : span[0]]
        ):
            return person.name
    return next((name for other, name in names.items() if 0 <= span[0] - other[1] <= 2), None)


def _earlier_group(
    article: Article,
    earlier: Sequence[Span],
    span: Span,
    names: dict[Span, str | None],
    plural: bool,
) -> str | None:
    """Sieve 5, for they and it: the nearest earlier source that is a group, or a thing."""
    people = {person.name for person in article.people}
    for other in reversed(earlier):
        if article.sentence_at(span[0]) - article.sentence_at(other[0]) > _NEAR:
            return None
        name = names.get(other)
        if (
            name is not None
            and name not in people
            and not _is_somebody(name)
            and _is_plural(name) == plural
        ):
            return name
    return None


def _is_plural(name: str) -> bool:
    head = _HEAD.search(name.lower())
    word = head[1] if head else ""
    return (
        " and " in name
        or word in _PLURALS
        or (word.endswith("s") and not word.endswith(("ss", "us", "is", "news")))
    )
