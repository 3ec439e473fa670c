"""Detection of HTML in texts that should be plain."""

import re

_MARKUP = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<!--|&(?:[A-Za-z]{2,8}|#\d{1,6}|#x[0-9A-Fa-f]{1,6});"
)


def find_markup(text: str) -> str | None:
    """Return the first tag or character reference of a text; ``None`` if it has none."""
    match = _MARKUP.search(text)
    return match[0] if match else None
