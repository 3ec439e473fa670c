"""Writing pages: one for one article; for several a folder of them, and ``index.html``, which leads to each."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from claimstance.inference.pages.article_page import render_index, render_page
from claimstance.inference.pages.index import Index
from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.text import Writer, open_output
from claimstance.model.errors import ClaimstanceError, ConfigError

PAGE_SUFFIXES = (".html", ".htm")
INDEX_FILE = "index.html"
_LONGEST_NAME = 80
#: Names that Windows keeps to itself, whatever their suffix, and the index's own.
_RESERVED = {
    "index",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def is_page(out: Path | None) -> bool:
    """Whether ``out`` is to be one page, rather than a folder of them."""
    return out is None or out.suffix.lower() in PAGE_SUFFIXES


@contextmanager
def open_pages(out: Path | None) -> Iterator[Writer]:
    """Where pages are written to: a file ending in ``.html``, standard output (``None``), or a folder.

    A file holds one article. A folder gets a page for each, at once, and the index at the end, if all went well.

    Raises:
        ConfigError: for a second article where only one has room.
        ClaimstanceError: if something cannot be written.
    """
    if out is None or is_page(out):
        with open_output(out) as file:
            single = _Single()
            yield single
            if single.page is not None:
                file.write(single.page)
        return
    if out.exists() and not out.is_dir():
        raise ClaimstanceError(f"{out}: expected a folder, or a name ending in .html, found a file")
    try:
        with closing(Index()) as index:
            yield _Folder(out, index)
            if index.articles:
                with open_output(out / INDEX_FILE) as file:
                    file.writelines(render_index(index.shown()))
    except sqlite3.Error as error:
        raise ClaimstanceError(
            f"{out / INDEX_FILE}: what it is to say cannot be kept: {error}"
        ) from None


class _Single:
    """Keeps one page until it is known that there is no other."""

    def __init__(self) -> None:
        self.page: str | None = None

    def write(self, article: TaggedArticle) -> None:
        if self.page is not None:
            raise ConfigError(
                "--out: expected the name of a folder, since there are several articles"
            )
        self.page = render_page(article)


class _Folder:
    def __init__(self, folder: Path, index: Index) -> None:
        self._folder = folder
        self._index = index
        self._names: set[str] = set()

    def write(self, article: TaggedArticle) -> None:
        name = file_name(article.doc_id, self._names)
        with open_output(self._folder / name) as file:
            file.write(render_page(article))
        self._index.add(article, name)


def file_name(doc_id: str, taken: set[str]) -> str:
    """A name for the page of an article that any file system takes, and that no other has; it is added to ``taken``.

    An id of plain letters, digits, dots, dashes and underscores is the name. Of another one, what is plain, and eight
    digits of its sha256. The same ids in the same order have the same names.

    >>> file_name("a1", set()), file_name("a1", {"a1.html"})
    ('a1.html', 'a1-2.html')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", doc_id).strip("-.")[:_LONGEST_NAME]
    if not plain or plain != doc_id or plain.partition(".")[0].lower() in _RESERVED:
        plain = f"{plain or 'article'}-{hashlib.sha256(doc_id.encode()).hexdigest()[:8]}"
    if plain.partition(".")[0].lower() in _RESERVED:
        plain = f"page-{plain}"
    name, count = f"{plain}.html", 1
    while name.lower() in taken:
        count += 1
        name = f"{plain}-{count}.html"
    taken.add(name.lower())
    return name
