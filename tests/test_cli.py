"""The command line as a user meets it: what is printed where, exit codes, messages for wrong calls and bad data."""

import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny import exported

from claimstance.inference.cli import app, main
from claimstance.model.config import ModelConfig

ROOT = Path(__file__).parent.parent
OWN_LABELS = str(ROOT / "configs" / "own-labels.yaml")
TEXT = "Ministers Clash over Tax\nSenator Carl Amsel spoke on Monday. He said that the tax is theft.\n"
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli import main; main()")
COMMANDS = ("tag", "predict", "build", "train", "evaluate", "compare", "export", "info")


@pytest.fixture(scope="session")
def model(tiny_encoder):
    return str(exported(tiny_encoder))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the current one: paths in messages are as given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here, monkeypatch, capfd):
    """Runs the program in this process: code, what it printed, and the lines of its messages."""
    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["claimstance", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return SimpleNamespace(code=end.value.code or 0, out=printed.out, messages=printed.err.splitlines())

    return call


def articles(text):
    return [json.loads(line) for line in text.splitlines()]


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(run, command):
    help_text = run(command, "--help")
    assert (help_text.code, help_text.messages) == (0, [])
    assert f"Example: claimstance {command} " in help_text.out


def test_the_help_names_every_command_in_a_line(run):
    lines = run("--help").out.partition("Commands:\n")[2].splitlines()
    assert tuple(line.split()[0] for line in lines) == COMMANDS
    assert not any(line.endswith("...") for line in lines)
    assert {command.callback.__name__ for command in app.registered_commands} == set(COMMANDS)


def test_nothing_at_all_shows_the_help(run):
    shown = run()
    assert (shown.code, shown.out) == (2, "")
    assert shown.messages[0].startswith("Usage: claimstance")


# Tagging

def test_results_alone_on_standard_output(run, model):
    write("a.txt", TEXT)
    done = run("tag", "a.txt", "--model", model)
    assert (done.code, done.messages) == (0, [])
    article, = articles(done.out)
    assert (article["doc_id"], article["title"], article["text"]) == ("a", "Ministers Clash over Tax", TEXT)
    assert article["model"]["sha256"] == json.loads(Path(model, "manifest.json").read_bytes())["files"]["reader.onnx"]


def test_standard_input(run, model):
    done = run("tag", "-", "--model", model, stdin=TEXT.encode())
    assert [(a["doc_id"], a["text"]) for a in articles(done.out)] == [("stdin", TEXT)]


def test_a_folder_into_a_file(run, model):
    for name in "ab":
        write(f"in/{name}.txt", TEXT)
    done = run("tag", "in", "--model", model, "--out", "new/tagged.jsonl")
    assert (done.code, done.out, done.messages) == (0, "", [])
    assert [a["doc_id"] for a in articles(Path("new/tagged.jsonl").read_text(encoding="utf-8"))] == ["a", "b"]


def test_several_targets(run, model):
    write("a.txt", TEXT)
    done = run("tag", "a.txt", "--model", model, "--target", "Carl Amsel", "-t", "rail", "--format", "csv",
               "--rows", "stances")
    found = table(done.out)
    assert {row["target"] for row in found} == {"Carl Amsel", "rail"}
    assert {row["label"] for row in found} <= {"favor", "against", "neutral"}
    named = [row for row in found if row["target"] == "Carl Amsel" and row["target_start"]]
    assert {row["text"][int(row["target_start"]) - 25:int(row["target_end"]) - 25] for row in named
            if row["sentence"] == "1"} == {"Carl Amsel"}


def test_csv_by_option_or_by_name(run, model):
    write("a.txt", TEXT)
    printed = run("tag", "a.txt", "--model", model, "-f", "csv").out
    run("tag", "a.txt", "--model", model, "-o", "t.csv")
    assert Path("t.csv").read_bytes().decode() == printed
    assert [(row["doc_id"], row["index"], row["text"]) for row in table(printed)] == [
        ("a", "0", "Ministers Clash over Tax"), ("a", "1", "Senator Carl Amsel spoke on Monday."),
        ("a", "2", "He said that the tax is theft.")]


def test_a_table_to_read(run, model):
    write("a.txt", "Odd [/b] :smile: [red]Title\n" + TEXT)
    done = run("tag", "a.txt", "--model", model, "--show")
    assert (done.code, done.messages) == (0, [])
    assert "Odd [/b] :smile: [red]Title" in done.out
    assert "who says it" in done.out
    with_file = run("tag", "a.txt", "--model", model, "--show", "--out", "t.jsonl")
    assert with_file.out == done.out
    assert len(articles(Path("t.jsonl").read_text(encoding="utf-8"))) == 1


def test_one_bad_file_does_not_cost_the_others(run, model):
    write("in/a.txt", TEXT)
    Path("in/b.txt").write_bytes(b"\xff")
    write("in/c.txt", "")
    done = run("tag", "in", "--model", model)
    assert done.code == 1
    assert done.messages == [
        "error: in/b.txt, line 1: expected UTF-8 text, found invalid start byte",
        "warning: c: the article has no sentence: nothing read",
        "error: not read: 1 of 3 inputs or lines; tagged: 2",
    ]
    assert [(a["doc_id"], a["warnings"]) for a in articles(done.out)] == [
        ("a", []), ("c", ["the article has no sentence: nothing read"])]


def test_an_id_that_comes_again_is_told_in_the_result(run, model):
    write("a.jsonl", '{"doc_id": "x", "text": "He left."}\n' * 2)
    done = run("tag", "a.jsonl", "--model", model)
    warning = "the doc_id 'x' is an earlier article's, too"
    assert (done.code, done.messages) == (0, [f"warning: x: {warning}"])
    assert [a["warnings"] for a in articles(done.out)] == [[], [warning]]


def test_files_left_out_are_told_of(run, model):
    write("in/a.txt", TEXT)
    write("in/b.pdf", "x")
    done = run("tag", "in", "--model", model)
    assert (done.code, done.messages) == (0, ["warning: in: files that are not articles left out: 1 .pdf"])


# Wrong calls: 2

@pytest.mark.parametrize(("arguments", "message"), [
    (["tag", "gone.txt"], "INPUT: 'gone.txt' does not exist"),
    (["tag", "a.txt", "--model", "gone"], "--model: 'gone' does not exist"),
    (["tag", "a.txt", "-t", " "], "--target: expected a name or a topic, found a blank one"),
    (["tag", "a.txt", "--rows", "stances"], "--rows: expected --format csv beside it, which has rows"),
    (["tag", "a.txt", "-o", "a.txt"],
     "--out: expected a place outside the inputs, found 'a.txt', which 'a.txt' is or holds"),
    (["tag", ".", "-o", "b/t.jsonl"],
     "--out: expected a place outside the inputs, found 'b/t.jsonl', which '.' is or holds"),
    (["tag", "a.txt", "--modle", "x"], "--modle"),
    (["tag", "a.txt", "--format", "xml"], "'xml' is not one of 'jsonl', 'csv'"),
    (["tag", "a.txt", "--threads", "0"], "'--threads'"),
    (["tag"], "INPUT"),
    (["tagg"], "'tagg'"),
    (["predict", "gone.jsonl"], "ROWS.jsonl: 'gone.jsonl' does not exist"),
    (["predict", "a.txt", "--model", "gone"], "--model: 'gone' does not exist"),
    (["build", "gone.csv", "--out", "d"], "CONFIG|FILE: 'gone.csv' does not exist"),
    (["build", "a.csv"], "expected --out DIR, the folder to build the dataset in"),
    (["build", "a.csv", "--out", "d", "--task", "stanze"], "unknown task 'stanze'. Did you mean 'stance'?"),
    (["build", "a.csv", "--out", "d", "--column", "text"],
     "--column: expected OURS=THEIRS, such as text=sentence, found 'text'"),
    (["build", "a.csv", "--out", "d", "--column", "txt=a"], "unknown column 'txt'. Did you mean 'text'?"),
    (["build", OWN_LABELS, "a.csv"], "expected one CONFIG alone, or annotated files with their options"),
    (["build", OWN_LABELS], "data.sources: expected at least one corpus or file, found none"),
    (["train", "gone.yaml"], "CONFIG: 'gone.yaml' does not exist"),
    (["train", OWN_LABELS, "training.epoch=1"], "unknown key 'epoch'. Did you mean 'epochs'?"),
    (["train", OWN_LABELS, "training.epochs"], "override 'training.epochs': expected KEY=VALUE"),
    (["train", OWN_LABELS, "training.epochs=many"], "override 'training.epochs=many': training.epochs: expected"),
    (["train", OWN_LABELS], "data.path: expected a built dataset at runs/own-data, found nothing"),
    (["evaluate", "gone", "--data", "."], "MODEL: 'gone' does not exist"),
    (["evaluate", ".", "--data", "gone"], "--data: 'gone' does not exist"),
    (["evaluate", "."], "'--data'"),
    (["compare", "."], "RUN_B"),
    (["compare", "gone", "."], "RUN_A: 'gone' does not exist"),
    (["compare", ".", "gone"], "RUN_B: 'gone' does not exist"),
    (["export", "gone"], "MODEL: 'gone' does not exist"),
    (["info", "--model", "gone"], "--model: 'gone' does not exist"),
])
def test_a_wrong_call(run, arguments, message):
    write("a.txt", TEXT)
    write("a.csv", "text,label\nx,y\n")
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.messages[0].startswith("error: ")
    assert message in done.messages[0]
    assert len(done.messages) == 1
    assert sorted(os.listdir()) == ["a.csv", "a.txt"]  # noqa: PTH208


# Bad data: 1

@pytest.mark.parametrize(("name", "data", "message"), [
    ("r.jsonl", "", "r.jsonl: expected at least one record, found an empty file"),
    ("r.jsonl", '{"id": "1", "text": "x"}\n{"id": "1", "text": "y"}',
     "r.jsonl, line 2: id: expected a new id, found '1'"),
    ("r.jsonl", '{"id": "1", "text": "x", "entities": [{"span": [[0, 2]], "label": "PERSON"}]}',
     "r.jsonl, line 1: entities[0].span: expected 0 <= start < end <= 1 (the text's length), found [0, 2]"),
    ("r.jsonl", "\0", "r.jsonl, line 1: expected UTF-8 text, found a binary file (a NUL byte)"),
])
def test_records_that_cannot_be_predicted(run, model, name, data, message):
    write(name, data)
    write("old.jsonl", "old")
    done = run("predict", name, "--model", model, "--out", "old.jsonl")
    assert (done.code, done.out) == (1, "")
    assert len(done.messages) == 1
    assert done.messages[0].startswith(f"error: {message}")
    assert Path("old.jsonl").read_bytes() == b"old"
    assert sorted(os.listdir()) == ["old.jsonl", name]  # noqa: PTH208


@pytest.mark.parametrize(("name", "data", "message"), [
    ("a.csv", "", "a.csv: expected a column 'text', found no header"),
    ("a.csv", "text,label\n", "a.csv: expected a header and at least one row, found a header"),
    ("a.csv", "sentence,label\nx,y\n", "a.csv: expected a column 'text', found sentence, label"),
    ("a.csv", "text,label\n,y\n", "a.csv, line 2: expected a text, found an empty one"),
    ("a.csv", "text,label\nx,y,z\n", "a.csv, line 2: expected 2 columns, found 3"),
    ("a.csv", "text,label,id\nx,y,1\nz,y,1\n", "a.csv, line 3: expected a new id, found '1'"),
    ("a.jsonl", '{"id": "1", "text": "x", "claim": "claims"}',
     "a.jsonl, line 1: claim: unknown label 'claims'. Did you mean 'claim'?"),
    ("a.pdf", "x", "a.pdf: expected a file whose name ends in .jsonl, .ndjson, .csv, .tsv, .tab, or its format"),
])
def test_annotations_that_cannot_be_built_from(run, name, data, message):
    write(name, data)
    done = run("build", name, "--out", "d")
    assert (done.code, done.out) == (1, "")
    assert len(done.messages) == 1
    assert done.messages[0].startswith(f"error: {message}")
    assert os.listdir() == [name]  # noqa: PTH208


def test_a_dataset_is_not_replaced_unasked(run):
    write("a.csv", "text,label\nx,y\nu,v\n")
    write("d/mine.txt", "x")
    assert run("build", "a.csv", "--out", "d").messages == [
        "error: d: expected a new folder, found one that is there already"]
    refused = run("build", "a.csv", "--out", "d", "--overwrite")
    assert refused.code == 1
    assert Path("d/mine.txt").exists()


@pytest.mark.parametrize("missing", ["manifest.json", "config.json", "tokenizer.json", "reader.onnx", "stance.onnx"])
def test_a_model_that_lacks_a_file(run, model, missing):
    write("a.txt", TEXT)
    shutil.copytree(model, "m")
    Path("m", missing).unlink()
    done = run("tag", "a.txt", "--model", "m", "--out", "t.jsonl")
    assert (done.code, done.out) == (1, "")
    assert done.messages[0].startswith("error: m: expected")
    assert missing in done.messages[0]
    assert len(done.messages) == 1
    assert not Path("t.jsonl").exists()


def test_a_model_that_was_altered(run, model):
    write("a.txt", TEXT)
    shutil.copytree(model, "m")
    with Path("m/reader.onnx").open("ab") as file:
        file.write(b"x")
    done = run("tag", "a.txt", "--model", "m")
    assert (done.code, len(done.messages)) == (1, 1)
    assert done.messages[0].startswith("error: m/reader.onnx: expected sha256 ")


@pytest.mark.parametrize(("out", "message"), [
    ("folder", "error: folder: cannot be written: Is a directory"), ("a.txt/t", "error: a.txt/t: cannot be written: "),
])
def test_results_that_cannot_be_written(run, model, out, message):
    write("a.txt", TEXT)
    Path("folder").mkdir()
    done = run("tag", "a.txt", "--model", model, "--out", out)
    assert (done.code, len(done.messages)) == (1, 1)
    assert done.messages[0].startswith(message)


def test_what_the_system_refuses(run, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "m")

    write("m/x", "x")
    monkeypatch.setattr("claimstance.inference.summaries.about", refuse)
    done = run("info", "--model", "m")
    assert (done.code, done.messages) == (1, ["error: m: Permission denied"])


def stop_with(monkeypatch, error):
    def stop(*_):
        raise error

    monkeypatch.setattr("claimstance.inference.summaries.about", stop)
    monkeypatch.setattr(sys, "argv", ["claimstance", "info"])


def test_an_interrupted_command(run, monkeypatch):
    stop_with(monkeypatch, KeyboardInterrupt())
    assert run("info").code == 130


def test_a_library_that_is_not_installed(run, monkeypatch):
    stop_with(monkeypatch, ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    done = run("info")
    assert (done.code, done.messages) == (
        1, ["error: this command needs 'torch.nn': pip install 'claimstance[train]'"])


def test_a_module_of_our_own_that_is_missing_is_a_bug(monkeypatch):
    stop_with(monkeypatch, ModuleNotFoundError("No module named 'claimstance.odd'", name="claimstance.odd"))
    with pytest.raises(ModuleNotFoundError):
        main()


# Other commands

def test_predict_keeps_the_order_and_whatever_labels_there_are(run, model):
    stance = {"target": "he", "label": "odder"}
    rows = [{"id": name, "doc_id": doc, "text": "He left.", "claim": "odd", "stances": [stance]}
            for name, doc in (("1", "a"), ("2", "b"), ("3", "a"))]
    write("r.jsonl", "\n".join(map(json.dumps, rows)))
    done = run("predict", "r.jsonl", "--model", model)
    assert (done.code, done.messages) == (0, [])
    assert [(row["id"], row["claim"], row["stances"][0]["label"]) for row in articles(done.out)] == [
        ("1", "odd", "odder"), ("2", "odd", "odder"), ("3", "odd", "odder")]
    assert all(row["predicted"]["stances"][0]["target"] == "he" for row in articles(done.out))
    run("predict", "r.jsonl", "--model", model, "--out", "p.jsonl")
    assert Path("p.jsonl").read_text(encoding="utf-8") == done.out


def test_info_tells_of_the_model(run, model):
    done = run("info", "--model", model)
    assert (done.code, done.messages) == (0, [])
    told = ("random 1", "attribution, entity, claim, check_worthy, stance", "against, neutral, favor", "64 tokens")
    assert [part for part in told if part not in done.out] == []


@pytest.mark.slow
def test_export_to_another_folder(run, model):
    done = run("export", model, "--out", "int8")
    assert (done.code, done.out, done.messages) == (0, "int8\n", [])
    assert json.loads(Path("int8/manifest.json").read_bytes())["precision"] == "int8"
    assert run("tag", "-", "--model", "int8", stdin=TEXT.encode()).code == 0


# What only a process of its own can show

def test_little_is_loaded_before_it_is_needed():
    heavy = ("numpy", "onnxruntime", "tokenizers", "pydantic", "rich.console", "yaml", "torch", "transformers")
    script = f"import sys, claimstance.inference.cli; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


def test_tagging_loads_no_torch_and_prints_utf8_whatever_the_locale(here, model):
    script = ("import sys\nfrom claimstance.inference.cli import main\ntry: main()\n"
              "finally: print(*{'torch', 'transformers', 'datasets', 'rich'} & set(sys.modules), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", script, "tag", "-", "--model", model], input="Ünï 🧿.".encode(),
                          capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout)["text"] == "Ünï 🧿."
    assert done.stderr == b"\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_is_for_a_terminal_and_leaves_the_results_alone(here, model):
    import pty

    write("a.txt", TEXT)
    terminal, stderr = pty.openpty()
    with Path("out.jsonl").open("wb") as stdout:
        code = subprocess.run([*PROGRAM, "tag", "a.txt", "--model", model], stdout=stdout, stderr=stderr,
                              stdin=subprocess.DEVNULL, check=False).returncode
    os.close(stderr)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert code == 0
    assert "tagging" in shown
    assert "doc_id" not in shown
    assert [a["doc_id"] for a in articles(Path("out.jsonl").read_text(encoding="utf-8"))] == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_reader_that_has_had_enough_is_no_error_to_tell_of(here, model):
    write("a.jsonl", (json.dumps({"text": TEXT * 20}) + "\n") * 5)
    with subprocess.Popen([*PROGRAM, "tag", "a.jsonl", "--model", model], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


# The whole circle

def label_rows(count, **columns):
    """Rows of invented sentences whose label shows in a word."""
    chance = random.Random(7)
    cues = {"boast": "proudly", "pledge": "surely", "menace": "grimly"}
    for number in range(count):
        label = list(cues)[number % 3]
        words = " ".join(chance.choices(("Amsel", "harbor", "ferries", "council", "tax", "ships"), k=5))
        yield {"text": f"{words} {cues[label]} {number}.", "label": label, **columns}


def write_csv(name, rows):
    rows = list(rows)
    with Path(name).open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def train(run, encoder, *overrides):
    done = run("train", OWN_LABELS, "data.path=data", "output=own", f"model.encoder={encoder}", "model.max_tokens=64",
               "training.epochs=1", "training.threads=1", *overrides)
    assert (done.code, done.out) == (0, "own: trained and exported. Next: claimstance evaluate own --data data\n")
    return done.messages


@pytest.mark.slow
def test_labels_of_ones_own_from_a_table_to_tags(run, tiny_encoder):
    write_csv("labelled.csv", label_rows(200))
    built = run("build", "labelled.csv", "--out", "data")
    assert built.code == 0
    assert built.messages == [
        "warning: labels of claim are those found: boast, menace, pledge (not no_claim, claim)"]
    assert "boast" in built.out
    assert json.loads(Path("data/report.json").read_bytes())["rows"] == {"train": 160, "dev": 20, "test": 20}
    assert train(run, tiny_encoder) == []
    scored = run("evaluate", "own", "--data", "data", "--out", "scores")
    assert (scored.code, scored.messages) == (0, [])
    assert "macro_f1" in scored.out
    account = json.loads(Path("scores/evaluation.json").read_bytes())
    assert list(account["results"]) == ["labelled/claim"]
    assert account["model"]["name"] == "own-labels"
    compared = run("compare", "scores", "scores", "--metric", "accuracy", "--out", "c.json")
    assert (compared.code, compared.messages) == (0, [])
    assert re.search(r"labelled .* claim .* accuracy .* \+0\.0 .* 1\.0000", compared.out)
    row, = json.loads(Path("c.json").read_bytes())["rows"]
    assert (row["a"], row["p"]) == (account["results"]["labelled/claim"]["accuracy"]["value"], 1)
    wrong = run("compare", "scores", "scores", "--metric", "acuracy")
    assert (wrong.code, wrong.out) == (2, "")
    assert "unknown metric 'acuracy'. Did you mean 'accuracy'?" in wrong.messages[0]
    write("a.txt", TEXT)
    tagged = run("tag", "a.txt", "--model", "own", "--format", "csv")
    assert {row["claim"] for row in table(tagged.out)} <= {"boast", "menace", "pledge"}
    article, = articles(run("tag", "a.txt", "--model", "own").out)
    for sentence in article["sentences"]:
        assert list(sentence["claim"]["probabilities"]) == ["boast", "menace", "pledge"]
        assert [sentence[name] for name in ("check_worthy", "attributions", "entities", "stances")] == [None] * 3 + [[]]
    again = run("train", OWN_LABELS, "data.path=data", "output=own")
    assert (again.code, again.messages) == (2, ["error: output: expected a new folder, found a trained model in own"])


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "options"), [({"target": "tax"}, []), ({}, ["--target", "tax"])])
def test_a_target_from_a_column_or_one_for_all_rows(run, tiny_encoder, monkeypatch, columns, options):
    write_csv("labelled.csv", label_rows(60, **columns))
    assert run("build", "labelled.csv", *options, "--out", "data").code == 0
    with monkeypatch.context() as terminal:
        terminal.setattr(sys.stderr, "isatty", lambda: True)
        assert any("loss" in line for line in train(run, tiny_encoder))  # told on a terminal, but not as a result
    assert ModelConfig.load(Path("own")).tasks == ("stance",)
    write("a.txt", TEXT)
    stances = table(run("tag", "a.txt", "--model", "own", "-t", "tax", "-f", "csv", "--rows", "stances").out)
    assert [row["target"] for row in stances] == ["tax"] * 3
    assert {row["label"] for row in stances} <= {"boast", "menace", "pledge"}
