"""Runs into a folder, in this process: what is written, gone on with, refused, and told."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from claimstance.inference.cli.signals import StopSignals
from claimstance.inference.jobs import folder as run_folder
from claimstance.inference.jobs import run as long_run
from claimstance.inference.jobs.folder import lock_folder
from helpers.long_runs import folder_contents
from helpers.program import TEXT, articles, table, write

IN_TWOS = ("--articles-per-part", "2")
LINES = [json.dumps({"id": name, "text": TEXT, "outlet": "Courier"}) for name in "abcde"]


def corpus(*lines):
    write("c.jsonl", "\n".join(lines or LINES) + "\n")
    os.utime("c.jsonl", ns=(10**18, 10**18))


@pytest.fixture
def tag(run, model):
    return lambda *arguments: run(
        "tag", "c.jsonl", "--model", model, "--out", "out", *IN_TWOS, *arguments
    )


def manifest(folder="out"):
    return json.loads(Path(folder, "manifest.json").read_bytes())


def dies_after(monkeypatch, parts, error=KeyboardInterrupt):
    """Have a run end by an error once it has tagged the last article of so many parts and one more part's first."""
    write_part, done = long_run.LongRun._write_part, []

    def write(self, number, part_input, *arguments):
        if len(done) == parts:
            next(iter(part_input))
            raise error
        write_part(self, number, part_input, *arguments)
        done.append(number)

    monkeypatch.setattr(long_run.LongRun, "_write_part", write)


