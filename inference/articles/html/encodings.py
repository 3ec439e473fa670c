"""The encoding of a web page, told as browsers tell it, without guessing from its letters."""

import codecs
import re
from collections.abc import Callable

from claimstance.model.errors import InputError

_HEAD = 4096  # bytes in which a page has to declare its encoding; browsers look at 1024
_DECLARED = re.compile(
    rb"""<(?:meta\b[^>]{0,500}?\bcharset|\?xml\b[^>]{0,200}?\bencoding)\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
#: What pages may be in, by Python's names. Codecs that unpack or run through escapes are none of them.
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
#: Names that mean more than they say, as browsers have it.
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
    """The text of a page: by its byte order mark, as UTF-8 if it is that, by ``sent_as`` or what the page declares.

    Text that is none of these is read as Windows-1252, and what its encoding cannot hold becomes U+FFFD; ``warn`` is
    told of both.

    Raises:
        InputError: for what is packed or no text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(data, "utf-16", warn)
    if (
        data.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"%PDF-"))
        or b"\0" in data
    ):
        raise InputError(f"{where}: expected a web page, found a binary or packed file")
    declared = _known(sent_as) or _known(_declaration(data))
    if declared != "iso2022_jp":  # which looks like ASCII
        try:
            return data.decode(
                "utf-8-sig"
            )  # letters of other encodings are hardly ever valid UTF-8
        except UnicodeDecodeError:
            pass
    if declared is None:
        warn("the page names no encoding and is not UTF-8: read as Windows-1252")
    return _decoded(data, declared or "cp1252", warn)


def _decoded(data: bytes, encoding: str, warn: Callable[[str], None]) -> str:
    text = data.decode(encoding, "replace")
    if lost := text.count("\ufffd"):
        warn(f"{lost} characters that are not {encoding} became U+FFFD")
    return text


def _declaration(data: bytes) -> str | None:
    found = _DECLARED.search(data[:_HEAD])
    return found.group(1).decode("ascii", "replace") if found else None


def _known(label: str | None) -> str | None:
    """Python's name of an encoding that pages may be in; ``None`` for others."""
    try:
        name = codecs.lookup(label.removeprefix("x-") if label else "").name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if name in _ALLOWED else None
