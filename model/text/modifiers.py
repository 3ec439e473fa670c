"""Names that merely modify: *Democratic* primary, *Tulsa* police, *Chicago*-based. Nobody is for or against them."""

import re

from claimstance.model.text.person_names import words

_ADJECTIVE = re.compile(r"(?:[ai]n|ic|ish|ese|i)$")
_HYPHEN_BEHIND = re.compile(r"[-–][a-z]")
_WORD_BEHIND = re.compile(r" ([a-z][a-z'’-]*)")
# Behind an adjective, whatever is no noun or adjective: the American was, a Republican who.
_NO_NOUNS = words(
    """
    a about after against also an and are as asked at be because been before but by called can could did do does
    during for from had has have he her his if in into is it its like may might more never nor not now of on or over
    said says she should since so than that the their then they this to told under until up was we went were when
    where which while who whose will with without won would
    """
)
# What a place modifies. Other words behind a place may be what it does: Iowa votes.
_PLACE_NOUNS = words(
    """
    activist activists airport area attorney ballot bar based billionaire border branch bureau businessman
    businesswoman campus capital caucus caucuses chapter church citizens citizen club coast company congressman
    congresswoman convention council councilman councilwoman county court crowd debate delegate delegates delegation
    developer district economy election embassy event families family farmer farmers fundraiser gathering governor
    government headquarters home hospital hotel house judge lawmaker lawmakers lawyer lawyers legislature lieutenant
    market mayor media meeting metropolitan native newspaper office official officials operation police politician
    politicians politics poll polls precinct primaries primary professor prosecutor prosecutors race rally region
    resident residents restaurant results school senator sheriff speech staff state station stop street suburb suburbs
    survey theater town troops university victory voter voters
    """
)


def is_modifier(text: str, start: int, end: int, label: str) -> bool:
    """Return whether the entity ``text[start:end]`` modifies the word behind it, rather than standing for itself.

    Adjectives are of the label *MISC*. Of a place, the nouns that it can modify are listed: in doubt it stands for
    itself, as do persons and organizations.
    """
    if label in ("MISC", "LOCATION") and _HYPHEN_BEHIND.match(text, end):
        return True
    behind = _WORD_BEHIND.match(text, end)
    if behind is None:
        return False
    if label == "MISC":
        return bool(_ADJECTIVE.search(text[start:end])) and behind[1] not in _NO_NOUNS
    return label == "LOCATION" and behind[1] in _PLACE_NOUNS
