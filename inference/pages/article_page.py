"""A tagged article as a page: one HTML file without dependencies, with the results marked in the text.

``claimstance.model.pages.engine`` explains how values are escaped and why the page loads nothing. The
same article gives the same bytes.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from claimstance.inference.pages.article_rows import AttributionRow
from claimstance.inference.pages.article_view import (
    FIRST_SENTENCES,
    TIMELINE_ROWS,
    article_view,
    sentence_scores,
)
from claimstance.inference.pages.prose import CLAIM_LEVELS, percent
from claimstance.inference.pages.stance_matrix import NO_NAME
from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import shorten
from claimstance.model.pages.engine import THEME, Pages

#: (role, sample, meaning), for the key beside the text.
_ROLES = (
    ("source", "source", "who says it"),
    ("cue", "cue", "the word that reports it"),
    ("content", "content", "what is said"),
)


def render_page(article: TaggedArticle, back: str | None = None) -> str:
    """Return the page of one article as HTML.

    Args:
        article: the article.
        back: address of a form for another article, if there is one.
    """
    values = {
        "back": back,
        "page": article_view(article),
        "roles": _ROLES,
        "levels": CLAIM_LEVELS,
        "none_named": NO_NAME,
        "timeline_rows": TIMELINE_ROWS,
        "first_sentences": FIRST_SENTENCES,
    }
    return "".join(_PAGES.render("article.html", values, (THEME, "page.js")))


def render_index(values: dict[str, Any]) -> Iterator[str]:
    """Yield the pieces of the page that lists many articles; ``values`` come from ``Index.values``."""
    return _PAGES.render("index.html", values)


def render_form(values: dict[str, Any]) -> str:
    """Return the page on which users paste an article; ``values`` come from ``serving.form``."""
    return "".join(_FORMS.render("ask.html", values, (THEME, "ask.js")))


def _summary(row: AttributionRow) -> str:
    """Return cue and content of an attribution as one short line."""
    spans = [row.attribution.cue, row.attribution.content]
    text = " ".join(span.text for span in spans if span)
    return shorten(" ".join(text.split()), 120)


_PAGES = Pages(
    "claimstance.inference.pages",
    ("page.css", "matrix.css"),
    {"percent": percent, "scores": sentence_scores, "summary": _summary},
)
_FORMS = replace(_PAGES, styles=(*_PAGES.styles, "ask.css"), forms="'self'")
