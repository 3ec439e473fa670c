"""The configuration that is saved with a model, ``config.json``. It is read without torch or transformers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
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
from claimstance.model.labels import (
    DEFAULT_LABELS,
    FOUND,
    HOLDER,
    HOLDER_TOPIC,
    MENTION,
    OPINION_HEADS,
    OWN_VOICE,
    STANCE_KINDS,
    TASKS,
    TOPIC,
)

FORMAT = 1  # increased when older versions of this program can no longer read a model folder
#: Limits of a window's length in tokens. The shortest holds the special tokens and a sentence beside
#: a topic; the longest is bounded because attention takes memory with the square of the length.
MIN_WINDOW, MAX_WINDOW = 8, 8192

CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "model.safetensors"
#: A probability that no answer reaches.
ALWAYS_ABSTAIN = 2.0
#: Kind → the kind whose calibration serves if it has none: older models have fewer kinds.
_SUBSTITUTES = {
    HOLDER_TOPIC: TOPIC,
    FOUND: HOLDER,
    OWN_VOICE: MENTION,
}

_Size = Annotated[int, Field(ge=1, le=1 << 31)]


class _Outline(TypedDict, total=False):
    """Represent the keys by which a configuration of this program is recognized."""

    format: Any
    encoder: Any
    tasks: Any
    labels: Any


class _Encoder(TypedDict, total=False):
    """Represent the keys of the encoder's configuration that are read here; transformers checks the rest."""

    __pydantic_config__ = ConfigDict(extra="allow", strict=True)  # type: ignore[misc]

    model_type: str
    hidden_size: _Size
    vocab_size: _Size
    type_vocab_size: Annotated[int, Field(ge=0, le=1 << 31)]
    max_position_embeddings: _Size


