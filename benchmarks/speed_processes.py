"""Measure whole runs of the program as processes: seconds and peak memory."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from articles import make_articles, write_articles
from speed_page import Row, make_row

HERE = Path(__file__).parent
DEMO = HERE.parent / "seeds" / "demo.txt"
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")
LONG = (10_000, 100_000)  # articles


def tag_command(file: Path, model: str, folder: Path) -> tuple[str, ...]:
    """Return the command that tags a file and writes the results into a folder."""
    out = folder / "tagged.jsonl"
    return (*PROGRAM, "tag", str(file), "--model", model, "--out", str(out))


def measure_cold_start(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Measure one article from the command line, start to end, and the same through transformers."""
    models = folder / "models"
    subprocess.run(
        [sys.executable, str(HERE / "contenders.py"), "save", str(models)], check=True, cwd=HERE
    )
    our_command = tag_command(DEMO, "small", folder)
    their_command = (sys.executable, str(HERE / "contenders.py"), "cold", str(DEMO), str(models))
    ours, theirs = [], []
    for number in range(rounds + 1):
        our_run, their_run = run_process(our_command), run_process(their_command)
        if number > 0:  # the first round does not count
            ours.append(our_run)
            theirs.append(their_run)
    clock_ratios = [
        their_seconds / our_seconds
        for (their_seconds, _), (our_seconds, _) in zip(theirs, ours, strict=True)
    ]
    their_memory = statistics.median(memory for _, memory in theirs)
    return [
        make_row(
            "one article from a cold start",
            [seconds for seconds, _ in ours],
            "s",
            must=1.5,
            aim=0.8,
        ),
        make_row(
            "one article from a cold start, peak memory",
            [memory for _, memory in ours],
            "MB",
            must=350,
            aim=220,
        ),
        make_row(
            "the same through transformers ÷ it",
            clock_ratios,
            "×",
            must=4,
            better="higher",
            note=f"{their_memory:.0f} MB; targets given to it",
        ),
    ]


def run_process(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its seconds and its peak memory in megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=HERE
    )
    # Only `wait4` tells the memory of this process alone.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command}: ended with {process.returncode}")
    units_per_megabyte = 2**20 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss / units_per_megabyte


def measure_long_runs(_: int, folder: Path, __: Path | None) -> list[Row]:
    """Compare time and memory of a long run with those of one over a tenth of the articles."""
    runs = []
    for count in LONG:
        file = write_articles(folder / f"long-{count}.jsonl", make_articles(count, sentences=3))
        command = tag_command(file, "small", folder)
        seconds, memory = run_process(command)
        runs.append((count, seconds, memory))
        print(
            f"  {count:,} articles: {seconds:.0f} s, {memory:.0f} MB", file=sys.stderr, flush=True
        )
    (few, short_seconds, short_memory), (many, long_seconds, long_memory) = runs
    return [
        make_row(
            f"an article of {many:,} ÷ one of {few:,}",
            [long_seconds / many / (short_seconds / few)],
            "×",
            must=1.1,
            note=f"three sentences each; {many / long_seconds:,.0f} articles a second; one run each",
        ),
        make_row(
            f"memory of {many:,} articles beyond that of {few:,}",
            [long_memory - short_memory],
            "MB",
            must=50,
            note=f"{short_memory:.0f} and {long_memory:.0f} MB",
        ),
    ]
