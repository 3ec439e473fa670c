"""Whole runs: from a configuration to a built dataset, a trained model, its figures on dev and its card."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import TASKS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.onnx.manifest import MANIFEST_FILE
from claimstance.model.record import Record
from claimstance.training.config import AUTO, Config
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels, load_records, split_names
from claimstance.training.data.label_checks import count_labels, keep_labels_of, unseen_labels
from claimstance.training.data.report.report import (
    BuildReport,
    dataset_fingerprint,
    load_build_report,
)
from claimstance.training.data.soft_labels import SoftLabels, load_soft
from claimstance.training.distillation.hard_negatives import add_hard_negatives
from claimstance.training.distillation.teachers import add_soft_labels
from claimstance.training.evaluation.baselines import compute_baselines, not_beaten
from claimstance.training.evaluation.scoring import Results, evaluate, plain_figures
from claimstance.training.fine_tuning.processes import is_main_process, process_count
from claimstance.training.training_report import read_training_report, write_training_report

log = logging.getLogger(__name__)
_BUNDLED = " or ".join(BUNDLED_MODELS)

#: Called with the number of rows or sentences that were processed since the last call.
Progress = Callable[[int], None]
#: A context that shows the progress of a build, and returns the function that advances it, if any.
BuildDisplay = Callable[[], AbstractContextManager[Progress | None]]


def run(config: Config, resume: bool = False, build_display: BuildDisplay = nullcontext) -> Path:
    """Train the model of a configuration, and return its folder.

    The dataset is built first if it does not exist yet.

    Args:
        config: the whole configuration.
        resume: continue from the last checkpoint in the output folder.
        build_display: the context that the dataset is built in.

    Raises:
        ConfigError: if the dataset neither exists nor is described, a trained model is in the output folder
            already, or a model to start from or to learn from does not exist.
    """
    from claimstance.training.fine_tuning.train import train

    _check_folders(config, resume)
    data_folder = config.data.path
    is_built_now = not data_folder.exists()
    if is_built_now:
        _build_missing_dataset(config.data, build_display)
    names = split_names(data_folder)
    # The test split must not influence training, so it is never loaded here.
    splits = {split: load_records(data_folder, split) for split in names if split != "test"}
    if "train" not in splits:
        raise InputError(f"{data_folder}: expected a split 'train', found {', '.join(names)}")
    # The build has warned of these labels already.
    if not is_built_now:
        for message in _labels_not_in_train(data_folder, splits):
            log.warning("%s: %s", data_folder, message)
    folder = train(
        config,
        splits,
        load_labels(data_folder),
        load_soft(data_folder),
        resume,
        dataset_fingerprint(data_folder),
    )
    if is_main_process():
        _write_results(config, folder, splits)
    return folder


def _write_results(config: Config, folder: Path, splits: Mapping[str, Sequence[Record]]) -> None:
    """Write the figures of a trained model on dev, beside those of baselines, and its card; log warnings."""
    from claimstance.training.fine_tuning.sentence_embeddings import SentenceEncoder
    from claimstance.training.model_card import write_card

    tasks = config.training.trainable_tasks or TASKS
    train_records = keep_labels_of(splits["train"], tasks)
    dev = keep_labels_of(splits.get("dev", ()), tasks)
    results: Results = {}
    baselines: dict[str, Results] = {}
    if dev:
        predictor, _ = load_predictor(folder)
        results = evaluate(predictor, dev)
        embed = SentenceEncoder(config.model.encoder, config.model.max_tokens)
        baselines = compute_baselines(train_records, dev, dev, predictor.config.labels, embed)

    training_report = read_training_report(folder)
    training_report["dev"] = {
        "results": plain_figures(results),
        "baselines": {name: plain_figures(figures) for name, figures in baselines.items()},
    }
    write_training_report(folder, training_report)
    write_card(folder, config, results, baselines)
    for message in not_beaten(results, baselines):
        log.warning("dev, %s", message)
    for topic in ModelConfig.load(folder).topics:
        log.warning(
            "every stance in train is toward '%s': the model has seen no other target, and its stances toward "
            "others mean nothing",
            topic,
        )


def _check_folders(config: Config, resume: bool) -> None:
    """Raise ``ConfigError`` if a folder is missing that the run needs, or exists that it would write."""
    if (config.output / MANIFEST_FILE).exists() and not resume:
        raise ConfigError(
            f"output: expected a new folder, found a trained model in {config.output}"
        )
    init_from = config.model.init_from
    if init_from is not None and init_from != AUTO:
        _require_model(init_from, "model.init_from")


def _require_model(model: Path, setting: str) -> None:
    """Raise ``ConfigError``, with a message that begins with ``setting``, if the folder of a model is missing."""
    if not model_folder(model).is_dir():
        raise ConfigError(
            f"{setting}: expected a trained model in {model}, or {_BUNDLED}, found no such folder"
        )


def _build_missing_dataset(data: DataConfig, build_display: BuildDisplay) -> None:
    """Build the dataset that a configuration describes, in its folder."""
    if not data.sources:
        raise ConfigError(
            f"data.path: expected a built dataset at {data.path}, found nothing, and no data.sources "
            "to build it from (see `claimstance build --help`)"
        )
    if process_count() > 1:
        raise ConfigError(
            f"data.path: expected a built dataset at {data.path} where several processes train, "
            "found nothing (build it first: `claimstance build --help`)"
        )
    log.info("building %s", data.path)
    with build_display() as progress:
        build_configured_dataset(data, data.path, progress)


def build_configured_dataset(
    data: DataConfig,
    out: Path,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> BuildReport:
    """Build a dataset, with the soft labels of its teachers and its hard negatives, if it has any.

    See ``claimstance.training.data.build``. Nothing is left at ``out`` unless all of it was written.

    Args:
        data: the dataset and its teachers.
        out: the folder of the dataset.
        progress: called with the number of rows, and then of sentences that a teacher has read.
        overwrite: replace a dataset that is in ``out``.

    Raises:
        ConfigError: as ``build``, and for a teacher that does not exist or cannot label these records.
        InputError: as ``build``.
    """
    # A missing model is reported before all corpora are read.
    for teacher in data.teachers:
        _require_model(teacher.model, "data.teachers")
    if data.hard_negatives is not None:
        _require_model(data.hard_negatives.model, "data.hard_negatives")
    if not data.teachers and data.hard_negatives is None:
        return build(data, out, progress, overwrite)

    def add_labels(
        records: Sequence[Record], labels: Mapping[str, Sequence[str]]
    ) -> dict[str, SoftLabels]:
        if data.hard_negatives is not None:
            add_hard_negatives(data.hard_negatives, records, labels, progress)
        return add_soft_labels(data.teachers, records, labels, progress)

    return build(data, out, progress, overwrite, add_labels)


def _labels_not_in_train(data_folder: Path, splits: Mapping[str, Sequence[Record]]) -> list[str]:
    """Describe the labels of dev and test that train lacks.

    The labels of test are read from the counts in the dataset's report, not from its rows.
    """
    train = count_labels(splits["train"])
    messages = unseen_labels(train, count_labels(splits.get("dev", ())), "dev")
    report = load_build_report(data_folder)
    if report is None:
        return messages
    test: dict[str, dict[str, int]] = {}
    for task, counts in report.labels.get("test", {}).items():
        # "none" counts rows that were annotated with an empty list, unless a label has that name.
        label_names = report.label_sets.get(task, ())
        test[task] = {name: count for name, count in counts.items() if name in label_names}
    return messages + unseen_labels(train, test, "test")
