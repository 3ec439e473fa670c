"""Conversion of annotated documents to records, sentence by sentence.

A file is read twice. The first pass learns the unit of its offsets and the kinds of its
annotations. A sentence without any annotation of such a kind then counts as annotated, with
nothing in it. The second pass makes the records.
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
from claimstance.training.data.documents.format import Format, Layout, ReadReport, documents
from claimstance.training.data.documents.linking import (
    LinkedAttribution,
    LinkedStance,
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
    "expected a source and a content beside each cue, found overlapping ones in {rows}: what lies "
    "in another is an attribution of its own; relations in the file say what belongs together"
)
_META = ("outlet", "date", "split")
# The columns that a document's own fields can fill.
_FIELD_COLUMNS = ("target", "holder", "doc_id", *_META)
# The labels of CoNLL and spaCy that have another name here.
_ENTITY_NAMES = {
    "PER": "PERSON",
    "ORG": "ORGANIZATION",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
}


@dataclass
class _Survey:
    """Collect what the first pass over a file learns.

    Attributes:
        units: The search for the unit of the offsets.
        kinds: The kinds of annotations that occur in the file.
        has_answers: Whether whole texts have labels.
        are_linked: Whether the file links sources, cues and contents.
        nearest: The number of marks that were linked to the nearest cue in the second pass.
    """

    units: UnitSearch = field(default_factory=UnitSearch)
    kinds: set[str] = field(default_factory=set)
    has_answers: bool = False
    are_linked: bool = False
    nearest: int = 0

    def add(self, document: Document, roles: Roles) -> None:
        """Add what a document tells about its file."""
        self.units.add(document)
        marks = Marks(document, roles)
        # Sentence labels may be attributes of a mark with another meaning.
        self.kinds.update(marks.meaning.values())
        self.kinds.update(task for _, task, _ in labels_of(marks))
        if has_stances(marks):
            self.kinds.add("stance")
        for answer in document.answers:
            if roles.of(answer.question) not in (IGNORE, "target", "holder"):
                self.has_answers = True
        # One linked document shows that the tool could link: the others have no links on purpose.
        self.are_linked |= marks.are_linked


def records(format: Format, path: Path, layout: Layout, report: ReadReport) -> Iterator[Record]:
    """Yield the records of a file in a format that has documents.

    Raises:
        InputError: If something in the file cannot be used, naming the file and the place in it, or
            if no unit explains the file's offsets. A lenient layout leaves out documents instead.
    """
    roles = roles_of(layout)
    # One unit and one set of kinds apply to the file, so that the survey must come first.
    survey = _Survey()
    for document in documents(format, path, layout, ReadReport()):
        try:
            survey.add(document, roles)
        except InputError:
            # In a lenient layout, the second pass leaves out such a document and counts it.
            if not layout.lenient:
                raise
    unit = survey.units.unit(path, layout.lenient)
    if survey.units.marks:
        report.facts["offsets"] = survey.units.describe(unit)

    is_empty = True
    for document in documents(format, path, layout, report):
        is_empty = False
        reason: str | None = f"offsets that {document.unit or unit} do not explain"
        try:
            document = in_code_points(document, unit)
            reason = None
            document_records = _document_records(document, path, roles, survey, layout, report)
        except InputError as error:
            if not layout.lenient:
                raise
            report.refuse(error, document.where, reason)
            continue
        yield from document_records

    # A file whose texts were all left out is no error: the report gives the reasons.
    if is_empty and not report.dropped:
        raise InputError(f"{path}: expected at least one annotated text, found none")
    if survey.nearest:
        report.facts["links"] = (
            f"{survey.nearest} sources and contents are tied to the nearest cue of their "
            "sentence: the file has no relations"
        )


def _document_records(
    document: Document,
    path: Path,
    roles: Roles,
    survey: _Survey,
    layout: Layout,
    report: ReadReport,
) -> list[Record]:
    """Return a record for each sentence of a document, or one record for a labelled text."""
    if not document.text.strip():
        raise InputError(f"{document.where}: expected a text, found an empty one")
    for mark in document.marks:
        _check_pieces(mark.pieces, mark.label, mark.where or document.where, document)

    marks = Marks(document, roles)
    as_one_text = survey.has_answers if layout.sentences is None else not layout.sentences
    if as_one_text:
        bounds = [(0, len(document.text))]
    else:
        # Marked sentences precede those of the file, and these the splitter's.
        bounds = sorted((mark.pieces[0][0], mark.pieces[-1][1]) for mark in marks.of("sentence"))
        bounds = bounds or list(document.sentences or split_sentences(document.text))
    linked, nearest, overlapping = attributions(marks, not survey.are_linked, bounds)
    survey.nearest += nearest
    if overlapping:
        # The report names the place within the file, which it has named already.
        location = (
            document.where.removeprefix(str(path)).lstrip(", ") or f"record '{document.name}'"
        )
        report.note("overlapping-spans", _OVERLAPPING, location)

    # Stances need the target of the document.
    columns = _column_values(document, layout, roles)
    builder = _RecordBuilder(document, bounds, survey.kinds, roles)
    builder.add_attributions(linked)
    builder.add_entities(marks.of("entity"))
    builder.add_labels(labels_of(marks))
    builder.add_stances(stances(marks, linked, columns["target"], report))
    document_records = builder.records(as_one_text, columns, layout)
    if as_one_text:
        _add_answers(document_records[0], document, roles, columns, survey.kinds)

    for record in document_records:
        # Without a configured label set, all labels of the record are valid.
        labels: dict[str, Any] = {task: (getattr(record, task),) for task in SENTENCE_TASKS}
        labels["stance"] = tuple(stance.label for stance in record.stances or ())
        labels["entity"] = tuple(entity.label for entity in record.entities or ())
        check_labels(record, {**labels, **layout.labels}, f"{document.where}: {record.id}")
    return document_records


def _check_pieces(span: Span, label: str, where: str, document: Document) -> None:
    """Raise ``InputError`` if pieces of a span have characters in common."""
    pair = overlapping_pieces(span)
    if pair is not None:
        first, second = (shorten(repr(document.text[start:end])) for start, end in pair)
        raise InputError(
            f"{where}: expected pieces of one {label} that do not overlap, "
            f"found {first} and {second}"
        )


def _column_values(document: Document, layout: Layout, roles: Roles) -> dict[str, str | None]:
    """Return column → value, from the document's answers, else from its fields."""
    values: dict[str, str | None] = {}
    for column in _FIELD_COLUMNS:
        value = document.fields.get(layout.columns.get(column, column))
        values[column] = None if value in (None, "") else str(value)
        for answer in document.answers:
            if roles.of(answer.question) == column and isinstance(answer.value, str):
                values[column] = answer.value
                break
    values["target"] = values["target"] or layout.target
    return values


