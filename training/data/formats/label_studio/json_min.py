"""Label Studio's JSON-MIN and CSV: a row for each annotation, its answers beside the fields of the task.

Nothing in a row distinguishes answers from the task's data. These rules do:

- a list of objects with ``start`` and ``end`` has the marks of a control;
- an object with ``choices``, ``taxonomy``, ``rating`` and the like, or a list of such objects, is an answer;
- a plain value is an answer if ``roles`` or ``columns: {label: …}`` name its field, or if the field is called
  ``label`` or like a task (``claim``, ``check_worthy``, ``subjective``, ``stance``);
- every other field is data, except Label Studio's own columns (``annotator``, ``lead_time`` and so on).

These exports lack relations, and do not say to which region an answer belongs: use JSON for those.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.io.delimiters import header_names
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark
from claimstance.training.data.documents.format import Item, Layout, ReadReport
from claimstance.training.data.documents.json_items import first_object
from claimstance.training.data.documents.json_validation import listing, name_of, string
from claimstance.training.data.formats.label_studio.hypertext import displayed_text
from claimstance.training.data.formats.label_studio.values import (
    ANSWERS,
    NO_LABEL,
    answers_in,
    find_text_field,
    is_in_html,
    parse_annotator,
    region_bounds,
    value_key,
)
from claimstance.training.data.formats.table_rows import read_delimited

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
#: Prefix of a data field in a CSV whose name an answer has, too.
_DATA_PREFIX = "_data_"


def table_items(path: Path) -> Iterator[Item]:
    """Yield the rows of a CSV or TSV file, with the cells decoded that hold JSON.

    Raises:
        InputError: for a file without Label Studio's columns, or a row with more or fewer cells than the header.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    header: Sequence[str] = []
    for row in read_delimited(path, "annotator", ReadReport(), delimiter):
        where = f"{path}, {row.location}"
        if not header:
            header = row.cells
            if not is_row(dict.fromkeys(header)):
                raise InputError(
                    f"{where}: expected the columns annotator and annotation_id, "
                    f"found {', '.join(header)}"
                )
            continue
        if len(row.cells) != len(header):
            raise InputError(f"{where}: expected {len(header)} columns, found {len(row.cells)}")

        values: dict[str, Any] = {}
        for name, cell in zip(header, row.cells, strict=True):
            values[name] = cell
            if cell.startswith(("[", "{")):
                # A text may begin with a bracket, too.
                with contextlib.suppress(ValueError, RecursionError):
                    values[name] = json.loads(cell)
        row_name = values.get("id") or row.location.removeprefix("line ")
        yield Item(where, str(row_name), values)


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield the document of a row, and the regions that are left out because they have no label.

    Raises:
        InputError: naming the file, the task or line and the field, what was expected and what was found.
    """
    data, doubled_answers = _divide_row(item.data)
    values = {name: value for name, value in data.items() if name not in _BOOKKEEPING}
    candidates = {name: value for name, value in values.items() if not _is_question(name, layout)}
    text_key = find_text_field(candidates, layout, item.where)
    text = string(values.pop(text_key), f"{item.where}: {text_key}")
    entries = [(name, value, _is_question(name, layout)) for name, value in values.items()]
    entries += [(name, value, True) for name, value in doubled_answers.items()]

    marks: list[Mark] = []
    regions: list[dict[str, Any]] = []
    answers: list[Answer] = []
    fields: dict[str, Any] = {}
    for name, value, is_question in entries:
        where = f"{item.where}: {name}"
        if _are_control_regions(value):
            regions += value
            for mark in _region_marks(name, value, where):
                if isinstance(mark, LeftOut):
                    yield mark
                else:
                    marks.append(mark)
        elif value not in ("", None) and (is_question or _is_answer(value)):
            answers += _answers(name, value, where)
        else:
            # An empty answer must not replace the data field of the same name.
            fields.setdefault(name, value)

    # The id of the task is no field: it names the document.
    id_key = layout.columns.get("id", "id")
    fields.pop(id_key, None)
    document_name = item.name
    if data.get(id_key) not in (None, ""):
        document_name = name_of(data[id_key], f"{item.where}: {id_key}")

    sentences = None
    if regions and all(is_in_html(region) for region in regions):
        text, sentences = displayed_text(text)
    yield Document(
        name=document_name,
        text=text,
        where=item.where,
        annotator=parse_annotator(data.get("annotator"), f"{item.where}: annotator"),
        marks=marks,
        answers=answers,
        fields=fields,
        sentences=sentences,
    )


def _divide_row(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data and answers of a row, and the answers whose names data fields have, too.

    In a CSV, a data field with the prefix shows that the field without it is an answer.
    """
    doubled = set()
    for name in row:
        if name.startswith(_DATA_PREFIX):
            doubled.add(name.removeprefix(_DATA_PREFIX))
    data: dict[str, Any] = {}
    doubled_answers: dict[str, Any] = {}
    for name, value in row.items():
        if name in doubled:
            doubled_answers[name] = value
        else:
            data[name.removeprefix(_DATA_PREFIX)] = value
    return data, doubled_answers


