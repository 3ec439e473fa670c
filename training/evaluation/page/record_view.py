"""Records as a report shows them: the text with its spans marked, and the annotations in words."""

from dataclasses import dataclass

from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.pages.markup import Mark, Segment, lanes, segments
from claimstance.model.record import Record, Span

MAX_CHARACTERS = 3000  # of a text that are shown
NO_HOLDER = "nobody named"
_FACTS = ("corpus", "outlet", "date")  # keys of ``meta``
_SpanKey = tuple[str, str, tuple[tuple[int, int], ...]]  # kind, name, pieces
_TASK_OF_FIELD = {
    **{task: task for task in SENTENCE_TASKS},
    "attributions": "attribution",
    "entities": "entity",
    "stances": "stance",
}


@dataclass(frozen=True)
class TaggedMark:
    """Represent one piece of a span: a mark, the small print before it, and its line under the text."""

    start: int
    end: int
    classes: str
    title: str
    tag: str
    lane: int


@dataclass(frozen=True)
class StanceSummary:
    """Represent a stance in words; ``shares`` maps labels to probabilities, if it has any."""

    holder: str
    target: str
    label: str
    shares: dict[str, float]


@dataclass(frozen=True)
class Sample:
    """Represent a record as a page shows it.

    Attributes:
        id: the id of the record.
        facts: metadata such as the document and the annotator.
        labels: task → the sentence's label.
        segments: the text, cut at all bounds of spans.
        lanes: the greatest number of lines under the text.
        left_out: the number of characters at the end that are not shown.
        attributions: role → its words, for each attribution.
        entities: label and words of each entity.
        stances: in the record's order.
        empty: tasks that are annotated without any item.
        missing: tasks that are not annotated.
    """

    id: str
    facts: dict[str, str]
    labels: dict[str, str]
    segments: list[Segment[TaggedMark]]
    lanes: int
    left_out: int
    attributions: list[dict[str, str]]
    entities: list[tuple[str, str]]
    stances: list[StanceSummary]
    empty: list[str]
    missing: list[str]


def sample(record: Record) -> Sample:
    """Return a record as a page shows it."""
    text = record.text
    marks = _marks(record)
    facts = {"document": record.doc_id}
    for key in _FACTS:
        facts[key] = record.meta.get(key)
    facts["annotator"] = record.annotator

    labels = {}
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            labels[task] = label

    attributions = []
    for attribution in record.attributions or ():
        spans = {role: getattr(attribution, role) for role in ROLES}
        attributions.append(
            {role: _words(text, span) for role, span in spans.items() if span is not None}
        )

    stances = []
    for stance in record.stances or ():
        holder, target = stance.holder, stance.target
        if isinstance(holder, list):
            holder = _words(text, holder)
        if isinstance(target, list):
            target = _words(text, target)
        label = stance.label or "no label"
        stances.append(
            StanceSummary(holder or NO_HOLDER, target or "", label, stance.probabilities or {})
        )

    empty, missing = [], []
    # "Not annotated" and "none there" are different facts about a sentence.
    for field, task in _TASK_OF_FIELD.items():
        annotation = getattr(record, field)
        if annotation is None:
            missing.append(task)
        elif annotation == []:
            empty.append(task)

    return Sample(
        id=record.id,
        facts={name: str(value) for name, value in facts.items() if value not in (None, "")},
        labels=labels,
        segments=segments(text[:MAX_CHARACTERS], marks),
        lanes=1 + max((mark.lane for mark in marks), default=-1),
        left_out=max(0, len(text) - MAX_CHARACTERS),
        attributions=attributions,
        entities=[(entity.label, _words(text, entity.span)) for entity in record.entities or ()],
        stances=stances,
        empty=empty,
        missing=missing,
    )


def _words(text: str, span: Span) -> str:
    """Return the words of a span, with an ellipsis where its pieces leave a gap."""
    return " … ".join(text[start:end] for start, end in span)


def _marks(record: Record) -> list[TaggedMark]:
    """Return the pieces of all spans that begin in the visible text.

    Spans of the same characters and kind, such as a source that two attributions share, are marked
    once, with the numbers of both.
    """
    # Style, name, span, and the number of the annotation that the span belongs to.
    spans: list[tuple[str, str, Span, str]] = []
    for number, attribution in enumerate(record.attributions or (), 1):
        for role in ROLES:
            span = getattr(attribution, role)
            if span is not None:
                spans.append((role, role, span, str(number)))
    for number, entity in enumerate(record.entities or (), 1):
        spans.append(("entity", entity.label, entity.span, str(number)))
    for number, stance in enumerate(record.stances or (), 1):
        if isinstance(stance.holder, list):
            spans.append(("holder", "holder", stance.holder, str(number)))
        if isinstance(stance.target, list):
            spans.append(("target", "target", stance.target, str(number)))
    numbers: dict[_SpanKey, list[str]] = {}
    for kind, name, span, annotation in spans:
        numbers.setdefault((kind, name, tuple(span)), []).append(annotation)

    marks: list[Mark] = []
    tags: list[str] = []
    for (kind, name, pieces), span_numbers in numbers.items():
        tag = f"{name} {', '.join(span_numbers)}"
        title = tag
        if kind == "entity":
            # An entity in one piece needs no number, because nothing else belongs to it.
            tag = name if len(pieces) == 1 else tag
            title = f"entity: {tag}"
        for position, (start, end) in enumerate(sorted(pieces)):
            if start < MAX_CHARACTERS:
                marks.append(Mark(start, min(end, MAX_CHARACTERS), kind, title))
                # The tag of a later piece shows that the span continues.
                tags.append(tag if position == 0 else f"… {tag}")

    tagged = []
    # The lanes depend on all marks: those that overlap are drawn below one another.
    for mark, tag, lane in zip(marks, tags, lanes(marks), strict=True):
        tagged.append(TaggedMark(mark.start, mark.end, mark.classes, mark.title, tag, lane))
    return tagged
