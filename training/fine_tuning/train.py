"""Fine-tuning of a model on records, with transformers' ``Trainer``."""

import json
import logging
import math
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import MANIFEST_FILE, check_files
from claimstance.model.record import Record, label_counts
from claimstance.training.calibration.calibrate import calibrate
from claimstance.training.config import Config, TrainingConfig
from claimstance.training.data.label_coverage import (
    LabelCounts,
    count_labels,
    require_two_labels,
    single_topic,
)
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.scoring import corpus_names
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS
from claimstance.training.fine_tuning.checkpoints import (
    CHECKPOINTS,
    checkpoint_to_resume,
    describe_run,
    init_folder,
    require_no_checkpoints,
    write_description,
)
from claimstance.training.fine_tuning.examples import keep_labels_of
from claimstance.training.fine_tuning.feature_cache import (
    FEATURES_FILE,
    cache_features,
    exported_encoder,
    network_encoder,
)
from claimstance.training.fine_tuning.initialization import load_trainable_heads, new_model
from claimstance.training.fine_tuning.mixed_precision import use_bfloat16
from claimstance.training.fine_tuning.trainer import (
    BatchSchedule,
    ClaimStanceTrainer,
    LogProgress,
    build_schedule,
)
from claimstance.training.training_report import TrainingReport, write_training_report

