"""Soft labels of a built dataset, stored beside its rows: probabilities for sentences and tokens."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Task, or head of ``OPINION_HEADS`` → probabilities: (C,) of a sentence, (tokens, C) of tags.
SoftLabels = dict[str, NDArray[np.float32]]

_FILE = "soft.npz"  # in the folder of a built dataset


def save_soft(soft: dict[str, SoftLabels], folder: Path) -> None:
    """Write soft labels by record id into the folder of a dataset, in half precision.

    Without soft labels, no file is written.
    """
    columns: dict[str, np.ndarray] = {}
    tasks: set[str] = set()
    for by_task in soft.values():
        tasks.update(by_task)

    for task in sorted(tasks):
        ids, sizes, rows = [], [], []
        for record_id, by_task in soft.items():
            probabilities = by_task.get(task)
            # An empty sentence has no tokens, and its soft labels are not stored.
            if probabilities is None or not len(probabilities):
                continue
            ids.append(record_id)
            # A size of 0 marks the label of a sentence.
            sizes.append(0 if probabilities.ndim == 1 else len(probabilities))
            rows.append(np.atleast_2d(probabilities))

        if not ids:
            continue
        columns[f"{task}.ids"] = np.array(ids)
        columns[f"{task}.sizes"] = np.array(sizes)
        columns[task] = np.concatenate(rows).astype(np.float16)

    if columns:
        np.savez_compressed(folder / _FILE, allow_pickle=False, **columns)


def load_soft(folder: Path) -> dict[str, SoftLabels]:
    """Return the soft labels of a built dataset by record id; an empty dict if it has none."""
    soft: dict[str, SoftLabels] = {}
    if not (folder / _FILE).exists():
        return soft
    with np.load(folder / _FILE) as columns:
        for task in columns.files:
            if f"{task}.ids" not in columns.files:
                continue
            rows = columns[task].astype(np.float32)
            ids, sizes = columns[f"{task}.ids"].tolist(), columns[f"{task}.sizes"].tolist()
            start = 0
            for record_id, size in zip(ids, sizes, strict=True):
                probabilities = rows[start] if size == 0 else rows[start : start + size]
                soft.setdefault(record_id, {})[task] = probabilities
                start += size or 1
    return soft
