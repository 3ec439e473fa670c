"""Messages of validation: which value is wrong, what was expected there, and what was found."""

import dataclasses
import json
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from claimstance.model.errors import InputError, shorten, unknown

_MAPPING = ("dict_type", "model_type", "model_attributes_type", "dataclass_type")
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")  # of a model, of a dataclass


def first_problem(
    problems: Sequence[Mapping[str, Any]], model: type[Any] | None = None
) -> tuple[str, str]:
    """Return the field that the first of pydantic's problems is about, and ``expected …, found …``.

    Args:
        problems: the ``errors()`` of a validation error.
        model: the model or dataclass that was validated; its fields are suggested for an unknown key.

    Returns:
        The field as it would be reached from the top, such as ``labels.claim[0]`` (empty for the
        top itself), and the message about it.
    """
    details = first_error(problems)
    return field_path(details["loc"]), explain(details, model)


def first_error(problems: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the first of pydantic's problems.

    An unknown key comes first: where a key is missing, a misspelled one is often the reason.
    """
    return min(problems, key=lambda problem: problem["type"] not in _UNKNOWN_KEY)


def explain(
    details: Mapping[str, Any], model: type[Any] | None = None, mapping: str = "an object"
) -> str:
    """Return the message about one problem, without its field (see ``first_problem``).

    ``mapping`` is the term for a mapping in the format of the input: "an object" in JSON.
    """
    kind, location = details["type"], details["loc"]
    if kind in _UNKNOWN_KEY:
        return unknown("key", str(location[-1]), _fields_at(model, location[:-1]))
    if kind == "missing":
        return "expected a value, found none"
    if kind == "json_invalid":
        return f"expected JSON, found {details['ctx']['error']}"
    if kind == "value_error":
        return str(details["ctx"]["error"])
    expected = mapping if kind in _MAPPING else _expectation(details["msg"])
    actual = describe(details["input"])
    if kind in ("too_long", "too_short"):
        actual = str(details["ctx"]["actual_length"] or actual)
    return f"expected {expected}, found {actual}"


def field_path(location: Iterable[int | str]) -> str:
    """Return pydantic's location of a value as a path.

    >>> field_path(("labels", "claim", 0))
    'labels.claim[0]'
    """
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        # A type (``list[…]``) or the check of a key is no step: pydantic names the branch of a union.
        elif step != "str" and "[" not in step:
            path += f".{shorten(step)}"
    return path.lstrip(".")


def parse_json(text: str, where: str, expected: str = "a JSON object") -> Any:
    """Return the value of a JSON text.

    Args:
        text: the text.
        where: its place, for the message.
        expected: the value that the text should have, for the message.

    Raises:
        InputError: if the text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: expected {expected}, found text that is not JSON ({error})"
        ) from None


def describe(value: object) -> str:
    """Return a value as a message can show it: short, whatever its size and depth.

    >>> describe([list(range(1000))] * 1000)
    '[[0, 1, 2, 3, 4, 5, ...], [0, 1, 2, 3, 4, 5, ...], [0, 1, …'
    """
    try:
        return shorten(reprlib.repr(value))
    except ValueError:  # Python does not write out integers of thousands of digits.
        return f"a value of type {type(value).__name__} that is too long to show"


def _fields_at(model: type[Any] | None, location: Iterable[int | str]) -> list[str]:
    """Return the field names of the section at ``location``, counted from ``model``."""
    if model is None:
        return []
    fields = _field_types(model)
    for step in location:
        # Keys of mappings and numbers of items are no fields: they lead into the same section.
        section = next(_sections(fields.get(str(step))), None)
        if section is not None:
            fields = _field_types(section)
    return list(fields)


def _field_types(model: type[Any]) -> dict[str, Any]:
    """Return the annotated type of each field of a model or dataclass."""
    if dataclasses.is_dataclass(model):
        return {field.name: field.type for field in dataclasses.fields(model)}
    return {name: field.annotation for name, field in model.model_fields.items()}


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type: of ``dict[str, list[Model]] | None``, ``Model``."""
    arguments = get_args(annotation)
    for argument in arguments:
        yield from _sections(argument)
    if not arguments and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _expectation(message: str) -> str:
    """Return the expectation in one of pydantic's messages, as in "Input should be a valid string"."""
    expected = message.partition(" should ")[2] or message
    for words in ("be ", "have ", "a valid "):
        expected = expected.removeprefix(words)
    expected = expected.partition(", unable")[0].partition(" after validation")[0]
    if message.startswith("Input should be a valid "):
        return f"{'an' if expected[0] in 'aio' else 'a'} {expected}"
    if expected.startswith(("greater", "less")):
        return f"a number {expected}"
    return expected
