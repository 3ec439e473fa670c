"""Test the five classes of a pair of entities, which two directed answers determine."""

import numpy as np
import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.directed_metrics import score_directed

LABELS = ("against", "neutral", "favor")
HOLM, ORVANE = [(0, 4)], [(14, 20)]


def pair(number, forward, backward, *rows):
    """Return a record with Holm's stance on Orvane and the reverse, and a prediction with these rows of probabilities."""
    stances = [
        Stance(holder=HOLM, target=ORVANE, label=forward),
        Stance(holder=ORVANE, target=HOLM, label=backward),
    ]
    record = Record(
        id=str(number), doc_id=f"d{number}", text="Holm received Orvane.", stances=stances
    )
    return record, Prediction(
        stances=[dict(zip(LABELS, row, strict=True)) for row in rows],
        kinds=["stance.holder", "stance.holder"],
    )


SURE, UNSURE = (0.05, 0.9, 0.05), (0.3, 0.6, 0.1)


def scored(config, *pairs):
    return score_directed(config, pairs, [record.doc_id for record, _ in pairs])


def test_the_probability_of_a_class_is_that_of_both_answers():
    pairs = [
        pair(0, "neutral", "neutral", SURE, SURE),
        pair(1, "against", "neutral", (0.8, 0.1, 0.1), SURE),
        pair(2, "neutral", "favor", SURE, (0.2, 0.2, 0.6)),
        pair(3, "favor", "neutral", (0.1, 0.6, 0.3), SURE),
    ]
    figures = scored(ModelConfig({}), *pairs)
    # For the last pair, neutral in both directions is more likely.
    assert figures["directed.micro_f1"].value == pytest.approx(3 / 4)
    # In the ranking of each class by its probability, no other pair precedes its pair.
    assert figures["directed.map"].value == pytest.approx(1)
    assert figures["directed.micro_f1"].n == 4


def test_the_class_is_chosen_by_the_thresholds_of_labels():
    pairs = [pair(0, "neutral", "neutral", SURE, SURE), pair(1, "against", "neutral", UNSURE, SURE)]
    assert scored(ModelConfig({}), *pairs)["directed.micro_f1"].value == pytest.approx(1 / 2)
    fitted = ModelConfig(
        {},
        temperatures={"stance.holder": 1.0},
        thresholds={
            "stance.holder.against": 0.2,
            "stance.holder.neutral": 0.6,
            "stance.holder.favor": 0.2,
        },
    )
    assert scored(fitted, *pairs)["directed.micro_f1"].value == 1
    assert (
        scored(fitted, *pairs)["directed.map"].value
        == scored(ModelConfig({}), *pairs)["directed.map"].value
    )


def test_other_records_are_ignored():
    record, prediction = pair(0, "neutral", "neutral", SURE, SURE)
    one_direction = record.model_copy(update={"stances": record.stances[:1]})
    assert scored(ModelConfig({}), (one_direction, prediction)) == {}
    two_sided = pair(0, "against", "favor", SURE, SURE)  # no class has a side in both directions
    assert scored(ModelConfig({}), two_sided) == {}
    assert np.isfinite(
        scored(ModelConfig({}), two_sided, (record, prediction))["directed.map"].value
    )
