"""doccano's exports: JSON Lines, or one array of JSON (its CSV is a plain table).

- ``label`` as a list of names, or one name: an answer for each, to the question ``label``; ``cats`` likewise.
- ``label`` as a list of ``[start, end, name]``: marks. So are ``entities``, as objects or as such lists, with
  ``relations`` between the objects.
- Exports from before 2021 have ``labels``; or ``annotations``, each with a ``user``: then every user has a document,
  and labels are numbers unless the export has their names (``values: {"3": claim}`` gives a number its name).

All other keys are fields, and so are those of ``meta``. Except in such ``annotations``, doccano does not name the
annotator: a file for each person has the person's name (``annotator: anna`` sets it). Offsets count UTF-16 code units,
or grapheme clusters if the project was set up so; the export does not quote the text of a mark.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from claimstance.training.data.formats.label_studio import json_min

_LABEL_KEYS = ("label", "labels", "cats", "entities")
_DOCCANO_KEYS = {*_LABEL_KEYS, "relations", "annotations", "meta"}
_TEXT_KEYS = ("text", "data")
_PRODIGY_KEYS = {"answer", "_input_hash", "_task_hash", "_session_id", "options", "spans"}


def parse(item: Item, layout: Layout) -> Iterator[Document]:
    """Yield the document of a line, or one for each of its users.

    Raises:
        InputError: naming the file, the line and the field, what was expected and what was found.
    """
    line = object_of(item)
    default_key = "data" if "data" in line and "text" not in line else "text"
    text_key = layout.columns.get("text", default_key)
    text = string(line.get(text_key), f"{item.where}: {text_key}")
    id_key = layout.columns.get("id", "id")
    name = item.name
    if line.get(id_key) is not None:
        name = name_of(line[id_key], f"{item.where}: {id_key}")
    if not line.keys() & {*_LABEL_KEYS, "annotations"}:
        raise InputError(
            f"{item.where}: expected 'label', 'entities' or 'annotations', found {', '.join(line)}"
        )

    fields = dict(line["meta"]) if isinstance(line.get("meta"), dict) else {}
    for key, value in line.items():
        if key not in _DOCCANO_KEYS and key not in (text_key, id_key):
            fields[key] = value

    for user, labels in _labels_by_user(line, item.where):
        marks, answers = _marks_and_answers(labels, item.where)
        yield Document(
            name=name,
            text=text,
            where=item.where,
            annotator=user,
            marks=marks,
            relations=_relations(labels, marks, item.where),
            answers=answers,
            fields=fields,
            usual=UTF16,
        )


def _labels_by_user(
    line: dict[str, Any], where: str
) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Yield each user with their labels, in the shape of newer exports."""
    if "annotations" not in line:
        yield None, line
        return
    labels_by_user: dict[str | None, list[Any]] = {}
    for number, value in enumerate(listing(line["annotations"], f"{where}: annotations")):
        annotation_where = f"{where}: annotations[{number}]"
        annotation = mapping(value, annotation_where)
        user = annotation.get("user")
        if user is not None:
            user = name_of(user, f"{annotation_where}.user")
        label: Any = annotation.get("label", annotation.get("text"))
        label = name_of(label, f"{annotation_where}.label")
        if "start_offset" in annotation or "end_offset" in annotation:
            start, end = extent(annotation, "start_offset", "end_offset", annotation_where)
            label = [start, end, label]
        labels_by_user.setdefault(user, []).append(label)
    # A line without annotations is a document without labels.
    for user, labels in (labels_by_user or {None: []}).items():
        yield user, {"label": labels}


def _marks_and_answers(line: dict[str, Any], where: str) -> tuple[list[Mark], list[Answer]]:
    """Return the marks of a line, and the labels of the whole text as answers."""
    marks: list[Mark] = []
    answers: list[Answer] = []
    mark_names = set()
    for key in _LABEL_KEYS:
        labels = line.get(key, [])
        # A project with one label a text exports it without a list.
        if isinstance(labels, str):
            labels = [labels]
        for number, label in enumerate(listing(labels, f"{where}: {key}")):
            name = f"{key}[{number}]"
            label_where = f"{where}: {name}"
            if isinstance(label, str) and key != "entities":
                answers.append(Answer("cats" if key == "cats" else "label", label))
                continue

            if isinstance(label, dict) and key == "entities":
                # Relations refer to entities by their ids.
                name = name_of(label.get("id", name), f"{label_where}.id")
                bounds = extent(label, "start_offset", "end_offset", label_where)
                label_name = string(label.get("label"), f"{label_where}.label")
                if name in mark_names:
                    raise wrong(f"{label_where}.id", "a new id", name)
                mark_names.add(name)
            else:
                is_triple = isinstance(label, list) and len(label) == 3
                if not is_triple or not is_integer(label[0]) or not is_integer(label[1]):
                    triple = "[start, end, label]"
                    expected = triple if key == "entities" else f"a name or {triple}"
                    raise wrong(label_where, expected, label)
                bounds = extent({"start": label[0], "end": label[1]}, "start", "end", label_where)
                label_name = name_of(label[2], f"{label_where}[2]")
            marks.append(Mark(name, label_name, [bounds], where=label_where))
    return marks, answers


def _relations(line: Mapping[str, Any], marks: Sequence[Mark], where: str) -> list[Relation]:
    """Return the relations between the entities of a line."""
    mark_names = {mark.name for mark in marks}
    relations = []
    for number, value in enumerate(listing(line.get("relations", []), f"{where}: relations")):
        relation_where = f"{where}: relations[{number}]"
        relation = mapping(value, relation_where)
        ends = []
        for key in ("from_id", "to_id"):
            end = str(integer(relation.get(key), f"{relation_where}.{key}"))
            if end not in mark_names:
                expected = "the id of an entity of this text"
                raise wrong(f"{relation_where}.{key}", expected, relation[key])
            ends.append(end)
        label = string(relation.get("type") or "", f"{relation_where}.type")
        relations.append(Relation(ends[0], ends[1], label))
    return relations


def recognise(head: str) -> bool:
    """Return whether the first object has a text with labels as doccano writes them."""
    first = first_object(head)
    if first.keys().isdisjoint(_TEXT_KEYS):
        return False
    # Exports of other tools have a text and labels, too.
    is_prodigy = bool(first.keys() & _PRODIGY_KEYS)
    is_argilla = any(".responses" in key for key in first)
    if is_prodigy or is_argilla or json_min.is_row(first):
        return False

    if "cats" in first:
        # spaCy has an object under this key.
        return isinstance(first["cats"], list)
    if any(isinstance(first.get(key), (list, str)) for key in ("label", "labels")):
        return True
    entities = first.get("entities")
    if isinstance(entities, list):
        # spaCy's entities are triples: offsets in objects, or relations beside them, are doccano's.
        for entity in entities:
            if isinstance(entity, dict) and "start_offset" in entity:
                return True
        return isinstance(first.get("relations"), list)

    annotations = first.get("annotations")
    if not isinstance(annotations, list):
        return False
    for annotation in annotations:
        has_label = isinstance(annotation, dict) and bool(annotation.keys() & {"label", "text"})
        # Annotations with a "result" are Label Studio's.
        if has_label and "result" not in annotation:
            return True
    return False


FORMAT = Format("doccano", (".jsonl", ".ndjson", ".json"), recognise, items=json_items, parse=parse)
