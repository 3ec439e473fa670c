"""The codebook, a YAML file that defines the labels and targets, as the annotators' guidelines do.

.. code-block:: yaml

    title: Stances on the harbour
    version: 2
    language: en
    labels:
      stance:
        favor: {definition: The holder speaks or acts for the target., examples: ["Holm praised the bridge."]}
        against: {definition: The holder speaks or acts against the target.}
    targets:
      the bridge: {aliases: [the crossing], definition: The planned bridge over the Sund.}

All values are text: ``no`` and ``1`` are names of labels, not a truth value and a number.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from claimstance.model.errors import ConfigError, InputError, shorten, unknown
from claimstance.model.io.validation import explain, first_error
from claimstance.model.labels import DEFAULT_LABELS, ROLES, TASKS
from claimstance.training.data.config import Section, one_of
from claimstance.training.data.read_yaml import LimitedLoader, read_yaml


def _as_definition(value: Any) -> Any:
    """Accept a text in place of a section with the key ``definition``."""
    return {"definition": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    """Accept a text in place of a list; an empty text is an empty list."""
    if not isinstance(value, str):
        return value
    return [value] if value else []


Texts = Annotated[list[str], BeforeValidator(_as_list)]


class Definition(Section):
    """Define a label."""

    definition: str = Field(default="", description="When a sentence gets the label.")
    examples: Texts = Field(default=[], description="Sentences that get it.")
    counterexamples: Texts = Field(default=[], description="Sentences that seem to, and do not.")


class Target(Section):
    """Define a target of stances."""

    aliases: Texts = Field(default=[], description="Other names of the target.")
    definition: str = Field(default="", description="What it is.")


class Codebook(Section):
    """Represent a codebook."""

    title: str = Field(default="", description="What the codebook is of.")
    version: str = Field(default="", description="Its version.")
    language: str = Field(default="", description="The language of the texts.")
    labels: Annotated[
        dict[str, dict[str, Annotated[Definition, BeforeValidator(_as_definition)]]],
        one_of("task", TASKS),
    ] = Field(description="Task → label → what it means.")
    targets: dict[str, Annotated[Target, BeforeValidator(_as_definition)]] = Field(
        default={}, description="The targets, if they are a closed list."
    )
    _path: str = PrivateAttr(default="the codebook")

    @property
    def path(self) -> str:
        """Return the file that the codebook was loaded from, for messages."""
        return self._path

    @model_validator(mode="after")
    def _labels_differ(self) -> "Codebook":
        for task, labels in self.labels.items():
            normalized = {name.strip().casefold() for name in labels}
            # Labels that differ in case alone would look like spellings of one label.
            if len(labels) < 2 or len(normalized) < len(labels) or "" in normalized:
                raise ValueError(
                    f"labels.{task}: expected two or more labels that differ in more than case, found "
                    f"{', '.join(labels) or 'none'}"
                )
        for role in self.labels.get("attribution", ()):
            if role not in ROLES:
                raise ValueError(f"labels.attribution: {unknown('part', role, ROLES)}")
        return self

    def target_problem(self, name: str) -> str | None:
        """Return why a target name is wrong: an alias, or unknown; ``None`` if it is in the list."""
        if name in self.targets or not self.targets:
            return None
        for target, entry in self.targets.items():
            if name in entry.aliases:
                return f"expected '{target}', found its alias '{name}'"
        return shorten(unknown("target", name, self.targets), 300)


class _Loader(LimitedLoader):
    """Load YAML with text values only (null becomes an empty text); reject repeated keys."""

    def construct_scalar(self, node: Any) -> Any:
        text = super().construct_scalar(node)
        # A scalar without a style is not in quotes; a quoted "null" is the text.
        return "" if node.style is None and text in ("null", "~") else text

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(
                    None, None, "a key that is not text", key_node.start_mark
                )
            if key in keys:
                raise yaml.MarkedYAMLError(
                    None, None, f"the key '{shorten(key)}' twice", key_node.start_mark
                )
            keys.add(key)
        return super().construct_mapping(node, deep)


def load_codebook(path: Path | str) -> Codebook:
    """Load a codebook.

    Raises:
        ConfigError: naming the file, the key, what was expected and what was found.
    """
    path = Path(path)
    data = read_yaml(path, _Loader)
    try:
        codebook = Codebook.model_validate(data)
    except ValidationError as error:
        details = first_error(error.errors(include_url=False))
        message = explain(details, Codebook, mapping="keys with values")
        key = ".".join(map(str, details["loc"]))
        # A check of the whole codebook names the key itself.
        if not key and details["type"] != "value_error":
            key = "the file"
        location = f"{path}: {key}" if key else str(path)
        raise ConfigError(f"{location}: {message}") from None
    codebook._path = str(path)
    return codebook


def label_sets(codebook: Codebook) -> dict[str, tuple[str, ...]]:
    """Return task → label names, in the codebook's order; a default set keeps its own order."""
    sets = {}
    for task, labels in codebook.labels.items():
        if task in DEFAULT_LABELS:
            default = DEFAULT_LABELS[task]
            sets[task] = default if set(labels) == set(default) else tuple(labels)
    return sets


