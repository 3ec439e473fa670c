"""Errors that a user can act on: each a ``ClaimstanceError`` (exit code 1). All others are bugs."""

import difflib
from collections.abc import Iterable


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
