"""The article in a web page, found by trafilatura. Nothing is fetched, and no script runs.

Text is what trafilatura takes for the article: a paragraph a line, without menus, comments, captions and tables. Spaces
become plain ones and invisible controls go; quotes, dashes and all other characters stay. The date is one that the page
itself declares: where trafilatura would search the text for one, it takes the year of the copyright line, too.
"""

from collections.abc import Iterator
from typing import Any

from claimstance.inference.articles.article import (
    Article,
    Raw,
    check_length,
    missing_library,
    mute_logging,
    one_line,
    title_of,
)
from claimstance.inference.articles.html.encodings import decode
from claimstance.inference.articles.html.markup import simplify
from claimstance.model.errors import InputError

#: Beyond these a page is no article, and extraction, which is partly quadratic, would take minutes.
_MOST_ELEMENTS = 100_000
_MOST_ATTRIBUTES = 1_000
_LONGEST_RUN = 1_000_000  # characters without a tag between them
_NO_TEXT = ("script", "style")  # which may be of any length: whole applications lie in pages
_SHORT = 1_000  # characters; what is shorter may be a menu or a notice that was taken for want of an article


def parse(raw: Raw) -> Article:
    """The article of a page with title, and date, outlet and url in ``meta``, each ``None`` if it is not known.

    Raises:
        InputError: if the page has no article, is no HTML or larger than any page is, or without trafilatura.
    """
    try:
        import trafilatura  # noqa: F401
    except ImportError:
        raise missing_library(raw.where, "trafilatura", "html") from None
    mute_logging("trafilatura", "htmldate")
    warnings: list[str] = []
    page = decode(raw.data, raw.where, raw.charset, warnings.append)
    found = _extract(page, raw, precise=False)
    # Precise, it takes no menu for an article, but tables into it, which in old pages hold the article itself.
    if found is not None and len(found.text) < _SHORT and _extract(page, raw, precise=True) is None:
        found = None
    if found is None:
        raise InputError(
            f"{raw.where}: expected a page with an article, found none (a page of links, or one that a "
            "script would fill?)"
        )
    text = found.text
    check_length(raw.where, text)
    meta = {
        "date": found.date,
        "outlet": found.sitename or found.hostname,
        "url": found.url or raw.url,
    }
    return Article(raw.doc_id, text, found.title or title_of(text), tuple(warnings), meta)


def _extract(page: str, raw: Raw, precise: bool) -> Any:
    """Return trafilatura's ``Document``, or ``None`` if it has no text."""
    from trafilatura import bare_extraction, load_html

    try:
        tree = load_html(page)
        if tree is None:
            return None
        _check_size(tree, raw.where)
        simplify(tree)
        found: Any = bare_extraction(
            tree,
            url=raw.url,
            favor_precision=precise,
            include_comments=False,
            include_tables=precise,
            with_metadata=True,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except (InputError, MemoryError):
        raise
    except Exception as error:  # broken markup can make its parsers raise errors of many kinds
        raise InputError(
            f"{raw.where}: expected a web page, found one that cannot be read ({one_line(error)})"
        ) from None
    return found if found is not None and found.text and found.text.strip() else None


def _check_size(tree: Any, where: str) -> None:
    for number, element in enumerate(tree.iter(), 1):
        for what, size, most in _sizes(number, element):
            if size > most:
                raise InputError(
                    f"{where}: expected a page with at most {most:,} {what}, found more"
                )


def _sizes(number: int, element: Any) -> Iterator[tuple[str, int, int]]:
    yield "elements", number, _MOST_ELEMENTS
    yield "attributes of an element", len(element.attrib), _MOST_ATTRIBUTES
    inside = "" if element.tag in _NO_TEXT else element.text or ""
    yield "characters in a row", max(len(inside), len(element.tail or "")), _LONGEST_RUN
