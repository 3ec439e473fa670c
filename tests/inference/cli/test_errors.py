"""Test the exit codes and messages of the command line for wrong calls and bad data."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from claimstance.inference.cli.main import main
from helpers.program import OWN_LABELS, TEXT, write

# Wrong calls: 2


UNKNOWN_MODEL = (
    "{}: expected small, base, a model folder or a name on the hub (user/name), found 'gone'"
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tag", "gone.txt"], "INPUT: 'gone.txt' does not exist"),
        (["tag", "a.txt", "--model", "gone"], UNKNOWN_MODEL.format("--model")),
        (["tag", "a.txt", "-t", " "], "--target: expected a name or a topic, found a blank one"),
        (
            ["tag", "a.txt", "--rows", "stances"],
            "--rows: expected --format csv or parquet, found jsonl",
        ),
        (
            ["tag", "a.txt", "-o", "a.txt"],
            "--out: expected a path outside the inputs, found 'a.txt', which 'a.txt' is or contains",
        ),
        (
            ["tag", ".", "-o", "b/t.jsonl"],
            "--out: expected a path outside the inputs, found 'b/t.jsonl', which '.' is or contains",
        ),
        (["tag", "a.txt", "--modle", "x"], "--modle"),
        (["tag", "a.txt", "--format", "xml"], "'xml' is not one of 'jsonl', 'csv'"),
        (["tag", "a.txt", "--threads", "0"], "'--threads'"),
        (["tag"], "INPUT"),
        (["tagg"], "'tagg'"),
        (["predict", "gone.jsonl"], "ROWS.jsonl: 'gone.jsonl' does not exist"),
        (["predict", "a.txt", "--model", "gone"], UNKNOWN_MODEL.format("--model")),
        (["build", "gone.csv", "--out", "d"], "CONFIG|FILE: 'gone.csv' does not exist"),
        (["build", "a.csv"], "expected --out DIR, the folder to build the dataset in"),
        (
            ["build", "a.csv", "--out", "d", "--task", "stanze"],
            "unknown task 'stanze'. Did you mean 'stance'?",
        ),
        (
            ["build", "a.csv", "--out", "d", "--column", "text"],
            "--column: expected OURS=THEIRS, such as text=sentence, found 'text'",
        ),
        (
            ["build", "a.csv", "--out", "d", "--column", "txt=a"],
            "unknown column 'txt'. Did you mean 'text'?",
        ),
        (
            ["build", OWN_LABELS, "a.csv"],
            "expected either one CONFIG, or annotated files with their options, found both",
        ),
        (["build", OWN_LABELS], "data.sources: expected at least one corpus or file, found none"),
        (["train", "gone.yaml"], "CONFIG: 'gone.yaml' does not exist"),
        (["train", OWN_LABELS, "training.epoch=1"], "unknown key 'epoch'. Did you mean 'epochs'?"),
        (
            ["train", OWN_LABELS, "training.epochs"],
            "override 'training.epochs': expected KEY=VALUE",
        ),
        (
            ["train", OWN_LABELS, "training.epochs=many"],
            "override 'training.epochs=many': training.epochs: expected",
        ),
        (
            ["train", OWN_LABELS],
            "data.path: expected a built dataset at runs/own-data, found nothing",
        ),
        (["evaluate", "gone", "--data", "."], UNKNOWN_MODEL.format("MODEL")),
        (["evaluate", ".", "--data", "gone"], "--data: 'gone' does not exist"),
        (["evaluate", "."], "'--data'"),
        (["compare", "."], "RUN_B"),
        (["compare", "gone", "."], "RUN_A: 'gone' does not exist"),
        (["compare", ".", "gone"], "RUN_B: 'gone' does not exist"),
        (["export", "gone"], "MODEL: 'gone' does not exist"),
        (["info", "--model", "gone"], UNKNOWN_MODEL.format("--model")),
        (["serve", "--model", "gone"], UNKNOWN_MODEL.format("--model")),
        (
            ["serve", "--host", "0.0.0.0"],
            "--host: '0.0.0.0' lets other machines in: expected --token",
        ),
        (["serve", "--port", "70000"], "'--port'"),
    ],
)
def test_a_wrong_call_is_rejected(run, arguments, message):
    write("a.txt", TEXT)
    write("a.csv", "text,label\nx,y\n")
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.messages[0].startswith("error: ")
    assert message in done.messages[0]
    assert len(done.messages) == 1
    assert sorted(os.listdir()) == ["a.csv", "a.txt"]  # noqa: PTH208


# Bad data: 1


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("r.jsonl", "", "r.jsonl: expected at least one record, found an empty file"),
        (
            "r.jsonl",
            '{"id": "1", "text": "x"}\n{"id": "1", "text": "y"}',
            "r.jsonl, line 2: id: expected a new id, found '1'",
        ),
        (
            "r.jsonl",
            '{"id": "1", "text": "x", "entities": [{"span": [[0, 2]], "label": "PERSON"}]}',
            "r.jsonl, line 1: entities[0].span: expected 0 <= start < end <= 1 (the text's length), found [0, 2]",
        ),
        ("r.jsonl", "\0", "r.jsonl, line 1: expected UTF-8 text, found a binary file (a NUL byte)"),
    ],
)
def test_invalid_records_are_an_error_of_predict(run, model, name, data, message):
    write(name, data)
    write("old.jsonl", "old")
    done = run("predict", name, "--model", model, "--out", "old.jsonl")
    assert (done.code, done.out) == (1, "")
    assert len(done.messages) == 1
    assert done.messages[0].startswith(f"error: {message}")
    assert Path("old.jsonl").read_bytes() == b"old"
    assert sorted(os.listdir()) == ["old.jsonl", name]  # noqa: PTH208


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "", "a.csv: expected a column 'text', found no header"),
        ("a.csv", "text,label\n", "a.csv: expected a header and at least one row, found a header"),
        (
            "a.csv",
            "sentence,label\nx,y\n",
            "a.csv: expected a column 'text', found sentence, label",
        ),
        ("a.csv", "text,label\n,y\n", "a.csv, line 2: expected a text, found an empty one"),
        ("a.csv", "text,label\nx,y,z\n", "a.csv, line 2: expected 2 columns, found 3"),
        ("a.csv", "text,label,id\nx,y,1\nz,y,1\n", "a.csv, line 3: expected a new id, found '1'"),
        (
            "a.jsonl",
            '{"id": "1", "text": "x", "claim": "claims"}',
            "a.jsonl, line 1: claim: unknown label 'claims'. Did you mean 'claim'?",
        ),
        ("a.pdf", "x", "a.pdf: expected a file whose name ends in .jsonl, .ndjson, .json, .csv,"),
    ],
)
def test_invalid_annotations_are_an_error_of_build(run, name, data, message):
    write(name, data)
    done = run("build", name, "--out", "d")
    assert (done.code, done.out) == (1, "")
    assert len(done.messages) == 1
    assert done.messages[0].startswith(f"error: {message}")
    assert os.listdir() == [name]  # noqa: PTH208


def test_build_keeps_an_existing_dataset(run):
    write("a.csv", "text,label\nx,y\nu,v\n")
    write("d/mine.txt", "x")
    assert run("build", "a.csv", "--out", "d").messages == [
        "error: d: expected a new folder, found one that exists already; --out names another"
    ]
    refused = run("build", "a.csv", "--out", "d", "--overwrite")
    assert refused.code == 1
    assert Path("d/mine.txt").exists()


@pytest.mark.parametrize(
    "missing", ["manifest.json", "config.json", "tokenizer.json", "reader.onnx", "stance.onnx"]
)
def test_a_model_without_a_file_is_an_error(run, model, missing):
    write("a.txt", TEXT)
    shutil.copytree(model, "m")
    Path("m", missing).unlink()
    done = run("tag", "a.txt", "--model", "m", "--out", "t.jsonl")
    assert (done.code, done.out) == (1, "")
    assert done.messages[0].startswith("error: m: expected")
    assert missing in done.messages[0]
    assert len(done.messages) == 1
    assert not Path("t.jsonl").exists()


def test_an_altered_model_is_an_error(run, model):
    write("a.txt", TEXT)
    shutil.copytree(model, "m")
    with Path("m/reader.onnx").open("ab") as file:
        file.write(b"x")
    done = run("tag", "a.txt", "--model", "m")
    assert (done.code, len(done.messages)) == (1, 1)
    assert done.messages[0].startswith("error: m/reader.onnx: expected sha256 ")


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("f.json", "error: f.json: cannot be written: Is a directory"),
        ("a.txt/t.json", "error: a.txt/t.json: cannot be written: "),
        ("a.txt/t", "error: a.txt/t: cannot be written: Not a directory"),
    ],
)
def test_an_unwritable_output_is_an_error(run, model, out, message):
    write("a.txt", TEXT)
    Path("f.json").mkdir()
    labelstudio = ["--format", "labelstudio"] if out.endswith(".json") else []
    done = run("tag", "a.txt", "--model", model, "--out", out, *labelstudio)
    assert (done.code, len(done.messages)) == (1, 1)
    assert done.messages[0].startswith(message)


def test_errors_of_the_system_are_one_line(run, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "m")

    write("m/x", "x")
    monkeypatch.setattr("claimstance.inference.cli.tables.print_info", refuse)
    done = run("info", "--model", "m")
    assert (done.code, done.messages) == (1, ["error: m: Permission denied"])


def stop_with(monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr("claimstance.inference.cli.tables.print_info", stop)
    monkeypatch.setattr(sys, "argv", ["claimstance", "info"])


def test_an_interrupted_command_exits_with_130(run, monkeypatch):
    stop_with(monkeypatch, KeyboardInterrupt())
    assert run("info").code == 130


def test_a_missing_library_names_its_extra(run, monkeypatch):
    stop_with(monkeypatch, ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    done = run("info")
    assert (done.code, done.messages) == (
        1,
        ["error: this command needs 'torch.nn': pip install 'claimstance[train]'"],
    )


def test_a_module_of_our_own_that_is_missing_is_a_bug(monkeypatch):
    stop_with(
        monkeypatch,
        ModuleNotFoundError("No module named 'claimstance.odd'", name="claimstance.odd"),
    )
    with pytest.raises(ModuleNotFoundError):
        main()
