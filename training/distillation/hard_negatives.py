"""Hard negatives: pairs of a holder and a target that a model finds where the annotation has no stance.

The annotation lists the spans of stances, and a dataset adds names as neutral targets. Without further pairs,
every holder that is no source and every target that is no name would have a stance in training. A model
that looks for holders and targets itself also finds others, and has to learn to reject them.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from claimstance.model.article.record_prediction import contexts
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import OPINION_HEADS
from claimstance.model.onnx.backend import load_predictor, model_folder
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record, Stance
from claimstance.training.calibration.pair_matching import same_pair
from claimstance.training.calibration.pair_scoring import annotated_stances, detect_pairs, locate
from claimstance.training.data.config import HardNegatives
from claimstance.training.distillation.checks import require_corpora, require_opinion_heads

log = logging.getLogger(__name__)

#: Called with the number of sentences that the model has read since the last call.
Progress = Callable[[int], None]
_SEED = 13  # of the selection of a share of the pairs


def add_hard_negatives(
    settings: HardNegatives,
    records: Sequence[Record],
    labels: Mapping[str, Sequence[str]],
    progress: Progress | None = None,
) -> int:
    """Add pairs without a stance to the records of exhaustively annotated corpora, in place.

    Args:
        settings: the model and the corpora.
        records: the train rows.
        labels: task → label names of the dataset.
        progress: called with the number of sentences read.

    Returns:
        The number of pairs added.

    Raises:
        ConfigError: if no record belongs to one of the corpora, the label is not one of stances, or the model
            finds no holders and targets.
        ModelError: if the folder holds no exported model.
    """
    if settings.label not in labels["stance"]:
        raise ConfigError(
            f"data.hard_negatives.label: {unknown('label', settings.label, labels['stance'])}"
        )

    require_corpora(settings.corpora, records, "data.hard_negatives")
    predictor, _ = load_predictor(model_folder(settings.model))
    require_opinion_heads(predictor.config, f"data.hard_negatives: {settings.model}")
    # A bias towards holders and targets lets the model find more of them.
    biases = dict(predictor.config.biases)
    for head in OPINION_HEADS:
        biases[head] = biases.get(head, 0.0) + settings.bias
    config = replace(predictor.config, biases=biases)
    predictor = Predictor(config, predictor.windows, predictor.backend)

    selected = [record for record in records if record.meta.get("corpus") in settings.corpora]
    log.info("%s looks for holders and targets in %d sentences", settings.model, len(selected))

    rng = random.Random(_SEED)
    added = 0
    for indices in contexts(selected):
        group = [selected[index] for index in indices]
        detected = detect_pairs(predictor, group)
        listed = annotated_stances(group, detected.article)
        for candidate in detected.candidates:
            query = candidate.query
            stances = group[query.sentence].stances
            # A record has spans of its own sentence only. Without annotated stances it says nothing about its pairs.
            if query.holder_sentence != query.sentence or stances is None:
                continue
            pair = locate(detected.article, candidate, settings.label)
            if any(same_pair(stance, pair) for stance in listed):
                continue
            if rng.random() >= settings.share:
                continue
            assert query.holder is not None
            assert not isinstance(query.target, str)
            stances.append(
                Stance(holder=[query.holder], target=[query.target], label=settings.label)
            )
            added += 1
        if progress:
            progress(len(group))

    log.info("%d pairs without a stance added", added)
    return added
