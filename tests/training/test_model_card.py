"""Test the model card: the metadata that the hub reads, and that its instructions work."""

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
from claimstance.training.evaluation.metrics import Figure
from claimstance.training.evaluation.scoring import PRIMARY_METRICS, evaluate
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


def test_the_hub_reads_the_metadata(folder, make_config, splits, data):
    config = make_config(folder).model_copy(
        update={"data": data, "card": CardConfig(license="cc-by-4.0")}
    )
    text, metadata, front_matter = card(folder, config, splits["dev"])
    expected = {
        "license": "cc-by-4.0",
        "language": "en",
        "library_name": "claimstance",
        "pipeline_tag": "token-classification",
    }
    fields = metadata.to_dict()
    assert {name: fields[name] for name in expected} == expected
    assert {"stance-detection", "claim-detection", "onnx"} <= set(metadata.tags)
    assert [example["text"][:14] for example in front_matter["widget"]] == ["Mayor Ida Holm"]
    results = {(r.task_name, r.metric_name): r for r in metadata.eval_results}
    tasks = {task for task, _ in results}
    assert tasks == {"attribution", "entity", "claim", "check_worthy", "stance", "subjective"}
    assert set(results) == {(task, metric) for task in tasks for metric in PRIMARY_METRICS[task]}
    assert {(r.dataset_split, r.metric_type) for r in metadata.eval_results} == {("dev", "f1")}
    claim = results["claim", "macro_f1"]
    assert f"| claim | macro_f1 | {100 * claim.metric_value:.1f} |" in text
    assert 0 < claim.metric_value <= 1
    report = json.loads((data.path / "report.json").read_bytes())
    assert f"{report['rows']['train']} sentences in train" in text
    assert "| records | 293 | not stated |" in text
    assert (
        "| stance | favor | The holder speaks for the target. | Holm praised the bridge. |" in text
    )
    assert "Stances | on the harbour" in text


def test_baselines_are_columns_of_the_results(folder, make_config, splits):
    figure = Figure(0.4321, 0.4, 0.5, 12)
    baselines = {"majority": {"seeds/claim": {"macro_f1": figure}}, "words": {}}
    text, _, _ = card(folder, make_config(folder), splits["dev"], baselines)
    assert "| corpus | task | metric | value | 95 % interval | n | majority | words |\n" in text
    [row] = [line for line in text.splitlines() if line.startswith("| seeds | claim |")]
    assert row.endswith("| 43.2 |  |")
    [row] = [line for line in text.splitlines() if line.startswith("| seeds | entity |")]
    assert row.endswith("|  |  |")
    assert "*majority* is the commonest label, *words* is a logistic regression on words." in text


def test_the_card_names_the_only_topic_of_training(folder, make_config):
    assert "Every stance in training" not in card(folder, make_config(folder), [])[0]
    config = ModelConfig.load(folder)
    config.topics = ("the harbour | tax",)
    config.save(folder)
    text, _, _ = card(folder, make_config(folder), [])
    assert "Every stance in training was toward *the harbour \\| tax*" in text


def test_a_card_needs_no_report_codebook_or_dev_split(folder, make_config):
    text, metadata, front_matter = card(folder, make_config(folder), [])
    assert metadata.license == "unknown"
    # The encoder is a folder here, so that there is no base model to name.
    assert not {"language", "base_model", "datasets", "model-index"} & set(front_matter)
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
    original = report.read_bytes()
    data_report = json.loads(original)
    data_report["sources"][0].update(
        name="vast", licence="none | stated", url="https://example.org/vast", citation="Ann 2031"
    )
    report.write_text(json.dumps(data_report), encoding="utf-8")
    try:
        text, metadata, _ = card(folder, config, [])
    finally:
        report.write_bytes(original)
    assert (metadata.base_model, metadata.datasets) == ("ann/enc", ["vast"])
    assert "| vast | 293 | none \\| stated | https://example.org/vast |" in text
    assert "vast: Ann 2031" in text


def test_the_code_in_the_card_works(folder, make_config, monkeypatch, capsys):
    text, _, _ = card(folder, make_config(folder), [])
    monkeypatch.chdir(folder.parent)
    code = text.split("```python\n")[1].split("```")[0].replace("USER/NAME", folder.name)
    exec(compile(code, "card", "exec"), {})
    printed = capsys.readouterr().out
    assert "Mayor Ida Holm said that the bridge is safe." in printed
    assert any(label in printed for label in DEFAULT_LABELS["claim"])
    Tagger.from_pretrained(folder)  # the manifest does not list the card
    assert Path("model", "README.md").is_file()
