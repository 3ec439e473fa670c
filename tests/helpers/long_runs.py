"""Make corpora for long runs, read the folders of runs, and interrupt runs."""

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
    """Return the bytes of every file in a folder but the lock, by name."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != ".lock"}


def write_corpus(*lines):
    """Write a corpus with a fixed modification time, by default of five articles."""
    write("c.jsonl", "\n".join(lines or LINES) + "\n")
    os.utime("c.jsonl", ns=(10**18, 10**18))


def read_manifest(folder="out"):
    """Return the manifest of a run as JSON values."""
    return json.loads(Path(folder, "manifest.json").read_bytes())


def fail_after_parts(monkeypatch, part_count, error=KeyboardInterrupt):
    """Let a run raise an error after a number of parts, when it has read the first article of the next one."""
    write_part, written_parts = long_run.LongRun._write_part, []

    def write_until(self, number, part_input, *arguments):
        if len(written_parts) == part_count:
            next(iter(part_input))
            raise error
        write_part(self, number, part_input, *arguments)
        written_parts.append(number)

    monkeypatch.setattr(long_run.LongRun, "_write_part", write_until)


def die_while_creating(create, at):
    """Run a process that dies while it creates a file of a run: in the middle, or after it got its name."""
    script = (
        "import os; from pathlib import Path; from claimstance.inference.jobs.folder import lock_folder\n"
        f"with lock_folder(Path('out')) as folder:\n"
        f"    with folder.create({create!r}) as file:\n"
        f"        file.write('half'); file.flush()\n"
        f"        if {at!r} == 'middle': os._exit(9)\n"
        f"    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
