"""Read the code blocks of README.md and docs/: programs, and calls of the command line."""

import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

from helpers.program import ROOT

#: Written from the code (tools/reference.py): they show the syntax of calls, not calls.
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
    """Represent a code block under the heading ``section``; ``kind`` is the language of its fence, or empty."""

    section: str
    kind: str
    text: str


def blocks(document, section=None, kind=None):
    """Return the code blocks of a document in order: all, or those of a section or a kind."""
    text = (ROOT / document).read_text(encoding="utf-8")
    all_blocks = []
    for chapter in f"\n{text}".split("\n## "):
        heading, _, body = chapter.partition("\n")
        all_blocks += [Block(heading.strip(), *fence) for fence in _FENCE.findall(body)]
    return [
        block
        for block in all_blocks
        if section in (None, block.section) and kind in (None, block.kind)
    ]


def lines(block):
    """Return the calls in a block, one per line, without comments."""
    joined_lines = _GOES_ON.sub(" ", block.text).splitlines()
    calls = [re.sub(r"(^|\s+)#\s.*", "", line).strip() for line in joined_lines]
    return [call for call in calls if call]


def stages(line):
    """Return the commands of a pipeline, as lists of words, and the file that its output goes to, or ``None``."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    words, commands, out = list(lexer), [[]], None
    while words:
        word = words.pop(0)
        if word == "|":
            commands.append([])
        elif word == ">":
            out = words.pop(0)
        else:
            commands[-1].append(word)
    return commands, out


def python(code, **environment):
    """Run a program in a process of its own; return its output."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    ).stdout
