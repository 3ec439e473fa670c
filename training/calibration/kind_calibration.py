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


def calibrate_kind(config: ModelConfig, kind: str, answers: Answers) -> ModelConfig:
    """Return the configuration with one task or kind of the stance query calibrated.

    Args:
        config: the configuration.
        kind: the key of the calibration, such as ``claim`` or ``stance.holder``.
        answers: held-out answers with unscaled probabilities.
    """
    logits = np.log(np.clip(answers.probabilities, 1e-12, None))
    scale = fit_scale(logits, answers.gold, answers.documents)
    biases = {}
    for label, bias in zip(answers.labels, scale.biases.tolist(), strict=True):
        if bias:
            biases[f"{kind}.{label}"] = round(bias, 4)

    probabilities = scale(logits)
    thresholds = fit_thresholds(replace(answers, probabilities=probabilities), kind)
    predicted = (probabilities / thresholds).argmax(axis=1)
    scaled = replace(answers, probabilities=probabilities, predicted=predicted)
    abstention_thresholds = {}
    if len(answers.gold) >= MIN_ANSWERS:
        abstention_thresholds = _fit_abstention_thresholds(kind, scaled)
    conformal = fit_conformal_threshold(scaled.gold_probability, scaled.documents)

    keys = [f"{kind}.{label}" for label in answers.labels]
    return replace(
        config,
        temperatures=config.temperatures | {kind: round(scale.temperature, 4)},
        biases=config.biases | biases,
        thresholds=config.thresholds | dict(zip(keys, thresholds, strict=True)),
        abstain_below=config.abstain_below | abstention_thresholds,
        conformal=config.conformal | {kind: _rounded_down(conformal)},
    )


def _fit_abstention_thresholds(kind: str, answers: Answers) -> dict[str, float]:
    """Return kind and label → the probability below which answers abstain; warn of labels that always do."""
    precision = answered_precision(kind)
    thresholds = {}
    unreached = []
    for column, label in enumerate(answers.labels):
        # A pooled threshold would favour the majority label, so each label has its own.
        rows = answers.predicted == column
        threshold = fit_abstention_threshold(
            answers.confidence[rows], answers.correct[rows], precision
        )
        thresholds[f"{kind}.{label}"] = _rounded_down(threshold)
        if threshold == ALWAYS_ABSTAIN:
            unreached.append(label)
    if unreached:
        log.warning(
            "%s: no threshold reaches %.0f %% precision on dev for %s; these answers will abstain",
            kind,
            100 * precision,
            ", ".join(unreached),
        )
    return thresholds


def _rounded_down(probability: float) -> float:
    """Round to four digits without excluding the answer that the threshold was fitted to."""
    return float(np.floor(1e4 * probability) / 1e4)
