"""Speakers who are named after a quotation: *“Is it safe?” Tom Vance asked*, *“It is safe.” — Ana Reyes*."""

import re

from claimstance.model.text.mentions import NO_FIRST_NAME
from claimstance.model.text.person_names import words

#: The number of characters that ``names_speaker`` needs at most.
SPEAKER_REACH = 160

_SAID = (
    "said|says|shouted|shouts|yelled|cried|exclaimed|screamed|roared|chanted|whispered|muttered|snapped|joked|quipped|"
    "added|adds|replied|replies|answered|responded|responds|retorted|remarked|recalled|continued|wrote|writes|tweeted|"
    "tweets|Tweeted|posted|wondered|wonders|mused|inquired|questioned|repeated|declared|proclaimed|demanded|insisted|"
    "went on"
)
_ASKED = "asked|asks|told|tells|begged|pressed|reminded|challenged"
_NAME = r"(?P<first>[^\W\d_a-z][\w.’'-]*)(?:\s+(?:[^\W\d_a-z][\w.’'-]*|al|bin|da|de|del|der|di|la|van|von)){0,6}"
_APPOSITION = r"(?:\s*\([^()]{1,40}\))?(?:,\s(?:[^,.;:?!“”\"]|\.(?=,)){1,60},)?"
_ADVERB = r"(?:\s+(?:also|then|once|later|again|has|had|\w+ly))?"
_SPEAKER = re.compile(
    rf"[\s(\[]*{_NAME}{_APPOSITION}{_ADVERB}\s+(?:(?P<said>{_SAID})|(?P<asked>{_ASKED}))\b"
    r"(?P<rest>[^,.;:?!—–“”\"]*)(?!\s*[,:]\s*[\"“‘'][A-Z])"
)
# Adjuncts of a verb of speech: to reporters, in an interview, Monday, angrily.
_ADJUNCT = re.compile(
    r"\s+(?:about|after|again|aloud|as|at|back|before|by|during|from|in|into|last|of|on|over|through|to|upon|via|when|"
    r"while|with|yesterday|today|\w+ly|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
# Words that begin the reported speech itself.
_CLAUSE = words("about for how if not that to what when whether which who why")
_LONGEST_OBJECT = 12  # words

_WORD = r"[^\W\d_a-z][\w.’'&-]*"
#: A name of one to seven capitalised words, as the group ``name``.
NAME = rf"(?P<name>{_WORD}(?:\s+(?:(?:of|the|and|for|&|al|bin|da|de|del|der|di|la|van|von)\s+){{0,2}}{_WORD}){{0,6}})"
#: The role after a name, in parentheses or after a comma, as the group ``role``.
ROLE = r"(?P<role>(?:\s*\([^()“”\"]{1,80}\))?(?:,\s[^“”\"!?;:]{1,120})?)"
_CLOSING_CLAUSE = re.compile(
    rf"[\s,]*(?P<source>(?:[Tt]he\s+)?{NAME})\s+(?P<cue>{_SAID})[\s.”\"’']*$"
)
_DASH = re.compile(rf"\s*(?:[—–―-]|--+)\s*{NAME}{ROLE}\s*$")
_BRACKETS = re.compile(rf"\s*\({NAME}(?P<role>(?:,\s[^()“”\"!?;:]{{1,120}})?)\)\s*\.?\s*$")
_NO_NAMES = words(
    "Advertisement Click Continue Image Photo Picture Read Related See Share Sign Source Subscribe Video Watch"
)


def names_speaker(after: str) -> bool:
    """Return whether ``after`` begins with a name and a verb of speech that reports no further words.

    *Tom Vance asked the council.* names the speaker of the quotation before it; *Tom Vance asked whether …* and *Tom
    Vance walked away.* are sentences of their own.
    """
    speaker = _SPEAKER.match(after)
    if speaker is None or speaker["first"].rstrip(".") in NO_FIRST_NAME:
        return False
    rest = speaker["rest"].split()
    if not rest:
        return True
    if speaker["asked"]:  # whom somebody asks may be a long phrase
        return len(rest) <= _LONGEST_OBJECT and not _CLAUSE.intersection(rest)
    return bool(_ADJUNCT.match(speaker["rest"])) and not {"that", "whether"}.intersection(rest)


def closing_clause(text: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the offsets of the name and the verb in a text that consists of both (*, the Tribune writes.*)."""
    match = _CLOSING_CLAUSE.match(text)
    if match is None or not is_name(match["name"]):
        return None
    return match.span("source"), match.span("cue")


def signature(text: str) -> tuple[int, int] | None:
    """Return the offsets of the name in a text that consists of a dash, or parentheses, and a name with a role."""
    match = _DASH.match(text) or _BRACKETS.match(text)
    if match is None or not is_name(match["name"]):
        return None
    start = match.start("name")
    return start, start + len(match["name"].rstrip("."))


def is_name(name: str) -> bool:
    """Return whether capitalised words can be a name: *Read More* and *But Monday* cannot."""
    first = name.split()[0]
    return first not in NO_FIRST_NAME and first not in _NO_NAMES
