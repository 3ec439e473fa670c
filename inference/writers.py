"""Writing what was tagged: JSON Lines, CSV, and a table for the terminal."""

import contextlib
import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table
from rich.text import Text

from claimstance.inference.results import Sentence, Stance, TaggedArticle
from claimstance.model.errors import ClaimstanceError

SENTENCE_COLUMNS = (
    "doc_id", "index", "start", "end", "text", "claim", "claim_probability", "check_worthy_probability", "sources",
    "cues", "contents", "entities",
)
STANCE_COLUMNS = (
    "doc_id", "sentence", "holder", "target", "label", "probability", "abstained", "holder_start", "holder_end",
    "target_start", "target_end", "text",
)
_BETWEEN = " | "  # several values in one cell of a CSV


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only once all of it is written."""
    if path is None:
        yield sys.stdout
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(name).chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
        Path(name).replace(path)
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
        attributions = sentence.attributions or []
        yield {
            "doc_id": article.doc_id, "index": sentence.index, "start": sentence.start, "end": sentence.end,
            "text": sentence.text,
            "claim": sentence.claim and sentence.claim.label,
            "claim_probability": sentence.claim and round(sentence.claim.probability, 4),
            "check_worthy_probability": sentence.check_worthy and round(
                list(sentence.check_worthy.probabilities.values())[-1], 4),
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


def table(article: TaggedArticle) -> Table:
    """An article for reading: sentence, claim, who says it, stance."""
    result = Table(title=article.title or article.doc_id, show_lines=True, title_justify="left")
    result.add_column("#", justify="right")
    result.add_column("sentence", ratio=5)
    result.add_column("claim", no_wrap=True)
    result.add_column("who says it", ratio=2)
    result.add_column("stance", ratio=3)
    for sentence in article.sentences:
        claim = sentence.claim
        result.add_row(
            str(sentence.index), Text(sentence.text), Text(f"{claim.label} {claim.probability:.2f}" if claim else ""),
            Text("\n".join(_who(sentence))), Text("\n".join(_stances(sentence.stances))))
    return result


def _who(sentence: Sentence) -> Iterable[str]:
    for attribution in sentence.attributions or ():
        source, cue = attribution.source, attribution.cue
        if source:
            known = f" = {source.name}" if source.name and source.name != source.text else ""
            yield f"{source.text}{known}" + (f" · {cue.text}" if cue else "")


def _stances(stances: Iterable[Stance]) -> Iterable[str]:
    """The stances that say something: neutral is what most pairs in most sentences are."""
    for stance in sorted(stances, key=lambda s: -s.probability):
        if stance.label != "neutral" and not stance.abstained:
            yield f"{stance.holder or '(text)'} → {stance.target}: {stance.label} {stance.probability:.2f}"
