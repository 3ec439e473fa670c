"""Counts of an evaluation, document by document, and the file that stores them.

Every metric that is made of counts can be recomputed from the file. It holds counts and no text.
Documents are named by the start of the SHA-256 of their name, which is enough to tell whether two
evaluations used the same ones.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from claimstance.model.errors import InputError
from claimstance.model.io.validation import parse_json
from claimstance.model.record import read_lines
from claimstance.training.evaluation.attribution_metrics import attribution_scores
from claimstance.training.evaluation.metrics import Array, Figure, bootstrap, classification, f1

OUTCOMES_FILE = "outcomes.jsonl"
FORMAT = 1
#: Kind → dimensions of a document's counts.
_DIMENSIONS = {"labels": 2, "attribution": 2, "found": 1}


@dataclass(frozen=True)
class Outcome:
    """Represent the counts of one task on one corpus.

    Attributes:
        kind: ``labels`` (confusion matrices, gold by predicted), ``attribution`` (see
            ``count_attributions``) or ``found`` (true positives, predicted, gold).
        labels: the names of the confusion matrices' rows and columns; empty for the other kinds.
        documents: the digest of each document's name.
        sizes: (documents,) the number of items that the ``n`` of a figure counts.
        counts: (documents, …), shaped by ``kind``.
    """

    kind: str
    labels: tuple[str, ...]
    documents: tuple[str, ...]
    sizes: Array
    counts: Array

    def scores(self, total: Array) -> dict[str, float]:
        """Return metric → value, from counts summed over documents."""
        if self.kind == "labels":
            return classification(total, self.labels)
        if self.kind == "attribution":
            return attribution_scores(total)
        true_positive, predicted, gold = total
        return f1(true_positive, predicted, gold)

    def figures(self) -> dict[str, Figure]:
        """Return metric → value with its interval."""
        return bootstrap(self.counts, self.scores, int(self.sizes.sum()))

    def restrict_to(self, documents: Collection[str]) -> "Outcome | None":
        """Return the counts of these documents (digests) alone; ``None`` if it has none of them."""
        rows = [i for i, document in enumerate(self.documents) if document in documents]
        if not rows:
            return None
        return replace(
            self,
            documents=tuple(self.documents[i] for i in rows),
            sizes=self.sizes[rows],
            counts=self.counts[rows],
        )


Outcomes = dict[str, Outcome]  # by "corpus/task"


def digest(document: str) -> str:
    """Return the name under which a document is stored."""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def write_outcomes(
    outcomes: Mapping[str, Outcome], metadata: Mapping[str, Any], file: TextIO
) -> None:
    """Write one line of metadata (``model`` and ``data``), then one line for each ``corpus/task``."""
    file.write(json.dumps({"format": FORMAT, **metadata}, ensure_ascii=False) + "\n")
    for name, outcome in outcomes.items():
        row = {"name": name, **asdict(outcome)}
        row["sizes"] = outcome.sizes.astype(int).tolist()
        row["counts"] = outcome.counts.astype(int).tolist()
        file.write(json.dumps(row, separators=(",", ":")) + "\n")


def read_outcomes(folder: Path) -> tuple[dict[str, Any], Outcomes]:
    """Read the metadata and counts that ``claimstance evaluate … --out FOLDER`` wrote.

    Raises:
        InputError: naming the file and line, what was expected and what was found.
    """
    path = folder / OUTCOMES_FILE
    if not path.is_file():
        raise InputError(
            f"{path}: expected the counts that `claimstance evaluate … --out {folder}` writes, "
            "found no such file"
        )
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        location = f"{path}, line {number}"
        row = parse_json(line, location)
        if not isinstance(row, dict):
            raise InputError(f"{location}: expected a JSON object, found {type(row).__name__}")
        rows.append((location, row))
    if not rows:
        raise InputError(f"{path}: expected an evaluation's counts, found an empty file")

    location, metadata = rows[0]
    # Counts of another version may have another shape or meaning.
    if metadata.get("format") != FORMAT:
        raise InputError(
            f'{location}: expected "format": {FORMAT}, found {metadata.get("format")}: '
            "evaluate again"
        )
    if not all(isinstance(metadata.get(key), dict) for key in ("model", "data")):
        raise InputError(
            f'{location}: expected "model" and "data" of an evaluation, found {", ".join(metadata)}'
        )
    outcomes = dict(_parse_outcome(location, row) for location, row in rows[1:])
    return metadata, outcomes


def _parse_outcome(location: str, row: Mapping[str, Any]) -> tuple[str, Outcome]:
    """Return the ``corpus/task`` of a row and its counts."""
    try:
        name = str(row["name"])
        counts = np.array(row["counts"], dtype=float)
        sizes = np.array(row["sizes"], dtype=float)
        outcome = Outcome(
            kind=row["kind"],
            labels=tuple(row["labels"]),
            documents=tuple(row["documents"]),
            sizes=sizes,
            counts=counts,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{location}: expected a task's counts, found a line that cannot be read ({error!r})"
        ) from None
    n = len(outcome.documents)
    has_all_documents = sizes.shape == (n,) and counts.shape[:1] == (n,)
    if not has_all_documents or counts.ndim != 1 + _DIMENSIONS.get(outcome.kind, -1):
        raise InputError(
            f"{location}: expected counts for each of {n} documents, found an array of "
            f"the shape {counts.shape} and the kind '{outcome.kind}'"
        )
    return name, outcome
