"""The course of a run and the ``Trainer`` that follows it: a thin layer on transformers'."""

import logging
import math
import time
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch.utils.data import DataLoader, Dataset, Subset
from transformers import Trainer, TrainerCallback, TrainerState

from claimstance.model.network import ClaimStanceModel
from claimstance.model.record import Record
from claimstance.model.torch_backend import torch_reader
from claimstance.training.config import TrainingConfig
from claimstance.training.evaluation.evaluate import evaluate, primary
from claimstance.training.fine_tuning.batches import LabelledWindow, Planner, collate

log = logging.getLogger(__name__)


class Course(Dataset[list[LabelledWindow]]):
    """The batches of a whole run, epoch after epoch, laid out from the seed alone. Item i is batch i."""

    def __init__(self, planner: Planner, epochs: float) -> None:
        self._planner = planner
        self._ends: list[int] = []
        self._held: tuple[int, list[list[LabelledWindow]]] = (-1, [])
        for number in range(math.ceil(epochs)):
            count = len(self._epoch(number))
            before = self._ends[-1] if self._ends else 0
            self._ends.append(before + math.ceil(count * min(1.0, epochs - number)))

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def first_epoch(self) -> int:
        """The number of batches of the first epoch."""
        return self._ends[0]

    def _epoch(self, number: int) -> list[list[LabelledWindow]]:
        if self._held[0] != number:
            self._held = (number, self._planner.epoch(number))
        return self._held[1]

    def __getitem__(self, index: int) -> list[LabelledWindow]:
        number = next(n for n, end in enumerate(self._ends) if index < end)
        return self._epoch(number)[index - (self._ends[number - 1] if number else 0)]


class ClaimStanceTrainer(Trainer):
    """``Trainer`` with this project's batches, learning rates and dev scores."""

    def __init__(
        self, *, settings: TrainingConfig, course: Course, dev: Sequence[Record], **options: Any
    ) -> None:
        super().__init__(train_dataset=course, eval_dataset=cast(Any, list(dev) or None), **options)
        self._settings = settings
        self._course = course
        self._dev = dev

    @property
    def network(self) -> ClaimStanceModel:
        """The model, by its type."""
        return cast(ClaimStanceModel, self.model)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches in the order that the course has laid out; of several processes, each has every so-manyth of them."""
        pad, processes = self.network.windows.pad, self.args.world_size
        # Whole steps alone: a last one that not every process has a batch for would leave the others waiting.
        end = self.args.max_steps * self.args.gradient_accumulation_steps * processes
        mine = Subset(self._course, range(self.args.process_index, end, processes))
        return DataLoader(mine, batch_size=1, collate_fn=lambda batches: collate(batches[0], pad))

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW; new heads learn faster than the pretrained encoder, and biases and norms do not decay."""
        if self.optimizer is None:
            settings, groups = self._settings, []
            for part, rate in (
                ("encoder", settings.learning_rate),
                ("heads", settings.head_learning_rate),
            ):
                named = [
                    (name, weight)
                    for name, weight in self.network.named_parameters()
                    if name.startswith(f"{part}.") and weight.requires_grad
                ]
                groups += [
                    {
                        "params": [p for _, p in named if p.ndim > 1],
                        "lr": rate,
                        "weight_decay": settings.weight_decay,
                    },
                    {
                        "params": [p for _, p in named if p.ndim <= 1],
                        "lr": rate,
                        "weight_decay": 0.0,
                    },
                ]
            self.optimizer = torch.optim.AdamW(
                groups, fused=True
            )  # on a CPU a step took 0.58 s, not 0.70
        return self.optimizer

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The primary score of each task on the dev records, and their mean."""
        scores = {f"eval_{name}": value for name, value in self.scores().items()}
        self.network.train()
        if self.is_world_process_zero():
            log.info(
                "step %d: %s",
                self.state.global_step,
                ", ".join(f"{k[5:]} {v:.4f}" for k, v in scores.items()),
            )
        self.log(scores)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, scores
        )
        return scores

    def scores(self) -> dict[str, float]:
        """The scores of ``evaluate`` under the names that a configuration uses."""
        return primary(evaluate(torch_reader(self.network), self._dev))

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.network.save_pretrained(output_dir or str(self.args.output_dir))

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(str(self.state.best_model_checkpoint))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.network.load_state_dict(
            ClaimStanceModel.from_pretrained(resume_from_checkpoint).state_dict()
        )


class Told(TrainerCallback):
    """How far the training is, as a message each time that its loss is written down, where no bar shows it."""

    def on_train_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        """Time is counted from here: a resumed run starts at another step than the first."""
        self._first, self._begun = state.global_step, time.monotonic()

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: Any,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """A message, if a loss is among what was written down."""
        done = state.global_step - self._first
        if logs and "loss" in logs and done and state.is_world_process_zero:
            left = (time.monotonic() - self._begun) / done * (state.max_steps - state.global_step)
            log.info(
                "step %d of %d, loss %.3f, %d min left",
                state.global_step,
                state.max_steps,
                logs["loss"],
                math.ceil(left / 60),
            )
