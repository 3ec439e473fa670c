"""The result of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record
from claimstance.training.evaluation.counts import Outcomes
from claimstance.training.evaluation.prediction_log import PredictionLog, build_prediction_log


@dataclass(frozen=True)
class Evaluation:
    """Represent a model's scores on a split, and everything they were computed from.

    Attributes:
        account: plain values: the model, the data, and ``results``: ``corpus/task`` → metric →
            value, low, high, n. ``people`` has the same form; it is present if several annotators
            labelled the dataset.
        outcomes: the counts of each document behind the results.
        config: the configuration of the model.
        pairs: each record with the model's predictions for it.
    """

    account: dict[str, Any]
    outcomes: Outcomes
    config: ModelConfig
    pairs: Sequence[tuple[Record, Prediction]]

    @cached_property
    def prediction_log(self) -> PredictionLog:
        """Return every question with its answer, case by case."""
        return build_prediction_log(self.config, self.pairs)
