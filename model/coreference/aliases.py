"""Names of one text that mean the same person, group or thing: *Trump*, *Mr. Trump*, *Donald J. Trump*.

Precision comes first, since a wrong merge puts words into somebody's mouth: a short form that fits two
names of the text is merged with neither.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from claimstance.model.coreference.people import GENDERS
from claimstance.model.coreference.resolver import refers_to
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.mentions import has_capital
from claimstance.model.text.person_names import bare_name, honorific_of, person_name, words

_ARTICLE = re.compile(r"the\s+(?=\S)", re.IGNORECASE)
_POSSESSIVE = re.compile(r"[’']s?$")
#: What tells a son from his father, as the first group.
SUFFIX = re.compile(r",?\s+(Jr|Sr|II|III|IV)\b\.?", re.IGNORECASE)
_PRONOUNS = words("i me we us you they them it this that these those who which") | GENDERS.keys()
#: Without its country, a body of the United States is still the same one: "the Senate".
COUNTRY = re.compile(r"(?:U\.S\.|US|United States)\s+(?=[A-Z])")
_COUNTRY_KEY = re.compile(r"(?:u\.s\.|us|united states)\s")
# Words that are part of titles but, alone, describe things as often as people: "State Department".
_NO_TITLE = words(
    "former acting deputy foreign defense treasury state interior majority minority republican democratic "
    "senate house gop democrat labour conservative justice general chief"
)
_MALE_TITLES = words("mr sir lord king prince")
_FEMALE_TITLES = words("mrs ms miss dame lady queen")
#: An acronym, without stops.
INITIALS = re.compile(r"[A-Z]{2,6}")
_FUNCTION_WORDS = words("a an and for in of on or the to")
#: Names that share a surname and are compared in pairs; of more, only equal ones are merged.
_MAX_NAMESAKES = 40


@dataclass(frozen=True)
class FullName:
    """Represent a person's full name for comparison; ``middle`` and ``suffix`` may be empty.

    Attributes:
        surnames: the surname, and the surname with its particles.
    """

    first: str
    middle: str
    surnames: frozenset[str]
    suffix: str


def group_aliases(names: Iterable[str]) -> dict[str, str]:
    """Return each name of a text → the fullest of the names that mean the same.

    A full name is joined by its surname, with or without a title, unless two people of the text share
    the surname; a name of several words by its acronym. Leading *the*, case, accents and a possessive
    ending make no difference. Pronouns stand for themselves.

    >>> group_aliases(["Trump", "Donald J. Trump", "Kerry"])
    {'Trump': 'Donald J. Trump', 'Donald J. Trump': 'Donald J. Trump', 'Kerry': 'Kerry'}
    """
    unique = list(dict.fromkeys(names))
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in unique:
        by_key[name_key(name)].append(name)

    groups = _Groups(by_key)
    _join_people(groups)
    _join_acronyms(groups)
    _join_bodies_of_the_country(groups)

    fullest = {}
    for members in groups.members():
        # The most letters without titles, then the fewest with them.
        best = min(members, key=lambda name: (-len(bare_name(name)), len(name)))
        for name in members:
            fullest[name] = best
    return {name: fullest[name] for name in unique}


class _Groups:
    """Hold the keys of names in groups that can be joined (a union-find structure).

    Attributes:
        names: key → the names with this key.
    """

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self._parents = {key: key for key in names}

    def find(self, key: str) -> str:
        """Return the key that stands for the group of ``key``."""
        parents = self._parents
        while parents[key] != key:
            # Each step halves the path, so that later searches are short.
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    def join(self, key: str, other: str) -> None:
        """Join the groups of two keys."""
        self._parents[self.find(other)] = self.find(key)

    def members(self) -> Iterator[list[str]]:
        """Yield the names of each group."""
        members: dict[str, list[str]] = defaultdict(list)
        for key, names in self.names.items():
            members[self.find(key)] += names
        yield from members.values()


def name_key(name: str) -> str:
    """Return a name without what makes no difference; a pronoun unchanged."""
    folded = " ".join(fold_accents(name).split())
    # In capitals, "IT" and "US" are acronyms, but "I" is the pronoun.
    is_acronym = folded.isupper() and len(folded) > 1
    if folded.lower() in _PRONOUNS and not is_acronym:
        return f"pronoun {folded}"
    bare = _POSSESSIVE.sub("", _without_article(folded)) or folded
    without_stops = bare.replace(".", "")
    if INITIALS.fullmatch(without_stops):
        return without_stops.casefold()
    return bare.casefold()


def _without_article(name: str) -> str:
    """Return a name without a leading *the*."""
    return _ARTICLE.sub("", name, count=1)


def _join_people(groups: _Groups) -> None:
    """Join full names of one person, and the surnames that only one person has."""
    full: dict[str, dict[str, FullName]] = defaultdict(dict)  # surname → key → person
    short: dict[str, dict[str, str]] = defaultdict(dict)  # surname → key → title
    for key, names in groups.names.items():
        name = names[0]
        person = parse_full_name(name)
        if person is not None:
            for surname in person.surnames:
                full[surname][key] = person
            continue
        bare = bare_name(fold_accents(name))
        if has_capital(bare) and not key.startswith("pronoun "):
            title = honorific_of(name).lower().replace(".", "")
            short[bare.casefold()][key] = title

    for surname, titles in short.items():
        _join_surnames(groups, full.get(surname, {}), titles)
    for people in full.values():
        # Comparing all pairs takes quadratic time.
        if len(people) > _MAX_NAMESAKES:
            continue
        fitting: dict[str, set[str]] = {}  # key → the keys of names that may mean the same person
        for key, person in people.items():
            fitting[key] = {other for other in people if _same_person(person, people[other])}
        for key, other in combinations(people, 2):
            # "George Bush" fits both "George W. Bush" and "George H. W. Bush", who do not fit each other.
            if other in fitting[key] and fitting[key] == fitting[other]:
                groups.join(key, other)


def parse_full_name(name: str) -> FullName | None:
    """Return the parts of a person's full name for comparison; ``None`` for any other name."""
    folded = fold_accents(name)
    parsed = person_name(folded)
    if parsed is None:
        return None
    middle = ""
    if not parsed.surname_is_first:
        # Middle names are what person_name skips between the first name and the surname.
        name_words = SUFFIX.sub("", bare_name(folded)).split()
        middle = " ".join(name_words[1:-1])
    middle = middle.removesuffix(parsed.particles.strip()).strip()
    suffix = SUFFIX.search(folded)
    with_particles = parsed.particles + parsed.surname
    return FullName(
        first=parsed.first.rstrip(".").casefold(),
        middle=middle.replace(".", "").casefold(),
        surnames=frozenset({parsed.surname.casefold(), with_particles.casefold()}),
        suffix=suffix[1].casefold() if suffix else "",
    )


