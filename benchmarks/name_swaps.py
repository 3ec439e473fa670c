"""Replace the names of an article by other names of their kind, consistently in all of its sentences.

People become other people (of the same gender where the articles show it), by full name, surname and
first name. Organizations become organizations, places become places, and the two parties of the United
States are exchanged for each other. Nationalities and religions stay: they belong to what is said.

A model that reads gives the same answers afterwards; one that remembers who dislikes whom does not.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from name_replacement import swap_names

from claimstance.model.coreference.people import PeopleInText
from claimstance.model.coreference.resolver import refers_to
from claimstance.model.record import Record
from claimstance.model.text.person_names import PersonName, bare_name, person_name

PERSON = "PERSON"
NON_PERSON_LABELS = ("ORGANIZATION", "LOCATION")
_PARTY = re.compile(r"\b(?:Republicans?|Democrats?|Democratic|GOP|RNC|DNC)\b|G\.O\.P\.")
_LOWER_CASE = re.compile(r"\b[a-z]\w+")
_MIN_LETTERS = 3  # of a first name that is drawn; an initial is not
_ARTICLE_BEFORE = re.compile(r"\bthe\s$", re.IGNORECASE)

#: A name's kind: the label, and for people the gender, for others the article that precedes them.
Kind = tuple[str, str]


@dataclass
class Names:
    """Represent the names of one article.

    Attributes:
        people: first name and surname → the full names that have both.
        single: names of people in one word that belong to nobody named in full.
        first_names: first names of one person only, which are no words of the article otherwise.
        genders: first name and surname, or a single name → ``male`` or ``female``, where it is known.
        non_persons: organizations and places → their kinds.
    """

    people: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    single: set[str] = field(default_factory=set)
    first_names: set[str] = field(default_factory=set)
    genders: dict[tuple[str, str] | str, str] = field(default_factory=dict)
    non_persons: dict[str, Kind] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """Represent the names that are drawn from.

    Attributes:
        people: the people named in full, each once, with the gender if it is known, else ``""``.
        non_persons: kind → organizations or places → the number of articles that have the name.
        genders: first name and surname, or first name alone → gender.
    """

    people: Sequence[tuple[PersonName, str]]
    non_persons: Mapping[Kind, Mapping[str, int]]
    genders: Mapping[tuple[str, str] | str, str]


def swap_articles(records: Iterable[Record], seed: int = 13) -> list[Record]:
    """Return the records of several articles with the names of each replaced by names of the others.

    Args:
        records: annotated sentences with entities, article by article.
        seed: the seed of the drawing; the names of one article do not depend on those of the next.
    """
    articles = [list(group) for _, group in groupby(records, key=lambda record: record.doc_id)]
    names = [collect_names(article) for article in articles]
    pool = make_pool(names)
    swapped: list[Record] = []
    for article, own in zip(articles, names, strict=True):
        rng = random.Random(f"{seed} {article[0].doc_id}")
        swapped += swap_names(article, draw_replacements(own, pool, rng))
    return swapped


def collect_names(records: Sequence[Record]) -> Names:
    """Return the names of an article, from its entities and from its holders that are names."""
    names = Names()
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    articles: dict[str, Counter[bool]] = defaultdict(Counter)  # name → is "the" before it
    for record in records:
        for entity in record.entities or ():
            start, end = entity.span[0][0], entity.span[-1][1]
            surface = record.text[start:end]
            name = bare_name(surface) if entity.label == PERSON else " ".join(surface.split())
            labels[name][entity.label] += 1
            articles[name][_ARTICLE_BEFORE.search(record.text[:start]) is not None] += 1
        for stance in record.stances or ():
            if isinstance(stance.holder, str) and person_name(stance.holder):
                labels[bare_name(stance.holder)][PERSON] += 1
    words: set[str] = set()
    for name, counts in labels.items():
        label = counts.most_common(1)[0][0]
        if _PARTY.search(name) or not name[:1].isupper():
            continue
        if label == PERSON:
            _add_person(name, names, words)
        elif label in NON_PERSON_LABELS:
            has_article = articles[name].most_common(1)[0][0]
            names.non_persons[name] = (label, "the" if has_article else "")
    surnames = {surname for _, surname in names.people}
    first_names = Counter(first for first, _ in names.people)
    ordinary = {word for record in records for word in _LOWER_CASE.findall(record.text)}
    names.first_names = {
        first
        for first, count in first_names.items()
        if count == 1 and first not in surnames and first.lower() not in ordinary
    }
    names.single = words - surnames - set(first_names)
    names.genders = _genders(records)
    return names


def _add_person(name: str, names: Names, words: set[str]) -> None:
    """Add a person's full name to ``names``, or a name in one word to ``words``."""
    person = person_name(name)
    if person is not None:
        names.people[person.first, person.surname].add(name)
    elif " " not in name:
        words.add(name)


