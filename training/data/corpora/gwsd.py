"""GWSD: whether a clause from US news on global warming agrees that it is a serious concern.

Link: https://github.com/yiweiluo/GWStance
Licence: none stated.
Citation: Luo, Card, Jurafsky (2020), DeSMOG: Detecting Stance in Media On Global Warming, Findings of EMNLP.

Labels: *disagrees*, *neutral*, *agrees* are ``against``, ``neutral``, ``favor`` toward one target, ``TARGET``; the
holder is not named (``None``). The label is the likeliest in the distribution that the corpus's authors inferred from
the annotators' answers and biases. ``probabilities`` are the plain shares of the eight annotators of a sentence, and
``meta["annotations"]`` has their answers. In 47 sentences, the label is not the most frequent answer.

Traps handled: The label is the stance of the clause, not of a person who quotes it. Every batch contains the same five
screening sentences: each is read once, with the 400 answers of all 50 batches. Their labels were not inferred, and are
the most frequent answers. A column ``worker_0`` is another person in each batch. The file marks one held-out part,
*test*. Of the other sentences, about one in eight is *dev*: those whose UTF-8 text has a SHA-256 that begins with a
byte below 32. The eight sentences that occur twice, with other annotators, are so in one part.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record, Stance, read_lines
from claimstance.training.data.corpora.base import Corpus, OnDrop, read_table

#: What the annotators were asked about.
TARGET = "global warming is a serious concern"
LABELS = {"disagrees": "against", "neutral": "neutral", "agrees": "favor"}
_INFERRED = {"disagree": "against", "neutral": "neutral", "agree": "favor"}
_WORKERS = tuple(f"worker_{number}" for number in range(8))
_COLUMNS = ("sent_id", "sentence", *_WORKERS, *_INFERRED, "guid", "in_held_out_test")
_DEV_BYTES = 32  # of 256 first bytes of a hash: one in eight


@dataclass
class _Row:
    """Represent a sentence, its annotators' answers as stances, and the published distribution of stances, if any."""

    id: str
    text: str
    held_out: bool
    is_screen: bool
    answers: list[str]
    inferred: dict[str, float] | None

    @property
    def split(self) -> str:
        if self.held_out:
            return "test"
        # A hash of the text assigns sentences that occur twice to one part.
        first_byte = hashlib.sha256(self.text.encode()).digest()[0]
        return "dev" if first_byte < _DEV_BYTES else "train"


def read(folder: Path, split: str, on_drop: OnDrop) -> Iterator[Record]:
    """Yield the sentences of ``split`` in the order of the file.

    Args:
        folder: a copy of the repository's data.
        split: ``train``, ``dev`` or ``test``.
        on_drop: called for each row that is left out: repeats of screening sentences, and sentences without a label.

    Raises:
        InputError: naming the file and the line.
    """
    screens: dict[str, _Row] = {}
    rows: list[_Row] = []
    path = folder / "GWSD.tsv"
    columns = {name: name for name in _COLUMNS}
    for number, cells in read_table(read_lines(path), path, columns, "\t"):
        row = _parse_row(cells, f"{path}, line {number}")
        if row.split != split:
            continue
        if row.is_screen and row.text in screens:
            screens[row.text].answers += row.answers
            on_drop("repeats a screening sentence, whose answers are put together")
            continue
        if row.is_screen:
            screens[row.text] = row
        rows.append(row)

    # Only now are the answers to screening sentences complete.
    for row in rows:
        counts = Counter(row.answers)
        weights = row.inferred or counts
        best = max(weights.values())
        likeliest = [label for label, weight in weights.items() if weight == best]
        # A choice among tied labels would be arbitrary.
        if len(likeliest) > 1:
            on_drop("annotators are tied, and no distribution was inferred")
            continue
        shares = {label: counts[label] / len(row.answers) for label in LABELS.values()}
        yield Record(
            id=f"gwsd:{row.id}",
            text=row.text,
            stances=[Stance(holder=None, target=TARGET, label=likeliest[0], probabilities=shares)],
            meta={"corpus": "gwsd", "annotations": row.answers},
        )


def _parse_row(cells: dict[str, str], location: str) -> _Row:
    """Return a row of the table; the cells are by the names of their columns."""
    for worker in _WORKERS:
        if cells[worker] not in LABELS:
            raise InputError(f"{location}: {worker}: {unknown('label', cells[worker], LABELS)}")
    if cells["in_held_out_test"] not in ("True", "False"):
        raise InputError(
            f"{location}: expected True or False for in_held_out_test, "
            f"found {cells['in_held_out_test']!r}"
        )

    inferred = None
    if any(cells[column] for column in _INFERRED):
        try:
            inferred = {label: float(cells[column]) for column, label in _INFERRED.items()}
        except ValueError as error:
            raise InputError(
                f"{location}: expected numbers for {', '.join(_INFERRED)}, found another ({error})"
            ) from None

    return _Row(
        id=cells["guid"],
        text=" ".join(cells["sentence"].split()),
        held_out=cells["in_held_out_test"] == "True",
        is_screen=cells["sent_id"].startswith("s"),
        answers=[LABELS[cells[worker]] for worker in _WORKERS],
        inferred=inferred,
    )


CORPUS = Corpus(
    name="gwsd",
    url="https://github.com/yiweiluo/GWStance",
    licence="none stated",
    citation="Luo, Card, Jurafsky (2020), DeSMOG: Detecting Stance in Media On Global Warming, Findings of EMNLP",
    version="GWSD.tsv ebac0a1abf7e",
    splits=("train", "dev", "test"),
    tasks=("stance",),
    label_mapping=LABELS,
    reader=read,
    answers=True,
)
