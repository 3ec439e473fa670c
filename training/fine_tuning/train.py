"""Fine-tuning: records in, a model folder out. A thin layer on transformers' ``Trainer``."""

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

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_reader, model_folder
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import MANIFEST_FILE, READER_FILE, check_files
from claimstance.model.record import Record, label_counts
from claimstance.model.windows import WindowBuilder
from claimstance.training.config import AUTO, Config, TrainingConfig
from claimstance.training.data.folds import without_fold
from claimstance.training.data.label_coverage import (
    LabelCounts,
    count_labels,
    require_two_labels,
    single_topic,
)
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.evaluate import parts
from claimstance.training.fine_tuning.augmentation import WAYS, Augmenter
from claimstance.training.fine_tuning.batches import Mixture, Planner
from claimstance.training.fine_tuning.calibration import calibrate, unfitted
from claimstance.training.fine_tuning.checkpoints import (
    CHECKPOINTS,
    checkpoint_to_resume,
    describe_run,
    require_no_checkpoints,
    write_description,
)
from claimstance.training.fine_tuning.examples import about, build_examples
from claimstance.training.fine_tuning.mixed_precision import use_bfloat16
from claimstance.training.fine_tuning.trainer import ClaimStanceTrainer, Course, Told

log = logging.getLogger(__name__)
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
    soft: Mapping[str, SoftLabels] | None = None,
    resume: bool = False,
    fingerprint: str = "",
    callbacks: Sequence[TrainerCallback] = (),
) -> Path:
    """Train on ``splits["train"]``, keep the weights that are best on ``splits["dev"]``, calibrate, export.

    Args:
        config: the whole configuration; it is saved with the model.
        splits: records by split; without ``dev``, the last weights are kept and nothing is calibrated.
        labels: label names by task, as the dataset has them.
        soft: what teachers say of train records, by id.
        resume: continue from the last checkpoint in the output folder, from the beginning if there is none.
        fingerprint: of the dataset, to be saved with the model.
        callbacks: more callbacks for the trainer.

    Returns:
        The model folder: weights, tokenizer, configuration, exported files, ``training.json``.

    Raises:
        ConfigError: if a metric or a corpus does not exist, tasks have no labels in the data, the encoder cannot be
            loaded, or the run to be resumed had other data, labels or settings.
        InputError: if there is nothing to train on, or one label only of a task.
    """
    settings = config.training
    records, dev = splits.get("train") or (), splits.get("dev") or ()
    if settings.leave_out:
        records = without_fold(records, settings.leave_out.fold, settings.leave_out.folds)
    tasks = _tasks(config, records)
    require_two_labels(records, tasks, soft or {})
    if dev:
        _check_metric(settings.metric, dev, tasks)
    _check_corpora(settings, records)
    set_seed(settings.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    all_labels = {
        task: tuple(labels.get(task, DEFAULT_LABELS[task]))
        for task in DEFAULT_LABELS
        if task in tasks
    }
    run = describe_run(config, splits, all_labels, soft or {}, fingerprint, processes())
    checkpoints = config.output / CHECKPOINTS
    checkpoint = None
    if resume:
        checkpoint = checkpoint_to_resume(checkpoints, run)
    else:
        require_no_checkpoints(checkpoints)
    model, start = (_going_on if settings.only else _new)(config, tasks, all_labels)
    if "stance" in tasks:
        topic = single_topic(records)
        model.config = replace(model.config, topics=() if topic is None else (topic,))
    files = _files_that_stay(config, tasks)
    dev = about(dev, tasks)
    course = _course(model, about(records, tasks), tasks, all_labels, settings, soft or {})
    model.loss_weights, model.distillation_weight = dict(settings.loss_weights), settings.soft_share
    trainer = ClaimStanceTrainer(
        model=model,
        args=_arguments(config, course, bool(dev)),
        settings=settings,
        course=course,
        dev=dev,
        callbacks=[
            *callbacks,
            *_stopping(settings, bool(dev)),
            *([] if sys.stderr.isatty() else [Told()]),
        ],
    )
    trainer.remove_callback(
        PrinterCallback
    )  # standard output is for results; TensorBoard has the curves
    if trainer.is_world_process_zero():
        log.info("%d sentences, %d steps", len(records), trainer.args.max_steps)
    if checkpoint is None and trainer.is_world_process_zero():
        write_description(checkpoints, run)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if not trainer.is_world_process_zero():
        return config.output  # the first process sees to the rest
    if dev:
        model.config = _calibrated(model, dev, tasks, config.output, files)
    model.save_pretrained(config.output)
    _write_account(config, trainer, fingerprint, start, count_labels(about(records, tasks)))
    return export(config.output, **files)


def _new(
    config: Config, tasks: tuple[str, ...], labels: Mapping[str, tuple[str, ...]]
) -> tuple[ClaimStanceModel, str | None]:
    """Return a model to be trained as a whole, and the name of the model that its weights are from, if any."""
    model = ClaimStanceModel.from_encoder(
        config.model.encoder,
        {
            "tasks": tasks,
            "labels": dict(labels),
            "max_tokens": config.model.max_tokens,
            "dropout": config.model.dropout,
            "name": config.name,
        },
    )
    if config.model.start is None:
        return model, None
    source = ClaimStanceModel.from_pretrained(start_folder(config.model.start))
    if config.model.start == AUTO and not model.has_encoder_of(source):
        log.info(
            "model.start: training begins with %s, which the bundled model does not have",
            config.model.encoder,
        )
        return model, None
    model.init_from(source)
    log.info("model.start: training begins with the weights of %s", source.config.name)
    return model, source.config.name


def start_folder(start: Path | None) -> Path:
    """Return the folder of the model that training starts from."""
    return model_folder(None if start == AUTO else start)


def _going_on(
    config: Config, tasks: tuple[str, ...], labels: Mapping[str, tuple[str, ...]]
) -> tuple[ClaimStanceModel, str | None]:
    """Return the model that is started from, with only the heads of ``tasks`` to be trained, and its name."""
    model = ClaimStanceModel.from_pretrained(start_folder(config.model.start))
    has = model.config
    if has.max_tokens != config.model.max_tokens:
        raise ConfigError(
            f"model.max_tokens: expected {has.max_tokens} as in model.start, found "
            f"{config.model.max_tokens}"
        )
    for task in tasks:
        if task not in has.tasks:
            raise ConfigError(f"training.only: {unknown('task', task, has.tasks)}")
        if (wanted := labels.get(task)) != has.labels.get(task):
            raise ConfigError(
                f"training.only: expected the labels of model.start for '{task}' "
                f"({', '.join(has.labels[task])}), found {', '.join(wanted or ())}"
            )
    model.config = replace(unfitted(has, tasks), name=config.name, version=ModelConfig.version)
    model.freeze_except(tasks, config.model.dropout)
    return model, has.name


def _files_that_stay(config: Config, tasks: Sequence[str]) -> dict[str, Any]:
    """How to export (see ``export``) what goes on from an exported model: what does not learn stays as it is."""
    folder = start_folder(config.model.start)
    if not config.training.only or not (folder / MANIFEST_FILE).exists():
        return {}
    check_files(folder)
    precision = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")).get(
        "precision", "int8"
    )
    # The other heads are in the encoder's file, but for that of links, which learns with attributions.
    return {
        "precision": precision,
        "reader": folder / READER_FILE if set(tasks) == {"stance"} else None,
    }


