"""The text of a PDF. A PDF has letters at places on pages; lines, words and paragraphs are guessed from that."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from claimstance.inference.articles.article import (
    MOST_TEXT,
    Article,
    Raw,
    check_length,
    missing,
    silence,
    title_of,
    told,
)
from claimstance.model.errors import InputError

_MOST_PAGES = 2_000
_MOST_EDGES = 3  # lines of a running head or foot
_ENDS = re.compile(r"[.!?:…][”’\"')\]»]*$")
_BROKEN_WORD = re.compile(r"(\w+)[-\u00ad\u2010]$")
#: Letters that fonts have in one, of which no dictionary knows.
_LIGATURES = {ord(one): unicodedata.normalize("NFKC", one) for one in "ﬀﬁﬂﬃﬄﬅﬆ"}
_SHORT_LINE = 0.75  # of the usual length: what ends a paragraph if it ends a sentence too
_GUESSED = (
    "paragraphs, and words broken at line ends, were put together by guessing; headers, captions and columns "
    "of the pages may stand between"
)


def parse(raw: Raw) -> Article:
    """The text of all pages, a paragraph a line, with a warning of what was guessed.

    Raises:
        InputError: for a PDF that is locked, damaged or too large, or has no text (a scan); without pypdf.
    """
    try:
        import pypdf
    except ImportError:
        raise missing(raw.where, "pypdf", "documents") from None
    silence("pypdf")
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw.data))
        locked = reader.is_encrypted and not reader.decrypt("")  # many are locked with no password
        pages = [] if locked else list(_pages(reader, raw.where))
    except (InputError, MemoryError):
        raise
    except pypdf.errors.DependencyError:
        locked = True
    except RecursionError:
        raise InputError(
            f"{raw.where}: expected a PDF, found one that is nested too deep"
        ) from None
    except Exception as error:  # a damaged file makes its parser raise errors of many kinds
        raise InputError(
            f"{raw.where}: expected a PDF, found a file that cannot be read as one ({told(error)})"
        ) from None
    if locked:
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
    return Article(raw.doc_id, text, title_of(text), tuple(_warnings(pages)))


def _pages(reader: Any, where: str) -> Iterator[str]:
    """The text of each page.

    Raises:
        InputError: for more pages or characters than any article has.
    """
    if len(reader.pages) > _MOST_PAGES:
        raise InputError(
            f"{where}: expected at most {_MOST_PAGES:,} pages, found {len(reader.pages):,}"
        )
    length = 0
    for page in reader.pages:
        text = (
            page.extract_text().encode("utf-8", "replace").decode()
        )  # fonts may map to half a surrogate pair
        length += len(text)
        if length > MOST_TEXT:
            raise InputError(
                f"{where}: expected a PDF of at most {MOST_TEXT:,} characters, found a larger one"
            )
        yield text


def _warnings(pages: Sequence[str]) -> Iterator[str]:
    yield _GUESSED
    if empty := [str(number) for number, page in enumerate(pages, 1) if not page.strip()]:
        yield f"no text on {len(empty)} of {len(pages)} pages (scanned, or pictures alone): {', '.join(empty[:10])}"


def join_pages(pages: Sequence[str]) -> str:
    r"""The lines of pages as paragraphs, one a line, without what stands at the edge of most pages.

    >>> join_pages(["The levy is theft, she said on Wed-\nnesday.\nHe left, and took the well-known boat with him."])
    'The levy is theft, she said on Wednesday.\nHe left, and took the well-known boat with him.'
    """
    sheets = [_lines(page) for page in pages]
    for _ in range(_MOST_EDGES):
        sheets = _without_edges(sheets)
    lines = [line for sheet in sheets for line in sheet]
    full = sorted(map(len, lines))[int(0.9 * len(lines))] if lines else 0
    known = set(re.findall(r"\w+-\w+", " ".join(lines)))
    paragraphs: list[str] = []
    before = ""
    for line in lines:
        if not line or not before or _is_last(before, line, full):
            paragraphs.append(line)
        else:
            paragraphs[-1] = _joined(paragraphs[-1], line, known)
        before = line
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)


def _is_last(line: str, following: str, full: int) -> bool:
    """Return true if a line ends its paragraph: it is short, and ends a sentence or is none (a title, a number)."""
    short = len(line) < _SHORT_LINE * full
    return short and bool(
        _ENDS.search(line) or (following[0].isupper() and line[-1] not in ",;-–—")
    )


def _joined(text: str, line: str, known: set[str]) -> str:
    broken, rest = _BROKEN_WORD.search(text), re.match(r"\w+", line)
    if broken is None or rest is None or not line[0].islower():
        return f"{text} {line}"
    return (text if f"{broken[1]}-{rest[0]}" in known else text[:-1]) + line


def _lines(page: str) -> list[str]:
    """The lines of a page, empty ones between them included: they part paragraphs, a page's end does not."""
    return (
        "\n".join(" ".join(line.translate(_LIGATURES).split()) for line in page.splitlines())
        .strip("\n")
        .split("\n")
    )


def _without_edges(sheets: Sequence[list[str]]) -> list[list[str]]:
    """The pages' lines without the first and the last that more than half of several pages share, but for numbers."""
    counts = Counter(edge for lines in sheets for edge in {_edge(lines[0]), _edge(lines[-1])})
    shared = {edge for edge, count in counts.items() if edge and count > max(1, len(sheets) / 2)}
    return [_cut(lines, shared) for lines in sheets]


def _cut(lines: list[str], edges: set[str]) -> list[str]:
    if len(lines) > 1 and _edge(lines[0]) in edges:
        lines = lines[1:]
    if len(lines) > 1 and _edge(lines[-1]) in edges:
        lines = lines[:-1]
    return "\n".join(lines).strip("\n").split("\n")


def _edge(line: str) -> str:
    return re.sub(r"\d+", "#", line)
