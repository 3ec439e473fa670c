"""Patterns of the forms in which a text may mention a name: in full, by the surname, by an acronym."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from claimstance.model.text.person_names import PersonName, bare_name, person_name, words

_FUNCTION_WORDS = words("a an and at by de del des do du et for from in la of on or the to und y &")
# A particle that the surname may lack: (al-)Assad, (de) Blasio, but not (bin) Salman, (Le) Pen.
_OPTIONAL_PARTICLES = re.compile(r"(?:al|el|de|van|von)\b", re.IGNORECASE)
_MIDDLE_NAMES = r"(?:\s+[A-Z][\w.’'-]*){0,2}?"


@dataclass(frozen=True)
class CompiledName:
    """Represent a name as a pattern with the groups ``full``, ``surname`` and ``acronym``, one of which matches."""

    pattern: re.Pattern[str]
    person: PersonName | None = None


@lru_cache(maxsize=16384)
def compile_name(name: str) -> CompiledName | None:
    """Return the pattern of a name without accents; ``None`` if it has no letters or digits."""
    bare = bare_name(name)
    if not any(character.isalnum() for character in bare):
        return None
    person = person_name(bare)
    # A name has capitals, except for *of* and the like; any other phrase is a topic, in any case.
    first_word, *following = bare.split(" ")
    lower_case = [word for word in following if word[:1].islower()]
    is_topic = first_word[:1].islower() or not _FUNCTION_WORDS.issuperset(lower_case)
    if person is None and is_topic:
        topic = rf"(?<!\w)(?P<full>{_phrase_pattern(bare)})(?!\w)"
        return CompiledName(re.compile(topic, re.IGNORECASE))

    patterns: dict[str, list[str]] = {"full": [], "surname": [], "acronym": []}
    patterns["full"].append(_phrase_pattern(bare))
    if not bare.isupper():
        patterns["full"].append(_phrase_pattern(bare.upper()))
    elif len(bare) > 3 and "." not in bare:  # *Nato* for *NATO*, but not *Who* for *WHO*
        patterns["full"].append(_phrase_pattern(bare.title()))

    if person is not None:
        in_capitals = replace(person, first=person.first.upper(), surname=person.surname.upper())
        for variant_name in (person, in_capitals):
            first_name = _phrase_pattern(variant_name.first)
            surname = _surname_pattern(variant_name)
            if variant_name.surname_is_first:
                patterns["full"].append(rf"{_phrase_pattern(variant_name.surname)}\s+{first_name}")
            else:
                patterns["full"].append(rf"{first_name}{_MIDDLE_NAMES}\s+{surname}")
            patterns["surname"].append(surname)
    else:
        for acronym in _acronyms(name, bare):
            with_stops = ".".join(acronym) + "."
            patterns["acronym"] += [re.escape(with_stops), acronym]

    groups = []
    for group, forms in patterns.items():
        if forms:
            groups.append(f"(?P<{group}>{'|'.join(forms)})")
    return CompiledName(re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)"), person)


def _phrase_pattern(phrase: str) -> str:
    """Return a pattern of a phrase, with any white space between its words and any apostrophe in them."""
    words_pattern = r"\s+".join(re.escape(word) for word in phrase.split())
    return re.sub(r"['’]", "['’]", words_pattern)


def _surname_pattern(person: PersonName) -> str:
    """Return a pattern of the surname with its particles, some of which are optional."""
    surname = _phrase_pattern(person.surname)
    particles = re.sub(r"(?:\\ )|\s", r"\\s+", re.escape(person.particles))
    if not particles:
        return surname
    optional = "?" if _OPTIONAL_PARTICLES.match(person.particles) else ""
    return rf"(?i:{particles}){optional}{surname}"


def _acronyms(name: str, bare: str) -> Iterator[str]:
    """Yield acronyms of a name: capitals in parentheses, and the initials with and without *of* and the like."""
    bracketed = re.search(r"\(([A-Z]{2,})\)", name)
    if bracketed is not None:
        yield bracketed[1]
    name_words = re.split(r"[\s-]+", bare)
    if len(name_words) < 2 or not all(word.isalpha() for word in name_words):
        return
    capitalised = [word for word in name_words if word[0].isupper()]
    for acronym_words in (capitalised, name_words):
        if len(acronym_words) > 1:
            yield "".join(word[0] for word in acronym_words).upper()
