"""Test that a run with other settings, inputs or files is refused, and that foreign files are kept."""

import json
import os
import shutil
from pathlib import Path

import pytest

from claimstance.inference.jobs import folder as run_folder
from claimstance.inference.jobs import run as long_run
from helpers.long_runs import (
    IN_TWOS,
    LINES,
    die_while_creating,
    fail_after_parts,
    folder_contents,
    read_manifest,
    write_corpus,
)
from helpers.program import write


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["-t", "rail"], 'options targets: [] then, ["rail"] now'),
        (None, ["--neutral"], "options neutral: false then, true now"),
        (None, ["--min-confidence", "0.8"], "options min_confidence: null then, 0.8 now"),
        (None, ["-f", "csv"], 'options format: "jsonl" then, "csv" now'),
        (None, ["--text-column", "text"], 'options columns text: null then, "text" now'),
        (None, ["--articles-per-part", "3"], "options articles_per_part: 2 then, 3 now"),
        (None, ["c.jsonl"], "number of inputs: 1 then, 2 now"),
        (lambda: write("c.jsonl", "\n".join(LINES[1:])), [], "c.jsonl bytes: "),
        (lambda: os.utime("c.jsonl"), [], "c.jsonl names_sizes_times: "),
    ],
    ids=[
        "targets",
        "neutral",
        "confidence",
        "format",
        "columns",
        "size",
        "inputs",
        "bytes",
        "time",
    ],
)
def test_a_run_with_other_settings_is_not_resumed(tag, monkeypatch, change, arguments, message):
    write_corpus()
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        tag()
    before = folder_contents()
    if change:
        change()
    refused = tag(*arguments)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert refused.messages[0].startswith("error: --out: the run in 'out' has other settings (")
    assert message in refused.messages[0]
    assert refused.messages[0].endswith("start again with --restart")
    assert folder_contents() == before


def test_a_run_of_another_model_or_program_is_not_resumed(run, tag, model, monkeypatch):
    write_corpus()
    tag()
    shutil.copytree(model, "m")
    content = json.loads(Path("m/manifest.json").read_bytes())
    config = Path("m/config.json")
    config.write_bytes(config.read_bytes() + b"\n")  # the weights do not change
    content["files"]["config.json"] = long_run.sha256(config)
    Path("m/manifest.json").write_text(json.dumps(content), encoding="utf-8")
    refused = run("tag", "c.jsonl", "--model", "m", "--out", "out", *IN_TWOS)
    assert refused.code == 2
    assert "(model sha256: " in refused.messages[0]
    monkeypatch.setattr(
        "claimstance.inference.jobs.manifest.metadata.version", lambda name: f"{name} 9"
    )
    assert "(program claimstance: " in tag().messages[0]


def test_changed_text_of_equal_size_and_time_is_refused(tag, monkeypatch):
    write_corpus()
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 2)
        tag()
    write_corpus(LINES[0].replace("Monday", "Friday"), *LINES[1:])
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [
            f"error: --out: '{Path('out', 'part-00000.jsonl')}' was made of other articles than the inputs have "
            "now: name another --out, or start again with --restart"
        ],
    )
    assert not read_manifest()["complete"]


def test_missing_articles_at_equal_size_and_time_are_refused(tag):
    write_corpus()
    tag()
    content = {**read_manifest(), "complete": False}
    Path("out/manifest.json").write_text(json.dumps(content), encoding="utf-8")
    write_corpus(*LINES[:4], " " * len(LINES[4]))
    refused = tag()
    assert refused.code == 2
    assert f"'{Path('out', 'part-00002.jsonl')}' was made of other articles" in refused.messages[0]
    assert not read_manifest()["complete"]


def test_inputs_that_change_during_the_run_are_an_error(tag, monkeypatch):
    save = long_run.Manifest.save

    def change(self, folder):
        os.utime("c.jsonl")
        save(self, folder)

    write_corpus()
    monkeypatch.setattr(long_run.Manifest, "save", change)
    done = tag()
    assert done.code == 1
    assert done.messages[0].startswith(
        "error: the inputs changed while they were read (c.jsonl names_"
    )
    assert not read_manifest()["complete"]


