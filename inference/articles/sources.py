"""Reading articles: files, folders of them, standard input, addresses; and records to predict.

Which formats there are stands in ``claimstance.inference.articles``.
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
    MOST_TEXT,
    Article,
    Columns,
    Raw,
    check_characters,
    read_all,
    read_bytes,
    title_of,
)
from claimstance.inference.articles.corpus import checked
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
    "is_address",
    "read_articles",
    "read_records",
    "title_of",
]
log = logging.getLogger(__name__)
STANDARD_INPUT = "-"


def read_articles(
    inputs: Sequence[str], columns: Columns | None = None, network: bool = False
) -> Iterator[Article | InputError]:
    """The articles of files, of the files in folders (sorted; hidden ones left out), of standard input (``-``, plain
    text), and with ``network`` of addresses.

    What cannot be read is given as an ``InputError`` in its place, so that one bad file does not cost the others.

    Args:
        inputs: paths, ``-``, and addresses.
        columns: which columns of corpora are what; the usual names if not given.
        network: whether addresses may be fetched.

    Raises:
        ConfigError: for an address without ``network``.
    """
    for name in inputs:
        check_address(name, network)
    seen: set[str] = set()
    for article in _read(inputs, columns or Columns()):
        if isinstance(article, Article):
            if article.doc_id in seen:
                again = f"the doc_id '{article.doc_id}' is an earlier article's, too"
                article = replace(article, warnings=(*article.warnings, again))
            seen.add(article.doc_id)
        yield article


def _read(inputs: Sequence[str], columns: Columns) -> Iterator[Article | InputError]:
    for name in inputs:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield from _attempt(_from_stdin())
        elif is_address(name):
            yield from _attempt(_from_address(name))
        elif path.is_dir():
            files, others, errors = _files_in(path)
            yield from (_printable(f"{error.filename}: {error.strerror}") for error in errors)
            if not files and not errors:
                yield _printable(
                    f"{path}: expected files ending in {_listed()}, found {_counts(others) or 'none'}"
                )
            elif others:
                log.warning("%s: files that are not articles left out: %s", path, _counts(others))
            for file in files:
                yield from _attempt(_from_file(file, _name(file.relative_to(path)), columns))
        else:
            yield from _attempt(_from_file(path, _name(Path(path.name)), columns))


def read_records(path: Path) -> Iterator[Record]:
    """Records of a file to be predicted, whatever their labels are; errors as in ``read_jsonl``."""
    return read_jsonl(path, any_labels=True)


def count_articles(inputs: Sequence[str]) -> int | None:
    """Return the number of articles to read, for a progress bar; ``None`` if only reading them would show it."""
    files = [
        file
        for name in inputs
        for file in (
            []
            if is_address(name)
            else _files_in(Path(name))[0]
            if Path(name).is_dir()
            else [Path(name)]
        )
    ]
    if not all(file.suffix.lower() in DOCUMENTS for file in files):
        return None
    return len(files) + sum(map(is_address, inputs))


def files_of(name: str) -> list[tuple[str, Path]]:
    """The files that an input, a file or a folder, has articles in: what each is called in it, and where it is."""
    path = Path(name)
    if path.is_dir():
        return [(file.relative_to(path).as_posix(), file) for file in _files_in(path)[0]]
    return [(path.name, path)]


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
    """Give what ends a file as an error in its place, and errors in characters that UTF-8 and terminals can hold."""
    try:
        for article in articles:
            yield article if isinstance(article, Article) else _printable(str(article))
    except InputError as error:
        yield _printable(str(error))
    except OSError as error:
        yield _printable(f"{error.filename}: {error.strerror}")


def _printable(message: str) -> InputError:
    return InputError(printable(message))


def _from_file(path: Path, doc_id: str, columns: Columns) -> Iterator[Article | InputError]:
    suffix = path.suffix.lower()
    if document := DOCUMENTS.get(suffix):
        yield document.read(Raw(read_bytes(path, document.most), doc_id, str(path)))
    elif corpus := CORPORA.get(suffix):
        yield from checked(path, corpus(path, doc_id, columns))
    else:
        check_regular(path)
        raise InputError(
            f"{path}: expected a file ending in {_listed()}, or a folder, found '{suffix or path.name}'"
        )


def _from_stdin() -> Iterator[Article]:
    where = "standard input"
    yield DOCUMENTS[".txt"].read(Raw(read_all(sys.stdin.buffer, MOST_TEXT, where), "stdin", where))


def _from_address(url: str) -> Iterator[Article]:
    yield fetch(url)


def _listed() -> str:
    return f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
