"""Calibration of a trained model on held-out records.

Everything that ``ModelConfig`` has beside the weights is fitted here: temperatures and biases, so that
probabilities are honest; decision thresholds; abstention and conformal thresholds; biases of tags and links.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from claimstance.model.config import ModelConfig
from claimstance.model.decoding.tags import Floats
from claimstance.model.encoding import Backend, Ints
from claimstance.model.labels import ROLES, SENTENCE_TASKS, TASKS
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.calibration.found_pairs import fit_found_stances, fit_opinion_biases
from claimstance.training.calibration.kinds import fit_kind, without_calibration
from claimstance.training.evaluation.answers import collect
from claimstance.training.evaluation.scoring import evaluate, predict_records, primary

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
    removed = tasks or TASKS
    tasks = tuple(tasks or predictor.config.tasks)
    calibrated = without_calibration(predictor.config, removed)
    # ``calibrated`` changes below; answers are collected with a configuration that stays as it is.
    uncalibrated = replace(without_calibration(predictor.config, removed), tasks=tasks)
    uncalibrated_predictor = Predictor(
        uncalibrated, predictor.windows, predictor.backend, predictor.workers
    )
    pairs = predict_records(uncalibrated_predictor, records)
    calibrated.biases |= fit_biases(uncalibrated_predictor, records)

    exhaustive: list[Record] = []
    if "stance" in tasks and uncalibrated.opinion_heads:
        exhaustive = [
            record for record in records if record.meta.get("corpus") in exhaustive_stances
        ]
    if exhaustive:
        # The encoder reads each window once for all that is fitted to found stances.
        backend = CachingBackend(predictor.backend)
        # Sources are holders and names are targets, whether or not their tasks are calibrated.
        biased = without_calibration(predictor.config, removed)
        biased.biases |= calibrated.biases
        biased_predictor = Predictor(biased, predictor.windows, backend)
        calibrated.biases |= fit_opinion_biases(biased_predictor, exhaustive, no_stance)

    for task in (*SENTENCE_TASKS, "stance"):
        answers = collect(uncalibrated, task, pairs) if task in tasks else None
        if answers is not None:
            for kind, kind_answers in {**answers.by_kind(), task: answers}.items():
                fit_kind(calibrated, kind, kind_answers)
    if exhaustive:
        cached_predictor = Predictor(predictor.config, predictor.windows, backend)
        fit_found_stances(calibrated, cached_predictor, exhaustive, no_stance)
    return calibrated


def fit_biases(predictor: Predictor, records: Sequence[Record]) -> dict[str, float]:
    """Return the biases of tags (by role) and links with which attributions score best on ``records``.

    They are fitted one after the other, links first. Without annotated attributions there are none.
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
            config = replace(predictor.config, tasks=("attribution",), biases={**best, name: bias})
            biased = Predictor(config, predictor.windows, backend)
            scores[bias] = primary(evaluate(biased, annotated))["mean"]
        # Of biases that score alike, the smallest is chosen.
        best[name] = max(scores, key=lambda bias: (scores[bias], -abs(bias)))
    return best


class CachingBackend:
    """Read each window once, and return the same output from then on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._outputs: dict[tuple[bytes, bytes, bytes], dict[str, Floats]] = {}
        self.stance = backend.stance
        self.link = backend.link

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Return the output for a window (see ``Backend``)."""
        key = (ids.tobytes(), segments.tobytes(), sentences.tobytes())
        if key not in self._outputs:
            self._outputs[key] = self._backend.read(ids, segments, sentences)
        return self._outputs[key]
