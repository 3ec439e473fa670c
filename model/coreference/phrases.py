"""What the form of a phrase tells about whom or what it refers to: pronouns, descriptions, roles, plurals."""

import re
from collections.abc import Iterator

from claimstance.model.coreference.people import GENDERS, Mention
from claimstance.model.text.offsets import Offsets
from claimstance.model.text.person_names import bare_name, honorific_of, words

RELATIVE_PRONOUNS = words("who whom whose that which")
_CLAUSE_PRONOUNS = words("who whom which")  # "that" and "whose" also begin phrases with a noun
GROUP_PRONOUNS = words("they them their theirs themselves")
THING_PRONOUNS = words("it its itself")
_OTHER_PRONOUNS = words(
    "i me my myself we us our you your one this these those himself herself both"
)
_PRONOUNS = RELATIVE_PRONOUNS | GROUP_PRONOUNS | THING_PRONOUNS | _OTHER_PRONOUNS | GENDERS.keys()
_PLURALS = words(
    "people men women police many some others most several few dozens hundreds thousands"
)
_NAME_BOUNDS = " ,;“”‘’\"'"
# A clause or an apposition behind a description or a name: "the union, which wrote the bill", "Aslef, a union".
_CLAUSE_AFTER = re.compile(
    r",\s+(?:who|whom|whose|which|where|including|led|headed|chaired|backed|based|founded|owned|[a-z]+ing)\b.*",
    re.DOTALL,
)
# "Poland, the Czech Republic" and "doctors, a nurse and a teacher" are lists.
_APPOSITION_AFTER = re.compile(
    r",\s+(?:(?:an?|its|one)\s|the\s(?![A-Z]))(?![^,]*\b(?:and|or)\b)[^,]*$"
)
_AGE_AFTER = re.compile(r",\s+\d{1,3}$")
_PREPOSITIONS = words("after among as at before by for from in on since to under with")
_SEVERAL = re.compile(r"(?!1\b)\d")  # "62 per cent of shops", "12 senators"
# Words before a name that make the phrase mean somebody else ("an aide to Orr"), and words after a
# name that still describe the person ("Orr, the senator").
_BELONGS_ELSEWHERE = re.compile(
    r"\b(?:about|and|at|by|for|from|in|including|like|of|on|or|to|with)\b[^,]*$|['’]s?\s*$",
    re.IGNORECASE,
)
_DESCRIBES = re.compile(r"(?:['’]s?)?\s*(?:$|[,(—–]|of\b|who\b|in\b|from\b|at\b)")
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
_TITLE_REACH = 40  # characters before a name
_LONG_FORMS = {
    "sen": "senator",
    "gov": "governor",
    "gen": "general",
    "prof": "professor",
    "dr": "doctor",
}


def pronoun_of(phrase: str) -> str | None:
    """Return the pronoun that a phrase is, in lower case; that of a relative clause is its first word.

    *US* is a country, not a pronoun.

    >>> pronoun_of("They"), pronoun_of("which has clashed with Brussels"), pronoun_of("US"), pronoun_of("that bank")
    ('they', 'which', None, None)
    """
    word = phrase.lower()
    first_word = word.partition(" ")[0]
    if first_word in _CLAUSE_PRONOUNS:
        return first_word
    return word if phrase != "US" and is_pronoun(word) else None


def plain_name(phrase: str) -> str:
    """Return a phrase as a name: without what describes it further, and without a *by* before it.

    Quotation marks and stops around it are no part of it either. A phrase of punctuation alone stays as it is, since a
    name is never empty.

    >>> plain_name("' minister,"), plain_name("by the Commission"), plain_name("Aslef, which represents drivers,")
    ('minister', 'the Commission', 'Aslef')
    """
    name = phrase.strip(_NAME_BOUNDS).removeprefix("by ").strip(_NAME_BOUNDS)
    for pattern in (_CLAUSE_AFTER, _APPOSITION_AFTER, _AGE_AFTER):
        head = pattern.sub("", name, count=1)
        # "In Kyiv, a spokesman" has its head behind the comma.
        if head and head.split()[0].lower() not in _PREPOSITIONS:
            name = head
    return name or phrase


def is_pronoun(word: str) -> bool:
    """Return whether a word in lower case is a pronoun of any kind."""
    return word in _PRONOUNS


def is_person_noun(name: str) -> bool:
    """Return whether the head of a description is a noun for a person: "an aide to the mayor"."""
    return _PERSON_NOUN.fullmatch(_head_of(name.lower())) is not None


def describes_person(name: str) -> bool:
    """Return whether a name only describes somebody: its head is a noun for a person, in lower case.

    >>> describes_person("the Vermont senator"), describes_person("Senator Lee"), describes_person("voters")
    (True, False, False)
    """
    head = _head_of(name)
    return head.islower() and _PERSON_NOUN.fullmatch(head) is not None


def introduces_person(name: str) -> bool:
    """Return whether a name introduces somebody without a name: "a veteran aide to the mayor".

    "The aide", in contrast, mostly is a person with a name.
    """
    return _INDEFINITE.match(name) is not None and is_person_noun(name)


def is_plural(name: str) -> bool:
    """Return whether a description or name means several people or things."""
    if " and " in name or _SEVERAL.match(name):
        return True
    head = _head_of(name.lower())
    has_plural_ending = head.endswith("s") and not head.endswith(("ss", "us", "is", "news"))
    return head in _PLURALS or has_plural_ending


def _head_of(name: str) -> str:
    """Return the head noun of a description, ``""`` without one: *senator* of *the senator from Ohio*."""
    head = _HEAD.search(name)
    return "" if head is None else head[1]


def means_person(text: str, span: Offsets, person: Mention) -> bool:
    """Return whether a phrase means a person who is named in it: not *an aide to Orr*."""
    start, end = span
    before = text[start : person.start]
    after = text[person.end : end]
    return not _BELONGS_ELSEWHERE.search(before) and _DESCRIBES.match(after) is not None


def roles_of(text: str, person: Mention) -> Iterator[str]:
    """Yield the roles of a person: the apposition after the name, and the title before it."""
    apposition = _ROLE_AFTER.match(text, person.end)
    if apposition is not None:
        yield apposition[1].lower()

    # A title stands in the same line as the name: a heading ends with its line.
    line = text[max(0, person.start - _TITLE_REACH) : person.end].rpartition("\n")[2]
    name = bare_name(text[person.start : person.end])
    line_words = line.split(" ")
    title = ""
    for first in range(len(line_words)):  # the longest title comes first
        title_and_name = " ".join(line_words[first:])
        # The title ends where the name begins: "State Education Commissioner Orr" is not "the state".
        if bare_name(title_and_name) == name:
            title = honorific_of(title_and_name)
            break

    title_words = title.lower().replace(".", "").split()
    role_words = [
        _LONG_FORMS.get(word, word) for word in title_words if word not in ("former", "the")
    ]
    if role_words:
        yield f"the {' '.join(role_words)}"
        yield f"the {role_words[-1]}"
