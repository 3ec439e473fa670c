"""Tagged articles from the JSON Lines that ``claimstance tag`` writes, one article in memory at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from claimstance.inference.articles.article import MAX_TEXT
from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import InputError, printable
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.io.validation import first_problem

SUFFIXES = (".jsonl", ".ndjson")
_MANIFEST = "manifest.json"  # of a run of ``tag`` into a folder
_TABLES = (".parquet", ".csv", ".tsv")
#: Bytes of a line: results are about twenty times as long as the article.
_LONGEST_LINE = 40 * MAX_TEXT
_EXPECTED = "an article as `claimstance tag --format jsonl` writes it"


@dataclass(frozen=True)
class ReadResult:
    """Represent a tagged article that was read.

    Attributes:
        article: the article.
        where: the file and the line, for messages.
        size: the bytes of the line.
    """

    article: TaggedArticle
    where: str
    size: int


def read_results(paths: Sequence[Path]) -> Iterator[ReadResult]:
    """Yield the tagged articles of files and folders, in order.

    Args:
        paths: JSON Lines files; and folders with such files, as ``tag --out FOLDER`` writes them.

    Raises:
        InputError: if a file or a line cannot be read. A bad line ends the reading, since figures from
            the other lines would look complete.
    """
    for file in result_files(paths):
        for number, line in enumerate(checked_lines(file, _LONGEST_LINE), 1):
            if isinstance(line, InputError):
                raise line
            if line.strip():
                where = f"{file}, line {number}"
                yield ReadResult(_parse(line, where), where, len(line.encode()) + 1)


def result_files(paths: Sequence[Path]) -> list[Path]:
    """Return the JSON Lines files among ``paths`` and in its folders, sorted by name within a folder.

    Raises:
        InputError: if a path does not exist, has another format, or a folder has no such file.
    """
    files = []
    for path in paths:
        files += _files_of_folder(path) if path.is_dir() else [_check_file(path)]
    return list(dict.fromkeys(files))


def results_size(paths: Sequence[Path]) -> int:
    """Return the bytes of all files with results, for a progress bar; errors as in ``result_files``."""
    return sum(file.stat().st_size for file in result_files(paths))


def unfinished_runs(paths: Sequence[Path]) -> list[Path]:
    """Return the folders among ``paths`` that a run of ``tag`` has not finished writing."""
    unfinished = []
    for path in paths:
        try:
            manifest = json.loads((path / _MANIFEST).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(manifest, dict) and manifest.get("complete") is False:
            unfinished.append(path)
    return unfinished


def _files_of_folder(folder: Path) -> list[Path]:
    try:
        visible = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    files = [file for file in visible if file.suffix.lower() in SUFFIXES]
    if files:
        return files
    tables = [file for file in visible if file.suffix.lower() in _TABLES]
    if tables:
        raise _table_error(tables[0])
    found = ", ".join(printable(file.name) for file in visible[:3]) or "an empty folder"
    raise InputError(f"{folder}: expected files ending in .jsonl, found {found}")


def _check_file(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path}: expected a file or folder with results of tag, found none")
    if path.suffix.lower() in _TABLES:
        raise _table_error(path)
    return path


def _table_error(path: Path) -> InputError:
    return InputError(
        f"{path}: expected JSON Lines, found a {path.suffix.lower().removeprefix('.').upper()} file, which "
        "lacks a part of the results: tag the articles again with `claimstance tag … --format jsonl`"
    )


def _parse(line: str, where: str) -> TaggedArticle:
    """Return the article of a line."""
    try:
        return _adapter().validate_json(line)
    except ValidationError as error:
        field, problem = first_problem(error.errors(include_url=False))
        if field:
            problem = f"at {field}: {problem}"
        raise InputError(f"{where}: expected {_EXPECTED}, {problem}") from None


@cache
def _adapter() -> TypeAdapter[TaggedArticle]:
    return TypeAdapter(TaggedArticle)
