"""Temperatures and biases that turn logits into calibrated probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from claimstance.model.decoding.tags import softmax
from claimstance.training.evaluation.metrics import Array

_FOLDS = 5  # of the cross-fitting that decides for biases of labels


@dataclass(frozen=True)
class LogitScaler:
    """Map logits to probabilities.

    Attributes:
        biases: they are added to the logits, (labels,).
        temperature: it divides the sum of logits and biases.
    """

    biases: Array
    temperature: float

    def __call__(self, logits: Array) -> Array:
        """Return probabilities: (n, labels) → (n, labels)."""
        return np.asarray(softmax(logits + self.biases, self.temperature), dtype=float)


def fit_scale(logits: Array, gold: NDArray[np.int64], documents: NDArray[np.str_]) -> LogitScaler:
    """Fit a temperature (Guo et al. 2017), and a bias for each label but the first if that helps.

    Temperature and biases together are Platt scaling for two labels, and bias-corrected temperature scaling
    for more (Alexandari et al. 2020). Biases stay only if they make held-out documents likelier by more than
    two standard errors (cross-fitting, five folds). A standard normal prior on every parameter keeps a
    handful of rows from extreme values.

    Args:
        logits: (n, labels).
        gold: (n,) indices of the gold labels.
        documents: (n,) the document of each row.
    """
    names, document = np.unique(documents, return_inverse=True)
    if len(names) < _FOLDS:
        return _fit_scale(logits, gold, with_biases=False)
    gain = np.zeros(len(names))  # of log likelihood by biases, for each document
    shuffled = np.random.default_rng(13).permutation(len(names))
    fold_of_row = shuffled[document] % _FOLDS
    for fold in range(_FOLDS):
        test = fold_of_row == fold
        train = ~test
        plain = _fit_scale(logits[train], gold[train], with_biases=False)
        biased = _fit_scale(logits[train], gold[train], with_biases=True)
        plain_losses = _losses(plain, logits[test], gold[test])
        biased_losses = _losses(biased, logits[test], gold[test])
        np.add.at(gain, document[test], plain_losses - biased_losses)
    standard_error = np.sqrt(gain @ gain)
    biases_help = bool(gain.sum() > 2 * standard_error)
    return _fit_scale(logits, gold, with_biases=biases_help)


def _fit_scale(logits: Array, gold: NDArray[np.int64], with_biases: bool) -> LogitScaler:
    """Fit the scaler with the greatest posterior probability."""

    def scale(parameters: Array) -> LogitScaler:
        biases = np.zeros(logits.shape[1])
        if with_biases:
            biases[1:] = parameters[1:]
        return LogitScaler(biases, float(np.exp(parameters[0])))

    def objective(parameters: Array) -> float:
        losses = _losses(scale(parameters), logits, gold)
        prior = 0.5 * parameters @ parameters
        return float(losses.sum() + prior)

    size = logits.shape[1] if with_biases else 1
    solution = minimize(objective, np.zeros(size), method="L-BFGS-B")
    return scale(solution.x)


def _losses(scale: LogitScaler, logits: Array, gold: NDArray[np.int64]) -> Array:
    """Return the negative log-likelihoods, (n,)."""
    probabilities = scale(logits)  # (n, labels)
    likelihoods = probabilities[np.arange(len(gold)), gold]
    return np.asarray(-np.log(np.clip(likelihoods, 1e-12, None)))
