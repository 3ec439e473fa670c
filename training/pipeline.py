"""Whole runs: from a configuration to a trained model, and from a model to its scores on a dataset."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError, ModelError
from claimstance.model.labels import SENTENCE_TASKS, TASKS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.onnx.manifest import MANIFEST_FILE, sha256
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.config import AUTO, Config
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels, load_records, split_names
from claimstance.training.data.label_coverage import LabelCounts, count_labels, unseen_labels
from claimstance.training.data.report.report import REPORT_FILE, BuildReport
from claimstance.training.data.soft_labels import SoftLabels, load_soft
from claimstance.training.distillation.teachers import add_soft_labels
from claimstance.training.evaluation.baselines import Embed, compute_baselines, not_beaten
from claimstance.training.evaluation.counts import Outcomes
from claimstance.training.evaluation.evaluate import (
    Results,
    evaluate,
    pair,
    plain_figures,
    primary,
    score_pairs,
)
from claimstance.training.evaluation.evaluation import Evaluation
from claimstance.training.load_config import load_config

log = logging.getLogger(__name__)
OFF_TOPIC = (
    "the model has seen no sentence about anything else, and what it says of one means nothing"
)
ACCOUNT_FILE = "training.json"  # in a model's folder: how its training went


def run(
    config: Config,
    resume: bool = False,
    building: Callable[[], AbstractContextManager[Callable[[int], None] | None]] = nullcontext,
) -> Path:
    """Train the model of ``config``; its dataset is built first if it is described but not there yet.

    ``building`` is entered while it is built, and gives what ``build`` calls with its progress.

    Raises:
        ConfigError: if the dataset is neither there nor described, there is a model in the output folder already, or
            none to start from or to learn from.
    """
    from claimstance.training.fine_tuning.examples import about
    from claimstance.training.fine_tuning.train import process_count, train
    from claimstance.training.model_card import write_card

    data = config.data
    if (config.output / MANIFEST_FILE).exists() and not resume:
        raise ConfigError(
            f"output: expected a new folder, found a trained model in {config.output}"
        )
    start = config.model.init_from
    if start not in (None, AUTO) and not model_folder(start).is_dir():
        raise ConfigError(
            f"model.init_from: expected a trained model in {start}, or 'bundled', found no such folder"
        )
    if not data.path.exists():
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
        with building() as progress:
            build_and_teach(data, data.path, progress)
    splits = {
        split: load_records(data.path, split) for split in split_names(data.path) if split != "test"
    }
    if "train" not in splits:
        raise InputError(
            f"{data.path}: expected a split 'train', found {', '.join(split_names(data.path))}"
        )
    for message in _labels_not_in_train(data.path, splits):
        log.warning("%s: %s", data.path, message)
    folder = train(
        config,
        splits,
        load_labels(data.path),
        load_soft(data.path),
        resume,
        _fingerprint(data.path),
    )
    if (folder / MANIFEST_FILE).exists():  # of several processes, the first one writes the model
        tasks = config.training.trainable_tasks or TASKS
        splits = {split: about(records, tasks) for split, records in splits.items()}
        results, baselines = _measure_on_dev(config, folder, splits)
        _write_dev_figures(folder, results, baselines)
        write_card(folder, config, results, baselines)
        for message in not_beaten(results, baselines):
            log.warning("dev, %s", message)
        for topic in ModelConfig.load(folder).topics:
            log.warning("every stance in train is toward '%s': %s", topic, OFF_TOPIC)
    return folder


def _measure_on_dev(
    config: Config, folder: Path, splits: Mapping[str, Sequence[Record]]
) -> tuple[Results, dict[str, Results]]:
    """Return the figures of a trained model on dev, and those of baselines that are fitted on its train records."""
    from claimstance.training.fine_tuning.sentence_embeddings import SentenceEncoder

    dev, train = splits.get("dev", ()), splits["train"]
    if not dev:
        return {}, {}
    predictor, _ = load_predictor(folder)
    results = evaluate(predictor, dev)
    embed = SentenceEncoder(config.model.encoder, config.model.max_tokens)
    return results, compute_baselines(train, dev, dev, predictor.config.labels, embed)


def _write_dev_figures(folder: Path, results: Results, baselines: Mapping[str, Results]) -> None:
    """Add the figures on dev to a model's ``training.json``."""
    account = _account(folder)
    account["dev"] = {
        "results": plain_figures(results),
        "baselines": {name: plain_figures(theirs) for name, theirs in baselines.items()},
    }
    text = json.dumps(account, indent=2, ensure_ascii=False)
    (folder / ACCOUNT_FILE).write_text(text + "\n", encoding="utf-8")


