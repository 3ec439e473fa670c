"""Where a name is mentioned in a text: full name, surname, acronym; a topic as a whole phrase.

Conservative by design, since a wrong mention teaches and scores the wrong words: for "Donald Trump" no "Trump" is found
in "Melania Trump"; for "White House", no "House".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from claimstance.model.text.accents import fold_accents, fold_with_places
from claimstance.model.text.person_names import PersonName, bare_name, is_title, person_name, words

_FUNCTION_WORDS = words("a an and at by de del des do du et for from in la of on or the to und y &")
# A particle that the surname may go without: (al-)Assad, (de) Blasio, but not (bin) Salman, (Le) Pen.
_OPTIONAL_PARTICLES = re.compile(r"(?:al|el|de|van|von)\b", re.IGNORECASE)
# Surnames that are also common capitalised words: alone, they count after a title only.
_AMBIGUOUS = words(
    """
    April August Bishop Black Case Chance Christian Church Day Dean Duke English Field French German Grace Grant
    Green Hall Hill Hope House Judge June Justice King Law Little Long Love March Mark May North Page Park Pope
    Power Price Prince Rich Rose Short South Stone Strange Strong Sun Wall West White Will Wise Wood Young
    """
)
#: Capitalised words that may stand beside a name without being part of it: *Monday*, *When*.
NO_FIRST_NAME = words(
    """
    A About After Again Against All Also Although America And April As At August Because Before Britain But By
    Candidate December Democrat Democratic Did Do Does During Even Every February For Friday From GOP Has Have He
    Her His How However I If In Instead Is It Its January July June Just Last Like March May Meanwhile Monday More
    Most Neither Next No Nominee Nor Not November Now October Of On Once One Only Or Our Over Republican Saturday
    September She Should Since So Some Still Sunday Than That The Their Then There These They This Though Thursday
    To Tuesday Unlike Until Was We Wednesday Were What When Where Whether Which While Who Why Will With Without
    Would Yes Yet You Your
    """
)
_WORD_BEFORE = re.compile(r"([^\W\d_][\w.’'-]*)\s+$")
_LOOK_BACK = 60  # characters: more than a title or a first name has


@dataclass(frozen=True)
class _Finder:
    """A compiled name. The pattern has the groups ``full``, ``surname`` and ``acronym``, of which one matches."""

    pattern: re.Pattern[str]
    person: PersonName | None = None


def has_capital(name: str) -> bool:
    """Whether it is written as a name: *NATO*, *al-Assad*; not *gun control*."""
    return any(character.isupper() for character in name)


def find_mentions(name: str, text: str) -> list[tuple[int, int]]:
    """Return where ``name`` is mentioned in ``text``: ``(start, end)`` in code points, in order, not overlapping.

    A person is found by the full name, a middle name more or less, or by the surname with or without its particle;
    another name of several words also by its acronym. Titles, articles and the possessive ending of ``name`` do not
    matter. Case does, except that capitals are found as well; a topic ("military aid") is found as a whole phrase in
    any case. Accents do not matter, nor how they are encoded. An empty name is mentioned nowhere.
    """
    finder = _finder(fold_accents(name))
    if finder is None:
        return []
    folded = fold_with_places(text)
    mentions = []
    for match in finder.pattern.finditer(folded.text):
        span = folded.span(*match.span())
        if span is not None and _is_mention(match, finder.person):
            mentions.append(span)
    return mentions


def _is_mention(match: re.Match[str], person: PersonName | None) -> bool:
    text, (start, end) = match.string, match.span()
    before = text[max(0, start - _LOOK_BACK) : start]
    if text[end : end + 1] and unicodedata.combining(text[end]):
        return False  # the last letter is another one: て in で
    if _is_half_of_double_name(before, text[end : end + 2]):
        return False
    if match.lastgroup == "acronym":
        return len(match[0]) > 2 or not text.isupper()  # IS IT SO?
    return (
        person is None or match.lastgroup == "full" or _is_surname_alone(match[0], before, person)
    )


def _is_half_of_double_name(before: str, after: str) -> bool:
    """Lee in Lee-Ross and Ross-Lee, but not in anti-Lee and Lee-backed."""
    previous = before.rpartition(" ")[2]
    return (after[:1] == "-" and after[1:].isupper()) or (
        previous[-1:] == "-" and previous[0].isupper()
    )


def _is_surname_alone(surname: str, before: str, person: PersonName) -> bool:
    """Whether the surname stands for ``person``, rather than being somebody else's, or just a word."""
    word = _WORD_BEFORE.search(before)
    if word is None or not word[1][0].isupper():
        return person.surname not in _AMBIGUOUS
    if is_title(word[1]):
        return True
    if person.surname in _AMBIGUOUS:
        return False
    is_headline = (
        surname.isupper() and word[1].isupper()
    )  # capitals throughout tell nothing about names
    first = word[1].rstrip(".")
    same_first = person.first.startswith(first) or first.startswith(person.first)
    ends_sentence = word[1].endswith(".") and len(first) > 3
    return is_headline or same_first or ends_sentence or first.capitalize() in NO_FIRST_NAME