def _check_task(task: str) -> str:
    """Return ``task``; raise ``ValueError`` if there is no such task."""
    if task not in TASKS:
        raise ValueError(unknown("task", task, TASKS))
    return task


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``names``; raise ``ValueError`` if one of them occurs twice."""
    if len(set(names)) < len(names):
        raise ValueError(f"expected names that differ, found {', '.join(names)}")
    return names


_Name = Annotated[str, Field(min_length=1)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
# The softmax of logits beyond these limits would overflow.
_Bias = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
_Temperature = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
_Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
_Distinct = Annotated[tuple[_Name, ...], Field(min_length=1), AfterValidator(_check_distinct)]
_Topics = Annotated[tuple[_Name, ...], AfterValidator(_check_distinct)]


@dataclass
class ModelConfig:
    """Represent the shape of a model, its labels, and the values that training fitted beside the weights.

    Several values are fitted per kind of question. A kind is a task, or a kind of stance query, such as
    ``stance.topic`` (see ``StanceQuery.kind``). Where a kind of query has no temperature, the values of its substitute
    or of its task count.

    Attributes:
        encoder: the encoder's own transformers configuration.
        tasks: the tasks that the model has heads for, from ``claimstance.model.labels.TASKS``.
        labels: task → its label names; the outputs of a head are in this order.
        max_tokens: the length of a window, special tokens included.
        dropout: the dropout of the heads in training.
        temperatures: kind → the divisor of its logits before the softmax, fitted on dev (1 if absent).
        biases: addends to logits, fitted on dev (0 if absent), under five kinds of keys:

            - a role, for its tags, and ``link``, because choosing the likeliest answer does not maximize their F1;
            - ``opinion_holder`` and ``opinion_target``, for their tags;
            - a kind and a label (``stance.holder.neutral``);
            - the same and a property of the pair (``stance.found.neutral.named_target``; see ``pair_evidence``);
            - in older models, a sentence task (``check_worthy``), for its last label.
        thresholds: kind and label (``stance.holder.favor``) → the value that the label's probability is compared with
            when a label is chosen (see ``predict_label``; equal if absent). They raise the F1 and leave probabilities
            as they are. In older models, a threshold per sentence task belongs to its last label.
        abstain_below: kind and label → the probability below which an answer with that label is marked as abstained
            (never if absent, always if above 1); in older models, per kind.
        conformal: kind → the probability from which a label belongs to the prediction set.
        opinion_spans: the model has the heads of ``OPINION_HEADS``: it finds holders and targets of stances itself.
        topics: the topic that all stances in training are about, if there is only one: it is the target where the user
            names none.
        name: the name of the model in its output.
        version: the version of the model, not of this program.
    """

    # Types and ranges are checked when a folder is loaded (see ``load``), not on construction.
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
    opinion_spans: bool = False
    topics: _Topics = ()
    name: _Name = "claimstance"
    version: _Name = "1"
    format: int = FORMAT

    @property
    def hidden_size(self) -> int:
        """Return the width of the encoder's output."""
        return int(self.encoder["hidden_size"])

    @property
    def opinion_heads(self) -> tuple[str, ...]:
        """Return the heads of ``OPINION_HEADS`` that the model has: all of them or none."""
        if self.opinion_spans and "stance" in self.tasks:
            return tuple(OPINION_HEADS)
        return ()

    def logit_adjustment(self, kind: str) -> tuple[list[float], float]:
        """Return the addend of each logit of a kind of question, and the divisor of the sum before the softmax."""
        task = kind.partition(".")[0]
        fitted = self._fitted_kind(kind)
        biases = [self.biases.get(f"{fitted}.{label}", 0.0) for label in self.labels[task]]
        # Older models have one bias per task, which belongs to the last label.
        biases[-1] += self.biases.get(task, 0.0)
        return biases, self.temperatures.get(fitted, 1.0)

    def evidence_weights(self, kind: str, properties: Sequence[str]) -> NDArray[np.floating]:
        """Return the weights (E, C) of a kind of question: the addend to each logit for one unit of each property."""
        labels = self.labels[kind.partition(".")[0]]
        weights = np.zeros((len(properties), len(labels)))
        for row, name in enumerate(properties):
            for column, label in enumerate(labels):
                weights[row, column] = self.biases.get(f"{kind}.{label}.{name}", 0.0)
        return weights

    def predict_label(self, kind: str, probabilities: Mapping[str, float]) -> str:
        """Return the label with the largest ratio of its probability to its threshold.

        Ties go to the last label.
        """
        thresholds = self.thresholds_of(kind)
        ratios = {label: value / thresholds[label] for label, value in probabilities.items()}
        return max(reversed(ratios), key=ratios.__getitem__)

    def thresholds_of(self, kind: str) -> dict[str, float]:
        """Return label → threshold of a kind of question; ``predict_label`` compares probabilities with them."""
        task = kind.partition(".")[0]
        fitted = self._fitted_kind(kind)
        # Older models have one threshold per task: it is that of the last label against all others.
        last_threshold = self.thresholds.get(task, 0.5)
        thresholds = dict.fromkeys(self.labels[task], 1 - last_threshold)
        thresholds[self.labels[task][-1]] = last_threshold
        for label, default in thresholds.items():
            # Probabilities are divided by thresholds, which therefore must not be zero.
            thresholds[label] = max(self.thresholds.get(f"{fitted}.{label}", default), 1e-6)
        return thresholds

    def abstention_threshold(self, kind: str, label: str) -> float | None:
        """Return the least probability of an answer that is not marked as abstained; ``None`` without a limit."""
        if kind == OWN_VOICE and self.opinion_heads:
            return self.abstain_below.get(OWN_VOICE, ALWAYS_ABSTAIN)
        fitted = self._fitted_kind(kind)
        return self.abstain_below.get(f"{fitted}.{label}", self.abstain_below.get(fitted))

    def is_answered(self, kind: str, label: str, probability: float) -> bool:
        """Return whether an answer with that probability is given, rather than marked as abstained."""
        return probability >= (self.abstention_threshold(kind, label) or 0.0)

    def with_stance_limit(self, limit: float) -> "ModelConfig":
        """Return a copy in which stances abstain below the probability ``limit``, whatever their label."""
        others = {
            kind: value
            for kind, value in self.abstain_below.items()
            if kind.partition(".")[0] != "stance"
        }
        limits = dict.fromkeys(("stance", *STANCE_KINDS), limit)
        return replace(self, abstain_below={**others, **limits})

    def conformal_threshold(self, kind: str) -> float | None:
        """Return the probability from which a label belongs to the prediction set; ``None`` if none was fitted."""
        return self.conformal.get(self._fitted_kind(kind))

    def _fitted_kind(self, kind: str) -> str:
        """Return the kind whose fitted values count for ``kind``: itself, else its substitute, else its task."""
        if kind not in self.temperatures:
            kind = _SUBSTITUTES.get(kind, kind)
        if kind not in self.temperatures:
            kind = kind.partition(".")[0]
        return kind

    def to_json_string(self) -> str:
        """Return the configuration as JSON (training loggers of transformers call this method)."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True)

    def save(self, folder: Path) -> None:
        """Write ``config.json`` into ``folder``."""
        (folder / CONFIG_FILE).write_text(self.to_json_string() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json`` from ``folder``.

        Raises:
            ModelError: if the file is missing, damaged, of another program, or of a newer version of this one.
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
            # The format is checked first: in a newer one, other keys may be unknown for that reason.
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
            field_name, problem = first_problem(error.errors(), cls)
            where = f"{path}: {field_name}" if field_name else path
            raise ModelError(f"{where}: {problem}") from None

        for task in config.tasks:
            if task in DEFAULT_LABELS and task not in config.labels:
                raise ModelError(
                    f"{path}: expected the label names of '{task}' under 'labels', found none"
                )
        return config


_OUTLINE = TypeAdapter(_Outline)
_CONFIG = TypeAdapter(ModelConfig)
