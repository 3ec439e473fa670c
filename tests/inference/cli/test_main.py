"""Test what the commands do, and what they print to standard output and standard error."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claimstance.inference.cli.main import app
from claimstance.model.onnx.backend import model_sha256
from helpers.paths import DATA
from helpers.program import PROGRAM, TEXT, articles, table, write

COMMANDS = (
    "tag",
    "report",
    "sample",
    "predict",
    "init",
    "check",
    "build",
    "convert",
    "train",
    "evaluate",
    "compare",
    "export",
    "info",
    "serve",
)


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


def test_a_call_without_arguments_shows_the_help(run):
    done = run()
    assert (done.code, done.out) == (2, "")
    assert done.messages[0].startswith("Usage: claimstance")


# Tagging


def test_standard_output_has_results_only(run, model):
    write("a.txt", TEXT)
    done = run("tag", "a.txt", "--model", model)
    assert (done.code, done.messages) == (0, [])
    (article,) = articles(done.out)
    assert (article["doc_id"], article["title"], article["text"]) == (
        "a",
        "Ministers Clash over Tax",
        TEXT,
    )
    assert article["model"]["sha256"] == model_sha256(Path(model))


def test_standard_input_is_tagged(run, model):
    done = run("tag", "-", "--model", model, stdin=TEXT.encode())
    assert [(a["doc_id"], a["text"]) for a in articles(done.out)] == [("stdin", TEXT)]


def test_a_folder_is_tagged_into_one_file(run, model):
    for name in "ab":
        write(f"in/{name}.txt", TEXT)
    done = run("tag", "in", "--model", model, "--out", "new/tagged.jsonl")
    assert (done.code, done.out, done.messages) == (0, "", [])
    assert [
        a["doc_id"] for a in articles(Path("new/tagged.jsonl").read_text(encoding="utf-8"))
    ] == ["a", "b"]


def test_a_target_that_no_article_mentions_gives_one_note(run, model):
    Path("a.txt").write_text("Carl Amsel opened the rail line.", encoding="utf-8")
    Path("b.txt").write_text("It rained.", encoding="utf-8")
    done = run(
        "tag",
        "a.txt",
        "b.txt",
        "--model",
        model,
        "-t",
        "Carl Amsel",
        "-t",
        "Gun Control",
        "-t",
        "rail",
    )
    assert [line.split(",")[0] for line in done.messages if "no sentence mentions" in line] == [
        "warning: target 'Gun Control': no sentence mentions it"
    ]


def test_every_scored_pair_is_listed_with_neutral(run, model):
    write("a.txt", TEXT)
    call = ("tag", "a.txt", "--model", model, "-f", "csv", "--rows", "stances")

    def stances(*options):
        rows = table(run(*call, *options).out)
        return {(row["sentence"], row["holder"], row["target"], row["label"]) for row in rows}

    sides, pairs = stances(), stances("--neutral")
    # Of nested targets, only one is listed without the option.
    assert sides <= {row for row in pairs if row[3] != "neutral"}
    assert any(row[3] == "neutral" for row in pairs)


def test_several_targets_are_scored(run, model):
    write("a.txt", TEXT)
    done = run(
        "tag",
        "a.txt",
        "--model",
        model,
        "--target",
        "Carl Amsel",
        "-t",
        "rail",
        "--format",
        "csv",
        "--rows",
        "stances",
    )
    rows = table(done.out)
    assert {row["target"] for row in rows} == {"Carl Amsel", "rail"}
    assert {row["label"] for row in rows} <= {"favor", "against", "neutral"}
    amsel_rows = [row for row in rows if row["target"] == "Carl Amsel" and row["target_start"]]
    sentence_start = 25
    targets = set()
    for row in amsel_rows:
        if row["sentence"] == "1":
            start, end = int(row["target_start"]), int(row["target_end"])
            targets.add(row["text"][start - sentence_start : end - sentence_start])
    assert targets == {"Carl Amsel"}


def test_csv_is_chosen_by_option_or_by_suffix(run, model):
    write("a.txt", TEXT)
    printed = run("tag", "a.txt", "--model", model, "-f", "csv").out
    run("tag", "a.txt", "--model", model, "-o", "t.csv")
    assert Path("t.csv").read_bytes().decode() == printed
    assert [(row["doc_id"], row["index"], row["text"]) for row in table(printed)] == [
        ("a", "0", "Ministers Clash over Tax"),
        ("a", "1", "Senator Carl Amsel spoke on Monday."),
        ("a", "2", "He said that the tax is theft."),
    ]


def test_show_prints_a_table(run, model):
    write("a.txt", "Odd [/b] :smile: [red]Title\n" + TEXT)
    done = run("tag", "a.txt", "--model", model, "--show")
    assert (done.code, done.messages) == (0, [])
    assert "Odd [/b] :smile: [red]Title" in done.out
    assert "who says what" in done.out
    with_file = run("tag", "a.txt", "--model", model, "--show", "--out", "t.jsonl")
    assert with_file.out == done.out
    assert len(articles(Path("t.jsonl").read_text(encoding="utf-8"))) == 1


def test_a_bad_file_leaves_the_others_tagged(run, model):
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
        ("a", []),
        ("c", ["the article has no sentence: nothing read"]),
    ]


def test_a_repeated_id_is_a_warning_in_the_result(run, model):
    write("a.jsonl", '{"doc_id": "x", "text": "He left."}\n' * 2)
    done = run("tag", "a.jsonl", "--model", model)
    warning = "the doc_id 'x' is an earlier article's, too"
    assert (done.code, done.messages) == (0, [f"warning: x: {warning}"])
    assert [a["warnings"] for a in articles(done.out)] == [[], [warning]]


def test_skipped_files_are_a_warning(run, model):
    write("in/a.txt", TEXT)
    write("in/b.png", "x")
    done = run("tag", "in", "--model", model)
    assert (done.code, done.messages) == (
        0,
        ["warning: in: files that are not articles left out: 1 .png"],
    )


def test_a_folder_of_all_formats_is_tagged(run, model):
    pytest.importorskip("trafilatura")
    shutil.copytree(DATA / "articles", "in")
    write("in/corpus.csv", f'key,story,outlet\nk1,"{TEXT}",Courier\n')
    done = run("tag", "in", "--model", model, "--text-column", "story", "--id-column", "key")
    assert done.code == 1
    assert [
        line.partition(": expected")[0] for line in done.messages if not line.startswith("warning")
    ] == ["error: in/front.html", "error: not read: 1 of 6 inputs or lines; tagged: 5"]
    tagged = {a["doc_id"]: a for a in articles(done.out)}
    assert list(tagged) == ["k1", "ferry", "harbour", "levee", "plain"]
    assert tagged["k1"]["meta"] == {"outlet": "Courier"}
    assert tagged["harbour"]["meta"]["date"] == "2026-03-04"
    for article in tagged.values():
        for sentence in article["sentences"]:
            assert article["text"][sentence["start"] : sentence["end"]] == sentence["text"]


# Other commands


def test_predict_keeps_order_and_labels(run, model):
    stance = {"target": "he", "label": "odder"}
    rows = [
        {"id": name, "doc_id": doc, "text": "He left.", "claim": "odd", "stances": [stance]}
        for name, doc in (("1", "a"), ("2", "b"), ("3", "a"))
    ]
    write("r.jsonl", "\n".join(map(json.dumps, rows)))
    done = run("predict", "r.jsonl", "--model", model)
    assert (done.code, done.messages) == (0, [])
    assert [
        (row["id"], row["claim"], row["stances"][0]["label"]) for row in articles(done.out)
    ] == [("1", "odd", "odder"), ("2", "odd", "odder"), ("3", "odd", "odder")]
    assert all(row["predicted"]["stances"][0]["target"] == "he" for row in articles(done.out))
    run("predict", "r.jsonl", "--model", model, "--out", "p.jsonl")
    assert Path("p.jsonl").read_text(encoding="utf-8") == done.out


def test_info_describes_the_model(run, model):
    done = run("info", "--model", model)
    assert (done.code, done.messages) == (0, [])
    expected = (
        "random 1",
        "attribution, entity, claim, check_worthy, stance",
        "against, neutral, favor",
        "64 tokens",
    )
    assert [phrase for phrase in expected if phrase not in done.out] == []


@pytest.mark.slow
def test_export_writes_to_another_folder(run, model):
    done = run("export", model, "--out", "int8")
    assert (done.code, done.out, done.messages) == (0, "int8\n", [])
    assert json.loads(Path("int8/manifest.json").read_bytes())["precision"] == "int8"
    assert run("tag", "-", "--model", "int8", stdin=TEXT.encode()).code == 0


@pytest.mark.slow
def test_export_takes_a_precision_and_a_size(run, model):
    options = ["--precision", "int8-compact", "--largest-file", "1"]
    assert run("export", model, "--out", "compact", *options).code == 0
    assert json.loads(Path("compact/manifest.json").read_bytes())["precision"] == "int8-compact"
    assert run("tag", "-", "--model", "compact", stdin=TEXT.encode()).code == 0
    assert run("export", model, "--out", "none", "--largest-file", "0").code == 2
    assert not Path("none").exists()


# Tests that need a process of their own


def test_commands_import_libraries_lazily():
    heavy = (
        "numpy",
        "onnxruntime",
        "tokenizers",
        "pydantic",
        "rich.console",
        "yaml",
        "torch",
        "transformers",
    )
    script = f"import sys, claimstance.inference.cli.main; print(*[name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        == "\n"
    )


def test_tagging_loads_no_torch_and_prints_utf8_whatever_the_locale(workdir, model):
    script = (
        "import sys\nfrom claimstance.inference.cli.main import main\ntry: main()\n"
        "finally: print(*{'torch', 'transformers', 'datasets', 'rich'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "tag", "-", "--model", model],
        input="Ünï 🧿.".encode(),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(done.stdout)["text"] == "Ünï 🧿."
    assert done.stderr == b"\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_only(workdir, model):
    import pty

    write("a.txt", TEXT)
    terminal, stderr = pty.openpty()
    with Path("out.jsonl").open("wb") as stdout:
        code = subprocess.run(
            [*PROGRAM, "tag", "a.txt", "--model", model],
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
    os.close(stderr)
    output = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert code == 0
    assert "tagging" in output
    assert "doc_id" not in output
    assert [a["doc_id"] for a in articles(Path("out.jsonl").read_text(encoding="utf-8"))] == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_closed_pipe_is_no_error(workdir, model):
    write("a.jsonl", (json.dumps({"text": TEXT * 20}) + "\n") * 5)
    with subprocess.Popen(
        [*PROGRAM, "tag", "a.jsonl", "--model", model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
