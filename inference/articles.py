"""Reading articles: text files, JSON Lines, folders of them, standard input."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import read_lines

SUFFIXES = (".txt", ".jsonl")
STANDARD_INPUT = "-"
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Article:
    """An article to tag."""

    doc_id: str
    text: str
    title: str | None = None


def read_articles(inputs: Sequence[str]) -> Iterator[Article | InputError]:
    """The articles of files, of the files in folders (sorted), and of standard input (``-``).

    What cannot be read is given as an ``InputError`` in its place, so that one bad file does not cost the others.
    """
    for name in inputs:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield from _attempt(_from_bytes(sys.stdin.buffer.read(), "stdin", "standard input"))
        elif path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            if not files:
                yield InputError(f"{path}: expected files ending in {' or '.join(SUFFIXES)}, found none")
            for file in files:
                yield from _attempt(_from_file(file, file.relative_to(path).with_suffix("").as_posix()))
        else:
            yield from _attempt(_from_file(path, path.stem))


def count_articles(inputs: Sequence[str]) -> int | None:
    """How many files there are to read, for a progress bar; ``None`` where only reading would tell."""
    if any(name == STANDARD_INPUT or name.endswith(".jsonl") for name in inputs):
        return None
    files = [file for name in inputs for file in (Path(name).rglob("*") if Path(name).is_dir() else [Path(name)])]
    return None if any(file.suffix == ".jsonl" for file in files) else sum(file.suffix == ".txt" for file in files)


def _attempt(articles: Iterator[Article | InputError]) -> Iterator[Article | InputError]:
    try:
        yield from articles
    except InputError as error:
        yield error
    except OSError as error:
        yield InputError(f"{error.filename}: {error.strerror}")


def _from_file(path: Path, doc_id: str) -> Iterator[Article | InputError]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: expected a file ending in {' or '.join(SUFFIXES)}, or a folder, found "
                         f"'{suffix or path.name}'")
    if suffix == ".jsonl":
        for number, line in enumerate(read_lines(path), 1):
            if line.strip():
                yield _from_json(line, f"{doc_id}:{number}", f"{path}, line {number}")
    else:
        yield from _from_bytes(path.read_bytes(), doc_id, str(path))


def _from_bytes(data: bytes, doc_id: str, where: str) -> Iterator[Article]:
    if b"\0" in data:
        raise InputError(f"{where}: expected UTF-8 text, found a binary file (a NUL byte)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}: expected UTF-8 text, found {error.reason}") from None
    yield Article(doc_id, text, title_of(text))


def _from_json(line: str, doc_id: str, where: str) -> Article | InputError:
    try:
        data = json.loads(line)
    except ValueError as error:
        return InputError(f"{where}: expected a JSON object with the article's 'text', found {error}")
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        found = f"the keys {', '.join(data) or 'none'}" if isinstance(data, dict) else repr(data)[:60]
        return InputError(f"{where}: expected a JSON object with the article's 'text', found {found}")
    name = data.get("doc_id") if data.get("doc_id") is not None else data.get("id", doc_id)
    title = data.get("title")
    return Article(str(name), data["text"], title if isinstance(title, str) else title_of(data["text"]))


def title_of(text: str) -> str | None:
    """The first line, if it stands alone and does not end like a sentence."""
    first, newline, _ = text.lstrip().partition("\n")
    first = first.strip()
    if not newline or not first or len(first) > _LONGEST_TITLE or first[-1] in ".!?:;,”\"":
        return None
    return first
