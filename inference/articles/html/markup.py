"""Rewrite what trafilatura would lose: marks of inline quotations, entries of live blogs, items with headings."""

from collections.abc import Sequence
from typing import Any

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_MARKS = (("“", "”"), ("‘", "’"))  # of quotations, and of those within them, as browsers show them
_ALL_MARKS = "“”„‟‘’‚‛\"'«»‹›"
_MIN_ENTRY = 40  # characters in the paragraphs of an entry
_MAX_LINKED = 0.5  # of an element's text; a teaser links more


def simplify(tree: Any) -> None:
    """Change a page (an lxml tree of HTML) in place, so that trafilatura extracts the complete article.

    - ``<q>`` becomes the quotation marks that a browser shows.
    - Entries of a live blog, each an ``<article>``, become sections of one.
    - Lists whose items have headings, or several paragraphs, become sections, too.
    """
    # Depths are counted first, since a quotation that is rewritten is no ``<q>`` any more.
    quotations = [(q, len(list(q.iterancestors("q")))) for q in tree.iter("q")]
    for quotation, depth in quotations:
        content = quotation.text_content().strip()
        if content and not (content[0] in _ALL_MARKS and content[-1] in _ALL_MARKS):
            opening, closing = _MARKS[depth % 2]
            quotation.text = opening + (quotation.text or "").lstrip()
            if len(quotation):
                # In lxml, the text after the last child is that child's tail.
                quotation[-1].tail = (quotation[-1].tail or "").rstrip() + closing
            else:
                quotation.text = quotation.text.rstrip() + closing
        quotation.tag = "span"

    parents = {article.getparent() for article in tree.iter("article")} - {None}
    for parent in parents:
        entries = []
        for child in parent.iterchildren("article"):
            # An entry has text of its own, rather than lead to another page.
            paragraphs = [p.text_content().strip() for p in child.iterdescendants("p")]
            if sum(map(len, paragraphs)) >= _MIN_ENTRY and not _is_teaser(child):
                entries.append(child)
        has_title = any(_contains(entry, ("h1",)) for entry in entries)
        # Articles with titles of their own are no entries, and a single one is the article itself.
        if has_title or len(entries) < 2:
            continue
        for entry in entries:
            entry.tag = "section"
        if parent.tag in ("div", "main", "section"):
            parent.tag = "article"
        else:
            article = parent.makeelement("article")
            parent.insert(parent.index(entries[0]), article)
            article.extend(entries)  # lxml moves them there

    for list_element in list(tree.iter("ol", "ul")):
        items = list(list_element.iterchildren("li"))
        if any(_is_section(item) for item in items):
            for item in items:
                item.tag = "section"
            list_element.tag = "div"


def _is_teaser(element: Any) -> bool:
    """Return whether an element's headings, or most of its text, are links to other pages."""
    linked = 0
    for link in element.iter("a"):
        if "#" in link.get("href", "#"):  # a place in the same page
            continue
        is_in_heading = next(link.iterancestors(*_HEADINGS), None) is not None
        if is_in_heading or _contains(link, _HEADINGS):
            return True
        linked += len(link.text_content().strip())
    return linked > _MAX_LINKED * len(element.text_content().strip())


def _is_section(item: Any) -> bool:
    """Return whether the item of a list has a heading or several paragraphs, none of them a link to another page."""
    has_paragraphs = len(list(item.iterchildren("p"))) > 1
    if not has_paragraphs and not _contains(item, _HEADINGS):
        return False
    return not _is_teaser(item)


def _contains(element: Any, tags: Sequence[str]) -> bool:
    """Return whether an element has one of these within it."""
    return next(element.iterdescendants(*tags), None) is not None
