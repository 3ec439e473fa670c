"""The program as the tests of the command line use it: what they give it, and how they read what it printed."""

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
    """Return a coroutine's result, run in a thread of its own, since a browser's driver has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(work, seconds)).result()


def soon(is_so, seconds=20):
    """Wait until something is so, which somebody else brings about; gives it."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)
    return found


def articles(text):
    return [json.loads(line) for line in text.splitlines()]


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(text.encode())
