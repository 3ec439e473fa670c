"""Test the Python functions that build a dataset, train and evaluate."""

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.training import build_dataset, evaluate, train
from claimstance.training.data.config import DataConfig

ROWS = [("Salt praised the plan.", "praise"), ("Draycott attacked the plan.", "attack")]


@pytest.fixture
def labelled(tmp_path):
    rows = [f"{text[:-1]} on day {day}.,{label}" for day in range(12) for text, label in ROWS]
    file = tmp_path / "labelled.csv"
    file.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return file


def test_a_dataset_is_built_from_files_and_settings(labelled, tmp_path):
    report = build_dataset(
        labelled, out=tmp_path / "data", values={"praise": "good"}, split={"seed": 7, "near": None}
    )
    assert set(report.labels["train"]["claim"]) == {"good", "attack"}
    assert (tmp_path / "data" / "report.json").is_file()


def test_an_existing_dataset_is_kept_unless_overwrite_is_set(labelled, tmp_path):
    build_dataset(labelled, out=tmp_path / "data", split={"near": None})
    with pytest.raises(InputError, match="--overwrite"):
        build_dataset(labelled, out=tmp_path / "data")
    build_dataset(labelled, out=tmp_path / "data", overwrite=True, split={"near": None})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"taks": "claim"}, "build_dataset: taks: unknown key 'taks'"),
        ({"target": 5}, "build_dataset: sources.0.target: expected a string, found 5"),
        ({"config": DataConfig(path="data")}, "found both"),
    ],
)
def test_errors_in_settings_of_a_dataset_name_the_key(labelled, tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        build_dataset(labelled, out=tmp_path / "data", **settings)


def test_errors_in_settings_of_training_name_the_key(tmp_path):
    with pytest.raises(ConfigError, match=r"train: training\.epochs: expected"):
        train(output=tmp_path, data={"path": "data"}, training={"epochs": "many"})
    with pytest.raises(ConfigError, match="train: output: expected a value, found none"):
        train(data={"path": "data"})


def test_the_bundled_model_is_evaluated_on_a_dataset(seeds, tmp_path):
    records = tmp_path / "records.jsonl"
    records.write_text("".join(r.to_json() + "\n" for r in seeds["port-strike"]), encoding="utf-8")
    build_dataset(records, out=tmp_path / "data", split="test")
    evaluation = evaluate(data=tmp_path / "data")
    assert 0 <= evaluation.account["results"]["seeds/claim"]["macro_f1"]["value"] <= 1
    with pytest.raises(InputError, match="dev"):
        evaluate(data=tmp_path / "data", split="dev")


@pytest.mark.parametrize("is_built", [False, True])
def test_training_warns_once_of_a_label_that_train_lacks(tmp_path, monkeypatch, caplog, is_built):
    rows = ["text,label,split"]
    labels = {"train": ("praise", "attack"), "dev": ("praise", "attack", "doubt")}
    for split, names in labels.items():
        rows += [f"Salt {name}ed the {split} plan.,{name},{split}" for name in names]
    file = tmp_path / "labelled.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    data = {"path": str(tmp_path / "data"), "sources": [{"files": [str(file)]}]}
    if is_built:
        build_dataset(config=DataConfig.model_validate(data), out=tmp_path / "data")
        caplog.clear()

    def stop(*_):
        raise InputError("stopped")

    monkeypatch.setattr("claimstance.training.fine_tuning.train.train", stop)
    with pytest.raises(InputError, match="stopped"):
        train(output=tmp_path / "model", data=data)
    assert sum("dev has the label 'doubt'" in message for message in caplog.messages) == 1
