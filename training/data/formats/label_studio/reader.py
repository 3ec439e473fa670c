"""Label Studio's exports: JSON, with everything; JSON-MIN and CSV in ``labelstudio_min``.

A task has a document for each annotation that was not cancelled; predictions and drafts are not read. The text is the
data field ``text``, another by ``columns: {text: …}``, or the only field that holds a string; all others are kept.

- ``labels``, ``hypertextlabels``: a mark for each label of a region; a region without a label is
  left out. Choices and other answers given for a region
  (they have its id, or its offsets) are its attributes.
- ``choices``, ``taxonomy``, ``rating``, ``number``, ``textarea``, ``pairwise`` and the like for the whole text: an
  answer for each value, the question being the control's name (``from_name``). A path in a taxonomy is ``A/B``.
- ``relation``: in its direction, once for each of its labels; in both if it has both. Label Studio has no regions of
  several pieces: those that a relation ``continues`` ties to another are pieces of that one.
- ``textarea`` named ``target`` or ``holder``, of a region: the name of whom a stance is toward, or whose it is.

Where regions lie in HTML (HyperText), the text is what is shown of it (``hypertext``).

Label Studio has counted code points since 2022, UTF-16 code units before (label-studio #1347, #1559); what a region
quotes tells which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.io.label_studio import CONTINUES
from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object
from claimstance.training.data.documents.json_validation import (
    listing,
    mapping,
    name_of,
    read_json,
    read_text,
    string,
    wrong,
)
from claimstance.training.data.formats.label_studio import json_min as labelstudio_min
from claimstance.training.data.formats.label_studio.hypertext import shown_text
from claimstance.training.data.formats.label_studio.values import (
    KEYS,
    NO_LABEL,
    answers_in,
    is_in_html,
    region_place,
    text_field,
)
from claimstance.training.data.formats.label_studio.writer import write

_ANNOTATIONS = ("annotations", "completions")  # "completions" before 2021


@dataclass
class _Region:
    """Represent a region and all that was said of it."""

    place: tuple[int, int]
    surface: str | None
    control: str
    where: str
    has_labels: bool = False  # whether a control for labels marked it, with a label or without
    labels: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)

    def marks(self, name: str) -> Iterator[Mark]:
        """Yield a mark for each label; of a region that no labels are for, one with the control's name."""
        labels = list(dict.fromkeys(self.labels))
        if not labels and not self.has_labels:
            labels = [self.control]
        for label in labels:
            yield Mark(
                name if len(labels) == 1 else f"{name}:{label}",
                label,
                [self.place],
                self.surface,
                self.attributes,
                self.where,
            )


def items(path: Path) -> Iterator[Item]:
    """Each task, in order; of JSON-MIN and CSV each annotation.

    Raises:
        InputError: for a file that is neither JSON with tasks nor such a CSV.
    """
    if path.suffix.lower() in labelstudio_min.SUFFIXES:
        yield from labelstudio_min.rows(path)
        return
    tasks = read_json(read_text(path), str(path))
    for number, task in enumerate(tasks if isinstance(tasks, list) else [tasks], 1):
        where = f"{path}, task {number}"
        name = task.get("id") if isinstance(task, dict) else None
        if name is not None:
            where = f"{path}, task {name_of(name, f'{where}: id')}"
        yield Item(where, str(number if name is None else name), task)
    if not tasks:
        raise InputError(f"{path}: expected at least one task, found none")


def parse(item: Item, layout: Layout) -> list[Document | LeftOut]:
    """A document for each annotation of a task that was not cancelled.

    Raises:
        InputError: naming the file, the task and the field, what was expected and what was found.
    """
    task = mapping(item.data, item.where)
    key = next((key for key in _ANNOTATIONS if key in task), None)
    if labelstudio_min.is_row(task) or (key is None and "annotator" in task):
        return list(labelstudio_min.parse(item, layout))
    if key is None or "data" not in task:
        raise InputError(
            f"{item.where}: expected 'data' and 'annotations', found {', '.join(task) or 'neither'}"
        )
    data = mapping(task["data"], f"{item.where}: data")
    text_key = text_field(data, layout, f"{item.where}: data")
    id_key = layout.columns.get("id", "id")
    own = data.get(id_key)
    fields = {name: value for name, value in data.items() if name not in (text_key, id_key)}
    name = item.name if own in (None, "") else name_of(own, f"{item.where}: data.{id_key}")
    documents: list[Document | LeftOut] = []
    for number, annotation in enumerate(listing(task[key], f"{item.where}: {key}")):
        place = f"{key}[{number}]" if len(task[key]) > 1 else ""
        where = f"{item.where}, {place}" if place else item.where
        annotation = mapping(annotation, where)
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            documents.append(LeftOut("cancelled annotation"))
            continue
        documents += _document(name, annotation, data[text_key], fields, where)
    return documents or [LeftOut("task without annotations")]


