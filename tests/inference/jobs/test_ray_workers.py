"""Test tagging on Ray: it writes the same parts as one process, even if a worker dies. Needs the extra scale."""

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


def test_a_missing_ray_is_named(run, model, monkeypatch):
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
    """Return a function that starts workers and returns a function that tags with them."""
    from contextlib import ExitStack

    from claimstance.inference.jobs.ray_workers import ray_workers

    with ExitStack() as stack:
        yield lambda count=2, should_cancel=never_cancel: stack.enter_context(
            ray_workers(Tagger.from_pretrained(model, threads=1), [], should_cancel, count)
        )


ITEMS = [Article(str(number), f"{number}. {TEXT}", None) for number in range(90)]


def test_results_and_errors_come_back_in_order(workers, model):
    items = [*ITEMS[:30], InputError("a: not read"), *ITEMS[30:]]
    alone = Tagger.from_pretrained(model, threads=1)

    def plain(results):
        return [str(item) if isinstance(item, InputError) else item.to_dict() for item in results]

    expected = plain(alone.tag_all(items))
    assert plain(workers()(items)) == expected


def test_parts_equal_those_of_one_process(ray, run, model):
    write("c.jsonl", LINES)
    tag = ("tag", "c.jsonl", "--model", model, "--articles-per-part", "25", "--out")
    assert run(*tag, "alone").code == 1  # because of a line that is no JSON
    for workers in ("1", "2"):
        assert run(*tag, f"ray{workers}", "--engine", "ray", "--workers", workers).code == 1
        assert folder_contents(f"ray{workers}") == folder_contents("alone")
    (Path("ray2") / "part-00001.jsonl").unlink()
    assert run(*tag, "ray2", "--engine", "ray").code == 1
    assert folder_contents("ray2") == folder_contents("alone")
    assert run(*tag, "ray2").code == 1  # the other engine finds nothing left to do


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

    ids = [article.doc_id for article in tag(slowly())]
    assert ids == [item.doc_id for item in ITEMS * 3]
    assert killed


def test_tagging_is_cancelled_by_stop(workers):
    stops = []
    tag = workers(1, lambda: bool(stops))

    def items():
        for number, item in enumerate(ITEMS):
            if number == 45:
                stops.append(True)
            yield item

    with pytest.raises(CancelledError):
        list(tag(items()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_a_part(ray, model, tmp_path, signal_number):
    corpus, out = tmp_path / "c.jsonl", tmp_path / "out"
    corpus.write_text(
        "".join(
            json.dumps({"id": f"{index}", "text": f"{index}. {TEXT * 30}"}) + "\n"
            for index in range(600)
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
        process.send_signal(signal_number)
        stderr = process.communicate(timeout=60)[1]
    paths = sorted(out.glob("part-*"))
    assert process.returncode == 128 + signal_number
    assert 0 < len(paths) < 20
    assert stderr.splitlines()[-1] == (
        f"error: stopped by {signal_number.name} with {30 * len(paths)} articles tagged: "
        f"the same command continues in '{out}'"
    )
    assert [len(path.read_text().splitlines()) for path in paths] == [30] * len(paths)


def test_more_workers_than_processors_are_rejected(workers):
    with pytest.raises(ConfigError, match=r"--workers: expected at most \d+, .* found 999"):
        workers(999)
