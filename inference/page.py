"""A tagged article as a page to read: one HTML file that needs nothing else, with what was read marked in the text.

Whatever comes from an article is escaped by the template engine, after characters that could mislead unseen were
written out. The page loads nothing: its policy (CSP) allows its own style and script, by their hashes, and no more.
The same article gives the same bytes.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from claimstance.inference.matrix import NO_NAME
from claimstance.inference.page_parts import (
    CLAIM_LEVELS,
    FIRST_SENTENCES,
    TIMELINE_ROWS,
    Said,
    facts,
    page_parts,
)
from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import shorten
from claimstance.model.markup import visible

if TYPE_CHECKING:
    from jinja2 import Environment

#: Role → a sample and what it means, for the key beside the text.
_ROLES = (
    ("source", "source", "who says it"),
    ("cue", "cue", "the word that tells that it is said"),
    ("content", "content", "what is said"),
)
_STYLES = {"ask.html": ("page.css", "ask.css")}
_SCRIPTS = {
    "article.html": ("theme.js", "page.js"), "index.html": ("theme.js",), "ask.html": ("theme.js", "ask.js")}


def render_page(article: TaggedArticle, back: str | None = None) -> str:
    """The page of one article, as HTML; ``back``: where another one can be asked for."""
    return "".join(_render("article.html", {
        "back": back, "page": page_parts(article), "roles": _ROLES, "levels": CLAIM_LEVELS, "none_named": NO_NAME,
        "timeline_rows": TIMELINE_ROWS, "first_sentences": FIRST_SENTENCES}))


def render_index(shown: dict[str, Any]) -> Iterator[str]:
    """The page that lists many articles, in pieces; ``shown`` as ``page_index.Index.shown`` gives it."""
    return _render("index.html", shown)


def render_form(shown: dict[str, Any]) -> str:
    """The page on which an article is pasted; ``shown`` as ``serving.app`` gives it."""
    return "".join(_render("ask.html", shown, forms="'self'"))


def policy(style: str, script: str, forms: str = "'none'") -> str:
    """The content security policy of a page that may use this style and this script and nothing else.

    ``forms``: where it may send what was filled in.
    """
    return (f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
            f"base-uri 'none'; form-action {forms}")


def _hash(code: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def _render(template: str, values: dict[str, Any], forms: str = "'none'") -> Iterator[str]:
    from markupsafe import Markup

    style = "".join(map(_asset, _STYLES.get(template, ("page.css",))))
    script = "".join(map(_asset, _SCRIPTS[template]))
    # Both are the project's own, and have to stand there as they were hashed.
    frame = {"style": Markup(style), "script": Markup(script), "policy": policy(style, script, forms)}
    stream = _environment().get_template(template).stream(**frame, **values)
    stream.enable_buffering(256)
    return iter(stream)


@cache
def _asset(name: str) -> str:
    return (resources.files("claimstance.inference") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("claimstance.inference"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters.update(count=_count, percent=_percent, facts=facts, told=_told)
    return environment


def _shown(value: Any) -> Any:
    """What goes into the page in place of ``value``; markup of the templates' own is a ``str`` by descent."""
    if type(value) is not str:
        return value
    if "\r" not in value:
        return value if value.isprintable() else visible(value)
    from markupsafe import Markup, escape

    return Markup(str(escape(visible(value))).replace("\r", "&#13;"))  # as it is, a browser would make it a line feed


def _count(number: int) -> str:
    return f"{number:,}"


def _percent(share: float) -> str:
    """In whole per cent, where only what is certain has 100 and only what is impossible 0."""
    return f"{min(99, max(1, round(100 * share))) if 0 < share < 1 else round(100 * share)}\u00a0%"


def _told(said: Said) -> str:
    """What an attribution says, in one short line."""
    cue, content = said.attribution.cue, said.attribution.content
    return shorten(" ".join(" ".join(span.text for span in (cue, content) if span).split()), 120)
