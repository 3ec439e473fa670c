"""Odd articles and their rows as CSV: what tests of rows and of CSV share."""

import csv
import io

from claimstance.inference.results import Sentence, Stance, TaggedArticle
from claimstance.inference.writers.text import CsvWriter
from claimstance.model.article.spans import Attribution, Span

MODEL = {"name": "m", "version": "1", "sha256": "0"}


def uniform_article(text, **meta):
    """Return an article of one sentence whose title, sources, targets and contents are all this text."""
    span = Span(0, len(text), text, ((0, len(text)),), text)
    stance = Stance(text, text, "favor", 0.5, {"favor": 0.5}, 0)
    sentence = Sentence(
        0, 0, len(text), text, None, None, [Attribution(span, span, span, 0.5)], [], [stance]
    )
    return TaggedArticle(text, text, text, MODEL, [sentence], [], [], meta)


def csv_text(articles, rows="sentences"):
    """Return the text of a CSV file of these articles."""
    file = io.StringIO(newline="")
    writer = CsvWriter(file, rows)
    for article in articles:
        writer.write(article)
    writer.finish()
    return file.getvalue()


def csv_rows(articles, rows="sentences"):
    """Return the header and the rows of a CSV file of these articles."""
    return list(csv.reader(io.StringIO(csv_text(articles, rows), newline="")))
