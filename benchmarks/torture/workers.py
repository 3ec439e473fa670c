"""Check that a run on Ray (``--engine ray``) loses nothing when its workers are killed.

The corpus of ``tagging.py`` is tagged by one process, and on Ray by two workers, of which one is killed (SIGKILL) at
random moments while the run goes on. The folder has to be, byte for byte, that of the one process. Then it is tagged by
one worker and by two without any disturbance, for the pace.
"""

import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from page import LostError, measured, part, survived
from tagging import PATIENCE, PROGRAM, UNREADABLE, write_corpus

KILLS, RUNS = 5, 2  # of a run
NAME = "ray::_Worker"  # what Ray calls the process of an actor


def tag(corpus: Path, out: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a run."""
    command = [
        *PROGRAM,
        "tag",
        str(corpus),
        "--out",
        str(out),
        "--articles-per-part",
        "100",
        "--model",
        "small",
        *options,
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def files(out: Path, process: "subprocess.Popen[str]") -> dict[str, bytes]:
    """Return the output of a finished run."""
    _, error_output = process.communicate(timeout=PATIENCE)
    if process.returncode != 1 or f"not read: {len(UNREADABLE)} of " not in error_output:
        raise LostError(
            f"ended with {process.returncode}: {(error_output.splitlines() or [''])[-1]}"
        )
    return {
        path.name: path.read_bytes()
        for path in sorted(out.iterdir())
        if not path.name.startswith(".")
    }


def kill(process: "subprocess.Popen[str]", rng: random.Random) -> bool:
    """Kill one of the workers of a run; return whether there was one."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        actors = [child for child in children if NAME in " ".join(child.cmdline())]
    except psutil.Error:  # a child has ended meanwhile
        return False
    if not actors or process.poll() is not None:
        return False
    rng.choice(actors).kill()
    return True


def killed(
    corpus: Path,
    out: Path,
    expected: dict[str, bytes],
    seconds: float,
    rng: random.Random,
    *options: str,
) -> tuple[int, str]:
    """Return the number of workers killed in a run, and its loss, empty if there was none."""
    struck, end = 0, time.monotonic() + PATIENCE
    with tag(corpus, out, "--engine", "ray", "--workers", "2", *options) as process:
        while process.poll() is None and struck < KILLS and time.monotonic() < end:
            time.sleep(rng.uniform(0.3, 0.3 + seconds / KILLS))
            struck += kill(process, rng)
        try:
            actual = files(out, process)
        except LostError as error:
            return struck, str(error)
    names = sorted({*actual, *expected})
    changed = [name for name in names if actual.get(name) != expected.get(name)]
    if changed:
        return struck, f"other bytes than one process: {', '.join(changed)}"
    return struck, ""


def measure(seed: int, articles: int = 1200) -> dict[str, Any]:
    """Return the figures about workers on Ray."""
    rng = random.Random(f"{seed} workers")
    with tempfile.TemporaryDirectory() as folder:
        corpus, room = Path(folder) / "corpus.jsonl", Path(folder)
        write_corpus(corpus, articles, rng)
        expected = files(room / "alone", tag(corpus, room / "alone", "--threads", "1"))
        seconds = {}
        for count in (1, 2):
            began, out = time.monotonic(), room / f"ray-{count}"
            actual = files(out, tag(corpus, out, "--engine", "ray", "--workers", str(count)))
            seconds[count] = time.monotonic() - began
            if actual != expected:
                raise SystemExit(f"{count} workers, undisturbed: other bytes than one process")
            print(f"workers: {count}, {seconds[count]:.0f} s", flush=True)
        struck, losses = 0, []
        for number in range(RUNS):
            hits, lost = killed(corpus, room / f"killed-{number}", expected, seconds[2], rng)
            struck += hits
            if lost:
                losses.append(lost)
            print(f"workers: {struck} killed, {len(losses)} runs lost", *losses[-1:], flush=True)
    rows = [
        survived(
            "Ray workers killed; the results are byte-identical to those of one process",
            struck,
            losses,
            f"seed {seed}",
        ),
        measured(
            "two workers on Ray ÷ one",
            seconds[2] / seconds[1],
            "× the time",
            articles,
            None,
            note=f"{seconds[2]:.0f} and {seconds[1]:.0f} s including the start of Ray, on two cores that also "
            "read and write",
        ),
    ]
    return part(f"{articles} articles, {RUNS} runs. `benchmarks/torture/workers.py`.", rows)
