"""The built dataset: records as a saved ``datasets.DatasetDict``, and back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from claimstance.training.data.tables import Lines, from_row, tabulate

#: The file with the names of the splits, which ``DatasetDict.save_to_disk`` writes.
INDEX_FILE = "dataset_dict.json"
_STATE = "state.json"  # of each split, with the names of its files
BATCH = 1000


def features(labels: Mapping[str, Sequence[str]]) -> Features:
    """The columns of a built dataset.

    A span is a list of ``[start, end]`` pieces. A stance's holder and target have two columns each, a span and a name,
    of which one is null (both, for a holder whom nobody names); its probabilities are in the order of the labels.
    ``meta`` is JSON.

    Args:
        labels: task → label names; the default set where a task is missing.
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
    """Writes a ``DatasetDict`` into a folder, split by split and batch by batch, so that no split is in memory.

    ``datasets`` itself saves what is in memory or in its cache. Here it saves splits of one empty row, whose file of
    rows is then written anew, by its own writer: index, state and description are as its version has them.

    Args:
        folder: the new folder.
        names: the splits.
        labels: task → label names, which those of all rows must be in; the default set where a task is missing.
    """

    def __init__(
        self, folder: Path, names: Iterable[str], labels: Mapping[str, Sequence[str]]
    ) -> None:
        self._folder = folder
        self._labels = {task: tuple(held) for task, held in labels.items()}
        self._features = features(labels)
        nothing = {column: [None] for column in self._features}
        with _quietly():
            DatasetDict(
                {
                    name: Dataset.from_dict(nothing, features=self._features, split=name)
                    for name in names
                }
            ).save_to_disk(folder)

    def batches(self, lines: Iterable[bytes]) -> Iterator[Lines]:
        """Lines of JSON, a record each, as batches for ``claimstance.training.data.tables.tabulate``."""
        schema, held = self._features.arrow_schema, iter(lines)
        while batch := list(islice(held, BATCH)):
            yield Lines(batch, self._labels, schema)

    def write(self, name: str, tables: Iterable[bytes]) -> int:
        """Write the rows of a split, given as Arrow streams; returns how many there are."""
        state = json.loads((self._folder / name / _STATE).read_bytes())
        file = self._folder / name / state["_data_files"][0]["filename"]
        with ArrowWriter(path=str(file), features=self._features) as writer:
            for stream in tables:
                writer.write_table(pa.ipc.open_stream(stream).read_all())
            count, _ = writer.finalize()
        return int(count)

    def sign(self, name: str, fingerprint: str) -> None:
        """Say what the rows of a split are: ``datasets`` names what it computes from them by that."""
        path = self._folder / name / _STATE
        state = {**json.loads(path.read_bytes()), "_fingerprint": fingerprint[:16]}
        path.write_text(json.dumps(state, indent=2, sort_keys=True), encoding="utf-8")


def save(
    splits: Mapping[str, Iterable[Record]], labels: Mapping[str, Sequence[str]], folder: Path
) -> None:
    """Write records, split by split, as a ``DatasetDict`` into ``folder``. Labels must be in ``labels``."""
    writer = DatasetWriter(folder, splits, labels)
    for name, records in splits.items():
        lines = (record.to_json().encode() for record in records)
        writer.write(name, map(tabulate, writer.batches(lines)))


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
    return list(read_records(path, split))


def read_records(path: Path | str, split: str) -> Iterator[Record]:
    """The records of one split of a built dataset, one after another.

    Raises:
        InputError: if the folder is no built dataset, or has no such split.
    """
    dataset = _load(Path(path), split)
    names = _label_names(dataset.features)
    arrow = dataset.with_format("arrow")
    return (
        from_row(row, names) for batch in arrow.iter(batch_size=BATCH) for row in batch.to_pylist()
    )


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
    names = split_names(path)
    if split not in names:
        raise InputError(f"{path}: {unknown('split', split, names)}")
    try:
        dataset = Dataset.load_from_disk(path / split)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found a damaged one ({error})"
        ) from None
    if missing := set(features({})) - set(dataset.features):
        raise InputError(
            f"{path}: expected a folder that `build` wrote, found no column '{min(missing)}' in it"
        )
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
