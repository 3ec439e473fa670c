"""From annotated documents to records, sentence by sentence.

A file is read twice: once to learn the unit of its offsets and which kinds of things were annotated in it (so that a
sentence without any is "none there", not "not annotated"), once for the records.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, shorten, unknown
from claimstance.model.labels import ENTITY, ROLES, SENTENCE_TASKS
from claimstance.model.record import (
    Attribution,
    Entity,
    Record,
    Span,
    Stance,
    check_labels,
    overlapping_pieces,
)
from claimstance.model.text.sentences import split_sentences
from claimstance.training.data.documents.document import Answer, Document, Mark
from claimstance.training.data.documents.format import Format, Layout, Reading, documents
from claimstance.training.data.documents.linking import (
    Judged,
    Linked,
    Marks,
    attributions,
    has_stances,
    labels_of,
    stances,
)
from claimstance.training.data.documents.offsets import UnitSearch, in_code_points
from claimstance.training.data.documents.roles import IGNORE, MEANINGS, Roles, roles_of
from claimstance.training.data.documents.spans import clip

_OVERLAPPING = (
    "expected a source and a content beside each cue, found overlapping ones in {rows}: what lies in another is an "
    "attribution of its own; relations in the file say what belongs together"
)
_META = ("outlet", "date", "split")
_NAMED = ("target", "holder", "doc_id", *_META)  # what a document's own fields can say
_SHORT = {
    "PER": "PERSON",
    "ORG": "ORGANIZATION",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
}  # CoNLL's and spaCy's names


@dataclass
class _Survey:
    """What the first reading of a file learns."""

    units: UnitSearch = field(default_factory=UnitSearch)
    kinds: set[str] = field(default_factory=set)  # what was annotated somewhere in the file
    answers: bool = False  # whether whole texts have labels
    linked: bool = False  # whether attributions are linked
    nearest: int = 0  # parts linked by nearness alone

    def add(self, document: Document, roles: Roles) -> None:
        self.units.add(document)
        marks = Marks(document, roles)
        self.kinds |= set(marks.meaning.values())
        self.kinds |= {task for _, task, _ in labels_of(marks)}
        if has_stances(marks):
            self.kinds.add("stance")
        self.answers |= any(
            roles.of(a.question) not in (IGNORE, "target", "holder") for a in document.answers
        )
        self.linked |= marks.are_linked


def records(format: Format, path: Path, layout: Layout, reading: Reading) -> Iterator[Record]:
    """The records of a file of a format that has documents.

    Raises:
        InputError: naming the file and the place in it, what was expected and what was found; also if no unit explains
            the file's offsets.
    """
    roles, survey = roles_of(layout), _Survey()
    for document in documents(format, path, layout, Reading()):
        try:
            survey.add(document, roles)
        except InputError:  # for offsets, which the second reading leaves out
            if not layout.lenient:
                raise
    unit = survey.units.unit(path, layout.lenient)
    if survey.units.marks:
        reading.facts["offsets"] = survey.units.fact(unit)
    empty = True
    for document in documents(format, path, layout, reading):
        empty = False
        try:
            placed = in_code_points(document, unit)
        except InputError as error:
            if not layout.lenient:
                raise
            reading.refuse(
                error, document.where, f"offsets that {document.unit or unit} do not explain"
            )
            continue
        try:
            yield from _of_document(placed, path, roles, survey, layout, reading)
        except InputError as error:
            if not layout.lenient:
                raise
            reading.refuse(error, document.where)
    if empty and not reading.dropped:
        raise InputError(f"{path}: expected at least one annotated text, found none")
    if survey.nearest:
        reading.facts["links"] = (
            f"{survey.nearest} sources and contents are tied to the nearest cue of their "
            "sentence: the file has no relations"
        )


def _of_document(
    document: Document, path: Path, roles: Roles, survey: _Survey, layout: Layout, reading: Reading
) -> list[Record]:
    if not document.text.strip():
        raise InputError(f"{document.where}: expected a text, found an empty one")
    for mark in document.marks:
        _check_pieces(mark.pieces, mark.label, mark.where or document.where, document)
    marks = Marks(document, roles)
    whole = layout.sentences is False or (layout.sentences is None and survey.answers)
    bounds = [(0, len(document.text))] if whole else _bounds(document, marks)
    linked, nearest, overlapping = attributions(marks, not survey.linked, bounds)
    survey.nearest += nearest
    if overlapping:
        place = document.where.removeprefix(str(path)).lstrip(", ") or f"record '{document.name}'"
        reading.note("overlapping-spans", _OVERLAPPING, place)
    names = _names(document, layout, roles)
    sheet = _Sheet(document, bounds, survey.kinds, roles)
    sheet.attribute([_roles_of(event, document) for event in linked])
    sheet.name([(mark, _entity_label(mark, roles)) for mark in marks.of("entity")])
    sheet.label(labels_of(marks))
    sheet.judge(stances(marks, linked, names["target"], reading))
    found = sheet.records(whole, names, layout)
    if whole:
        _answer(found[0], document, roles, names, survey.kinds)
    for record in found:
        check_labels(
            record, {**_own_labels(record), **layout.labels}, f"{document.where}: {record.id}"
        )
    return found


def _check_pieces(span: Span, label: str, where: str, document: Document) -> None:
    """Raise ``InputError`` if pieces of a span have characters in common."""
    if (pair := overlapping_pieces(span)) is not None:
        first, second = (shorten(repr(document.text[start:end])) for start, end in pair)
        raise InputError(
            f"{where}: expected pieces of one {label} that do not overlap, found {first} and {second}"
        )


def _roles_of(event: Linked, document: Document) -> dict[str, Span]:
    """Return the span of each role of an attribution.

    Raises:
        InputError: If marks that the file ties to one attribution in one role overlap.
    """
    spans = {}
    for role in ROLES:
        span = event.span(role)
        if span is not None:
            _check_pieces(span, role, event.parts[role][0].where or document.where, document)
            spans[role] = span
    return spans


def _bounds(document: Document, marks: Marks) -> list[tuple[int, int]]:
    marked = sorted((mark.pieces[0][0], mark.pieces[-1][1]) for mark in marks.of("sentence"))
    return marked or list(document.sentences or split_sentences(document.text))


def _names(document: Document, layout: Layout, roles: Roles) -> dict[str, str | None]:
    """What the document's own fields say under the names of our columns."""
    found: dict[str, str | None] = {}
    for ours in _NAMED:
        value = document.fields.get(layout.columns.get(ours, ours))
        said = [
            a.value
            for a in document.answers
            if roles.of(a.question) == ours and isinstance(a.value, str)
        ]
        found[ours] = said[0] if said else None if value in (None, "") else str(value)
    found["target"] = found["target"] or layout.target
    return found


