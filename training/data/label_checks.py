"""Checks of the labels of a dataset: which tasks have labels, and which labels no model can learn from them."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import LABEL_TASKS, TASKS
from claimstance.model.record import Record, label_counts
from claimstance.training.data.soft_labels import SoftLabels

LabelCounts = dict[str, dict[str, int]]  # task → label → count
_Counts = Mapping[str, Mapping[str, int]]


def annotated_tasks(record: Record) -> set[str]:
    """Return the tasks that a record has labels for."""
    has_soft_stances = any(stance.probabilities for stance in record.stances or ())
    tasks = set()
    for task, labels in label_counts(record).items():
        # An empty list is an annotation, except for stances: it queries no pair.
        if labels or task != "stance" or has_soft_stances:
            tasks.add(task)
    return tasks


def select_tasks(
    records: Sequence[Record], requested: Collection[str], setting: str
) -> tuple[str, ...]:
    """Return the tasks to learn, in their fixed order.

    Args:
        records: the train rows.
        requested: the configured tasks; if there are none, all that have labels are selected.
        setting: the key of the configured tasks, for the message.

    Raises:
        ConfigError: if no row has labels for one of the requested tasks.
        InputError: if there are no rows or no labels.
    """
    if not records:
        raise InputError("the train split: expected annotated sentences, found none")
    annotated: set[str] = set()
    for record in records:
        annotated |= annotated_tasks(record)
    for task in requested:
        if task not in annotated:
            names = ", ".join(sorted(annotated)) or "none"
            raise ConfigError(
                f"{setting}: expected a task with train labels ({names}), found '{task}'"
            )
    if not annotated:
        raise InputError("the train split: expected labels for at least one task, found none")
    selected = requested or annotated
    return tuple(task for task in TASKS if task in selected)


def keep_labels_of(records: Sequence[Record], tasks: Collection[str]) -> list[Record]:
    """Return the records without the labels of other tasks."""
    fields = {"attribution": "attributions", "entity": "entities", "stance": "stances"}
    removed = {fields.get(task, task): None for task in TASKS if task not in tasks}
    if not removed:
        return list(records)
    return [record.model_copy(update=removed) for record in records]


def count_labels(records: Iterable[Record]) -> LabelCounts:
    """Count the labels of classified tasks; tasks without any are absent."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for task, labels in label_counts(record).items():
            if task in LABEL_TASKS and labels:
                counts.setdefault(task, Counter()).update(labels)
    return {task: dict(sorted(labels.items())) for task, labels in sorted(counts.items())}


def require_two_labels(
    records: Sequence[Record], tasks: Collection[str], soft: Mapping[str, SoftLabels]
) -> None:
    """Reject a task if every train row has the same label, since a model would only learn that label.

    Tasks with soft labels are accepted: the probabilities differ even if the labels do not.

    Raises:
        InputError: naming the task and its label.
    """
    soft_tasks: set[str] = set()
    for by_task in soft.values():
        soft_tasks.update(by_task)
    for record in records:
        if any(stance.probabilities for stance in record.stances or ()):
            soft_tasks.add("stance")
            break
    for task, counts in count_labels(records).items():
        if task in tasks and task not in soft_tasks and len(counts) == 1:
            [(label, count)] = counts.items()
            raise InputError(f"{one_label(task, label, count, 'train')} (or other model.tasks)")


def single_topic(records: Iterable[Record]) -> str | None:
    """Return the topic of all stances if it is the same one, given by name; else ``None``.

    A model trained on such rows never sees a sentence about anything else.
    """
    topics: dict[str, str] = {}
    for record in records:
        for stance in record.stances or ():
            if stance.label is None and not stance.probabilities:
                continue
            if not isinstance(stance.target, str):
                return None
            topics.setdefault(" ".join(stance.target.casefold().split()), stance.target)
    if len(topics) != 1:
        return None
    [topic] = topics.values()
    return topic


def spelling_warnings(counts: _Counts) -> Iterator[str]:
    """Yield a warning for labels of a task that differ in case and blanks alone, with the option that merges them.

    >>> next(spelling_warnings({"claim": {"Yes": 1, "yes": 9}}))
    "claim: labels 'yes' (9 times) and 'Yes' (1 time) differ in case or blanks alone; --value Yes=yes merges them"
    """
    for task, task_counts in counts.items():
        # The most frequent spelling comes first; among equals, the one with small letters.
        labels = sorted(task_counts, key=lambda name: (-task_counts[name], name.swapcase()))
        groups: dict[str, list[str]] = defaultdict(list)
        for label in labels:
            groups[" ".join(label.casefold().split())].append(label)
        for spellings in groups.values():
            common, *variants = spellings
            if not variants:
                continue
            listed = " and ".join(
                f"'{label}' ({_times(task_counts[label])})" for label in spellings
            )
            options = " ".join(f"--value {shlex.quote(f'{label}={common}')}" for label in variants)
            yield (f"{task}: labels {listed} differ in case or blanks alone; {options} merges them")


def split_warnings(counts: Mapping[str, _Counts]) -> Iterator[str]:
    """Yield a warning for each task whose train split has one label, and each label that train lacks.

    Args:
        counts: split → task → label → count; ``none`` counts rows without labels.
    """
    tasks: set[str] = set()
    for split_counts in counts.values():
        tasks.update(split_counts)
    for task in sorted(tasks):
        train = _nonzero_counts(counts.get("train", {}).get(task, {}))
        if not train:
            continue
        if task in LABEL_TASKS and len(train) == 1:
            [(label, count)] = train.items()
            yield one_label(task, label, count, "train")
        for split, split_counts in counts.items():
            split_labels = _nonzero_counts(split_counts.get(task, {}))
            yield from unseen_labels({task: train}, {task: split_labels}, split)


def unseen_labels(train: _Counts, counts: _Counts, split: str) -> list[str]:
    """Describe each label of a split that no train row has, of tasks that train has labels of.

    Args:
        train: the label counts of the train split.
        counts: the label counts of another split.
        split: the name of the other split, for the messages.
    """
    messages = []
    for task, labels in counts.items():
        for label, count in labels.items():
            if task in train and count and not train[task].get(label):
                messages.append(unseen_label(task, label, count, split))
    return messages


def one_label(task: str, label: str, count: int, split: str | None = None) -> str:
    """Return the warning for a task, or its train split, with one label."""
    where = f" in {split}" if split else ""
    return f"{task}: one label only{where}: nothing to learn; expected two or more, found '{label}' {_times(count)}"


def unseen_label(task: str, label: str, count: int, split: str) -> str:
    """Return the warning for a label of a split that train lacks."""
    return f"{task}: {split} has the label '{label}' ({_times(count)}), train has none: no model can learn it"


def _nonzero_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of labels that occur, without the count of rows without labels."""
    return {label: count for label, count in counts.items() if label != "none" and count}


def _times(count: int) -> str:
    return f"{count} time{'s' * (count != 1)}"
