"""An annotated text as annotation tools export it, before it becomes records of sentences.

The reader of each format returns these documents: the contents of the tool's file, under the tool's
own names. Offsets are still in the unit of the tool (``offsets`` converts them), and labels and
relations have no meaning yet (``roles`` interprets them). ``assemble`` makes the records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimstance.model.record import Span


@dataclass(frozen=True)
class Mark:
    """Represent a span that an annotator marked.

    Attributes:
        name: The tool's id of the span, unique in the document.
        label: The tool's label.
        pieces: The pieces of the span, in the unit of the file, end exclusive.
        surface: The text that the file quotes for the span, the pieces joined by one space; ``None``
            if it does not quote any.
        attributes: Further annotations of the span, question → answer, such as
            ``{"Stance": "Against"}``.
        where: The place in the file, for messages; the document's if empty.
    """

    name: str
    label: str
    pieces: Span
    surface: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Relation:
    """Represent a relation between two marks, by their names; ``label`` may be empty."""

    head: str
    tail: str
    label: str = ""


@dataclass(frozen=True)
class Answer:
    """Represent an annotation of the whole text.

    Attributes:
        question: The question, or the label where the tool has labels without questions.
        value: The answer, or whether the text has the label.
        share: The share of annotators or the certainty, from 0 to 1, if the tool exports it.
    """

    question: str
    value: str | bool
    share: float | None = None


@dataclass(frozen=True)
class Document:
    """Represent one text with the annotations of one annotator.

    Attributes:
        name: The name of the text; equal for all its annotators.
        text: The text with every character that the file has.
        where: The file and line, or the file and the tool's id, for messages.
        annotator: The annotator; ``None`` if the file does not name one.
        marks: The spans.
        relations: The relations between marks.
        events: Event → names of the marks that form one attribution, where the tool has events.
        answers: The annotations of the whole text.
        fields: Other data of the text (outlet, date, target, …); plain values become ``meta``.
        sentences: The bounds of the sentences in code points; ``None`` for the project's splitter.
        unit: The unit that the format prescribes (``offsets.UNITS``); ``None`` if it varies.
        usual: The default unit of the tool, for files in which nothing tells the unit.
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
    """Represent an item that correctly becomes no document, such as a cancelled annotation.

    The report counts it under its reason.
    """

    reason: str
