"""Word documents (.docx)."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from claimstance.inference.articles.article import (
    MAX_DOCUMENT,
    Article,
    RawFile,
    check_length,
    headline_of,
    missing_library,
    one_line,
)
from claimstance.model.errors import InputError

_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"  # a Word document of before 2007, and one behind a password
_MAX_FILES = 10_000  # in the archive
_CHUNK = 1 << 20
#: Elements that stand for characters; ``None`` for the one that holds text.
_PLAIN = {"t": None, "tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011"}
#: Elements without text of the paragraph: properties, tracked deletions, and what surrounds text boxes.
_SKIPPED = ("p", "pPr", "rPr", "del", "moveFrom", "AlternateContent", "txbxContent")
#: Elements that refer to text outside the body.
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}


def parse(raw: RawFile) -> Article:
    """Return the paragraphs of a document in order, those of tables and text boxes included, one per line.

    A tracked change counts as accepted: its inserted text is read, its deleted text is not.

    Raises:
        InputError: for a document that is locked, damaged, old or too large; without python-docx.
    """
    try:
        import docx
    except ImportError:
        raise missing_library(raw.where, "python-docx", "documents") from None

    if raw.data.startswith(_OLD_OR_LOCKED):
        raise InputError(
            f"{raw.where}: expected a .docx file without a password, found an encrypted one or a "
            ".doc file"
        )
    try:
        body = docx.Document(_unpack_text(raw.data, raw.where)).element.body
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes readers of ZIP and XML raise many errors
        raise InputError(
            f"{raw.where}: expected a Word document (.docx), found a file that cannot be read as one "
            f"({one_line(error)})"
        ) from None

    # Word writes a text box a second time, as a fallback for programs that do not know the first way.
    paragraphs = []
    for element in body.iter("{*}p"):
        if next(element.iterancestors("{*}Fallback"), None) is not None:
            continue
        paragraph = "".join(_text_pieces(element)).strip()
        if paragraph:
            paragraphs.append(paragraph)
    text = "\n".join(paragraphs)
    check_length(raw.where, text)
    if not text:
        raise InputError(f"{raw.where}: expected a document with text, found none")

    warnings = []
    for tag, notes in _NOTES.items():
        if next(body.iter("{*}" + tag), None) is not None:
            warnings.append(f"the {notes} are not read")
    return Article(raw.doc_id, text, headline_of(text), tuple(warnings))


def _unpack_text(data: bytes, where: str) -> io.BytesIO:
    """Return the document as an unpacked archive, with pictures and the like emptied.

    An archive may state false sizes, so bytes are counted while they are unpacked; python-docx cannot meet more.

    Raises:
        InputError: for an archive with too many files or too much text.
    """
    copy = io.BytesIO()
    bytes_left = MAX_DOCUMENT
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(copy, "w") as plain:
        if len(packed.infolist()) > _MAX_FILES:
            raise InputError(
                f"{where}: expected a document of at most {_MAX_FILES:,} parts, found more"
            )
        for entry in packed.infolist():
            content = bytearray()
            if entry.filename.endswith((".xml", ".rels")):
                with packed.open(entry) as file:
                    while chunk := file.read(_CHUNK):
                        content += chunk
                        bytes_left -= len(chunk)
                        if bytes_left < 0:
                            raise InputError(
                                f"{where}: expected a document that unpacks to at most {MAX_DOCUMENT:,} "
                                "bytes of text, found more"
                            )
            plain.writestr(entry.filename, bytes(content))
    copy.seek(0)
    return copy


def _text_pieces(paragraph: Any) -> Iterator[str]:
    """Yield the text of a paragraph, without that of paragraphs within it (text boxes)."""
    for element in paragraph.iterchildren():
        name = str(element.tag).rpartition("}")[2]  # without its namespace, of which there are two
        if name in _PLAIN:
            yield _PLAIN[name] or element.text or ""
        elif name not in _SKIPPED:
            yield from _text_pieces(element)
