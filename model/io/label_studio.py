"""Label Studio's vocabulary: the results of an annotation or a prediction, and the labelling configuration for them.

``tag --format labelstudio`` and ``convert --to labelstudio`` write the same regions, which
``claimstance.training.data.formats.label_studio`` reads.

- A sentence is a region ``Sentence``; its labels are choices for that region.
- Source, cue and content of an attribution are regions ``Source``, ``Cue`` and ``Content``, with relations from the cue
  to the others (from the content if there is no cue). Entities are regions under their labels.
- A stance is a relation with the name of its label, from the holder to a ``Target``. Without a holder, it is the choice
  ``stance`` for the target. A target that the sentence does not mention is a ``Target`` over all of it, whose text
  ``target`` is the name; likewise with a holder and the text ``holder``.

Offsets count code points, as Label Studio has done since 2022; every region quotes its text. The pieces of a span are
regions with relations ``continues`` between them.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimstance.model.labels import ROLES, SENTENCE_TASKS

#: The label of a relation from the first piece of a span to another one.
CONTINUES = "continues"
SPAN = "span"  # the control that marks regions
SENTENCE, HOLDER, TARGET = "Sentence", "Holder", "Target"
#: Controls for the name of a target or holder that the sentence does not mention.
NAME_CONTROLS = ("target", "holder")
_COLOURS = {
    "Source": "#3b7dd8",
    "Cue": "#8e8e93",
    "Content": "#e0a106",
    SENTENCE: "#7a8794",
    HOLDER: "#2f9e77",
    TARGET: "#c2549d",
}
Pieces = Sequence[tuple[int, int]]


class Results:
    """Collect the results of one annotation or prediction of a text.

    Args:
        text: the text that offsets refer to.
        origin: ``manual`` for an annotation, ``prediction`` for a prediction.

    Attributes:
        items: the results in Label Studio's JSON.
    """

    def __init__(self, text: str, origin: str = "manual") -> None:
        self._text = text
        self._origin = origin
        self._count = 0
        self.items: list[dict[str, Any]] = []

    def region(self, label: str, span: Pieces, score: float | None = None) -> str:
        """Mark a span, with a region for each piece; return the id of the first region."""
        region_ids = []
        for piece in span:
            region_id = self._new_id()
            value = {**self._extent(piece), "labels": [label]}
            self._add(region_id, SPAN, "labels", value, score)
            region_ids.append(region_id)
        for region_id in region_ids[1:]:
            self.relate(region_ids[0], region_id, CONTINUES)
        return region_ids[0]

    def choice(
        self,
        question: str,
        answer: str,
        region: str | None = None,
        span: Pieces = (),
        score: float | None = None,
    ) -> None:
        """Answer a question with a choice, for a region at ``span`` or for the entire text."""
        value: dict[str, Any] = {"choices": [answer]}
        if span:
            value = {**self._extent(span[0]), **value}
        self._add(region or self._new_id(), question, "choices", value, score)

    def name(self, question: str, answer: str, region: str, span: Pieces) -> None:
        """Write the text of one of ``NAME_CONTROLS`` for a region at ``span``."""
        self._add(region, question, "textarea", {**self._extent(span[0]), "text": [answer]})

    def relate(self, head: str, tail: str, label: str, score: float | None = None) -> None:
        """Add a relation between two regions."""
        relation = {
            "type": "relation",
            "from_id": head,
            "to_id": tail,
            "direction": "right",
            "labels": [label],
        }
        self._append(relation, score)

    def attribution(self, regions: Mapping[str, str]) -> None:
        """Relate the regions of an attribution: role → region."""
        head = "source"
        if "cue" in regions:
            head = "cue"
        elif "content" in regions:
            head = "content"
        for role, region in regions.items():
            if role != head:
                self.relate(regions[head], region, role)

    def _add(
        self,
        region: str,
        control: str,
        kind: str,
        value: dict[str, Any],
        score: float | None = None,
    ) -> None:
        """Add the value of a control for a region."""
        item = {
            "id": region,
            "from_name": control,
            "to_name": "text",
            "type": kind,
            "origin": self._origin,
            "value": value,
        }
        self._append(item, score)

    def _append(self, item: dict[str, Any], score: float | None) -> None:
        """Append a result, with its score if it has one."""
        if score is not None:
            item["score"] = score
        self.items.append(item)

    def _extent(self, piece: tuple[int, int]) -> dict[str, Any]:
        """Return the offsets of a region and its text, with line ends escaped as Label Studio escapes them."""
        start, end = piece
        text = self._text[start:end].replace("\r", "\\n").replace("\n", "\\n")
        return {"start": start, "end": end, "text": text}

    def _new_id(self) -> str:
        """Return an id that no other region of this text has."""
        self._count += 1
        return f"r{self._count}"


def labelling_config(tasks: Iterable[str], labels: Mapping[str, Sequence[str]]) -> str:
    """Return the labelling configuration (XML) of a project that annotates ``tasks``.

    Args:
        tasks: the tasks, from ``model.labels.TASKS``.
        labels: task → its label names. Attributions have roles in their place.
    """
    tasks = set(tasks)
    relation_labels: list[str] = []
    region_labels = [SENTENCE]
    entities: list[str] = []
    if "attribution" in tasks:
        relation_labels += ROLES
        region_labels += [role.capitalize() for role in ROLES]
    if "stance" in tasks:
        relation_labels += labels["stance"]
        region_labels += [HOLDER, TARGET]
    if "entity" in tasks:
        entities = list(labels["entity"])
        region_labels += entities

    view = ElementTree.Element("View")
    relations = ElementTree.SubElement(view, "Relations")
    for name in (*relation_labels, CONTINUES):
        ElementTree.SubElement(relations, "Relation", value=name)
    marks = ElementTree.SubElement(view, "Labels", name=SPAN, toName="text")
    for name in region_labels:
        label = ElementTree.SubElement(marks, "Label", value=name)
        if name in _COLOURS:
            label.set("background", _COLOURS[name])
    ElementTree.SubElement(view, "Text", name="text", value="$text", granularity="word")

    for task in SENTENCE_TASKS:
        if task in tasks:
            _add_choices(view, task, labels[task], [SENTENCE])
    if "stance" in tasks:
        _add_choices(view, "stance", labels["stance"], [TARGET, *entities])
        for name in NAME_CONTROLS:
            control = _add_control(view, "TextArea", name, [TARGET])
            control.set("placeholder", f"The {name}'s name, if the sentence does not mention it")
            control.set("maxSubmissions", "1")

    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _add_choices(
    view: ElementTree.Element, question: str, answers: Sequence[str], regions: Sequence[str]
) -> None:
    """Add a choice of one answer, for regions with one of the labels ``regions``."""
    control = _add_control(view, "Choices", question, regions)
    control.set("choice", "single-radio")
    control.set("showInline", "true")
    for answer in answers:
        ElementTree.SubElement(control, "Choice", value=answer)


def _add_control(
    view: ElementTree.Element, kind: str, question: str, regions: Sequence[str]
) -> ElementTree.Element:
    """Add a control under a header, shown for regions with one of the labels ``regions``; return the control."""
    section = ElementTree.SubElement(
        view,
        "View",
        visibleWhen="region-selected",
        whenTagName=SPAN,
        whenLabelValue=",".join(regions),
    )
    ElementTree.SubElement(section, "Header", value=question.replace("_", "-"), size="5")
    return ElementTree.SubElement(section, kind, name=question, toName="text", perRegion="true")
