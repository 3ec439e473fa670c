"""The values of Label Studio's controls: answers, the bounds of regions, and the field with the text."""

from collections.abc import Mapping
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, LeftOut
from claimstance.training.data.documents.format import Layout
from claimstance.training.data.documents.json_validation import (
    extent,
    is_integer,
    listing,
    mapping,
    name_of,
    string,
    wrong,
)

#: Type of a result → the key of its value. All other types have their own name as key.
_VALUE_KEYS = {"textarea": "text", "pairwise": "selected"}
#: Types of results that are answers. Other types annotate pictures, sounds and videos.
ANSWERS = ("choices", "taxonomy", "rating", "number", "textarea", "pairwise", "datetime")
NO_LABEL = LeftOut("region without a label")


def value_key(kind: str) -> str:
    """Return the key under which a type of result has its value."""
    return _VALUE_KEYS.get(kind, kind)


def answers_in(value: Mapping[str, Any], kind: str, question: str, where: str) -> list[Answer]:
    """Return the answers of a result: one for each choice, path, number or text.

    Args:
        value: the value of the result.
        kind: the type of the result.
        question: the question that it answers.
        where: its place in the file, for messages.

    Raises:
        InputError: for a type that is not in ``ANSWERS``, or a value that the type cannot have.
    """
    if kind not in ANSWERS:
        raise wrong(f"{where}.type", f"labels, relation, {', '.join(ANSWERS)}", kind)
    key = value_key(kind)
    answer = value.get(key)
    where = f"{where}.value.{key}"
    if kind in ("rating", "number"):
        if not (is_integer(answer) or isinstance(answer, float)):
            raise wrong(where, "a number", answer)
        return [Answer(question, str(answer))]
    if kind == "taxonomy":
        answers = []
        for path in listing(answer, where):
            steps = [string(step, where) for step in listing(path, where)]
            answers.append(Answer(question, "/".join(steps)))
        return answers
    texts = [answer] if isinstance(answer, str) else listing(answer, where)
    return [Answer(question, string(text, where)) for text in texts]


def is_in_html(value: Mapping[str, Any]) -> bool:
    """Return whether a region lies in HTML: ``start`` is then the path of a node."""
    start = value.get("start")
    return isinstance(start, str) and start.startswith("/")


def region_bounds(value: dict[str, Any], where: str) -> tuple[int, int]:
    """Return the start and the end of a region: in HTML, its offsets in the displayed text.

    Raises:
        InputError: for invalid offsets, and for a region in HTML without ``globalOffsets``.
    """
    if not is_in_html(value):
        return extent(value, "start", "end", where)
    if "globalOffsets" not in value:
        raise InputError(
            f"{where}: expected 'globalOffsets' of a region in HyperText, "
            "found 'start' and 'end' as paths alone, which are not read"
        )
    where = f"{where}.globalOffsets"
    return extent(mapping(value["globalOffsets"], where), "start", "end", where)


def parse_annotator(value: Any, where: str) -> str | None:
    """Return the annotator: a number, an address, or an object with one of them.

    Raises:
        InputError: for anything else.
    """
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return None if value in (None, "") else name_of(value, where)


def find_text_field(data: Mapping[str, Any], layout: Layout, where: str) -> str:
    """Return the field with the text: the one in the layout, else ``text``, else the only string.

    Raises:
        InputError: if this field is no string, or no field or several fields could be it.
    """
    strings = [name for name, value in data.items() if isinstance(value, str)]
    if "text" in layout.columns or "text" in data:
        key = layout.columns.get("text", "text")
        if key not in strings:
            raise wrong(f"{where}.{key}", "a text", data.get(key))
        return key
    if len(strings) != 1:
        raise InputError(
            f"{where}: expected a field 'text', or one by 'columns: {{text: NAME}}', found "
            f"{', '.join(strings) or 'no text'}"
        )
    return strings[0]
