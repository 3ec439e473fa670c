"""The network: one encoder pass over a window, and heads that read everything from it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from claimstance.model.config import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, ModelConfig
from claimstance.model.errors import ConfigError, ModelError
from claimstance.model.heads import LinkHead, SentenceHead, StanceHead, TokenHead
from claimstance.model.io import encoders
from claimstance.model.labels import OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.import_weights import load_onnx_weights
from claimstance.model.windows import WindowBuilder

IGNORE_INDEX = -100  # the label of tokens, sentences and pairs that the loss skips


@dataclass
class Batch:
    """Represent padded windows with their queries, and labels in training (``None`` otherwise).

    A ``…_soft`` label holds a teacher's probabilities over C labels, all zeros where no teacher answered.

    Shapes: B windows, T tokens, S sentences, P holder–target pairs, L cue–span pairs, C labels. Spans are
    rows ``(window, start, end)``.
    """

    input_ids: Tensor  # (B, T)
    attention_mask: Tensor  # (B, T)
    segments: Tensor  # (B, T)
    sentences: Tensor  # (S, 3)
    holders: Tensor  # (P, 3)
    targets: Tensor  # (P, 3)
    pair_sentences: Tensor  # (P, 3)
    cues: Tensor  # (L, 3)
    linked: Tensor  # (L, 3)
    hidden: Tensor | None = None  # (B, T, H), the output of a frozen encoder
    attribution: Tensor | None = None  # (B, T)
    entity: Tensor | None = None  # (B, T)
    opinion_holder: Tensor | None = None  # (B, T)
    opinion_target: Tensor | None = None  # (B, T)
    claim: Tensor | None = None  # (S,)
    check_worthy: Tensor | None = None  # (S,)
    subjective: Tensor | None = None  # (S,)
    stance: Tensor | None = None  # (P, C), the share of each label
    link: Tensor | None = None  # (L, 2): 1, 0 or IGNORE_INDEX, as source and as content
    stance_weight: Tensor | None = None  # (P,)
    claim_weight: Tensor | None = None  # (S,)
    check_worthy_weight: Tensor | None = None  # (S,)
    subjective_weight: Tensor | None = None  # (S,)
    attribution_soft: Tensor | None = None  # (B, T, C)
    opinion_holder_soft: Tensor | None = None  # (B, T, C)
    opinion_target_soft: Tensor | None = None  # (B, T, C)
    claim_soft: Tensor | None = None  # (S, C)
    check_worthy_soft: Tensor | None = None  # (S, C)
    subjective_soft: Tensor | None = None  # (S, C)

    def as_dict(self) -> dict[str, Tensor]:
        """Return name → tensor, without fields that are ``None``."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: tensor for name, tensor in tensors.items() if tensor is not None}


