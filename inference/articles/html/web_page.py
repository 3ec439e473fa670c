"""Extract the article of a web page with trafilatura. Nothing is fetched, and no script runs.

The text is what trafilatura takes for the article: one paragraph per line, without menus, comments, captions and
tables. Spaces become plain ones and invisible controls go; quotes, dashes and all other characters stay. The date is
one that the page itself declares: where trafilatura would search the text for a date, it also takes the year of the
copyright line.
"""

from typing import Any

from claimstance.inference.articles.article import (
    Article,
    RawFile,
    check_length,
    headline_of,
    missing_library,
    mute_logging,
    one_line,
)
from claimstance.inference.articles.html.encodings import decode
from claimstance.inference.articles.html.markup import simplify
from claimstance.model.errors import InputError

#: Beyond these a page is no article, and extraction, which is partly quadratic, would take minutes.
_MAX_ELEMENTS = 100_000
_MAX_ATTRIBUTES = 1_000  # of an element
_MAX_RUN = 1_000_000  # characters without a tag between them
_CODE = ("script", "style")  # which may be of any length: pages hold whole applications
_SHORT = 1_000  # characters; a shorter text may be a menu or a notice rather than an article


def parse(raw: RawFile) -> Article:
    """Return the article of a page with title, and date, outlet and url in ``meta``, ``None`` if the page lacks it.

    Raises:
        InputError: if the page has no article, is not HTML or too large, or without trafilatura.
    """
    try:
        import trafilatura  # noqa: F401
    except ImportError:
        raise missing_library(raw.where, "trafilatura", "html") from None
    mute_logging("trafilatura", "htmldate")
    warnings: list[str] = []
    page = decode(raw.data, raw.where, raw.charset, warnings.append)
    document = _extract(page, raw, precise=False)
    # The precise extraction takes no menu for the article, but it does take tables into the text, which in old pages
    # hold the article itself: so it confirms a short text, and does not replace it.
    is_short = document is not None and len(document.text) < _SHORT
    if is_short and _extract(page, raw, precise=True) is None:
        document = None
    if document is None:
        raise InputError(
            f"{raw.where}: expected a page with an article, found none (a page of links, or one that a "
            "script would fill?)"
        )

    check_length(raw.where, document.text)
    meta = {
        "date": document.date,
        "outlet": document.sitename or document.hostname,
        "url": document.url or raw.url,
    }
    title = document.title or headline_of(document.text)
    return Article(raw.doc_id, document.text, title, tuple(warnings), meta)


def _extract(page: str, raw: RawFile, precise: bool) -> Any:
    """Return trafilatura's ``Document``, or ``None`` if it has no text."""
    from trafilatura import bare_extraction, load_html

    try:
        tree = load_html(page)
        if tree is None:
            return None
        _check_size(tree, raw.where)
        simplify(tree)
        document: Any = bare_extraction(
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
    if document is None or not document.text or not document.text.strip():
        return None
    return document


def _check_size(tree: Any, where: str) -> None:
    """Raise ``InputError`` for a page larger than any article's."""

    def check(size: int, maximum: int, unit: str) -> None:
        if size > maximum:
            raise InputError(
                f"{where}: expected a page with at most {maximum:,} {unit}, found more"
            )

    for number, element in enumerate(tree.iter(), 1):
        check(number, _MAX_ELEMENTS, "elements")
        check(len(element.attrib), _MAX_ATTRIBUTES, "attributes of an element")
        if element.tag not in _CODE:
            check(len(element.text or ""), _MAX_RUN, "characters in a row")
        check(len(element.tail or ""), _MAX_RUN, "characters in a row")
