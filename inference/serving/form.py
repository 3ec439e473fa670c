"""The page on which an article is pasted: what it shows, and what it sends."""

from pathlib import Path
from typing import Any

from claimstance.inference.articles import Article, title_of
from claimstance.inference.serving.asked import AskedArticle, check_text, parse_article
from claimstance.inference.serving.bodies import Part, parse_form
from claimstance.inference.serving.refusals import Refusal, unreadable

HTML = (".html", ".htm")
SUFFIXES = (".txt", *HTML)


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
        raise unreadable(part.name, f"expected UTF-8 text, found {error.reason} in line {line}") from None
    check_text(part.name, text)
    return text


def _read_file(part: Part) -> Article:
    name = Path(part.filename or "")
    suffix = name.suffix.lower()
    if suffix not in SUFFIXES:
        raise unreadable("file", f"expected a name ending in {' or '.join(SUFFIXES)}, found '{suffix or name}'")
    doc_id = name.stem
    check_text("file", doc_id)
    if suffix == ".txt":
        text = _decoded(part)
        return Article(doc_id, text, title_of(text))
    return _read_web_page(doc_id, part.data)


def _read_web_page(doc_id: str, data: bytes) -> Article:
    try:
        import trafilatura
    except ModuleNotFoundError:
        raise Refusal(501, "file: reading .html needs 'trafilatura': pip install 'claimstance[html]'", "file") from None
    page: Any = trafilatura.bare_extraction(data, with_metadata=True)
    if page is None or not page.text:
        raise unreadable("file", "expected a web page with an article in it, found none")
    check_text("file", page.text)
    return Article(doc_id, page.text, page.title or title_of(page.text))
