"""An article to tag, and the limits and errors that all readers of articles share."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from claimstance.model.errors import InputError, shorten
from claimstance.model.io.files import open_regular

#: Bytes of a file of plain text, of a row of a corpus, and characters of any article: twice the longest novels.
MAX_TEXT = 10_000_000
#: Bytes of a PDF or DOCX file, pictures included.
MAX_DOCUMENT = 50_000_000
_MAX_TITLE = 200  # characters
_MAX_DETAIL = 150  # characters of a library's error within one of ours


@dataclass(frozen=True)
class Article:
    """Represent an article to tag.

    Attributes:
        doc_id: the article's name in results.
        text: the text that offsets refer to.
        title: ``None`` if the article has no title, or none that its format marks.
        warnings: oddities of the input, one sentence each.
        meta: further facts as JSON values: date, outlet and url of a page, other columns of a corpus.
    """

    doc_id: str
    text: str
    title: str | None = None
    warnings: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawFile:
    """Represent the bytes of a file that holds one article, read from disk or fetched.

    Attributes:
        data: the bytes.
        doc_id: the id that the article will have.
        where: the file's name in errors.
        url: the address it was fetched from.
        charset: the encoding that the server named.
    """

    data: bytes
    doc_id: str
    where: str
    url: str | None = None
    charset: str | None = None


@dataclass(frozen=True)
class Columns:
    """Represent the user's names of the columns of text, id and title; ``None`` stands for the usual names."""

    text: str | None = None
    id: str | None = None
    title: str | None = None


def headline_of(text: str) -> str | None:
    """Return the first line if text follows it and it does not end like a sentence."""
    first_line, newline, _ = text.lstrip().partition("\n")
    first_line = first_line.strip()
    if not newline or not first_line or len(first_line) > _MAX_TITLE:
        return None
    if first_line[-1] in '.!?:;,”"':
        return None
    return first_line


def check_characters(where: str, *texts: str) -> None:
    """Raise ``InputError`` if a text has half of a surrogate pair, which UTF-8 cannot encode."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{where}: expected Unicode characters, found half of a surrogate pair, "
                f"{text[error.start]!a}, at character {error.start}"
            ) from None


def check_length(where: str, text: str) -> None:
    """Raise ``InputError`` for a text of more than ``MAX_TEXT`` characters."""
    if len(text) > MAX_TEXT:
        raise InputError(
            f"{where}: expected an article of at most {MAX_TEXT:,} characters, found {len(text):,}"
        )


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file; errors as in ``open_regular`` and ``read_all``."""
    with open_regular(path) as file:
        return read_all(file, max_bytes, str(path))


def read_all(file: BinaryIO, max_bytes: int, where: str) -> bytes:
    """Return the rest of a file.

    Raises:
        InputError: if it has more than ``max_bytes`` bytes.
    """
    # One byte more than allowed proves that the file is too large; the rest never enters memory.
    data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InputError(f"{where}: expected at most {max_bytes:,} bytes, found more")
    return data


def one_line(message: object) -> str:
    """Return a library's message in one line, short enough to stand within an error of ours."""
    return shorten(" ".join(str(message).split()), _MAX_DETAIL) or type(message).__name__


def missing_library(where: str, module: str, extra: str) -> InputError:
    """Return the error for a file whose format needs a library that is not installed."""
    return InputError(f"{where}: this needs '{module}': pip install 'claimstance[{extra}]'")


def mute_logging(*loggers: str) -> None:
    """Keep a library's log off standard error, unless the user has set up logging for it.

    Our errors say the same in one line.
    """
    for name in loggers:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
