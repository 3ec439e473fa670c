"""Records as rows of an Arrow table, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS
from claimstance.model.record import Attribution, Entity, Record, Span, Stance

LabelNames = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Lines:
    """Rows to be written, as lines of JSON."""

    lines: Sequence[bytes]
    labels: LabelNames
    schema: pa.Schema

    def __len__(self) -> int:
        return len(self.lines)


def tabulate(batch: Lines) -> bytes:
    """A table of the rows, as an Arrow stream."""
    numbers = label_numbers(batch.labels)
    rows = [to_row(Record.model_validate_json(line), numbers) for line in batch.lines]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=batch.schema))
    return bytes(sink.getvalue())


def label_numbers(labels: LabelNames) -> dict[str, dict[str, int]]:
    """Task → label → its number: its place among the task's labels, the default ones where the task is missing."""
    return {
        task: {name: number for number, name in enumerate(labels.get(task, names))}
        for task, names in DEFAULT_LABELS.items()
    }


def to_row(record: Record, numbers: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """A record as a row of a built dataset, its labels as numbers.

    Raises:
        KeyError: for a label that has none.
    """
    row = record.model_dump(exclude={"stances", "meta"})
    for task in SENTENCE_TASKS:
        row[task] = None if row[task] is None else numbers[task][row[task]]
    for entity in row["entities"] or ():
        entity["label"] = numbers["entity"][entity["label"]]
    stances = record.stances
    row["stances"] = (
        None if stances is None else [_stance_row(stance, numbers["stance"]) for stance in stances]
    )
    corpus = record.meta.get("corpus")
    row["corpus"] = None if corpus is None else str(corpus)
    row["meta"] = json.dumps(record.meta, ensure_ascii=False, sort_keys=True)
    return row


def _stance_row(stance: Stance, numbers: Mapping[str, int]) -> dict[str, Any]:
    shares = stance.probabilities
    row: dict[str, Any] = {
        "label": None if stance.label is None else numbers[stance.label],
        "probabilities": None if shares is None else [shares.get(name, 0.0) for name in numbers],
    }
    for role, value in (("holder", stance.holder), ("target", stance.target)):
        row[f"{role}_span"] = value if isinstance(value, list) else None
        row[f"{role}_name"] = value if isinstance(value, str) else None
    return row


def from_row(row: Mapping[str, Any], names: LabelNames) -> Record:
    """The record of a row of a built dataset.

    Args:
        row: as Arrow gives it.
        names: the labels of each task in their order.
    """

    def name(task: str, number: int | None) -> str | None:
        return None if number is None else names[task][number]

    attributions, entities, stances = row["attributions"], row["entities"], row["stances"]
    return Record(
        id=row["id"],
        doc_id=row["doc_id"],
        start=row["start"],
        text=row["text"],
        claim=name("claim", row["claim"]),
        check_worthy=name("check_worthy", row["check_worthy"]),
        subjective=name("subjective", row["subjective"]),
        attributions=None
        if attributions is None
        else [
            Attribution(**{role: _span(a[role]) for role in ROLES}, event=a["event"])
            for a in attributions
        ],
        entities=None
        if entities is None
        else [
            Entity(span=_span(e["span"]) or [], label=names["entity"][e["label"]]) for e in entities
        ],
        stances=None if stances is None else [_stance(s, names["stance"]) for s in stances],
        annotator=row["annotator"],
        meta=json.loads(row["meta"]),
    )


def _stance(row: Mapping[str, Any], names: Sequence[str]) -> Stance:
    def either(role: str) -> Span | str | None:
        name: str | None = row[f"{role}_name"]
        return name if name is not None else _span(row[f"{role}_span"])

    target = either("target")
    return Stance(
        holder=either("holder"),
        target=[] if target is None else target,
        label=None if row["label"] is None else names[row["label"]],
        probabilities=None
        if row["probabilities"] is None
        else dict(zip(names, row["probabilities"], strict=True)),
    )


def _span(pieces: list[list[int]] | None) -> Span | None:
    return None if pieces is None else [(start, end) for start, end in pieces]
