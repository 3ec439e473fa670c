"""Rendering of self-contained HTML pages from templates that escape all values.

A page loads nothing: its content security policy allows its own style and script, by their hashes, and
nothing else. Invisible characters that could mislead a reader are spelled out before escaping. The same
values give the same bytes.
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
STYLE = "base.css"  # the style sheet of every page
THEME = "theme.js"  # the switch between light and dark


@dataclass(frozen=True)
class Pages:
    """Render the templates of a package, which may use and override the shared ones.

    Attributes:
        package: the package with a folder ``templates``.
        styles: names of style sheets beyond the one of every page.
        filters: Jinja filters beyond ``count``.
        forms: the ``form-action`` of the content security policy.
    """

    package: str
    styles: Sequence[str] = ()
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    forms: str = "'none'"

    def render(
        self, template: str, values: Mapping[str, Any], scripts: Sequence[str] = (THEME,)
    ) -> Iterator[str]:
        """Yield the pieces of a page."""
        from markupsafe import Markup

        style = "".join(self._asset(name) for name in (STYLE, *self.styles))
        script = "".join(self._asset(name) for name in scripts)
        # Style and script are the project's own. Escaping would change them, and their hashes.
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
        """Return Jinja's environment, which escapes values and finds the package's own templates first."""
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=ChoiceLoader([PackageLoader(self.package), PackageLoader(SHARED)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
        )
        environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
        environment.filters.update({"count": "{:,}".format, **self.filters})
        return environment

    def _asset(self, name: str) -> str:
        """Return the text of a style sheet or script, of the package itself or a shared one."""
        asset = resources.files(self.package) / "templates" / name
        if not asset.is_file():
            asset = resources.files(SHARED) / "templates" / name
        return asset.read_text(encoding="utf-8")


def policy(style: str, script: str, forms: str = "'none'") -> str:
    """Return the content security policy of a page that may use this style and script, and nothing else.

    Args:
        style: the text of the style element.
        script: the text of the script element; empty if there is none.
        forms: addresses that forms may be sent to.
    """
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; {scripts}img-src data:; base-uri 'none'; "
        f"form-action {forms}"
    )


def _hash(code: str) -> str:
    """Return the hash of a style or script as a content security policy has it."""
    digest = hashlib.sha256(code.encode()).digest()
    return f"sha256-{b64encode(digest).decode()}"


def _finalize(value: Any) -> Any:
    """Spell out invisible characters of a value before Jinja escapes it."""
    # Markup of the templates is an instance of a subclass of str, and passes unchanged.
    if type(value) is not str:
        return value
    if "\r" not in value:
        return value if value.isprintable() else visible(value)
    from markupsafe import Markup, escape

    # A browser would read a bare carriage return as a line feed.
    return Markup(str(escape(visible(value))).replace("\r", "&#13;"))
