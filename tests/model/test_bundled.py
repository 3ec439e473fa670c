"""Test the names of the bundled models."""

from pathlib import Path

import pytest

from claimstance.model.bundled import BUNDLED_MODELS, DEFAULT_MODEL
from claimstance.model.config import ModelConfig
from claimstance.model.onnx.backend import model_folder


def test_a_name_stands_for_its_folder():
    assert model_folder(None) == model_folder(DEFAULT_MODEL) == BUNDLED_MODELS["base"]
    for name, folder in BUNDLED_MODELS.items():
        assert folder.name == name
        assert model_folder(name) == folder
        assert (folder / "README.md").is_file()


def test_models_have_different_names_in_results():
    names = {ModelConfig.load(folder).name for folder in BUNDLED_MODELS.values()}
    assert len(names) == len(BUNDLED_MODELS)


def test_a_folder_of_the_same_name_is_reached_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small").mkdir()
    assert model_folder("small") == BUNDLED_MODELS["small"]
    assert model_folder("./small") == Path("small")
    assert model_folder(tmp_path / "small") == tmp_path / "small"


@pytest.mark.parametrize(
    "command",
    [
        ("tag", "a.txt", "--model", "large"),
        ("predict", "a.txt", "--model", "large"),
        ("serve", "--model", "large"),
        ("evaluate", "large", "--data", "."),
        ("info", "--model", "large"),
    ],
    ids=lambda command: command[0],
)
def test_an_unknown_name_is_refused_with_the_known_ones(run, command):
    Path("a.txt").write_text("Rain fell.", encoding="utf-8")
    result = run(*command)
    assert result.code == 2
    option = "MODEL" if command[0] == "evaluate" else "--model"
    available = ", ".join(BUNDLED_MODELS)
    assert result.messages == [
        f"error: {option}: expected {available}, a model folder or a name on the hub (user/name), found 'large'"
    ]
