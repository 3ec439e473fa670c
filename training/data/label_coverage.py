"""Labels that a model cannot learn: tasks whose train rows have one label, and labels that train rows lack."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from claimstance.model.errors import InputError
from claimstance.model.record import Record, label_counts
from claimstance.training.data.label_warnings import CLASSIFIED, one_label, unseen_label
from claimstance.training.data.soft_labels import SoftLabels

LabelCounts = dict[str, dict[str, int]]  # task → label → how often


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
    """Refuse a task of which every train row has the same label: each answer would be that label, and count as right.

    Soft labels are labels, too: where teachers or annotators divide, there is something to learn.

    Raises:
        InputError: naming the task and its label.
    """
    softly = {task for taught in soft.values() for task in taught}
    if any(stance.probabilities for record in records for stance in record.stances or ()):
        softly.add("stance")
    for task, counts in count_labels(records).items():
        if task in tasks and task not in softly and len(counts) == 1:
            [(label, count)] = counts.items()
            raise InputError(f"{one_label(task, label, count, 'train')} (or other model.tasks)")


def single_topic(records: Iterable[Record]) -> str | None:
    """Return the topic that all stances are toward, if it is one, and named, not marked in the text.

    A model that learns from these rows never sees a sentence about anything else: rows without a stance teach it none.
    """
    topics: dict[str, str] = {}
    for record in records:
        for stance in record.stances or ():
            if stance.label is None and not stance.probabilities:
                continue
            if not isinstance(stance.target, str):
                return None
            topics.setdefault(" ".join(stance.target.casefold().split()), stance.target)
    return next(iter(topics.values())) if len(topics) == 1 else None


def unseen_labels(
    train: Mapping[str, Mapping[str, int]], other: Mapping[str, Mapping[str, int]], split: str
) -> list[str]:
    """Describe each label of a split that no train row has; tasks that train lacks as a whole are passed over.

    Args:
        train: the label counts of what a model was trained on.
        other: those of another split.
        split: its name, for the message.
    """
    messages = []
    for task, labels in other.items():
        for label, count in labels.items():
            if task in train and task in CLASSIFIED and not train[task].get(label) and count:
                messages.append(unseen_label(task, label, count, split))
    return messages