def dies_in(create, at):
    """Have a process die in the folder of a run: in the middle of a file, or as soon as it has its name."""
    script = (
        "import os; from pathlib import Path; from claimstance.inference.jobs.folder import lock_folder\n"
        f"with lock_folder(Path('out')) as folder:\n"
        f"    with folder.create({create!r}) as file:\n"
        f"        file.write('half'); file.flush()\n"
        f"        if {at!r} == 'middle': os._exit(9)\n"
        f"    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9


# What is written


def test_parts_hold_what_one_file_would(run, tag, model):
    corpus()
    done = tag()
    assert (done.code, done.out, done.messages) == (0, "", [])
    run("tag", "c.jsonl", "--model", model, "--out", "whole.jsonl")
    parts = [f"part-{number:05}.jsonl" for number in range(3)]
    assert sorted(folder_contents()) == ["manifest.json", *parts]
    assert b"".join(folder_contents()[name] for name in parts) == Path("whole.jsonl").read_bytes()
    told = manifest()
    assert (told["complete"], told["articles"], told["failed"]) == (True, 5, 0)
    assert [(part["file"], part["articles"]) for part in told["parts"].values()] == list(
        zip(parts, (2, 2, 1), strict=True)
    )


def test_csv_parts_have_the_columns_of_the_first_article(tag):
    corpus('{"id": "a"', *LINES[:3], '{"text": "He left."}', '{"text": 5}')
    assert tag("--format", "csv").code == 1
    first, second = (
        table(Path("out", f"part-0000{number}.csv").read_bytes().decode()) for number in range(2)
    )
    assert list(first[0]) == list(second[0])
    assert [row["meta_outlet"] for row in second] == ["Courier"] * 3 + [""]


def test_parquet_parts_are_read_as_one(tag):
    pytest.importorskip("pyarrow")
    import pyarrow.dataset

    corpus(*LINES[:3], '{"id": "z", "text": "He left."}')
    assert tag("--format", "parquet", "--rows", "sentences").code == 0
    rows = pyarrow.dataset.dataset("out", exclude_invalid_files=True).to_table().to_pylist()
    assert [row["doc_id"] for row in rows] == ["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["z"]
    assert rows[-1]["meta_outlet"] is None


def test_a_folder_that_is_there_whatever_its_name(run, model):
    corpus()
    Path("tagged.v2").mkdir()
    assert run("tag", "c.jsonl", "--model", model, "--out", "tagged.v2").code == 0
    assert sorted(folder_contents("tagged.v2")) == ["manifest.json", "part-00000.jsonl"]
    write("plain", "old")
    assert run("tag", "c.jsonl", "--model", model, "--out", "plain").code == 0
    assert len(articles(Path("plain").read_text(encoding="utf-8"))) == 5


# Going on


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_run_that_died_goes_on(tag, monkeypatch, form, parts):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    corpus()
    tag("--format", form, "--threads", "1")
    undisturbed = folder_contents()
    shutil.rmtree("out")
    with monkeypatch.context() as patched:
        dies_after(patched, parts)
        assert tag("--format", form).code == 130
    assert len(manifest()["parts"]) == parts
    before = {
        name: Path("out", name).stat().st_mtime_ns
        for name in folder_contents()
        if name != "manifest.json"
    }
    dies_in(f"part-{parts:05}.{form}", "end")
    dies_in(f"part-{parts + 1:05}.{form}", "middle")
    dies_in("manifest.json", "middle")
    assert len(list(Path("out").iterdir())) == 5 + parts
    assert (done := tag("--format", form, "--threads", "2")).code == 0
    assert done.messages == []
    assert folder_contents() == undisturbed
    assert before == {
        name: Path("out", name).stat().st_mtime_ns for name in before
    }  # not tagged again


def test_errors_are_counted_once(tag, monkeypatch):
    corpus("[1]", *LINES[:2], "no JSON", *LINES[2:])
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        died = tag()
    assert [message[:25] for message in died.messages[:2]] == [
        "error: c.jsonl, line 1: e",
        "error: c.jsonl, line 4: e",
    ]
    done = tag()
    assert (done.code, done.messages) == (1, ["error: not read: 2 of 7 inputs or lines; tagged: 5"])
    assert [len(part["errors"]) for part in manifest()["parts"].values()] == [2, 0, 0]
    again = tag()
    assert (again.code, again.messages) == (done.code, done.messages)


def test_a_part_that_was_damaged_is_done_again(tag):
    corpus()
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


def test_a_corpus_that_was_moved(run, tag, model):
    corpus()
    tag()
    Path("elsewhere").mkdir()
    Path("c.jsonl").rename("elsewhere/c.jsonl")
    done = run("tag", "elsewhere/c.jsonl", "--model", model, "--out", "out", *IN_TWOS)
    assert (done.code, done.messages) == (0, [])


def test_a_folder_with_a_link_to_nothing_goes_on_too(run, model, monkeypatch):
    for name in "abc":
        write(f"in/{name}.txt", TEXT)
    Path("in/gone.txt").symlink_to("nowhere")
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        run("tag", "in", "--model", model, "--out", "out", *IN_TWOS)
    done = run("tag", "in", "--model", model, "--out", "out", *IN_TWOS)
    assert (done.code, done.messages[-1]) == (
        1,
        "error: not read: 1 of 4 inputs or lines; tagged: 3",
    )


# What is refused


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_names_that_are_no_utf8_are_gone_on_with(run, model, monkeypatch):
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
        dies_after(patched, 1)
        died = run(*call)
    assert died.messages[0].startswith("error: in/b\\xfe\\n\\x1b[31m.txt, line 1: expected UTF-8")
    done = run(*call)
    assert done.code == 1
    assert [one["path"] for one in manifest()["inputs"]] == ["in", "in/a\\xff.txt"]
    assert (manifest()["complete"], manifest()["articles"]) == (True, 3)
    assert run(*call).messages == ["error: not read: 1 of 4 inputs or lines; tagged: 3"]


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["-t", "rail"], 'options targets: [] then, ["rail"] now'),
        (None, ["--neutral"], "options neutral: false then, true now"),
        (None, ["-f", "csv"], 'options format: "jsonl" then, "csv" now'),
        (None, ["--text-column", "text"], 'options columns text: null then, "text" now'),
        (None, ["--articles-per-part", "3"], "options articles_per_part: 2 then, 3 now"),
        (None, ["c.jsonl"], "number of inputs: 1 then, 2 now"),
        (lambda: write("c.jsonl", "\n".join(LINES[1:])), [], "c.jsonl bytes: "),
        (lambda: os.utime("c.jsonl"), [], "c.jsonl names_sizes_times: "),
    ],
    ids=["targets", "neutral", "format", "columns", "size", "inputs", "bytes", "time"],
)
def test_another_run_is_not_gone_on_with(tag, monkeypatch, change, arguments, message):
    corpus()
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
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


