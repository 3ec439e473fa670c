"""What an annotation tool's labels and questions mean here.

A project names its labels as it likes. Those named as we name things are understood by themselves, whatever their case;
others are told by ``roles`` in the configuration (``Quelle: source``). A mark with any other label is a named entity.
Marks called *sentence* say where sentences begin and end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS
from claimstance.training.data.documents.format import Layout

IGNORE = "ignore"
#: What a label of a mark, a question or a relation can be.
MEANINGS = (*ROLES, "holder", "target", "entity", *SENTENCE_TASKS, "stance", "sentence", IGNORE)
_TASKS = (*SENTENCE_TASKS, "stance")


@dataclass(frozen=True)
class Roles:
    """How one file's names are read."""

    given: Mapping[str, str]  # the file's name → one of MEANINGS
    values: Mapping[str, str]  # the file's label → ours
    labels: Mapping[str, tuple[str, ...]]  # task → its label set
    task: str | None  # what an answer to an unnamed question ("label") is

    def of(self, name: str) -> str | None:
        """What ``name`` is, one of ``MEANINGS``; ``None`` if nothing says so."""
        if name in self.given:
            return self.given[name]
        plain = name.casefold().strip().replace("-", "_").replace(" ", "_")
        if plain in MEANINGS:
            return plain
        return self.task if plain in ("label", "labels") else None

    def label(self, value: str, task: str) -> str:
        """``value`` as a label of ``task``: by ``values``, else as it stands, in the case that the set has."""
        value = self.values.get(value, value)
        same = [label for label in self.labels[task] if label.casefold() == value.casefold()]
        return same[0] if same else value

    def task_of(self, value: str) -> str | None:
        """The task that has ``value`` among its labels, if one has: for tools that list labels without a question."""
        value = self.values.get(value, value)
        return next(
            (task for task in _TASKS if value.casefold() in map(str.casefold, self.labels[task])),
            None,
        )

    def yes_no(self, task: str, value: bool) -> str:
        """The label of a sentence task for something that is so (its last label) or not (its first)."""
        return self.labels[task][-1 if value else 0]


def roles_of(layout: Layout) -> Roles:
    """What ``layout`` says of a file's names.

    Raises:
        ConfigError: for a role that there is not.
    """
    for meaning in layout.roles.values():
        if meaning not in MEANINGS:
            raise ConfigError(f"roles: {unknown('role', meaning, MEANINGS)}")
    labels = {task: tuple(layout.labels.get(task, names)) for task, names in DEFAULT_LABELS.items()}
    return Roles(layout.roles, layout.values, labels, layout.task)
