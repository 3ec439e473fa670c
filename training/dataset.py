"""The built dataset: records as a saved ``datasets.DatasetDict``, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datasets import (
    ClassLabel,
    Dataset,
    DatasetDict,
    Features,
    List,
    Value,
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, ROLES
from claimstance.model.record import Attribution, Entity, Record, Span, Stance

_INDEX = "dataset_dict.json"  # what DatasetDict.save_to_disk writes, with the names of the splits
_BATCH = 1000


def features(labels: Mapping[str, Sequence[str]]) -> Features:
    """The columns of a built dataset.

    A span is a list of ``[start, end]`` pieces. A stance's holder and target have two columns each, a span and a name,
    of which one is null (both, for a holder whom nobody names); its probabilities are in the order of the labels.
    ``meta`` is JSON.

    Args:
        labels: task → label names; the default set where a task is missing.
    """
    label = {task: ClassLabel(names=list(labels.get(task, names))) for task, names in DEFAULT_LABELS.items()}
    span = List(List(Value("int32")))
    return Features(
        {
            "id": Value("string"),
            "doc_id": Value("string"),
            "start": Value("int64"),
            "text": Value("string"),
            "claim": label["claim"],
            "check_worthy": label["check_worthy"],
            "subjective": label["subjective"],
            "attributions": List({**dict.fromkeys(ROLES, span), "event": Value("string")}),
            "entities": List({"span": span, "label": label["entity"]}),
            "stances": List(
                {
                    "holder_span": span,
                    "holder_name": Value("string"),
                    "target_span": span,
                    "target_name": Value("string"),
                    "label": label["stance"],
                    "probabilities": List(Value("float32")),
                }
            ),
            "annotator": Value("string"),
            "corpus": Value("string"),
            "meta": Value("string"),
        }
    )


def to_row(record: Record, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A record as a row for ``features``; labels are names, which ``datasets`` turns into numbers."""
    row = record.model_dump(exclude={"stances", "meta"})
    row["stances"] = None if record.stances is None else [_stance_row(stance, labels) for stance in record.stances]
    row["corpus"] = record.meta.get("corpus")
    row["meta"] = json.dumps(record.meta, ensure_ascii=False, sort_keys=True)
    return row


def _stance_row(stance: Stance, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    names, shares = labels.get("stance", DEFAULT_LABELS["stance"]), stance.probabilities
    row: dict[str, Any] = {
        "label": stance.label,
        "probabilities": None if shares is None else [shares.get(name, 0.0) for name in names],
    }
    for role, value in (("holder", stance.holder), ("target", stance.target)):
        row[f"{role}_span"] = value if isinstance(value, list) else None
        row[f"{role}_name"] = value if isinstance(value, str) else None
    return row


def save(splits: Mapping[str, Iterable[Record]], labels: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Write records, split by split, as a ``DatasetDict`` into ``folder``. Labels must be in ``labels``."""
    columns = features(labels)
    built = {
        name: Dataset.from_list([to_row(record, labels) for record in records], features=columns, split=name)
        for name, records in splits.items()
    }
    with _quietly():
        DatasetDict(built).save_to_disk(folder)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the progress bars of ``datasets``: progress is the caller's to show."""
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def load_records(path: Path | str, split: str) -> list[Record]:
    """The records of one split of a built dataset, in the order they were built.

    Raises:
        InputError: if the folder is no built dataset, or has no such split.
    """
    dataset = _load(Path(path), split)
    names = _label_names(dataset.features)
    arrow = dataset.with_format("arrow")
    return [_record(row, names) for batch in arrow.iter(batch_size=_BATCH) for row in batch.to_pylist()]


def load_labels(path: Path | str) -> dict[str, tuple[str, ...]]:
    """Task → the label names of a built dataset, in their order.

    Raises:
        InputError: if the folder is no built dataset.
    """
    return _label_names(_load(Path(path), split_names(path)[0]).features)


def split_names(path: Path | str) -> list[str]:
    """The splits of a built dataset.

    Raises:
        InputError: if the folder is no built dataset.
    """
    try:
        names = json.loads((Path(path) / _INDEX).read_text(encoding="utf-8"))["splits"]
    except FileNotFoundError:
        raise InputError(f"{path}: expected a folder that `build` wrote, found no {_INDEX} in it") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected a folder that `build` wrote, found a damaged one ({error})") from None
    if not names:
        raise InputError(f"{path}: expected a dataset with splits, found none")
    return [str(name) for name in names]


def _load(path: Path, split: str) -> Dataset:
    names = split_names(path)
    if split not in names:
        raise InputError(f"{path}: {unknown('split', split, names)}")
    try:
        dataset = Dataset.load_from_disk(path / split)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: expected a folder that `build` wrote, found a damaged one ({error})") from None
    if missing := set(features({})) - set(dataset.features):
        raise InputError(f"{path}: expected a folder that `build` wrote, found no column '{min(missing)}' in it")
    return dataset


def _label_names(columns: Features) -> dict[str, tuple[str, ...]]:
    label = {
        "claim": columns["claim"],
        "check_worthy": columns["check_worthy"],
        "stance": columns["stances"].feature["label"],
        "entity": columns["entities"].feature["label"],
        "subjective": columns["subjective"],
    }
    return {task: tuple(label[task].names) for task in DEFAULT_LABELS}


def _record(row: dict[str, Any], names: Mapping[str, Sequence[str]]) -> Record:
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
        else [Attribution(**{role: _span(a[role]) for role in ROLES}, event=a["event"]) for a in attributions],
        entities=None
        if entities is None
        else [Entity(span=_span(e["span"]) or [], label=names["entity"][e["label"]]) for e in entities],
        stances=None if stances is None else [_stance(s, names["stance"]) for s in stances],
        annotator=row["annotator"],
        meta=json.loads(row["meta"]),
    )


def _stance(row: dict[str, Any], names: Sequence[str]) -> Stance:
    def either(role: str) -> Span | str | None:
        name: str | None = row[f"{role}_name"]
        return name if name is not None else _span(row[f"{role}_span"])

    target = either("target")
    return Stance(
        holder=either("holder"),
        target=[] if target is None else target,
        label=None if row["label"] is None else names[row["label"]],
        probabilities=None if row["probabilities"] is None
        else dict(zip(names, row["probabilities"], strict=True)),
    )


def _span(pieces: list[list[int]] | None) -> Span | None:
    return None if pieces is None else [(start, end) for start, end in pieces]