def test_restart_deletes_the_earlier_run(tag, monkeypatch):
    write_corpus()
    tag("--format", "csv")
    tag("--restart")
    undisturbed = folder_contents()
    assert sorted(undisturbed) == [
        "manifest.json",
        *(f"part-0000{number}.jsonl" for number in range(3)),
    ]
    write_corpus(*LINES[:3])
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 0)
        tag("--restart")
    # The old parts are deleted before the first new one is written.
    assert sorted(folder_contents()) == ["manifest.json"]
    write_corpus()
    assert tag("--restart").code == 0
    assert folder_contents() == undisturbed


@pytest.mark.parametrize("name", ["notes.txt", "part-00000.jsonl", "manifest.json"])
@pytest.mark.parametrize("restart", [[], ["--restart"]])
def test_foreign_files_are_refused_and_kept(tag, name, restart):
    write_corpus()
    write(f"out/{name}", '{"files": {}}')
    refused = tag(*restart)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert f"found '{Path('out', name)}'" in refused.messages[0]
    assert Path("out", name).read_text(encoding="utf-8") == '{"files": {}}'


@pytest.mark.parametrize(
    "name",
    [
        ".part-00001.jsonl.backup",
        ".part-00009.jsonl.abc_12",
        ".manifest.json.old",
        ".manifest.json.0123456789abcdef0123456789abcdef",
        ".lock.mine",
        ".notes",
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--restart"]], ids=["goes on", "restart"])
def test_foreign_hidden_files_are_kept(tag, monkeypatch, name, arguments):
    write_corpus()
    write(f"out/{name}", "mine")
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        tag()
    die_while_creating("part-00001.jsonl", "middle")
    assert tag(*arguments).code == 0
    part_names = [f"part-{number:05}.jsonl" for number in range(3)]
    assert sorted(folder_contents()) == sorted([name, "manifest.json", *part_names])
    assert Path("out", name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["part-00001.jsonl", "part-00002.csv", "part-00099.jsonl"])
@pytest.mark.parametrize("restart", [[], ["--restart"]])
def test_a_part_that_no_run_recorded_is_refused_and_kept(tag, monkeypatch, name, restart):
    write_corpus()
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        tag()
    write(f"out/{name}", "mine")
    before = folder_contents()
    refused = tag(*restart)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert f"found '{Path('out', name)}', which no run wrote" in refused.messages[0]
    assert folder_contents() == before


def test_a_part_replaced_before_it_was_recorded_is_kept(tag, monkeypatch):
    write_corpus()
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        tag()
    die_while_creating("part-00001.jsonl", "end")
    write("out/part-00001.jsonl", "mine")
    assert tag().code == 2
    assert Path("out/part-00001.jsonl").read_text(encoding="utf-8") == "mine"


def test_a_part_never_replaces_a_file_of_another_program(tag, monkeypatch):
    write_part = long_run.LongRun._write_part

    def write_foreign_part(self, number, part_input, *arguments):
        if number == 1:
            write("out/part-00001.jsonl", "mine")
        write_part(self, number, part_input, *arguments)

    write_corpus()
    monkeypatch.setattr(long_run.LongRun, "_write_part", write_foreign_part)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        [
            f"error: {Path('out', 'part-00001.jsonl')}: another program wrote this file during the run"
        ],
    )
    assert Path("out/part-00001.jsonl").read_text(encoding="utf-8") == "mine"
    assert sorted(folder_contents()) == ["manifest.json", "part-00000.jsonl", "part-00001.jsonl"]


def test_an_interrupted_restart_can_be_repeated(tag, monkeypatch):
    write_corpus()
    tag("--format", "csv")
    remove = run_folder.RunFolder.remove

    def interrupt(self, names):
        remove(self, list(names)[:2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_folder.RunFolder, "remove", interrupt)
        assert tag("--restart").code == 130
    assert sorted(folder_contents()) == ["manifest.json", "part-00002.csv"]
    assert tag("--restart").code == 0
    assert sorted(folder_contents()) == [
        "manifest.json",
        *(f"part-{number:05}.jsonl" for number in range(3)),
    ]
