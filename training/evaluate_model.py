"""Evaluation of a trained model on a split of a built dataset, beside baselines and annotators."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.errors import InputError, ModelError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.onnx.manifest import sha256
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.dataset import load_records, split_names
from claimstance.training.data.label_checks import count_labels, keep_labels_of, unseen_labels
from claimstance.training.data.report.report import REPORT_FILE, dataset_fingerprint
from claimstance.training.evaluation.baselines import Embed, compute_baselines, not_beaten
from claimstance.training.evaluation.counts import Outcomes
from claimstance.training.evaluation.result import Evaluation
from claimstance.training.evaluation.scoring import (
    Results,
    plain_figures,
    predict_records,
    primary_scores,
    score_pairs,
)
from claimstance.training.load_config import load_config
from claimstance.training.training_report import read_training_report

log = logging.getLogger(__name__)


def evaluate_model(
    model: Path | str | None,
    data: Path,
    split: str = "test",
    exact: bool = False,
    progress: Callable[[int], None] | None = None,
    baselines: bool = False,
) -> Evaluation:
    """Score a model on a split of a built dataset.

    Args:
        model: ``small`` or ``base``, a folder, or a name on the hub; ``base`` if ``None``.
        data: the folder of the dataset.
        split: the split to score.
        exact: use the float32 weights through torch in place of the exported model.
        progress: called with the number of sentences read since the last call.
        baselines: fit baselines on the dataset's train split, score them on the same split, and warn where the model
            is not better.

    Raises:
        InputError: if the dataset has no such split, or labels that the model does not know.
    """
    predictor, digest = _load(model, exact)
    records = load_records(data, split)
    _check_labels(records, predictor.config.labels, data)
    trained_labels = read_training_report(model_folder(model)).get("train_labels")
    if isinstance(trained_labels, dict):
        for message in unseen_labels(trained_labels, count_labels(records), split):
            log.warning("%s: %s", data, message)
    pairs = predict_records(predictor, records, progress)
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
            "fingerprint": dataset_fingerprint(data, split),
        },
        "primary": primary_scores(results),
        "results": plain_figures(results),
    }
    people = _annotator_agreement(data, account["results"])
    if people:
        account["people"] = people
    if baselines and split != "train" and "train" in split_names(data):
        baseline_results = _baseline_results(model, data, records, predictor.config)
        account["baselines"] = {
            name: plain_figures(figures) for name, figures in baseline_results.items()
        }
        for message in not_beaten(results, baseline_results):
            log.warning("%s, %s", split, message)
    return Evaluation(account, outcomes, predictor.config, pairs)


def score(
    model: Path | str | None,
    data: Path,
    split: str = "test",
    exact: bool = False,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], Outcomes]:
    """Return the ``account`` and the ``outcomes`` of ``evaluate_model``."""
    evaluation = evaluate_model(model, data, split, exact, progress)
    return evaluation.account, evaluation.outcomes


def _load(model: Path | str | None, exact: bool) -> tuple[Predictor, str]:
    """Return a predictor of the model and the model's sha256; with ``exact``, of its float32 weights."""
    if not exact:
        return load_predictor(model)
    from claimstance.model.network import ClaimStanceModel
    from claimstance.model.torch_backend import torch_predictor

    folder = model_folder(model)
    if folder in BUNDLED_MODELS.values():
        raise ModelError("a bundled model has no float32 weights: score it as shipped")
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(folder))
    return predictor, sha256(folder / "model.safetensors")


def _check_labels(
    records: Sequence[Record], labels: Mapping[str, Sequence[str]], data: Path
) -> None:
    """Raise ``InputError`` for the first label that the model does not know."""
    for record in records:
        record_labels = [(task, getattr(record, task)) for task in SENTENCE_TASKS]
        record_labels += [("stance", stance.label) for stance in record.stances or ()]
        for task, label in record_labels:
            if label is not None and task in labels and label not in labels[task]:
                raise InputError(
                    f"{data}, record {record.id}: {task}: expected one of the model's labels "
                    f"({', '.join(labels[task])}), found '{label}'"
                )


def _annotator_agreement(
    data: Path, results: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return ``corpus/task`` → metric → the figure of annotators against one another, for the metrics in ``results``.

    The figures come from the report of a dataset with several annotators. They are about all sentences that
    these share, in whichever split.
    """
    try:
        report = json.loads((data / REPORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    agreement: dict[str, dict[str, Any]] = {}
    for corpus, corpus_report in (report.get("agreement") or {}).items():
        for task, figures in corpus_report["people"].items():
            metrics = results.get(f"{corpus}/{task}", {})
            shared = {metric: figures[metric] for metric in metrics if metric in figures}
            if shared:
                agreement[f"{corpus}/{task}"] = shared
    return agreement


def _baseline_results(
    model: Path | str | None, data: Path, records: Sequence[Record], config: ModelConfig
) -> dict[str, Results]:
    """Return the figures of baselines on ``records``, for the model's tasks.

    The baseline on embeddings needs the encoder that the model's training began with; it is left out for a
    model without a ``config.yaml``.
    """
    train = load_records(data, "train")
    dev = load_records(data, "dev") if "dev" in split_names(data) else []
    embed: Embed | None = None
    if model is not None and (Path(model) / "config.yaml").is_file():
        from claimstance.training.fine_tuning.sentence_embeddings import SentenceEncoder

        settings = load_config(Path(model) / "config.yaml").model
        embed = SentenceEncoder(settings.encoder, settings.max_tokens)
    return compute_baselines(
        keep_labels_of(train, config.tasks),
        keep_labels_of(dev, config.tasks),
        keep_labels_of(records, config.tasks),
        config.labels,
        embed,
    )
