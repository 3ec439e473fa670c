"""The text of a Word document (.docx)."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from claimstance.inference.articles.article import (
    MOST_DOCUMENT,
    Article,
    Raw,
    check_length,
    missing,
    title_of,
    told,
)
from claimstance.model.errors import InputError

_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"  # a Word document of before 2007, and one behind a password
_MOST_FILES = 10_000
_CHUNK = 1 << 20
_PLAIN = {
    "t": None,
    "tab": "\t",
    "br": "\n",
    "cr": "\n",
    "noBreakHyphen": "\u2011",
}  # element → what it stands for
_ELSEWHERE = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}


def parse(raw: Raw) -> Article:
    """The paragraphs of a document in order, those of tables and text boxes included, one a line.

    Deleted text that is kept as a tracked change is no text; inserted text is.

    Raises:
        InputError: for a document that is locked, damaged, old or too large; without python-docx.
    """
    try:
        import docx
    except ImportError:
        raise missing(raw.where, "python-docx", "documents") from None
    if raw.data.startswith(_OLD_OR_LOCKED):
        raise InputError(
            f"{raw.where}: expected a .docx file without a password, found an encrypted one or a "
            ".doc file"
        )
    try:
        body = docx.Document(_unpacked(raw.data, raw.where)).element.body
    except (InputError, MemoryError):
        raise
    except (
        Exception
    ) as error:  # a damaged file makes readers of ZIP and XML raise errors of many kinds
        raise InputError(
            f"{raw.where}: expected a Word document (.docx), found a file that cannot be read as one "
            f"({told(error)})"
        ) from None
    text = "\n".join(paragraph for paragraph in _paragraphs(body) if paragraph)
    check_length(raw.where, text)
    if not text:
        raise InputError(f"{raw.where}: expected a document with text, found none")
    return Article(raw.doc_id, text, title_of(text), tuple(_warnings(body)))


def _unpacked(data: bytes, where: str) -> io.BytesIO:
    """The document as an archive of what was unpacked within bounds, pictures and the like emptied.

    Sizes that an archive states may be false: what python-docx then unpacks has been counted here.
    """
    copy, left = io.BytesIO(), MOST_DOCUMENT
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(copy, "w") as plain:
        if len(packed.infolist()) > _MOST_FILES:
            raise InputError(
                f"{where}: expected a document of at most {_MOST_FILES:,} parts, found more"
            )
        for entry in packed.infolist():
            content = bytearray()
            if entry.filename.endswith((".xml", ".rels")):
                with packed.open(entry) as part:
                    while chunk := part.read(_CHUNK):
                        content += chunk
                        left -= len(chunk)
                        if left < 0:
                            raise InputError(
                                f"{where}: expected a document that unpacks to at most {MOST_DOCUMENT:,} "
                                "bytes of text, found more"
                            )
            plain.writestr(entry.filename, bytes(content))
    copy.seek(0)
    return copy


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _paragraphs(body: Any) -> Iterator[str]:
    for paragraph in body.iter("{*}p"):
        # Word writes a text box twice, the second time for programs that do not know the first way
        if _name(paragraph) == "p" and not any(
            _name(above) == "Fallback" for above in paragraph.iterancestors()
        ):
            yield "".join(_pieces(paragraph)).strip()


def _pieces(paragraph: Any) -> Iterator[str]:
    """The text of a paragraph, without that of paragraphs within it (text boxes)."""
    for element in paragraph.iterchildren():
        name = _name(element)
        if name in _PLAIN:
            yield _PLAIN[name] or element.text or ""
        elif name not in ("p", "pPr", "rPr", "del", "moveFrom", "AlternateContent", "txbxContent"):
            yield from _pieces(element)


def _warnings(body: Any) -> Iterator[str]:
    for tag, what in _ELSEWHERE.items():
        if next(body.iter("{*}" + tag), None) is not None:
            yield f"the {what} are not read"
