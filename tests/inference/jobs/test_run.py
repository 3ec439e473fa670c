"""Test runs into a folder: the parts, the resumption of an interrupted run, and signals."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from claimstance.inference.cli.long_run import StopSignals
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
from helpers.program import TEXT, articles, table, write


def test_parts_together_equal_a_single_output_file(run, tag, model):
    write_corpus()
    done = tag()
    assert (done.code, done.out, done.messages) == (0, "", [])
    run("tag", "c.jsonl", "--model", model, "--out", "whole.jsonl")
    part_names = [f"part-{number:05}.jsonl" for number in range(3)]
    assert sorted(folder_contents()) == ["manifest.json", *part_names]
    assert (
        b"".join(folder_contents()[name] for name in part_names) == Path("whole.jsonl").read_bytes()
    )
    content = read_manifest()
    assert (content["complete"], content["articles"], content["failed"]) == (True, 5, 0)
    assert [(entry["file"], entry["articles"]) for entry in content["parts"].values()] == list(
        zip(part_names, (2, 2, 1), strict=True)
    )


def test_csv_parts_have_the_columns_of_the_first_article(tag):
    write_corpus('{"id": "a"', *LINES[:3], '{"text": "He left."}', '{"text": 5}')
    assert tag("--format", "csv").code == 1
    first, second = (
        table(Path("out", f"part-0000{number}.csv").read_bytes().decode()) for number in range(2)
    )
    assert list(first[0]) == list(second[0])
    assert [row["meta_outlet"] for row in second] == ["Courier"] * 3 + [""]


def test_parquet_parts_form_one_dataset(tag):
    pytest.importorskip("pyarrow")
    import pyarrow.dataset

    write_corpus(*LINES[:3], '{"id": "z", "text": "He left."}')
    assert tag("--format", "parquet", "--rows", "sentences").code == 0
    rows = pyarrow.dataset.dataset("out", exclude_invalid_files=True).to_table().to_pylist()
    assert [row["doc_id"] for row in rows] == ["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["z"]
    assert rows[-1]["meta_outlet"] is None


def test_an_existing_folder_may_have_any_name(run, model):
    write_corpus()
    Path("tagged.v2").mkdir()
    assert run("tag", "c.jsonl", "--model", model, "--out", "tagged.v2").code == 0
    assert sorted(folder_contents("tagged.v2")) == ["manifest.json", "part-00000.jsonl"]
    write("plain", "old")
    assert run("tag", "c.jsonl", "--model", model, "--out", "plain").code == 0
    assert len(articles(Path("plain").read_text(encoding="utf-8"))) == 5


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("part_count", [0, 1, 2])
def test_a_killed_run_is_resumed(tag, monkeypatch, form, part_count):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    write_corpus()
    tag("--format", form, "--threads", "1")
    undisturbed = folder_contents()
    shutil.rmtree("out")
    with monkeypatch.context() as patched:
        fail_after_parts(patched, part_count)
        assert tag("--format", form).code == 130
    assert len(read_manifest()["parts"]) == part_count
    before = {
        name: Path("out", name).stat().st_mtime_ns
        for name in folder_contents()
        if name != "manifest.json"
    }
    die_while_creating(f"part-{part_count:05}.{form}", "end")
    die_while_creating(f"part-{part_count + 1:05}.{form}", "middle")
    die_while_creating("manifest.json", "middle")
    assert len(list(Path("out").iterdir())) == 5 + part_count
    done = tag("--format", form, "--threads", "2")
    assert (done.code, done.messages) == (0, [])
    assert folder_contents() == undisturbed
    # Parts that were complete are not tagged again.
    assert before == {name: Path("out", name).stat().st_mtime_ns for name in before}


def test_errors_are_counted_once(tag, monkeypatch):
    write_corpus("[1]", *LINES[:2], "no JSON", *LINES[2:])
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        died = tag()
    assert [message[:25] for message in died.messages[:2]] == [
        "error: c.jsonl, line 1: e",
        "error: c.jsonl, line 4: e",
    ]
    done = tag()
    assert (done.code, done.messages) == (1, ["error: not read: 2 of 7 inputs or lines; tagged: 5"])
    assert [len(entry["errors"]) for entry in read_manifest()["parts"].values()] == [2, 0, 0]
    repeated = tag()
    assert (repeated.code, repeated.messages) == (done.code, done.messages)


def test_a_damaged_part_is_tagged_again(tag):
    write_corpus()
    tag()
    undisturbed = folder_contents()
    Path("out/part-00001.jsonl").write_bytes(b"{}\n")
    Path("out/part-00002.jsonl").unlink()
    done = tag()
    assert (done.code, done.messages) == (
        0,
        [
            f"warning: {Path('out', f'part-0000{number}.jsonl')}: changed since it was written: it is tagged again"
            for number in (1, 2)
        ],
    )
    assert folder_contents() == undisturbed


def test_a_run_is_resumed_after_its_corpus_was_moved(run, tag, model):
    write_corpus()
    tag()
    Path("elsewhere").mkdir()
    Path("c.jsonl").rename("elsewhere/c.jsonl")
    done = run("tag", "elsewhere/c.jsonl", "--model", model, "--out", "out", *IN_TWOS)
    assert (done.code, done.messages) == (0, [])


def test_a_run_over_a_broken_link_is_resumed(run, model, monkeypatch):
    for name in "abc":
        write(f"in/{name}.txt", TEXT)
    Path("in/gone.txt").symlink_to("nowhere")
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        run("tag", "in", "--model", model, "--out", "out", *IN_TWOS)
    done = run("tag", "in", "--model", model, "--out", "out", *IN_TWOS)
    assert (done.code, done.messages[-1]) == (
        1,
        "error: not read: 1 of 4 inputs or lines; tagged: 3",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_run_over_non_utf8_file_names_is_resumed(run, model, monkeypatch):
    Path("in").mkdir()
    for name, data in (
        (b"a\xff", b"He left."),
        (b"b\xfe\n\x1b[31m", b"\xff"),
        (b"c", b"She stayed."),
    ):
        Path("in", os.fsdecode(name + b".txt")).write_bytes(data)
    alone = os.fsdecode(b"in/a\xff.txt")
    call = ("tag", "in", alone, "--model", model, "--out", "out", "--articles-per-part", "1")
    with monkeypatch.context() as patched:
        fail_after_parts(patched, 1)
        died = run(*call)
    assert died.messages[0].startswith("error: in/b\\xfe\\n\\x1b[31m.txt, line 1: expected UTF-8")
    done = run(*call)
    assert done.code == 1
    assert [state["path"] for state in read_manifest()["inputs"]] == ["in", "in/a\\xff.txt"]
    assert (read_manifest()["complete"], read_manifest()["articles"]) == (True, 3)
    assert run(*call).messages == ["error: not read: 1 of 4 inputs or lines; tagged: 3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "--out", "out"], "for '-', which cannot be read twice, found the folder 'out'"),
        (
            ["https://example.org/a", "--allow-network", "--out", "out"],
            "which cannot be read twice",
        ),
        (["c.jsonl", "--restart"], "--restart, --articles-per-part: expected --out FOLDER"),
        (["c.jsonl", "--out", "t.jsonl", "--articles-per-part", "9"], "expected --out FOLDER"),
        (["c.jsonl", "--out", "pages", "--format", "html", "--restart"], "expected --out FOLDER"),
        ([".", "--out", "out"], "expected a path outside the inputs"),
    ],
)
def test_contradictory_options_are_rejected(run, model, arguments, message):
    write_corpus()
    refused = run("tag", *arguments, "--model", model)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert message in refused.messages[0]
    assert not Path("out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_after_the_current_part(tag, monkeypatch, signal_number, code):
    write_part = long_run.LongRun._write_part

    def interrupt(self, number, part_input, *arguments):
        os.kill(os.getpid(), signal_number)
        write_part(self, number, part_input, *arguments)

    write_corpus()
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    with monkeypatch.context() as patched:
        patched.setattr(long_run.LongRun, "_write_part", interrupt)
        first_run = tag()
        second_run = tag()
    for signum, handler in handlers.items():  # the program ignores these signals when it exits
        signal.signal(signum, handler)
    advice = "the same command continues in 'out'"
    assert (first_run.code, first_run.messages) == (
        code,
        [f"error: stopped by {signal_number.name} with 2 articles tagged: {advice}"],
    )
    assert (second_run.code, second_run.messages) == (
        code,
        [f"error: stopped by {signal_number.name} with 4 articles tagged: {advice}"],
    )
    assert sorted(folder_contents()) == ["manifest.json", "part-00000.jsonl", "part-00001.jsonl"]
    assert tag().code == 0
    assert read_manifest()["complete"]


def test_a_second_signal_ends_the_run_at_once(capsys, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    signals = StopSignals("the same command continues in 'out'")
    signals.receive(15)
    assert (signals.first, signals.is_immediate()) == (15, False)
    with pytest.raises(SystemExit) as end:
        signals.receive(2)
    assert (end.value.code, signals.is_immediate()) == (143, True)
    assert (
        capsys.readouterr().err
        == "error: stopped by SIGTERM at once: the same command continues in 'out'\n"
    )
