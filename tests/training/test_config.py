"""Test the configuration of a training run: its keys, overrides and errors, and the recipes of the repository."""

import re
import shlex
import subprocess
import sys

import pytest
from pydantic import BaseModel

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError
from claimstance.training.config import Config
from claimstance.training.data.config import DataConfig
from claimstance.training.load_config import RENAMED_KEYS, load_config
from helpers.program import ROOT

GOOD = """
output: runs/mine
data:
  path: out/data
  sources:
    - corpus: polnear
      splits: {train: train, tune: dev, dev: test}
      options: {silver: polnear-silver}
    - files: [mine.csv]
      columns: {text: Satz}
"""


@pytest.fixture
def config(tmp_path):
    def load(text=GOOD, *overrides):
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides)

    return load


def test_a_configuration_has_defaults_and_survives_a_round_trip(config):
    loaded = config()
    assert (loaded.name, loaded.training.epochs, loaded.data.split.train) == ("claimstance", 3, 0.8)
    assert loaded.data.sources[1].columns == {"text": "Satz"}
    assert config(loaded.to_yaml()) == loaded


def test_overrides_are_yaml(config):
    loaded = config(
        GOOD,
        "training.learning_rate=2e-5",
        "data.sources.1.split=test",
        "model.tasks=[claim, stance]",
        "training.threads=null",
        "name=été",
        "data.sources.1.files.0=other.csv",
    )
    assert loaded.training.learning_rate == 2e-5
    assert loaded.data.sources[1].split == "test"
    assert loaded.data.sources[1].files == ["other.csv"]
    assert loaded.model.tasks == ["claim", "stance"]
    assert loaded.name == "été"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=2", "training.epoch: unknown key 'epoch'. Did you mean 'epochs'?"),
        ("trainig.epochs=2", "unknown key 'trainig'. Did you mean 'training'?"),
        ("training.epochs=soon", "training.epochs: expected a number, found 'soon'"),
        ("training.epochs=0", "training.epochs: expected a number greater than 0, found 0"),
        ("training.epochs=.inf", "training.epochs: expected a finite number"),
        (
            "training.precision=float16",
            "training.precision: expected 'auto', 'bfloat16' or 'float32', found 'float16'",
        ),
        (
            "data.teachers=[{model: x, corpora: [dse], tasks: [claim], weight: 1}]",
            "data.teachers.0.weight: unknown key 'weight'",
        ),
        (
            "training.sampling.dse=2",
            "training.sampling.dse: expected a number less than or equal to 1, found 2",
        ),
        ("training.class_weight_power={entity: 0.5}", "unknown task 'entity'"),
        ("model.tasks=[claims]", "model.tasks: unknown task 'claims'. Did you mean 'claim'?"),
        ("model.tasks=[]", "model.tasks: expected at least 1 item, found []"),
        (
            "data.sources.0.corpus=polnaer",
            "data.sources.0.corpus: unknown corpus 'polnaer'. Did you mean 'polnear'?",
        ),
        (
            "data.sources.0.splits.tune=tset",
            "data.sources.0.splits.tune: unknown split 'tset'. Did you mean 'test'?",
        ),
        (
            "data.sources.0.splits={tun: dev}",
            "corpus polnear: unknown split 'tun'. Did you mean 'tune'?",
        ),
        (
            "data.sources.0.splits=",
            "data.sources.0.splits: expected keys with values, found None",
        ),
        (
            "data.sources.0.options={slver: x}",
            "corpus polnear: unknown option 'slver'. Did you mean 'silver'?",
        ),
        ("data.sources.0.files=[a.csv]", "expected either corpus or files, found both"),
        ("data.sources.0.corpus=null", "expected either corpus or files, found neither"),
        ("data.sources.0.target=x", "expected no target beside corpus"),
        ("data.sources.1.splits={train: dev}", "expected no splits beside files"),
        (
            "data.sources.1.columns={txt: a}",
            "data.sources.1.columns: unknown column 'txt'. Did you mean 'text'?",
        ),
        ("data.sources.7.split=dev", "expected a number below 2, found '7'"),
        ("data.sources.x.split=dev", "expected a number below 2, found 'x'"),
        ("data.split.train=0.5", "data.split: expected shares that add up to 1, found 0.7"),
        ("data.labels={clam: [a, b]}", "data.labels: unknown task 'clam'. Did you mean 'claim'?"),
        ("data.labels={claim: [a, a]}", "labels.claim: expected two or more names that differ"),
        ("output.x=1", "expected 'output' to hold keys, found 'runs/mine'"),
        ("training", "expected KEY=VALUE"),
        ("training.=2", "expected KEY=VALUE"),
        ("name=[", "expected a YAML value, found '['"),
    ],
)
def test_errors_name_the_wrong_override(config, override, message):
    with pytest.raises(ConfigError) as error:
        config(GOOD, override)
    assert str(error.value).startswith(f"override '{override}': ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "config.yaml: expected keys with values, found ['a']"),
        ("a: [", "config.yaml, line 1: expected YAML, found while parsing"),
        ("output: x", "config.yaml: data: expected a value, found none"),
        (
            "outptu: x\ndata: {path: y}",
            "config.yaml: outptu: unknown key 'outptu'. Did you mean 'output'?",
        ),
        (GOOD + "      task: topic", "config.yaml: data.sources.1.task: unknown task 'topic'"),
        (
            GOOD + "    - corpus: dse",
            "config.yaml: data.sources.2: expected splits, such as {train: train}, found none",
        ),
    ],
)
def test_errors_name_the_wrong_file_and_key(config, text, message):
    with pytest.raises(ConfigError) as error:
        config(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name
)
def test_configurations_of_the_repository_are_valid(path):
    load_config(path)


