"""Validation of JSON values; errors name the place, and the expected and the actual value."""

import json
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, shorten
from claimstance.model.io.files import open_regular


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file with its own line ends, so that offsets stay valid.

    Raises:
        InputError: if the file cannot be opened, is a pipe or a device, or is not UTF-8.
    """
    try:
        # Path.read_text would convert CRLF to LF, and so shift the offsets after it.
        with open_regular(path) as file:
            return file.read().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8 text, found {error.reason} at byte {error.start + 1}"
        ) from None


def read_json(text: str, where: str) -> Any:
    """Return the value of a JSON text, or raise an ``InputError`` at ``where``."""
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: expected JSON, found text that is not ({error})") from None


def is_integer(value: Any) -> bool:
    """Return whether a value is a whole number, which ``True`` and ``False`` are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def integer(value: Any, where: str) -> int:
    """Return a whole number, or raise an ``InputError`` at ``where``."""
    if not is_integer(value):
        raise wrong(where, "a whole number", value)
    return int(value)


def string(value: Any, where: str) -> str:
    """Return a string, or raise an ``InputError`` at ``where``."""
    if not isinstance(value, str):
        raise wrong(where, "a string", value)
    return value


def name_of(value: Any, where: str) -> str:
    """Return an id, which may be a number or a string, as a string."""
    if not isinstance(value, str) and not is_integer(value):
        raise wrong(where, "a number or a name", value)
    return str(value)


def listing(value: Any, where: str) -> list[Any]:
    """Return a list, or raise an ``InputError`` at ``where``."""
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return a JSON object, or raise an ``InputError`` at ``where``."""
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def extent(value: dict[str, Any], start: str, end: str, where: str) -> tuple[int, int]:
    """Return the offsets under the keys ``start`` and ``end`` of a JSON object.

    Raises:
        InputError: If they are not whole numbers with ``0 <= start < end``.
    """
    first = integer(value.get(start), f"{where}.{start}")
    last = integer(value.get(end), f"{where}.{end}")
    if not 0 <= first < last:
        raise InputError(f"{where}: expected 0 <= {start} < {end}, found {first} and {last}")
    return first, last


def wrong(where: str, expected: str, value: Any) -> InputError:
    """Return the error for an unexpected value; ``None`` counts as a missing one."""
    actual = "nothing" if value is None else shorten(repr(value))
    return InputError(f"{where}: expected {expected}, found {actual}")
