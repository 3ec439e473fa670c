"""Corpora for long runs, their folders, and interruptions."""

import json
import os
import subprocess
import sys
from pathlib import Path

from claimstance.inference.jobs import run as long_run
from helpers.program import TEXT, write

IN_TWOS = ("--articles-per-part", "2")
LINES = [json.dumps({"id": name, "text": TEXT, "outlet": "Courier"}) for name in "abcde"]


def folder_contents(folder="out"):
    """Return name → bytes of every file in a folder, the lock left out."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != ".lock"}


def write_corpus(*lines):
    """Write a corpus with a fixed time, by default of five articles."""
    write("c.jsonl", "\n".join(lines or LINES) + "\n")
    os.utime("c.jsonl", ns=(10**18, 10**18))


def read_manifest(folder="out"):
    """Return the manifest of a run as JSON values."""
    return json.loads(Path(folder, "manifest.json").read_bytes())


def fail_after_parts(monkeypatch, parts, error=KeyboardInterrupt):
    """Let a run raise an error after so many parts, when it has read the first article of the next one."""
    write_part, done = long_run.LongRun._write_part, []

    def write_until(self, number, part_input, *arguments):
        if len(done) == parts:
            next(iter(part_input))
            raise error
        write_part(self, number, part_input, *arguments)
        done.append(number)

    monkeypatch.setattr(long_run.LongRun, "_write_part", write_until)


def die_while_creating(create, at):
    """Let a process die while it creates a file of a run: in the middle of it, or once the file has its name."""
    script = (
        "import os; from pathlib import Path; from claimstance.inference.jobs.folder import lock_folder\n"
        f"with lock_folder(Path('out')) as folder:\n"
        f"    with folder.create({create!r}) as file:\n"
        f"        file.write('half'); file.flush()\n"
        f"        if {at!r} == 'middle': os._exit(9)\n"
        f"    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
