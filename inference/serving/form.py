"""The page on which an article is pasted: what it shows, and what it sends."""

from dataclasses import dataclass
from pathlib import Path

from claimstance.inference.articles import DOCUMENTS
from claimstance.inference.articles.article import Article, Raw, title_of
from claimstance.inference.articles.isolation import Limits, TimeLimitError
from claimstance.inference.articles.wrapping import unwrap
from claimstance.inference.serving.form_fields import Part, parse_form
from claimstance.inference.serving.problems import Refusal, unreadable
from claimstance.inference.serving.requests import check_article
from claimstance.model.errors import InputError

SUFFIXES = tuple(DOCUMENTS)


@dataclass(frozen=True)
class Pasted:
    """What a form was sent with: an article as text or as a file, and its targets."""

    text: str
    file: Part | None
    targets: list[str]


def parse_pasted(content_type: str, body: bytes) -> Pasted:
    """Return what is in a form, whose targets are one a line.

    Raises:
        Refusal: 415 for another content type, 422 naming the field.
    """
    parts = {part.name: part for part in parse_form(content_type, body)}
    targets = [name for line in _typed(parts.get("targets")).splitlines() if (name := line.strip())]
    file = parts.get("file")
    if file is not None and file.filename:
        return Pasted("", file, targets)
    return Pasted(_typed(parts.get("text")), None, targets)


def read_pasted(pasted: Pasted, limits: Limits) -> tuple[Article, list[str]]:
    """Return the article of a form, and its targets. ``limits`` are those of parsing a file.

    Raises:
        Refusal: 422 naming the field, 504 for a file that takes too long.
    """
    if pasted.file is not None:
        article = _read_file(pasted.file, limits)
    else:
        text = unwrap(pasted.text)
        if not text.strip():
            raise unreadable("text", "expected an article, pasted or as a file, found none")
        article = Article("", text, title_of(text))
    check_article(article.text, pasted.targets)
    return article, pasted.targets


def _typed(part: Part | None) -> str:
    """What was typed into a field. Browsers end its lines with CR LF, which nobody typed."""
    return "" if part is None else _decoded(part).replace("\r\n", "\n")


def _decoded(part: Part) -> str:
    try:
        return part.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = part.data.count(b"\n", 0, error.start) + 1
        raise unreadable(
            part.name, f"expected UTF-8 text, found {error.reason} in line {line}"
        ) from None


def _read_file(part: Part, limits: Limits) -> Article:
    name = Path(part.filename or "")
    suffix = name.suffix.lower()
    if suffix not in DOCUMENTS:
        raise unreadable(
            "file", f"expected a name ending in {', '.join(SUFFIXES)}, found '{suffix or name}'"
        )
    try:
        article = DOCUMENTS[suffix].read(Raw(part.data, name.stem, name.name), limits)
    except TimeLimitError as error:
        raise Refusal(504, f"file: {error}", "file") from None
    except InputError as error:
        raise unreadable("file", str(error)) from None
    return article
