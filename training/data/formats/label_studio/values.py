"""What Label Studio's controls say, in the words of documents: answers, and which field is the text."""

from collections.abc import Mapping
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, LeftOut
from claimstance.training.data.documents.format import Layout
from claimstance.training.data.documents.json_validation import (
    extent,
    is_whole,
    listing,
    mapping,
    string,
    wrong,
)

#: Type of a result → the key of its value. Types that are not here have their own name as key.
KEYS = {"textarea": "text", "pairwise": "selected"}
#: What an answer is made of: pictures, sounds and videos have other values.
ANSWERS = ("choices", "taxonomy", "rating", "number", "textarea", "pairwise", "datetime")


def answers_in(value: Mapping[str, Any], kind: str, question: str, where: str) -> list[Answer]:
    """The answers of a result's value: one for each choice, path, number or text.

    Raises:
        InputError: for a kind of result that is none of ``ANSWERS``, or another value than it has.
    """
    if kind not in ANSWERS:
        raise wrong(f"{where}.type", f"labels, relation, {', '.join(ANSWERS)}", kind)
    key = KEYS.get(kind, kind)
    found = value.get(key)
    where = f"{where}.value.{key}"
    if kind in ("rating", "number"):
        if not (is_whole(found) or isinstance(found, float)):
            raise wrong(where, "a number", found)
        return [Answer(question, str(found))]
    if kind == "taxonomy":
        paths = [
            [string(step, where) for step in listing(path, where)] for path in listing(found, where)
        ]
        return [Answer(question, "/".join(path)) for path in paths]
    given = [found] if isinstance(found, str) else listing(found, where)
    return [Answer(question, string(each, where)) for each in given]


NO_LABEL = LeftOut("region without a label")


def is_in_html(value: Mapping[str, Any]) -> bool:
    """Return whether a region lies in HTML: ``start`` is then the path of a node."""
    start = value.get("start")
    return isinstance(start, str) and start.startswith("/")


def region_place(value: dict[str, Any], where: str) -> tuple[int, int]:
    """Return where a region lies: in HTML, its offsets in the text that is shown.

    Raises:
        InputError: For offsets that are none, and for a region in HTML without ``globalOffsets``.
    """
    if not is_in_html(value):
        return extent(value, "start", "end", where)
    if "globalOffsets" not in value:
        raise InputError(
            f"{where}: expected 'globalOffsets' of a region in HyperText, found 'start' and 'end' as paths alone, "
            "which are not read"
        )
    where = f"{where}.globalOffsets"
    return extent(mapping(value["globalOffsets"], where), "start", "end", where)


def text_field(data: Mapping[str, Any], layout: Layout, where: str) -> str:
    """The field that holds the text: the one named, else ``text``, else the only one with a string."""
    named = layout.columns.get("text")
    strings = [name for name, value in data.items() if isinstance(value, str)]
    if named is not None or "text" in data:
        key = named or "text"
        if key not in strings:
            raise wrong(f"{where}.{key}", "a text", data.get(key))
        return key
    if len(strings) != 1:
        raise InputError(
            f"{where}: expected a field 'text', or one by 'columns: {{text: NAME}}', found "
            f"{', '.join(strings) or 'no text'}"
        )
    return strings[0]
