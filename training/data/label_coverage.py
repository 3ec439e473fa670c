"""Labels that a model cannot learn: tasks whose train rows have one label, and labels that train rows lack."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from claimstance.model.errors import InputError
from claimstance.model.record import Record, label_counts
from claimstance.training.data.label_warnings import CLASSIFIED, one_label, unseen_label
from claimstance.training.data.soft_labels import SoftLabels

LabelCounts = dict[str, dict[str, int]]  # task → label → count


def count_labels(records: Iterable[Record]) -> LabelCounts:
    """Count the labels of classified tasks; tasks without any are absent."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for task, labels in label_counts(record).items():
            if task in CLASSIFIED and labels:
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


def unseen_labels(
    train: Mapping[str, Mapping[str, int]], counts: Mapping[str, Mapping[str, int]], split: str
) -> list[str]:
    """Describe each label of a split that no train row has, of tasks that train has labels of.

    Args:
        train: the label counts of the train split.
        counts: the label counts of another split.
        split: the name of the other split, for the messages.
    """
    messages = []
    for task, labels in counts.items():
        for label, count in labels.items():
            if task in train and task in CLASSIFIED and not train[task].get(label) and count:
                messages.append(unseen_label(task, label, count, split))
    return messages