def _entity_label(mark: Mark, roles: Roles) -> str:
    label = roles.label(mark.label, "entity")
    return _SHORT.get(label, label) if roles.labels["entity"] == ENTITY else label


def _own_labels(record: Record) -> dict[str, Any]:
    """A record's labels as its label sets: what a file says is right, unless configured."""
    return {
        **{task: (getattr(record, task),) for task in SENTENCE_TASKS},
        "stance": tuple(stance.label for stance in record.stances or ()),
        "entity": tuple(entity.label for entity in record.entities or ()),
    }


class _Sheet:
    """A document's sentences, and what is written down of each."""

    def __init__(
        self, document: Document, bounds: Sequence[tuple[int, int]], kinds: set[str], roles: Roles
    ) -> None:
        self._document = document
        self._roles = roles
        self._bounds = bounds
        self._fields: list[dict[str, Any]] = [{} for _ in bounds]
        marked = {
            "attributions": kinds & set(ROLES),
            "entities": "entity" in kinds,
            "stances": "stance" in kinds,
        }
        for fields in self._fields:
            fields.update({name: [] for name, there in marked.items() if there})
            fields.update({task: None for task in SENTENCE_TASKS if task in kinds})
        self._derives_claim = "content" in kinds and "claim" not in kinds
        self._tasks = [task for task in SENTENCE_TASKS if task in kinds]

    def _parts(self, span: Span, what: str) -> list[tuple[int, Span]]:
        """The part of ``span`` in each sentence that it touches, relative to the sentence."""
        found = []
        for index, (start, end) in enumerate(self._bounds):
            if span[0][0] < end and span[-1][1] > start and (part := self._part(span, start, end)):
                found.append((index, part))
        if not found:
            raise InputError(f"{what}: expected a span that touches a sentence, found {span}")
        return found

    def _part(self, span: Span, start: int, end: int) -> Span | None:
        if start <= span[0][0] and span[-1][1] <= end:
            return [(left - start, right - start) for left, right in span]
        return clip(span, start, end, self._document.text)

    def attribute(self, found: Sequence[Mapping[str, Span]]) -> None:
        for number, roles in enumerate(found, 1):
            by_sentence: dict[int, dict[str, Span]] = {}
            for role, span in roles.items():
                for index, part in self._parts(span, f"{self._document.where}: a {role}"):
                    by_sentence.setdefault(index, {})[role] = part
            event = f"A{number}" if len(by_sentence) > 1 else None
            for index, parts in sorted(by_sentence.items()):
                self._fields[index]["attributions"].append(Attribution(**parts, event=event))

    def name(self, entities: Sequence[tuple[Mark, str]]) -> None:
        for mark, label in sorted(entities, key=lambda pair: pair[0].pieces):
            for index, part in self._parts(
                mark.pieces, mark.where or f"{self._document.where}: {mark.name}"
            ):
                self._fields[index]["entities"].append(Entity(span=part, label=label))

    def label(self, found: Sequence[tuple[Mark, str, str]]) -> None:
        for mark, task, label in found:
            where = mark.where or f"{self._document.where}: {mark.name}"
            for index, _ in self._parts(mark.pieces, where):
                before = self._fields[index].get(task)
                if before is not None and before != label:
                    raise InputError(
                        f"{where}: {task}: expected one label a sentence, found '{before}' and '{label}'"
                    )
                self._fields[index][task] = label

    def judge(self, found: Sequence[Judged]) -> None:
        for judged in found:
            index, _ = self._parts(
                judged.anchor.pieces, judged.anchor.where or self._document.where
            )[0]
            holder = None if judged.holder is None else self._there(judged.holder, index)
            stance = Stance(
                holder=holder, target=self._there(judged.target, index), label=judged.label
            )
            self._fields[index].setdefault("stances", []).append(stance)

    def _there(self, mark: Mark | str, index: int) -> Span | str:
        """A mark as a span of a sentence; as a name if it is one, or in another sentence."""
        if isinstance(mark, str):
            return mark
        part = self._part(mark.pieces, *self._bounds[index])
        return part or " ".join(self._document.text[start:end] for start, end in mark.pieces)

    def records(self, whole: bool, names: Mapping[str, str | None], layout: Layout) -> list[Record]:
        document = self._document
        taken = {layout.columns.get(ours, ours) for ours in (*_NAMED, "text")}
        meta = {
            key: value
            for key, value in document.fields.items()
            if key not in taken and isinstance(value, (str, int, float, bool))
        }
        meta.update({key: value for key in _META if (value := names[key]) is not None})
        found = []
        for index, ((start, end), fields) in enumerate(
            zip(self._bounds, self._fields, strict=True)
        ):
            if self._derives_claim:
                fields["claim"] = (
                    "claim" if any(a.content for a in fields["attributions"]) else "no_claim"
                )
            for task in self._tasks:
                if fields.get(task) is None:
                    fields[task] = self._roles.yes_no(task, False)
            found.append(
                Record(
                    id=document.name if whole else f"{document.name}:{index}",
                    doc_id=names["doc_id"] if whole else document.name,
                    start=None if whole else start,
                    text=document.text[start:end],
                    annotator=document.annotator or layout.annotator,
                    meta=dict(meta),
                    **fields,
                )
            )
        return found


