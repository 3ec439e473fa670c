"""Conversion of records to rows of an Arrow table, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS
from claimstance.model.record import Attribution, Entity, Record, Span, Stance

LabelNames = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class LineBatch:
    """Represent rows to write.

    Attributes:
        lines: the records, as lines of JSON.
        labels: task → label names.
        schema: the columns of the table.
    """

    lines: Sequence[bytes]
    labels: LabelNames
    schema: pa.Schema

    def __len__(self) -> int:
        return len(self.lines)


def to_arrow_stream(batch: LineBatch) -> bytes:
    """Return the rows of a batch as an Arrow stream."""
    indices = label_indices(batch.labels)
    rows = [to_row(Record.model_validate_json(line), indices) for line in batch.lines]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=batch.schema))
    return bytes(sink.getvalue())


def label_indices(labels: LabelNames) -> dict[str, dict[str, int]]:
    """Return task → label → index; tasks that are missing in ``labels`` have the default labels."""
    indices = {}
    for task, default in DEFAULT_LABELS.items():
        names = labels.get(task, default)
        indices[task] = {name: index for index, name in enumerate(names)}
    return indices


def to_row(record: Record, indices: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return a record as a row of a built dataset, with labels as indices.

    Args:
        record: the record.
        indices: task → label → index.

    Raises:
        KeyError: for a label without an index.
    """
    row = record.model_dump(exclude={"stances", "meta"})
    for task in SENTENCE_TASKS:
        if row[task] is not None:
            row[task] = indices[task][row[task]]
    for entity in row["entities"] or ():
        entity["label"] = indices["entity"][entity["label"]]

    row["stances"] = None
    if record.stances is not None:
        row["stances"] = []
        for stance in record.stances:
            cells: dict[str, Any] = {"label": None, "probabilities": None}
            if stance.label is not None:
                cells["label"] = indices["stance"][stance.label]
            if stance.probabilities is not None:
                # In the order of the labels, so that the row needs no names.
                shares = stance.probabilities
                cells["probabilities"] = [shares.get(name, 0.0) for name in indices["stance"]]
            for role, value in (("holder", stance.holder), ("target", stance.target)):
                # A column of an Arrow table has one type, so that spans and names have their own.
                cells[f"{role}_span"] = value if isinstance(value, list) else None
                cells[f"{role}_name"] = value if isinstance(value, str) else None
            row["stances"].append(cells)

    corpus = record.meta.get("corpus")
    # A column of its own, so that rows can be filtered by corpus without decoding their metadata.
    row["corpus"] = None if corpus is None else str(corpus)
    row["meta"] = json.dumps(record.meta, ensure_ascii=False, sort_keys=True)
    return row


def from_row(row: Mapping[str, Any], labels: LabelNames) -> Record:
    """Return the record of a row of a built dataset.

    Args:
        row: the row, as Arrow returns it.
        labels: task → label names, in their order.
    """
    attributions = None
    if row["attributions"] is not None:
        attributions = []
        for attribution in row["attributions"]:
            spans = {role: _to_span(attribution[role]) for role in ROLES}
            attributions.append(Attribution(**spans, event=attribution["event"]))

    entities = None
    if row["entities"] is not None:
        entities = []
        for entity in row["entities"]:
            label = labels["entity"][entity["label"]]
            entities.append(Entity(span=_to_span(entity["span"]) or [], label=label))

    stances = None
    if row["stances"] is not None:
        stances = []
        names = labels["stance"]
        for stance in row["stances"]:
            target = _span_or_name(stance, "target")
            probabilities = None
            if stance["probabilities"] is not None:
                probabilities = dict(zip(names, stance["probabilities"], strict=True))
            stances.append(
                Stance(
                    holder=_span_or_name(stance, "holder"),
                    target=[] if target is None else target,
                    label=_label_name(stance["label"], names),
                    probabilities=probabilities,
                )
            )

    return Record(
        id=row["id"],
        doc_id=row["doc_id"],
        start=row["start"],
        text=row["text"],
        claim=_label_name(row["claim"], labels["claim"]),
        check_worthy=_label_name(row["check_worthy"], labels["check_worthy"]),
        subjective=_label_name(row["subjective"], labels["subjective"]),
        attributions=attributions,
        entities=entities,
        stances=stances,
        annotator=row["annotator"],
        meta=json.loads(row["meta"]),
    )


def _label_name(index: int | None, names: Sequence[str]) -> str | None:
    return None if index is None else names[index]


def _span_or_name(row: Mapping[str, Any], role: str) -> Span | str | None:
    name: str | None = row[f"{role}_name"]
    return name if name is not None else _to_span(row[f"{role}_span"])


def _to_span(pieces: list[list[int]] | None) -> Span | None:
    return None if pieces is None else [(start, end) for start, end in pieces]
