"""Label Studio's exports: JSON, with everything; JSON-MIN and CSV in ``json_min``.

A task has a document for each annotation that was not cancelled; predictions and drafts are not read. The text is the
data field ``text``, the one in ``columns: {text: …}``, or the only field that holds a string. All others are kept.

- ``labels``, ``hypertextlabels``: a mark for each label of a region; a region without a label is left out. Choices and
  other answers for a region (which have its id, or its offsets) are its attributes.
- ``choices``, ``taxonomy``, ``rating``, ``number``, ``textarea``, ``pairwise`` and the like for the whole text: an
  answer for each value. The question is the control's name (``from_name``). A path in a taxonomy is ``A/B``.
- ``relation``: a relation for each of its labels, in its direction; if it has both directions, one in each. Label
  Studio has no regions of several pieces: regions that relations ``continues`` link are pieces of one mark.
- ``textarea`` called ``target`` or ``holder``, of a region: the name of the target or the holder of a stance.

If the regions lie in HTML (HyperText), the text is the one that Label Studio displays (``hypertext``).

Label Studio has counted code points since 2022, and UTF-16 code units before (label-studio #1347, #1559). The text that
each region quotes shows which of them a file has.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from claimstance.training.data.formats.label_studio import json_min
from claimstance.training.data.formats.label_studio.hypertext import displayed_text
from claimstance.training.data.formats.label_studio.values import (
    NO_LABEL,
    answers_in,
    find_text_field,
    is_in_html,
    parse_annotator,
    region_bounds,
    value_key,
)
from claimstance.training.data.formats.label_studio.writer import write

_ANNOTATION_KEYS = ("annotations", "completions")  # "completions" before 2021
_Results = Sequence[tuple[dict[str, Any], str]]  # each result with its place in the file


@dataclass
class _Region:
    """Represent a region with its labels and the answers for it.

    Attributes:
        bounds: its start and end.
        surface: the text that it quotes; ``None`` if it quotes none.
        control: the name of the control that it was marked with.
        where: its place in the file, for messages.
        has_labels: whether a control for labels marked it, with a label or without.
        labels: its labels.
        attributes: question → answer for it.
    """

    bounds: tuple[int, int]
    surface: str | None
    control: str
    where: str
    has_labels: bool = False
    labels: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)

    def marks(self, region_id: str) -> Iterator[Mark]:
        """Yield a mark for each label; without a control for labels, one with the control's name."""
        labels = list(dict.fromkeys(self.labels))
        if not labels and not self.has_labels:
            labels = [self.control]
        for label in labels:
            yield Mark(
                region_id if len(labels) == 1 else f"{region_id}:{label}",
                label,
                [self.bounds],
                self.surface,
                self.attributes,
                self.where,
            )