def test_another_model_or_program_is_refused(run, tag, model, monkeypatch):
    corpus()
    tag()
    shutil.copytree(model, "m")
    told = json.loads(Path("m/manifest.json").read_bytes())
    config = Path("m/config.json")
    config.write_bytes(config.read_bytes() + b"\n")  # the weights stay what they were
    told["files"]["config.json"] = long_run.sha256(config)
    Path("m/manifest.json").write_text(json.dumps(told), encoding="utf-8")
    refused = run("tag", "c.jsonl", "--model", "m", "--out", "out", *IN_TWOS)
    assert refused.code == 2
    assert "(model sha256: " in refused.messages[0]
    monkeypatch.setattr(
        "claimstance.inference.jobs.manifest.metadata.version", lambda name: f"{name} 9"
    )
    assert "(program claimstance: " in tag().messages[0]


def test_other_words_of_the_same_size_and_time(tag, monkeypatch):
    corpus()
    with monkeypatch.context() as patched:
        dies_after(patched, 2)
        tag()
    corpus(LINES[0].replace("Monday", "Friday"), *LINES[1:])
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [
            f"error: --out: '{Path('out', 'part-00000.jsonl')}' was made of other articles than the inputs have "
            "now: name another --out, or start again with --restart"
        ],
    )
    assert not manifest()["complete"]


def test_fewer_articles_of_the_same_size_and_time(tag):
    corpus()
    tag()
    told = {**manifest(), "complete": False}
    Path("out/manifest.json").write_text(json.dumps(told), encoding="utf-8")
    corpus(*LINES[:4], " " * len(LINES[4]))
    refused = tag()
    assert refused.code == 2
    assert f"'{Path('out', 'part-00002.jsonl')}' was made of other articles" in refused.messages[0]
    assert not manifest()["complete"]


def test_inputs_that_change_while_they_are_read(tag, monkeypatch):
    save = long_run.Manifest.save

    def change(self, folder):
        os.utime("c.jsonl")
        save(self, folder)

    corpus()
    monkeypatch.setattr(long_run.Manifest, "save", change)
    done = tag()
    assert done.code == 1
    assert done.messages[0].startswith(
        "error: the inputs changed while they were read (c.jsonl names_"
    )
    assert not manifest()["complete"]


def test_restart_begins_anew(tag, monkeypatch):
    corpus()
    tag("--format", "csv")
    tag("--restart")
    undisturbed = folder_contents()
    assert sorted(undisturbed) == [
        "manifest.json",
        *(f"part-0000{number}.jsonl" for number in range(3)),
    ]
    corpus(*LINES[:3])
    with monkeypatch.context() as patched:
        dies_after(patched, 0)
        tag("--restart")
    assert sorted(folder_contents()) == [
        "manifest.json"
    ]  # the old parts are gone before the first new one
    corpus()
    assert tag("--restart").code == 0
    assert folder_contents() == undisturbed


@pytest.mark.parametrize("name", ["notes.txt", "part-00000.jsonl", "manifest.json"])
@pytest.mark.parametrize("restart", [[], ["--restart"]])
def test_nothing_of_anybody_elses_is_touched(tag, name, restart):
    corpus()
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
def test_hidden_files_that_look_like_a_runs_are_left_alone(tag, monkeypatch, name, arguments):
    corpus()
    write(f"out/{name}", "mine")
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        tag()
    dies_in("part-00001.jsonl", "middle")
    assert tag(*arguments).code == 0
    parts = [f"part-{number:05}.jsonl" for number in range(3)]
    assert sorted(folder_contents()) == sorted([name, "manifest.json", *parts])
    assert Path("out", name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["part-00001.jsonl", "part-00002.csv", "part-00099.jsonl"])
@pytest.mark.parametrize("restart", [[], ["--restart"]])
def test_a_part_that_no_run_wrote_is_not_touched(tag, monkeypatch, name, restart):
    corpus()
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        tag()
    write(f"out/{name}", "mine")
    before = folder_contents()
    refused = tag(*restart)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert f"found '{Path('out', name)}', which no run wrote" in refused.messages[0]
    assert folder_contents() == before


def test_a_part_that_was_replaced_before_it_was_told_is_not_touched(tag, monkeypatch):
    corpus()
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        tag()
    dies_in("part-00001.jsonl", "end")
    write("out/part-00001.jsonl", "mine")
    assert tag().code == 2
    assert Path("out/part-00001.jsonl").read_text(encoding="utf-8") == "mine"


