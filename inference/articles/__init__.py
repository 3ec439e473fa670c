"""Read articles: each format is a module, and a line here makes it known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from claimstance.inference.articles import (
    delimited,
    json_lines,
    parquet,
    pdf,
    plain_text,
    word,
)
from claimstance.inference.articles.article import MAX_DOCUMENT, MAX_TEXT, Article, RawFile
from claimstance.inference.articles.corpus import ReadCorpus
from claimstance.inference.articles.html import web_page
from claimstance.inference.articles.isolation import LIMITS, Limits, parse_in_process


@dataclass(frozen=True)
class DocumentFormat:
    """Represent a format of files that hold one article each.

    Attributes:
        parse: the function that turns raw bytes into the article; raises ``InputError``.
        max_bytes: the largest file of the format that is read.
        media_types: the format's names in the header ``Content-Type``.
        is_simple: whether parsing takes time and memory in proportion to the size, whatever a file holds.
    """

    parse: Callable[[RawFile], Article]
    max_bytes: int
    media_types: tuple[str, ...]
    is_simple: bool = False

    def read(self, raw: RawFile, limits: Limits = LIMITS) -> Article:
        """Return the article of a document, parsed within limits of time and memory.

        Raises:
            InputError: if the file is not of this format, or exceeds a limit (``TimeLimitError`` for time).
        """
        if self.is_simple:
            return self.parse(raw)  # cannot exceed a limit: saves starting a process
        return parse_in_process(self.parse, raw, limits)


_PAGE = DocumentFormat(web_page.parse, MAX_TEXT, ("text/html", "application/xhtml+xml"))
DOCUMENTS = {
    ".txt": DocumentFormat(plain_text.parse, MAX_TEXT, ("text/plain",), is_simple=True),
    ".html": _PAGE,
    ".htm": _PAGE,
    ".pdf": DocumentFormat(pdf.parse, MAX_DOCUMENT, ("application/pdf",)),
    ".docx": DocumentFormat(
        word.parse,
        MAX_DOCUMENT,
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    ),
}
CORPORA: dict[str, ReadCorpus] = {
    ".jsonl": json_lines.read,
    ".csv": partial(delimited.read, delimiter=","),
    ".tsv": partial(delimited.read, delimiter="\t"),
    ".parquet": parquet.read,
}
SUFFIXES = (*DOCUMENTS, *CORPORA)
