"""Records as a report shows them: the text with its spans marked, and what was annotated, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.pages.markup import Mark, Segment, lanes, segments
from claimstance.model.record import Record, Span, Stance

MOST_SHOWN = 3000  # characters of a text
NOBODY = "nobody named"
_FACTS = ("corpus", "outlet", "date")  # keys of ``meta``
_FIELDS = {
    **{task: task for task in SENTENCE_TASKS},
    "attributions": "attribution",
    "entities": "entity",
    "stances": "stance",
}


@dataclass(frozen=True)
class Tagged:
    """One piece of a span: a mark, with what stands before it in small print, and its line under the text."""

    start: int
    end: int
    classes: str
    title: str
    tag: str
    lane: int


@dataclass(frozen=True)
class Said:
    """A stance in words."""

    holder: str
    target: str
    label: str
    shares: dict[str, float]


@dataclass(frozen=True)
class Sample:
    """A record to be shown.

    Attributes:
        id: the record's.
        facts: what is known of it, such as the document and the annotator.
        labels: task → the sentence's label.
        segments: the text, cut at all bounds of spans.
        lanes: how many lines there are under the text at most.
        left_out: how many characters at the end are not shown.
        attributions: part → its words, of each.
        entities: label and words.
        stances: in the record's order.
        empty: tasks annotated with "none there".
        missing: tasks that were not annotated.
    """

    id: str
    facts: dict[str, str]
    labels: dict[str, str]
    segments: list[Segment[Tagged]]
    lanes: int
    left_out: int
    attributions: list[dict[str, str]]
    entities: list[tuple[str, str]]
    stances: list[Said]
    empty: list[str]
    missing: list[str]


def sample(record: Record) -> Sample:
    """What a report shows of a record."""
    marks = _marks(record)
    text = record.text
    given = {
        "document": record.doc_id,
        **{key: record.meta.get(key) for key in _FACTS},
        "annotator": record.annotator,
    }
    return Sample(
        id=record.id,
        facts={name: str(value) for name, value in given.items() if value not in (None, "")},
        labels={
            task: label for task in SENTENCE_TASKS if (label := getattr(record, task)) is not None
        },
        segments=segments(text[:MOST_SHOWN], marks),
        lanes=1 + max((mark.lane for mark in marks), default=-1),
        left_out=max(0, len(text) - MOST_SHOWN),
        attributions=[
            {
                role: _words(text, span)
                for role in ROLES
                if (span := getattr(attribution, role)) is not None
            }
            for attribution in record.attributions or ()
        ],
        entities=[(entity.label, _words(text, entity.span)) for entity in record.entities or ()],
        stances=[_said(text, stance) for stance in record.stances or ()],
        empty=[task for field, task in _FIELDS.items() if getattr(record, field) == []],
        missing=[task for field, task in _FIELDS.items() if getattr(record, field) is None],
    )


def _said(text: str, stance: Stance) -> Said:
    holder, target = (
        _words(text, v) if isinstance(v, list) else v for v in (stance.holder, stance.target)
    )
    return Said(
        holder or NOBODY, target or "", stance.label or "no label", stance.probabilities or {}
    )


def _words(text: str, span: Span) -> str:
    return " … ".join(text[start:end] for start, end in span)


def _marks(record: Record) -> list[Tagged]:
    """The pieces of all spans that begin in the text that is shown; spans that two of a kind share are marked once."""
    numbers: dict[tuple[str, str, tuple[tuple[int, int], ...]], list[str]] = {}
    for kind, name, span, number in _spans(record):
        numbers.setdefault((kind, name, tuple(span)), []).append(number)
    pieces: list[tuple[Mark, str]] = []
    for (kind, name, parts), shared in numbers.items():
        tag = name if kind == "entity" and len(parts) == 1 else f"{name} {', '.join(shared)}"
        title = f"entity: {tag}" if kind == "entity" else tag
        for place, (start, end) in enumerate(sorted(parts)):
            if start < MOST_SHOWN:  # a piece of a span that goes on is tagged as such
                pieces.append(
                    (Mark(start, min(end, MOST_SHOWN), kind, title), "… " * (place > 0) + tag)
                )
    chosen = lanes([mark for mark, _ in pieces])
    return [
        Tagged(mark.start, mark.end, mark.classes, mark.title, tag, lane)
        for (mark, tag), lane in zip(pieces, chosen, strict=True)
    ]


def _spans(record: Record) -> Iterator[tuple[str, str, Span, str]]:
    """Of each span its style, what it is called, itself, and the number of what it is a part of."""
    for number, attribution in enumerate(record.attributions or (), 1):
        for role in ROLES:
            if (span := getattr(attribution, role)) is not None:
                yield role, role, span, str(number)
    for number, entity in enumerate(record.entities or (), 1):
        yield "entity", entity.label, entity.span, str(number)
    for number, stance in enumerate(record.stances or (), 1):
        for part, value in (("holder", stance.holder), ("target", stance.target)):
            if isinstance(value, list):
                yield part, part, value, str(number)
