"""Pages: HTML files that need nothing else, written by templates that escape whatever comes from data.

A page loads nothing: its policy (CSP) allows its own style and script, by their hashes, and no more. Characters that
could mislead unseen are written out before anything is escaped. The same values give the same bytes.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from claimstance.model.pages.markup import visible

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = "claimstance.model.pages"
STYLE, THEME = "base.css", "theme.js"  # of every page; what switches between light and dark


@dataclass(frozen=True)
class Pages:
    """The pages of a package, whose folder ``templates`` lies over the one that all pages share.

    Attributes:
        package: where the templates are.
        styles: names of style sheets, there or among the shared ones, which follow the one of every page.
        filters: of the templates, beside ``count``.
        forms: where they may send what was filled in, as a policy says it.
    """

    package: str
    styles: Sequence[str] = ()
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    forms: str = "'none'"

    def render(
        self, template: str, values: Mapping[str, Any], scripts: Sequence[str] = (THEME,)
    ) -> Iterator[str]:
        """A page, in pieces."""
        from markupsafe import Markup

        style, script = (
            "".join(map(self._asset, (STYLE, *self.styles))),
            "".join(map(self._asset, scripts)),
        )
        # Both are the project's own, and have to stand there as they were hashed.
        frame = {
            "style": Markup(style),
            "script": Markup(script),
            "policy": policy(style, script, self.forms),
        }
        stream = self._environment.get_template(template).stream(**frame, **values)
        stream.enable_buffering(256)
        return iter(stream)

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=ChoiceLoader([PackageLoader(self.package), PackageLoader(SHARED)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
        environment.filters.update({"count": _count, **self.filters})
        return environment

    def _asset(self, name: str) -> str:
        own, shared = (
            resources.files(package) / "templates" / name for package in (self.package, SHARED)
        )
        return (own if own.is_file() else shared).read_text(encoding="utf-8")


def policy(style: str, script: str, forms: str = "'none'") -> str:
    """The content security policy of a page that may use this style and this script, if any, and nothing else.

    ``forms``: where it may send what was filled in.
    """
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; {scripts}img-src data:; base-uri 'none'; "
        f"form-action {forms}"
    )


def _hash(code: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def _shown(value: Any) -> Any:
    """What goes into the page in place of ``value``; markup of the templates' own is a ``str`` by descent."""
    if type(value) is not str:
        return value
    if "\r" not in value:
        return value if value.isprintable() else visible(value)
    from markupsafe import Markup, escape

    return Markup(
        str(escape(visible(value))).replace("\r", "&#13;")
    )  # as it is, a browser would make it a line feed


def _count(number: int) -> str:
    return f"{number:,}"
