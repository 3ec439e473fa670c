"""Write the files of ``claimstance init``: a first configuration and a codebook, commented line by line."""

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS

CONFIG_FILE = "config.yaml"
CODEBOOK_FILE = "codebook.yaml"
TASKS = ("stance", *SENTENCE_TASKS, "attribution")

#: Task → label → definition and an example, of the default sets.
_DEFINITIONS: dict[str, dict[str, tuple[str, str]]] = {
    "stance": {
        "against": (
            "The holder speaks or acts against the target, as this sentence has it.",
            "Holm called the bridge a waste of money. (holder: Holm, target: the bridge)",
        ),
        "neutral": (
            "The sentence shows neither favor nor opposition of the holder toward the target, or both alike.",
            "Holm will speak about the bridge on Monday. (holder: Holm, target: the bridge)",
        ),
        "favor": (
            "The holder speaks or acts for the target, as this sentence has it.",
            "Holm praised the bridge. (holder: Holm, target: the bridge)",
        ),
    },
    "claim": {
        "no_claim": (
            "The sentence says nothing of what somebody says, believes or intends.",
            "The bridge opened in May.",
        ),
        "claim": (
            "The sentence carries what somebody is reported to say, believe or intend.",
            "Holm said that the bridge is safe.",
        ),
    },
    "check_worthy": {
        "no": (
            "The sentence states no fact, or none that the public would want checked.",
            "It was a long evening in the town hall.",
        ),
        "yes": (
            "The sentence states a fact that the public would want checked.",
            "The bridge cost twice as much as was planned.",
        ),
    },
    "subjective": {
        "objective": (
            "The sentence reports; views in it are those of others, who are named.",
            "The council voted for the bridge by nine to four.",
        ),
        "subjective": (
            "The sentence gives its author's own view.",
            "The bridge is, frankly, an eyesore.",
        ),
    },
    "attribution": {
        "source": (
            "Who says, believes or intends it: the whole phrase, with title and apposition.",
            "[Mayor Ida Holm] said that the bridge is safe.",
        ),
        "cue": (
            "The words that tie the source to the content: as a rule a verb.",
            "Mayor Ida Holm [said] that the bridge is safe.",
        ),
        "content": (
            "What is said, believed or intended: with its quotation marks, without the full stop.",
            "Mayor Ida Holm said that [the bridge is safe].",
        ),
    },
}

_RECORDS = {
    "stance": '{"id": "1", "doc_id": "a", "text": "Holm praised the bridge.", "stances": [{"holder": "Holm", "target": '
    '"the bridge", "label": $label}]}',
    "attribution": '{"id": "1", "doc_id": "a", "text": "Holm said that the bridge is safe.", "attributions": '
    '[{"source": [[0, 4]], "cue": [[5, 9]], "content": [[15, 33]]}]}',
}
_RECORD = '{"id": "1", "doc_id": "a", "text": "Holm praised the bridge.", $task: $label}'

_CONFIG = """\
# Your own annotated sentences: checked, made a dataset, trained on. Paths are relative to the folder that the commands
# are called in: this one. A key can be given on the command line, too: claimstance train config.yaml training.epochs=5

name: own                        # what results call the model
output: runs/own                 # the folder of the trained model

data:
  path: dataset                  # the folder of the dataset, which `claimstance build config.yaml` writes
  codebook: codebook.yaml        # what the labels mean; the data is held to it
  sources:
    - files:
        - annotations.jsonl      # your annotated file, or several. A line of it, for example:
        # $record
      # A table (.csv, .tsv) has a column for the text and one for the label. Under other names than these:
      # columns: { text: sentence, label: code }
${table}${labels}  split:                         # how rows are divided; those of one document (doc_id) stay together
    train: 0.8                   # to learn from
    dev: 0.1                     # to choose the best epoch on and to fit probabilities on
    test: 0.1                    # to report figures on
    seed: 13                     # the same seed and the same rows are divided alike
  adjudicate: majority           # where several annotators answered: the label of most; or soft, or adjudicator

model:
  encoder: sentence-transformers/all-MiniLM-L6-v2   # small and fast; any Hugging Face name or folder
  tasks: [$task]  # what is learnt; null: all that the data has labels for
  init_from: auto                # begin with the bundled model's weights, if it has this encoder; null: without
  max_tokens: 256                # how much of an article is read at once

training:
  epochs: 8                      # at most so many times through the data
  patience: 3                    # stop when the dev score did not rise so many times
  tokens_per_batch: 1024         # less, if memory runs out
  learning_rate: 1.0e-4          # of the encoder
  head_learning_rate: 1.0e-3     # of what is new
${weights}  seed: 13                       # of weights and order
"""