class _RecordBuilder:
    """Collect the annotations of a document's sentences, and build their records."""

    def __init__(
        self, document: Document, bounds: Sequence[tuple[int, int]], kinds: set[str], roles: Roles
    ) -> None:
        self._document = document
        self._roles = roles
        self._bounds = bounds
        self._fields: list[dict[str, Any]] = [{} for _ in bounds]  # of the record of each sentence
        # An empty list means that the file has annotations of this kind, but not in the sentence.
        for fields in self._fields:
            if kinds & set(ROLES):
                fields["attributions"] = []
            if "entity" in kinds:
                fields["entities"] = []
            if "stance" in kinds:
                fields["stances"] = []
        self._tasks = [task for task in SENTENCE_TASKS if task in kinds]
        self._derives_claim = "content" in kinds and "claim" not in kinds

    def _clip_to_sentences(self, span: Span, where: str) -> list[tuple[int, Span]]:
        """Return (sentence index, pieces relative to the sentence) for each sentence of a span."""
        clipped = []
        for index, (start, end) in enumerate(self._bounds):
            if span[0][0] < end and span[-1][1] > start:
                pieces = self._clip(span, index)
                if pieces:
                    clipped.append((index, pieces))
        if not clipped:
            raise InputError(f"{where}: expected a span that touches a sentence, found {span}")
        return clipped

    def _clip(self, span: Span, index: int) -> Span | None:
        """Return the pieces of a span in a sentence, relative to it; ``None`` if there are none."""
        start, end = self._bounds[index]
        # A span within the sentence keeps its pieces as they were annotated.
        if start <= span[0][0] and span[-1][1] <= end:
            return [(first - start, last - start) for first, last in span]
        return clip(span, start, end, self._document.text)

    def _where(self, mark: Mark) -> str:
        return mark.where or f"{self._document.where}: {mark.name}"

    def add_attributions(self, linked: Sequence[LinkedAttribution]) -> None:
        """Add attributions; one over several sentences gets a common event.

        Raises:
            InputError: If marks that the file ties to one attribution in one role overlap.
        """
        document = self._document
        for number, attribution in enumerate(linked, 1):
            by_sentence: dict[int, dict[str, Span]] = {}  # sentence index → role → pieces
            for role in ROLES:
                span = attribution.span(role)
                if span is None:
                    continue
                where = attribution.marks[role][0].where or document.where
                _check_pieces(span, role, where, document)
                for index, pieces in self._clip_to_sentences(span, f"{document.where}: a {role}"):
                    by_sentence.setdefault(index, {})[role] = pieces
            event = f"A{number}" if len(by_sentence) > 1 else None
            for index, spans in sorted(by_sentence.items()):
                self._fields[index]["attributions"].append(Attribution(**spans, event=event))

    def add_entities(self, marks: Sequence[Mark]) -> None:
        """Add entities to the sentences that they touch."""
        for mark in sorted(marks, key=lambda mark: mark.pieces):
            label = self._roles.label(mark.label, "entity")
            # A label set of the user's own keeps its names.
            if self._roles.labels["entity"] == ENTITY:
                label = _ENTITY_NAMES.get(label, label)
            for index, pieces in self._clip_to_sentences(mark.pieces, self._where(mark)):
                self._fields[index]["entities"].append(Entity(span=pieces, label=label))

    def add_labels(self, labels: Sequence[tuple[Mark, str, str]]) -> None:
        """Set the sentence labels of (mark, task, label)."""
        for mark, task, label in labels:
            for index, _ in self._clip_to_sentences(mark.pieces, self._where(mark)):
                earlier = self._fields[index].get(task)
                if earlier not in (None, label):
                    raise InputError(
                        f"{self._where(mark)}: {task}: expected one label a sentence, "
                        f"found '{earlier}' and '{label}'"
                    )
                self._fields[index][task] = label

    def add_stances(self, linked: Sequence[LinkedStance]) -> None:
        """Add stances, each to the sentence in which its anchor begins."""
        for stance in linked:
            where = stance.anchor.where or self._document.where
            # A stance belongs to one sentence, even if its anchor goes on in the next one.
            index, _ = self._clip_to_sentences(stance.anchor.pieces, where)[0]
            holder = None if stance.holder is None else self._span_or_name(stance.holder, index)
            target = self._span_or_name(stance.target, index)
            self._fields[index].setdefault("stances", []).append(
                Stance(holder=holder, target=target, label=stance.label)
            )

    def _span_or_name(self, participant: Mark | str, index: int) -> Span | str:
        """Return a holder or target as a span of a sentence, or as a name if it is not in it."""
        if isinstance(participant, str):
            return participant
        span = self._clip(participant.pieces, index)
        if span:
            return span
        return " ".join(self._document.text[start:end] for start, end in participant.pieces)

    def records(
        self, as_one_text: bool, columns: Mapping[str, str | None], layout: Layout
    ) -> list[Record]:
        """Return the records of all sentences."""
        document = self._document
        # The plain fields of the document that are not columns, and the columns of ``_META``.
        used = {layout.columns.get(column, column) for column in (*_FIELD_COLUMNS, "text")}
        meta: dict[str, Any] = {
            key: value
            for key, value in document.fields.items()
            if key not in used and isinstance(value, (str, int, float, bool))
        }
        meta |= {key: columns[key] for key in _META if columns[key] is not None}

        built = []
        for index, (start, end) in enumerate(self._bounds):
            fields = self._fields[index]
            # Every attributed content is a claim, unless the file has claims of its own.
            if self._derives_claim:
                has_content = any(a.content for a in fields["attributions"])
                fields["claim"] = "claim" if has_content else "no_claim"
            for task in self._tasks:
                if fields.get(task) is None:
                    # Tools mark only the sentences with the positive label.
                    fields[task] = self._roles.yes_no(task, False)
            built.append(
                Record(
                    id=document.name if as_one_text else f"{document.name}:{index}",
                    doc_id=columns["doc_id"] if as_one_text else document.name,
                    start=None if as_one_text else start,
                    text=document.text[start:end],
                    annotator=document.annotator or layout.annotator,
                    meta=dict(meta),
                    **fields,
                )
            )
        return built


