"""What an evaluation counted, document by document: every figure that is made of counts can be had from it again.

The file holds counts and no text. Documents go by the start of their name's SHA-256, which is enough to tell whether
two evaluations read the same ones.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from claimstance.model.errors import InputError
from claimstance.model.record import read_lines
from claimstance.training.evaluation.attribution_metrics import attribution_scores
from claimstance.training.evaluation.metrics import Array, Figure, bootstrap, classification, f1

OUTCOMES_FILE = "outcomes.jsonl"
FORMAT = 1
_SHAPES = {"labels": 2, "attribution": 2, "found": 1}  # kind → dimensions of a document's counts


@dataclass(frozen=True)
class Outcome:
    """The counts of one task on one corpus.

    Attributes:
        kind: ``labels`` (confusion matrices, gold by predicted), ``attribution`` (see ``count_attributions``) or
            ``found`` (true positives, predicted, gold).
        labels: the names of the confusion matrices' rows and columns; empty for the other kinds.
        documents: the digest of each document's name.
        sizes: (documents,) how many items each figure's ``n`` counts.
        counts: (documents, …), shaped by ``kind``.
    """

    kind: str
    labels: tuple[str, ...]
    documents: tuple[str, ...]
    sizes: Array
    counts: Array

    def scores(self, summed: Array) -> dict[str, float]:
        """Metric → value, from counts summed over documents."""
        if self.kind == "labels":
            return classification(summed, self.labels)
        return attribution_scores(summed) if self.kind == "attribution" else f1(*summed)

    def figures(self) -> dict[str, Figure]:
        """Metric → value with its interval."""
        return bootstrap(self.counts, self.scores, int(self.sizes.sum()))

    def among(self, documents: Collection[str]) -> "Outcome | None":
        """What was counted in these documents (digests) alone; ``None`` if it has none of them."""
        rows = [i for i, document in enumerate(self.documents) if document in documents]
        if not rows:
            return None
        kept = tuple(self.documents[i] for i in rows)
        return replace(self, documents=kept, sizes=self.sizes[rows], counts=self.counts[rows])


Outcomes = dict[str, Outcome]  # by "corpus/task"


def digest(document: str) -> str:
    """What stands for a document's name."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def write_outcomes(outcomes: Mapping[str, Outcome], about: Mapping[str, Any], file: TextIO) -> None:
    """One line of what was evaluated (``about``: ``model`` and ``data``), then one line for each ``corpus/task``."""
    file.write(json.dumps({"format": FORMAT, **about}, ensure_ascii=False) + "\n")
    for name, outcome in outcomes.items():
        row = asdict(outcome) | {"sizes": _plain(outcome.sizes), "counts": _plain(outcome.counts)}
        file.write(json.dumps({"name": name, **row}, separators=(",", ":")) + "\n")


def _plain(counts: Array) -> Any:
    return counts.astype(int).tolist()


def read_outcomes(folder: Path) -> tuple[dict[str, Any], Outcomes]:
    """What was evaluated, and the counts, as ``claimstance evaluate … --out FOLDER`` wrote them.

    Raises:
        InputError: naming the file and line, what was expected and what was found.
    """
    path = folder / OUTCOMES_FILE
    if not path.is_file():
        raise InputError(
            f"{path}: expected the counts that `claimstance evaluate … --out {folder}` writes, found no "
            "such file"
        )
    lines = [
        (f"{path}, line {number}", line)
        for number, line in enumerate(read_lines(path), 1)
        if line.strip()
    ]
    if not lines:
        raise InputError(f"{path}: expected an evaluation's counts, found an empty file")
    about = _parse(*lines[0])
    if about.get("format") != FORMAT:
        raise InputError(
            f'{lines[0][0]}: expected "format": {FORMAT}, found {about.get("format")}: evaluate again'
        )
    if not all(isinstance(about.get(key), dict) for key in ("model", "data")):
        raise InputError(
            f'{lines[0][0]}: expected "model" and "data" of an evaluation, found {", ".join(about)}'
        )
    return about, dict(_outcome(where, _parse(where, line)) for where, line in lines[1:])


def _parse(where: str, line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: expected a JSON object, found text that is not JSON ({error})"
        ) from None
    if not isinstance(data, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(data).__name__}")
    return data


def _outcome(where: str, row: Mapping[str, Any]) -> tuple[str, Outcome]:
    try:
        counts, sizes = (np.array(row[key], dtype=float) for key in ("counts", "sizes"))
        outcome = Outcome(row["kind"], tuple(row["labels"]), tuple(row["documents"]), sizes, counts)
        name = str(row["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{where}: expected a task's counts, found none that can be read ({error!r})"
        ) from None
    whole = sizes.shape == (len(outcome.documents),) == counts.shape[:1]
    if not whole or counts.ndim != 1 + _SHAPES.get(outcome.kind, -1):
        raise InputError(
            f"{where}: expected counts for each of {len(outcome.documents)} documents, found an array of "
            f"the shape {counts.shape} and the kind '{outcome.kind}'"
        )
    return name, outcome
