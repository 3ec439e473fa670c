"""Checking what an export says, value by value: each problem names the place, what was expected and what was found."""

import json
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, shorten


def read_text(path: Path) -> str:
    """A UTF-8 file with every character in place, line ends and all, so that offsets hold.

    Raises:
        InputError: if it cannot be opened or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8 text, found {error.reason} at byte {error.start + 1}"
        ) from None


def read_json(text: str, where: str) -> Any:
    """What a JSON text says; ``where`` opens the message of the ``InputError``."""
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: expected JSON, found text that is not ({error})") from None


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number (JSON's ``true`` is none)."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole(value: Any, where: str) -> int:
    """``value`` if it is a whole number, else an ``InputError`` at ``where``."""
    if not is_whole(value):
        raise wrong(where, "a whole number", value)
    return int(value)


def string(value: Any, where: str) -> str:
    """``value`` if it is a string, else an ``InputError`` at ``where``."""
    if not isinstance(value, str):
        raise wrong(where, "a string", value)
    return value


def name_of(value: Any, where: str) -> str:
    """An id, which is a number or a string, as a string."""
    if not isinstance(value, str) and not is_whole(value):
        raise wrong(where, "a number or a name", value)
    return str(value)


def listing(value: Any, where: str) -> list[Any]:
    """``value`` if it is a list, else an ``InputError`` at ``where``."""
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """``value`` if it is an object of JSON, else an ``InputError`` at ``where``."""
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def extent(value: dict[str, Any], start: str, end: str, where: str) -> tuple[int, int]:
    """The span between the keys ``start`` and ``end``: whole numbers, the first not negative and the smaller one."""
    first, last = (
        whole(value.get(start), f"{where}.{start}"),
        whole(value.get(end), f"{where}.{end}"),
    )
    if not 0 <= first < last:
        raise InputError(f"{where}: expected 0 <= {start} < {end}, found {first} and {last}")
    return first, last


def wrong(where: str, expected: str, found: Any) -> InputError:
    """The error that says that something else was found; a missing value is ``nothing``."""
    return InputError(
        f"{where}: expected {expected}, found {'nothing' if found is None else shorten(repr(found))}"
    )
