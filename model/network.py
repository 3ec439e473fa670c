"""The network: one encoder pass over a window, and heads that read everything from it."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from claimstance.model import encoder as encoders
from claimstance.model.config import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, ModelConfig
from claimstance.model.errors import ConfigError, ModelError
from claimstance.model.heads import LinkHead, SentenceHead, StanceHead, TokenHead, of_today
from claimstance.model.labels import ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.import_weights import exported_weights
from claimstance.model.windows import WindowBuilder

IGNORE = -100  # a label that no loss looks at


@dataclass
class Batch:
    """Padded windows and what is asked of them; labels are ``None`` outside training.

    A ``…_soft`` label is a teacher's probabilities (C labels), all zeros where it said nothing.

    B windows, T tokens, S sentences, P holder–target pairs, L cue–span pairs. Spans are ``(window, start, end)``.
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
    attribution: Tensor | None = None  # (B, T)
    entity: Tensor | None = None  # (B, T)
    claim: Tensor | None = None  # (S,)
    check_worthy: Tensor | None = None  # (S,)
    subjective: Tensor | None = None  # (S,)
    stance: Tensor | None = None  # (P, C): the share of each label
    link: Tensor | None = None  # (L, 2); 1, 0 or IGNORE: as source, as content
    stance_weight: Tensor | None = None  # (P,)
    claim_weight: Tensor | None = None  # (S,)
    check_worthy_weight: Tensor | None = None  # (S,)
    subjective_weight: Tensor | None = None  # (S,)
    attribution_soft: Tensor | None = None  # (B, T, C)
    claim_soft: Tensor | None = None  # (S, C)
    check_worthy_soft: Tensor | None = None  # (S, C)
    subjective_soft: Tensor | None = None  # (S, C)

    def as_dict(self) -> dict[str, Tensor]:
        """The tensors that are there, by name."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


class ClaimStanceModel(nn.Module):
    """An encoder with the heads of ``config.tasks``."""

    def __init__(self, config: ModelConfig, encoder: Any, tokenizer_json: str) -> None:
        super().__init__()
        self.config = config
        self.tokenizer_json = tokenizer_json
        self.encoder = encoder
        self.loss_weights: dict[str, float] = {}
        self.soft_share = 0.5  # of a teacher's word, where there is a label too
        size, dropout = config.hidden_size, config.dropout
        heads: dict[str, nn.Module] = {}
        for task in config.tasks:
            if task == "attribution":
                heads[task] = TokenHead(size, len(bio(ROLES)), dropout)
                heads["link"] = LinkHead(size, dropout)
            elif task == "entity":
                heads[task] = TokenHead(size, len(bio(config.labels[task])), dropout)
            elif task == "stance":
                heads[task] = StanceHead(size, len(config.labels[task]), dropout)
            else:
                heads[task] = SentenceHead(size, len(config.labels[task]), dropout)
        self.heads = nn.ModuleDict(heads)

    def learn_only(self, tasks: Collection[str], dropout: float) -> None:
        """From now on train the heads of ``tasks`` alone, with this dropout; the encoder and other heads stay as is."""
        self.config = replace(self.config, dropout=dropout)
        learned = {*tasks, *(["link"] if "attribution" in tasks else [])}
        self.encoder.requires_grad_(False)
        for name, head in self.heads.items():
            head.requires_grad_(name in learned)
            for part in head.modules():
                if isinstance(part, nn.Dropout):
                    part.p = dropout

    def train(self, mode: bool = True) -> "ClaimStanceModel":
        """As of every module; but what is not trained stays in evaluation mode, without dropout."""
        super().train(mode)
        for part in (self.encoder, *self.heads.values()):
            if not any(weight.requires_grad for weight in part.parameters()):
                part.eval()
        return self

    @property
    def windows(self) -> WindowBuilder:
        """A builder of this model's windows."""
        return WindowBuilder.from_json(self.tokenizer_json, self.config.max_tokens)

    def encode(self, input_ids: Tensor, attention_mask: Tensor, segments: Tensor) -> Tensor:
        """The encoder's last layer: (B, T) three times → (B, T, H)."""
        # Encoders without segments (RoBERTa, MPNet) tell a topic by its separator alone.
        extra = (
            {"token_type_ids": segments}
            if self.config.encoder.get("type_vocab_size", 0) > 1
            else {}
        )
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)
        hidden: Tensor = output.last_hidden_state
        return hidden

    def forward(self, **tensors: Tensor) -> dict[str, Tensor]:
        """Logits of every task that ``Batch`` asks for; with labels, also ``loss`` and the losses it sums."""
        batch = Batch(**tensors)
        hidden = self.encode(batch.input_ids, batch.attention_mask, batch.segments)
        logits: dict[str, Tensor] = {}
        for task, head in self.heads.items():
            if task in ("attribution", "entity"):
                logits[task] = head(hidden)
            elif task in SENTENCE_TASKS:
                logits[task] = head(hidden, batch.sentences)
            elif task == "stance":
                logits[task] = head(hidden, batch.holders, batch.targets, batch.pair_sentences)
            else:
                logits[task] = head(hidden, batch.cues, batch.linked)
        if all(getattr(batch, task) is None for task in logits):
            return logits
        found = {task: _loss(task, value, batch, self.soft_share) for task, value in logits.items()}
        losses = {task: loss for task, loss in found.items() if loss is not None}
        total = torch.stack(
            [self.loss_weights.get(task, 1.0) * loss for task, loss in losses.items()]
        ).sum()
        return {
            "loss": total,
            **{f"loss_{task}": loss.detach() for task, loss in losses.items()},
            **logits,
        }

    def save_pretrained(self, folder: Path | str) -> None:
        """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.config.save(folder)
        (folder / TOKENIZER_FILE).write_text(self.tokenizer_json, encoding="utf-8")
        weights = {
            name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()
        }
        save_file(weights, folder / WEIGHTS_FILE)

    @classmethod
    def from_pretrained(
        cls, folder: Path | str, attention: str | None = None
    ) -> "ClaimStanceModel":
        """Load what ``save_pretrained`` wrote, in evaluation mode; of a folder without weights, what it exports.

        Raises:
            ModelError: naming the file that is missing, damaged, or does not fit the configuration.
        """
        folder = Path(folder)
        config = ModelConfig.load(folder)
        try:
            tokenizer_json = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
            exact = (folder / WEIGHTS_FILE).exists()
            weights = load_file(folder / WEIGHTS_FILE) if exact else exported_weights(folder)
        except (OSError, UnicodeDecodeError, SafetensorError) as error:
            raise ModelError(f"{folder}: expected a whole model folder: {error}") from None
        try:
            model = cls(config, encoders.from_config(config.encoder, attention), tokenizer_json)
            model.load_state_dict(of_today(weights, model.state_dict()))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"{folder}: expected weights and a {CONFIG_FILE} that fit each other, found {error}"
            ) from None
        return model.eval()

    @classmethod
    def from_encoder(cls, name: str, config: dict[str, Any]) -> "ClaimStanceModel":
        """A model with a pretrained encoder and new heads; ``config`` holds the other fields of ``ModelConfig``.

        Raises:
            ConfigError: if there is no such encoder, or its windows are shorter than ``max_tokens``.
        """
        encoder, tokenizer_json = encoders.load_pretrained(name)
        wanted, room = config.get("max_tokens", ModelConfig.max_tokens), encoders.positions(encoder)
        if room is not None and wanted > room:
            raise ConfigError(
                f"model.max_tokens: expected at most {room}, the length of encoder '{name}', "
                f"found {wanted}"
            )
        return cls(
            ModelConfig(encoder=encoders.describe(encoder), **config), encoder, tokenizer_json
        )

    def has_encoder_of(self, other: "ClaimStanceModel") -> bool:
        """Tell whether another model has an encoder of this one's shape and vocabulary."""
        return (
            other.tokenizer_json == self.tokenizer_json
            and other.config.encoder == self.config.encoder
        )

    def start_from(self, earlier: "ClaimStanceModel") -> None:
        """Take over the weights of another model of this shape, but for heads that it lacks or whose labels differ.

        Raises:
            ConfigError: if the other model's encoder or vocabulary is another.
        """
        if not self.has_encoder_of(earlier):
            raise ConfigError(
                "model.start: expected a model with the encoder of this one, found another "
                "(model.start=null begins with the encoder alone)"
            )
        other = {
            task
            for task in self.heads
            if earlier.config.labels.get(task) != self.config.labels.get(task)
        }
        taken = {
            name: value
            for name, value in earlier.state_dict().items()
            if name.startswith("encoder.") or (name.split(".")[1] in self.heads.keys() - other)
        }
        self.load_state_dict({**self.state_dict(), **taken})