def _calibrated(
    model: ClaimStanceModel,
    dev: Sequence[Record],
    tasks: Sequence[str],
    beside: Path,
    files: Mapping[str, Any],
) -> ModelConfig:
    """The configuration fitted to what the model says once it is exported, which is what will be used."""
    with tempfile.TemporaryDirectory(prefix=".calibrate-", dir=beside) as scratch:
        model.save_pretrained(scratch)
        return calibrate(load_reader(export(scratch, **files))[0], dev, tasks)


def _stopping(settings: TrainingConfig, scored: bool) -> list[TrainerCallback]:
    early = settings.patience and settings.evaluations_per_epoch and scored
    return [EarlyStoppingCallback(settings.patience)] if early else []


def _course(
    model: ClaimStanceModel,
    records: Sequence[Record],
    tasks: Sequence[str],
    labels: Mapping[str, tuple[str, ...]],
    settings: TrainingConfig,
    soft: Mapping[str, SoftLabels],
) -> Course:
    windows = model.windows
    documents = [
        document
        for document in build_examples(
            records,
            windows,
            labels,
            settings.class_weight_power,
            settings.corpus_weights,
            _of_tasks(soft, tasks),
            settings.soft_share,
        )
        if any(example.teaches(tasks) for example in document)
    ]
    mixture = Mixture(
        tokens_per_batch=settings.tokens_per_batch,
        neighbours=settings.neighbours,
        alone=settings.alone,
        topics=settings.topics,
        made={way: getattr(settings, way) for way in WAYS},
        sampling=settings.sampling,
        seed=settings.seed,
    )
    makes = any(mixture.made.values())
    augmenter = _augmenter(windows, labels.get("stance", ()), settings.no_stance) if makes else None
    course = Course(Planner(documents, windows, mixture, augmenter), settings.epochs)
    if not len(course):
        raise InputError(
            "the train split: expected sentences to learn from, found none (see training.sampling)"
        )
    return course


