"""Run the code of docs/integrations.md, and test taggers in other processes."""

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pytest

from claimstance.inference import Tagger
from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import ModelError
from helpers.hub import serving
from helpers.program import PROGRAM, ROOT, TEXT
from helpers.snippets import blocks, lines, python, stages
from helpers.tiny import script

DOCUMENT = "docs/integrations.md"


def programs(section):
    """Return the Python programs of a section."""
    return [block.text for block in blocks(DOCUMENT, section, "python")]


def commands(section):
    """Return the calls of the command line in a section."""
    return [line for block in blocks(DOCUMENT, section, "") for line in lines(block)]


def command(line, **environment):
    """Run a call of the command line in a process of its own; return its output."""
    (words,), _ = stages(line)
    assert words[0] == "claimstance"
    return subprocess.run(
        [*PROGRAM, *words[1:]],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, **environment},
    ).stdout


def test_every_section_with_code_is_tested():
    assert {block.section for block in blocks(DOCUMENT)} == {
        "Label Studio",
        "spaCy",
        "The Hugging Face hub",
        "datasets",
    }


@pytest.fixture
def project(workdir):
    """Return a folder with the seeds, as a reader of the documentation has it."""
    shutil.copytree(ROOT / "seeds", workdir / "seeds")
    return workdir


def accept(tasks, export):
    """Write the export of Label Studio in which an annotator accepted every suggestion."""
    annotated = [
        {
            "id": n,
            "data": task["data"],
            "annotations": [{"result": task["predictions"][0]["result"]}],
        }
        for n, task in enumerate(json.loads(Path(tasks).read_text(encoding="utf-8")))
    ]
    Path(export).write_text(json.dumps(annotated), encoding="utf-8")


@pytest.mark.slow
def test_code_for_label_studio_and_datasets_runs(project):
    pytest.importorskip("datasets")
    suggest, build = commands("Label Studio")
    command(suggest)
    assert Path("tasks.xml").is_file()
    accept("tasks.json", "export.json")
    command(build)
    load, tag = programs("datasets")
    assert python(load).startswith("['no_claim', 'claim'] ")
    tagged = Tagger.from_pretrained().tag(
        Path("seeds/demo.txt").read_text(encoding="utf-8"), ["Orvane"]
    )
    output = literal_eval(python(tag))
    assert output["claims"] == [s.text for s in tagged.sentences if s.claim.label == "claim"]
    assert output["against"] == [s.holder for s in tagged.stances if s.label == "against"]
    assert len(output["claims"]) > 5


@pytest.mark.slow
def test_code_for_spacy_runs(project):
    pytest.importorskip("spacy")
    (code,) = programs("spaCy")
    output = python(code)
    assert "she = Runa Salt" in output
    assert "Salt on Orvane" in output
    assert "Label(label=" in output


@pytest.mark.slow
def test_code_for_the_hub_runs(project, trained):
    upload, *lines = commands("The Hugging Face hub")
    repository, folder, *exclude = upload.split()[2:]
    help_text = subprocess.run(
        [Path(sys.executable).with_name("hf"), "upload", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    ).stdout
    assert exclude[0] in help_text
    shutil.copytree(
        trained, folder, ignore=shutil.ignore_patterns(exclude[1].strip('"').partition("/")[0])
    )
    with serving(Path(folder), repository) as (address, _):
        settings = {
            "HF_ENDPOINT": address,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(project / "cache"),
        }
        for line in lines:
            command(line, **settings)
        python(*programs("The Hugging Face hub"), **settings)
    assert json.loads(Path("tagged.jsonl").read_text(encoding="utf-8"))["model"]["name"] == "tiny"


def test_a_tagger_is_restored_from_a_pickle(model):
    tagger = Tagger.from_pretrained(model, threads=1)
    data = pickle.dumps(tagger)
    assert len(data) < 1000  # the path of the model, not its weights
    restored = pickle.loads(data)
    assert restored.tag(TEXT, ["tax"]) == tagger.tag(TEXT, ["tax"])
    assert isinstance(restored.tag(TEXT), TaggedArticle)


def test_a_pickle_needs_the_same_model_in_its_folder(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    data = pickle.dumps(Tagger.from_pretrained(folder))
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="expected a model folder, found nothing"):
        pickle.loads(data)
    shutil.copytree(model, folder)
    reader, manifest = folder / "reader.onnx", json.loads((folder / "manifest.json").read_bytes())
    # An empty field, which changes nothing but the sha256.
    reader.write_bytes(reader.read_bytes() + b"\x72\x00")
    manifest["files"]["reader.onnx"] = hashlib.sha256(reader.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="it was replaced meanwhile"):
        pickle.loads(data)


def test_a_tagger_without_a_model_folder_cannot_be_pickled():
    tagger, _ = script()
    with pytest.raises(
        TypeError, match="a tagger that was not made by from_pretrained cannot be pickled"
    ):
        pickle.dumps(tagger)
