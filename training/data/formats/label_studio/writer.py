"""Records as Label Studio's JSON: a task for each document, an annotation for each annotator.

``claimstance.model.io.label_studio`` describes how labels, attributions, entities and stances are written. Where every
record is a document of its own and some have labels, a task is a sentence: its labels are choices for the whole text,
and a stance toward a name is the choice ``stance`` beside the data fields ``target`` and ``holder``.

What Label Studio has no place for: ids of sentences; fields of the records on which those of a document differ; how
annotators divide; whether nothing was found or nothing was looked for.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.io.label_studio import HOLDER, SENTENCE, TARGET, Results
from claimstance.model.record import Record, Span, Stance
from claimstance.training.data.documents.from_records import (
    Sheet,
    documents_of,
    moved,
    said_of,
)

_TAKEN = {"text", "id", "doc_id", "target", "holder"}


def write(records: Iterable[Record], path: Path) -> None:
    """Write records as tasks.

    Raises:
        InputError: if the file cannot be written, or the records do not go together as documents.
    """
    records = list(records)
    whole = all(record.doc_id is None for record in records) and any(
        said_of(record) or _named(record.stances) is not None for record in records
    )
    tasks: list[dict[str, Any]] = []
    count = 0
    for document in documents_of(records):
        annotations = []
        data = {key: value for key, value in document.meta().items() if key not in _TAKEN}
        data |= {"text": document.text, "id": document.name}
        for sheet in document.sheets:
            results = Results(document.text)
            if whole:
                _sentence(results, sheet, data)
            else:
                _sentences(results, sheet)
            count += 1
            annotations.append(
                {
                    "id": count,
                    **_by(sheet.annotator),
                    "was_cancelled": False,
                    "ground_truth": False,
                    "result": results.items,
                }
            )
        tasks.append(
            {"id": len(tasks) + 1, "data": data, "annotations": annotations, "predictions": []}
        )
    try:
        path.write_text(
            json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
        )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _by(annotator: str | None) -> dict[str, Any]:
    if annotator is None:
        return {}
    is_number = annotator.isascii() and annotator.isdecimal() and str(int(annotator)) == annotator
    return {"completed_by": int(annotator) if is_number else {"email": annotator}}


def _named(stances: Sequence[Stance] | None) -> Stance | None:
    """The first stance toward a name, of a name or nobody."""
    return next(
        (
            stance
            for stance in stances or ()
            if stance.label is not None
            and isinstance(stance.target, str)
            and not isinstance(stance.holder, list)
        ),
        None,
    )


def _sentence(results: Results, sheet: Sheet, data: dict[str, Any]) -> None:
    """What was said of a text that is one sentence; ``data`` takes the target, if nothing else is there."""
    place, record = sheet.sentences[0]
    for task, label in said_of(record).items():
        results.choice(task, label)
    named = _named(record.stances)
    names = {} if named is None else {"target": named.target, "holder": named.holder}
    if named is not None and all(data.get(key, value) == value for key, value in names.items()):
        data |= {key: value for key, value in names.items() if value is not None}
        results.choice("stance", named.label or "")
    else:
        named = None
    _spans(
        results, place, record, [stance for stance in record.stances or () if stance is not named]
    )
    _attributions(results, sheet)


def _sentences(results: Results, sheet: Sheet) -> None:
    """What was said of a document's sentences."""
    for place, record in sorted(sheet.sentences, key=lambda pair: pair[0]):
        bounds = _whole(place, record)
        sentence = results.region(SENTENCE, bounds)
        for task, label in said_of(record).items():
            results.choice(task, label, sentence, bounds)
        _spans(results, place, record, record.stances or ())
    _attributions(results, sheet)


def _whole(place: int, record: Record) -> Span:
    return [(place, place + len(record.text))]


def _spans(results: Results, place: int, record: Record, stances: Sequence[Stance]) -> None:
    for entity in record.entities or ():
        results.region(entity.label, moved(entity.span, place))
    for stance in stances:
        if stance.label is not None:
            _stance(results, place, record, stance, stance.label)


def _stance(results: Results, place: int, record: Record, stance: Stance, label: str) -> None:
    there = _whole(place, record) if isinstance(stance.target, str) else moved(stance.target, place)
    target = results.region(TARGET, there)
    if isinstance(stance.target, str):
        results.name("target", stance.target, target, there)
    if isinstance(stance.holder, list):
        results.relate(results.region(HOLDER, moved(stance.holder, place)), target, label)
        return
    if stance.holder is not None:
        results.name("holder", stance.holder, target, there)
    results.choice("stance", label, target, there)


def _attributions(results: Results, sheet: Sheet) -> None:
    for roles in sheet.attributions():
        results.attribution(
            {role: results.region(role.capitalize(), span) for role, span in roles.items()}
        )
