"""The five classes of a pair of entities, from two directed answers."""

import numpy as np
import pytest

from claimstance.model.config import ModelConfig
from claimstance.model.prediction import Prediction
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.directed_metrics import score_directed

LABELS = ("against", "neutral", "favor")
HOLM, ORVANE = [(0, 4)], [(14, 20)]


def pair(number, ahead, back, *rows):
    """A record that asks what Holm thinks of Orvane, and back; ``rows``: the probabilities that were answered."""
    stances = [
        Stance(holder=HOLM, target=ORVANE, label=ahead),
        Stance(holder=ORVANE, target=HOLM, label=back),
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


def test_a_class_is_as_likely_as_its_two_answers():
    pairs = [
        pair(0, "neutral", "neutral", SURE, SURE),
        pair(1, "against", "neutral", (0.8, 0.1, 0.1), SURE),
        pair(2, "neutral", "favor", SURE, (0.2, 0.2, 0.6)),
        pair(3, "favor", "neutral", (0.1, 0.6, 0.3), SURE),
    ]
    found = scored(ModelConfig({}), *pairs)
    assert found["directed.micro_f1"].value == pytest.approx(
        3 / 4
    )  # of the last, neutral twice is likelier
    # Each class is ranked by its probability: only the last pair has another one before it in none of them.
    assert found["directed.map"].value == pytest.approx(1)
    assert found["directed.micro_f1"].n == 4


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


def test_what_is_no_such_pair_is_left_out():
    record, prediction = pair(0, "neutral", "neutral", SURE, SURE)
    alone = record.model_copy(update={"stances": record.stances[:1]})
    assert scored(ModelConfig({}), (alone, prediction)) == {}
    both = pair(0, "against", "favor", SURE, SURE)  # two sides at once are none of the five classes
    assert scored(ModelConfig({}), both) == {}
    assert np.isfinite(scored(ModelConfig({}), both, (record, prediction))["directed.map"].value)