def _of_tasks(soft: Mapping[str, SoftLabels], tasks: Sequence[str]) -> dict[str, SoftLabels]:
    return {
        row: {task: value for task, value in said.items() if task in tasks}
        for row, said in soft.items()
    }


def _augmenter(windows: WindowBuilder, labels: Sequence[str], none: str) -> Augmenter:
    if not labels:
        raise ConfigError(f"training.{', '.join(WAYS)}: expected stances to learn, found none")
    if none not in labels:
        raise ConfigError(f"training.no_stance: {unknown('label', none, labels)}")
    return Augmenter(windows, tuple(float(label == none) for label in labels))


def processes() -> int:
    """How many processes train together, as torchrun and accelerate tell each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _arguments(config: Config, course: Course, scored: bool) -> TrainingArguments:
    settings = config.training
    scored = scored and settings.evaluations_per_epoch > 0
    batches = processes() * settings.batches_per_step  # that a step takes
    steps = len(course) // batches
    if not steps:
        raise InputError(
            f"the train split: expected {batches} batches for a step, found {len(course)}"
        )
    first = min(max(1, course.first_epoch // batches), steps)
    every = max(1, math.ceil(first / max(settings.evaluations_per_epoch, 1)))
    checkpoints = config.output / CHECKPOINTS
    return TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=steps,  # the course holds every epoch
        gradient_accumulation_steps=settings.batches_per_step,
        learning_rate=settings.learning_rate,
        warmup_steps=max(1, round(settings.warmup_ratio * steps)),
        max_grad_norm=settings.max_grad_norm,
        bf16=use_bfloat16(settings.precision),
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="steps" if scored else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=scored,
        metric_for_best_model=settings.metric if scored else None,
        greater_is_better=True if scored else None,
        logging_steps=max(1, min(50, steps // 10)),
        # Without it, a run that goes on has forgotten for how long nothing got better.
        restore_callback_states_from_checkpoint=True,
        ddp_backend="gloo" if processes() > 1 and not torch.cuda.is_available() else None,
        ddp_find_unused_parameters=True,  # a batch may hold nothing for a head
        report_to=["tensorboard"],
        disable_tqdm=not sys.stderr.isatty(),
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        label_names=[],
    )


def _tasks(config: Config, records: Sequence[Record]) -> tuple[str, ...]:
    """The tasks to learn, in their fixed order: those asked for, or those that the records carry labels for."""
    if not records:
        raise InputError("the train split: expected annotated sentences, found none")
    carried = {task for record in records for task in _annotated(record)}
    wanted = config.training.only or config.model.tasks
    for task in wanted or ():
        if task not in carried:
            key = "training.only" if config.training.only else "model.tasks"
            raise ConfigError(
                f"{key}: no row of the train split has labels for '{task}'. "
                f"Those with labels: {', '.join(sorted(carried)) or 'none'}"
            )
    if not carried:
        raise InputError("the train split: expected labels for at least one task, found none")
    return tuple(task for task in TASKS if task in (wanted or carried))


def _annotated(record: Record) -> set[str]:
    """The tasks that a record has labels for. None there is a label, too, but not for stances: nothing is asked."""
    taught = any(stance.probabilities for stance in record.stances or ())
    return {
        task
        for task, labels in label_counts(record).items()
        if labels or task != "stance" or taught
    }


def _check_corpora(settings: TrainingConfig, records: Sequence[Record]) -> None:
    """Refuse a corpus that no row is of: a typing error that would change nothing."""
    known = {str(record.meta.get("corpus", "")) for record in records}
    for key in ("sampling", "corpus_weights", *WAYS):
        for name in getattr(settings, key):
            if name not in known:
                raise ConfigError(f"training.{key}: {unknown('corpus', name, known)}")


def _check_metric(metric: str, dev: Sequence[Record], tasks: Sequence[str]) -> None:
    """Refuse a metric that the first evaluation would lack, before hours of training."""
    names = {
        f"{part}/{task}"
        for record in dev
        for part in parts(record)
        for task in _annotated(record) & {*tasks}
    }
    if metric not in names | {"mean"}:
        raise ConfigError(f"training.metric: {unknown('metric', metric, names | {'mean'})}")


def _write_account(
    config: Config,
    trainer: ClaimStanceTrainer,
    fingerprint: str,
    start: str | None,
    train_labels: LabelCounts,
) -> None:
    """Write everything it takes to repeat the run, and how it went."""
    (config.output / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    account = {
        "data_fingerprint": fingerprint,
        "started_from": start,
        "train_labels": train_labels,
        "steps": trainer.state.global_step,
        "best": {"score": trainer.state.best_metric, "step": trainer.state.best_global_step},
        "history": trainer.state.log_history,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }
    text = json.dumps(account, indent=2, ensure_ascii=False)
    (config.output / "training.json").write_text(text + "\n", encoding="utf-8")
