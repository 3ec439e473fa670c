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
    is_single_sentences = False
    # Sentences of documents are annotated in their context, and have their labels as regions.
    if all(record.doc_id is None for record in records):
        for record in records:
            if sentence_labels(record) or _stance_toward_name(record.stances):
                is_single_sentences = True
                break

    tasks: list[dict[str, Any]] = []
    annotation_count = 0
    for document in documents_of(records):
        annotations = []
        meta = document.meta()
        data = {key: value for key, value in meta.items() if key not in _RESERVED_FIELDS}
        data |= {"text": document.text, "id": document.name}
        for layer in document.layers:
            annotation_count += 1
            annotation: dict[str, Any] = {"id": annotation_count}
            if layer.annotator is not None:
                # Label Studio knows a user by number, and other names only as e-mail addresses.
                is_number = layer.annotator.isascii() and layer.annotator.isdecimal()
                # A name with leading zeros would not come back from a number as it was.
                if is_number and str(int(layer.annotator)) == layer.annotator:
                    annotation["completed_by"] = int(layer.annotator)
                else:
                    annotation["completed_by"] = {"email": layer.annotator}
            annotation["was_cancelled"] = False
            annotation["ground_truth"] = False
            task_data = data if is_single_sentences else None
            annotation["result"] = _results(document.text, layer, task_data)
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


def _results(
    text: str, layer: AnnotatorLayer, task_data: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the results of one annotator.

    Args:
        text: the text of the document.
        layer: the annotator's records.
        task_data: the data fields of a task that is a single sentence, otherwise ``None``. The target and the holder of
            a stance toward a name are added, unless another annotator's record has added others.
    """
    results = Results(text)
    for start, record in sorted(layer.sentences, key=lambda sentence: sentence[0]):
        sentence_span = [(start, start + len(record.text))]
        labels = sentence_labels(record)
        stances = list(record.stances or ())
        if task_data is None:
            sentence = results.region(SENTENCE, sentence_span)
            for task, label in labels.items():
                results.choice(task, label, sentence, sentence_span)
        else:
            for task, label in labels.items():
                results.choice(task, label)
            named_stance = _stance_toward_name(stances)
            if named_stance is not None:
                names = {"target": named_stance.target, "holder": named_stance.holder}
                if all(task_data.get(key, name) == name for key, name in names.items()):
                    task_data |= {key: name for key, name in names.items() if name is not None}
                    results.choice("stance", named_stance.label or "")
                    # The choice holds this stance already.
                    stances.remove(named_stance)

        for entity in record.entities or ():
            results.region(entity.label, shift(entity.span, start))
        for stance in stances:
            if stance.label is not None:
                _add_stance(results, stance, stance.label, start, sentence_span)

    for roles in layer.attributions():
        regions = {role: results.region(role.capitalize(), span) for role, span in roles.items()}
        results.attribution(regions)
    return results.items


def _add_stance(
    results: Results, stance: Stance, label: str, start: int, sentence_span: Span
) -> None:
    """Add a stance: a region for its target, and one for its holder if the sentence mentions it.

    Args:
        results: to which the stance is added.
        stance: the stance of a sentence.
        label: its label.
        start: the start of the sentence in the text.
        sentence_span: the span of the sentence in the text.
    """
    if isinstance(stance.target, str):
        # The sentence does not mention the target, so that its region covers all of it.
        span = sentence_span
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