@lru_cache(maxsize=16384)
def _finder(name: str) -> _Finder | None:
    bare = bare_name(name)
    if not any(character.isalnum() for character in bare):
        return None
    person = person_name(bare)
    if person is None and _is_topic(bare):
        return _Finder(re.compile(rf"(?<!\w)(?P<full>{_pattern(bare)})(?!\w)", re.IGNORECASE))
    groups = {"full": [_pattern(form) for form in _cases(bare)]}
    if person is not None:
        groups["full"] += [_full_pattern(p) for p in (person, _upper(person))]
        groups["surname"] = [_surname_pattern(p) for p in (person, _upper(person))]
    else:
        groups["acronym"] = [
            form for a in _acronyms(name, bare) for form in (re.escape(".".join(a) + "."), a)
        ]
    joined = "|".join(f"(?P<{group}>{'|'.join(forms)})" for group, forms in groups.items() if forms)
    return _Finder(re.compile(rf"(?<!\w)(?:{joined})(?!\w)"), person)


def _is_topic(bare: str) -> bool:
    """Whether a phrase is no proper name: it begins, or goes on but for *of* and the like, in lower case."""
    first, *rest = bare.split(" ")
    return first[:1].islower() or any(
        word[:1].islower() and word not in _FUNCTION_WORDS for word in rest
    )


def _cases(name: str) -> Iterator[str]:
    yield name
    if not name.isupper():
        yield name.upper()
    elif len(name) > 3 and "." not in name:  # NATO, Nato; but WHO
        yield name.title()


def _pattern(phrase: str) -> str:
    """The phrase for any white space between its words and any apostrophe in them."""
    return re.sub(r"['’]", "['’]", r"\s+".join(re.escape(word) for word in phrase.split()))


def _upper(person: PersonName) -> PersonName:
    return replace(person, first=person.first.upper(), surname=person.surname.upper())


def _full_pattern(person: PersonName) -> str:
    if person.surname_is_first:
        return _pattern(f"{person.surname} {person.first}")
    middle = r"(?:\s+[A-Z][\w.’'-]*){0,2}?"
    return rf"{_pattern(person.first)}{middle}\s+{_surname_pattern(person)}"


def _surname_pattern(person: PersonName) -> str:
    particles = re.sub(r"(?:\\ )|\s", r"\\s+", re.escape(person.particles))
    if not particles:
        return _pattern(person.surname)
    optional = "?" if _OPTIONAL_PARTICLES.match(person.particles) else ""
    return rf"(?i:{particles}){optional}{_pattern(person.surname)}"


def _acronyms(name: str, bare: str) -> Iterator[str]:
    """The initials of a name of several words, with and without *of* and the like; capitals that stand in brackets."""
    if bracketed := re.search(r"\(([A-Z]{2,})\)", name):
        yield bracketed[1]
    parts = re.split(r"[\s-]+", bare)
    if len(parts) > 1 and all(part.isalpha() for part in parts):
        for chosen in ([part for part in parts if part[0].isupper()], parts):
            if len(chosen) > 1:
                yield "".join(part[0] for part in chosen).upper()
