"""doccano's exports: JSON Lines, or one array of JSON (its CSV is a plain table).

- ``label`` as a list of names (or one): an answer for each, to the question ``label``; ``cats`` likewise.
- ``label`` as a list of ``[start, end, name]``: marks. So are ``entities``, as objects or as such lists, with
  ``relations`` between the objects.
- Exports of before 2021: ``labels``; or ``annotations``, each with a ``user``: a document for every user, and labels
  that are numbers, where the export does not give their names (``values: {"3": claim}`` does).

All other keys are fields, those of ``meta`` too. doccano does not say who annotated, but in such ``annotations``: a
file for each person has the name of the person (``annotator: anna`` says so). Offsets count UTF-16 code units, or
grapheme clusters if the project was made so; the export does not quote what they cover.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Document, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object, json_items, object_of
from claimstance.training.data.documents.json_validation import (
    extent,
    integer,
    is_integer,
    listing,
    mapping,
    name_of,
    string,
    wrong,
)
from claimstance.training.data.documents.offsets import UTF16
from claimstance.training.data.formats.label_studio import json_min as labelstudio_min

_LABELS = ("label", "labels", "cats", "entities")
_OWN = {*_LABELS, "relations", "annotations", "meta"}
_TEXTS = ("text", "data")
_OTHERS = {"answer", "_input_hash", "_task_hash", "_session_id", "options", "spans"}  # Prodigy's


def parse(item: Item, layout: Layout) -> list[Document]:
    """The document of a line, or one for each of its users.

    Raises:
        InputError: naming the file, the line and the field, what was expected and what was found.
    """
    line = object_of(item)
    key = layout.columns.get("text") or next((key for key in _TEXTS if key in line), "text")
    text = string(line.get(key), f"{item.where}: {key}")
    name_key = layout.columns.get("id", "id")
    name = (
        item.name
        if line.get(name_key) is None
        else name_of(line[name_key], f"{item.where}: {name_key}")
    )
    if not line.keys() & {*_LABELS, "annotations"}:
        raise InputError(
            f"{item.where}: expected 'label', 'entities' or 'annotations', found {', '.join(line)}"
        )
    meta = line.get("meta")
    fields = dict(meta) if isinstance(meta, dict) else {}
    fields |= {name: value for name, value in line.items() if name not in {*_OWN, key, name_key}}
    found = []
    for user, part in _by_user(line, item.where):
        marks, answers = _labels(part, item.where)
        relations = list(_relations(part, {mark.name for mark in marks}, item.where))
        found.append(
            Document(
                name, text, item.where, user, marks, relations, {}, answers, fields, usual=UTF16
            )
        )
    return found


def _by_user(line: dict[str, Any], where: str) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The labels of each user, in the shape of newer exports."""
    if "annotations" not in line:
        yield None, line
        return
    users: dict[str | None, dict[str, Any]] = {}
    for number, annotation in enumerate(listing(line["annotations"], f"{where}: annotations")):
        place = f"{where}: annotations[{number}]"
        annotation = mapping(annotation, place)
        user = (
            None if annotation.get("user") is None else name_of(annotation["user"], f"{place}.user")
        )
        part = users.setdefault(user, {"label": []})
        label = annotation.get("label", annotation.get("text"))
        label = name_of(label, f"{place}.label")
        if "start_offset" in annotation or "end_offset" in annotation:
            part["label"].append([*extent(annotation, "start_offset", "end_offset", place), label])
        else:
            part["label"].append(label)
    yield from users.items() if users else [(None, {"label": []})]


def _labels(line: dict[str, Any], where: str) -> tuple[list[Mark], list[Answer]]:
    marks: list[Mark] = []
    answers: list[Answer] = []
    for key in _LABELS:
        given = line.get(key, [])
        for number, label in enumerate(
            [given] if isinstance(given, str) else listing(given, f"{where}: {key}")
        ):
            place = f"{where}: {key}[{number}]"
            if isinstance(label, str) and key != "entities":
                answers.append(Answer("cats" if key == "cats" else "label", label))
            elif isinstance(label, dict) and key == "entities":
                name = name_of(label.get("id", f"{key}[{number}]"), f"{place}.id")
                if any(mark.name == name for mark in marks):
                    raise wrong(f"{place}.id", "a new id", name)
                pieces = [extent(label, "start_offset", "end_offset", place)]
                marks.append(
                    Mark(name, string(label.get("label"), f"{place}.label"), pieces, where=place)
                )
            else:
                marks.append(_triple(label, key, place))
    return marks, answers


def _triple(label: Any, key: str, where: str) -> Mark:
    if (
        not isinstance(label, list)
        or len(label) != 3
        or not (is_integer(label[0]) and is_integer(label[1]))
    ):
        expected = "[start, end, label]" if key == "entities" else "a name or [start, end, label]"
        raise wrong(where, expected, label)
    pieces = [extent({"start": label[0], "end": label[1]}, "start", "end", where)]
    return Mark(where.rpartition(": ")[2], name_of(label[2], f"{where}[2]"), pieces, where=where)


def _relations(line: Mapping[str, Any], names: set[str], where: str) -> Iterator[Relation]:
    for number, relation in enumerate(listing(line.get("relations", []), f"{where}: relations")):
        place = f"{where}: relations[{number}]"
        relation = mapping(relation, place)
        ends = []
        for key in ("from_id", "to_id"):
            end = str(integer(relation.get(key), f"{place}.{key}"))
            if end not in names:
                raise wrong(f"{place}.{key}", "the id of an entity of this text", relation[key])
            ends.append(end)
        yield Relation(ends[0], ends[1], string(relation.get("type") or "", f"{place}.type"))


def recognise(head: str) -> bool:
    """Whether the first object has a text with labels as doccano writes them."""
    first = first_object(head)
    lists = {key: value for key, value in first.items() if isinstance(value, list)}
    if (
        not first.keys() & set(_TEXTS)
        or first.keys() & _OTHERS
        or any(".responses" in key for key in first)
    ):
        return False
    if labelstudio_min.is_row(first):
        return False
    if "cats" in first:  # an object is spaCy's
        return "cats" in lists
    if any(isinstance(first.get(key), (list, str)) for key in ("label", "labels")):
        return True
    entities, annotations = lists.get("entities"), lists.get("annotations")
    if entities is not None:
        return "relations" in lists or any(
            isinstance(each, dict) and "start_offset" in each for each in entities
        )
    return annotations is not None and any(
        isinstance(each, dict) and each.keys() & {"label", "text"} and "result" not in each
        for each in annotations
    )


FORMAT = Format("doccano", (".jsonl", ".ndjson", ".json"), recognise, items=json_items, parse=parse)
