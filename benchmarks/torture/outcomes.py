"""Check the outcome of reading a damaged file: a right answer, or an error that names the file and the fault."""

import json
from pathlib import Path

from claimstance.inference.articles.sources import Article, read_articles
from claimstance.model.errors import InputError
from claimstance.training.data.formats import Layout, ReadReport, read_file, recognise


class WrongError(AssertionError):
    """Raised for a wrong result, or an error whose message does not name the fault."""


def must(holds: bool, otherwise: str) -> None:
    """Raise ``WrongError`` with the message ``otherwise`` unless a condition holds."""
    if not holds:
        raise WrongError(otherwise)


def articles(path: Path) -> None:
    """Check that a file gives articles that can be written, or errors of one line that name the file."""
    for outcome in read_articles([str(path)]):
        if isinstance(outcome, Article):
            texts = (outcome.text, outcome.doc_id, outcome.title or "", *outcome.warnings)
            for text in texts:
                text.encode()
            json.dumps(dict(outcome.meta), allow_nan=False, ensure_ascii=False).encode()
            continue
        message = str(outcome)
        must(
            isinstance(outcome, InputError),
            f"neither an article nor an error of input: {message}",
        )
        is_clear = path.name in message and "\n" not in message and len(message) < 1000
        must(is_clear, f"an error that says too little: {message}")


def records(path: Path, lenient: bool) -> None:
    """Check that a file gives records with a text, or an error that names the file."""
    try:
        form = recognise(path)
        # Formats without targets of their own need one for stances.
        target = None if form.name in ("jsonl", "csv", "tsv") else "the harbour"
        layout = Layout(lenient=lenient, target=target)
        for record in read_file(path, layout=layout, report=ReadReport()):
            must(bool(record.text.strip()), "a record without text")
    except InputError as error:
        must(
            path.name in str(error) or path.stem in str(error),
            f"an error that names no file: {error}",
        )
        must(len(str(error)) < 2000, "an error of more than 2,000 characters")
