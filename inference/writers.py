"""Writing what was tagged: JSON Lines and CSV."""

import contextlib
import csv
import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from claimstance.inference.results import TaggedArticle, ranking
from claimstance.model.errors import ClaimstanceError

SENTENCE_COLUMNS = (
    "doc_id", "index", "start", "end", "text", "claim", "claim_probability", "check_worthy_probability",
    "subjective_probability", "sources", "cues", "contents", "entities",
)
STANCE_COLUMNS = (
    "doc_id", "sentence", "holder", "target", "label", "probability", "abstained", "holder_start", "holder_end",
    "target_start", "target_end", "text",
)
_BETWEEN = " | "  # several values in one cell of a CSV


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only once all of it is written.

    A link stays one, and what is no file (a device, a pipe) is written to as it is.

    Raises:
        ClaimstanceError: if it cannot be written; where that can be known, before anything else is done.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        with _replacing(path.resolve()) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(name).chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Writer(Protocol):
    """What tagged articles are given to, one by one."""

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""


class JsonlWriter:
    """One JSON object a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, article: TaggedArticle) -> None:
        """Write one article."""
        self._file.write(json.dumps(article.to_dict(), ensure_ascii=False) + "\n")


class CsvWriter:
    """One row a sentence, or a stance (``rows``)."""

    def __init__(self, file: TextIO, rows: str = "sentences") -> None:
        self._rows = _stance_rows if rows == "stances" else _sentence_rows
        self._csv = csv.DictWriter(file, STANCE_COLUMNS if rows == "stances" else SENTENCE_COLUMNS)
        self._csv.writeheader()

    def write(self, article: TaggedArticle) -> None:
        """Write the rows of one article."""
        self._csv.writerows(self._rows(article))


def _sentence_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    for sentence in article.sentences:
        attributions, worth, view = sentence.attributions or [], sentence.check_worthy, sentence.subjective
        yield {
            "doc_id": article.doc_id, "index": sentence.index, "start": sentence.start, "end": sentence.end,
            "text": sentence.text,
            "claim": sentence.claim and sentence.claim.label,
            "claim_probability": sentence.claim and round(sentence.claim.probability, 4),
            "check_worthy_probability": worth and round(ranking(worth.probabilities), 4),
            "subjective_probability": view and round(ranking(view.probabilities), 4),
            "sources": _BETWEEN.join(a.source.name or a.source.text for a in attributions if a.source),
            "cues": _BETWEEN.join(a.cue.text for a in attributions if a.cue),
            "contents": _BETWEEN.join(a.content.text for a in attributions if a.content),
            "entities": _BETWEEN.join(f"{e.text} ({e.label})" for e in sentence.entities or ()),
        }


def _stance_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    for stance in article.stances:
        holder, target = stance.holder_span, stance.target_span
        yield {
            "doc_id": article.doc_id, "sentence": stance.sentence, "holder": stance.holder, "target": stance.target,
            "label": stance.label, "probability": round(stance.probability, 4), "abstained": stance.abstained,
            "holder_start": holder and holder.start, "holder_end": holder and holder.end,
            "target_start": target and target.start, "target_end": target and target.end,
            "text": article.sentences[stance.sentence].text,
        }