def items(path: Path) -> Iterator[Item]:
    """Yield the tasks of a JSON file, or the annotations of a CSV or TSV file, in order.

    Raises:
        InputError: for a file that is neither JSON with tasks nor a CSV of Label Studio.
    """
    if path.suffix.lower() in json_min.SUFFIXES:
        yield from json_min.table_items(path)
        return
    tasks = read_json(read_text(path), str(path))
    task_list = tasks if isinstance(tasks, list) else [tasks]  # a single task may be exported alone
    for number, task in enumerate(task_list, 1):
        where = f"{path}, task {number}"
        name = str(number)
        if isinstance(task, dict) and task.get("id") is not None:
            name = name_of(task["id"], f"{where}: id")
            where = f"{path}, task {name}"
        yield Item(where, name, task)
    if not tasks:
        raise InputError(f"{path}: expected at least one task, found none")


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield a document for each annotation of a task that was not cancelled.

    Raises:
        InputError: naming the file, the task and the field, what was expected and what was found.
    """
    task = mapping(item.data, item.where)
    key = "completions" if "annotations" not in task and "completions" in task else "annotations"
    if json_min.is_row(task) or (key not in task and "annotator" in task):
        yield from json_min.parse(item, layout)
        return
    if key not in task or "data" not in task:
        raise InputError(
            f"{item.where}: expected 'data' and 'annotations', found {', '.join(task) or 'neither'}"
        )

    data = mapping(task["data"], f"{item.where}: data")
    text_key = find_text_field(data, layout, f"{item.where}: data")
    id_key = layout.columns.get("id", "id")
    fields = {name: value for name, value in data.items() if name not in (text_key, id_key)}
    name = item.name
    if data.get(id_key) not in (None, ""):
        name = name_of(data[id_key], f"{item.where}: data.{id_key}")

    annotations = listing(task[key], f"{item.where}: {key}")
    if not annotations:
        yield LeftOut("task without annotations")
    for number, value in enumerate(annotations):
        where = f"{item.where}, {key}[{number}]" if len(annotations) > 1 else item.where
        annotation = mapping(value, where)
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            yield LeftOut("cancelled annotation")
        else:
            yield from _parse_annotation(name, annotation, data[text_key], fields, where)


def _parse_annotation(
    name: str, annotation: Mapping[str, Any], text: str, fields: Mapping[str, Any], where: str
) -> Iterator[Document | LeftOut]:
    """Yield the document of an annotation, and its regions that are left out."""
    results = []
    for number, value in enumerate(listing(annotation.get("result"), f"{where}: result")):
        result_where = f"{where}: result[{number}]"
        results.append((mapping(value, result_where), result_where))

    regions = _find_regions(results)
    answers: list[Answer] = []
    relations: list[Relation] = []
    for result, result_where in results:
        if result.get("type") == "relation":
            relations += _parse_relation(result, regions, result_where)
        elif _region_of(result, regions) is None:
            question = _control(result, result_where)
            answers += answers_in(result["value"], result["type"], question, result_where)

    marks: list[Mark] = []
    for region_id, region in regions.items():
        marks += region.marks(region_id)
        if region.has_labels and not region.labels:
            yield NO_LABEL

    # Offsets in HTML count the characters that the annotator saw, and not those of the tags.
    values = [result["value"] for result, _ in results if result["type"] != "relation"]
    region_values = [value for value in values if "start" in value]
    sentences = None
    if region_values and all(is_in_html(value) for value in region_values):
        text, sentences = displayed_text(text)
    yield Document(
        name=name,
        text=text,
        where=where,
        annotator=parse_annotator(annotation.get("completed_by"), f"{where}: completed_by"),
        marks=_join_continued(marks, relations),
        relations=[relation for relation in relations if relation.label != CONTINUES],
        answers=answers,
        fields=fields,
        sentences=sentences,
    )


def _find_regions(results: _Results) -> dict[str, _Region]:
    """Return the regions by their ids, with the labels and attributes that any result gives them."""
    regions: dict[str, _Region] = {}
    for result, where in results:
        if string(result.get("type"), f"{where}.type") == "relation":
            continue
        value = mapping(result.get("value"), f"{where}.value")
        region_id = result.get("id")
        # Each control that marks or answers a region repeats its offsets: the first one makes the region.
        if ("start" in value or "globalOffsets" in value) and region_id not in regions:
            bounds = region_bounds(value, f"{where}.value")
            region = _Region(bounds, None, _control(result, where), where)
            regions[string(region_id, f"{where}.id")] = region

    # An answer may come before the region that it is for.
    for result, where in results:
        owner = _region_of(result, regions)
        if owner is None:
            continue
        value, kind = result["value"], result["type"]
        # The "text" of a text area is its answer, not a quotation.
        if kind != "textarea" and isinstance(value.get("text"), str):
            owner.surface = value["text"]
        if kind.endswith("labels"):
            labels_where = f"{where}.value.{kind}"
            labels = listing(value.get(kind, value.get("labels")) or [], labels_where)
            owner.has_labels = True
            owner.labels += [string(label, labels_where) for label in labels]
        elif value_key(kind) in value:
            # An attribute has one value, where a question may have several answers.
            answers = [str(answer.value) for answer in answers_in(value, kind, "", where)]
            owner.attributes[_control(result, where)] = ", ".join(answers)
    return regions


def _region_of(result: Mapping[str, Any], regions: Mapping[str, _Region]) -> _Region | None:
    """Return the region that a result is about; ``None`` if it is about the whole text."""
    region_id = result.get("id")
    if result["type"] == "relation" or not isinstance(region_id, str):
        return None
    return regions.get(region_id)


def _parse_relation(
    result: Mapping[str, Any], regions: Mapping[str, _Region], where: str
) -> Iterator[Relation]:
    """Yield a relation between the marks of two regions, for each label and direction."""
    ends = []
    for key in ("from_id", "to_id"):
        region_id = string(result.get(key), f"{where}.{key}")
        if region_id not in regions:
            raise wrong(f"{where}.{key}", "the id of a region of this annotation", region_id)
        ends.append([mark.name for mark in regions[region_id].marks(region_id)])

    direction = result.get("direction", "right")
    if direction not in ("right", "left", "bi"):
        raise wrong(f"{where}.direction", "right, left or bi", direction)
    labels = listing(result.get("labels") or [], f"{where}.labels")
    labels = [string(label, f"{where}.labels") for label in labels]
    for label in labels or [""]:
        for head in ends[0]:
            for tail in ends[1]:
                if direction != "left":
                    yield Relation(head, tail, label)
                if direction != "right":
                    yield Relation(tail, head, label)


def _join_continued(marks: Sequence[Mark], relations: Sequence[Relation]) -> list[Mark]:
    """Return the marks, each with the pieces that relations ``continues`` link to it."""
    by_name = {mark.name: mark for mark in marks}
    for relation in relations:
        if relation.label != CONTINUES:
            continue
        # A piece has gone into its mark once: a second relation to it adds nothing.
        if relation.head not in by_name or relation.tail not in by_name:
            continue
        head, tail = by_name[relation.head], by_name.pop(relation.tail)
        surface = None
        if head.surface is not None and tail.surface is not None:
            surface = f"{head.surface} {tail.surface}"
        pieces = [*head.pieces, *tail.pieces]
        by_name[head.name] = replace(head, pieces=pieces, surface=surface)
    return list(by_name.values())


def _control(result: Mapping[str, Any], where: str) -> str:
    return string(result.get("from_name"), f"{where}.from_name")


def recognise(head: str) -> bool:
    """Return whether this starts tasks with annotations, or rows with Label Studio's own columns."""
    if json_min.recognise(head):
        return True
    task = first_object(head)
    if task.keys().isdisjoint(_ANNOTATION_KEYS):
        return False
    # The data may be missing here: Label Studio writes it after the annotations, which may be long.
    if "data" not in task:
        return task.keys() >= {"result", "from_name", "to_name"}
    return isinstance(task["data"], (dict, type(None)))


FORMAT = Format(
    "labelstudio", (".json", ".csv", ".tsv"), recognise, items=items, parse=parse, write=write
)