def _document(
    name: str, annotation: Mapping[str, Any], text: str, fields: Mapping[str, Any], where: str
) -> Iterator[Document | LeftOut]:
    """Yield the document of an annotation, and what of it is left out."""
    results = [
        (mapping(result, place), place)
        for number, result in enumerate(listing(annotation.get("result"), f"{where}: result"))
        for place in [f"{where}: result[{number}]"]
    ]
    regions = _regions(results)
    answers: list[Answer] = []
    relations: list[Relation] = []
    for result, place in results:
        if result.get("type") == "relation":
            relations += _relations(result, regions, place)
        elif _region_of(result, regions) is None:
            answers += answers_in(result["value"], result["type"], _control(result, place), place)
    marks = [mark for region_name, region in regions.items() for mark in region.marks(region_name)]
    marks, relations = _joined(marks, relations)
    for region in regions.values():
        if region.has_labels and not region.labels:
            yield NO_LABEL
    text, sentences = _shown(text, results)
    annotator = labelstudio_min.annotator(annotation.get("completed_by"), f"{where}: completed_by")
    yield Document(
        name,
        text,
        where,
        annotator,
        marks,
        relations,
        answers=answers,
        fields=fields,
        sentences=sentences,
    )


def _shown(
    text: str, results: list[tuple[dict[str, Any], str]]
) -> tuple[str, list[tuple[int, int]] | None]:
    """Return the text that offsets count in, and of HTML the bounds of its sentences."""
    values = [result["value"] for result, _ in results if result["type"] != "relation"]
    regions = [value for value in values if "start" in value]
    if regions and all(is_in_html(value) for value in regions):
        return shown_text(text)
    return text, None


def _regions(results: list[tuple[dict[str, Any], str]]) -> dict[str, _Region]:
    """The regions by their ids, with the labels and attributes that any result gives them."""
    regions: dict[str, _Region] = {}
    for result, where in results:
        kind = string(result.get("type"), f"{where}.type")
        if kind == "relation":
            continue
        value = mapping(result.get("value"), f"{where}.value")
        name = result.get("id")
        if ("start" in value or "globalOffsets" in value) and name not in regions:
            place = region_place(value, f"{where}.value")
            regions[string(name, f"{where}.id")] = _Region(
                place, None, _control(result, where), where
            )
    for result, where in results:
        region = _region_of(result, regions)
        if region is None:
            continue
        value, kind = result["value"], result["type"]
        if kind != "textarea" and isinstance(value.get("text"), str):
            region.surface = value["text"]
        if kind.endswith("labels"):
            labels = listing(value.get(kind, value.get("labels")) or [], f"{where}.value.{kind}")
            region.has_labels = True
            region.labels += [string(label, f"{where}.value.{kind}") for label in labels]
        elif KEYS.get(kind, kind) in value:
            given = [answer.value for answer in answers_in(value, kind, "", where)]
            region.attributes[_control(result, where)] = ", ".join(map(str, given))
    return regions


def _region_of(result: Mapping[str, Any], regions: Mapping[str, _Region]) -> _Region | None:
    name = result.get("id")
    return regions.get(name) if isinstance(name, str) and result["type"] != "relation" else None


def _relations(
    result: Mapping[str, Any], regions: Mapping[str, _Region], where: str
) -> Iterator[Relation]:
    ends = []
    for key in ("from_id", "to_id"):
        name = string(result.get(key), f"{where}.{key}")
        if name not in regions:
            raise wrong(f"{where}.{key}", "the id of a region of this annotation", name)
        ends.append([mark.name for mark in regions[name].marks(name)])
    direction = result.get("direction", "right")
    if direction not in ("right", "left", "bi"):
        raise wrong(f"{where}.direction", "right, left or bi", direction)
    labels = [
        string(label, f"{where}.labels")
        for label in listing(result.get("labels") or [], f"{where}.labels")
    ]
    for label in labels or [""]:
        for head in ends[0]:
            for tail in ends[1]:
                if direction != "left":
                    yield Relation(head, tail, label)
                if direction != "right":
                    yield Relation(tail, head, label)


def _joined(marks: list[Mark], relations: list[Relation]) -> tuple[list[Mark], list[Relation]]:
    """The marks with the pieces that continue them."""
    by_name = {mark.name: mark for mark in marks}
    for relation in relations:
        if relation.label == CONTINUES and relation.tail in by_name and relation.head in by_name:
            head, tail = by_name[relation.head], by_name.pop(relation.tail)
            surfaces = [surface for mark in (head, tail) if (surface := mark.surface) is not None]
            by_name[head.name] = replace(
                head,
                pieces=[*head.pieces, *tail.pieces],
                surface=" ".join(surfaces) if len(surfaces) == 2 else None,
            )
    return list(by_name.values()), [
        relation for relation in relations if relation.label != CONTINUES
    ]


def _control(result: Mapping[str, Any], where: str) -> str:
    return string(result.get("from_name"), f"{where}.from_name")


def recognise(head: str) -> bool:
    """Whether this starts tasks with annotations, or rows with Label Studio's own columns."""
    return labelstudio_min.recognise(head) or _starts_with_a_task(head)


def _starts_with_a_task(head: str) -> bool:
    task = first_object(head)
    if not task.keys() & set(_ANNOTATIONS):
        return False
    if "data" not in task:  # which Label Studio writes after the annotations: these may be long
        return task.keys() >= {"result", "from_name", "to_name"}
    return isinstance(task["data"], (dict, type(None)))


FORMAT = Format(
    "labelstudio", (".json", ".csv", ".tsv"), recognise, items=items, parse=parse, write=write
)