log = logging.getLogger(__name__)
#: Steps between checkpoints if no dev score selects the weights: an interruption costs minutes, not an epoch.
STEPS_PER_CHECKPOINT = 200
LIBRARIES = (
    "claimstance",
    "torch",
    "transformers",
    "datasets",
    "tokenizers",
    "numpy",
    "scikit-learn",
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
    tasks = _select_tasks(config, train_records)
    require_two_labels(train_records, tasks, soft_labels)
    _check_names(settings, train_records, dev, tasks)
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

    if settings.trainable_tasks:
        model, init_name = load_trainable_heads(config, tasks, task_labels)
    else:
        model, init_name = new_model(config, tasks, task_labels)
    if "stance" in tasks:
        # A model that has seen one topic only asks about this one where no target is named.
        topic = single_topic(train_records)
        model.config = replace(model.config, topics=() if topic is None else (topic,))
    model.loss_weights = dict(settings.loss_weights)
    model.distillation_weight = settings.distillation_weight
    # Altered files of the initial model are reported now, and not after hours of training.
    export_options = _export_options(config, tasks, train_records)

    use_features = trains_on_features(settings)
    schedule = build_schedule(
        model,
        train_records,
        tasks,
        task_labels,
        soft_labels,
        settings,
        same_windows=use_features,
    )
    trainer = _build_trainer(config, model, schedule, dev, callbacks)
    features_file = checkpoints / FEATURES_FILE
    if is_main_process():
        log.info("%d sentences, %d steps", len(train_records), trainer.args.max_steps)
        if checkpoint is None:
            write_description(checkpoints, description)
            # The file may be that of another run.
            features_file.unlink(missing_ok=True)
    if use_features:
        frozen = export_options.get("frozen")
        if frozen is None:
            encode = network_encoder(model, trainer.args.bf16)
        else:
            encode = exported_encoder(load_predictor(frozen, settings.threads)[0])
        trainer.features = cache_features(
            checkpoints, encode, schedule.first_windows, model.config.hidden_size
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
        # Users run the exported model, so its probabilities are the ones to calibrate.
        with tempfile.TemporaryDirectory(prefix=".calibrate-", dir=config.output) as scratch:
            model.save_pretrained(scratch)
            predictor, _ = load_predictor(export(scratch, **export_options))
            model.config = calibrate(
                predictor, dev, tasks, settings.exhaustive_stances, settings.no_stance
            )
    model.save_pretrained(config.output)
    _write_config_and_report(config, trainer, fingerprint, init_name, count_labels(train_records))
    return export(config.output, **export_options)


def _select_tasks(config: Config, records: Sequence[Record]) -> tuple[str, ...]:
    """Return the tasks to learn in their fixed order: the configured ones, or those with labels."""
    if not records:
        raise InputError("the train split: expected annotated sentences, found none")
    annotated: set[str] = set()
    for record in records:
        annotated |= _annotated_tasks(record)
    requested = config.training.trainable_tasks or config.model.tasks or ()
    for task in requested:
        if task not in annotated:
            key = "training.trainable_tasks" if config.training.trainable_tasks else "model.tasks"
            raise ConfigError(
                f"{key}: no row of the train split has labels for '{task}'. "
                f"Those with labels: {', '.join(sorted(annotated)) or 'none'}"
            )
    if not annotated:
        raise InputError("the train split: expected labels for at least one task, found none")
    selected = requested or annotated
    return tuple(task for task in TASKS if task in selected)


def _annotated_tasks(record: Record) -> set[str]:
    """Return the tasks that a record has labels for."""
    has_soft_stances = any(stance.probabilities for stance in record.stances or ())
    tasks = set()
    for task, labels in label_counts(record).items():
        # An empty list is an annotation, except for stances: it queries no pair.
        if labels or task != "stance" or has_soft_stances:
            tasks.add(task)
    return tasks


def _check_names(
    settings: TrainingConfig,
    records: Sequence[Record],
    dev: Sequence[Record],
    tasks: Sequence[str],
) -> None:
    """Raise ``ConfigError`` for a metric that dev cannot give, or a corpus without train rows.

    The former would be noticed only after hours of training, the latter never.
    """
    if dev:
        metrics = {"mean"}
        for record in dev:
            scored_tasks = _annotated_tasks(record).intersection(tasks)
            for corpus in corpus_names(record):
                metrics.update(f"{corpus}/{task}" for task in scored_tasks)
        if settings.metric not in metrics:
            raise ConfigError(f"training.metric: {unknown('metric', settings.metric, metrics)}")

    corpora = {str(record.meta.get("corpus", "")) for record in records}
    for key in ("sampling", "corpus_weights", "exhaustive_stances", *METHODS):
        for name in getattr(settings, key):
            if name not in corpora:
                raise ConfigError(f"training.{key}: {unknown('corpus', name, corpora)}")


def _export_options(
    config: Config, tasks: Sequence[str], records: Sequence[Record]
) -> dict[str, Any]:
    """Return the arguments of ``export``.

    If only the stance head is trained, the exported encoder of the initial model is used again.
    """
    options: dict[str, Any] = {
        "precision": config.export.precision,
        "calibration_texts": [record.text for record in records],
    }
    if config.export.largest_file is not None:
        options["largest_file"] = config.export.largest_file * 1_000_000
    if not config.training.trainable_tasks:
        return options
    folder = init_folder(config.model.init_from)
    manifest_file = folder / MANIFEST_FILE
    if not manifest_file.exists():
        return options
    check_files(folder)
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    options["precision"] = manifest.get("precision", "int8")
    # All heads but those of stances and links are part of the encoder's file.
    options["frozen"] = folder if set(tasks) == {"stance"} else None
    return options


def _build_trainer(
    config: Config,
    model: ClaimStanceModel,
    schedule: BatchSchedule,
    dev: Sequence[Record],
    callbacks: Sequence[TrainerCallback],
) -> ClaimStanceTrainer:
    """Return the trainer of a run, with steps, checkpoints and evaluations as configured.

    Raises:
        InputError: if the batches do not suffice for one step.
    """
    settings = config.training
    batches_per_step = process_count() * settings.batches_per_step
    steps = len(schedule) // batches_per_step
    if not steps:
        raise InputError(
            f"the train split: expected {batches_per_step} batches for a step, found {len(schedule)}"
        )
    steps_per_epoch = min(max(1, schedule.batches_in_first_epoch // batches_per_step), steps)
    eval_steps = max(1, math.ceil(steps_per_epoch / max(settings.evaluations_per_epoch, 1)))
    is_scored = bool(dev) and settings.evaluations_per_epoch > 0
    has_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(config.output / CHECKPOINTS),
        max_steps=steps,  # the schedule holds every epoch
        gradient_accumulation_steps=settings.batches_per_step,
        learning_rate=settings.learning_rate,
        warmup_steps=max(1, round(settings.warmup_ratio * steps)),
        max_grad_norm=settings.max_grad_norm,
        bf16=use_bfloat16(settings.precision),
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="steps" if is_scored else "no",
        eval_steps=eval_steps,
        save_strategy="steps",
        save_steps=eval_steps if is_scored else min(eval_steps, STEPS_PER_CHECKPOINT),
        save_total_limit=2,
        load_best_model_at_end=is_scored,
        metric_for_best_model=settings.metric if is_scored else None,
        greater_is_better=True if is_scored else None,
        logging_steps=max(1, min(50, steps // 10)),
        # Early stopping must remember, in a resumed run, how long the score has not improved.
        restore_callback_states_from_checkpoint=True,
        ddp_backend="gloo" if process_count() > 1 and not has_gpu else None,
        # A batch may hold no example for a head.
        ddp_find_unused_parameters=True,
        report_to=["tensorboard"],
        disable_tqdm=not sys.stderr.isatty(),
        use_cpu=not has_gpu,
        dataloader_pin_memory=has_gpu,
        remove_unused_columns=False,
        label_names=[],
    )
    all_callbacks = list(callbacks)
    if settings.patience and is_scored:
        all_callbacks.append(EarlyStoppingCallback(settings.patience))
    if not sys.stderr.isatty():
        all_callbacks.append(LogProgress())
    trainer = ClaimStanceTrainer(
        model=model,
        args=arguments,
        settings=settings,
        schedule=schedule,
        dev=dev,
        callbacks=all_callbacks,
    )
    # Standard output is for results; TensorBoard has the curves.
    trainer.remove_callback(PrinterCallback)
    return trainer


def trains_on_features(settings: TrainingConfig) -> bool:
    """Return whether the encoder is frozen and runs once, because every epoch shows the same windows.

    Several processes, each with its own share of the windows, run it in every epoch instead.
    """
    return bool(settings.trainable_tasks) and process_count() == 1


def process_count() -> int:
    """Return the number of processes that train together, as torchrun and accelerate set it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Return whether this process writes the model: the only one, or the first of several."""
    return process_count() == 1 or os.environ.get("RANK", "0") == "0"


def _write_config_and_report(
    config: Config,
    trainer: ClaimStanceTrainer,
    fingerprint: str,
    init_name: str | None,
    train_labels: LabelCounts,
) -> None:
    """Write the configuration and ``training.json``: everything needed to repeat the run, and its history."""
    (config.output / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    report: TrainingReport = {
        "data_fingerprint": fingerprint,
        "started_from": init_name,
        "train_labels": train_labels,
        "steps": trainer.state.global_step,
        "best": {"score": trainer.state.best_metric, "step": trainer.state.best_global_step},
        "history": trainer.state.log_history,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }
    write_training_report(config.output, report)
