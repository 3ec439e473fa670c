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

from collections.abc import Iterator, Mapping
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
)
from claimstance.training.data.formats.label_studio import json_min
from claimstance.training.data.formats.label_studio.hypertext import displayed_text
from claimstance.training.data.formats.label_studio.regions import (
    control_of,
    find_regions,
    join_continued,
    parse_relation,
    region_of,
)
from claimstance.training.data.formats.label_studio.values import (
    NO_LABEL,
    answers_in,
    find_text_field,
    is_in_html,
    parse_annotator,
)
from claimstance.training.data.formats.label_studio.writer import write

_ANNOTATION_KEYS = ("annotations", "completions")  # "completions" before 2021


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

    regions = find_regions(results)
    answers: list[Answer] = []
    relations: list[Relation] = []
    for result, result_where in results:
        if result.get("type") == "relation":
            relations += parse_relation(result, regions, result_where)
        elif region_of(result, regions) is None:
            question = control_of(result, result_where)
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
        marks=join_continued(marks, relations),
        relations=[relation for relation in relations if relation.label != CONTINUES],
        answers=answers,
        fields=fields,
        sentences=sentences,
    )


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
