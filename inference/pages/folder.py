"""Writers of pages: one file for one article, or a folder with a page per article and an index."""

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from claimstance.inference.pages.article_page import render_index, render_page
from claimstance.inference.pages.index import Index
from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.text import Writer, open_output
from claimstance.model.errors import ClaimstanceError, ConfigError

PAGE_SUFFIXES = (".html", ".htm")
INDEX_FILE = "index.html"
_LONGEST_NAME = 80
#: Names that Windows reserves, whatever their suffix, and the index's own.
_RESERVED = {
    "index",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def is_page(out: Path | None) -> bool:
    """Return whether ``out`` names one page rather than a folder."""
    return out is None or out.suffix.lower() in PAGE_SUFFIXES


@contextmanager
def open_pages(out: Path | None) -> Iterator[Writer]:
    """Open a writer of pages: to a file ending in ``.html``, to standard output (``None``), or to a folder.

    A file holds one article. A folder gets each page at once, and the index at the end if no error occurred.

    Raises:
        ConfigError: for a second article where ``out`` is one page.
        ClaimstanceError: if a file cannot be written.
    """
    if out is None or is_page(out):
        with open_output(out) as file:
            single = _SinglePage()
            yield single
            if single.page is not None:
                file.write(single.page)
        return
    if out.exists() and not out.is_dir():
        raise ClaimstanceError(f"{out}: expected a folder, or a name ending in .html, found a file")
    try:
        with closing(Index()) as index:
            yield _PageFolder(out, index)
            if index.articles:
                with open_output(out / INDEX_FILE) as file:
                    file.writelines(render_index(index.values()))
    except sqlite3.Error as error:
        raise ClaimstanceError(
            f"{out / INDEX_FILE}: the counts for this page cannot be stored: {error}"
        ) from None


class _SinglePage:
    """Hold one page back until the run ends, in case a second article follows."""

    def __init__(self) -> None:
        self.page: str | None = None

    def write(self, article: TaggedArticle) -> None:
        if self.page is not None:
            raise ConfigError(
                "--out: expected the name of a folder, since there are several articles"
            )
        self.page = render_page(article)


class _PageFolder:
    """Write each page at once, and count it for the index."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._folder = folder
        self._index = index
        self._names: set[str] = set()

    def write(self, article: TaggedArticle) -> None:
        name = file_name(article.doc_id, self._names)
        with open_output(self._folder / name) as file:
            file.write(render_page(article))
        self._index.add(article, name)


def link_pages(connection: sqlite3.Connection, folder: Path, base: Path) -> int:
    """Set ``page`` of the articles of a corpus that have a page in a folder which ``open_pages`` wrote.

    Args:
        connection: the database of the corpus.
        folder: the folder of the pages.
        base: the folder of the page with the links, which are relative to it.

    Returns:
        The number of articles with a page.
    """
    # Names are given again in the order of the articles, since equal ids are told apart by it.
    taken: set[str] = set()
    links = []
    for number, doc_id in connection.execute("SELECT number, doc_id FROM article ORDER BY number"):
        page = folder / file_name(doc_id, taken)
        if not page.is_file():
            continue
        try:
            link = quote(Path(os.path.relpath(page, base)).as_posix())
        except ValueError:  # on another drive of Windows
            link = page.resolve().as_uri()
        links.append((link, number))
    connection.executemany("UPDATE article SET page = ? WHERE number = ?", links)
    return len(links)


def file_name(doc_id: str, taken: set[str]) -> str:
    """Return a file name for an article's page that every file system accepts, and add it to ``taken``.

    An id of ASCII letters, digits, dots, dashes and underscores becomes the name. Other ids keep these
    characters, followed by eight digits of the id's sha256. The same ids in the same order give the same names.

    >>> file_name("a1", set()), file_name("a1", {"a1.html"})
    ('a1.html', 'a1-2.html')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", doc_id).strip("-.")[:_LONGEST_NAME]
    if not plain or plain != doc_id or plain.partition(".")[0].lower() in _RESERVED:
        plain = f"{plain or 'article'}-{hashlib.sha256(doc_id.encode()).hexdigest()[:8]}"
    # Windows reserves "con.anything", too, so that eight digits at the end do not help.
    if plain.partition(".")[0].lower() in _RESERVED:
        plain = f"page-{plain}"
    name, count = f"{plain}.html", 1
    # Some file systems do not tell upper from lower case.
    while name.lower() in taken:
        count += 1
        name = f"{plain}-{count}.html"
    taken.add(name.lower())
    return name
