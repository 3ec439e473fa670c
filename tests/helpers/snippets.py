"""Read the code blocks of README.md and docs/: programs, and calls of the command line."""

import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

from helpers.program import ROOT

#: Written from the code (tools/reference.py): they show how calls are made up, not calls.
GENERATED = ("docs/commands.md", "docs/configuration.md")
DOCUMENTS = (
    "README.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "docs").glob("*.md")
        if f"docs/{path.name}" not in GENERATED
    ),
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GOES_ON = re.compile(r"\\\n|(?<=\|)[ \t]*\n")  # a backslash or a bar at the end of a line


class Block(NamedTuple):
    """A code block: ``section`` is the heading it stands under, ``kind`` what its fence says (``python``, or nothing)."""

    section: str
    kind: str
    text: str


def blocks(document, section=None, kind=None):
    """The code blocks of a document, in order: all, or those of a section, of a kind."""
    text = (ROOT / document).read_text(encoding="utf-8")
    parts = [part.split("\n", 1) for part in f"\n{text}".split("\n## ")]
    found = [
        Block(heading.strip(), *fence)
        for heading, *rest in parts
        for fence in _FENCE.findall("".join(rest))
    ]
    return [
        block for block in found if section in (None, block.section) and kind in (None, block.kind)
    ]


def lines(block):
    """The calls in a block, one a line, without comments."""
    whole = _GOES_ON.sub(" ", block.text).splitlines()
    return [line for line in (re.sub(r"(^|\s+)#\s.*", "", line).strip() for line in whole) if line]


def stages(line):
    """The parts of a pipeline, as lists of words; and the file that its output goes to, or ``None``."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    words, parts, out = list(lexer), [[]], None
    while words:
        word = words.pop(0)
        if word == "|":
            parts.append([])
        elif word == ">":
            out = words.pop(0)
        else:
            parts[-1].append(word)
    return parts, out


def python(code, **environment):
    """Return the output of a program, run in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    ).stdout
