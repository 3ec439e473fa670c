"""Decode web pages as browsers do, without guessing the encoding from letters."""

import codecs
import re
from collections.abc import Callable

from claimstance.model.errors import InputError

_HEAD = 4096  # bytes in which a page has to declare its encoding; browsers look at 1024
_DECLARED = re.compile(
    rb"""<(?:meta\b[^>]{0,500}?\bcharset|\?xml\b[^>]{0,200}?\bencoding)\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
#: The first bytes of gzip, ZIP, Zstandard and PDF files.
_BINARY_SIGNATURES = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"%PDF-")
#: Encodings of pages, by Python's names. Codecs that unpack or interpret escapes must not be among them.
_ALLOWED = {
    "utf-8",
    "cp866",
    "koi8-r",
    "koi8-u",
    "mac-roman",
    "mac-cyrillic",
    "gbk",
    "gb18030",
    "big5",
    "euc_jp",
    "shift_jis",
    "iso2022_jp",
    "euc_kr",
    *(f"cp{n}" for n in (874, 949, *range(1250, 1259))),
    *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
}
#: Encodings that browsers read as a larger one, since pages name the smaller one by mistake.
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gbk",
    "euc_kr": "cp949",
    "tis-620": "cp874",
}


def decode(data: bytes, where: str, sent_as: str | None, warn: Callable[[str], None]) -> str:
    """Return the text of a page: by its byte order mark, as UTF-8 if it is that, else by its declared encoding.

    Text without any of these is read as Windows-1252; bytes that its encoding does not have become U+FFFD. Either
    gives a warning.

    Args:
        data: the bytes of the page.
        where: the page, for errors.
        sent_as: the encoding that the server named, which precedes the one that the page declares.
        warn: called with each warning.

    Raises:
        InputError: for packed and binary files.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_with_replacement(data, "utf-16", warn)
    if data.startswith(_BINARY_SIGNATURES) or b"\0" in data:
        raise InputError(f"{where}: expected a web page, found a binary or packed file")
    encoding = _python_encoding(sent_as)
    if encoding is None:
        declaration = _DECLARED.search(data[:_HEAD])
        if declaration:
            encoding = _python_encoding(declaration[1].decode("ascii", "replace"))
    # ISO-2022-JP is ASCII with escapes, so that it is valid UTF-8; text in others hardly ever is.
    if encoding != "iso2022_jp":
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    if encoding is None:
        warn("the page names no encoding and is not UTF-8: read as Windows-1252")
    return _decode_with_replacement(data, encoding or "cp1252", warn)


def _decode_with_replacement(data: bytes, encoding: str, warn: Callable[[str], None]) -> str:
    """Return the text, with a warning if bytes were replaced."""
    text = data.decode(encoding, "replace")
    replaced = text.count("\ufffd")
    if replaced:
        warn(f"{replaced} characters that are not {encoding} became U+FFFD")
    return text


def _python_encoding(label: str | None) -> str | None:
    """Return Python's name of an encoding that pages may be in, or ``None`` for another label."""
    try:
        name = codecs.lookup(label.removeprefix("x-") if label else "").name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in _ALLOWED else None
