"""The configuration of a training run (``claimstance.training.load_config`` reads it from YAML)."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from claimstance.model.labels import LABEL_TASKS, OPINION_HEADS, TASKS
from claimstance.training.data.config import (
    DataConfig,
    NotNegative,
    Section,
    Share,
    one_of,
)

#: The value of `model.init_from` for the bundled model `small`, if it has the configured encoder.
AUTO = Path("auto")


class NetworkConfig(Section):
    """Configure the network."""

    encoder: str = Field(
        default="sentence-transformers/all-MiniLM-L6-v2",
        description="Hugging Face name or folder of the encoder. If `init_from` names a model, which has an "
        "encoder of its own, a name given here is not fetched from the hub.",
    )
    init_from: Path | None = Field(
        default=None,
        description="The model whose weights training starts from: a folder of a model with the same "
        "encoder, or `small` or `base`, the bundled ones. Heads with other labels start with new weights "
        "(`training.trainable_tasks` refuses them). `auto`: `small` if it has this "
        "encoder, else null. null: the pretrained encoder.",
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


class TrainingConfig(Section):
    """Configure the training of the network."""

    epochs: float = Field(default=3, gt=0, description="Number of passes over the train rows.")
    tokens_per_batch: int = Field(
        default=2048, ge=16, description="Tokens of a batch, padding included."
    )
    batches_per_step: int = Field(
        default=1,
        ge=1,
        description="Batches per optimizer step, in each process; their gradients are averaged.",
    )
    trainable_tasks: Annotated[list[str] | None, one_of("task", TASKS)] = Field(
        default=None,
        min_length=1,
        description="Tasks whose heads are trained; the encoder and all other heads of `model.init_from` "
        "stay frozen, and `model.encoder` is ignored. If that model has only int8 files, "
        "training stance keeps them unchanged and reads their output, and training other heads rounds them once more. "
        "Every epoch shows the same windows, in another order, so that the frozen encoder runs once; during "
        "training, its output takes disk space (twice the hidden size in bytes per token). "
        "null: everything is trained.",
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
    max_grad_norm: float = Field(
        default=1.0, gt=0, description="Norm at which gradients are clipped."
    )
    seed: int = Field(default=13, ge=0, description="Seed of weights, order and dropout.")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        default="float32",
        description="Precision of the computation; auto: the one in which this machine multiplies matrices faster, "
        "measured at the start, so that two machines may train different weights; bfloat16: float32, with a warning, "
        "on a device without it.",
    )
    evaluations_per_epoch: int = Field(
        default=1,
        ge=0,
        description="Number of evaluations on dev per epoch; 0: none, and the last weights are kept.",
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="Evaluations without improvement after which training stops; 0: never.",
    )
    metric: str = Field(
        default="mean",
        min_length=1,
        description="The dev score that selects the best weights.",
    )
    class_weight_power: Annotated[dict[str, Share], one_of("task", LABEL_TASKS)] = Field(
        default={},
        description="Task → p: the weight of a class is its inverse frequency to the power p; 0: equal "
        "weights.",
    )
    loss_weights: Annotated[
        dict[str, NotNegative], one_of("task", (*TASKS, "link", *OPINION_HEADS))
    ] = Field(default={}, description="Task → weight of its loss; 1 where absent.")
    corpus_weights: dict[str, NotNegative] = Field(
        default={},
        description="Corpus → weight of its labels in the loss; 1 where absent.",
    )
    distillation_weight: Share = Field(
        default=0.5,
        description="Weight of soft labels (from teachers or annotators) in the loss of rows that also "
        "have a label.",
    )
    context_share: Share = Field(
        default=0.5,
        description="Share of the single sentences that are shown beside other sentences.",
    )
    isolated_share: Share = Field(
        default=0.1,
        description="Share of articles' sentences that are shown without their context.",
    )
    topic_share: Share = Field(
        default=0.1,
        description="Share of stances toward a mention that are also learned with the mention as a topic.",
    )
    unstated_topic_share: Share = Field(
        default=1,
        description="Share of the topics of an article on which a sentence takes no stance that are queried all the "
        "same (`exhaustive_stances`).",
    )
    init_share: Share = Field(
        default=0,
        description="Share of the weights of `model.init_from` in the final weights, which are the mean of both. The "
        "model then keeps more of what it could do before.",
    )
    exhaustive_stances: list[str] = Field(
        default=[],
        description="Corpora whose rows list every stance that the sentence expresses, such as polnear-stance. Their "
        "stances also teach where holders and targets stand, so that the model finds them itself.",
    )
    name_swap_share: Share = Field(
        default=0,
        description="Share of the documents of `exhaustive_stances` whose names are replaced by others of their kind, "
        "anew in every epoch, so that the model reads instead of remembering who dislikes whom.",
    )
    joined: dict[str, Share] = Field(
        default={},
        description="Corpus → share of rows to augment: rows without an article in which somebody takes a"
        " side toward a mention. Each is shown once more, joined with another row into one "
        "sentence; nobody in one half has a stance toward the other half. 0 where absent.",
    )
    unsaid: dict[str, Share] = Field(
        default={},
        description="Corpus → share of rows to augment: rows without an article in which somebody named "
        "takes a side toward a mention. Each is shown once more after words that take the "
        "stance back, such as 'It is unclear whether'. 0 where absent.",
    )
    beside: dict[str, Share] = Field(
        default={},
        description="Corpus → share of rows to augment: rows without an article in which somebody named "
        "takes a side toward a mention. Each is shown once more with a bystander from another"
        " row. 0 where absent.",
    )
    quoted: dict[str, Share] = Field(
        default={},
        description="Corpus → share of rows to augment: rows without an article whose stances toward "
        "mentions have no holder, and that show no sign of anybody else's name or words. Each"
        " is shown once more as the words of somebody from another row, who then holds the "
        "stance. 0 where absent.",
    )
    negated: dict[str, Share] = Field(
        default={},
        description="Corpus → share of rows to augment: rows without an article in which somebody named "
        "takes a side toward a mention. Each is shown once more with a *not* after their "
        "name, if the next word allows one (*has*, *will*, *criticized*); they then take no "
        "side. 0 where absent.",
    )
    no_stance: str = Field(
        default="neutral",
        min_length=1,
        description="Label that means no stance, for `exhaustive_stances`, `joined`, `unsaid`, "
        "`beside`, `quoted` and `negated`.",
    )
    threads: int | None = Field(
        default=None, ge=1, description="Processor threads; null: PyTorch decides."
    )
    sampling: dict[str, Share] = Field(
        default={},
        description="Corpus → share of its rows in an epoch; 1 where absent. The shares of `joined` and "
        "the other augmentations refer to all its rows.",
    )


class CardConfig(Section):
    """Configure the parts of the model card that nothing else determines."""

    license: str = Field(
        default="unknown",
        min_length=1,
        description="Licence of the model, by its name on the Hugging Face hub: mit, cc-by-4.0 and so on."
        " Consider the licences of the data, too.",
    )
    language: str | None = Field(
        default=None,
        description="Language of the texts, such as en; null: the codebook's, if it states one.",
    )


class ExportConfig(Section):
    """Configure the exported files."""

    precision: Literal["int8", "int8-compact", "float32"] = Field(
        default="int8",
        description="Number format of the weights. `int8-compact` has coarser steps and compresses better; "
        "it is rounded with train sentences, which keeps most of the accuracy.",
    )
    largest_file: int | None = Field(
        default=None,
        ge=1,
        description="Size in megabytes from which the encoder is divided into several files; null: one file.",
    )


class Config(Section):
    """Configure a run: its data, network, training, exported files and model card."""

    name: str = Field(
        default="claimstance",
        min_length=1,
        description="Name of the model, which results state.",
    )
    version: str = Field(
        default="1",
        min_length=1,
        description="Version of the model, which results state; in quotation marks, since YAML reads 1.10 as 1.1.",
    )
    output: Path = Field(description="Folder of the trained model.")
    data: DataConfig = Field(description="The dataset.")
    model: NetworkConfig = Field(default=NetworkConfig(), description="The network.")
    training: TrainingConfig = Field(default=TrainingConfig(), description="The training.")
    export: ExportConfig = Field(default=ExportConfig(), description="The exported files.")
    card: CardConfig = Field(default=CardConfig(), description="The model card.")

    @model_validator(mode="after")
    def _check_init_share(self) -> "Config":
        if self.training.init_share and self.model.init_from is None:
            raise ValueError(
                "training.init_share: expected a model.init_from, whose weights are averaged with the trained ones"
            )
        return self

    @model_validator(mode="after")
    def _check_trainable_tasks(self) -> "Config":
        if self.training.trainable_tasks and self.model.init_from is None:
            raise ValueError(
                "training.trainable_tasks: expected a model.init_from, whose encoder and other heads stay frozen"
            )
        if self.training.trainable_tasks and self.model.tasks:
            raise ValueError(
                "model.tasks: expected none beside training.trainable_tasks: the model keeps the tasks "
                "of model.init_from"
            )
        return self

    def to_yaml(self) -> str:
        """Return the configuration with every default as YAML, which ``load_config`` reads back."""
        return str(
            yaml.safe_dump(
                self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120
            )
        )