class ClaimStanceModel(nn.Module):
    """Combine an encoder with a head for each of ``config.tasks``."""

    def __init__(self, config: ModelConfig, encoder: Any, tokenizer_json: str) -> None:
        super().__init__()
        self.config = config
        self.tokenizer_json = tokenizer_json
        self.encoder = encoder
        self.loss_weights: dict[str, float] = {}
        self.distillation_weight = 0.5  # share of soft labels in the loss where a label exists, too
        self.heads = nn.ModuleDict()
        size, dropout = config.hidden_size, config.dropout
        for task in config.tasks:
            if task == "attribution":
                self.heads[task] = TokenHead(size, len(bio(ROLES)), dropout)
                self.heads["link"] = LinkHead(size, dropout)
            elif task == "entity":
                self.heads[task] = TokenHead(size, len(bio(config.labels[task])), dropout)
            elif task == "stance":
                self.heads[task] = StanceHead(size, len(config.labels[task]), dropout)
                for name in config.opinion_heads:
                    tags = bio((OPINION_HEADS[name],))
                    self.heads[name] = TokenHead(size, len(tags), dropout)
            else:
                self.heads[task] = SentenceHead(size, len(config.labels[task]), dropout)

    def freeze_except(self, tasks: Collection[str], dropout: float) -> None:
        """Train only the heads of ``tasks`` from now on, with this dropout."""
        self.config = replace(self.config, dropout=dropout)
        trainable = set(tasks)
        if "attribution" in trainable:
            trainable.add("link")
        self.encoder.requires_grad_(False)
        for name, head in self.heads.items():
            head.requires_grad_(name in trainable)
            for module in head.modules():
                if isinstance(module, nn.Dropout):
                    module.p = dropout

    def train(self, mode: bool = True) -> "ClaimStanceModel":
        """Set training mode; frozen modules stay in evaluation mode, without dropout."""
        super().train(mode)
        for module in (self.encoder, *self.heads.values()):
            if not any(weight.requires_grad for weight in module.parameters()):
                module.eval()
        return self

    @property
    def windows(self) -> WindowBuilder:
        """Return a builder of this model's windows."""
        return WindowBuilder.from_json(self.tokenizer_json, self.config.max_tokens)

    def encode(self, input_ids: Tensor, attention_mask: Tensor, segments: Tensor) -> Tensor:
        """Return the encoder's last layer: (B, T) three times → (B, T, H)."""
        # Encoders without segments (RoBERTa, MPNet) recognize a topic by its separator alone.
        has_segments = self.config.encoder.get("type_vocab_size", 0) > 1
        extra = {"token_type_ids": segments} if has_segments else {}
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)
        hidden: Tensor = output.last_hidden_state
        return hidden

    def forward(self, **tensors: Tensor) -> dict[str, Tensor]:
        """Return the logits of every head; with labels, also ``loss`` and the losses that it sums.

        Args:
            **tensors: the fields of ``Batch``.
        """
        batch = Batch(**tensors)
        hidden = batch.hidden  # (B, T, H)
        if hidden is None:
            hidden = self.encode(batch.input_ids, batch.attention_mask, batch.segments)
        logits: dict[str, Tensor] = {}
        for task, head in self.heads.items():
            if isinstance(head, TokenHead):
                logits[task] = head(hidden)
            elif task in SENTENCE_TASKS:
                logits[task] = head(hidden, batch.sentences)
            elif task == "stance":
                logits[task] = head(hidden, batch.holders, batch.targets, batch.pair_sentences)
            else:
                logits[task] = head(hidden, batch.cues, batch.linked)

        losses: dict[str, Tensor] = {}
        for task, task_logits in logits.items():
            loss = _loss(task, task_logits, batch, self.distillation_weight)
            if loss is not None:
                losses[task] = loss
        if not losses:
            return logits
        weighted = [self.loss_weights.get(task, 1.0) * loss for task, loss in losses.items()]
        output = {"loss": torch.stack(weighted).sum()}
        for task, loss in losses.items():
            output[f"loss_{task}"] = loss.detach()
        return {**output, **logits}

    def save_pretrained(self, folder: Path | str) -> None:
        """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save(folder)
        (folder / TOKENIZER_FILE).write_text(self.tokenizer_json, encoding="utf-8")
        weights = {
            name: weight.detach().cpu().contiguous() for name, weight in self.state_dict().items()
        }
        save_file(weights, folder / WEIGHTS_FILE)

    @classmethod
    def from_pretrained(
        cls, folder: Path | str, attention: str | None = None
    ) -> "ClaimStanceModel":
        """Load a model folder, in evaluation mode.

        A folder without ``model.safetensors`` (the bundled model) is loaded from its ONNX files.

        Args:
            folder: the folder that ``save_pretrained`` or an export wrote.
            attention: transformers' ``attn_implementation``; its fastest if ``None``.

        Raises:
            ModelError: naming the file that is missing, damaged, or does not fit the configuration.
        """
        folder = Path(folder)
        config = ModelConfig.load(folder)
        try:
            tokenizer_json = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
            if (folder / WEIGHTS_FILE).exists():
                weights = load_file(folder / WEIGHTS_FILE)
            else:
                weights = load_onnx_weights(folder)
        except (OSError, UnicodeDecodeError, SafetensorError) as error:
            raise ModelError(f"{folder}: expected a whole model folder: {error}") from None
        try:
            model = cls(config, encoders.from_config(config.encoder, attention), tokenizer_json)
            model.load_state_dict(weights)
        except Exception as error:  # transformers and torch check a configuration only by using it
            raise ModelError(
                f"{folder}: expected weights and a {CONFIG_FILE} that fit each other, found {error}"
            ) from None
        return model.eval()

    @classmethod
    def from_encoder(cls, name: str, config: dict[str, Any]) -> "ClaimStanceModel":
        """Build a model from a pretrained encoder, with new heads.

        Args:
            name: folder or hub name of the encoder.
            config: the fields of ``ModelConfig`` other than ``encoder``.

        Raises:
            ConfigError: if the encoder cannot be loaded, or its windows are shorter than ``max_tokens``.
        """
        encoder, tokenizer_json = encoders.load_pretrained(name)
        _check_max_tokens(encoder, name, config)
        model_config = ModelConfig(encoder=encoders.config_dict(encoder), **config)
        return cls(model_config, encoder, tokenizer_json)

    @classmethod
    def with_encoder_of(
        cls, source: "ClaimStanceModel", config: dict[str, Any]
    ) -> "ClaimStanceModel":
        """Build a model with the encoder of another one, and with its heads where they have the same labels.

        Args:
            source: the other model; the two share the encoder's weights in memory.
            config: the fields of ``ModelConfig`` other than ``encoder``.

        Raises:
            ConfigError: if the windows of the encoder are shorter than ``max_tokens``.
        """
        _check_max_tokens(source.encoder, source.config.name, config)
        model_config = ModelConfig(encoder=source.config.encoder, **config)
        model = cls(model_config, source.encoder, source.tokenizer_json)
        model.load_state_dict({**model.state_dict(), **model._shared_weights(source)})
        return model

    def has_encoder_of(self, model: "ClaimStanceModel") -> bool:
        """Return whether ``model`` has an encoder of this one's shape and vocabulary."""
        same_tokenizer = model.tokenizer_json == self.tokenizer_json
        return same_tokenizer and model.config.encoder == self.config.encoder

    def average_with(self, source: "ClaimStanceModel", share: float) -> None:
        """Replace the weights by a mean, in which those of ``source`` count ``share``.

        Heads that ``source`` lacks, or whose labels differ, stay as they are. The mean of a model and its
        fine-tuned copy often does better on new data than either (WiSE-FT, Wortsman et al. 2022).

        Args:
            source: the model that training began with.
            share: the weight of its weights, from 0 to 1.
        """
        weights = self.state_dict()
        for name, weight in self._shared_weights(source).items():
            weights[name] = torch.lerp(weights[name], weight.to(weights[name]), share)
        self.load_state_dict(weights)

    def _shared_weights(self, source: "ClaimStanceModel") -> dict[str, Tensor]:
        """Return the weights of ``source`` that this model has, too: the encoder, and heads with the same labels."""
        # "link" has no labels of its own: it is shared along with "attribution".
        shared_heads = set()
        for task in self.heads:
            if source.config.labels.get(task) == self.config.labels.get(task):
                shared_heads.add(task)
        shared = {}
        for name, weight in source.state_dict().items():
            module, submodule, *_ = name.split(".")
            if module == "encoder" or submodule in shared_heads:
                shared[name] = weight
        return shared


