"""Check the outcome of reading a damaged file: a right answer, or an error that names the file and the fault."""

import json
from pathlib import Path

from claimstance.inference.articles.sources import Article, read_articles
from claimstance.model.errors import InputError
from claimstance.training.data.formats import Layout, ReadReport, read_file, recognise


class WrongError(AssertionError):
    """An answer that is none, or an error that does not say what was wrong."""


def must(holds: bool, otherwise: str) -> None:
    """Raise ``WrongError`` unless it holds."""
    if not holds:
        raise WrongError(otherwise)


def articles(path: Path) -> None:
    """Articles that can be written, or errors of one line that name the file."""
    for found in read_articles([str(path)]):
        if isinstance(found, Article):
            for text in (found.text, found.doc_id, found.title or "", *found.warnings):
                text.encode()
            json.dumps(dict(found.meta), allow_nan=False, ensure_ascii=False).encode()
        else:
            told = str(found)
            must(isinstance(found, InputError), f"neither an article nor an error of input: {told}")
            must(
                path.name in told and "\n" not in told and len(told) < 1000,
                f"an error that says too little: {told}",
            )


def records(path: Path, lenient: bool) -> None:
    """Records with a text, or an error that names the file."""
    try:
        form = recognise(path)
        layout = Layout(
            lenient=lenient, target=None if form.name in ("jsonl", "csv", "tsv") else "the harbour"
        )
        for record in read_file(path, layout=layout, reading=ReadReport()):
            must(bool(record.text.strip()), "a record without text")
    except InputError as error:
        must(
            path.name in str(error) or path.stem in str(error),
            f"an error that names no file: {error}",
        )
        must(len(str(error)) < 2000, "an error of more than 2,000 characters")
