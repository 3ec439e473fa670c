"""The label sets of a dataset, from the configuration or the data, and the check of all rows against them."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, check_labels
from claimstance.training.data.building.indexing import IndexedStore
from claimstance.training.data.building.sources import InputPart
from claimstance.training.data.building.split_groups import sum_counts
from claimstance.training.data.config import DataConfig
from claimstance.training.data.label_checks import spelling_warnings

_LOG = logging.getLogger(__name__)


def label_sets(config: DataConfig, store: IndexedStore) -> dict[str, tuple[str, ...]]:
    """Return the labels of each task.

    They are the configured ones; else the default ones if they include all labels of the data; else the
    labels of the data, sorted.
    """
    profile_labels = [profile.labels for profile in store.profiles]
    profiles = store.row_store.column("profile").astype(np.int32)
    counts: dict[str, dict[str, int]] = {}
    for (task, label), count in sum_counts(profile_labels, profiles).items():
        task_counts = counts.setdefault(task, {})
        if label is not None:
            task_counts[label] = count
    for message in spelling_warnings(counts):
        _LOG.warning("%s", message)

    sets: dict[str, tuple[str, ...]] = {}
    for task, default in DEFAULT_LABELS.items():
        data_labels = set(counts.get(task, ()))
        if task in config.labels:
            sets[task] = tuple(config.labels[task])
        elif data_labels <= set(default):
            sets[task] = default
        else:
            sets[task] = tuple(sorted(data_labels))
            _LOG.warning(
                "labels of %s are those of the data: %s (not %s)",
                task,
                ", ".join(sets[task]),
                ", ".join(default),
            )
    return sets


def check_label_sets(
    store: IndexedStore, input_parts: Sequence[InputPart], labels: Mapping[str, Sequence[str]]
) -> None:
    """Raise ``InputError`` for the first row with a label that is not in the sets.

    Args:
        store: the rows.
        input_parts: the input parts, in the order of their rows.
        labels: task → its labels; the labels of other tasks are not checked.
    """
    # Rows share few profiles: checking these is faster than reading all rows again.
    invalid = []
    for profile, number in store.profiles.items():
        used_labels = [task_label for task_label, _ in profile.labels]
        used_labels += [("stance", label) for label in profile.soft_labels]
        for task, name in used_labels:
            if name is not None and task in labels and name not in labels[task]:
                invalid.append(number)
    rows = np.flatnonzero(np.isin(store.row_store.column("profile"), invalid))
    if not len(rows):
        return

    [line] = store.row_store.lines(rows[:1])
    record = Record.model_validate_json(line)
    for input_part in input_parts:
        if int(rows[0]) in input_part.rows:
            # The row has such a label, so that this raises the error with its message.
            check_labels(record, labels, f"{input_part.origin}: {record.id}")
