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
from claimstance.inference.articles.article import MOST_DOCUMENT, MOST_TEXT, Article, Raw
from claimstance.inference.articles.corpus import ReadCorpus
from claimstance.inference.articles.html import web_page
from claimstance.inference.articles.isolation import LIMITS, Limits, parse_in_process


@dataclass(frozen=True)
class Document:
    """A format of files that hold one article each.

    Attributes:
        parse: from what was read to the article; raises ``InputError``.
        most: bytes of a file.
        sent_as: what web servers call it.
        is_simple: whether parsing takes time and memory in proportion to the size, whatever a file holds.
    """

    parse: Callable[[Raw], Article]
    most: int
    sent_as: tuple[str, ...]
    is_simple: bool = False

    def read(self, raw: Raw, limits: Limits = LIMITS) -> Article:
        """Return the article of a document, parsed within limits of time and memory.

        Raises:
            InputError: if it is none, or takes more (``TimeLimitError`` for time).
        """
        return self.parse(raw) if self.is_simple else parse_in_process(self.parse, raw, limits)


_PAGE = Document(web_page.parse, MOST_TEXT, ("text/html", "application/xhtml+xml"))
DOCUMENTS = {
    ".txt": Document(plain_text.parse, MOST_TEXT, ("text/plain",), is_simple=True),
    ".html": _PAGE,
    ".htm": _PAGE,
    ".pdf": Document(pdf.parse, MOST_DOCUMENT, ("application/pdf",)),
    ".docx": Document(
        word.parse,
        MOST_DOCUMENT,
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
