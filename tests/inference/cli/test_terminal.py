"""Test that control characters and forged messages are escaped in all text that reaches a terminal."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from claimstance.inference.cli.tables import print_article, print_build
from claimstance.inference.cli.terminal import SafeConsole, SafeTable
from claimstance.inference.results import Label, Sentence, Stance, TaggedArticle
from claimstance.model.article.spans import Attribution, Span
from claimstance.model.onnx.manifest import sha256
from helpers.program import TEXT, write

FORGED = "a\nerror: forged\x1b[2J\r\u202e\x9b31m\u2028b"
ESCAPED = "a\\nerror: forged\\x1b[2J\\r\\u202e\\x9b31m\\u2028b"
CONTROLS = tuple("\x1b\r\u202e\x9b\u2028")
posix = pytest.mark.skipif(sys.platform == "win32", reason="such names are not allowed there")


def assert_harmless(done):
    """Assert that no line of the output is forged, and that it contains no control characters."""
    lines = [*done.messages, *done.out.splitlines()]
    assert not any(control in line for line in lines for control in CONTROLS)
    assert not any(line.startswith("error: forged") for line in lines)


# Names of files


@posix
def test_the_name_of_an_unreadable_file_is_escaped(run, model):
    write(f"in/{FORGED}.txt", "\0")
    done = run("tag", "in", "--model", model)
    assert_harmless(done)
    assert done.messages[0].startswith(f"error: in/{ESCAPED}.txt")
    assert len(done.messages) == 2


@posix
def test_the_name_of_a_missing_file_is_escaped(run):
    done = run("tag", f"{FORGED}.txt")
    assert_harmless(done)
    assert done.messages == [f"error: INPUT: '{ESCAPED}.txt' does not exist"]


@posix
@pytest.mark.parametrize("option", ["--model", "--out"])
def test_paths_of_options_are_escaped(run, model, option):
    write("a.txt", TEXT)
    chosen = {"--model": model, "--out": "out", option: FORGED}
    if option == "--out":
        write(f"{FORGED}/mine", "x")
    done = run("tag", "a.txt", *(word for pair in chosen.items() for word in pair))
    assert_harmless(done)
    assert (done.code, len(done.messages)) == (2, 1)
    assert ESCAPED in done.messages[0]


@posix
def test_the_name_of_a_damaged_part_is_escaped(run, model):
    write("a.txt", TEXT)
    call = ("tag", "a.txt", "--model", model, "--out", FORGED)
    assert run(*call).code == 0
    Path(FORGED, "part-00000.jsonl").write_bytes(b"x")
    done = run(*call)
    assert_harmless(done)
    assert done.messages == [
        f"warning: {ESCAPED}/part-00000.jsonl: changed since it was written: it is tagged again"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_name_that_is_not_utf8_is_escaped(run, model):
    name = os.fsdecode(b"a\xff.txt")
    write(name, "\0")
    done = run("tag", name, "--model", model)
    assert done.messages[0].startswith("error: a\\xff.txt")


# Ids, titles, labels, options


def test_ids_in_warnings_are_escaped(run, model):
    line = json.dumps({"id": FORGED, "text": TEXT})
    write("c.jsonl", f"{line}\n{line}\n")
    done = run("tag", "c.jsonl", "--model", model)
    assert done.messages[0].startswith(f"warning: {ESCAPED}: the doc_id '{ESCAPED}' is an earlier")


@pytest.mark.parametrize("name", ["id", "title", "body"])
def test_columns_in_errors_are_escaped(run, model, name):
    write("c.jsonl", json.dumps({"id": "1", "text": 5, FORGED: FORGED, name: FORGED}) + "\n")
    assert_harmless(run("tag", "c.jsonl", "--model", model))
    assert_harmless(run("tag", "c.jsonl", "--model", model, "--text-column", "gone"))
    assert_harmless(run("tag", "c.jsonl", "--model", model, "--text-column", f"{FORGED}s"))


def test_an_unmentioned_target_is_escaped(run, model):
    write("a.txt", TEXT)
    done = run("tag", "a.txt", "--model", model, "--target", f"X{FORGED}", "--format", "csv")
    assert [message.partition(":")[0] for message in done.messages] == ["warning"]
    assert not any(control in done.messages[0] for control in CONTROLS)


@pytest.mark.parametrize("option", ["--target", "--text-column", "--id-column", "--title-column"])
@pytest.mark.parametrize("out", ["out", "t.jsonl"])
def test_an_option_that_is_not_utf8_is_rejected(run, model, option, out):
    write("a.txt", TEXT)
    done = run("tag", "a.txt", "--model", model, "--out", out, option, "x\udcff")
    assert (done.code, len(done.messages)) == (2, 1)
    assert done.messages[0].endswith("expected UTF-8, found 'x\\xff'")
    assert option in done.messages[0]
    assert not Path(out).exists()


def test_an_unknown_option_is_escaped(run):
    assert_harmless(run("tag", f"--{FORGED}"))
    assert_harmless(run(FORGED))


def test_a_printed_table_is_escaped(run, model):
    record = {"id": FORGED, "title": FORGED, "text": f"{TEXT} He \x1b[31msaid\u202e so."}
    write("c.jsonl", json.dumps(record) + "\n")
    done = run("tag", "c.jsonl", "--model", model, "--show", "--target", "tax")
    assert_harmless(done)
    assert "forged" in done.out


def test_the_name_of_a_model_is_escaped(run, model):
    shutil.copytree(model, "m")
    config = json.loads(Path("m/config.json").read_bytes())
    Path("m/config.json").write_text(json.dumps({**config, "name": FORGED}), encoding="utf-8")
    manifest = json.loads(Path("m/manifest.json").read_bytes())
    manifest["files"]["config.json"] = sha256(Path("m/config.json"))
    Path("m/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = run("info", "--model", "m")
    assert_harmless(done)


def test_the_report_of_a_build_is_escaped(capsys):
    source = {
        "name": FORGED,
        "facts": {FORGED: {FORGED: FORGED}},
        "dropped": {FORGED: 1},
        "ties": {FORGED: 2},
    }
    report = {
        "rows": {FORGED: 3},
        "labels": {FORGED: {FORGED: {FORGED: 1}}},
        "sources": [source],
        "agreement": {},
        "overlaps": [],
    }
    print_build(Path(FORGED), report)
    output = capsys.readouterr().out
    assert not any(control in output for control in CONTROLS)
    assert not any(line.startswith("error: forged") for line in output.splitlines())


# The table of an article


def article(*attributions, text="Lena Orr spoke."):
    claim = Label(FORGED, 0.5, {FORGED: 0.5})
    stance = Stance(FORGED, FORGED, FORGED, 0.5, {FORGED: 0.5}, 0)
    sentence = Sentence(0, 0, len(text), text, claim, None, list(attributions), [], [stance])
    return TaggedArticle("a", None, text, {}, [sentence], [])


def span(text, name=None):
    return Span(0, len(text), text, ((0, len(text)),), name)


@pytest.mark.parametrize(
    ("attribution", "expected"),
    [
        (
            Attribution(span("She", "Lena Orr"), span("said"), span("the dam was old"), 0.9),
            "She = Lena Orr · said: the dam was old",
        ),
        (
            Attribution(span("Lena Orr", "Lena Orr"), span("said"), span("no"), 0.9),
            "Lena Orr · said: no",
        ),
        (Attribution(span("Orr"), None, span("no"), 0.9), "Orr: no"),
        (
            Attribution(None, span("is said to"), span("leak"), 0.9),
            "(nobody named) · is said to: leak",
        ),
        (Attribution(span("Orr"), span("spoke"), None, 0.9), "Orr · spoke"),
        (Attribution(span("Orr"), span("said"), span("a\n  b\tc"), 0.9), "Orr · said: a   b c"),
        (Attribution(span("Orr"), span("said:"), span("no"), 0.9), "Orr · said: no"),
    ],
)
def test_the_table_shows_who_says_what(capsys, attribution, expected):
    print_article(article(attribution))
    cells = [
        line.split("│")[4].strip() for line in capsys.readouterr().out.splitlines() if "│" in line
    ]
    assert " ".join(cell for cell in cells if cell).split() == expected.split()


def test_labels_in_the_table_are_escaped(capsys):
    print_article(article())
    output = capsys.readouterr().out
    assert not any(control in output for control in CONTROLS)


def test_headers_titles_and_lines_are_escaped(capsys):
    table = SafeTable(FORGED, title=FORGED)
    table.add_row(FORGED)
    console = SafeConsole()
    console.print(table)
    console.print(FORGED)
    output = capsys.readouterr().out
    assert not any(control in output for control in CONTROLS)
    assert not any(line.startswith("error: forged") for line in output.splitlines())
    assert ESCAPED in output