def test_a_part_whose_name_is_taken_meanwhile(tag, monkeypatch):
    write_part = long_run.LongRun._write_part

    def taken(self, number, part_input, *arguments):
        if number == 1:
            write("out/part-00001.jsonl", "mine")
        write_part(self, number, part_input, *arguments)

    corpus()
    monkeypatch.setattr(long_run.LongRun, "_write_part", taken)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        [
            f"error: {Path('out', 'part-00001.jsonl')}: another program wrote this file during the run"
        ],
    )
    assert Path("out/part-00001.jsonl").read_text(encoding="utf-8") == "mine"
    assert sorted(folder_contents()) == ["manifest.json", "part-00000.jsonl", "part-00001.jsonl"]


def test_a_restart_that_dies_leaves_nothing_that_no_run_knows(tag, monkeypatch):
    corpus()
    tag("--format", "csv")
    remove = run_folder.RunFolder.remove

    def dies(self, names):
        remove(self, list(names)[:2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_folder.RunFolder, "remove", dies)
        assert tag("--restart").code == 130
    assert sorted(folder_contents()) == ["manifest.json", "part-00002.csv"]
    assert tag("--restart").code == 0
    assert sorted(folder_contents()) == [
        "manifest.json",
        *(f"part-{number:05}.jsonl" for number in range(3)),
    ]


# Links, devices and other files under the names that a run writes to


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("name", [".lock", "manifest.json"])
@pytest.mark.parametrize("target", ["a file", "an empty file", "nothing", "a folder", "a loop"])
def test_a_link_under_the_name_of_a_file_of_the_run_is_not_followed(tag, name, target):
    corpus()
    Path("out").mkdir()
    pointed = Path("mine")
    if target == "a folder":
        pointed.mkdir()
    elif target != "nothing":
        write("mine", "" if target == "an empty file" else "do not lose this")
    Path("out", name).symlink_to(name if target == "a loop" else "../mine")
    before = pointed.read_bytes() if pointed.is_file() else None
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [f"error: --out: expected a file at '{Path('out', name)}', found a symbolic link"],
    )
    assert (pointed.read_bytes() if pointed.is_file() else None) == before
    assert pointed.exists() == (target != "nothing")
    assert Path("out", name).is_symlink()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs O_NOFOLLOW")
def test_a_link_that_is_made_between_check_and_opening_is_not_followed(tag, monkeypatch):
    def late(_):
        Path("out/.lock").symlink_to("../mine")

    corpus()
    write("mine", "do not lose this")
    monkeypatch.setattr(run_folder, "_check_no_foreign_files", late)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (1, 1)
    assert refused.messages[0].startswith("error: out: cannot be written: ")
    assert Path("mine").read_text(encoding="utf-8") == "do not lose this"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", [".lock", "manifest.json"])
@pytest.mark.parametrize(("kind", "make"), [("a pipe", os.mkfifo), ("a folder", os.mkdir)])
def test_what_is_no_file_under_the_name_of_a_file_of_the_run(tag, name, kind, make):
    corpus()
    Path("out").mkdir()
    make(f"out/{name}")
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [f"error: --out: expected a file at '{Path('out', name)}', found {kind}"],
    )


@pytest.mark.parametrize("text", ["notes", "4711", "4711 " + 600 * "x", "\0", " " * 199 + "\n"])
def test_a_file_called_like_the_lock_is_not_touched(tag, text):
    corpus()
    write("out/.lock", text)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert f"found '{Path('out', '.lock')}', which no run wrote" in refused.messages[0]
    assert Path("out/.lock").read_text(encoding="utf-8") == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_part_that_was_done(tag):
    corpus()
    tag()
    undisturbed = folder_contents()
    Path("out/part-00001.jsonl").unlink()
    os.mkfifo("out/part-00001.jsonl")
    assert tag().code == 0
    assert folder_contents() == undisturbed


# Manifests that no run wrote


