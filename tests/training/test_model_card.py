"""The model card: what the hub reads of it, and that what it says to do can be done."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard

from claimstance.inference import Tagger
from claimstance.model.config import ModelConfig
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.onnx.backend import load_predictor
from claimstance.training.config import CardConfig
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.evaluation.evaluate import PRIMARY, evaluate
from claimstance.training.evaluation.metrics import Figure
from claimstance.training.model_card import write_card
from helpers.program import ROOT

BOOK = """
title: Stances | on the harbour
language: en
labels:
  stance:
    favor: {definition: The holder speaks for the target., examples: [Holm praised the bridge.]}
    neutral: {definition: Neither.}
    against: {definition: The holder speaks against the target.}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "book.yaml").write_text(BOOK, encoding="utf-8")
    config = DataConfig.model_validate(
        {
            "path": folder / "set",
            "codebook": folder / "book.yaml",
            "sources": [{"files": [str(ROOT / "seeds" / "records.jsonl")]}],
        }
    )
    build(config, config.path)
    return config


@pytest.fixture
def folder(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "model", ignore=shutil.ignore_patterns("checkpoints"))
    return tmp_path / "model"


def card(folder, config, dev, baselines=None):
    results = evaluate(load_predictor(folder)[0], dev) if dev else {}
    assert write_card(folder, config, results, baselines) == folder / "README.md"
    text = (folder / "README.md").read_text(encoding="utf-8")
    return text, ModelCard.load(folder / "README.md").data, yaml.safe_load(text.split("---\n")[1])


def test_the_hub_reads_what_the_model_is(folder, make_config, splits, data):
    config = make_config(folder).model_copy(
        update={"data": data, "card": CardConfig(license="cc-by-4.0")}
    )
    text, read, plain = card(folder, config, splits["dev"])
    expected = {
        "license": "cc-by-4.0",
        "language": "en",
        "library_name": "claimstance",
        "pipeline_tag": "token-classification",
    }
    fields = read.to_dict()
    assert {name: fields[name] for name in expected} == expected
    assert {"stance-detection", "claim-detection", "onnx"} <= set(read.tags)
    assert [example["text"][:14] for example in plain["widget"]] == ["Mayor Ida Holm"]
    measured = {(r.task_name, r.metric_name): r for r in read.eval_results}
    tasks = {task for task, _ in measured}
    assert tasks == {"attribution", "entity", "claim", "check_worthy", "stance", "subjective"}
    assert set(measured) == {(task, metric) for task in tasks for metric in PRIMARY[task]}
    assert {(r.dataset_split, r.metric_type) for r in read.eval_results} == {("dev", "f1")}
    claim = measured["claim", "macro_f1"]
    assert f"| claim | macro_f1 | {100 * claim.metric_value:.1f} |" in text
    assert 0 < claim.metric_value <= 1
    report = json.loads((data.path / "report.json").read_bytes())
    assert f"{report['rows']['train']} sentences in train" in text
    assert "| records | 293 | not stated |" in text
    assert (
        "| stance | favor | The holder speaks for the target. | Holm praised the bridge. |" in text
    )
    assert "Stances | on the harbour" in text


def test_baselines_stand_beside_the_figures(folder, make_config, splits):
    figure = Figure(0.4321, 0.4, 0.5, 12)
    baselines = {"majority": {"seeds/claim": {"macro_f1": figure}}, "words": {}}
    text, _, _ = card(folder, make_config(folder), splits["dev"], baselines)
    assert "| corpus | task | metric | value | 95 % interval | n | majority | words |\n" in text
    [row] = [line for line in text.splitlines() if line.startswith("| seeds | claim |")]
    assert row.endswith("| 43.2 |  |")
    [row] = [line for line in text.splitlines() if line.startswith("| seeds | entity |")]
    assert row.endswith("|  |  |")
    assert "*majority* is the commonest label, *words* is a logistic regression on words." in text


def test_the_one_topic_of_training_is_named(folder, make_config):
    assert "Every stance in training" not in card(folder, make_config(folder), [])[0]
    config = ModelConfig.load(folder)
    config.topics = ("the harbour | tax",)
    config.save(folder)
    text, _, _ = card(folder, make_config(folder), [])
    assert "Every stance in training was toward *the harbour \\| tax*" in text


def test_without_a_report_a_codebook_or_dev(folder, make_config):
    text, read, plain = card(folder, make_config(folder), [])
    assert read.license == "unknown"
    assert {"language", "base_model", "datasets", "model-index"} & set(
        plain
    ) == set()  # the encoder is a folder here
    assert "The dataset has no report." in text
    assert "It was not measured: there was no dev split." in text
    assert "| stance | against, neutral, favor |" in text
    assert str(folder) not in text


def test_a_public_corpus_and_a_public_encoder_are_named(folder, make_config, data):
    config = make_config(folder)
    config = config.model_copy(
        update={"data": data, "model": config.model.model_copy(update={"encoder": "ann/enc"})}
    )
    report = data.path / "report.json"
    before = report.read_bytes()
    told = json.loads(before)
    told["sources"][0].update(
        name="vast", licence="none | stated", url="https://example.org/vast", citation="Ann 2031"
    )
    report.write_text(json.dumps(told), encoding="utf-8")
    try:
        text, read, _ = card(folder, config, [])
    finally:
        report.write_bytes(before)
    assert (read.base_model, read.datasets) == ("ann/enc", ["vast"])
    assert "| vast | 293 | none \\| stated | https://example.org/vast |" in text
    assert "vast: Ann 2031" in text


def test_what_the_card_says_to_do_can_be_done(folder, make_config, monkeypatch, capsys):
    text, _, _ = card(folder, make_config(folder), [])
    monkeypatch.chdir(folder.parent)
    code = text.split("```python\n")[1].split("```")[0].replace("USER/NAME", folder.name)
    exec(compile(code, "card", "exec"), {})
    printed = capsys.readouterr().out
    assert "Mayor Ida Holm said that the bridge is safe." in printed
    assert any(label in printed for label in DEFAULT_LABELS["claim"])
    Tagger.from_pretrained(folder)  # the card is none of the files that a model is held to
    assert Path("model", "README.md").is_file()
