"""Share the input of the program, and readers of its output, among tests of the command line."""

import asyncio
import csv
import io
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.paths import ROOT

OWN_LABELS = str(ROOT / "configs" / "own-labels.yaml")
TEXT = (
    "Ministers Clash over Tax\nSenator Carl Amsel spoke on Monday. He said that the tax is theft.\n"
)
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")


def awaited(work, seconds=60):
    """Run a coroutine in a thread of its own, since a browser's driver has a loop in this one; return its result."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(work, seconds)).result()


def soon(is_so, seconds=20):
    """Wait until ``is_so()`` is true, by the work of another thread or process; return its value."""
    end = time.monotonic() + seconds
    while not (value := is_so()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)
    return value


def articles(text):
    """Return the articles in lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def table(text):
    """Return the rows of a table in CSV."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write(name, text):
    """Write a file, and its folder if there is none."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode())
