"""Mentions of a name in a text: its full form, surname or acronym; a topic as a complete phrase.

The search is conservative by design, since a wrong mention would train and score the wrong words: "Donald Trump" is not
mentioned in "Melania Trump", nor "White House" in "House".
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from claimstance.model.text.accents import fold_accents, fold_with_offsets
from claimstance.model.text.person_names import PersonName, bare_name, is_title, person_name, words

_FUNCTION_WORDS = words("a an and at by de del des do du et for from in la of on or the to und y &")
# A particle that the surname may lack: (al-)Assad, (de) Blasio, but not (bin) Salman, (Le) Pen.
_OPTIONAL_PARTICLES = re.compile(r"(?:al|el|de|van|von)\b", re.IGNORECASE)
#: Surnames that are also common capitalised words: alone, they are mentions only after a title.
AMBIGUOUS_SURNAMES = words(
    """
    April August Bishop Black Case Chance Christian Church Day Dean Duke English Field French German Grace Grant
    Green Hall Hill Hope House Judge June Justice King Law Little Long Love March Mark May North Page Park Pope
    Power Price Prince Rich Rose Short South Stone Strange Strong Sun Wall West White Will Wise Wood Young
    """
)
#: Capitalised words that may precede or follow a name without being part of it: *Monday*, *When*.
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
_MIDDLE_NAMES = r"(?:\s+[A-Z][\w.’'-]*){0,2}?"
_LOOK_BACK = 60  # characters; titles and first names are shorter


@dataclass(frozen=True)
class _CompiledName:
    """Represent a name as a pattern with the groups ``full``, ``surname`` and ``acronym``, one of which matches."""

    pattern: re.Pattern[str]
    person: PersonName | None = None


def has_capital(name: str) -> bool:
    """Return whether a phrase is written as a name: *NATO*, *al-Assad*; not *gun control*."""
    return any(character.isupper() for character in name)


def find_mentions(name: str, text: str) -> list[tuple[int, int]]:
    """Return the mentions of ``name`` in ``text``: ``(start, end)`` in code points, in order, without overlaps.

    A person is mentioned by the full name, with or without middle names, or by the surname with or without its
    particle; another name of several words also by its acronym. Titles, articles and the possessive ending of ``name``
    are ignored. Case is significant, except that capitals are accepted for any name. A topic ("military aid") is
    mentioned by the complete phrase in any case. Accents and their encoding are ignored. An empty name has no mentions.
    """
    compiled = _compile_name(fold_accents(name))
    if compiled is None:
        return []
    folded = fold_with_offsets(text)
    mentions = []
    for match in compiled.pattern.finditer(folded.text):
        span = folded.span(*match.span())
        if span is not None and _is_mention(match, compiled.person):
            mentions.append(span)
    return mentions


def _is_mention(match: re.Match[str], person: PersonName | None) -> bool:
    """Return whether a match of a name's pattern is a mention of it, judging by the words around it."""
    text, (start, end) = match.string, match.span()
    before = text[max(0, start - _LOOK_BACK) : start]
    # A combining mark makes another letter of the last one: て in で.
    if text[end : end + 1] and unicodedata.combining(text[end]):
        return False
    # Lee is half of a double name in Lee-Ross and Ross-Lee, not in Lee-backed and anti-Lee.
    if text[end : end + 1] == "-" and text[end + 1 : end + 2].isupper():
        return False
    previous = before.rpartition(" ")[2]
    if previous.endswith("-") and previous[0].isupper():
        return False
    if match.lastgroup == "acronym":
        # "IS IT SO?" in capitals does not mention IS.
        return len(match[0]) > 2 or not text.isupper()
    if person is None or match.lastgroup == "full":
        return True

    # A surname alone may stand for somebody else, or be a common word.
    word = _WORD_BEFORE.search(before)
    if word is None or not word[1][0].isupper():
        return person.surname not in AMBIGUOUS_SURNAMES
    previous = word[1]
    if is_title(previous):
        return True
    if person.surname in AMBIGUOUS_SURNAMES:
        return False
    # In a headline in capitals, the word before need not be a first name.
    if match[0].isupper() and previous.isupper():
        return True
    first = previous.rstrip(".")
    if person.first.startswith(first) or first.startswith(person.first):
        return True
    ends_sentence = previous.endswith(".") and len(first) > 3
    return ends_sentence or first.capitalize() in NO_FIRST_NAME


@lru_cache(maxsize=16384)
def _compile_name(name: str) -> _CompiledName | None:
    """Return the pattern of a name without accents; ``None`` if it has no letters or digits."""
    bare = bare_name(name)
    if not any(character.isalnum() for character in bare):
        return None
    person = person_name(bare)
    # A name has capitals, except for *of* and the like; any other phrase is a topic.
    first_word, *following = bare.split(" ")
    lower_case = [word for word in following if word[:1].islower()]
    is_topic = first_word[:1].islower() or not _FUNCTION_WORDS.issuperset(lower_case)
    if person is None and is_topic:
        topic = rf"(?<!\w)(?P<full>{_phrase_pattern(bare)})(?!\w)"
        return _CompiledName(re.compile(topic, re.IGNORECASE))

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
    return _CompiledName(re.compile(rf"(?<!\w)(?:{'|'.join(groups)})(?!\w)"), person)


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