def _answer(
    record: Record,
    document: Document,
    roles: Roles,
    names: Mapping[str, str | None],
    kinds: set[str],
) -> None:
    """Put what was said of the whole text into its record."""
    answers = [
        (answer, task)
        for answer in document.answers
        if (task := _task(answer, document, roles, names))
    ]
    if "claim" not in kinds and any(task == "claim" for _, task in answers):
        record.claim = None  # what is said counts, not what was told by the contents
    for answer, task in answers:
        label = _label(answer, task, roles)
        if label is None:
            continue
        if task == "stance":
            if names["target"] is None:
                raise InputError(
                    f"{document.where}: stance '{label}': expected a target (a field of the text, or one "
                    "for the file), found none"
                )
            record.stances = [
                *(record.stances or ()),
                Stance(holder=names["holder"], target=names["target"], label=label),
            ]
        elif getattr(record, task) not in (None, label):
            raise InputError(
                f"{document.where}: {task}: expected one label, found '{getattr(record, task)}' and "
                f"'{label}'"
            )
        else:
            setattr(record, task, label)


def _task(
    answer: Answer, document: Document, roles: Roles, names: Mapping[str, str | None]
) -> str | None:
    """The task that an answer is a label of; ``None`` if it is none."""
    meaning = roles.of(answer.question)
    if meaning in (IGNORE, "target", "holder"):
        return None
    if meaning is None:
        meaning = roles.task_of(answer.question if isinstance(answer.value, bool) else answer.value)
    if meaning is None and answer.question in ("label", "labels"):
        meaning = "stance" if names["target"] is not None else "claim"
    if meaning in (*SENTENCE_TASKS, "stance"):
        return meaning
    raise InputError(
        f"{document.where}: {unknown('question', answer.question, MEANINGS)}; roles can say which of "
        "these it is"
    )


def _label(answer: Answer, task: str, roles: Roles) -> str | None:
    if isinstance(answer.value, str):
        return roles.label(answer.value, task)
    if roles.of(answer.question) == task and task != "stance":
        return roles.yes_no(task, answer.value)  # a label named after the task: it is one, or not
    return (
        roles.label(answer.question, task) if answer.value else None
    )  # "not in favor" does not say what then