def _same_person(a: FullName, b: FullName) -> bool:
    """Return whether two full names with one surname are those of one person."""
    if a.suffix != b.suffix:
        return False
    return fits(a.first, b.first) and fits(a.middle, b.middle)


def fits(a: str, b: str) -> bool:
    """Return whether two first or middle names may be one: an initial fits what begins with it, ``""`` fits all."""
    return a.startswith(b) or b.startswith(a)


def _join_surnames(groups: _Groups, people: dict[str, FullName], titles: dict[str, str]) -> None:
    """Join the short forms of a surname with each other and with the only person who has it.

    Args:
        groups: the groups.
        people: the full names with this surname, by key.
        titles: the short forms by key, with their titles ("" for the surname alone).
    """
    # A surname stays alone wherever the text has a sign of two people who share it.
    genders = {gender_of(title) for title in titles.values()} - {""}
    if len(genders) > 1 or len(people) > _MAX_NAMESAKES:
        return
    for person, other in combinations(people.values(), 2):
        if not _same_person(person, other):
            return
    for key in titles:
        if SUFFIX.search(groups.names[key][0]):
            return

    forms = list(titles)
    if not people:
        # Without a full name, only a title shows that the short forms mean people.
        forms = [
            key for key, title in titles.items() if not title or title.split()[-1] not in _NO_TITLE
        ]
        if not any(titles[key] for key in forms):
            return

    first, *others = (*people, *forms)
    for key in others:
        groups.join(first, key)


def gender_of(title: str) -> str:
    """Return the gender that a title in lower case implies, ``male`` or ``female``; ``""`` if none."""
    title_words = set(title.split())
    if title_words & _MALE_TITLES:
        return "male"
    return "female" if title_words & _FEMALE_TITLES else ""


def _join_acronyms(groups: _Groups) -> None:
    """Join names of several words with their acronym: *United Nations* and *UN*."""
    by_initials: dict[str, list[str]] = defaultdict(list)
    for key, names in groups.names.items():
        for initials in set(initials_of(names[0])):
            by_initials[initials].append(key)
    for key, names in groups.names.items():
        acronym = _without_article(names[0]).replace(".", "")
        long_forms = by_initials.get(acronym, [])
        # A short form that fits several names is joined with none.
        if len(long_forms) != 1 or not INITIALS.fullmatch(acronym):
            continue
        (long_form,) = long_forms
        if refers_to(groups.names[long_form][0], acronym):
            groups.join(long_form, key)


def initials_of(name: str) -> Iterator[str]:
    """Yield the initials of a name of several words, with and without its function words."""
    name_words = _without_article(fold_accents(name)).split()
    if len(name_words) < 2 or not name_words[0][0].isupper():
        return
    content_words = [word for word in name_words if word.lower() not in _FUNCTION_WORDS]
    for abbreviated in (name_words, content_words):
        yield "".join(word[0].upper() for word in abbreviated)


def _join_bodies_of_the_country(groups: _Groups) -> None:
    """Join *U.S. Senate* and *the Senate*, unless the text has another senate."""
    by_last_word: dict[str, list[str]] = defaultdict(list)
    for key in groups.names:
        by_last_word[_last_word(key)].append(key)
    for key, names in groups.names.items():
        name = _without_article(names[0])
        country = COUNTRY.match(name)
        if country is None:
            continue
        body = name_key(name[country.end() :])
        if body not in groups.names:
            continue
        has_rival = False
        for other in by_last_word[_last_word(body)]:
            # "Texas Senate" also ends with the body, and is another one.
            if other != key and other.endswith(f" {body}"):
                before_body = other.removesuffix(body)
                if not _COUNTRY_KEY.fullmatch(before_body):
                    has_rival = True
        if not has_rival:
            groups.join(key, body)


def _last_word(key: str) -> str:
    return key.rpartition(" ")[2]