def changed(*keys, value):
    """Put ``value`` into the manifest at a place."""
    told = place = manifest()
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    return json.dumps(told)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("kind",), "other", "kind: expected 'claimstance tag', found 'other'"),
        (("program",), None, "program: expected an object, found None"),
        (("program",), [], "program: expected "),
        (("model",), "bundled", "model: expected "),
        (("options",), 3, "options: expected "),
        (("inputs",), {}, "inputs: expected "),
        (("inputs",), ["c.jsonl"], "inputs.0: expected "),
        (("complete",), "yes", "complete: expected a valid boolean, found 'yes'"),
        (("parts",), [], "parts: expected "),
        (("parts", "x"), {}, "parts.x.[key]: expected "),
        (("parts", "-1"), {}, "parts.-1.[key]: expected "),
        (("parts", "0"), None, "parts.0: expected "),
        (("parts", "0", "file"), 5, "parts.0.file: expected a valid string, found 5"),
        (("parts", "0", "file"), "../../mine", "parts.0.file: "),
        (("parts", "0", "file"), "part-00000.jsonl\n", "parts.0.file: "),
        (("parts", "0", "sha256"), 7, "parts.0.sha256: expected "),
        (("parts", "0", "sha256"), "abc", "parts.0.sha256: "),
        (("parts", "0", "articles"), "two", "parts.0.articles: expected a valid integer"),
        (("parts", "0", "articles"), -1, "parts.0.articles: expected "),
        (("parts", "0", "errors"), "none", "parts.0.errors: expected "),
        (("parts", "0", "errors"), [{}], "parts.0.errors.0: expected "),
        (("parts", "0", "more"), 1, "parts.0.more: "),
    ],
)
def test_a_manifest_with_other_types(tag, keys, value, message):
    corpus()
    tag()
    write("out/manifest.json", changed(*keys, value=value))
    before = folder_contents()
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert (
        f"found '{Path('out', 'manifest.json')}', which no run wrote: {message}"
        in (refused.messages[0])
    )
    assert folder_contents() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "[" * 100_000,
        '{"kind": ' * 100_000,
        '{"kind": "claimstance tag", "parts": ' + "[" * 50_000 + "]" * 50_000 + "}",
        "1" * 100_000,
        '{"kind": "claimstance tag", "complete": ' + "9" * 10_000 + "}",
        '"\\ud800"',
        "\0",
    ],
    ids=range(11),
)
def test_a_manifest_that_is_none(tag, text):
    corpus()
    write("out/manifest.json", text)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert "out/manifest.json', which no run wrote: " in refused.messages[0].replace("\\", "/")
    assert len(refused.messages[0]) < 400
    assert Path("out/manifest.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ["program", "model", "options", "inputs", "complete", "parts"])
def test_a_manifest_that_lacks_something(tag, name):
    corpus()
    tag()
    told = {key: value for key, value in manifest().items() if key != name}
    write("out/manifest.json", json.dumps(told))
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert refused.messages[0].endswith(f"{name}: expected a value, found none")


@pytest.mark.parametrize("name", ["program", "model", "options"])
@pytest.mark.parametrize("value", [None, 3, [[]], {"a": {"b": []}}], ids=str)
def test_settings_of_other_types_are_other_settings(tag, name, value):
    corpus()
    tag()
    undisturbed = manifest()
    for key in undisturbed[name]:
        if undisturbed[name][key] != value:
            told = {**undisturbed, name: {**undisturbed[name], key: value}}
            write("out/manifest.json", json.dumps(told))
            refused = tag()
            assert (refused.code, len(refused.messages)) == (2, 1)
            assert f"the run in 'out' has other settings ({name} {key}" in refused.messages[0]


# Names that are not UTF-8


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_names_that_are_not_utf8_can_be_gone_on_with(run, model, monkeypatch, form):
    folder = os.fsdecode(b"in\xff")
    Path(folder).mkdir()
    for number, name in enumerate((b"a\xfe.txt", b"b\xe9.txt", b"c\xc3.txt", b"d\x80.txt")):
        write(os.path.join(folder, os.fsdecode(name)), "\0" if number == 1 else TEXT)  # noqa: PTH118
    out = os.fsdecode(b"out\xfd")
    call = ("tag", folder, "--model", model, "--out", out, "--format", form, *IN_TWOS)
    with monkeypatch.context() as patched:
        dies_after(patched, 1)
        assert run(*call).code == 130
    done = run(*call)
    again = run(*call)
    last = "error: not read: 1 of 4 inputs or lines; tagged: 3"
    assert (done.code, done.messages) == (1, [last])
    assert (again.code, again.messages) == (1, [last])
    told = manifest(out)
    assert (told["complete"], told["articles"], told["failed"]) == (True, 3, 1)
    assert told["inputs"][0]["path"] == "in\\xff"
    assert "in\\xff/b\\xe9.txt" in told["parts"]["0"]["errors"][0]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_other_inputs_with_names_that_are_not_utf8_are_refused_in_one_line(run, model):
    for name in (b"a\xfe.txt", b"b\xff.txt"):
        write(os.fsdecode(name), TEXT)
    call = ("tag", "--model", model, "--out", os.fsdecode(b"out\xfd"))
    assert run(*call, os.fsdecode(b"a\xfe.txt")).code == 0
    refused = run(*call, os.fsdecode(b"b\xff.txt"))
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert "b\\xff.txt names_sizes_times: " in refused.messages[0]


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
def test_wrong_calls(run, model, arguments, message):
    corpus()
    refused = run("tag", *arguments, "--model", model)
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert message in refused.messages[0]
    assert not Path("out").exists()


# What is on the disk, and when


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not synced there")
def test_a_part_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_is_told(
    here, monkeypatch
):
    part, synced, sync = Path("out/part-00000.jsonl"), [], os.fsync

    def note(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        size = None if is_folder else os.fstat(descriptor).st_size
        synced.append(("folder" if is_folder else size, part.exists()))
        sync(descriptor)

    with lock_folder(Path("out")) as folder:
        monkeypatch.setattr(os, "fsync", note)
        with folder.create(part.name) as file:
            file.write("text")
            assert synced == []
    # The file, what the lock says of it, its name.
    assert synced == [(4, False), (200, False), ("folder", True)]


def test_a_file_of_a_run_comes_whole_and_leaves_nothing_when_it_fails(here):
    def fail():
        with lock_folder(Path("out")) as folder, folder.create("part-00000.csv") as file:
            file.write("a\r\nü\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert folder_contents() == {}
    with lock_folder(Path("out")) as folder, folder.create("part-00000.csv") as file:
        file.write("a\r\nü\n")
    assert folder_contents() == {"part-00000.csv": "a\r\nü\n".encode()}


# One at a time, and a folder that cannot be written


def test_two_runs_do_not_share_a_folder(tag):
    corpus()
    with lock_folder(Path("out")):
        refused = tag()
        assert (refused.code, refused.messages) == (
            1,
            [f"error: out: another run (process {os.getpid()}) is writing to it"],
        )
    assert tag().code == 0


def test_the_lock_of_a_dead_process_keeps_nobody_out(tag):
    corpus()
    script = (
        "import os; from pathlib import Path; from claimstance.inference.jobs.folder import lock_folder\n"
        "with lock_folder(Path('out')): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert Path("out/.lock").exists()
    assert tag().code == 0


@pytest.mark.parametrize("again", [False, True], ids=["gone", "an empty one in its place"])
def test_a_folder_that_is_taken_away(tag, monkeypatch, again):
    write_part = long_run.LongRun._write_part

    def take_away(self, number, part_input, *arguments):
        if number == 1:
            Path("out").rename("away")
            if again:
                Path("out").mkdir()
        write_part(self, number, part_input, *arguments)

    corpus()
    monkeypatch.setattr(long_run.LongRun, "_write_part", take_away)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        ["error: out: the folder was removed or replaced during the run"],
    )
    assert Path("out").exists() == again
    assert not again or folder_contents() == {}
    assert sorted(folder_contents("away")) == ["manifest.json", "part-00000.jsonl"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_is_read_only(tag):
    corpus()
    Path("out").mkdir(mode=0o500)
    done = tag()
    assert (done.code, done.messages) == (1, ["error: out: cannot be written: Permission denied"])


def test_a_folder_that_the_system_refuses(tag, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    corpus()
    monkeypatch.setattr(run_folder, "_make_folder", refuse)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        ["error: out: cannot be written: Read-only file system"],
    )


# Signals


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_has_the_part_finished(tag, monkeypatch, number, code):
    write_part = long_run.LongRun._write_part

    def interrupted(self, part, part_input, *arguments):
        os.kill(os.getpid(), number)
        write_part(self, part, part_input, *arguments)

    corpus()
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    with monkeypatch.context() as patched:
        patched.setattr(long_run.LongRun, "_write_part", interrupted)
        done = tag()
        again = tag()
    for one, handler in before.items():  # the program leaves them ignored, on its way out
        signal.signal(one, handler)
    advice = "the same command continues in 'out'"
    assert (done.code, done.messages) == (
        code,
        [f"error: stopped by {number.name} with 2 articles tagged: {advice}"],
    )
    assert (again.code, again.messages) == (
        code,
        [f"error: stopped by {number.name} with 4 articles tagged: {advice}"],
    )
    assert sorted(folder_contents()) == ["manifest.json", "part-00000.jsonl", "part-00001.jsonl"]
    assert tag().code == 0
    assert manifest()["complete"]


def test_the_second_signal_ends_it_at_once(capsys, monkeypatch):
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
