"""Plain text in UTF-8."""

import codecs

from claimstance.inference.articles.article import Article, RawFile, headline_of
from claimstance.inference.articles.wrapping import unwrap
from claimstance.model.errors import InputError


def parse(raw: RawFile) -> Article:
    """Return the article unchanged, line ends included, unless it was wrapped at a column; see ``unwrap``.

    The first line is the title if it looks like one.

    Raises:
        InputError: naming the line that is not UTF-8.
    """
    data, where = raw.data, raw.where
    # Both would decode as something: a clear error is worth more than a page of control characters.
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{where}: expected UTF-8 text, found UTF-16")
    if b"\0" in data:
        raise InputError(f"{where}: expected UTF-8 text, found a binary file (a NUL byte)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{where}, line {line}: expected UTF-8 text, found {error.reason}"
        ) from None
    text = unwrap(text)
    return Article(raw.doc_id, text, headline_of(text))
