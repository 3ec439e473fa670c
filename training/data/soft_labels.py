"""Soft labels of a built dataset, beside its rows: what teachers say of sentences and of their tokens."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Task → probabilities: (C,) of a sentence, (tokens, C) of attributions.
SoftLabels = dict[str, NDArray[np.float32]]

_FILE = "soft.npz"  # in the folder of a built dataset


def save_soft(soft: dict[str, SoftLabels], folder: Path) -> None:
    """Write soft labels by record id into the folder of a dataset, to half precision; nothing if there are none."""
    columns: dict[str, np.ndarray] = {}
    for task in sorted({task for said in soft.values() for task in said}):
        held = {name: said[task] for name, said in soft.items() if task in said and len(said[task])}
        columns[f"{task}.ids"] = np.array(list(held))
        columns[f"{task}.sizes"] = np.array(
            [0 if said.ndim == 1 else len(said) for said in held.values()]
        )
        columns[task] = np.concatenate([np.atleast_2d(said) for said in held.values()]).astype(
            np.float16
        )
    if columns:
        np.savez_compressed(folder / _FILE, allow_pickle=False, **columns)


def load_soft(folder: Path) -> dict[str, SoftLabels]:
    """The soft labels of a built dataset by record id; none if no teacher was asked."""
    soft: dict[str, SoftLabels] = {}
    if not (folder / _FILE).exists():
        return soft
    with np.load(folder / _FILE) as columns:
        for task in (name for name in columns.files if f"{name}.ids" in columns.files):
            rows, sizes = columns[task].astype(np.float32), columns[f"{task}.sizes"]
            start = 0
            for name, size in zip(columns[f"{task}.ids"].tolist(), sizes.tolist(), strict=True):
                # A size of 0 is a sentence's label: what was said of the tokens of an empty sentence is not saved.
                soft.setdefault(name, {})[task] = (
                    rows[start] if size == 0 else rows[start : start + size]
                )
                start += size or 1
    return soft
