"""A tagged article as a page to read: one HTML file that needs nothing else, with what was read marked in the text.

How text stays text, and why nothing is loaded: ``claimstance.model.pages.engine``. The same article gives the same
bytes.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from claimstance.inference.pages.article_view import (
    CLAIM_LEVELS,
    FIRST_SENTENCES,
    TIMELINE_ROWS,
    Said,
    facts,
    page_parts,
)
from claimstance.inference.pages.stance_matrix import NO_NAME
from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import shorten
from claimstance.model.pages.engine import THEME, Pages

#: Role → a sample and what it means, for the key beside the text.
_ROLES = (
    ("source", "source", "who says it"),
    ("cue", "cue", "the word that tells that it is said"),
    ("content", "content", "what is said"),
)


def render_page(article: TaggedArticle, back: str | None = None) -> str:
    """The page of one article, as HTML; ``back``: where another one can be asked for."""
    return "".join(
        _PAGES.render(
            "article.html",
            {
                "back": back,
                "page": page_parts(article),
                "roles": _ROLES,
                "levels": CLAIM_LEVELS,
                "none_named": NO_NAME,
                "timeline_rows": TIMELINE_ROWS,
                "first_sentences": FIRST_SENTENCES,
            },
            (THEME, "page.js"),
        )
    )


def render_index(shown: dict[str, Any]) -> Iterator[str]:
    """The page that lists many articles, in pieces; ``shown`` as ``page_index.Index.shown`` gives it."""
    return _PAGES.render("index.html", shown)


def render_form(shown: dict[str, Any]) -> str:
    """The page on which an article is pasted; ``shown`` as ``serving.app`` gives it."""
    return "".join(_FORMS.render("ask.html", shown, (THEME, "ask.js")))


def _percent(share: float) -> str:
    """In whole per cent, where only what is certain has 100 and only what is impossible 0."""
    return f"{min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)}\u00a0%"


def _told(said: Said) -> str:
    """What an attribution says, in one short line."""
    cue, content = said.attribution.cue, said.attribution.content
    return shorten(" ".join(" ".join(span.text for span in (cue, content) if span).split()), 120)


_PAGES = Pages(
    "claimstance.inference.pages",
    ("page.css",),
    {"percent": _percent, "facts": facts, "told": _told},
)
_FORMS = replace(_PAGES, styles=(*_PAGES.styles, "ask.css"), forms="'self'")
