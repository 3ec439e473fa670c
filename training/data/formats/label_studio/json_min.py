"""Label Studio's JSON-MIN and CSV: a row for each annotation, its answers beside the fields of the task.

Nothing marks which fields are answers and which are the task's data, so
- a list of objects with ``start`` and ``end`` is a control's marks;
- an object with ``choices``, ``taxonomy``, ``rating`` and the like, or a list of them, is its answers;
- a plain value is an answer if ``roles`` or ``columns: {label: …}`` name its field, or if the field is called
  ``label`` or as a task is (``claim``, ``check_worthy``, ``subjective``, ``stance``);
- every other field is data; Label Studio's own columns (``annotator``, ``lead_time`` and so on) are neither.

These exports lose relations, and of an answer that was given for a region, which region it was: use JSON for those.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.io.delimiters import header_names
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark
from claimstance.training.data.documents.format import Item, Layout, Reading
from claimstance.training.data.documents.json_items import first_object
from claimstance.training.data.documents.json_validation import listing, name_of, string
from claimstance.training.data.formats.label_studio.hypertext import shown_text
from claimstance.training.data.formats.label_studio.values import (
    ANSWERS,
    KEYS,
    NO_LABEL,
    answers_in,
    is_in_html,
    region_place,
    text_field,
)
from claimstance.training.data.formats.table_rows import delimited

SUFFIXES = (".csv", ".tsv")
_BOOKKEEPING = {
    "id",
    "annotator",
    "annotation_id",
    "created_at",
    "updated_at",
    "lead_time",
    "agreement",
    "history",
}
_QUESTIONS = {*SENTENCE_TASKS, "stance", "label", "labels"}
_HIDDEN = "_data_"  # before a data field's name in a CSV where an answer has the same


def rows(path: Path) -> Iterator[Item]:
    """The rows of a CSV or TSV, their cells decoded where they hold JSON.

    Raises:
        InputError: for a file without Label Studio's columns, or a row with more or fewer cells than it has columns.
    """
    table = delimited(path, "annotator", Reading(), _delimiter(path))
    header: Sequence[str] = []
    for row in table:
        where = f"{path}, {row.place}"
        if not header:
            header = row.values
            if not is_row(dict.fromkeys(header)):
                raise InputError(
                    f"{where}: expected the columns annotator and annotation_id, found {', '.join(header)}"
                )
        elif len(row.values) != len(header):
            raise InputError(f"{where}: expected {len(header)} columns, found {len(row.values)}")
        else:
            cells = {name: _decoded(cell) for name, cell in zip(header, row.values, strict=True)}
            number = row.place.removeprefix("line ")
            yield Item(where, str(cells.get("id") or number), cells)


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _decoded(cell: str) -> Any:
    if cell.startswith(("[", "{")):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):  # a text that starts with a bracket
            return cell
    return cell


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield the document of a row, and the regions that are left out because they have no label.

    Raises:
        InputError: naming the file, the task or line and the field, what was expected and what was found.
    """
    hidden = {name.removeprefix(_HIDDEN) for name in item.data if name.startswith(_HIDDEN)}
    row = {
        name.removeprefix(_HIDDEN): value for name, value in item.data.items() if name not in hidden
    }
    said = {name: value for name, value in item.data.items() if name in hidden}
    given = {name: value for name, value in row.items() if name not in _BOOKKEEPING}
    key = text_field(
        {n: v for n, v in given.items() if not _is_question(n, layout)}, layout, item.where
    )
    text = string(given.pop(key), f"{item.where}: {key}")
    marks: list[Mark] = []
    regions: list[dict[str, Any]] = []
    answers: list[Answer] = []
    fields = {}
    for name, value in [*given.items(), *said.items()]:
        where = f"{item.where}: {name}"
        if _are_marks(value):
            regions += value
            for found in _marks(name, value, where):
                if isinstance(found, LeftOut):
                    yield found
                else:
                    marks.append(found)
        elif value not in ("", None) and (
            name in said or _is_question(name, layout) or _are_answers(value)
        ):
            answers += _answers(name, value, where)
        else:
            fields[name] = value
    id_key = layout.columns.get("id", "id")
    fields.pop(id_key, None)
    name = row.get(id_key)
    sentences = None
    if regions and all(is_in_html(region) for region in regions):
        text, sentences = shown_text(text)
    yield Document(
        item.name if name in (None, "") else name_of(name, f"{item.where}: {id_key}"),
        text,
        item.where,
        annotator(row.get("annotator"), f"{item.where}: annotator"),
        marks,
        answers=answers,
        fields=fields,
        sentences=sentences,
    )


def _is_question(name: str, layout: Layout) -> bool:
    return (
        name in layout.roles or name == layout.columns.get("label") or name.casefold() in _QUESTIONS
    )


def _are_marks(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(v, dict) and "start" in v for v in value)
    )


def _are_answers(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, dict) and _are_answers(each) for each in value)
    return isinstance(value, dict) and any(KEYS.get(kind, kind) in value for kind in ANSWERS)


def _marks(control: str, value: list[dict[str, Any]], where: str) -> Iterator[Mark | LeftOut]:
    for number, region in enumerate(value):
        place = f"{where}[{number}]"
        at = region_place(region, place)
        surface = region.get("text")
        kind = next((key for key in region if key.endswith("labels")), None)
        labels = (
            [string(each, f"{place}.{kind}") for each in listing(region[kind], f"{place}.{kind}")]
            if kind
            else []
        )
        if not labels:
            yield NO_LABEL
        for label in labels:
            yield Mark(
                f"{control}[{number}]:{label}",
                label,
                [at],
                surface if isinstance(surface, str) else None,
                where=place,
            )


def _answers(question: str, value: Any, where: str) -> Iterator[Answer]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            kind = next((kind for kind in ANSWERS if KEYS.get(kind, kind) in each), "")
            yield from answers_in(each, kind, question, where)
        else:
            yield Answer(question, name_of(each, where))


def annotator(value: Any, where: str) -> str | None:
    """Who: a number, an address, or an object with one of them.

    Raises:
        InputError: for anything else.
    """
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return None if value in (None, "") else name_of(value, where)


def is_row(found: object) -> bool:
    """Whether an object has Label Studio's own columns: without ``annotation_id``, as once, its regions tell it."""
    return (
        isinstance(found, dict)
        and "annotator" in found
        and ("annotation_id" in found or any(_are_regions(value) for value in found.values()))
    )


def _are_regions(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(each, dict) and "start" in each and any(key.endswith("labels") for key in each)
        for each in value
    )


def recognise(head: str) -> bool:
    """Whether this starts rows of JSON-MIN, or is a CSV with Label Studio's columns."""
    if head.lstrip("\ufeff \t\r\n").startswith(("[", "{")):
        return is_row(first_object(head))
    first = head.split("\n", 1)[0]
    names = header_names(first.rstrip("\r"), "\t" if "\t" in first else ",")
    return is_row(dict.fromkeys(names))