def _answers(question: str, value: Any, where: str) -> Iterator[Answer]:
    """Yield the answers of a field."""
    for answer in value if isinstance(value, list) else [value]:
        if isinstance(answer, dict):
            yield from answers_in(answer, _answer_kind(answer) or "", question, where)
        else:
            yield Answer(question, name_of(answer, where))


def _is_question(name: str, layout: Layout) -> bool:
    """Return whether the plain values of a field are answers."""
    is_in_layout = name in layout.roles or name == layout.columns.get("label")
    return is_in_layout or name.casefold() in _QUESTIONS


def _are_control_regions(value: Any) -> bool:
    """Return whether a value is the list of all regions of a control."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(region, dict) and "start" in region for region in value)


def _is_answer(value: Any) -> bool:
    """Return whether a value is an answer to a question other than a plain one, or a list of them."""
    if isinstance(value, dict):
        return _answer_kind(value) is not None
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(entry, dict) and _is_answer(entry) for entry in value)


def _answer_kind(value: dict[str, Any]) -> str | None:
    """Return the type of the control that wrote an answer."""
    for kind in ANSWERS:
        if value_key(kind) in value:
            return kind
    return None


def _region_marks(
    control: str, regions: list[dict[str, Any]], where: str
) -> Iterator[Mark | LeftOut]:
    """Yield a mark for each label of each region, and each region without a label as left out."""
    for number, region in enumerate(regions):
        region_where = f"{where}[{number}]"
        bounds = region_bounds(region, region_where)
        surface = region["text"] if isinstance(region.get("text"), str) else None
        labels = []
        # The key depends on the kind of control: "labels", "hypertextlabels" and so on.
        for key, value in region.items():
            if key.endswith("labels"):
                labels_where = f"{region_where}.{key}"
                labels = [string(label, labels_where) for label in listing(value, labels_where)]
                break
        if not labels:
            yield NO_LABEL
        for label in labels:
            name = f"{control}[{number}]:{label}"
            yield Mark(name, label, [bounds], surface, where=region_where)


def is_row(value: object) -> bool:
    """Return whether an object has Label Studio's own columns.

    Older exports have no ``annotation_id``; their regions identify them.
    """
    if not isinstance(value, dict) or "annotator" not in value:
        return False
    if "annotation_id" in value:
        return True
    for regions in value.values():
        if not isinstance(regions, list):
            continue
        for region in regions:
            has_bounds = isinstance(region, dict) and "start" in region
            if has_bounds and any(key.endswith("labels") for key in region):
                return True
    return False


def recognise(head: str) -> bool:
    """Return whether this starts rows of JSON-MIN, or is a CSV with Label Studio's columns."""
    if head.lstrip("\ufeff \t\r\n").startswith(("[", "{")):
        return is_row(first_object(head))
    first_line = head.split("\n", 1)[0].rstrip("\r")
    names = header_names(first_line, "\t" if "\t" in first_line else ",")
    return is_row(dict.fromkeys(names))
