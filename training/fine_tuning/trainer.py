"""The ``Trainer`` of transformers with this project's batches, learning rates and dev scores."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from transformers import Trainer, TrainerCallback, TrainerState

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import OPINION_HEADS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.record import Record
from claimstance.model.torch_backend import torch_predictor
from claimstance.model.windows import Window
from claimstance.training.config import TrainingConfig
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.scoring import evaluate, primary_scores
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS, Augmenter
from claimstance.training.fine_tuning.augmentation.name_swaps import DocumentSwapper
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import (
    EpochSampler,
    LabelledWindow,
    SamplingConfig,
)
from claimstance.training.fine_tuning.examples import Example, build_examples
from claimstance.training.fine_tuning.feature_cache import FeatureCache

log = logging.getLogger(__name__)
#: Steps after which `LogProgress` starts its clock: the first ones choose kernels and allocate memory, and take longer.
WARM_UP_STEPS = 3
#: Steps after which it estimates the time of the whole run.
ESTIMATE_STEPS = 10


class BatchSchedule(Dataset[list[LabelledWindow]]):
    """List the batches of a whole run, epoch after epoch; item i is batch i."""

    def __init__(self, sampler: EpochSampler, epochs: float) -> None:
        self._sampler = sampler
        # A run reads one epoch after another, so that the last one is enough.
        self._epoch = lru_cache(maxsize=1)(sampler.epoch)
        self._ends: list[int] = []  # batches up to the end of each epoch
        end = 0
        for number in range(math.ceil(epochs)):
            count = len(self._epoch(number))
            end += math.ceil(count * min(1.0, epochs - number))
            self._ends.append(end)

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def first_windows(self) -> list[Window]:
        """Return the windows of the first epoch."""
        return [labelled.window for labelled in self._sampler.first_windows]

    @property
    def batches_in_first_epoch(self) -> int:
        """Return the number of batches in the first epoch."""
        return self._ends[0]

    def __getitem__(self, index: int) -> list[LabelledWindow]:
        number = 0
        while index >= self._ends[number]:
            number += 1
        start = self._ends[number - 1] if number else 0
        return self._epoch(number)[index - start]


def build_schedule(
    model: ClaimStanceModel,
    records: Sequence[Record],
    tasks: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    soft_labels: Mapping[str, SoftLabels],
    settings: TrainingConfig,
    same_windows: bool,
) -> BatchSchedule:
    """Return the batches of the whole run.

    Args:
        model: the network, whose tokenizer and window length are used.
        records: the train records.
        tasks: the tasks to learn.
        labels: task → label names.
        soft_labels: record id → task → probabilities of teachers.
        settings: the training section of the configuration.
        same_windows: show the same windows in every epoch, in another order.

    Raises:
        ConfigError: if augmentation needs stances or a label that the data does not have.
        InputError: if no sentence has labels of one of the tasks.
    """
    windows = model.windows
    heads = set(tasks)
    if "stance" in tasks:
        heads.update(OPINION_HEADS)
    # Teachers may have labelled tasks that this run does not train.
    head_soft_labels: dict[str, SoftLabels] = {}
    for record_id, by_head in soft_labels.items():
        head_soft_labels[record_id] = {
            head: probabilities for head, probabilities in by_head.items() if head in heads
        }

    def examples_of(rows: Sequence[Record]) -> list[list[Example]]:
        documents = build_examples(
            rows,
            windows,
            labels,
            class_weight_power=settings.class_weight_power,
            corpus_weights=settings.corpus_weights,
            soft=head_soft_labels,
            distillation_weight=settings.distillation_weight,
            exhaustive_stances=settings.exhaustive_stances,
            no_stance=settings.no_stance,
        )
        return [
            document
            for document in documents
            if any(example.has_labels_of(tasks) for example in document)
        ]

    constant: list[Record] = []
    swappable: list[Record] = []
    for record in records:
        is_article = record.doc_id is not None
        is_exhaustive = record.meta.get("corpus") in settings.exhaustive_stances
        if settings.name_swap_share and is_article and is_exhaustive:
            swappable.append(record)
        else:
            constant.append(record)
    swapper = DocumentSwapper(swappable, settings.name_swap_share, settings.seed)

    augmentation = {method: getattr(settings, method) for method in METHODS}
    augmenter = None
    if any(augmentation.values()):
        stance_labels = labels.get("stance", ())
        if not stance_labels:
            raise ConfigError(
                f"training.{', '.join(METHODS)}: expected stances to learn, found none"
            )
        if settings.no_stance not in stance_labels:
            raise ConfigError(
                f"training.no_stance: {unknown('label', settings.no_stance, stance_labels)}"
            )
        no_stance = tuple(float(label == settings.no_stance) for label in stance_labels)
        augmenter = Augmenter(windows, no_stance)

    sampling = SamplingConfig(
        tokens_per_batch=settings.tokens_per_batch,
        context_share=settings.context_share,
        isolated_share=settings.isolated_share,
        topic_share=settings.topic_share,
        unstated_topic_share=settings.unstated_topic_share,
        augmentation=augmentation,
        corpus_shares=settings.sampling,
        same_windows=same_windows,
        seed=settings.seed,
    )
    sampler = EpochSampler(
        examples_of(constant),
        windows,
        sampling,
        augmenter,
        # Names are replaced anew in every epoch, so these documents are built for each of them.
        lambda epoch: examples_of(swapper.records_of_epoch(epoch)),
    )
    schedule = BatchSchedule(sampler, settings.epochs)
    if not len(schedule):
        raise InputError(
            "the train split: expected sentences to learn from, found none (see training.sampling)"
        )
    return schedule


class ClaimStanceTrainer(Trainer):
    """Train on the batches of a schedule, and score the dev records with this project's metrics."""

    def __init__(
        self,
        *,
        settings: TrainingConfig,
        schedule: BatchSchedule,
        dev: Sequence[Record],
        **options: Any,
    ) -> None:
        eval_dataset = cast(Any, list(dev) or None)
        super().__init__(train_dataset=schedule, eval_dataset=eval_dataset, **options)
        self._settings = settings
        self._schedule = schedule
        self._dev = dev
        #: The output of the encoder, if it is frozen; else the encoder runs.
        self.features: FeatureCache | None = None

    @property
    def network(self) -> ClaimStanceModel:
        """Return the model with its type."""
        return cast(ClaimStanceModel, self.model)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return a loader in the order of the schedule; each rank gets every ``world_size``-th batch."""
        pad, world_size = self.network.windows.pad, self.args.world_size
        # The last step must have a batch for every rank: the others would wait for it.
        end = self.args.max_steps * self.args.gradient_accumulation_steps * world_size
        rank_batches = Subset(self._schedule, range(self.args.process_index, end, world_size))

        def tensors_of(batches: Sequence[list[LabelledWindow]]) -> dict[str, Tensor]:
            [batch] = batches
            tensors = collate(batch, pad)
            if self.features is not None:
                tensors["hidden"] = self.features.hidden([labelled.window for labelled in batch])
            return tensors

        return DataLoader(rank_batches, batch_size=1, collate_fn=tensors_of)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return AdamW with a higher learning rate for heads; biases and norms do not decay."""
        if self.optimizer is None:
            groups = []
            for prefix, learning_rate in (
                ("encoder.", self._settings.learning_rate),
                ("heads.", self._settings.head_learning_rate),
            ):
                matrices: list[torch.nn.Parameter] = []
                vectors: list[torch.nn.Parameter] = []
                for name, weight in self.network.named_parameters():
                    if not name.startswith(prefix) or not weight.requires_grad:
                        continue
                    if weight.ndim > 1:
                        matrices.append(weight)
                    else:
                        vectors.append(weight)
                decay = self._settings.weight_decay
                groups.append({"params": matrices, "lr": learning_rate, "weight_decay": decay})
                groups.append({"params": vectors, "lr": learning_rate, "weight_decay": 0.0})
            # The fused kernel shortens a training step on a CPU from 0.70 to 0.58 s.
            self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Return the primary score of each task on the dev records, and their mean."""
        scores = {f"eval_{name}": value for name, value in self.scores().items()}
        self.network.train()
        if self.is_world_process_zero():
            listed = ", ".join(
                f"{name.removeprefix('eval_')} {value:.4f}" for name, value in scores.items()
            )
            log.info("step %d: %s", self.state.global_step, listed)
        self.log(scores)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, scores
        )
        return scores

    def scores(self) -> dict[str, float]:
        """Return the scores of ``evaluate`` under the names that a configuration uses."""
        return primary_scores(evaluate(torch_predictor(self.network), self._dev))

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.network.save_pretrained(output_dir or str(self.args.output_dir))

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(str(self.state.best_model_checkpoint))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.network.load_state_dict(
            ClaimStanceModel.from_pretrained(resume_from_checkpoint).state_dict()
        )


class LogProgress(TrainerCallback):
    """Log step, loss and remaining time whenever the loss is recorded, where no progress bar is drawn."""

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Start the clock; a resumed run begins at a later step than the first."""
        self._first_step = state.global_step
        self._start_clock(state)

    def on_step_end(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Log an estimate of the whole time after a few steps, long before the first loss."""
        steps = state.global_step - self._first_step
        if steps == WARM_UP_STEPS and state.global_step < state.max_steps:
            self._start_clock(state)
        elif steps == ESTIMATE_STEPS and state.is_world_process_zero:
            log.info("about %d min on this machine", self._minutes_left(state))

    def _start_clock(self, state: TrainerState) -> None:
        """Measure the time of a step from now on."""
        self._clock_step, self._clock_time = state.global_step, time.monotonic()

    def _minutes_left(self, state: TrainerState) -> int:
        steps = state.global_step - self._clock_step
        seconds_per_step = (time.monotonic() - self._clock_time) / steps
        return math.ceil(seconds_per_step * (state.max_steps - state.global_step) / 60)

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: Any,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Log a line if the record contains a loss."""
        steps = state.global_step - self._clock_step
        if not logs or "loss" not in logs or not steps or not state.is_world_process_zero:
            return
        log.info(
            "step %d of %d, loss %.3f, %d min left",
            state.global_step,
            state.max_steps,
            logs["loss"],
            self._minutes_left(state),
        )