def test_make_train_runs_the_recipes_of_the_bundled_models():
    output = subprocess.run(
        ["make", "-n", "train", "DATA=."], cwd=ROOT, capture_output=True, text=True, check=True
    )
    runs = {}
    for line in re.findall(r"train runs/(.*?)(?: && |\n|$)", output.stdout):
        name, path, *overrides = shlex.split(line)
        runs[name] = load_config(ROOT / path, [*overrides, f"output=runs/{name}"])
    assert set(runs) == {*BUNDLED_MODELS, "base-stances"}
    datasets = {str(run.data.path) for run in runs.values()}
    for dataset, config in [("runs/small-data", "small"), ("runs/stance-data", "stances")]:
        assert f"test -d {dataset} || " in output.stdout
        assert f"claimstance build configs/{config}.yaml" in output.stdout
        datasets.remove(dataset)
    assert not datasets
    for name in BUNDLED_MODELS:
        assert str(runs[name].model.init_from) == name  # the bundled weights
    assert runs["base-stances"].model.init_from == runs["base"].output
    base, last_stage = runs["base"], runs["base-stances"]
    assert (last_stage.name, last_stage.version) == (base.name, base.version)


def test_the_first_stage_of_base_starts_from_the_pretrained_encoder():
    first_stage = load_config(ROOT / "configs/base-start.yaml")
    base = load_config(ROOT / "configs/base.yaml")
    assert first_stage.model.init_from is None
    assert first_stage.model.encoder == base.model.encoder
    assert first_stage.data.path == base.data.path
    # The comments of both files name this folder.
    for name in ("base", "base-start"):
        text = (ROOT / f"configs/{name}.yaml").read_text(encoding="utf-8")
        assert f"model.init_from={first_stage.output}" in text


@pytest.mark.parametrize("name", BUNDLED_MODELS)
def test_a_bundled_model_states_the_name_and_version_of_its_recipe(name):
    model = ModelConfig.load(BUNDLED_MODELS[name])
    for path in (ROOT / f"configs/{name}.yaml", BUNDLED_MODELS[name] / "config.yaml"):
        recipe = load_config(path)
        assert (recipe.name, recipe.version) == (model.name, model.version)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.yaml")


def test_every_key_is_described():
    def sections(section):
        yield section
        for field in section.model_fields.values():
            assert field.description
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from sections(field.annotation)

    assert {DataConfig, Config} <= set(sections(Config))


def test_configuration_needs_neither_torch_nor_datasets():
    code = (
        "import sys, claimstance.training.load_config, claimstance.training.data.corpora, "
        "claimstance.training.data.formats;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'datasets', 'transformers', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("earlier", "name"), sorted(RENAMED_KEYS.items()))
def test_a_renamed_key_is_an_error_that_names_the_new_key(tmp_path, earlier, name):
    path = tmp_path / "run.yaml"
    path.write_text("output: runs/a\ndata: { path: data }\n", encoding="utf-8")
    message = f"override '{earlier}=1': {earlier}: this key is now '{name}'"
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(path, [f"{earlier}=1"])
