"""Reading of exports with one JSON object a line, or with all objects in one array."""

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
class _RawLine:
    """Represent a line that is not decoded yet, so that a broken one does not fail the file."""

    text: str


def json_items(path: Path) -> Iterator[Item]:
    """Yield the objects of a file as items, with the names ``STEM:NUMBER``, for ``object_of``.

    Raises:
        InputError: If the file cannot be opened or is not UTF-8, or if its array is not JSON.
    """
    is_array = False
    # The other suffixes promise one object a line, even if the first line is an array by mistake.
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        for line in read_lines(path):
            if line.strip():
                is_array = line.lstrip().startswith("[")
                break
    if is_array:
        values = listing(read_json(read_text(path), str(path)), str(path))
        for number, value in enumerate(values, 1):
            yield Item(f"{path}, record {number}", f"{path.stem}:{number}", value)
        return
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            yield Item(f"{path}, line {number}", f"{path.stem}:{number}", _RawLine(line))


def object_of(item: Item) -> dict[str, Any]:
    """Return the object of an item of ``json_items``.

    Raises:
        InputError: If the item is not JSON, or not an object.
    """
    value = item.data
    if isinstance(value, _RawLine):
        value = read_json(value.text, item.where)
    return mapping(value, item.where)


def first_object(head: str) -> dict[str, Any]:
    """Return the first object of a file by the beginning of its text; empty if there is none.

    An object that does not end in ``head`` has its keys, with ``None`` as their values.
    """
    start = head.lstrip("\ufeff \t\r\n[")
    if not start.startswith("{"):
        return {}
    try:
        value, _ = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        # The object goes on beyond the head; its keys are enough to recognise a format.
        return dict.fromkeys(_KEY.findall(start))
    return value if isinstance(value, dict) else {}
