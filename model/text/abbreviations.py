"""Abbreviations that end a sentence, as in *He moved to the U.S. Officials said so*.

A sentence splitter regards the stop of a known abbreviation as part of it, unless a word like *He* or *The* follows.
Before a name or a noun, the rules of this module decide for each kind of abbreviation. In doubt no sentence ends.
"""

import re
from itertools import takewhile

from claimstance.model.text.person_names import is_title, words

#: An abbreviation with its stop, before a capital in the same paragraph.
_ABBREVIATION = re.compile(
    r"(?<![\w.])((?:[A-Z]\.)+[A-Z]|[^\W\d_]{2,5})\.(?=[\"”’']*\s+[\"“‘']*[A-Z])"
)
_REACH = 60  # characters of context on either side; a limit keeps the time for long texts linear

# In lower case (*may* in any case), these are words of a sentence: "no." is a number only before a digit.
_WORDS = words("no me ill art id may May min sec hr etc fed ext")
_MONTHS = words("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec")
_COMPANIES = words("Inc Corp Co Ltd")
_ROADS = words("Ave Blvd Rd Hwy")
_SUFFIXES = words("Jr Sr Esq")
_PLACES = words(
    """
    U.S U.K U.N E.U U.A.E D.C L.A N.Y N.J N.H N.C N.D N.M S.C S.D R.I W.Va P.R B.C
    Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Md Mich Minn Miss Mo Mont Neb Nev Okla Ore Pa Tenn
    Tex Va Vt Wash Wis Wyo
    """
)

# Words of offices and institutions, which an abbreviation before them may modify: Acme Inc. Chairman Lee, the U.S.
# Treasury, a Fourth Ave. Church.
_COMPANY_OFFICES = words(
    """
    Analyst Chair Chairman Chairwoman Chairperson Chief CEO CFO COO CTO Co-CEO Co-Founder Co-founder Counsel Director
    Executive Founder General Head Managing Manager President Senior Spokesman Spokeswoman Spokesperson Treasurer Vice
    Co Corp Inc KG LLC Ltd LP PLC Building Center Class Group Magazine Tower
    """
)
_ROAD_WORDS = words(
    """
    Apartments Baptist Bridge Church Corridor East Elementary Extension High Methodist N NE NW North Park S SE SW
    School South Station Theater W West
    """
)
_PUBLIC_OFFICES = words(
    """
    Ambassador Assistant Attorney Chief Congressman Congresswoman Consul Deputy Marshal Open President Rep Reps
    Representative Secretary Sen Senator Sens Solicitor Special Surgeon Trade Treasurer Under Undersecretary Vice
    """
)
_INSTITUTIONS = words(
    """
    administration agency air airways ambassador army assembly attorney bank bar bishops board border bureau cabinet
    capitol census center chamber charter circuit citizenship civil climate coalition coast code commission committee
    conference congress constitution consulate convention corps council court customs defense department dollar
    district drug economy embassy energy environmental equal export federal federation financial food force forces
    foreign foundation general geological government green holocaust house immigration institute intelligence
    international internet joint justice labor legislature marine marines marshals men ministry mission national
    naval navy office olympic open park parliament party patent patriot peace pentagon police postal public refugee
    reserve school seals secret securities security senate service services soccer social special state states
    steel supreme team territories trade treasury university virgin women
    """
)
_PEOPLES = words(
    "Arab Black Democrat Dutch French Hindu Latina Latino Latinx Muslim Native Republican Sikh White"
)
_ADJECTIVE = re.compile(r"(?:[ai]n|ic|ish|ese|al|ist)$")
_OPENING = re.compile(
    r"(?:A|I|Earlier|Together|Though)\b(?!\.)|(?:He|I|It|She|That|There|They|We|What|Who|You)['’]"
)
_SAINTS = words(
    """
    Albans Andrew Andrews Ann Anne Anselm Anthony Augustine Augustin Bernard Catharines Charles Clair Clairsville
    Cloud Croix Denis Elizabeth Francis Gallen George Germain Helena Helens Ignatius James Jean John Johns Joseph
    Jude Kitts Laurent Lawrence Louis Lucia Lucie Luke Maarten Mark Martin Mary Matthew Michael Moritz Nicholas
    Olaf Patrick Paul Peter Peters Petersburg Regis Simon Stephen Thomas Tropez Vincent
    """
)
_BEFORE_SAINTS = words("East West North South New Port Fort Mount Mt Lake Old Saint The In At Near")

