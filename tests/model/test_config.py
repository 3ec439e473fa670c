"""Test ``config.json``: the valid values, and the messages about invalid ones."""

import json
import os
from dataclasses import fields

import pytest

from claimstance.model.config import MAX_WINDOW, ModelConfig
from claimstance.model.errors import ModelError
from claimstance.model.labels import TASKS

COMPLETE = ModelConfig(
    encoder={
        "model_type": "bert",
        "hidden_size": 32,
        "vocab_size": 500,
        "type_vocab_size": 2,
        "max_position_embeddings": 128,
    },
    temperatures={"claim": 1.5, "stance.holder": 0.8},
    biases={"link": -0.5},
    thresholds={"claim.claim": 0.3},
    abstain_below={"claim.claim": 2.0},
    conformal={"claim": 0.4},
)
NO_NUMBER = [None, "1", [], {}, [1], {"a": 1}, True, float("nan"), float("inf"), float("-inf")]
NO_INTEGER = [*NO_NUMBER, 1.5, -1, 0, 10**30]
NO_TEXT = [None, 1, 1.5, True, [], {}, ["a"], ""]
NO_NAMES = [None, 1, "a", True, {}, {"a": "b"}, [], [1], [None], [[]], ["a", "a"], ["a", ""]]
NO_OBJECT = [None, 1, 1.5, "a", True, [], ["a"]]
WRONG = {
    "encoder": NO_OBJECT,
    "encoder.model_type": [value for value in NO_TEXT if value != ""],
    "encoder.hidden_size": NO_INTEGER,
    "encoder.vocab_size": NO_INTEGER,
    "encoder.type_vocab_size": [value for value in NO_INTEGER if value != 0],
    "encoder.max_position_embeddings": NO_INTEGER,
    "tasks": [*NO_NAMES, ["claims"], ["claim", "other"]],
    "labels": NO_OBJECT,
    "labels.claim": NO_NAMES,
    "max_tokens": [*NO_INTEGER, 1, 7, MAX_WINDOW + 1],
    "dropout": [*NO_NUMBER, -0.1, 1, 2],
    "temperatures": NO_OBJECT,
    "temperatures.claim": [*NO_NUMBER, 0, 0.0, -1, 1e-300, 1e300],
    "biases": NO_OBJECT,
    "biases.link": [*NO_NUMBER, 1e300, -1e300],
    "thresholds": NO_OBJECT,
    "thresholds.claim.claim": [*NO_NUMBER, -0.1, 1.1],
    "abstain_below": NO_OBJECT,
    "abstain_below.claim.claim": [*NO_NUMBER, -0.1],
    "conformal": NO_OBJECT,
    "conformal.claim": NO_NUMBER,
    "topics": [value for value in NO_NAMES if value != []],
    "opinion_spans": [None, 1, "true", []],
    "name": NO_TEXT,
    "version": NO_TEXT,
    "format": [None, "1", 0, 2, 1.5, True, [], {}, float("nan")],
}


def write(folder, path, value):
    """Write a configuration with another value at ``path``."""
    data = json.loads(COMPLETE.to_json_string())
    section, dot, key = path.partition(".")
    if dot:
        data[section][key] = value
    else:
        data[path] = value
    (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")


def refused(folder):
    """Return the message of the error that refuses a configuration, without the path of the file."""
    with pytest.raises(ModelError) as error:
        ModelConfig.load(folder)
    message = str(error.value)
    assert message.startswith(str(folder))
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{folder / 'config.json'}: ")


def test_wrong_values_of_every_field_are_tried():
    assert {path.partition(".")[0] for path in WRONG} == {field.name for field in fields(COMPLETE)}
    sections = {"encoder", "labels", "temperatures", "biases", "thresholds", "abstain_below"}
    assert {path.partition(".")[0] for path in WRONG if "." in path} == {*sections, "conformal"}


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_value_is_named_with_its_key(tmp_path, path):
    for value in WRONG[path]:
        write(tmp_path, path, value)
        message = refused(tmp_path)
        assert message.startswith(path) or path == "format", message
        assert "expected " in message or "unknown task" in message, message


def test_a_saved_configuration_is_loaded_unchanged(tmp_path):
    for config in (
        COMPLETE,
        ModelConfig(
            {"hidden_size": 8}, tasks=("claim",), labels={"claim": ("no", "yes", "é")}, name="mine"
        ),
        ModelConfig({}, tasks=("attribution",), labels={}),
    ):
        config.save(tmp_path)
        assert ModelConfig.load(tmp_path) == config


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("temperatures.claim", 0, "temperatures.claim: expected a number greater than or equal to"),
        ("temperatures.claim", "1", "temperatures.claim: expected a number, found '1'"),
        ("temperatures.claim", float("nan"), "temperatures.claim: expected a finite number, found"),
        ("max_tokens", 256.5, "max_tokens: expected an integer, found 256.5"),
        ("labels.claim", ["a", 7], "labels.claim[1]: expected a string, found 7"),
        ("labels.claim", ["a", "a"], "labels.claim: expected names that differ, found a, a"),
        ("tasks", ["claim", "stances"], "tasks[1]: unknown task 'stances'. Did you mean 'stance'?"),
        ("tasks", "claim", "tasks: expected an array, found 'claim'"),
        ("encoder", [], "encoder: expected an object, found []"),
        ("temperature", {}, "temperature: unknown key 'temperature'. Did you mean 'temperatures'?"),
        ("format", 2, "expected format 1, which this program reads, found 2: update claimstance"),
    ],
)
def test_messages_name_the_key_and_the_expectation(tmp_path, path, value, message):
    write(tmp_path, path, value)
    assert refused(tmp_path).startswith(message)


def test_a_newer_format_is_reported_before_its_unknown_keys(tmp_path):
    data = json.loads(COMPLETE.to_json_string())
    (tmp_path / "config.json").write_text(json.dumps({**data, "format": 3, "gates": []}))
    assert refused(tmp_path).startswith("expected format 1, which this program reads, found 3")


@pytest.mark.parametrize("task", [task for task in TASKS if task != "attribution"])
def test_a_task_without_its_labels_is_named(tmp_path, task):
    data = json.loads(COMPLETE.to_json_string())
    del data["labels"][task]
    (tmp_path / "config.json").write_text(json.dumps(data))
    assert refused(tmp_path) == f"expected the label names of '{task}' under 'labels', found none"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"encoder"',
        b"\xff\xfe{",
        b"\0",
        b"[" * 100_000,
        b'{"encoder": ' + b'{"a":' * 10_000,
        b'{"encoder": ' + b"[" * 150 + b"]" * 150 + b"}",
        b'{"encoder": {}, "name": "\\ud800"}',
        b'{"max_tokens": ' + b"9" * 10_000 + b"}",
        b'{"' + b"k" * 100_000 + b'": 1, "encoder": {}}',
    ],
)
def test_an_invalid_configuration_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    assert len(refused(tmp_path)) < 400


def test_a_configuration_that_is_no_file_is_refused(tmp_path):
    path = tmp_path / "config.json"
    assert "No such file" in refused(tmp_path)
    path.mkdir()
    assert "expected a regular file" in refused(tmp_path)
    path.rmdir()
    os.mkfifo(path)
    assert "expected a regular file" in refused(tmp_path)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "expected a regular file" in refused(tmp_path)
