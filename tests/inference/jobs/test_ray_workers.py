"""Tagging on Ray: the same parts as one process writes, whoever works, whoever dies. Needs the extra scale."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from claimstance.inference.articles.sources import Article
from claimstance.inference.tagger import Tagger
from claimstance.model.encoding import CancelledError, never_cancel
from claimstance.model.errors import ConfigError, InputError
from helpers.long_runs import folder_contents
from helpers.program import PROGRAM, TEXT, soon, write

LINES = (
    "\n".join(json.dumps({"id": f"{number}", "text": f"{number}. {TEXT}"}) for number in range(90))
    + "\nno JSON\n"
)


def test_without_ray_it_says_what_is_missing(run, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    write("c.jsonl", LINES)
    done = run("tag", "c.jsonl", "--out", "out", "--model", model, "--engine", "ray")
    assert (done.code, done.messages[-1]) == (
        2,
        "error: --engine: this needs 'ray': pip install 'claimstance[scale]'",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--out", "out.jsonl", "--engine", "ray"),
            "--engine: ray writes parts: expected --out FOLDER",
        ),
        (("--out", "out", "--workers", "2"), "--workers: expected --engine ray, found local"),
        (
            ("--out", "out", "--ray-address", "auto"),
            "--ray-address: expected --engine ray, found local",
        ),
    ],
)
def test_options_that_contradict_each_other_are_rejected(run, model, arguments, message):
    write("c.jsonl", LINES)
    done = run("tag", "c.jsonl", "--model", model, *arguments)
    assert done.code == 2
    assert message in done.messages[-1]


@pytest.fixture(scope="module")
def ray():
    return pytest.importorskip("ray", reason="needs the extra scale")


@pytest.fixture
def workers(ray, model):
    """Starts workers; gives what tags with them."""
    from contextlib import ExitStack

    from claimstance.inference.jobs.ray_workers import ray_workers

    with ExitStack() as stack:
        yield lambda count=2, stop=never_cancel: stack.enter_context(
            ray_workers(Tagger.from_pretrained(model, threads=1), [], stop, count)
        )


ITEMS = [Article(str(number), f"{number}. {TEXT}", None) for number in range(90)]


def test_results_and_errors_come_back_in_order(workers, model):
    items = [*ITEMS[:30], InputError("a: not read"), *ITEMS[30:]]
    alone = Tagger.from_pretrained(model, threads=1)
    expected = [
        str(one) if isinstance(one, InputError) else one.to_dict() for one in alone.tag_all(items)
    ]
    told = workers()(items)
    assert [str(one) if isinstance(one, InputError) else one.to_dict() for one in told] == expected


def test_parts_are_those_of_one_process(ray, run, model):
    write("c.jsonl", LINES)
    tag = ("tag", "c.jsonl", "--model", model, "--articles-per-part", "25", "--out")
    assert run(*tag, "alone").code == 1  # of a line that is no JSON
    for workers in ("1", "2"):
        assert run(*tag, f"ray{workers}", "--engine", "ray", "--workers", workers).code == 1
        assert folder_contents(f"ray{workers}") == folder_contents("alone")
    (Path("ray2") / "part-00001.jsonl").unlink()
    assert run(*tag, "ray2", "--engine", "ray").code == 1
    assert folder_contents("ray2") == folder_contents("alone")
    assert run(*tag, "ray2").code == 1  # and the other engine finds it done


def test_a_worker_that_is_killed_loses_nothing(workers, model):
    tag, killed = workers(), []

    def kill():
        deadline = time.monotonic() + 20
        while not killed and time.monotonic() < deadline:
            for child in psutil.Process(os.getpid()).children(recursive=True):
                try:
                    if "_Worker.tag" in " ".join(child.cmdline()) or "ray::_Worker" in child.name():
                        os.kill(child.pid, signal.SIGKILL)
                        killed.append(child.pid)
                        return
                except psutil.Error:
                    pass
            time.sleep(0.005)

    def slowly():
        for number, item in enumerate(ITEMS * 3):
            if number == 60:
                threading.Thread(target=kill).start()
            time.sleep(0.01)
            yield item

    names = [one.doc_id for one in tag(slowly())]
    assert names == [item.doc_id for item in ITEMS * 3]
    assert killed


def test_tagging_is_cancelled_by_stop(workers):
    told = []
    tag = workers(1, lambda: bool(told))

    def items():
        for number, item in enumerate(ITEMS):
            if number == 45:
                told.append(True)
            yield item

    with pytest.raises(CancelledError):
        list(tag(items()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_a_part(ray, model, tmp_path, number):
    corpus, out = tmp_path / "c.jsonl", tmp_path / "out"
    corpus.write_text(
        "".join(
            json.dumps({"id": f"{each}", "text": f"{each}. {TEXT * 30}"}) + "\n"
            for each in range(600)
        )
    )
    command = [
        *PROGRAM,
        "tag",
        str(corpus),
        "--out",
        str(out),
        "--model",
        model,
        "--articles-per-part",
        "30",
        "--engine",
        "ray",
        "--workers",
        "1",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        soon((out / "part-00000.jsonl").exists, 60)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    parts = sorted(out.glob("part-*"))
    assert process.returncode == 128 + number
    assert 0 < len(parts) < 20
    assert said.splitlines()[-1] == (
        f"error: stopped by {number.name} with {30 * len(parts)} articles tagged: "
        f"the same command continues in '{out}'"
    )
    assert [len(part.read_text().splitlines()) for part in parts] == [30] * len(parts)


def test_more_workers_than_processors_are_rejected(workers):
    with pytest.raises(ConfigError, match=r"--workers: expected at most \d+, .* found 999"):
        workers(999)
