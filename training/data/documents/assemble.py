"""Conversion of annotated documents to records, sentence by sentence.

A file is read twice. The first pass learns the unit of its offsets and the kinds of its
annotations. A sentence without any annotation of such a kind then counts as annotated, with
nothing in it. The second pass makes the records.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import (
    Record,
    check_labels,
)
from claimstance.model.text.sentences import split_sentences
from claimstance.training.data.documents.document import Document
from claimstance.training.data.documents.format import Format, Layout, ReadReport, documents
from claimstance.training.data.documents.linking import Marks, attributions, labels_of
from claimstance.training.data.documents.offsets import UnitSearch, in_code_points
from claimstance.training.data.documents.record_builder import (
    FIELD_COLUMNS,
    RecordBuilder,
    add_answers,
    check_pieces,
)
from claimstance.training.data.documents.roles import IGNORE, Roles, roles_of
from claimstance.training.data.documents.stance_linking import has_stances, stances

_OVERLAPPING = (
    "expected a source and a content beside each cue, found overlapping ones in {rows}: what lies "
    "in another is an attribution of its own; relations in the file say what belongs together"
)


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
        check_pieces(mark.pieces, mark.label, mark.where or document.where, document)

    marks = Marks(document, roles)
    as_one_text = survey.has_answers
    if layout.sentences is not None:
        as_one_text = not layout.sentences
    marked_sentences = marks.of("sentence")
    # Marked sentences precede those of the file, and these the splitter's.
    if as_one_text:
        bounds = [(0, len(document.text))]
    elif marked_sentences:
        bounds = sorted((mark.pieces[0][0], mark.pieces[-1][1]) for mark in marked_sentences)
    else:
        bounds = list(document.sentences or split_sentences(document.text))

    # If the file links marks anywhere, those that it does not link do not belong together.
    linked, nearest, overlapping = attributions(marks, not survey.are_linked, bounds)
    survey.nearest += nearest
    if overlapping:
        # The report has named the file already: only the location within it is added.
        location = document.where.removeprefix(str(path)).lstrip(", ")
        report.note("overlapping-spans", _OVERLAPPING, location or f"record '{document.name}'")

    # Stances need the target of the document.
    columns = _column_values(document, layout, roles)
    builder = RecordBuilder(document, bounds, survey.kinds, roles)
    builder.add_attributions(linked)
    builder.add_entities(marks.of("entity"))
    builder.add_labels(labels_of(marks))
    builder.add_stances(stances(marks, linked, columns["target"], report.drop))
    document_records = builder.records(as_one_text, columns, layout)
    if as_one_text:
        add_answers(document_records[0], document, roles, columns, survey.kinds)

    for record in document_records:
        # Without a configured label set, all labels of the record are valid.
        labels: dict[str, Any] = {task: (getattr(record, task),) for task in SENTENCE_TASKS}
        labels["stance"] = tuple(stance.label for stance in record.stances or ())
        labels["entity"] = tuple(entity.label for entity in record.entities or ())
        check_labels(record, {**labels, **layout.labels}, f"{document.where}: {record.id}")
    return document_records


def _column_values(document: Document, layout: Layout, roles: Roles) -> dict[str, str | None]:
    """Return column → value, from the document's answers, else from its fields."""
    values: dict[str, str | None] = {}
    for column in FIELD_COLUMNS:
        value = document.fields.get(layout.columns.get(column, column))
        values[column] = None if value in (None, "") else str(value)
        for answer in document.answers:
            if roles.of(answer.question) == column and isinstance(answer.value, str):
                values[column] = answer.value
                break
    values["target"] = values["target"] or layout.target
    return values
