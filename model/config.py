"""What a saved model says about itself in ``config.json``. Read without torch or transformers."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    TypeAdapter,
    ValidationError,
)
from typing_extensions import TypedDict

from claimstance.model.errors import ModelError, unknown
from claimstance.model.io.small_files import read_small_file
from claimstance.model.io.validation import describe, first_problem
from claimstance.model.labels import DEFAULT_LABELS, TASKS

FORMAT = 1  # raised when an older program could no longer read a model folder
#: Tokens of a window: at least the special ones and a sentence beside a topic; attention takes
#: memory with the square of the length.
MIN_WINDOW, MAX_WINDOW = 8, 8192

CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "model.safetensors"


_Size = Annotated[int, Field(ge=1, le=1 << 31)]


class _Outline(TypedDict, total=False):
    """The keys that tell a configuration that this program can read."""

    format: Any
    encoder: Any
    tasks: Any
    labels: Any


class _Encoder(TypedDict, total=False):
    """What is read of the encoder's configuration; transformers checks the other keys."""

    __pydantic_config__ = ConfigDict(extra="allow", strict=True)  # type: ignore[misc]

    model_type: str
    hidden_size: _Size
    vocab_size: _Size
    type_vocab_size: Annotated[int, Field(ge=0, le=1 << 31)]
    max_position_embeddings: _Size


def _check_task(task: str) -> str:
    if task not in TASKS:
        raise ValueError(unknown("task", task, TASKS))
    return task


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"expected names that differ, found {', '.join(names)}")
    return names


