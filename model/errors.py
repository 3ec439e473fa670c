"""Errors that a user can act on. All other exceptions are bugs."""

import difflib
import unicodedata
from collections.abc import Iterable

#: Unicode categories that a terminal obeys or hides: controls, formats, surrogates, line and paragraph separators.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # zero-width characters that scripts and emoji need


class ClaimstanceError(Exception):
    """Raised when work cannot be done; the message gives the reason in one or two lines (exit code 1)."""


class InputError(ClaimstanceError):
    """Raised for a file, a row or a field with unexpected content."""


class ConfigError(ClaimstanceError):
    """Raised for a configuration that cannot be used."""


class ModelError(ClaimstanceError):
    """Raised for a model folder that is incomplete or damaged."""


def unknown(kind: str, name: str, available: Iterable[str]) -> str:
    """Return the message about a name that does not exist, with the nearest name that does.

    >>> unknown("metric", "acuracy", ["accuracy", "f1"])
    "unknown metric 'acuracy'. Did you mean 'accuracy'? Available: accuracy, f1"
    """
    names = sorted(available)
    name = shorten(name)
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"unknown {kind} '{name}'.{hint} Available: {', '.join(names) or 'none'}"


def shorten(text: str, length: int = 60) -> str:
    """Return ``text`` cut to at most ``length`` characters, for a message."""
    return text if len(text) <= length else text[: length - 1] + "…"


def printable(text: str) -> str:
    r"""Return ``text`` as a terminal can safely show it on one line.

    Controls (escape sequences, line ends, tabs), marks that set the direction of writing, and bytes of file names that
    are not UTF-8 are escaped as Python escapes them.

    >>> printable("a\x1b[2J\nb")
    'a\\x1b[2J\\nb'
    """
    if text.isprintable():
        return text
    characters = []
    for character in text:
        if unicodedata.category(character) not in _UNPRINTABLE or character in _JOINERS:
            characters.append(character)
        # Python represents a byte of a file name that is not UTF-8 as one of these surrogates.
        elif "\udc80" <= character <= "\udcff":
            characters.append(f"\\x{ord(character) - 0xDC00:02x}")
        else:
            characters.append(character.encode("unicode_escape").decode("ascii"))
    return "".join(characters)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "article"), plural(2000, "article")
    ('1 article', '2,000 articles')
    """
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
