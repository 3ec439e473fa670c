"""Records as Label Studio's JSON: a task for each document, an annotation for each annotator.

``claimstance.model.io.label_studio`` describes how labels, attributions, entities and stances are written. If no record
belongs to a document and any record has labels, a task is a sentence: its labels are choices for the whole text, and a
stance toward a name is the choice ``stance`` beside the data fields ``target`` and ``holder``.

Label Studio has no place for the ids of sentences, for fields on which the records of a document differ, for the shares
of several annotators, and for the difference between "none there" and "not annotated".
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.io.label_studio import HOLDER, SENTENCE, TARGET, Results
from claimstance.model.record import Record, Span, Stance
from claimstance.training.data.documents.from_records import (
    AnnotatorLayer,
    documents_of,
    sentence_labels,
    shift,
)

_RESERVED_FIELDS = {"text", "id", "doc_id", "target", "holder"}


def write(records: Iterable[Record], path: Path) -> None:
    """Write records as tasks.

    Raises:
        InputError: if the file cannot be written, or the records do not go together as documents.
    """
    records = list(records)
    is_single_sentences = all(record.doc_id is None for record in records) and any(
        sentence_labels(record) or _stance_toward_name(record.stances) for record in records
    )
    tasks: list[dict[str, Any]] = []
    annotation_count = 0
    for document in documents_of(records):
        annotations = []
        meta = document.meta()
        data = {key: value for key, value in meta.items() if key not in _RESERVED_FIELDS}
        data |= {"text": document.text, "id": document.name}
        for sheet in document.layers:
            results = Results(document.text)
            if is_single_sentences:
                _add_single_sentence(results, sheet, data)
            else:
                _add_sentences(results, sheet)
            annotation_count += 1
            annotation: dict[str, Any] = {"id": annotation_count}
            if sheet.annotator is not None:
                # Label Studio knows a user by number, and other names only as e-mail addresses.
                is_number = sheet.annotator.isascii() and sheet.annotator.isdecimal()
                if is_number and str(int(sheet.annotator)) == sheet.annotator:
                    annotation["completed_by"] = int(sheet.annotator)
                else:
                    annotation["completed_by"] = {"email": sheet.annotator}
            annotation["was_cancelled"] = annotation["ground_truth"] = False
            annotation["result"] = results.items
            annotations.append(annotation)
        tasks.append(
            {"id": len(tasks) + 1, "data": data, "annotations": annotations, "predictions": []}
        )
    text = json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _stance_toward_name(stances: Sequence[Stance] | None) -> Stance | None:
    """Return the first stance toward a name whose holder is a name or nobody."""
    for stance in stances or ():
        has_span = isinstance(stance.target, list) or isinstance(stance.holder, list)
        if stance.label is not None and not has_span:
            return stance
    return None


def _add_single_sentence(results: Results, sheet: AnnotatorLayer, data: dict[str, Any]) -> None:
    """Add the annotations of a text that is one sentence.

    Args:
        results: to which they are added.
        sheet: the record of one annotator.
        data: the task's fields. The target and the holder of a stance toward a name are added, unless another
            annotator's record has added others.
    """
    start, record = sheet.sentences[0]
    for task, label in sentence_labels(record).items():
        results.choice(task, label)
    stances = list(record.stances or ())
    stance = _stance_toward_name(stances)
    if stance is not None:
        names = {"target": stance.target, "holder": stance.holder}
        if all(data.get(key, name) == name for key, name in names.items()):
            data |= {key: name for key, name in names.items() if name is not None}
            results.choice("stance", stance.label or "")
            # The choice holds this stance already.
            stances.remove(stance)
    _add_spans(results, start, record, stances)
    _add_attributions(results, sheet)


def _add_sentences(results: Results, sheet: AnnotatorLayer) -> None:
    """Add the annotations of a document's sentences."""
    for start, record in sorted(sheet.sentences, key=lambda sentence: sentence[0]):
        bounds = _sentence_span(start, record)
        sentence = results.region(SENTENCE, bounds)
        for task, label in sentence_labels(record).items():
            results.choice(task, label, sentence, bounds)
        _add_spans(results, start, record, record.stances or ())
    _add_attributions(results, sheet)


def _sentence_span(start: int, record: Record) -> Span:
    return [(start, start + len(record.text))]


def _add_spans(results: Results, start: int, record: Record, stances: Sequence[Stance]) -> None:
    """Add the entities of a sentence that begins at ``start``, and the stances."""
    for entity in record.entities or ():
        results.region(entity.label, shift(entity.span, start))
    for stance in stances:
        if stance.label is not None:
            _add_stance(results, start, record, stance, stance.label)


def _add_stance(results: Results, start: int, record: Record, stance: Stance, label: str) -> None:
    """Add a stance: a region for its target, and one for its holder if the sentence mentions it."""
    if isinstance(stance.target, str):
        # The sentence does not mention the target, so that its region covers all of it.
        span = _sentence_span(start, record)
        target = results.region(TARGET, span)
        results.name("target", stance.target, target, span)
    else:
        span = shift(stance.target, start)
        target = results.region(TARGET, span)
    if isinstance(stance.holder, list):
        holder = results.region(HOLDER, shift(stance.holder, start))
        results.relate(holder, target, label)
        return
    if stance.holder is not None:
        results.name("holder", stance.holder, target, span)
    results.choice("stance", label, target, span)


def _add_attributions(results: Results, sheet: AnnotatorLayer) -> None:
    for roles in sheet.attributions():
        regions = {role: results.region(role.capitalize(), span) for role, span in roles.items()}
        results.attribution(regions)