def undefined(codebook: Codebook) -> Iterator[tuple[str, str]]:
    """Yield each task and label without a definition."""
    for task, labels in codebook.labels.items():
        for label, entry in labels.items():
            if not entry.definition.strip():
                yield task, label


def check_against(
    codebook: Codebook, counts: Mapping[str, Mapping[str, int]], targets: set[str] | None = None
) -> list[str]:
    """Check data against a codebook.

    Args:
        codebook: the codebook.
        counts: task → label → count in the data. Roles of attributions count under ``attribution``.
        targets: the names of targets in the data; ``None`` to skip their check.

    Returns:
        Warnings about labels that never occur, labels without a definition, and targets that are not listed.

    Raises:
        InputError: if the data has a label that the codebook does not define, of a task that it does.
    """
    for task, labels in codebook.labels.items():
        for label, count in counts.get(task, {}).items():
            if count and label not in labels:
                raise InputError(
                    f"{codebook.path}: labels.{task}: {unknown('label', label, labels)} (in the data "
                    f"{count} time{'s' * (count != 1)})"
                )

    warnings = []
    for task, labels in codebook.labels.items():
        task_counts = counts.get(task, {})
        if not any(task_counts.values()):
            warnings.append(
                f"{codebook.path}: labels.{task}: expected such labels in the data, found none"
            )
            continue
        warnings += [
            f"{codebook.path}: labels.{task}.{label}: expected the label in the data, found it nowhere"
            for label in labels
            if not task_counts.get(label)
        ]
    warnings += [
        f"{codebook.path}: labels.{task}.{label}: expected a definition, found none"
        for task, label in undefined(codebook)
    ]

    for name in sorted(targets or ()):
        problem = codebook.target_problem(name)
        if problem:
            warnings.append(f"{codebook.path}: targets: {problem}")
    return warnings


def to_markdown(codebook: Codebook) -> str:
    """Return the labels, with an example each, and the targets as Markdown tables for a model card."""
    version = f"version {codebook.version}" if codebook.version else ""
    heading = ", ".join(filter(None, (codebook.title, version, codebook.language)))
    lines = [heading, ""] if heading else []
    lines += ["| task | label | definition | example |", "|---|---|---|---|"]
    for task, labels in codebook.labels.items():
        for label, entry in labels.items():
            example = entry.examples[0] if entry.examples else ""
            lines.append(_table_row(task, label, entry.definition or "not defined", example))
    if codebook.targets:
        lines += ["", "| target | also called | definition |", "|---|---|---|"]
        for name, target in codebook.targets.items():
            lines.append(_table_row(name, ", ".join(target.aliases), target.definition))
    return "\n".join(lines) + "\n"


def _table_row(*cells: str) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


def cell(text: str) -> str:
    """Return a text as a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
