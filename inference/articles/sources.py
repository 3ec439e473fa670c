"""Read articles from the inputs of a command: files, folders, standard input, addresses; and records to predict.

These are the sources of the articles; the sources that an article quotes are ``claimstance.inference.results.Source``.
The formats are listed in ``claimstance.inference.articles``.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from claimstance.inference.articles import CORPORA, DOCUMENTS, SUFFIXES
from claimstance.inference.articles.article import (
    MAX_TEXT,
    Article,
    Columns,
    RawFile,
    check_characters,
    headline_of,
    read_all,
    read_bytes,
)
from claimstance.inference.articles.corpus import stop_at_useless_file
from claimstance.inference.articles.fetching import check_address, fetch, is_address
from claimstance.model.errors import InputError, printable
from claimstance.model.io.files import check_regular
from claimstance.model.record import Record, read_jsonl

__all__ = [
    "SUFFIXES",
    "Article",
    "Columns",
    "check_address",
    "check_characters",
    "count_articles",
    "files_of",
    "headline_of",
    "is_address",
    "read_articles",
    "read_records",
]
log = logging.getLogger(__name__)
STANDARD_INPUT = "-"
_SUFFIX_LIST = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def read_articles(
    inputs: Sequence[str], columns: Columns | None = None, network: bool = False
) -> Iterator[Article | InputError]:
    """Yield the articles of files, of the files in folders, of standard input (``-``, plain text) and of addresses.

    Files of a folder come sorted, without hidden ones. An input that cannot be read yields an ``InputError`` in its
    place, so that one bad file does not cost the others.

    Args:
        inputs: paths, ``-``, and addresses.
        columns: names of the columns of corpora; the usual names if not given.
        network: whether addresses may be fetched.

    Raises:
        ConfigError: for an address without ``network``.
    """
    # All addresses are checked before the first article, so that a wrong call fails before any work is done.
    for name in inputs:
        check_address(name, network)
    seen: set[str] = set()
    for name in inputs:
        for article in _with_errors(_read_input(name, columns or Columns())):
            if isinstance(article, InputError):
                # A path may hold bytes that neither UTF-8 nor a terminal can show.
                yield InputError(printable(str(article)))
                continue
            if article.doc_id in seen:
                warning = f"the doc_id '{article.doc_id}' is an earlier article's, too"
                article = replace(article, warnings=(*article.warnings, warning))
            seen.add(article.doc_id)
            yield article


def _read_input(name: str, columns: Columns) -> Iterator[Article | InputError]:
    """Yield the articles of one input; of a folder, an error in place of each file that cannot be read."""
    path = Path(name)
    if name == STANDARD_INPUT:
        where = "standard input"
        data = read_all(sys.stdin.buffer, MAX_TEXT, where)
        yield DOCUMENTS[".txt"].read(RawFile(data, "stdin", where))
        return
    if is_address(name):
        yield fetch(name)
        return
    if not path.is_dir():
        yield from _read_file(path, Path(path.name), columns)
        return

    files, ignored, errors = _list_folder(path)
    for error in errors:
        yield InputError(f"{error.filename}: {error.strerror}")
    counts = Counter(file.suffix.lower() or "without a suffix" for file in ignored)
    ignored_list = ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
    if not files and not errors:
        yield InputError(
            f"{path}: expected files ending in {_SUFFIX_LIST}, found {ignored_list or 'none'}"
        )
    elif ignored:
        log.warning("%s: files that are not articles left out: %s", path, ignored_list)
    for file in files:
        yield from _with_errors(_read_file(file, file.relative_to(path), columns))


def _with_errors(articles: Iterator[Article | InputError]) -> Iterator[Article | InputError]:
    """Yield articles, and last the error that ends them, if any."""
    try:
        yield from articles
    except InputError as error:
        yield error
    except OSError as error:
        yield InputError(f"{error.filename}: {error.strerror}")


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file to be predicted, whatever their labels are; errors as in ``read_jsonl``."""
    return read_jsonl(path, any_labels=True)


def count_articles(inputs: Sequence[str]) -> int | None:
    """Return the number of articles to read, for a progress bar; ``None`` if only reading them would show it."""
    count = 0
    for name in inputs:
        if is_address(name):
            count += 1
            continue
        for _, file in files_of(name):
            # Only reading a corpus would show how many articles it has.
            if file.suffix.lower() not in DOCUMENTS:
                return None
            count += 1
    return count


def files_of(name: str) -> list[tuple[str, Path]]:
    """Return the files with articles of an input, a file or a folder: each file's name in the input, and its path."""
    path = Path(name)
    if path.is_dir():
        return [(file.relative_to(path).as_posix(), file) for file in _list_folder(path)[0]]
    return [(path.name, path)]


def _list_folder(folder: Path) -> tuple[list[Path], list[Path], list[OSError]]:
    """Return the files below a folder: articles (sorted), others, and errors of folders that cannot be opened."""
    articles: list[Path] = []
    ignored: list[Path] = []
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        # Changed in place, so that os.walk does not enter hidden folders.
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            file = Path(parent, name)
            if file.suffix.lower() in SUFFIXES:
                articles.append(file)
            else:
                ignored.append(file)
    # The order of os.walk depends on the file system: results should not.
    return sorted(articles), ignored, errors


def _read_file(path: Path, path_in_input: Path, columns: Columns) -> Iterator[Article | InputError]:
    """Yield the articles of a file; their ids begin with its path in the input, without suffix."""
    # File systems allow bytes that are not UTF-8: an id shows them as U+FFFD.
    stem = path_in_input.with_suffix("").as_posix()
    doc_id = os.fsencode(stem).decode("utf-8", "replace")
    suffix = path.suffix.lower()
    if suffix in DOCUMENTS:
        document_format = DOCUMENTS[suffix]
        data = read_bytes(path, document_format.max_bytes)
        yield document_format.read(RawFile(data, doc_id, str(path)))
    elif suffix in CORPORA:
        read_corpus = CORPORA[suffix]
        yield from stop_at_useless_file(path, read_corpus(path, doc_id, columns))
    else:
        check_regular(path)  # a missing file is the likelier mistake: its error comes first
        raise InputError(
            f"{path}: expected a file ending in {_SUFFIX_LIST}, or a folder, found '{suffix or path.name}'"
        )
