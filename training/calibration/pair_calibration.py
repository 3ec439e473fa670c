"""Calibration of the pairs of a holder and a target that a model detects by itself."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from claimstance.model.config import ModelConfig
from claimstance.model.labels import FOUND, OPINION_HEADS
from claimstance.model.pair_evidence import EVIDENCE
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.calibration.kind_calibration import calibrate_kind, without_calibration
from claimstance.training.calibration.pair_scoring import (
    ScoredPairs,
    best_f1,
    score_detected_pairs,
)
from claimstance.training.calibration.thresholds import EPSILON, MIN_ANSWERS

#: Biases of tags of ``OPINION_HEADS`` that are tried.
_OPINION_BIASES = (0.0, 1.0, 2.0, 3.0)


def fit_opinion_biases(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> dict[str, float]:
    """Return the biases of the tags of ``OPINION_HEADS`` with which the detected pairs have the best F1.

    One bias for both heads is fitted first, then one for each. The evidence of pairs is fitted to each choice: it
    rejects many of the pairs that a greater bias adds.

    Args:
        predictor: the model.
        records: held-out sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    scores: dict[tuple[float, ...], float] = {}

    def score_with(biases: dict[str, float]) -> ScoredPairs:
        config = replace(predictor.config, biases=biases)
        return _score_with_config(config, predictor, records, no_stance)

    def best_f1_with(head_biases: tuple[float, ...]) -> float:
        if head_biases not in scores:
            biases = predictor.config.biases | dict(zip(OPINION_HEADS, head_biases, strict=True))
            weights = fit_evidence(score_with(biases), no_stance)
            scores[head_biases] = best_f1(score_with(biases | weights), no_stance)
        return scores[head_biases]

    equal_biases = [(bias,) * len(OPINION_HEADS) for bias in _OPINION_BIASES]
    best = max(equal_biases, key=best_f1_with)
    for position in range(len(OPINION_HEADS)):
        before, after = best[:position], best[position + 1 :]
        candidates = [(*before, bias, *after) for bias in _OPINION_BIASES]
        best = max(candidates, key=best_f1_with)
    return dict(zip(OPINION_HEADS, best, strict=True))


def calibrate_detected_pairs(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> ModelConfig:
    """Return the model's configuration with the stances of pairs that it detects by itself calibrated.

    Args:
        predictor: the model, with the biases of the heads that detect holders and targets.
        records: held-out sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    config = predictor.config
    head_biases = {head: config.biases.get(head, 0.0) for head in OPINION_HEADS}
    # The keys of these heads belong to the calibration of stances, but the pairs depend on their biases.
    unscaled = without_calibration(config, ("stance",))
    unscaled = replace(unscaled, biases=unscaled.biases | head_biases)
    pairs = _score_with_config(unscaled, predictor, records, no_stance)
    if not len(pairs.answers.gold):
        return config
    weights = fit_evidence(pairs, no_stance)
    # The probabilities change with the weights, and with them the choice among nested targets.
    unscaled = replace(unscaled, biases=unscaled.biases | weights)
    pairs = _score_with_config(unscaled, predictor, records, no_stance)
    config = replace(config, biases=config.biases | weights)
    config = calibrate_kind(config, FOUND, pairs.answers)

    # Annotated stances that no pair matches count as missed, so the best limit follows from the best F1.
    limit = max(best_f1(pairs, no_stance) / 2, EPSILON)
    limits = dict.fromkeys(pairs.answers.labels, limit)
    limits[no_stance] = 1 - limit
    total = sum(limits.values())
    thresholds = {}
    for label, value in limits.items():
        thresholds[f"{FOUND}.{label}"] = round(value / total, 4)
    return replace(config, thresholds=config.thresholds | thresholds)


def _score_with_config(
    config: ModelConfig, predictor: Predictor, records: Sequence[Record], no_stance: str
) -> ScoredPairs:
    """Return the pairs that a model detects with another configuration."""
    configured = Predictor(config, predictor.windows, predictor.backend)
    return score_detected_pairs(configured, records, no_stance)


def fit_evidence(pairs: ScoredPairs, no_stance: str) -> dict[str, float]:
    """Return the weights of the properties of pairs, as biases of the label of pairs without a stance.

    Each is minus the coefficient of a property, divided by that of the network's log-odds, in a logistic
    regression of whether the annotation has a stance. There are none for fewer than ``MIN_ANSWERS`` pairs, for
    pairs of one kind, and if the network's log-odds do not help.

    Args:
        pairs: the pairs, with uncalibrated probabilities.
        no_stance: the label of pairs without a stance.
    """
    answers = pairs.answers
    neutral = answers.labels.index(no_stance)
    has_stance = answers.gold != neutral
    if len(has_stance) < MIN_ANSWERS or has_stance.all() or not has_stance.any():
        return {}
    no_stance_probability = np.clip(answers.probabilities[:, neutral], EPSILON, 1 - EPSILON)
    log_odds = -logit(no_stance_probability)  # of a stance
    features = np.column_stack([log_odds, pairs.evidence])  # (P, 1 + E)
    regression = LogisticRegression().fit(features, has_stance)
    scale, *coefficients = regression.coef_[0].tolist()
    if scale <= 0:
        return {}
    weights = {}
    for name, coefficient in zip(EVIDENCE, coefficients, strict=True):
        weights[f"{FOUND}.{no_stance}.{name}"] = -round(coefficient / scale, 4)
    return weights
