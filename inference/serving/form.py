"""The form for pasting an article: parsing and validation of its fields."""

from dataclasses import dataclass
from pathlib import Path

from claimstance.inference.articles import DOCUMENTS
from claimstance.inference.articles.article import Article, RawFile, headline_of
from claimstance.inference.articles.isolation import Limits, TimeLimitError
from claimstance.inference.articles.wrapping import unwrap
from claimstance.inference.serving.form_fields import FormField, parse_form
from claimstance.inference.serving.problems import Refusal, invalid_field
from claimstance.inference.serving.requests import check_article
from claimstance.model.errors import InputError

SUFFIXES = tuple(DOCUMENTS)


@dataclass(frozen=True)
class PastedForm:
    """Represent a submitted form: an article as text or as a file, its targets, and the box for neutral stances."""

    text: str
    file: FormField | None
    targets: list[str]
    neutral: bool = False


def parse_pasted(content_type: str, body: bytes) -> PastedForm:
    """Return a submitted form; it has one target a line.

    Raises:
        Refusal: 415 for another content type, 422 with the invalid field.
    """
    # Of several fields with one name, the last one counts.
    fields = {field.name: field for field in parse_form(content_type, body)}
    lines = _text_of(fields.get("targets")).splitlines()
    targets = [line.strip() for line in lines if line.strip()]
    neutral = "neutral" in fields  # browsers send a box only if it is ticked
    file = fields.get("file")
    if file is not None and file.filename:
        return PastedForm("", file, targets, neutral)
    return PastedForm(_text_of(fields.get("text")), None, targets, neutral)


def read_pasted(pasted: PastedForm, limits: Limits) -> tuple[Article, list[str]]:
    """Return the article and the targets of a form; ``limits`` apply to parsing a file.

    Raises:
        Refusal: 422 with the invalid field, 504 for a file that takes too long.
    """
    file = pasted.file
    if file is None:
        text = unwrap(pasted.text)
        if not text.strip():
            raise invalid_field("text", "expected an article, pasted or as a file, found none")
        article = Article("", text, headline_of(text))
    else:
        name = Path(file.filename or "")
        suffix = name.suffix.lower()
        if suffix not in DOCUMENTS:
            raise invalid_field(
                "file", f"expected a name ending in {', '.join(SUFFIXES)}, found '{suffix or name}'"
            )
        try:
            article = DOCUMENTS[suffix].read(RawFile(file.data, name.stem, name.name), limits)
        except TimeLimitError as error:
            raise Refusal(504, f"file: {error}", "file") from None
        except InputError as error:
            raise invalid_field("file", str(error)) from None
    check_article(article.text, pasted.targets)
    return article, pasted.targets


def _text_of(field: FormField | None) -> str:
    """Return the text typed into a field, with the CR LF of browsers as line breaks."""
    if field is None:
        return ""
    try:
        return field.data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = field.data.count(b"\n", 0, error.start) + 1
        raise invalid_field(
            field.name, f"expected UTF-8 text, found {error.reason} in line {line}"
        ) from None
