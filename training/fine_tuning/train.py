"""Fine-tuning of a model on records, with transformers' ``Trainer``."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import TrainerCallback, set_seed

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import MANIFEST_FILE, check_files, read_manifest
from claimstance.model.record import Record
from claimstance.training.calibration.calibrate import calibrate
from claimstance.training.config import Config, TrainingConfig
from claimstance.training.data.label_checks import (
    annotated_tasks,
    count_labels,
    keep_labels_of,
    require_two_labels,
    select_tasks,
    single_topic,
)
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.scoring import corpus_names
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS
from claimstance.training.fine_tuning.batch_schedule import BatchSchedule, build_schedule
from claimstance.training.fine_tuning.checkpoints import (
    CHECKPOINTS,
    checkpoint_to_resume,
    describe_run,
    init_folder,
    require_no_checkpoints,
    write_description,
)
from claimstance.training.fine_tuning.feature_cache import (
    FEATURES_FILE,
    FeatureCache,
    cache_features,
    exported_encoder,
    network_encoder,
)
from claimstance.training.fine_tuning.initialization import load_trainable_heads, new_model
from claimstance.training.fine_tuning.processes import is_main_process, process_count
from claimstance.training.fine_tuning.trainer import ClaimStanceTrainer, build_trainer
from claimstance.training.training_report import describe_training, write_training_report

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExportSettings:
    """Represent the settings with which a run exports its model (see ``claimstance.model.onnx.export``)."""

    precision: str
    frozen: Path | None
    max_file_bytes: int | None
    quantization_texts: Sequence[str]

    def export(self, folder: Path | str) -> Path:
        """Export the model in ``folder``, and return the folder."""
        return export(
            folder,
            precision=self.precision,
            frozen=self.frozen,
            max_file_bytes=self.max_file_bytes,
            quantization_texts=self.quantization_texts,
        )


def train(
    config: Config,
    splits: Mapping[str, Sequence[Record]],
    labels: Mapping[str, tuple[str, ...]],
    soft_labels: Mapping[str, SoftLabels] | None = None,
    resume: bool = False,
    fingerprint: str = "",
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Train on ``splits["train"]``, keep the weights that are best on ``splits["dev"]``, calibrate, export.

    Args:
        config: the whole configuration; it is saved with the model.
        splits: records by split; without ``dev``, the last weights are kept and nothing is calibrated.
        labels: label names by task, as the dataset has them.
        soft_labels: record id → task → probabilities of teachers.
        resume: continue from the last checkpoint in the output folder, from the beginning if there is none.
        fingerprint: the dataset's, saved with the model.
        callbacks: more callbacks for the trainer.

    Returns:
        The model folder: weights, tokenizer, configuration, exported files, ``training.json``.

    Raises:
        ConfigError: if a metric or a corpus does not exist, tasks have no labels in the data, the encoder cannot be
            loaded, or the run to be resumed had other data, labels or settings.
        InputError: if there is nothing to train on, or a task has one label only.
    """
    settings = config.training
    soft_labels = soft_labels or {}
    train_records, dev = splits.get("train") or (), splits.get("dev") or ()
    tasks = _tasks_to_learn(config, train_records, dev, soft_labels)
    train_records, dev = keep_labels_of(train_records, tasks), keep_labels_of(dev, tasks)
    task_labels = {
        task: tuple(labels.get(task, default_labels))
        for task, default_labels in DEFAULT_LABELS.items()
        if task in tasks
    }
    set_seed(settings.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)

    # The weights of a resumed run must come from the same data and settings as those of the interrupted one.
    description = describe_run(
        config, splits, task_labels, soft_labels, fingerprint, process_count()
    )
    checkpoints = config.output / CHECKPOINTS
    checkpoint = None
    if resume:
        checkpoint = checkpoint_to_resume(checkpoints, description)
    else:
        require_no_checkpoints(checkpoints)

    model, init_name = _prepare_model(config, tasks, task_labels, train_records)
    # Altered files of the initial model are reported now, and not after hours of training.
    export_settings = _export_settings(config, tasks, train_records)
    # A frozen encoder runs once, because every epoch shows the same windows. Several processes, each with its own share
    # of the windows, run it in every epoch instead.
    use_features = bool(settings.trainable_tasks) and process_count() == 1
    schedule = build_schedule(
        model,
        train_records,
        tasks,
        task_labels,
        soft_labels,
        settings,
        same_windows=use_features,
    )
    trainer = build_trainer(config, model, schedule, dev, callbacks)
    features_file = checkpoints / FEATURES_FILE
    if is_main_process():
        log.info("%d sentences, %d steps", len(train_records), trainer.args.max_steps)
        if checkpoint is None:
            write_description(checkpoints, description)
            # The file may be that of another run.
            features_file.unlink(missing_ok=True)
    if use_features:
        trainer.features = _cache_frozen_features(
            checkpoints, trainer, schedule, export_settings.frozen
        )

    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    trainer.features = None  # Windows removes no file that is open
    features_file.unlink(missing_ok=True)
    if not is_main_process():
        return config.output

    if settings.init_share and init_name is not None:
        source = ClaimStanceModel.from_pretrained(init_folder(config.model.init_from))
        model.average_with(source, settings.init_share)
    if dev:
        model.config = _calibrate_export(config, model, dev, tasks, export_settings)
    model.save_pretrained(config.output)
    (config.output / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    report = describe_training(
        trainer.state,
        data_fingerprint=fingerprint,
        started_from=init_name,
        train_labels=count_labels(train_records),
        threads=torch.get_num_threads(),
    )
    write_training_report(config.output, report)
    return export_settings.export(config.output)


def _tasks_to_learn(
    config: Config,
    records: Sequence[Record],
    dev: Sequence[Record],
    soft_labels: Mapping[str, SoftLabels],
) -> tuple[str, ...]:
    """Return the tasks to learn, once their labels and all names in the configuration are checked.

    Raises:
        ConfigError: if a requested task has no labels, or a metric or a corpus does not exist.
        InputError: if there is nothing to train on, or a task has one label only.
    """
    settings = config.training
    if settings.trainable_tasks:
        tasks = select_tasks(records, settings.trainable_tasks, "training.trainable_tasks")
    else:
        tasks = select_tasks(records, config.model.tasks or (), "model.tasks")
    require_two_labels(records, tasks, soft_labels)
    _check_names(settings, records, dev, tasks)
    return tasks


def _check_names(
    settings: TrainingConfig,
    records: Sequence[Record],
    dev: Sequence[Record],
    tasks: Sequence[str],
) -> None:
    """Check metric and corpus names before training starts.

    Raises:
        ConfigError: for a metric that dev does not have, or a corpus without train rows.
    """
    if dev:
        metrics = {"mean"}
        for record in dev:
            scored_tasks = annotated_tasks(record).intersection(tasks)
            for corpus in corpus_names(record):
                metrics.update(f"{corpus}/{task}" for task in scored_tasks)
        if settings.metric not in metrics:
            raise ConfigError(f"training.metric: {unknown('metric', settings.metric, metrics)}")

    corpora = {str(record.meta.get("corpus", "")) for record in records}
    for key in ("sampling", "corpus_weights", "exhaustive_stances", *METHODS):
        for name in getattr(settings, key):
            if name not in corpora:
                raise ConfigError(f"training.{key}: {unknown('corpus', name, corpora)}")


def _prepare_model(
    config: Config,
    tasks: tuple[str, ...],
    labels: Mapping[str, tuple[str, ...]],
    records: Sequence[Record],
) -> tuple[ClaimStanceModel, str | None]:
    """Return the network to train, and the name of the model that its weights are those of, if any.

    Raises:
        ConfigError: if the encoder or the initial model cannot be loaded, or does not fit the configuration.
    """
    settings = config.training
    if settings.trainable_tasks:
        model, init_name = load_trainable_heads(config, tasks, labels)
    else:
        model, init_name = new_model(config, tasks, labels)
    if "stance" in tasks:
        # A model that has seen one topic only asks about this one where no target is named.
        topic = single_topic(records)
        model.config = replace(model.config, topics=() if topic is None else (topic,))
    model.loss_weights = dict(settings.loss_weights)
    model.distillation_weight = settings.distillation_weight
    return model, init_name


def _export_settings(
    config: Config, tasks: Sequence[str], records: Sequence[Record]
) -> ExportSettings:
    """Return the settings of the export.

    If only the stance head is trained, the exported encoder of the initial model is used again.

    Raises:
        ModelError: if a file of the initial model is missing or altered.
    """
    precision: str = config.export.precision
    frozen = None
    if config.training.trainable_tasks:
        folder = init_folder(config.model.init_from)
        if (folder / MANIFEST_FILE).exists():
            check_files(folder)
            precision = read_manifest(folder / MANIFEST_FILE).precision
            # All heads but those of stances and links are part of the encoder's file.
            frozen = folder if set(tasks) == {"stance"} else None
    max_megabytes = config.export.largest_file
    return ExportSettings(
        precision=precision,
        frozen=frozen,
        max_file_bytes=None if max_megabytes is None else max_megabytes * 1_000_000,
        quantization_texts=[record.text for record in records],
    )


def _cache_frozen_features(
    folder: Path, trainer: ClaimStanceTrainer, schedule: BatchSchedule, frozen: Path | None
) -> FeatureCache | None:
    """Return the output of the frozen encoder for all windows of a run (see ``cache_features``).

    Args:
        folder: the folder to write the output into.
        trainer: the trainer of the run.
        schedule: the batches of the run.
        frozen: the folder of the exported encoder, if the run's export uses it again.
    """
    model = trainer.network
    if frozen is None:
        encode = network_encoder(model, trainer.args.bf16)
    else:
        encode = exported_encoder(load_predictor(frozen, trainer.settings.threads)[0])
    return cache_features(folder, encode, schedule.first_windows, model.config.hidden_size)


def _calibrate_export(
    config: Config,
    model: ClaimStanceModel,
    dev: Sequence[Record],
    tasks: Sequence[str],
    export_settings: ExportSettings,
) -> ModelConfig:
    """Return the configuration of a trained model, calibrated on dev.

    Users run the exported model, so its probabilities are the ones to calibrate.
    """
    settings = config.training
    with tempfile.TemporaryDirectory(prefix=".calibrate-", dir=config.output) as scratch:
        model.save_pretrained(scratch)
        predictor, _ = load_predictor(export_settings.export(scratch))
        return calibrate(predictor, dev, tasks, settings.exhaustive_stances, settings.no_stance)
