"""An article to tag, and what its readers share: what they are given, and how much they take."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from claimstance.model.errors import InputError, shorten
from claimstance.model.io.files import open_regular

#: Bytes of a file of plain text, of a row of a corpus, and characters of any article: twice the longest novels.
MOST_TEXT = 10_000_000
#: Bytes of a PDF or DOCX file, pictures included.
MOST_DOCUMENT = 50_000_000
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Article:
    """An article to tag.

    Attributes:
        doc_id: its name in results.
        text: what offsets refer to.
        title: ``None`` if it has none that is known.
        warnings: what is odd about how it was given.
        meta: what else is known of it, as JSON has it: date, outlet and url of a page, other columns of a corpus.
    """

    doc_id: str
    text: str
    title: str | None = None
    warnings: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """A file that holds one article, as it was read or fetched.

    Attributes:
        where: what errors call it.
        url: where it was fetched from.
        charset: the encoding that the one who sent it named.
    """

    data: bytes
    doc_id: str
    where: str
    url: str | None = None
    charset: str | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns of a corpus hold the text, the id and the title; ``None`` to go by the usual names."""

    text: str | None = None
    id: str | None = None
    title: str | None = None


def title_of(text: str) -> str | None:
    """The first line, if it stands alone and does not end like a sentence."""
    first, newline, _ = text.lstrip().partition("\n")
    first = first.strip()
    if not newline or not first or len(first) > _LONGEST_TITLE or first[-1] in '.!?:;,”"':
        return None
    return first


def check_characters(where: str, *texts: str) -> None:
    """Raise ``InputError`` if a text has half of a surrogate pair, which no UTF-8 can hold."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{where}: expected Unicode characters, found half of a surrogate pair, "
                f"{text[error.start]!a}, at character {error.start}"
            ) from None


def check_length(where: str, text: str) -> None:
    """Raise ``InputError`` for a text of more than ``MOST_TEXT`` characters."""
    if len(text) > MOST_TEXT:
        raise InputError(
            f"{where}: expected an article of at most {MOST_TEXT:,} characters, found {len(text):,}"
        )


def read_bytes(path: Path, most: int) -> bytes:
    """Return the bytes of a file, however its system tells its size; see ``open_regular`` and ``read_all``."""
    with open_regular(path) as file:
        return read_all(file, most, str(path))


def read_all(file: BinaryIO, most: int, where: str) -> bytes:
    """The rest of a file.

    Raises:
        InputError: if it has more than ``most`` bytes, of which no more are held.
    """
    data = file.read(most + 1)
    if len(data) > most:
        raise InputError(f"{where}: expected at most {most:,} bytes, found more")
    return data


def told(error: object) -> str:
    """Return the message of a library's error, in one line that leaves room for ours."""
    return shorten(" ".join(str(error).split()), 150) or type(error).__name__


def missing(where: str, module: str, extra: str) -> InputError:
    """The error for a file that a library which is not installed would read."""
    return InputError(f"{where}: this needs '{module}': pip install 'claimstance[{extra}]'")


def silence(*loggers: str) -> None:
    """Keep what a library logs off standard error, unless someone has set up logging: our errors say it in one line."""
    for name in loggers:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
