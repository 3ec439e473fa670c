"""Rewrite what trafilatura loses of a page: marks of inline quotations, entries of live blogs, items with headings."""

from collections.abc import Iterator, Sequence
from typing import Any

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_MARKS = (("“", "”"), ("‘", "’"))  # of quotations, and of those within them, as browsers show them
_ALL_MARKS = "“”„‟‘’‚‛\"'«»‹›"
_FEWEST_CHARACTERS = 40  # of the paragraphs of an entry
_MOST_IN_LINKS = 0.5  # of a teaser's text


def simplify(tree: Any) -> None:
    """Change a page (an lxml tree of HTML) in place, so that its article is found whole.

    - ``<q>`` becomes the quotation marks that a browser shows.
    - Entries of a live blog, each an ``<article>``, become sections of one.
    - Lists whose items have headings, or several paragraphs, become sections, too.
    """
    quotations = [(each, sum(1 for _ in each.iterancestors("q"))) for each in tree.iter("q")]
    for quotation, depth in quotations:
        _write_marks(quotation, _MARKS[depth % 2])
    for parent in {article.getparent() for article in tree.iter("article")} - {None}:
        entries = [child for child in parent.iterchildren("article") if _is_entry(child)]
        if len(entries) > 1 and not any(_has(entry, ("h1",)) for entry in entries):
            _join_entries(parent, entries)
    for items in list(tree.iter("ol", "ul")):
        if any(_is_section(item) for item in items.iterchildren("li")):
            for item in items.iterchildren("li"):
                item.tag = "section"
            items.tag = "div"


def _write_marks(quotation: Any, marks: tuple[str, str]) -> None:
    """Replace a ``<q>`` by its content between quotation marks, unless it has marks of its own."""
    content = quotation.text_content().strip()
    if content and not (content[0] in _ALL_MARKS and content[-1] in _ALL_MARKS):
        opening, closing = marks
        quotation.text = opening + (quotation.text or "").lstrip()
        if len(quotation):
            quotation[-1].tail = (quotation[-1].tail or "").rstrip() + closing
        else:
            quotation.text = quotation.text.rstrip() + closing
    quotation.tag = "span"


def _is_entry(article: Any) -> bool:
    """Return whether an ``<article>`` has text of its own, rather than lead to another page."""
    paragraphs = sum(len(text.strip()) for text in _texts(article, ("p",)))
    return paragraphs >= _FEWEST_CHARACTERS and not _is_teaser(article)


def _is_teaser(element: Any) -> bool:
    """Return whether an element's headings, or most of its text, are links to other pages."""
    links = [link for link in element.iter("a") if "#" not in link.get("href", "#")]
    if any(_has(link, _HEADINGS) or _is_within(link, _HEADINGS) for link in links):
        return True
    linked = sum(len(link.text_content().strip()) for link in links)
    return linked > _MOST_IN_LINKS * len(element.text_content().strip())


def _is_section(item: Any) -> bool:
    """Return whether the item of a list has a heading or several paragraphs, none of them a link to another page."""
    paragraphs = sum(1 for _ in item.iterchildren("p"))
    return (_has(item, _HEADINGS) or paragraphs > 1) and not _is_teaser(item)


def _join_entries(parent: Any, entries: Sequence[Any]) -> None:
    """Make sections of one article of entries with the same parent."""
    for entry in entries:
        entry.tag = "section"
    if parent.tag in ("div", "main", "section"):
        parent.tag = "article"
        return
    whole = parent.makeelement("article")
    parent.insert(parent.index(entries[0]), whole)
    for entry in entries:
        whole.append(entry)


def _has(element: Any, tags: Sequence[str]) -> bool:
    return next(element.iterdescendants(*tags), None) is not None


def _is_within(element: Any, tags: Sequence[str]) -> bool:
    return next(element.iterancestors(*tags), None) is not None


def _texts(element: Any, tags: Sequence[str]) -> Iterator[str]:
    for each in element.iterdescendants(*tags):
        yield each.text_content()