def _add_answers(
    record: Record,
    document: Document,
    roles: Roles,
    columns: Mapping[str, str | None],
    kinds: set[str],
) -> None:
    """Add the labels of a whole text to its record."""
    answers = []
    for answer in document.answers:
        task = _answer_task(answer, document, roles, columns)
        if task is not None:
            answers.append((answer, task))
    if "claim" not in kinds and any(task == "claim" for _, task in answers):
        record.claim = None  # An answer takes precedence over a claim derived from contents.

    for answer, task in answers:
        if isinstance(answer.value, str):
            label = roles.label(answer.value, task)
        elif roles.of(answer.question) == task and task != "stance":
            # A label with the name of the task, such as "claim", stands for its positive label.
            label = roles.yes_no(task, answer.value)
        elif answer.value:
            label = roles.label(answer.question, task)
        else:
            # A rejected label, such as "not in favor", does not tell which label is correct.
            continue
        if task == "stance":
            if columns["target"] is None:
                raise InputError(
                    f"{document.where}: stance '{label}': expected a target (a field of the text, "
                    "or one for the file), found none"
                )
            stance = Stance(holder=columns["holder"], target=columns["target"], label=label)
            record.stances = [*(record.stances or ()), stance]
            continue
        earlier = getattr(record, task)
        if earlier not in (None, label):
            raise InputError(
                f"{document.where}: {task}: expected one label, found '{earlier}' and '{label}'"
            )
        setattr(record, task, label)


def _answer_task(
    answer: Answer, document: Document, roles: Roles, columns: Mapping[str, str | None]
) -> str | None:
    """Return the task that an answer labels; ``None`` if it labels none.

    Raises:
        InputError: If the question has no meaning here.
    """
    meaning = roles.of(answer.question)
    if meaning in (IGNORE, "target", "holder"):
        return None
    if meaning is None:
        # Tools without questions export each label as a question, with yes or no as its answer.
        name = answer.question if isinstance(answer.value, bool) else answer.value
        meaning = roles.task_of(name)
    if meaning is None and answer.question in ("label", "labels"):
        meaning = "stance" if columns["target"] is not None else "claim"
    if meaning in (*SENTENCE_TASKS, "stance"):
        return meaning
    raise InputError(
        f"{document.where}: {unknown('question', answer.question, MEANINGS)}; roles can say which "
        "of these it is"
    )
