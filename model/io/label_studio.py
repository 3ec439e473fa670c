"""Label Studio's words: the results of an annotation or a prediction, and the labelling configuration they belong to.

What ``tag --format labelstudio`` suggests and what ``convert --to labelstudio`` writes are made of the same regions,
and ``training.formats.labelstudio`` reads both.

- A sentence is a region ``Sentence``; its labels are choices for that region.
- The parts of an attribution are regions ``Source``, ``Cue`` and ``Content``, tied by relations from the cue (from the
  content where there is none). Entities are regions under their labels.
- A stance is a relation named after its label, from whose it is to a ``Target``; of nobody, the choice ``stance`` for
  the target. A target that the sentence does not mention is a ``Target`` over all of it, whose text ``target`` is its
  name; a holder likewise, ``holder``.

Offsets count code points, as Label Studio has done since 2022; every region quotes what it covers. Pieces of a span are
regions tied by relations ``continues``.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimstance.model.labels import ROLES, SENTENCE_TASKS

#: The label of a relation from a region to another piece of it.
CONTINUES = "continues"
SPAN = "span"  # the control that regions are marked with
SENTENCE, HOLDER, TARGET = "Sentence", "Holder", "Target"
#: Texts said of a region: the name of a target or a holder that is not there.
NAMES = ("target", "holder")
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
    """The results of one annotation or prediction of a text.

    Attributes:
        found: the results, as Label Studio's JSON has them.
    """

    def __init__(self, text: str, origin: str = "manual") -> None:
        self._text = text
        self._origin = origin
        self._count = 0
        self.found: list[dict[str, Any]] = []

    def region(self, label: str, span: Pieces, score: float | None = None) -> str:
        """Mark a span: a region for each piece, the first of which has the name that is given back."""
        names = []
        for piece in span:
            names.append(self._name())
            self._add(names[-1], SPAN, "labels", {**self._place(piece), "labels": [label]}, score)
        for other in names[1:]:
            self.relate(names[0], other, CONTINUES)
        return names[0]

    def choice(
        self,
        question: str,
        answer: str,
        region: str | None = None,
        span: Pieces = (),
        score: float | None = None,
    ) -> None:
        """Answer a question with a choice: of a region, of which ``span`` says where it is, or of the whole text."""
        self._add(
            region or self._name(),
            question,
            "choices",
            {**self._at(span), "choices": [answer]},
            score,
        )

    def name(self, question: str, answer: str, region: str, span: Pieces) -> None:
        """Say in words of a region what ``question`` (one of ``NAMES``) asks."""
        self._add(region, question, "textarea", {**self._at(span), "text": [answer]})

    def relate(self, head: str, tail: str, label: str, score: float | None = None) -> None:
        """Tie two regions."""
        scored = {} if score is None else {"score": score}
        self.found.append(
            {
                "type": "relation",
                "from_id": head,
                "to_id": tail,
                "direction": "right",
                "labels": [label],
                **scored,
            }
        )

    def attribution(self, parts: Mapping[str, str]) -> None:
        """Tie the parts of an attribution: role → region."""
        head = next(role for role in ("cue", "content", "source") if role in parts)
        for role, region in parts.items():
            if role != head:
                self.relate(parts[head], region, role)

    def _add(
        self, name: str, control: str, kind: str, value: dict[str, Any], score: float | None = None
    ) -> None:
        scored = {} if score is None else {"score": score}
        self.found.append(
            {
                "id": name,
                "from_name": control,
                "to_name": "text",
                "type": kind,
                "origin": self._origin,
                "value": value,
                **scored,
            }
        )

    def _at(self, span: Pieces) -> dict[str, Any]:
        return self._place(span[0]) if span else {}

    def _place(self, piece: tuple[int, int]) -> dict[str, Any]:
        start, end = piece
        quoted = (
            self._text[start:end].replace("\r", "\\n").replace("\n", "\\n")
        )  # as Label Studio quotes
        return {"start": start, "end": end, "text": quoted}

    def _name(self) -> str:
        self._count += 1
        return f"r{self._count}"


def labelling_config(tasks: Iterable[str], labels: Mapping[str, Sequence[str]]) -> str:
    """The labelling configuration (XML) for a project that annotates ``tasks``, with the label names of each.

    Args:
        tasks: of ``model.labels.TASKS``.
        labels: task → its label names; those of attributions are their roles.
    """
    tasks = set(tasks)
    roles = [role.capitalize() for role in ROLES] if "attribution" in tasks else []
    entities = list(labels["entity"]) if "entity" in tasks else []
    stances = list(labels["stance"]) if "stance" in tasks else []
    view = ElementTree.Element("View")
    ties = ElementTree.SubElement(view, "Relations")
    for name in (*(ROLES if roles else ()), *stances, CONTINUES):
        ElementTree.SubElement(ties, "Relation", value=name)
    marks = ElementTree.SubElement(view, "Labels", name=SPAN, toName="text")
    for name in (SENTENCE, *roles, *((HOLDER, TARGET) if stances else ()), *entities):
        label = ElementTree.SubElement(marks, "Label", value=name)
        if name in _COLOURS:
            label.set("background", _COLOURS[name])
    ElementTree.SubElement(view, "Text", name="text", value="$text", granularity="word")
    for task in SENTENCE_TASKS:
        if task in tasks:
            _choices(view, task, labels[task], [SENTENCE])
    if stances:
        _choices(view, "stance", stances, [TARGET, *entities])
        for question in NAMES:
            asked = _asked(view, "TextArea", question, [TARGET])
            asked.set("placeholder", f"The {question}'s name, if the sentence does not mention it")
            asked.set("maxSubmissions", "1")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _choices(
    view: ElementTree.Element, question: str, answers: Sequence[str], regions: Sequence[str]
) -> None:
    asked = _asked(view, "Choices", question, regions)
    asked.set("choice", "single-radio")
    asked.set("showInline", "true")
    for answer in answers:
        ElementTree.SubElement(asked, "Choice", value=answer)


def _asked(
    view: ElementTree.Element, kind: str, question: str, regions: Sequence[str]
) -> ElementTree.Element:
    """A control for regions with one of some labels, with its question above it."""
    part = ElementTree.SubElement(
        view,
        "View",
        visibleWhen="region-selected",
        whenTagName=SPAN,
        whenLabelValue=",".join(regions),
    )
    ElementTree.SubElement(part, "Header", value=question.replace("_", "-"), size="5")
    return ElementTree.SubElement(part, kind, name=question, toName="text", perRegion="true")
