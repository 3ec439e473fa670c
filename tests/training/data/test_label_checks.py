"""Test the detection of labels that a model cannot learn."""

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Entity, Record, Stance
from claimstance.training.data.label_checks import (
    count_labels,
    require_two_labels,
    single_topic,
    unseen_labels,
)


def claims(*labels):
    return [Record(id=str(i), text="x", claim=label) for i, label in enumerate(labels)]


def stances(*labels, **fields):
    return [
        Record(id=str(i), text="x", stances=[Stance(target="x", label=label, **fields)])
        for i, label in enumerate(labels)
    ]


def test_labels_are_counted_by_task():
    records = [
        *claims("claim", "no_claim", "claim"),
        *stances("favor", None),
        Record(id="e", text="Ann", entities=[Entity(span=[(0, 3)], label="PERSON")], stances=[]),
    ]
    assert count_labels(records) == {
        "claim": {"claim": 2, "no_claim": 1},
        "stance": {"favor": 1},
    }


@pytest.mark.parametrize(
    ("records", "task"),
    [
        (claims("claim", "claim"), "claim"),
        (claims("claim", None), "claim"),
        (stances("favor", "favor", None), "stance"),
        ([*claims("claim", "no_claim"), *stances("favor")], "stance"),
        ([Record(id="1", text="x", check_worthy="yes")], "check_worthy"),
        ([Record(id="1", text="x", subjective="subjective")], "subjective"),
    ],
)
def test_one_label_only_is_refused(records, task):
    with pytest.raises(InputError, match=rf"^{task}: one label only in train: nothing to learn"):
        require_two_labels(records, ("claim", "stance", "check_worthy", "subjective"), {})


@pytest.mark.parametrize(
    ("records", "tasks", "soft"),
    [
        (claims("claim", "no_claim"), ["claim"], {}),
        ([*claims("claim", "no_claim"), *stances("favor")], ["claim"], {}),
        (claims("claim", "claim"), ["claim"], {"0": {"claim": np.array([0.4, 0.6], np.float32)}}),
        (stances("favor", probabilities={"favor": 0.6, "against": 0.4}), ["stance"], {}),
        (stances(None, None), ["stance"], {}),
        ([Record(id="e", text="Ann", entities=[])], ["entity"], {}),
    ],
)
def test_learnable_labels_are_accepted(records, tasks, soft):
    require_two_labels(records, tasks, soft)


@pytest.mark.parametrize(
    ("train", "held_out", "labels"),
    [
        (
            {"claim": {"a": 3, "b": 1}},
            {"claim": {"a": 1, "c": 2}},
            ["claim: dev has the label 'c' (2 times)"],
        ),
        (
            {"claim": {"a": 3, "c": 0}},
            {"claim": {"c": 2}},
            ["claim: dev has the label 'c' (2 times)"],
        ),
        (
            {"claim": {"a": 3}, "stance": {"favor": 1}},
            {"claim": {"b": 1}, "stance": {"neutral": 4}},
            ["claim: dev has the label 'b' (1 time)", "stance: dev has the label 'neutral'"],
        ),
        ({"claim": {"a": 3, "b": 1}}, {"claim": {"b": 1}}, []),
        ({"claim": {"a": 3, "b": 1}}, {"stance": {"favor": 1}}, []),
        ({"claim": {"a": 3, "b": 1}}, {"claim": {"c": 0}}, []),
        ({}, {"claim": {"c": 2}}, []),
    ],
)
def test_labels_that_train_lacks_are_named(train, held_out, labels):
    messages = unseen_labels(train, held_out, "dev")
    assert len(messages) == len(labels)
    for message, label in zip(messages, labels, strict=True):
        assert message.startswith(label)
        assert "train has none" in message


def toward(*targets, label="favor", **fields):
    return [
        Record(id=str(i), text="Ann spoke.", stances=[Stance(target=target, label=label, **fields)])
        for i, target in enumerate(targets)
    ]


@pytest.mark.parametrize(
    ("records", "topic"),
    [
        (toward("the tax", "the tax"), "the tax"),
        (toward("The tax", "the  tax"), "The tax"),
        ([*toward("the tax"), Record(id="x", text="Rain.")], "the tax"),
        (toward("the tax", label=None, probabilities={"favor": 0.6}), "the tax"),
        ([*toward("the tax"), *toward("rain", label=None)], "the tax"),  # a stance without a label
        (toward("the tax", "the bridge"), None),
        (toward("the tax", [(0, 3)]), None),
        (toward([(0, 3)], [(0, 3)]), None),
        ([Record(id="x", text="Rain.", claim="no_claim")], None),
        ([], None),
    ],
)
def test_a_single_topic_is_found(records, topic):
    assert single_topic(records) == topic
