"""Names that only modify a noun: *Democratic* primary, *Tulsa* police, *Chicago*-based. They are no stance targets."""

import re

from claimstance.model.text.person_names import words

_ADJECTIVE = re.compile(r"(?:[ai]n|ic|ish|ese|i)$")
_HYPHEN_AFTER = re.compile(r"[-–][a-z]")
_WORD_AFTER = re.compile(r" ([a-z][a-z'’-]*)")
# Words after an adjective that show it to be a noun: the American was, a Republican who.
_WORDS_AFTER_NOUNS = words(
    """
    a about after against also an and are as asked at be because been before but by called can could did do does
    during for from had has have he her his if in into is it its like may might more never nor not now of on or over
    said says she should since so than that the their then they this to told under until up was we went were when
    where which while who whose will with without won would
    """
)
# Nouns that places modify. Another word after a place may be its verb: Iowa votes.
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
    """Return whether the entity ``text[start:end]`` modifies the next word, rather than being a noun of its own.

    Adjectives have the label *MISC*. Places modify the nouns of a list only. Persons and organizations are never
    modifiers.
    """
    if label in ("MISC", "LOCATION") and _HYPHEN_AFTER.match(text, end):
        return True
    next_word = _WORD_AFTER.match(text, end)
    if next_word is None:
        return False
    if label == "MISC":
        return bool(_ADJECTIVE.search(text[start:end])) and next_word[1] not in _WORDS_AFTER_NOUNS
    return label == "LOCATION" and next_word[1] in _PLACE_NOUNS