_Name = Annotated[str, Field(min_length=1)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
# Logits beyond these would overflow where probabilities are made of them.
_Bias = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
_Temperature = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
_Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
_Distinct = Annotated[tuple[_Name, ...], Field(min_length=1), AfterValidator(_check_distinct)]


@dataclass
class ModelConfig:
    """The shape of a model, its labels by name, and what training fitted beside the weights.

    Attributes:
        encoder: the encoder's own transformers configuration.
        tasks: which of ``claimstance.model.labels.TASKS`` the model has heads for.
        labels: label names of each task that has a label set; a head's outputs are in this order.
        max_tokens: the length of a window, special tokens included.
        dropout: of the heads, in training.
        temperatures: per kind of question, what logits are divided by before the softmax (fitted on dev; 1 if absent).
            A kind is a task, or a part of one behind a dot, such as ``stance.topic`` (see ``Query.kind``); where the
            part has no value, the task's counts.
        biases: what is added to logits before anything is read from them (0 if absent), fitted on dev: to those of each
            role's tags and of links (``link``), since the likeliest answer to each is not that of the best F1; to those
            of a label (``stance.holder.neutral``), with the temperature; to that of a sentence task's last label
            (``check_worthy``), in older models.
        thresholds: per kind of question and label (``stance.holder.favor``), what the label's probability is measured
            against when one is chosen (see ``decide``; all alike if absent): for the best F1, while probabilities stay
            what they are. In older models, of a sentence task's last label (``check_worthy``) alone.
        abstain_below: per kind of question and label, the probability under which an answer with that label is marked
            as abstained (never if absent, always if above 1); in older models, per kind of question.
        conformal: per kind of question, the probability from which a label belongs to the set of those that may be
            right.
        name: what the model calls itself in its output.
        version: of the model, not of this program.
    """

    # Types and ranges are checked where a folder is loaded (see ``load``).
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    encoder: Annotated[dict[str, Any], GetPydanticSchema(lambda _, schema_of: schema_of(_Encoder))]
    tasks: Annotated[
        tuple[Annotated[str, AfterValidator(_check_task)], ...],
        Field(min_length=1),
        AfterValidator(_check_distinct),
    ] = TASKS
    labels: dict[str, _Distinct] = field(default_factory=lambda: dict(DEFAULT_LABELS))
    max_tokens: Annotated[int, Field(ge=MIN_WINDOW, le=MAX_WINDOW)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    temperatures: dict[str, _Temperature] = field(default_factory=dict)
    biases: dict[str, _Bias] = field(default_factory=dict)
    thresholds: dict[str, _Share] = field(default_factory=dict)
    abstain_below: dict[str, _NotNegative] = field(default_factory=dict)
    conformal: dict[str, _Finite] = field(default_factory=dict)
    name: _Name = "claimstance"
    version: _Name = "1"
    format: int = FORMAT

    @property
    def hidden_size(self) -> int:
        """The width of the encoder's output."""
        return int(self.encoder["hidden_size"])

    def scale(self, kind: str) -> tuple[list[float], float]:
        """What is added to each logit of a kind of question, and what the sum is divided by before the softmax.

        Where nothing was fitted for that kind of its task's questions, what was fitted for all of them counts.
        """
        task, fitted = kind.partition(".")[0], self._fitted(kind)
        biases = [self.biases.get(f"{fitted}.{label}", 0.0) for label in self.labels[task]]
        biases[-1] += self.biases.get(task, 0.0)
        return biases, self.temperatures.get(fitted, 1.0)

    def decide(self, kind: str, probabilities: Mapping[str, float]) -> str:
        """The label to answer with, from the probability of each: the one that stands highest over its threshold.

        Of labels that stand alike, the last: a threshold is where an answer is given from.
        """
        thresholds = self.thresholds_of(kind)
        return max(
            reversed(list(probabilities)),
            key=lambda label: probabilities[label] / thresholds[label],
        )

    def thresholds_of(self, kind: str) -> dict[str, float]:
        """Label → its threshold, for a kind of question: where all probabilities are at it, no label is preferred."""
        task, fitted = kind.partition(".")[0], self._fitted(kind)
        *others, last = self.labels[task]
        alone = self.thresholds.get(task, 0.5)
        plain = {**dict.fromkeys(others, 1 - alone), last: alone}
        return {
            label: max(self.thresholds.get(f"{fitted}.{label}", value), 1e-6)
            for label, value in plain.items()
        }

    def answered_from(self, kind: str, label: str) -> float | None:
        """The probability from which an answer with that label is given; ``None`` if nothing is promised of it."""
        fitted = self._fitted(kind)
        return self.abstain_below.get(f"{fitted}.{label}", self.abstain_below.get(fitted))

    def gives(self, kind: str, label: str, probability: float) -> bool:
        """Whether an answer of that probability is given, not marked as abstained."""
        return probability >= (self.answered_from(kind, label) or 0.0)

    def in_set_from(self, kind: str) -> float | None:
        """The probability from which a label belongs to the set; ``None`` if nothing is promised of sets."""
        return self.conformal.get(self._fitted(kind))

    def _fitted(self, kind: str) -> str:
        return kind if kind in self.temperatures else kind.partition(".")[0]

    def to_json_string(self) -> str:
        """The configuration as JSON (the name by which training loggers ask for it)."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True)

    def save(self, folder: Path) -> None:
        """Write ``config.json`` into ``folder``."""
        (folder / CONFIG_FILE).write_text(self.to_json_string() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json`` from ``folder``.

        Raises:
            ModelError: if it is missing, damaged, of another program, or of a newer version of this one.
        """
        path = folder / CONFIG_FILE
        try:
            data = read_small_file(path)
        except OSError as error:
            raise ModelError(
                f"{folder}: expected a claimstance model folder with {CONFIG_FILE}: "
                f"{error.strerror}"
            ) from None
        try:
            # A newer format comes first: its other keys may be unknown for the same reason.
            outline = _OUTLINE.validate_json(data)
            version = outline.get("format", FORMAT)
            if version != FORMAT:
                raise ModelError(
                    f"{path}: expected format {FORMAT}, which this program reads, found "
                    f"{describe(version)}: update claimstance"
                )
            for key in ("encoder", "tasks", "labels"):
                if key not in outline:
                    raise ModelError(f"{path}: {key}: expected a value, found none")
            config = _CONFIG.validate_json(data)
        except ValidationError as error:
            field_name, problem = first_problem(error, [each.name for each in fields(cls)])
            place = f"{path}: {field_name}" if field_name else path
            raise ModelError(f"{place}: {problem}") from None
        for task in config.tasks:
            if task in DEFAULT_LABELS and task not in config.labels:
                raise ModelError(
                    f"{path}: expected the label names of '{task}' under 'labels', found none"
                )
        return config


_OUTLINE = TypeAdapter(_Outline)
_CONFIG = TypeAdapter(ModelConfig)
