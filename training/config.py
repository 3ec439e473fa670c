"""The configuration of a run: one YAML file (``claimstance.training.load_config`` reads it)."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from claimstance.model.labels import TASKS
from claimstance.training.data.config import (
    LABELLED,
    DataConfig,
    NotNegative,
    Section,
    Share,
    one_of,
)

#: What `model.start` says for the bundled model where it has the configured encoder.
AUTO = Path("auto")


class ModelConfig(Section):
    """The network."""

    encoder: str = Field(
        default="sentence-transformers/all-MiniLM-L6-v2",
        description="Hugging Face name or folder of the encoder.",
    )
    start: Path | None = Field(
        default=None,
        description="Folder of a trained model with this encoder, or bundled: training begins with its weights, but "
        "for heads whose labels differ (which `training.only` refuses). auto: the bundled model if it has this "
        "encoder, else null. null: the encoder as it was pretrained.",
    )
    tasks: Annotated[list[str] | None, one_of("task", TASKS)] = Field(
        default=None,
        min_length=1,
        description="Tasks to learn; null: those that the data has labels for.",
    )
    max_tokens: int = Field(
        default=256, ge=16, description="Length of a window of sentences, in tokens."
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout before the heads.")


class LeaveOut(Section):
    """A fold of the train documents that a model is not trained on: as a teacher, it can then tell of them."""

    folds: int = Field(
        ge=2, description="Number of folds that the train documents are divided into."
    )
    fold: int = Field(ge=0, description="The fold that is left out, from 0.")

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "LeaveOut":
        if self.fold >= self.folds:
            raise ValueError(f"expected a fold below {self.folds}, found {self.fold}")
        return self


class TrainingConfig(Section):
    """How the network is trained."""

    epochs: float = Field(default=3, gt=0, description="Times each row is seen.")
    tokens_per_batch: int = Field(
        default=2048, ge=16, description="Tokens of a batch, padding included."
    )
    batches_per_step: int = Field(
        default=1,
        ge=1,
        description="Batches whose gradients are averaged for a step, in each process that trains.",
    )
    only: Annotated[list[str] | None, one_of("task", TASKS)] = Field(
        default=None,
        min_length=1,
        description="Tasks whose heads alone are trained, from `model.start`: the encoder "
        "and all other heads stay as they are (of an exported int8 start without weights, to the byte with stance "
        "alone, rounded once more with other tasks); `model.encoder` is not asked for. null: everything is trained.",
    )
    learning_rate: float = Field(
        default=1e-4, gt=0, description="Highest learning rate of the encoder."
    )
    head_learning_rate: float = Field(
        default=1e-3, gt=0, description="Highest learning rate of the heads."
    )
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay (AdamW).")
    warmup_ratio: Share = Field(
        default=0.06, description="Share of the steps in which the learning rate rises."
    )
    max_grad_norm: float = Field(default=1.0, gt=0, description="Norm that gradients are cut to.")
    seed: int = Field(default=13, ge=0, description="Seed of weights, order and dropout.")
    precision: Literal["bfloat16", "float32"] = Field(
        default="float32", description="Precision of the computation."
    )
    evaluations_per_epoch: int = Field(
        default=1,
        ge=0,
        description="Times per epoch the dev split is scored; 0: never, and the last weights are kept.",
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="Evaluations without a better score after which training stops; 0: never.",
    )
    metric: str = Field(
        default="mean",
        min_length=1,
        description="The dev score by which the best weights are kept.",
    )
    class_weight_power: Annotated[dict[str, Share], one_of("task", LABELLED)] = Field(
        default={},
        description="Task → p: classes weigh their inverse frequency to the power p; 0: all the same.",
    )
    loss_weights: Annotated[dict[str, NotNegative], one_of("task", (*TASKS, "link"))] = Field(
        default={}, description="Task → weight of its loss; 1 if not given."
    )
    corpus_weights: dict[str, NotNegative] = Field(
        default={},
        description="Corpus → weight of its labels beside those of others in a batch; 1 if not given.",
    )
    soft_share: Share = Field(
        default=0.5,
        description="How much the soft label of teachers or annotators counts where there is a label, too.",
    )
    leave_out: LeaveOut | None = Field(
        default=None,
        description="A fold of the train documents that the model never sees, to be told of by it later "
        "(`data.teachers[].cross_fitted`); a model that it starts from must have left it out, too. null: none.",
    )
    neighbours: Share = Field(
        default=0.5,
        description="Share of the rows without an article that are shown beside other sentences.",
    )
    alone: Share = Field(
        default=0.1, description="Share of an article's sentences that are shown without it."
    )
    topics: Share = Field(
        default=0.1,
        description="Share of stances toward a mention that are also asked about it as a topic.",
    )
    joined: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows without an article in which somebody takes a side toward a "
        "mention, each shown once more as one sentence with another row: nobody in one half has a stance toward the "
        "other. None of it if not given.",
    )
    unsaid: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows without an article in which somebody named takes a side "
        "toward a mention, each shown once more behind words such as 'It is unclear whether', which take it back. None "
        "of it if not given.",
    )
    beside: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows without an article in which somebody named takes a side "
        "toward a mention, each shown once more with somebody of another row who merely stands by. None of it if not "
        "given.",
    )
    quoted: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows without an article whose stances toward mentions have no "
        "holder, and which show no sign of anybody else's name or words, each shown once more as the words of somebody "
        "of another row, whose stance it then is. None of it if not given.",
    )
    negated: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows without an article in which somebody named takes a side "
        "toward a mention, each shown once more with a *not* behind their name, where the next word takes one (*has*, "
        "*will*, *criticized*): they take no side then. None of it if not given.",
    )
    no_stance: str = Field(
        default="neutral",
        min_length=1,
        description="Label of a stance that is none, for `joined`, `unsaid`, `beside`, `quoted` and `negated`.",
    )
    threads: int | None = Field(
        default=None, ge=1, description="Processor threads; null: PyTorch decides."
    )
    sampling: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows seen in an epoch. What is made of them (`joined` and the "
        "like) is a share of all of them.",
    )


class CardConfig(Section):
    """What the model card says that nothing else tells."""

    license: str = Field(
        default="unknown",
        min_length=1,
        description="Licence of the model, as the Hugging Face hub calls it: mit, "
        "cc-by-4.0 and so on. What the data allows counts, too.",
    )
    language: str | None = Field(
        default=None,
        description="Language of the texts, such as en; null: the codebook's, if it states one.",
    )


class Config(Section):
    """The whole configuration."""

    name: str = Field(
        default="claimstance",
        min_length=1,
        description="Name of the model, as results will state it.",
    )
    output: Path = Field(description="Folder of the trained model.")
    data: DataConfig = Field(description="What to train and measure on.")
    model: ModelConfig = Field(default=ModelConfig(), description="The network.")
    training: TrainingConfig = Field(
        default=TrainingConfig(), description="How the network is trained."
    )
    card: CardConfig = Field(default=CardConfig(), description="The model card.")

    @model_validator(mode="after")
    def _has_what_stays(self) -> "Config":
        if self.training.only and self.model.start is None:
            raise ValueError(
                "training.only: expected a model.start, whose encoder and other heads stay as they are"
            )
        if self.training.only and self.model.tasks:
            raise ValueError(
                "model.tasks: expected none beside training.only: the model has all tasks of the one "
                "that it starts from"
            )
        return self

    def to_yaml(self) -> str:
        """The configuration with every default spelled out, as YAML that ``load_config`` reads back."""
        return str(
            yaml.safe_dump(
                self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120
            )
        )