_CODEBOOK = """\
# What the labels mean, as your annotators are told. `claimstance check` and `build` hold the data to it, and the model
# card quotes it. All of it is text; put quotes around what has a colon or a # in it.

title: Own labels                # what is annotated, in which texts
version: "1"                     # raise it when a definition changes
language: en                     # of the texts

labels:
  $task:
$entries
"""
_TARGETS = """
# The targets, if they are a closed list: names in the data that are not in it are then told of.
# targets:
#   the bridge:
#     aliases: [the crossing]
#     definition: The planned bridge over the Sund.
"""


def starting_task(task: str | None, labels: Sequence[str]) -> str:
    """Return the given task, else the first task with one of the labels in its default set, else stance.

    Raises:
        ConfigError: for an unknown task, labels that do not form a set, or labels of attributions.
    """
    if task is not None and task not in TASKS:
        raise ConfigError(f"--task: {unknown('task', task, TASKS)}")
    distinct = {name.casefold() for name in labels}
    if labels and (len(distinct) < len(labels) or len(labels) < 2 or "" in labels):
        raise ConfigError(
            "--labels: expected two or more names that differ, with commas between them, found "
            f"'{','.join(labels)}'"
        )
    if labels and task == "attribution":
        raise ConfigError(
            f"--labels: expected none beside --task attribution, whose parts are {', '.join(ROLES)}"
        )
    if task is not None:
        return task
    for candidate in TASKS:
        if set(labels) & set(DEFAULT_LABELS.get(candidate, ())):
            return candidate
    return "stance"


def write_starter(folder: Path, task: str | None = None, labels: Sequence[str] = ()) -> list[Path]:
    """Write ``config.yaml`` and ``codebook.yaml`` into ``folder``, which is created if it is missing.

    Args:
        folder: the folder.
        task: the annotated task, one of ``TASKS``.
        labels: its label names; the default ones if empty.

    Raises:
        ConfigError: see ``starting_task``.
        InputError: if one of the files exists already, or cannot be written.
    """
    task = starting_task(task, labels)
    names = tuple(labels) or DEFAULT_LABELS.get(task, ROLES)
    if set(names) == set(DEFAULT_LABELS.get(task, ())):
        names = DEFAULT_LABELS[task]
    texts = {CONFIG_FILE: config_text(task, names), CODEBOOK_FILE: codebook_text(task, names)}
    existing = [name for name in texts if (folder / name).exists()]
    if existing:
        pronoun = "it" if len(existing) == 1 else "them"
        raise InputError(
            f"{folder}: expected a folder without {' and '.join(existing)}, found {pronoun} there already; "
            f"move {pronoun} away, or name another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}") from None
    return [folder / name for name in texts]


def config_text(task: str, labels: Sequence[str]) -> str:
    """Return the text of a configuration for one task."""
    record = Template(_RECORDS.get(task, _RECORD)).substitute(
        task=_quoted(task), label=_quoted(labels[-1])
    )
    label_set = weights = table = ""
    if task in SENTENCE_TASKS:
        table = f"      # task: {task}\n"
    if task != "attribution":
        names = ", ".join(map(_quoted, labels))
        label_set = (
            f"  labels:\n    {task}: [{names}]   # of two, the one that is looked for comes last\n"
        )
        weights = (
            f"  class_weight_power: {{ {task}: 0.5 }}   # rare labels count more; 0: all the same\n"
        )
    return Template(_CONFIG).substitute(
        task=task, record=record, table=table, labels=label_set, weights=weights
    )


def codebook_text(task: str, labels: Sequence[str]) -> str:
    """Return the text of a codebook for one task, with definitions if all labels are default ones, else with gaps."""
    definitions = _DEFINITIONS[task]
    if not set(labels) <= set(definitions):
        definitions = {}
    entries = []
    for label in labels:
        definition, example = definitions.get(label, ("", ""))
        remark = "" if definition else "  # write it: until then, `check` says that it is missing"
        entries.append(
            f"    {_quoted(label)}:\n"
            f"      definition: {_quoted(definition)}{remark}\n"
            f"      examples: [{_quoted(example) if example else ''}]\n"
            "      counterexamples: []      # what seems to be one, and is not"
        )
    text = Template(_CODEBOOK).substitute(task=task, entries="\n".join(entries))
    if task == "stance":
        text += _TARGETS
    return text


def _quoted(text: str) -> str:
    """Return the text in quotes, in which YAML does not read `no` as a truth value."""
    return json.dumps(text, ensure_ascii=False)
