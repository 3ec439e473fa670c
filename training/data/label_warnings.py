"""Warnings about the labels of a dataset: spellings of one label, tasks with one label, labels that train lacks."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping

from claimstance.model.labels import SENTENCE_TASKS

Counts = Mapping[str, Mapping[str, int]]  # task → label → how often
CLASSIFIED = (*SENTENCE_TASKS, "stance")  # tasks that choose between labels


def spelling_warnings(counts: Counts) -> Iterator[str]:
    """Yield a warning for labels of a task that differ in case and blanks alone, with the option that unites them.

    >>> next(spelling_warnings({"claim": {"Yes": 1, "yes": 9}}))
    "claim: labels 'yes' (9 times) and 'Yes' (1 time) differ in case or blanks alone; --value Yes=yes makes them one"
    """
    for task, of_task in counts.items():
        groups: dict[str, list[str]] = defaultdict(list)
        for label in sorted(
            of_task, key=lambda name: (-of_task[name], name.swapcase())
        ):  # small letters first
            groups[" ".join(label.casefold().split())].append(label)
        for common, *others in groups.values():
            if others:
                listed = " and ".join(
                    f"'{label}' ({_times(of_task[label])})" for label in (common, *others)
                )
                options = " ".join(
                    f"--value {shlex.quote(f'{label}={common}')}" for label in others
                )
                yield (
                    f"{task}: labels {listed} differ in case or blanks alone; {options} makes them one"
                )


def split_warnings(counts: Mapping[str, Counts]) -> Iterator[str]:
    """Yield a warning for each task whose train split has one label, and each label that train lacks.

    Args:
        counts: Split → task → label → how often; ``none`` counts rows without any.
    """
    splits = {
        split: {task: _labels(of) for task, of in of_split.items()}
        for split, of_split in counts.items()
    }
    for task in sorted({task for of_split in splits.values() for task in of_split}):
        known = splits.get("train", {}).get(task, {})
        if not known:
            continue
        if task in CLASSIFIED and len(known) == 1:
            yield one_label(task, next(iter(known)), known[next(iter(known))], "train")
        for split, of_split in splits.items():
            for label, count in of_split.get(task, {}).items():
                if label not in known:
                    yield unseen_label(task, label, count, split)


def one_label(task: str, label: str, count: int, split: str | None = None) -> str:
    """Return the warning for a task, or its train split, with one label."""
    where = f" in {split}" if split else ""
    return f"{task}: one label only{where}: nothing to learn; expected two or more, found '{label}' {_times(count)}"


def unseen_label(task: str, label: str, count: int, split: str) -> str:
    """Return the warning for a label of a split that train lacks."""
    return f"{task}: {split} has the label '{label}' ({_times(count)}), train has none: no model can learn it"


def _labels(counts: Mapping[str, int]) -> dict[str, int]:
    return {label: count for label, count in counts.items() if label != "none" and count}


def _times(count: int) -> str:
    return f"{count} time{'s' * (count != 1)}"
