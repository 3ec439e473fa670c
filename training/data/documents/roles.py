"""The meanings of the labels and questions of an annotation tool.

Annotation projects choose their own labels. A label with the name of a meaning, such as ``Source``,
has this meaning, whatever its case; ``roles`` in the configuration gives others a meaning
(``Quelle: source``). A mark with any other label is a named entity. Marks with the label *sentence*
are the sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS
from claimstance.training.data.documents.format import Layout

IGNORE = "ignore"
#: The possible meanings of the label of a mark, of a question or of a relation.
MEANINGS = (*ROLES, "holder", "target", "entity", *SENTENCE_TASKS, "stance", "sentence", IGNORE)
_TASKS = (*SENTENCE_TASKS, "stance")


@dataclass(frozen=True)
class Roles:
    """Interpret the labels and questions of one file.

    Attributes:
        configured: Label or question of the file → one of ``MEANINGS``.
        values: Label of the file → the label to replace it with.
        labels: Task → its label set.
        task: The task of a question that is only called *label*.
    """

    configured: Mapping[str, str]
    values: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    task: str | None

    def of(self, name: str) -> str | None:
        """Return the meaning of a name, one of ``MEANINGS``; ``None`` if it has none."""
        if name in self.configured:
            return self.configured[name]
        # "Check-worthy" and "check worthy" mean the task check_worthy.
        plain = name.casefold().strip().replace("-", "_").replace(" ", "_")
        if plain in MEANINGS:
            return plain
        return self.task if plain in ("label", "labels") else None

    def label(self, value: str, task: str) -> str:
        """Return a value of the file as a label of a task, in the spelling of the label set."""
        value = self.values.get(value, value)
        for label in self.labels[task]:
            if label.casefold() == value.casefold():
                return label
        return value

    def task_of(self, value: str) -> str | None:
        """Return the first task with a value among its labels, for tools without questions."""
        value = self.values.get(value, value)
        for task in _TASKS:
            if value.casefold() in map(str.casefold, self.labels[task]):
                return task
        return None

    def stance_label(self, name: str) -> str | None:
        """Return a name as a stance label; ``None`` if it is none."""
        if name and self.task_of(name) == "stance":
            return self.label(name, "stance")
        return None

    def yes_no(self, task: str, value: bool) -> str:
        """Return the positive (last) or the negative (first) label of a sentence task."""
        labels = self.labels[task]
        return labels[-1] if value else labels[0]


def roles_of(layout: Layout) -> Roles:
    """Return the interpretation that a layout configures.

    Raises:
        ConfigError: If a configured meaning is none of ``MEANINGS``.
    """
    for meaning in layout.roles.values():
        if meaning not in MEANINGS:
            raise ConfigError(f"roles: {unknown('role', meaning, MEANINGS)}")
    labels = {task: tuple(layout.labels.get(task, names)) for task, names in DEFAULT_LABELS.items()}
    return Roles(layout.roles, layout.values, labels, layout.task)
