"""An annotated text as annotation tools export it, before it becomes records of sentences.

Every reader of a tool's format gives this, and nothing else: what the tool's file says, under the tool's own names.
Offsets are still in the unit that the tool counts in (``offsets`` finds it); labels and relations have no meaning yet
(``roles`` gives it); ``assemble`` makes records of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimstance.model.record import Span


@dataclass(frozen=True)
class Mark:
    """A span that somebody marked.

    Attributes:
        name: the tool's id of it, unique in the document.
        label: the tool's label.
        pieces: its pieces, in the unit of the file, end exclusive.
        surface: what the file says stands there, the pieces joined by one space; ``None`` if it does not say.
        attributes: what else was said of the span, question → answer, such as ``{"Stance": "Against"}``.
        where: the place in the file, for messages; the document's if empty.
    """

    name: str
    label: str
    pieces: Span
    surface: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Relation:
    """A relation between two marks, by their names; ``label`` is empty where the tool has none."""

    head: str
    tail: str
    label: str = ""


@dataclass(frozen=True)
class Answer:
    """What was said of the whole text: a question with an answer, or a label that it has (``True``) or not.

    ``share`` is for tools that export how sure or how many: 0 to 1.
    """

    question: str
    value: str | bool
    share: float | None = None


@dataclass(frozen=True)
class Document:
    """One text as one annotator marked it.

    Attributes:
        name: of the text; the same for all its annotators.
        text: with every character that the file has.
        where: file and line, or file and the tool's id, for messages.
        annotator: who; ``None`` if the file does not say.
        marks: the spans.
        relations: between marks.
        events: marks that belong to one attribution, where the tool has that: the event's name → names of marks.
        answers: of the whole text.
        fields: the tool's other data of the text (outlet, date, target, …); plain values become ``meta``.
        sentences: bounds that the file has, in code points; ``None``: the text is cut here.
        unit: the unit that the format prescribes (``offsets.UNITS``); ``None``: to be found.
        usual: the unit that the tool counts in unless told otherwise: taken where nothing in the file can tell.
    """

    name: str
    text: str
    where: str
    annotator: str | None = None
    marks: Sequence[Mark] = ()
    relations: Sequence[Relation] = ()
    events: Mapping[str, Sequence[str]] = field(default_factory=dict)
    answers: Sequence[Answer] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    sentences: Sequence[tuple[int, int]] | None = None
    unit: str | None = None
    usual: str = "code points"


@dataclass(frozen=True)
class LeftOut:
    """What an item of a file has that is rightly no document, such as a cancelled annotation: it is counted."""

    reason: str