_LAST_WORD = re.compile(r"([\w’'-]+)[,.]?\s+$")
_CITY = re.compile(r"[A-Z][\w’'.-]+,\s+$")
_THE = re.compile(r"[a-z]\s+the\s+$")  # not *The U.S.*, which begins its sentence
_AT = re.compile(r"\b(?:in|from|near|across|outside|throughout|of|to)\s+$")
_FOLLOWING = re.compile(r"[^\W\d_](?:[\w-]|[’'](?!s\b))*")


def without_abbreviations(paragraph: str) -> str:
    """Return the paragraph with *x* for the letters of abbreviations that end a sentence; offsets do not change."""
    pieces = []
    position = 0
    for abbreviation in _ABBREVIATION.finditer(paragraph):
        if _ends_sentence(abbreviation):
            pieces.append(paragraph[position : abbreviation.start()])
            pieces.append("x" * len(abbreviation[1]) + ".")
            position = abbreviation.end()
    pieces.append(paragraph[position:])
    return "".join(pieces)


def _ends_sentence(abbreviation: re.Match[str]) -> bool:
    """Return whether a sentence ends with an abbreviation, judging by the words around it."""
    text, word = abbreviation.string, abbreviation[1]
    before = text[max(0, abbreviation.start() - _REACH) : abbreviation.start()]
    after = text[abbreviation.end() : abbreviation.end() + _REACH].lstrip(" \t\u00a0\"”’')]“‘")

    if word in _WORDS or word in _MONTHS:
        return True
    following = _FOLLOWING.findall(after)[:5]
    if not following:
        return False
    if word in _COMPANIES:
        return following[0] not in _COMPANY_OFFICES
    if word in _ROADS:
        return following[0] not in _ROAD_WORDS

    if word == "St":
        # A street (42nd St., Main St.), not a saint (in St. Louis), ends a sentence.
        name = _LAST_WORD.search(before)
        if name is None or before.rstrip().endswith((".", ",")):
            return False
        if following[0] in _SAINTS or following[0] in _ROAD_WORDS:
            return False
        if name[1][0].isupper() and name[1] not in _BEFORE_SAINTS and not is_title(name[1]):
            return True
        return re.fullmatch(r"\d+(?:st|nd|rd|th)", name[1]) is not None
    if word in _SUFFIXES:
        return _is_titled_name(following)
    if word in _PLACES:
        return _place_ends_sentence(before, word, after, following)
    return False


def _place_ends_sentence(before: str, word: str, after: str, following: list[str]) -> bool:
    """Return whether a place is a noun of its own (in the U.S.) before the beginning of a sentence.

    After a city's state or country (Washington, D.C.), its sentence would continue with a comma: almost any next words
    begin a sentence.
    """
    # The name or noun that follows: the words up to the first in lower case.
    name = list(takewhile(lambda following_word: not following_word[0].islower(), following))
    if not _INSTITUTIONS.isdisjoint(name_word.lower() for name_word in name):
        return False
    if _CITY.search(before):
        return True

    introduction = _THE if word in ("U.S", "U.K", "U.N", "E.U", "U.A.E") else _AT
    if not introduction.search(before):
        return False
    if _OPENING.match(after):
        return True
    if following[0] in _PUBLIC_OFFICES:
        return False

    if _is_titled_name(following):
        return True
    # A name or noun before lower case is a subject: Lena Orr said, Workers left.
    if len(name) == len(following) or len(name) > 3 or following[len(name)] in ("of", "and"):
        return False
    if len(name) > 1:
        return True
    is_modifier = name[0] in _PEOPLES or _ADJECTIVE.search(name[0])
    return not is_modifier


def _is_titled_name(following: list[str]) -> bool:
    """Return whether the words begin with a title and a name: Governor Pell."""
    return len(following) > 1 and is_title(following[0]) and following[1][0].isupper()