def _genders(records: Sequence[Record]) -> dict[tuple[str, str] | str, str]:
    """Return the genders that titles and pronouns of an article show."""
    text = "\n".join(record.text for record in records)
    bounds, entities = [], []
    start = 0
    for record in records:
        bounds.append((start, start + len(record.text)))
        entities += [
            (start + entity.span[0][0], start + entity.span[-1][1], entity.label)
            for entity in record.entities or ()
        ]
        start += len(record.text) + 1
    genders: dict[tuple[str, str] | str, str] = {}
    for name, gender in PeopleInText(text, bounds, entities).genders.items():
        person = person_name(name)
        genders[(person.first, person.surname) if person else name] = gender
    return genders


def make_pool(articles: Sequence[Names]) -> Pool:
    """Return the names of several articles to draw from, in an order that does not vary."""
    people: dict[tuple[str, str], PersonName] = {}
    votes: dict[tuple[str, str] | str, Counter[str]] = defaultdict(Counter)
    non_persons: dict[Kind, Counter[str]] = defaultdict(Counter)
    for names in articles:
        for key, full_names in names.people.items():
            person = person_name(min(full_names))
            if person is not None and len(person.first) >= _MIN_LETTERS:
                people[key] = person
            if key in names.genders:
                votes[key][names.genders[key]] += 1
                votes[key[0]][names.genders[key]] += 1
        for name, kind in names.non_persons.items():
            non_persons[kind][name] += 1
    genders = {key: counts.most_common(1)[0][0] for key, counts in votes.items()}
    people_with_genders = [(people[key], _gender(key, {}, genders)) for key in sorted(people)]
    return Pool(people_with_genders, non_persons, genders)


def _gender(
    key: tuple[str, str],
    own: Mapping[tuple[str, str] | str, str],
    genders: Mapping[tuple[str, str] | str, str],
) -> str:
    """Return a person's gender by the article, else by other articles, else by the first name."""
    return own.get(key) or genders.get(key) or genders.get(key[0]) or ""


def draw_replacements(names: Names, pool: Pool, rng: random.Random) -> dict[str, str]:
    """Return name → replacement for all names of an article; no two names get the same one.

    A name for which the pool has no other one of its kind is left out, and so stays as it is.
    """
    own_words = {word for key in names.people for word in key} | names.single
    people = [
        (person, gender)
        for person, gender in pool.people
        if not own_words & {person.first, person.surname}
    ]
    rng.shuffle(people)
    replacements: dict[str, str] = {}
    surnames: dict[str, PersonName] = {}  # two people of one surname share the new one, too
    for key, full_names in sorted(names.people.items()):
        person = _draw_person(people, _gender(key, names.genders, pool.genders))
        if person is None:
            continue
        first, surname = key
        family = surnames.setdefault(surname, person)
        new_surname = family.particles + family.surname
        for full_name in full_names:
            replacements[full_name] = f"{person.first} {new_surname}"
        replacements[f"{first} {surname}"] = f"{person.first} {new_surname}"
        for particles in {parsed.particles for parsed in map(person_name, full_names) if parsed}:
            replacements[particles + surname] = new_surname
        replacements[surname] = new_surname
        if first in names.first_names:
            replacements.setdefault(first, person.first)
    for name in sorted(names.single):
        person = _draw_person(people, names.genders.get(name, ""))
        if person is not None:
            replacements[name] = person.particles + person.surname
    for kind in sorted(set(names.non_persons.values())):
        counts = pool.non_persons.get(kind, {})
        candidates = sorted(name for name in counts if name not in names.non_persons)
        rng.shuffle(candidates)
        # Names of several articles come first: of the others, some are errors of the entity tagger.
        candidates.sort(key=lambda name: counts[name] == 1)
        own = [name for name, own_kind in names.non_persons.items() if own_kind == kind]
        # If there are too few candidates, the last names stay as they are.
        replacements |= zip(sorted(own), candidates, strict=False)
    return replacements | _acronyms(names.non_persons, replacements)


def _draw_person(people: list[tuple[PersonName, str]], gender: str) -> PersonName | None:
    """Take a person of a gender from the list; one of any gender if it is ``""`` or nobody has it."""
    for number, (_, candidate_gender) in enumerate(people):
        if gender in ("", candidate_gender):
            return people.pop(number)[0]
    return people.pop()[0] if people else None


def _acronyms(names: Iterable[str], replacements: Mapping[str, str]) -> dict[str, str]:
    """Return acronym → the replacement of the full name that it stands for in this article."""
    names = list(names)
    full_names = [name for name in names if " " in name and name in replacements]
    acronyms = {}
    for short in names:
        if not short.isupper() or " " in short:
            continue
        for name in full_names:
            if refers_to(name, short):
                acronyms[short] = replacements[name]
    return acronyms
