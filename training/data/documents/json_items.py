"""Exports that are a list of JSON objects: an object a line, or all of them in one array."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimstance.model.record import read_lines
from claimstance.training.data.documents.format import Item
from claimstance.training.data.documents.json_validation import (
    listing,
    mapping,
    read_json,
    read_text,
)

_KEY = re.compile(r'"([^"\\]+)"\s*:')


@dataclass(frozen=True)
class _Line:
    """A line that is still to be decoded: a broken one is a fault of its own, not of the file."""

    text: str


def json_items(path: Path) -> Iterator[Item]:
    """The objects of a file as items, called ``STEM:NUMBER``; ``object_of`` decodes them.

    Raises:
        InputError: if the file cannot be opened or is not UTF-8, or if its array is not JSON.
    """
    if _is_array(path):
        values = listing(read_json(read_text(path), str(path)), str(path))
        for number, value in enumerate(values, 1):
            yield Item(f"{path}, record {number}", f"{path.stem}:{number}", value)
        return
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            yield Item(f"{path}, line {number}", f"{path.stem}:{number}", _Line(line))


def object_of(item: Item) -> dict[str, Any]:
    """The object of an item of ``json_items``.

    Raises:
        InputError: if it is no JSON, or no object.
    """
    value = read_json(item.data.text, item.where) if isinstance(item.data, _Line) else item.data
    return mapping(value, item.where)


def _is_array(path: Path) -> bool:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return False
    for line in read_lines(path):
        if line.strip():
            return line.lstrip().startswith("[")
    return False


def first_object(head: str) -> dict[str, Any]:
    """The first object of a file that starts with ``head``; if it does not end there, its keys, without values.

    Empty if there is no object.
    """
    start = head.lstrip("\ufeff \t\r\n[")
    if not start.startswith("{"):
        return {}
    try:
        value, _ = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return dict.fromkeys(_KEY.findall(start))
    return value if isinstance(value, dict) else {}
