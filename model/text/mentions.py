"""Mentions of a name in a text: its full form, surname or acronym; a topic as a complete phrase.

The search is conservative by design, since a wrong mention would train and score the wrong words: "Donald Trump" is not
mentioned in "Melania Trump", nor "White House" in "House".
"""

import re
import unicodedata

from claimstance.model.text.accents import fold_accents, fold_with_offsets
from claimstance.model.text.name_patterns import compile_name
from claimstance.model.text.person_names import PersonName, is_title, words

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
_LOOK_BACK = 60  # characters; titles and first names are shorter


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
    compiled = compile_name(fold_accents(name))
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
    prefix = before.rpartition(" ")[2]
    if prefix.endswith("-") and prefix[0].isupper():
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
