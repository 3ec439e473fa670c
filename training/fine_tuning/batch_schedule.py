"""The batches of a whole training run, in order."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from torch.utils.data import Dataset

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import OPINION_HEADS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.record import Record
from claimstance.model.windows import Window, WindowBuilder
from claimstance.training.config import TrainingConfig
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS, Augmenter
from claimstance.training.fine_tuning.augmentation.name_swaps import DocumentSwapper
from claimstance.training.fine_tuning.epoch_sampler import (
    EpochSampler,
    LabelledWindow,
    SamplingConfig,
)
from claimstance.training.fine_tuning.examples import ExampleBuilder
from claimstance.training.fine_tuning.training_example import Example


class BatchSchedule(Dataset[list[LabelledWindow]]):
    """List the batches of a whole run, epoch after epoch; item i is batch i."""

    def __init__(self, sampler: EpochSampler, epochs: float) -> None:
        self._sampler = sampler
        # A run reads one epoch after another, so that the last one is enough.
        self._epoch = lru_cache(maxsize=1)(sampler.epoch)
        self._ends: list[int] = []  # batches up to the end of each epoch
        end = 0
        for epoch in range(math.ceil(epochs)):
            count = len(self._epoch(epoch))
            end += math.ceil(count * min(1.0, epochs - epoch))
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
        epoch = 0
        while index >= self._ends[epoch]:
            epoch += 1
        start = self._ends[epoch - 1] if epoch else 0
        return self._epoch(epoch)[index - start]


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
    builder = ExampleBuilder(
        model.windows,
        labels,
        class_weight_power=settings.class_weight_power,
        corpus_weights=settings.corpus_weights,
        soft=_soft_labels_of_tasks(soft_labels, tasks),
        distillation_weight=settings.distillation_weight,
        exhaustive_stances=settings.exhaustive_stances,
        no_stance=settings.no_stance,
    )

    def examples_of(rows: Sequence[Record]) -> list[list[Example]]:
        return [
            document
            for document in builder.build(rows)
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
    augmenter = _build_augmenter(model.windows, labels.get("stance", ()), settings)
    sampler = EpochSampler(
        examples_of(constant),
        model.windows,
        _sampling_config(settings, same_windows),
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


def _soft_labels_of_tasks(
    soft_labels: Mapping[str, SoftLabels], tasks: Sequence[str]
) -> dict[str, SoftLabels]:
    """Return the soft labels of the heads of ``tasks``; teachers may have labelled tasks that a run does not train."""
    heads = set(tasks)
    if "stance" in tasks:
        heads.update(OPINION_HEADS)
    selected: dict[str, SoftLabels] = {}
    for record_id, by_head in soft_labels.items():
        selected[record_id] = {
            head: probabilities for head, probabilities in by_head.items() if head in heads
        }
    return selected


def _build_augmenter(
    windows: WindowBuilder, stance_labels: Sequence[str], settings: TrainingConfig
) -> Augmenter | None:
    """Return the augmenter of a run, ``None`` without augmentation.

    Raises:
        ConfigError: if there are no stances to learn, or the label of pairs without a stance is not one of theirs.
    """
    if not any(getattr(settings, method) for method in METHODS):
        return None
    if not stance_labels:
        raise ConfigError(f"training.{', '.join(METHODS)}: expected stances to learn, found none")
    if settings.no_stance not in stance_labels:
        raise ConfigError(
            f"training.no_stance: {unknown('label', settings.no_stance, stance_labels)}"
        )
    no_stance = tuple(float(label == settings.no_stance) for label in stance_labels)
    return Augmenter(windows, no_stance)


def _sampling_config(settings: TrainingConfig, same_windows: bool) -> SamplingConfig:
    """Return the settings of the sampler."""
    return SamplingConfig(
        tokens_per_batch=settings.tokens_per_batch,
        context_share=settings.context_share,
        isolated_share=settings.isolated_share,
        topic_share=settings.topic_share,
        unstated_topic_share=settings.unstated_topic_share,
        augmentation={method: getattr(settings, method) for method in METHODS},
        corpus_shares=settings.sampling,
        same_windows=same_windows,
        seed=settings.seed,
    )