def _loss(task: str, logits: Tensor, batch: Batch, soft_share: float) -> Tensor | None:
    """The mean loss over the labels of ``task`` in a batch, 0 if none counts; ``None`` if it has no such field.

    Nothing here looks at a value: on a GPU that would wait for all that it was told to do before.
    """
    labels, soft = getattr(batch, task), getattr(batch, f"{task}_soft", None)
    if labels is None:
        return None
    logits = logits.float()
    if task == "link":
        known = labels != IGNORE
        each = nn.functional.binary_cross_entropy_with_logits(
            logits, known * labels.float(), reduction="none"
        )
        return _mean(each, known.to(each.dtype))
    flat = logits.flatten(0, -2)
    if task == "stance":
        each = nn.functional.cross_entropy(flat, labels.reshape(flat.shape), reduction="none")
        known = torch.ones_like(each, dtype=torch.bool)
    else:
        each = nn.functional.cross_entropy(
            flat, labels.flatten(), ignore_index=IGNORE, reduction="none"
        )
        known = labels.flatten() != IGNORE
    if soft is not None:
        soft = soft.flatten(0, -2)
        taught = soft.sum(dim=-1) > 0
        share = torch.where(known & taught, soft_share, taught.to(each.dtype))
        each = (1 - share) * each + share * nn.functional.cross_entropy(
            flat, soft, reduction="none"
        )
        known = known | taught
    weights = known.to(each.dtype)
    if (given := getattr(batch, f"{task}_weight", None)) is not None:
        weights = weights * given
    return _mean(each, weights)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)
