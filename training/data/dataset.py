"""Saving records as a ``datasets.DatasetDict``, and loading them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
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
from datasets.arrow_writer import ArrowWriter

from claimstance.model.errors import InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, ROLES
from claimstance.model.record import Record
from claimstance.training.data.arrow_rows import LineBatch, from_row, to_arrow_stream

#: The file with the names of the splits, which ``DatasetDict.save_to_disk`` writes.
INDEX_FILE = "dataset_dict.json"
_STATE = "state.json"  # of each split, with the names of its files
BATCH = 1000


def features(labels: Mapping[str, Sequence[str]]) -> Features:
    """Return the columns of a built dataset.

    A span is a list of ``[start, end]`` pieces. The holder and the target of a stance have two columns each,
    a span and a name, and at least one of the two is null (both are for an implicit holder). Probabilities
    are in the order of the labels. ``meta`` is JSON.

    Args:
        labels: task → label names; tasks that are missing have the default set.
    """
    label = {
        task: ClassLabel(names=list(labels.get(task, names)))
        for task, names in DEFAULT_LABELS.items()
    }
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


class DatasetWriter:
    """Write a ``DatasetDict`` batch by batch, so that no split is held in memory.

    ``datasets`` can only save rows that are in memory or in its cache. So it first saves splits of one empty
    row, which gives index, state and description in its own version's form; then its Arrow writer writes the
    files of rows anew.

    Args:
        folder: the new folder.
        names: the splits.
        labels: task → label names, which include the labels of all rows; tasks that are missing have the
            default set.
    """

    def __init__(
        self, folder: Path, names: Iterable[str], labels: Mapping[str, Sequence[str]]
    ) -> None:
        self._folder = folder
        self._labels = {task: tuple(label_names) for task, label_names in labels.items()}
        self._features = features(labels)
        empty_row = {column: [None] for column in self._features}
        splits = {}
        for name in names:
            splits[name] = Dataset.from_dict(empty_row, features=self._features, split=name)

        # Callers show a progress of their own.
        were_enabled = not are_progress_bars_disabled()
        disable_progress_bars()
        try:
            DatasetDict(splits).save_to_disk(folder)
        finally:
            if were_enabled:
                enable_progress_bars()

    def batches(self, lines: Iterable[bytes]) -> Iterator[LineBatch]:
        """Yield records, given as lines of JSON, in batches for ``arrow_rows.to_arrow_stream``."""
        schema = self._features.arrow_schema
        remaining = iter(lines)
        while batch := list(islice(remaining, BATCH)):
            yield LineBatch(batch, self._labels, schema)

    def write(self, name: str, tables: Iterable[bytes]) -> int:
        """Write the rows of a split, given as Arrow streams, and return their number."""
        # The file has the name that ``datasets`` gave the file of the empty row.
        state = json.loads((self._folder / name / _STATE).read_bytes())
        file = self._folder / name / state["_data_files"][0]["filename"]
        with ArrowWriter(path=str(file), features=self._features) as writer:
            for stream in tables:
                writer.write_table(pa.ipc.open_stream(stream).read_all())
            count, _ = writer.finalize()
        return int(count)

    def set_fingerprint(self, name: str, fingerprint: str) -> None:
        """Set the fingerprint of a split, by which ``datasets`` names cached results."""
        path = self._folder / name / _STATE
        state = {**json.loads(path.read_bytes()), "_fingerprint": fingerprint[:16]}
        path.write_text(json.dumps(state, indent=2, sort_keys=True), encoding="utf-8")


def save(
    splits: Mapping[str, Iterable[Record]], labels: Mapping[str, Sequence[str]], folder: Path
) -> None:
    """Write records, split by split, as a ``DatasetDict`` into ``folder``.

    Args:
        splits: split → records.
        labels: task → label names, which include the labels of all records.
        folder: the new folder.
    """
    writer = DatasetWriter(folder, splits, labels)
    for name, records in splits.items():
        lines = (record.to_json().encode() for record in records)
        writer.write(name, map(to_arrow_stream, writer.batches(lines)))


def load_records(path: Path | str, split: str) -> list[Record]:
    """Load the records of one split of a built dataset, in their order.

    Raises:
        InputError: if the folder is not a built dataset, or lacks the split.
    """
    return list(read_records(path, split))


def read_records(path: Path | str, split: str) -> Iterator[Record]:
    """Return an iterator over the records of one split of a built dataset.

    Raises:
        InputError: if the folder is not a built dataset, or lacks the split.
    """
    dataset = _load(Path(path), split)
    labels = _label_names(dataset.features)

    # A nested generator, so that a wrong folder raises an error at once and not at the first record.
    def iter_records() -> Iterator[Record]:
        for batch in dataset.with_format("arrow").iter(batch_size=BATCH):
            for row in batch.to_pylist():
                yield from_row(row, labels)

    return iter_records()


def load_labels(path: Path | str) -> dict[str, tuple[str, ...]]:
    """Return task → label names of a built dataset, in their order.

    Raises:
        InputError: if the folder is not a built dataset.
    """
    return _label_names(_load(Path(path), split_names(path)[0]).features)


def split_names(path: Path | str) -> list[str]:
    """Return the names of the splits of a built dataset.

    Raises:
        InputError: if the folder is not a built dataset.
    """
    try:
        names = json.loads((Path(path) / INDEX_FILE).read_text(encoding="utf-8"))["splits"]
    except FileNotFoundError:
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found no {INDEX_FILE} in it"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found a damaged one ({error})"
        ) from None
    if not names:
        raise InputError(f"{path}: expected a dataset with splits, found none")
    return [str(name) for name in names]


def _load(path: Path, split: str) -> Dataset:
    """Load one split, and check its columns."""
    names = split_names(path)
    if split not in names:
        raise InputError(f"{path}: {unknown('split', split, names)}")
    try:
        dataset = Dataset.load_from_disk(path / split)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found a damaged one ({error})"
        ) from None
    # A dataset of another program or of an earlier version would fail later, at its first record.
    missing = set(features({})) - set(dataset.features)
    if missing:
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found no column '{min(missing)}' in it"
        )
    return dataset


def _label_names(columns: Features) -> dict[str, tuple[str, ...]]:
    """Return task → label names, from the columns of a split."""
    label_columns = {
        "claim": columns["claim"],
        "check_worthy": columns["check_worthy"],
        "stance": columns["stances"].feature["label"],
        "entity": columns["entities"].feature["label"],
        "subjective": columns["subjective"],
    }
    return {task: tuple(label_columns[task].names) for task in DEFAULT_LABELS}
