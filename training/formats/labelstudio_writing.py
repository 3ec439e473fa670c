"""Records as Label Studio's JSON: a task for each document, an annotation for each annotator.

Offsets count code points, as Label Studio has done since 2022, and every region quotes what it covers.

- Where every record is a document of its own and some have labels, a task is a sentence: its labels are choices for the
  whole text, and a stance toward a name is the choice ``stance`` beside the data fields ``target`` and ``holder``.
- Otherwise sentences are regions ``Sentence``, and their labels choices for these regions.
- Attributions are regions Source, Cue and Content, the relations going out from the cue (from the content where there
  is none); entities are regions under their labels; a stance is a relation named after its label from a Holder to a
  Target, or, of nobody, the choice ``stance`` for a Target. Pieces of a span are regions tied by relations
  ``continues``.

What Label Studio has no place for: ids of sentences; fields of the records on which those of a document differ; how
annotators divide; stances toward names but in the first case (they become notes of the region); whether nothing was
found or nothing was looked for.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Span, Stance
from claimstance.training.formats.labelstudio_values import CONTINUES
from claimstance.training.formats.written import Sheet, documents_of, moved, said_of

_LOG = logging.getLogger(__name__)
_TAKEN = {"text", "id", "doc_id", "target", "holder"}


def write(records: Iterable[Record], path: Path) -> None:
    """Write records as tasks.

    Raises:
        InputError: if the file cannot be written, or the records do not go together as documents.
    """
    records = list(records)
    whole = all(record.doc_id is None for record in records) and any(
        said_of(record) or _named(record.stances) is not None for record in records)
    tasks: list[dict[str, Any]] = []
    count = notes = 0
    for document in documents_of(records):
        annotations = []
        data = {key: value for key, value in document.meta().items() if key not in _TAKEN}
        data |= {"text": document.text, "id": document.name}
        for sheet in document.sheets:
            results = _Results(document.text)
            if whole:
                results.sentence(sheet, data)
            else:
                results.sentences(sheet)
            count += 1
            notes += results.notes
            annotations.append({"id": count, **_by(sheet.annotator), "was_cancelled": False, "ground_truth": False,
                                "result": results.found})
        tasks.append({"id": len(tasks) + 1, "data": data, "annotations": annotations, "predictions": []})
    if notes:
        _LOG.warning("%d stances of or toward a name are written as notes, which are not read back", notes)
    try:
        path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _by(annotator: str | None) -> dict[str, Any]:
    if annotator is None:
        return {}
    is_number = annotator.isascii() and annotator.isdecimal() and str(int(annotator)) == annotator
    return {"completed_by": int(annotator) if is_number else {"email": annotator}}


def _named(stances: Sequence[Stance] | None) -> Stance | None:
    """The first stance toward a name, of a name or nobody."""
    return next((stance for stance in stances or () if stance.label is not None and isinstance(stance.target, str)
                 and not isinstance(stance.holder, list)), None)


class _Results:
    """The results of an annotation."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0
        self.found: list[dict[str, Any]] = []
        self.notes = 0

    def sentence(self, sheet: Sheet, data: dict[str, Any]) -> None:
        """What was said of a text that is one sentence; ``data`` takes the target, if nothing else is there."""
        place, record = sheet.sentences[0]
        for task, label in said_of(record).items():
            self._choice(self._name(), task, label)
        named = _named(record.stances)
        names = {} if named is None else {"target": named.target, "holder": named.holder}
        if named is not None and all(data.get(key, value) == value for key, value in names.items()):
            data |= {key: value for key, value in names.items() if value is not None}
            self._choice(self._name(), "stance", named.label or "")
        else:
            named = None
        self._spans(place, record, [stance for stance in record.stances or () if stance is not named], None)
        self._attributions(sheet)

    def sentences(self, sheet: Sheet) -> None:
        """What was said of a document's sentences."""
        for place, record in sorted(sheet.sentences, key=lambda pair: pair[0]):
            bounds = [(place, place + len(record.text))]
            sentence = self._region("Sentence", bounds)
            region = self.found[-1]
            for task, label in said_of(record).items():
                self._choice(sentence, task, label, bounds)
            self._spans(place, record, record.stances or (), region)
        self._attributions(sheet)

    def _spans(
        self, place: int, record: Record, stances: Sequence[Stance], region: dict[str, Any] | None
    ) -> None:
        for entity in record.entities or ():
            self._region(entity.label, moved(entity.span, place))
        for stance in stances:
            if stance.label is None:
                continue
            if isinstance(stance.target, str) or isinstance(stance.holder, str):
                self.notes += 1
                if region is not None:
                    note = f"stance {stance.label} of {self._shown(stance.holder, place)} toward " \
                           f"{self._shown(stance.target, place)}"
                    region.setdefault("meta", {"text": []})["text"].append(note)
                continue
            span = moved(stance.target, place)
            target = self._region("Target", span)
            if stance.holder is None:
                self._choice(target, "stance", stance.label, span)
            else:
                self._relate(self._region("Holder", moved(stance.holder, place)), target, stance.label)

    def _attributions(self, sheet: Sheet) -> None:
        for roles in sheet.attributions():
            names = {role: self._region(role.capitalize(), span) for role, span in roles.items()}
            head = next(role for role in ("cue", "content", "source") if role in names)
            for role, name in names.items():
                if role != head:
                    self._relate(names[head], name, role)

    def _shown(self, what: Span | str | None, place: int) -> str:
        if isinstance(what, list):
            return " ".join(self._text[start:end] for start, end in moved(what, place))
        return what or "nobody"

    def _region(self, label: str, span: Span) -> str:
        """A region for each piece, the first of which has the name that is given back."""
        names = []
        for start, end in span:
            names.append(self._name())
            self.found.append({"id": names[-1], "from_name": "span", "to_name": "text", "type": "labels",
                               "origin": "manual", "value": {**self._place([(start, end)]), "labels": [label]}})
        for other in names[1:]:
            self._relate(names[0], other, CONTINUES)
        return names[0]

    def _place(self, span: Span) -> dict[str, Any]:
        start, end = span[0]
        quoted = self._text[start:end].replace("\r", "\\n").replace("\n", "\\n")  # as Label Studio quotes
        return {"start": start, "end": end, "text": quoted}

    def _choice(self, name: str, question: str, label: str, span: Span | None = None) -> None:
        place = {} if span is None else self._place(span)
        self.found.append({"id": name, "from_name": question, "to_name": "text", "type": "choices",
                           "origin": "manual", "value": {**place, "choices": [label]}})

    def _relate(self, head: str, tail: str, label: str) -> None:
        self.found.append({"type": "relation", "from_id": head, "to_id": tail, "direction": "right",
                           "labels": [label]})

    def _name(self) -> str:
        self._count += 1
        return f"r{self._count}"
