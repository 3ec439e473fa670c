"""The page on which an article is pasted: what it shows, and what it sends."""

from pathlib import Path

from claimstance.inference.articles import DOCUMENTS
from claimstance.inference.articles.article import Article, Raw, title_of
from claimstance.inference.serving.form_fields import Part, parse_form
from claimstance.inference.serving.problems import unreadable
from claimstance.inference.serving.requests import AskedArticle, check_text, parse_article
from claimstance.model.errors import InputError

SUFFIXES = tuple(DOCUMENTS)


def parse_pasted(content_type: str, body: bytes) -> tuple[Article, list[str]]:
    """The article of a form, as it was pasted or as a file, and its targets, one a line.

    Raises:
        Refusal: 415 for another content type, 422 naming the field.
    """
    parts = {part.name: part for part in parse_form(content_type, body)}
    targets = [name for line in _typed(parts.get("targets")).splitlines() if (name := line.strip())]
    file = parts.get("file")
    if file is not None and file.filename:
        article = _read_file(file)
    else:
        text = _typed(parts.get("text"))
        if not text.strip():
            raise unreadable("text", "expected an article, pasted or as a file, found none")
        article = Article("", text, title_of(text))
    asked: AskedArticle = parse_article({"text": article.text, "targets": targets}, "")
    return article, asked.targets


def _typed(part: Part | None) -> str:
    """What was typed into a field. Browsers end its lines with CR LF, which nobody typed."""
    return "" if part is None else _decoded(part).replace("\r\n", "\n")


def _decoded(part: Part) -> str:
    try:
        text = part.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = part.data.count(b"\n", 0, error.start) + 1
        raise unreadable(
            part.name, f"expected UTF-8 text, found {error.reason} in line {line}"
        ) from None
    check_text(part.name, text)
    return text


def _read_file(part: Part) -> Article:
    name = Path(part.filename or "")
    suffix = name.suffix.lower()
    if suffix not in DOCUMENTS:
        raise unreadable(
            "file", f"expected a name ending in {', '.join(SUFFIXES)}, found '{suffix or name}'"
        )
    check_text("file", name.stem)
    try:
        article = DOCUMENTS[suffix].parse(Raw(part.data, name.stem, name.name))
    except InputError as error:
        raise unreadable("file", str(error)) from None
    check_text("file", article.text)
    return article
