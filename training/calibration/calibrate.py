"""Fit the temperatures, biases and thresholds of a trained model on dev."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from claimstance.model.config import ModelConfig
from claimstance.model.decoding.tags import Floats
from claimstance.model.encoding import Backend, Ints
from claimstance.model.labels import LABEL_TASKS, ROLES, TASKS
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.calibration.kind_calibration import calibrate_kind, without_calibration
from claimstance.training.calibration.pair_calibration import (
    calibrate_detected_pairs,
    fit_opinion_biases,
)
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.scoring import (
    Pair,
    evaluate,
    predict_records,
    primary_scores,
)

#: Biases of tags of attributions and of links that are tried.
_BIASES = (-0.5, 0.0, 0.5, 1.0, 1.5)


def calibrate(
    predictor: Predictor,
    records: Sequence[Record],
    tasks: Sequence[str] | None = None,
    exhaustive_stances: Collection[str] = (),
    no_stance: str = "neutral",
) -> ModelConfig:
    """Return the model's configuration calibrated on ``records``.

    Args:
        predictor: the exported model.
        records: held-out records.
        tasks: tasks to calibrate, all of the model's if ``None``; the calibration of others stays.
        exhaustive_stances: corpora whose sentences list every stance that they express.
        no_stance: the label of pairs without a stance.
    """
    base = without_calibration(predictor.config, tasks or TASKS)
    requested = replace(base, tasks=tuple(tasks or base.tasks))
    base_predictor = Predictor(requested, predictor.windows, predictor.backend, predictor.workers)
    predictions = predict_records(base_predictor, records)
    attribution_biases = fit_attribution_biases(base_predictor, records)
    calibrated = replace(base, biases=base.biases | attribution_biases)

    exhaustive: list[Record] = []
    if requested.opinion_heads:
        exhaustive = [
            record for record in records if record.meta.get("corpus") in exhaustive_stances
        ]
    if exhaustive:
        # The encoder reads each window once for all that is fitted to pairs.
        backend = CachingBackend(predictor.backend)
        # Sources are holders and names are targets, whether or not their tasks are calibrated.
        detector = Predictor(calibrated, predictor.windows, backend)
        opinion_biases = fit_opinion_biases(detector, exhaustive, no_stance)
        calibrated = replace(calibrated, biases=calibrated.biases | opinion_biases)

    for kind, answers in _answers_by_kind(requested, predictions).items():
        calibrated = calibrate_kind(calibrated, kind, answers)
    if exhaustive:
        detector = Predictor(calibrated, predictor.windows, backend)
        calibrated = calibrate_detected_pairs(detector, exhaustive, no_stance)
    return calibrated


def fit_attribution_biases(predictor: Predictor, records: Sequence[Record]) -> dict[str, float]:
    """Return the biases of tags (by role) and links with which attributions score best on ``records``.

    They are fitted one after the other, links first. Without annotated attributions there are none.

    Args:
        predictor: the model, whose own biases are not used.
        records: held-out records.
    """
    annotated = [record for record in records if record.attributions is not None]
    if "attribution" not in predictor.config.tasks or not annotated:
        return {}
    # The encoder reads each window once; only the decoding is repeated.
    backend = CachingBackend(predictor.backend)
    best: dict[str, float] = {}
    for name in ("link", *reversed(ROLES)):
        scores = {}
        for bias in _BIASES:
            biases = best | {name: bias}
            config = replace(predictor.config, tasks=("attribution",), biases=biases)
            report = evaluate(Predictor(config, predictor.windows, backend), annotated)
            scores[bias] = primary_scores(report)["mean"]
        # Break ties by the smallest absolute bias.
        best[name] = max(scores, key=lambda bias: (scores[bias], -abs(bias)))
    return best


def _answers_by_kind(config: ModelConfig, predictions: Sequence[Pair]) -> dict[str, Answers]:
    """Return the answers of each task that has labels, and those of each kind of the stance query."""
    answers_by_kind: dict[str, Answers] = {}
    for task in LABEL_TASKS:
        if task not in config.tasks:
            continue
        answers = collect(config, task, predictions)
        if answers is not None:
            answers_by_kind |= answers.by_kind()
            answers_by_kind[task] = answers
    return answers_by_kind


class CachingBackend:
    """Read each window once, and return the same output from then on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._outputs: dict[tuple[bytes, ...], dict[str, Floats]] = {}
        self.stance = backend.stance
        self.link = backend.link

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Return the output for a window (see ``Backend``)."""
        key = (ids.tobytes(), segments.tobytes(), sentences.tobytes())
        if key not in self._outputs:
            self._outputs[key] = self._backend.read(ids, segments, sentences)
        return self._outputs[key]
