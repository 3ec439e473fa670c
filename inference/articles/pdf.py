"""PDF files, which place letters on pages: lines, words and paragraphs are guessed from the positions."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from claimstance.inference.articles.article import (
    MAX_TEXT,
    Article,
    RawFile,
    check_length,
    headline_of,
    missing_library,
    mute_logging,
    one_line,
)
from claimstance.model.errors import InputError

_MAX_PAGES = 2_000
_MAX_EDGE_LINES = 3  # of a running head or foot
_SHOWN_PAGES = 10  # of those without text, in a warning
_SENTENCE_END = re.compile(r"[.!?:…][”’\"')\]»]*$")
_BROKEN_WORD = re.compile(r"(\w+)[-\u00ad\u2010]$")
#: Ligatures that fonts have as one character, and that no dictionary has.
_LIGATURES = {ord(letter): unicodedata.normalize("NFKC", letter) for letter in "ﬀﬁﬂﬃﬄﬅﬆ"}
_FULL_LENGTH_QUANTILE = 0.9  # of the lengths of lines: that of a line within a paragraph
_SHORT_LINE = 0.75  # of a full line: a shorter line ends its paragraph if it ends a sentence, too
_WARNING = (
    "paragraphs, and words broken at line ends, were put together by guessing; headers, captions and columns "
    "of the pages may stand between"
)


def parse(raw: RawFile) -> Article:
    """Return the text of all pages, one paragraph per line, with a warning of what was guessed.

    Raises:
        InputError: for a PDF that is locked, damaged or too large, or has no text (a scan); without pypdf.
    """
    try:
        import pypdf
    except ImportError:
        raise missing_library(raw.where, "pypdf", "documents") from None
    mute_logging("pypdf")
    pages: list[str] = []
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw.data))
        # Many files are encrypted with an empty password.
        is_locked = reader.is_encrypted and not reader.decrypt("")
        if not is_locked:
            pages = _extract_pages(reader, raw.where)
    except (InputError, MemoryError):
        raise
    except pypdf.errors.DependencyError:  # an encryption that pypdf alone cannot undo
        is_locked = True
    except RecursionError:
        raise InputError(
            f"{raw.where}: expected a PDF, found one that is nested too deep"
        ) from None
    except Exception as error:  # a damaged file makes its parser raise errors of many kinds
        raise InputError(
            f"{raw.where}: expected a PDF, found a file that cannot be read as one ({one_line(error)})"
        ) from None

    if is_locked:
        raise InputError(
            f"{raw.where}: expected a PDF that can be read without a password, found an encrypted one"
        )
    text = join_pages(pages)
    if not text:
        raise InputError(
            f"{raw.where}: expected a PDF with text, found {len(pages)} pages without any (scanned pages "
            "need text recognition first)"
        )

    check_length(raw.where, text)
    warnings = [_WARNING]
    empty = [str(number) for number, page in enumerate(pages, 1) if not page.strip()]
    if empty:
        numbers = ", ".join(empty[:_SHOWN_PAGES])
        warnings.append(
            f"no text on {len(empty)} of {len(pages)} pages (scanned, or pictures alone): {numbers}"
        )
    return Article(raw.doc_id, text, headline_of(text), tuple(warnings))


def _extract_pages(reader: Any, where: str) -> list[str]:
    """Return the text of each page of a ``pypdf.PdfReader``.

    Raises:
        InputError: for more pages or characters than any article has.
    """
    if len(reader.pages) > _MAX_PAGES:
        raise InputError(
            f"{where}: expected at most {_MAX_PAGES:,} pages, found {len(reader.pages):,}"
        )
    pages = []
    length = 0
    for page in reader.pages:
        # Fonts may map letters to half of a surrogate pair, which becomes "?".
        text = page.extract_text().encode("utf-8", "replace").decode()
        length += len(text)
        if length > MAX_TEXT:
            raise InputError(
                f"{where}: expected a PDF of at most {MAX_TEXT:,} characters, found a larger one"
            )
        pages.append(text)
    return pages


def join_pages(pages: Sequence[str]) -> str:
    r"""Return the lines of pages as paragraphs, one per line, without running heads and feet.

    >>> join_pages(["The levy is theft, she said on Wed-\nnesday.\nHe left, and took the well-known boat with him."])
    'The levy is theft, she said on Wednesday.\nHe left, and took the well-known boat with him.'
    """
    page_lines = []
    for page in pages:
        lines = [" ".join(line.translate(_LIGATURES).split()) for line in page.splitlines()]
        page_lines.append(_strip_blank_lines(lines))
    for _ in range(_MAX_EDGE_LINES):
        page_lines = _without_shared_edges(page_lines)

    # The end of a page does not end a paragraph, but an empty line does.
    lines = list(chain.from_iterable(page_lines))
    full_length = 0
    if lines:
        lengths = sorted(map(len, lines))
        full_length = lengths[int(_FULL_LENGTH_QUANTILE * len(lines))]
    compounds = set(re.findall(r"\w+-\w+", " ".join(lines)))

    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        begins_paragraph = True
        if line and previous:
            # A short line ends its paragraph if a sentence ends there, or if it is a title or a number.
            is_short = len(previous) < _SHORT_LINE * full_length
            begins_anew = line[0].isupper() and previous[-1] not in ",;-–—"
            begins_paragraph = is_short and (begins_anew or bool(_SENTENCE_END.search(previous)))
        previous = line
        if begins_paragraph:
            paragraphs.append(line)
            continue

        text = paragraphs[-1]
        word_start, word_end = _BROKEN_WORD.search(text), re.match(r"\w+", line)
        if word_start is None or word_end is None or not line[0].islower():
            paragraphs[-1] = f"{text} {line}"
        # A hyphen at the end of a line stays if the PDF has that compound elsewhere.
        elif f"{word_start[1]}-{word_end[0]}" in compounds:
            paragraphs[-1] = text + line
        else:
            paragraphs[-1] = text[:-1] + line
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)


def _without_shared_edges(page_lines: Sequence[list[str]]) -> list[list[str]]:
    """Remove the first and last lines that more than half of several pages share, apart from numbers in them."""

    def pattern(line: str) -> str:
        return re.sub(r"\d+", "#", line)

    counts = Counter[str]()
    for lines in page_lines:
        counts.update({pattern(lines[0]), pattern(lines[-1])})
    min_pages = max(1, len(page_lines) / 2)
    shared = {edge for edge, count in counts.items() if edge and count > min_pages}
    shortened = []
    for lines in page_lines:
        if len(lines) > 1 and pattern(lines[0]) in shared:
            lines = lines[1:]
        if len(lines) > 1 and pattern(lines[-1]) in shared:
            lines = lines[:-1]
        shortened.append(_strip_blank_lines(lines))
    return shortened


def _strip_blank_lines(lines: Sequence[str]) -> list[str]:
    """Return lines without empty ones at either end; at least one line."""
    return "\n".join(lines).strip("\n").split("\n")
