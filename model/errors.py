"""Errors that a user can act on: each a ``ClaimstanceError`` (exit code 1). All others are bugs."""

import difflib
import unicodedata
from collections.abc import Iterable

#: Unicode categories of characters that a terminal obeys or hides: controls, formats, surrogates, line ends.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # scripts and emoji need them


class ClaimstanceError(Exception):
    """The work could not be done; the message says why, in one or two lines."""


class InputError(ClaimstanceError):
    """A file, a row or a field is not what it should be."""


class ConfigError(ClaimstanceError):
    """A configuration cannot be used."""


class ModelError(ClaimstanceError):
    """A model folder is incomplete or damaged."""


def unknown(kind: str, name: str, available: Iterable[str]) -> str:
    """The message for a name that does not exist, with the nearest one that does.

    >>> unknown("metric", "acuracy", ["accuracy", "f1"])
    "unknown metric 'acuracy'. Did you mean 'accuracy'? Available: accuracy, f1"
    """
    names, name = sorted(available), shorten(name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"unknown {kind} '{name}'.{hint} Available: {', '.join(names) or 'none'}"


def shorten(shown: str, length: int = 60) -> str:
    """What was found, cut to what a message has room for."""
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def printable(text: str) -> str:
    r"""Return ``text`` as a terminal may show it on one line, whatever wrote it.

    Controls (escape sequences, line ends, tabs), marks that set the direction of writing, and bytes of file names that
    are not UTF-8 are escaped as Python escapes them.

    >>> printable("a\x1b[2J\nb")
    'a\\x1b[2J\\nb'
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE or character in _JOINERS:
        return character
    if "\udc80" <= character <= "\udcff":  # a byte, as Python's file names have it
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