def _loss(task: str, logits: Tensor, batch: Batch, distillation_weight: float) -> Tensor | None:
    """Return the weighted mean loss of ``task``, or ``None`` if the batch has no labels for it.

    The function never branches on a tensor's value (no ``.item()``), which would make a GPU wait.
    """
    labels = getattr(batch, task)
    if labels is None:
        return None
    logits = logits.float()
    if task == "link":
        return _link_loss(logits, labels)

    logits = logits.flatten(0, -2)  # (N, C)
    if task == "stance":
        # The labels of a pair are probabilities.
        labels = labels.reshape(logits.shape)
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        has_label = torch.ones_like(losses, dtype=torch.bool)
    else:
        labels = labels.flatten()  # (N,)
        losses = nn.functional.cross_entropy(
            logits, labels, ignore_index=IGNORE_INDEX, reduction="none"
        )
        has_label = labels != IGNORE_INDEX

    soft_labels = getattr(batch, f"{task}_soft", None)
    if soft_labels is not None:
        soft_labels = soft_labels.flatten(0, -2)  # (N, C)
        has_teacher = soft_labels.sum(dim=-1) > 0
        # Items without a label have the teacher's loss alone.
        share = torch.where(
            has_label & has_teacher, distillation_weight, has_teacher.to(losses.dtype)
        )
        soft_losses = nn.functional.cross_entropy(logits, soft_labels, reduction="none")
        losses = (1 - share) * losses + share * soft_losses
        has_label = has_label | has_teacher

    weights = has_label.to(losses.dtype)
    label_weights = getattr(batch, f"{task}_weight", None)
    if label_weights is not None:
        weights = weights * label_weights
    return _weighted_mean(losses, weights)


def _link_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean loss of links: logits (L, 2), labels (L, 2) of 1, 0 or ``IGNORE_INDEX``."""
    has_label = labels != IGNORE_INDEX
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits, has_label * labels.float(), reduction="none"
    )
    return _weighted_mean(losses, has_label.to(losses.dtype))


def _check_max_tokens(encoder: nn.Module, name: str, config: Mapping[str, Any]) -> None:
    """Raise ``ConfigError`` if the windows of an encoder are shorter than ``max_tokens``."""
    max_tokens = config.get("max_tokens", ModelConfig.max_tokens)
    limit = encoders.max_position_embeddings(encoder)
    if limit is not None and max_tokens > limit:
        raise ConfigError(
            f"model.max_tokens: expected at most {limit}, the length of encoder '{name}', "
            f"found {max_tokens}"
        )


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)
