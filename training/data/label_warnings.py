"""Warnings about the labels of a dataset: spellings of one label, tasks with one label, labels that train lacks."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping

from claimstance.model.labels import SENTENCE_TASKS

Counts = Mapping[str, Mapping[str, int]]  # task → label → count
CLASSIFIED = (*SENTENCE_TASKS, "stance")  # tasks that choose between labels


def spelling_warnings(counts: Counts) -> Iterator[str]:
    """Yield a warning for labels of a task that differ in case and blanks alone, with the option that unites them.

    >>> next(spelling_warnings({"claim": {"Yes": 1, "yes": 9}}))
    "claim: labels 'yes' (9 times) and 'Yes' (1 time) differ in case or blanks alone; --value Yes=yes makes them one"
    """
    for task, label_counts in counts.items():
        # The most frequent spelling comes first; among equals, the one with small letters.
        labels = sorted(label_counts, key=lambda name: (-label_counts[name], name.swapcase()))
        groups: dict[str, list[str]] = defaultdict(list)
        for label in labels:
            groups[" ".join(label.casefold().split())].append(label)
        for spellings in groups.values():
            common, *variants = spellings
            if not variants:
                continue
            listed = " and ".join(
                f"'{label}' ({_times(label_counts[label])})" for label in spellings
            )
            options = " ".join(f"--value {shlex.quote(f'{label}={common}')}" for label in variants)
            yield (
                f"{task}: labels {listed} differ in case or blanks alone; {options} makes them one"
            )


def split_warnings(counts: Mapping[str, Counts]) -> Iterator[str]:
    """Yield a warning for each task whose train split has one label, and each label that train lacks.

    Args:
        counts: split → task → label → count; ``none`` counts rows without labels.
    """
    tasks: set[str] = set()
    for split_counts in counts.values():
        tasks.update(split_counts)
    for task in sorted(tasks):
        train = _label_counts(counts.get("train", {}).get(task, {}))
        if not train:
            continue
        if task in CLASSIFIED and len(train) == 1:
            [(label, count)] = train.items()
            yield one_label(task, label, count, "train")
        for split, split_counts in counts.items():
            for label, count in _label_counts(split_counts.get(task, {})).items():
                if label not in train:
                    yield unseen_label(task, label, count, split)


def one_label(task: str, label: str, count: int, split: str | None = None) -> str:
    """Return the warning for a task, or its train split, with one label."""
    where = f" in {split}" if split else ""
    return f"{task}: one label only{where}: nothing to learn; expected two or more, found '{label}' {_times(count)}"


def unseen_label(task: str, label: str, count: int, split: str) -> str:
    """Return the warning for a label of a split that train lacks."""
    return f"{task}: {split} has the label '{label}' ({_times(count)}), train has none: no model can learn it"


def _label_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of labels that occur, without the count of rows without labels."""
    return {label: count for label, count in counts.items() if label != "none" and count}


def _times(count: int) -> str:
    return f"{count} time{'s' * (count != 1)}"
