"""The parts of a person's name by English conventions: title, first name, particles, surname.

The form of a name decides, without a gazetteer. In doubt it is no person's name: a missed surname costs less than the
*House* of *White House* as a surname.
"""

import re
from dataclasses import dataclass
from functools import lru_cache


def words(text: str) -> frozenset[str]:
    """Return the set of the words of ``text``."""
    return frozenset(text.split())


_TITLE_WORDS = (
    r"Mr|Mrs|Ms|Miss|Mx|Messrs|Dr|Prof|Professor|Sir|Dame|Lord|Lady|Rev|Reverend|Hon|Fr|Father|Sister|Rabbi|Imam|Pope|"
    r"President|Vice President|Prime Minister|Premier|Chancellor|Chairman|Chairwoman|Chair|Speaker|Leader|Whip|"
    r"(?:Attorney|Surgeon|Secretary|Inspector) General|Secretary of State|Secretary|Minister|Ambassador|Justice|Judge|"
    r"Chief Justice|Director|Commissioner|Chief|Sheriff|Mayor|Gov|Governor|Sen|Sens|Senator|Senators|Rep|Reps|"
    r"Representative|Congressman|Congresswoman|Delegate|Councilman|Councilwoman|Gen|General|Lt|Lieutenant|Col|Colonel|"
    r"Maj|Major|Capt|Captain|Cmdr|Commander|Adm|Admiral|Sgt|Sergeant|King|Queen|Prince|Princess|Sheikh|Ayatollah|"
    r"Former|Acting|Deputy|Foreign|Defense|Treasury|State|Interior|Majority|Minority|Republican|Democratic|Senate|House|"
    r"GOP|Democrat|Labour|Conservative"
)
# A title precedes another capitalised word: "President Lee", but not "President of the Senate".
_TITLES = re.compile(
    rf"(?:(?:the|The|former|then|ex)[ -])*(?:(?:{_TITLE_WORDS})\.?\s+)+(?=[^\W\d_a-z])"
)
_ARTICLE = re.compile(r"(?:the|a|an)\s+(?=\S)", re.IGNORECASE)
_TAIL = re.compile(r"(?:\s*,?\s+(?:Jr|Sr|II|III|IV)\.?|\s*\([^()]*\)|[’']s?)+$")
_PARTICLES = re.compile(
    r"(?:(?:al|el|bin|bint|ibn|ben|de|da|di|du|dos|del|della|la|le|van|von|der|den|ter|zu|af)[\s-])+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*\.?(?:[^\W\d_]\.)*")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+|[^\W\d_]")
_SURNAME_FIRST = words("Xi Li Wang Hu Wen Mao Deng Zhang Liu Zhou Zhao")
_HYPHENATED_GIVEN_NAME = re.compile(r"[A-Z][a-z]+-[a-z]+$")  # Kim Jong-un
_NO_PERSON = words(
    """
    act action acts affairs african agency air alliance america american arabia army association authority award
    bank bay board british brotherhood bureau campaign capitol care center centre chinese city coast college
    commission committee conference congress convention corporation corps council country county court day deal
    democratic department district division east eastern election europe european federal federation force forces
    fort foundation french fund german global government great group guard health high hill house human inc
    institute international iranian islamic island islands israeli journal korea lake las law league left lives los
    mail media mexico middle military mount mountain national nations navy network new news north northern office
    order organization orleans pact park party plan planned post press program project public red reform republic
    republican reserve right rights river russian san school security senate service services society south southern
    state states street strip summit supremacy supreme team territories times tower treaty union united university
    valley war washington west western white world york zealand
    """
)


@dataclass(frozen=True)
class PersonName:
    """Represent the parts of a person's name as they are written.

    ``particles`` ends with its space or hyphen.
    """

    first: str
    particles: str
    surname: str
    surname_is_first: bool = False


def bare_name(name: str) -> str:
    """Return a name without article, titles, ``Jr.``, addition in parentheses and possessive ending.

    It is the name itself if nothing else remains.

    >>> bare_name("former Defense Secretary Ash Carter's")
    'Ash Carter'
    """
    name = " ".join(name.split())
    bare = _TAIL.sub("", name)
    article = _ARTICLE.match(bare)
    if article is not None:
        bare = bare[article.end() :]
    titles = _TITLES.match(bare)
    if titles is not None:
        bare = bare[titles.end() :]
    return bare or name


def is_title(word: str) -> bool:
    """Return whether a capitalised word, with or without its stop, is a title or part of one: ``Gen.``, ``Defense``."""
    return _TITLES.match(f"{word} X") is not None


def honorific_of(name: str) -> str:
    """Return the titles at the beginning of a name, ``""`` if there are none.

    >>> honorific_of("Vice President Ann Lee")
    'Vice President'
    """
    titles = _TITLES.match(" ".join(name.split()))
    return titles[0].strip() if titles else ""


@lru_cache(maxsize=65536)
def person_name(name: str) -> PersonName | None:
    """Return the parts of a name of two or more words in the form of a person's, else ``None``.

    >>> person_name("President Bashar al-Assad")
    PersonName(first='Bashar', particles='al-', surname='Assad', surname_is_first=False)
    >>> person_name("White House") is None
    True
    """
    first, *following = bare_name(name).split(" ")
    if not 1 <= len(following) <= 5 or not first[:1].isupper():
        return None
    if any(word.lower() in _NO_PERSON for word in (first, *following)):
        return None
    is_hyphenated = len(following) == 1 and _HYPHENATED_GIVEN_NAME.match(following[0])
    if first in _SURNAME_FIRST or is_hyphenated:
        return PersonName(" ".join(following), "", first, surname_is_first=True)

    # Middle names are skipped up to the particles, or up to the last word.
    while len(following) > 1:
        rest = " ".join(following)
        if not following[0][:1].isupper() or _PARTICLES.match(rest):
            break
        if not _WORD.fullmatch(following[0]):
            return None
        following = following[1:]

    rest = " ".join(following)
    particles = _PARTICLES.match(rest)
    surname = rest[particles.end() :] if particles else rest
    if not _WORD.fullmatch(first) or not _WORD.fullmatch(surname):
        return None
    # An initial at the end is no surname.
    if len(surname) < 2 or not surname[0].isupper() or _INITIALS.fullmatch(surname):
        return None
    return PersonName(first, particles[0] if particles else "", surname)
