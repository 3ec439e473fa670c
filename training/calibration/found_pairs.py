"""Calibration of the pairs of a holder and a target that a model finds by itself."""

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
from claimstance.training.calibration.found_stances import FoundStances, best_f1, score_found_pairs
from claimstance.training.calibration.kinds import fit_kind, without_calibration
from claimstance.training.calibration.thresholds import EPSILON, MIN_ANSWERS

#: Biases of tags of ``OPINION_HEADS`` that are tried.
_OPINION_BIASES = (0.0, 1.0, 2.0, 3.0)


def fit_opinion_biases(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> dict[str, float]:
    """Return the biases of the tags of ``OPINION_HEADS`` with which the stances found have the best F1.

    One bias for both heads is fitted first, then one for each. The evidence of pairs is fitted to each choice: it
    rejects many of the pairs that a greater bias adds.
    """
    scores: dict[tuple[float, ...], float] = {}

    def find(biases: dict[str, float]) -> FoundStances:
        config = replace(predictor.config, biases=biases)
        biased = Predictor(config, predictor.windows, predictor.backend)
        return score_found_pairs(biased, records, no_stance)

    def score(biases: tuple[float, ...]) -> float:
        if biases not in scores:
            head_biases = dict(zip(OPINION_HEADS, biases, strict=True))
            stances = find({**predictor.config.biases, **head_biases})
            weights = fit_evidence(stances, no_stance)
            stances = find({**predictor.config.biases, **head_biases, **weights})
            scores[biases] = best_f1(stances, no_stance)
        return scores[biases]

    equal_biases = [(bias,) * len(OPINION_HEADS) for bias in _OPINION_BIASES]
    best = max(equal_biases, key=score)
    for position in range(len(OPINION_HEADS)):
        before, after = best[:position], best[position + 1 :]
        candidates = [(*before, bias, *after) for bias in _OPINION_BIASES]
        best = max(candidates, key=score)
    return dict(zip(OPINION_HEADS, best, strict=True))


def fit_found_stances(
    config: ModelConfig, predictor: Predictor, records: Sequence[Record], no_stance: str
) -> None:
    """Calibrate the stances of pairs that the model finds by itself, and store the result in ``config``.

    Args:
        config: changed in place; it has the biases of the heads that find holders and targets.
        predictor: the model.
        records: held-out sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    span_biases = {head: config.biases.get(head, 0.0) for head in OPINION_HEADS}
    unscaled = without_calibration(config, ("stance",))
    unscaled.biases |= span_biases
    unscaled_predictor = Predictor(unscaled, predictor.windows, predictor.backend)
    stances = score_found_pairs(unscaled_predictor, records, no_stance)
    if not len(stances.answers.gold):
        return
    weights = fit_evidence(stances, no_stance)
    config.biases |= weights
    unscaled.biases |= weights
    # The probabilities change, and with them the choice among nested targets.
    stances = score_found_pairs(unscaled_predictor, records, no_stance)
    fit_kind(config, FOUND, stances.answers)
    # Annotated stances that no pair matches count as missed, so the best limit follows from the best F1.
    limit = max(best_f1(stances, no_stance) / 2, EPSILON)
    limits = dict.fromkeys(stances.answers.labels, limit)
    limits[no_stance] = 1 - limit
    total = sum(limits.values())
    for label, value in limits.items():
        config.thresholds[f"{FOUND}.{label}"] = round(value / total, 4)


def fit_evidence(stances: FoundStances, no_stance: str) -> dict[str, float]:
    """Return the weights of the properties of pairs, as biases of the label of pairs without a stance.

    Each is minus the coefficient of a property, divided by that of the network's log-odds, in a logistic
    regression of whether the annotation has a stance. There are none for fewer than ``MIN_ANSWERS`` pairs, for
    pairs of one kind, and if the network's log-odds do not help.

    Args:
        stances: the pairs, with uncalibrated probabilities.
        no_stance: the label of pairs without a stance.
    """
    answers = stances.answers
    neutral = answers.labels.index(no_stance)
    has_stance = answers.gold != neutral
    if len(answers.gold) < MIN_ANSWERS or has_stance.all() or not has_stance.any():
        return {}
    neutral_probability = np.clip(answers.probabilities[:, neutral], EPSILON, 1 - EPSILON)
    features = np.column_stack([-logit(neutral_probability), stances.evidence])  # (P, 1 + E)
    regression = LogisticRegression().fit(features, has_stance)
    scale, *coefficients = regression.coef_[0].tolist()
    if scale <= 0:
        return {}
    weights = {}
    for name, coefficient in zip(EVIDENCE, coefficients, strict=True):
        weights[f"{FOUND}.{no_stance}.{name}"] = -round(coefficient / scale, 4)
    return weights