def dev_figures(folder: Path) -> dict[str, Any] | None:
    """Return the figures on dev of a trained model and of baselines: ``results`` and ``baselines``, if it has any."""
    figures = _account(folder).get("dev")
    return figures if isinstance(figures, dict) and figures.get("results") else None


def _account(folder: Path) -> dict[str, Any]:
    """Return what a model's ``training.json`` says; nothing if it cannot be read."""
    try:
        account = json.loads((folder / ACCOUNT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return account if isinstance(account, dict) else {}


def _labels_not_in_train(data: Path, splits: Mapping[str, Sequence[Record]]) -> list[str]:
    """Describe labels of dev and test that train lacks. Of test, only the counts in the dataset's report are read."""
    train = count_labels(splits["train"])
    messages = unseen_labels(train, count_labels(splits.get("dev", ())), "dev")
    try:
        report = BuildReport.model_validate_json((data / REPORT_FILE).read_bytes())
    except (OSError, ValidationError):
        return messages
    test = {
        # "none" counts rows that were annotated with an empty list, unless it is a label's name.
        task: {name: n for name, n in counts.items() if name in report.label_sets.get(task, ())}
        for task, counts in report.labels.get("test", {}).items()
    }
    return messages + unseen_labels(train, test, "test")


def build_and_teach(
    data: DataConfig,
    out: Path,
    progress: Callable[[int], None] | None = None,
    overwrite: bool = False,
) -> BuildReport:
    """Build a dataset, with the soft labels of its teachers (see ``claimstance.training.data.build``).

    ``progress`` is called with the number of rows read since it was called last, and then of windows that teachers
    read. Nothing is left at ``out`` unless all of it could be done.

    Raises:
        ConfigError: as ``build``, and for a teacher that does not exist or cannot label these records.
        InputError: as ``build``.
    """
    if not data.teachers:
        return build(data, out, progress, overwrite)
    for teacher in data.teachers:  # before all corpora are read
        if not model_folder(teacher.model).is_dir():
            raise ConfigError(
                f"data.teachers: expected a trained model in {teacher.model}, or 'bundled', found no such "
                "folder"
            )

    def teach(
        records: Sequence[Record], labels: Mapping[str, Sequence[str]]
    ) -> dict[str, SoftLabels]:
        return add_soft_labels(data.teachers, records, labels, progress)

    return build(data, out, progress, overwrite, teach)


def score(
    model: Path | str | None,
    data: Path,
    split: str = "test",
    exact: bool = False,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], Outcomes]:
    """The ``account`` and ``outcomes`` of ``examine``."""
    found = examine(model, data, split, exact, progress)
    return found.account, found.outcomes


def examine(
    model: Path | str | None,
    data: Path,
    split: str = "test",
    exact: bool = False,
    progress: Callable[[int], None] | None = None,
    baselines: bool = False,
) -> Evaluation:
    """Score a model on a split of a built dataset.

    Args:
        model: the bundled one if ``None``, a folder, or a name on the hub.
        data: the folder of the dataset.
        split: its split to score on.
        exact: use the float32 weights through torch in place of the exported model.
        progress: called with the number of sentences read since it was called last.
        baselines: fit baselines on the dataset's train split, score them on the same split, and warn where the model
            is not better.

    Raises:
        InputError: if the dataset has no such split, or labels that the model does not know.
    """
    predictor, digest = _predictor(model, exact)
    records = load_records(data, split)
    _check_known(records, predictor.config.labels, data)
    for message in unseen_labels(_trained_labels(model), count_labels(records), split):
        log.warning("%s: %s", data, message)
    pairs = pair(predictor, records, progress)
    results, outcomes = score_pairs(predictor.config, pairs)
    if not results:
        raise InputError(
            f"{data}, split {split}: expected labels for one of the model's tasks "
            f"({', '.join(predictor.config.tasks)}), found none"
        )
    account: dict[str, Any] = {
        "date": date.today().isoformat(),
        "model": {
            "name": predictor.config.name,
            "version": predictor.config.version,
            "sha256": digest,
            "precision": "float32" if exact else "as exported",
        },
        "data": {
            "path": str(data),
            "split": split,
            "rows": len(records),
            "fingerprint": _fingerprint(data, split),
        },
        "primary": primary(results),
        "results": plain_figures(results),
    }
    if people := _people(data, account["results"]):
        account["people"] = people
    if baselines and split != "train" and "train" in split_names(data):
        theirs = _baselines_of(model, data, split, records, predictor.config)
        account["baselines"] = {name: plain_figures(figures) for name, figures in theirs.items()}
        for message in not_beaten(results, theirs):
            log.warning("%s, %s", split, message)
    return Evaluation(account, outcomes, predictor.config, pairs)


def _baselines_of(
    model: Path | str | None,
    data: Path,
    split: str,
    records: Sequence[Record],
    config: ModelConfig,
) -> dict[str, Results]:
    """Return the figures of baselines, for the model's tasks, on the records of a split.

    The encoder of the regression on embeddings is the one that a model trained here began with; without a folder that
    says which one, that baseline is left out.
    """
    from claimstance.training.fine_tuning.examples import about

    train = load_records(data, "train")
    dev = load_records(data, "dev") if "dev" in split_names(data) else []
    embed: Embed | None = None
    file = Path(model) / "config.yaml" if model is not None else None
    if file is not None and file.is_file():
        from claimstance.training.fine_tuning.sentence_embeddings import SentenceEncoder

        settings = load_config(file).model
        embed = SentenceEncoder(settings.encoder, settings.max_tokens)
    train, dev, records = (about(part, config.tasks) for part in (train, dev, records))
    return compute_baselines(train, dev, records, config.labels, embed)


def _predictor(model: Path | str | None, exact: bool) -> tuple[Predictor, str]:
    """Return a predictor of the model, and the model's sha256; with ``exact``, both are of its float32 weights."""
    if not exact:
        return load_predictor(model)
    from claimstance.model.network import ClaimStanceModel
    from claimstance.model.torch_backend import torch_predictor

    if model is None:
        raise ModelError("the bundled model has no float32 weights: score it as shipped")
    weights = Path(model)
    return torch_predictor(ClaimStanceModel.from_pretrained(weights)), sha256(
        weights / "model.safetensors"
    )


def _trained_labels(model: Path | str | None) -> LabelCounts:
    """Return the label counts of what a model was trained on; none for a model that does not say."""
    counts = _account(model_folder(model)).get("train_labels")
    return counts if isinstance(counts, dict) else {}


def _people(data: Path, results: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """``corpus/task`` → metric → what annotators reach against one another, of the metrics in ``results``.

    It stands in the report of a dataset with several annotators, and is of all sentences that these share, whatever
    their split.
    """
    try:
        agreement = (
            json.loads((data / REPORT_FILE).read_text(encoding="utf-8")).get("agreement") or {}
        )
    except (OSError, ValueError):
        return {}
    found = {
        f"{corpus}/{task}": figures
        for corpus, said in agreement.items()
        for task, figures in said["people"].items()
    }
    shared = {
        name: {metric: figures[metric] for metric in results[name] if metric in figures}
        for name, figures in found.items()
        if name in results
    }
    return {name: figures for name, figures in shared.items() if figures}


def _check_known(
    records: Sequence[Record], labels: Mapping[str, Sequence[str]], data: Path
) -> None:
    for record in records:
        found = [(task, getattr(record, task)) for task in SENTENCE_TASKS]
        found += [("stance", stance.label) for stance in record.stances or ()]
        for task, label in found:
            if label is not None and task in labels and label not in labels[task]:
                raise InputError(
                    f"{data}, record {record.id}: {task}: expected one of the model's labels "
                    f"({', '.join(labels[task])}), found '{label}'"
                )


def _fingerprint(data: Path, split: str | None = None) -> str:
    """Of the whole dataset, or of one split: what is evaluated on does not depend on what was trained on."""
    try:
        report = json.loads((data / REPORT_FILE).read_text(encoding="utf-8"))
        return str(report["fingerprints"][split] if split else report["fingerprint"])
    except (OSError, ValueError, KeyError):
        return "unknown"
