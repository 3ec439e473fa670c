"""Messages of validation: which value is wrong, what was expected there, and what was found."""

import reprlib
from collections.abc import Iterable

from pydantic import ValidationError

from claimstance.model.errors import shorten, unknown

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")  # of a model, of a dataclass


def first_problem(error: ValidationError, fields: Iterable[str] = ()) -> tuple[str, str]:
    """Return the field that the first problem of ``error`` is about, and ``expected …, found …``.

    An unknown key comes first: where a key is missing, a misspelled one is often why.

    Args:
        error: what pydantic raised.
        fields: the names that an unknown key may have been meant for.

    Returns:
        The field as it would be reached from the top, such as ``labels.claim[0]`` (empty for the
        top itself), and the message about it.
    """
    problems = error.errors(include_url=False)
    first = min(problems, key=lambda problem: problem["type"] not in _UNKNOWN_KEY)
    field, kind = field_path(first["loc"]), first["type"]
    if kind in _UNKNOWN_KEY:
        return field, unknown("key", str(first["loc"][-1]), fields)
    if kind == "missing":
        return field, "expected a value, found none"
    if kind == "json_invalid":
        return field, f"expected JSON, found {first['ctx']['error']}"
    if kind == "value_error":
        return field, str(first["ctx"]["error"])
    return field, f"expected {_expectation(first['msg'])}, found {describe(first['input'])}"


def field_path(location: Iterable[int | str]) -> str:
    """Return pydantic's location of a value as a path.

    >>> field_path(("labels", "claim", 0))
    'labels.claim[0]'
    """
    parts = [part if isinstance(part, int) else shorten(part) for part in location]
    parts = [part for part in parts if part != "[key]"]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.lstrip(".")


def describe(value: object) -> str:
    """Return a value as a message can show it: short, whatever its size and depth.

    >>> describe([list(range(1000))] * 1000)
    '[[0, 1, 2, 3, 4, 5, ...], [0, 1, 2, 3, 4, 5, ...], [0, 1, …'
    """
    try:
        return shorten(reprlib.repr(value))
    except ValueError:  # Python does not write out integers of thousands of digits.
        return f"a value of type {type(value).__name__} that is too long to show"


def _expectation(message: str) -> str:
    """Return what pydantic expects, from a message such as "Input should be a valid string"."""
    expected = message.partition(" should ")[2] or message
    for words in ("be ", "have ", "a valid "):
        expected = expected.removeprefix(words)
    expected = expected.partition(", unable")[0].partition(" after validation")[0]
    if message.startswith("Input should be a valid "):
        return f"{'an' if expected[0] in 'aio' else 'a'} {expected}"
    if expected.startswith(("greater", "less")):
        return f"a number {expected}"
    return expected
