"""Reading articles: text files, JSON Lines, folders of them, standard input; and records to predict."""

import codecs
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import Record, read_jsonl, read_lines

log = logging.getLogger(__name__)
SUFFIXES = (".txt", ".jsonl")
STANDARD_INPUT = "-"
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Article:
    """An article to tag; ``warnings`` say what is odd about how it was given."""

    doc_id: str
    text: str
    title: str | None = None
    warnings: tuple[str, ...] = ()


def read_articles(inputs: Sequence[str]) -> Iterator[Article | InputError]:
    """The articles of files, of the files in folders (sorted; hidden ones left out), and of standard input (``-``).

    What cannot be read is given as an ``InputError`` in its place, so that one bad file does not cost the others.
    """
    seen: set[str] = set()
    for article in _read(inputs):
        if isinstance(article, Article):
            if article.doc_id in seen:
                article = replace(article, warnings=(f"the doc_id '{article.doc_id}' is an earlier article's, too",))
            seen.add(article.doc_id)
        yield article


def _read(inputs: Sequence[str]) -> Iterator[Article | InputError]:
    for name in inputs:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield from _attempt(_from_bytes(sys.stdin.buffer.read(), "stdin", "standard input"))
        elif path.is_dir():
            files, others, errors = _files_in(path)
            yield from (InputError(f"{error.filename}: {error.strerror}") for error in errors)
            if not files and not errors:
                yield InputError(f"{path}: expected files ending in {' or '.join(SUFFIXES)}, found "
                                 f"{_counts(others) or 'none'}")
            elif others:
                log.warning("%s: files that are not articles left out: %s", path, _counts(others))
            for file in files:
                yield from _attempt(_from_file(file, _name(file.relative_to(path))))
        else:
            yield from _attempt(_from_file(path, _name(Path(path.name))))


def read_records(path: Path) -> Iterator[Record]:
    """Records of a file to be predicted, whatever their labels are; errors as in ``read_jsonl``."""
    return read_jsonl(path, any_labels=True)


def count_articles(inputs: Sequence[str]) -> int | None:
    """How many files there are to read, for a progress bar; ``None`` where only reading would tell."""
    files = [file for name in inputs for file in (_files_in(Path(name))[0] if Path(name).is_dir() else [Path(name)])]
    return len(files) if all(file.suffix.lower() == ".txt" for file in files) else None


def check_characters(where: str, *texts: str) -> None:
    """Raise ``InputError`` if a text has half of a surrogate pair, which no UTF-8 can hold."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{where}: expected Unicode characters, found half of a surrogate pair, "
                             f"{text[error.start]!a}, at character {error.start}") from None


def title_of(text: str) -> str | None:
    """The first line, if it stands alone and does not end like a sentence."""
    first, newline, _ = text.lstrip().partition("\n")
    first = first.strip()
    if not newline or not first or len(first) > _LONGEST_TITLE or first[-1] in ".!?:;,”\"":
        return None
    return first


def _files_in(folder: Path) -> tuple[list[Path], list[Path], list[OSError]]:
    """The files of a folder and of those in it: articles, others, and what the system says of folders it keeps shut."""
    files: list[Path] = []
    errors: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, name) for name in names if not name.startswith(".")]
    articles = sorted(file for file in files if file.suffix.lower() in SUFFIXES)
    return articles, [file for file in files if file.suffix.lower() not in SUFFIXES], errors


def _counts(files: Sequence[Path]) -> str:
    counts = Counter(file.suffix.lower() or "without a suffix" for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))


def _name(path: Path) -> str:
    """A path without its suffix as an id; bytes that are no UTF-8, which file systems allow, become a mark."""
    return os.fsencode(path.with_suffix("").as_posix()).decode("utf-8", "replace")


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
    if suffix == ".txt":
        yield from _from_bytes(path.read_bytes(), doc_id, str(path))
        return
    found = 0
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            found += 1
            try:
                yield _from_json(line, f"{doc_id}:{number}", f"{path}, line {number}")
            except InputError as error:  # costs this line alone
                yield error
    if not found:
        raise InputError(f"{path}: expected at least one article, found an empty file")


def _from_bytes(data: bytes, doc_id: str, where: str) -> Iterator[Article]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{where}: expected UTF-8 text, found UTF-16")
    if b"\0" in data:
        raise InputError(f"{where}: expected UTF-8 text, found a binary file (a NUL byte)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}: expected UTF-8 text, found {error.reason}") from None
    yield Article(doc_id, text, title_of(text))


def _from_json(line: str, doc_id: str, where: str) -> Article:
    expected = "a JSON object with the article's 'text'"
    data = _parse(line, where, expected)
    if not isinstance(data, dict):
        raise InputError(f"{where}: expected {expected}, found {shorten(repr(data))}")
    text, title = data.get("text"), data.get("title")
    if not isinstance(text, str):
        found = f"{shorten(repr(text))} there" if "text" in data else (
            f"the keys {shorten(', '.join(data))}" if data else "no keys")
        raise InputError(f"{where}: expected {expected}, found {found}")
    name = next((str(data[key]) for key in ("doc_id", "id") if data.get(key) is not None), doc_id)
    title = title if isinstance(title, str) else title_of(text)
    check_characters(where, text, title or "", name)
    return Article(name, text, title)


def _parse(line: str, where: str, expected: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: expected {expected}, found text that is not JSON ({error})") from None
