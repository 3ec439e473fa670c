"""Reading articles: a file a format, and here a line that makes it known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from claimstance.inference.articles import (
    delimited,
    json_lines,
    parquet,
    pdf,
    plain_text,
    web_page,
    word,
)
from claimstance.inference.articles.article import MOST_DOCUMENT, MOST_TEXT, Article, Raw
from claimstance.inference.articles.corpus import ReadCorpus


@dataclass(frozen=True)
class Document:
    """A format of files that hold one article each.

    Attributes:
        parse: from what was read to the article; raises ``InputError``.
        most: bytes of a file.
        sent_as: what web servers call it.
    """

    parse: Callable[[Raw], Article]
    most: int
    sent_as: tuple[str, ...]


_PAGE = Document(web_page.parse, MOST_TEXT, ("text/html", "application/xhtml+xml"))
DOCUMENTS = {
    ".txt": Document(plain_text.parse, MOST_TEXT, ("text/plain",)),
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
