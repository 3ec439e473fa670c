"""Test the folder of a run: links and devices in it, its lock, and what is synced to the disk."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from claimstance.inference.jobs import folder as run_folder
from claimstance.inference.jobs import run as long_run
from claimstance.inference.jobs.folder import lock_folder
from helpers.long_runs import folder_contents, write_corpus
from helpers.program import write


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("name", [".lock", "manifest.json"])
@pytest.mark.parametrize("target", ["a file", "an empty file", "nothing", "a folder", "a loop"])
def test_a_link_with_the_name_of_a_run_file_is_not_followed(tag, name, target):
    write_corpus()
    Path("out").mkdir()
    target_path = Path("mine")
    if target == "a folder":
        target_path.mkdir()
    elif target != "nothing":
        write("mine", "" if target == "an empty file" else "do not lose this")
    Path("out", name).symlink_to(name if target == "a loop" else "../mine")
    before = target_path.read_bytes() if target_path.is_file() else None
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [f"error: --out: expected a file at '{Path('out', name)}', found a symbolic link"],
    )
    assert (target_path.read_bytes() if target_path.is_file() else None) == before
    assert target_path.exists() == (target != "nothing")
    assert Path("out", name).is_symlink()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs O_NOFOLLOW")
def test_a_link_created_after_the_check_is_not_followed(tag, monkeypatch):
    def create_link(_):
        Path("out/.lock").symlink_to("../mine")

    write_corpus()
    write("mine", "do not lose this")
    monkeypatch.setattr(run_folder, "_check_no_foreign_files", create_link)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (1, 1)
    assert refused.messages[0].startswith("error: out: cannot be written: ")
    assert Path("mine").read_text(encoding="utf-8") == "do not lose this"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", [".lock", "manifest.json"])
@pytest.mark.parametrize(("kind", "make"), [("a pipe", os.mkfifo), ("a folder", os.mkdir)])
def test_a_pipe_or_folder_with_the_name_of_a_run_file_is_refused(tag, name, kind, make):
    write_corpus()
    Path("out").mkdir()
    make(f"out/{name}")
    refused = tag()
    assert (refused.code, refused.messages) == (
        2,
        [f"error: --out: expected a file at '{Path('out', name)}', found {kind}"],
    )


@pytest.mark.parametrize("text", ["notes", "4711", "4711 " + 600 * "x", "\0", " " * 199 + "\n"])
def test_a_foreign_lock_file_is_refused_and_kept(tag, text):
    write_corpus()
    write("out/.lock", text)
    refused = tag()
    assert (refused.code, len(refused.messages)) == (2, 1)
    assert f"found '{Path('out', '.lock')}', which no run wrote" in refused.messages[0]
    assert Path("out/.lock").read_text(encoding="utf-8") == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_part_is_replaced(tag):
    write_corpus()
    tag()
    undisturbed = folder_contents()
    Path("out/part-00001.jsonl").unlink()
    os.mkfifo("out/part-00001.jsonl")
    assert tag().code == 0
    assert folder_contents() == undisturbed


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not synced there")
def test_a_part_is_synced_before_it_gets_its_name(workdir, monkeypatch):
    path = Path("out/part-00000.jsonl")
    synced, sync = [], os.fsync

    def record_sync(descriptor):
        status = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(status.st_mode) else status.st_size
        synced.append((kind, path.exists()))
        sync(descriptor)

    with lock_folder(Path("out")) as folder:
        monkeypatch.setattr(os, "fsync", record_sync)
        with folder.create(path.name) as file:
            file.write("text")
            assert synced == []
    # The file, its record in the lock, its name in the folder.
    assert synced == [(4, False), (200, False), ("folder", True)]


def test_a_failed_write_leaves_no_file(workdir):
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


def test_a_folder_is_locked_against_a_second_run(tag):
    write_corpus()
    with lock_folder(Path("out")):
        refused = tag()
        assert (refused.code, refused.messages) == (
            1,
            [f"error: out: another run (process {os.getpid()}) is writing to it"],
        )
    assert tag().code == 0


def test_the_lock_of_a_dead_process_is_released(tag):
    write_corpus()
    script = (
        "import os; from pathlib import Path; from claimstance.inference.jobs.folder import lock_folder\n"
        "with lock_folder(Path('out')): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert Path("out/.lock").exists()
    assert tag().code == 0


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "an empty one in its place"])
def test_a_folder_removed_during_the_run_is_an_error(tag, monkeypatch, is_replaced):
    write_part = long_run.LongRun._write_part

    def remove_folder(self, number, part_input, *arguments):
        if number == 1:
            Path("out").rename("away")
            if is_replaced:
                Path("out").mkdir()
        write_part(self, number, part_input, *arguments)

    write_corpus()
    monkeypatch.setattr(long_run.LongRun, "_write_part", remove_folder)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        ["error: out: the folder was removed or replaced during the run"],
    )
    assert Path("out").exists() == is_replaced
    assert not is_replaced or folder_contents() == {}
    assert sorted(folder_contents("away")) == ["manifest.json", "part-00000.jsonl"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_an_error(tag):
    write_corpus()
    Path("out").mkdir(mode=0o500)
    done = tag()
    assert (done.code, done.messages) == (1, ["error: out: cannot be written: Permission denied"])


def test_a_folder_that_cannot_be_created_is_an_error(tag, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    write_corpus()
    monkeypatch.setattr(run_folder, "_make_folder", refuse)
    done = tag()
    assert (done.code, done.messages) == (
        1,
        ["error: out: cannot be written: Read-only file system"],
    )
