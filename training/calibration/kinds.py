"""Calibration of one task, or of one kind of the stance query."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from claimstance.model.config import ALWAYS_ABSTAIN, ModelConfig
from claimstance.model.labels import OPINION_HEADS, TASKS
from claimstance.training.calibration.scaling import fit_scale
from claimstance.training.calibration.thresholds import (
    MIN_ANSWERS,
    fit_abstention_threshold,
    fit_conformal_threshold,
    fit_thresholds,
)
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.reliability import answered_precision

log = logging.getLogger(__name__)


def without_calibration(config: ModelConfig, tasks: Sequence[str]) -> ModelConfig:
    """Return a copy of the configuration without the calibration of ``tasks``."""

    def of_other_tasks(values: dict[str, float]) -> dict[str, float]:
        remaining = {}
        for key, value in values.items():
            task = key.partition(".")[0]
            if task in OPINION_HEADS:
                task = "stance"
            elif task not in TASKS:
                task = "attribution"  # the keys of attributions are roles and "link"
            if task not in tasks:
                remaining[key] = value
        return remaining

    return replace(
        config,
        temperatures=of_other_tasks(config.temperatures),
        biases=of_other_tasks(config.biases),
        thresholds=of_other_tasks(config.thresholds),
        abstain_below=of_other_tasks(config.abstain_below),
        conformal=of_other_tasks(config.conformal),
    )


def fit_kind(config: ModelConfig, kind: str, answers: Answers) -> None:
    """Calibrate one task or kind of the stance query, and store the result in ``config``.

    Args:
        config: changed in place.
        kind: the key of the calibration, such as ``claim`` or ``stance.holder``.
        answers: held-out answers with unscaled probabilities.
    """
    logits = np.log(np.clip(answers.probabilities, 1e-12, None))
    scale = fit_scale(logits, answers.gold, answers.documents)
    config.temperatures[kind] = round(scale.temperature, 4)
    for label, bias in zip(answers.labels, scale.biases, strict=True):
        if bias:
            config.biases[f"{kind}.{label}"] = round(float(bias), 4)

    probabilities = scale(logits)
    thresholds = fit_thresholds(replace(answers, probabilities=probabilities), kind)
    for label, threshold in zip(answers.labels, thresholds, strict=True):
        config.thresholds[f"{kind}.{label}"] = threshold

    predicted = (probabilities / thresholds).argmax(axis=1)
    scaled = replace(answers, probabilities=probabilities, predicted=predicted)
    if len(answers.gold) >= MIN_ANSWERS:
        unreached = []
        for column, label in enumerate(answers.labels):
            # A pooled threshold would favour the majority label, so each label has its own.
            rows = scaled.predicted == column
            threshold = fit_abstention_threshold(
                scaled.confidence[rows], scaled.correct[rows], answered_precision(kind)
            )
            config.abstain_below[f"{kind}.{label}"] = _rounded_down(threshold)
            if threshold == ALWAYS_ABSTAIN:
                unreached.append(label)
        if unreached:
            log.warning(
                "%s: no probability from which %.0f %% of the answers on dev are right, for %s: "
                "all of these will be marked as abstained",
                kind,
                100 * answered_precision(kind),
                ", ".join(unreached),
            )

    conformal = fit_conformal_threshold(scaled.gold_probability, scaled.documents)
    config.conformal[kind] = _rounded_down(conformal)


def _rounded_down(probability: float) -> float:
    """Round to four digits without excluding the answer that the threshold was fitted to."""
    return float(np.floor(1e4 * probability) / 1e4)
