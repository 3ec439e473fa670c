"""GWSD: whether a clause from US news on global warming agrees that it is a serious concern.

Link: https://github.com/yiweiluo/GWStance
Licence: none stated.
Citation: Luo, Card, Jurafsky (2020), DeSMOG: Detecting Stance in Media On Global Warming, Findings of EMNLP.

Labels: *disagrees*, *neutral*, *agrees* are ``against``, ``neutral``, ``favor`` toward one target, ``TARGET``; the
holder is nobody named (``None``). The label is the likeliest in the distribution that its authors inferred from the
annotators' answers and biases; ``probabilities`` are the shares of the annotators as they are, eight a sentence, whose
answers stand in ``meta["annotations"]``. In 47 sentences the label is not what most annotators say.

Traps handled: the label is the clause's stance, not that of whoever quotes it. Five screening sentences were put to
every batch: each is given once, with the 400 answers of all 50 batches, and its label, which was not inferred, is what
most answer. A column ``worker_0`` is another person in each batch. The file has one held-out part, *test*; of the rest,
about one in eight sentences is *dev*: those whose UTF-8 text has a SHA-256 that begins with a byte below 32, so that
the eight sentences that stand there twice, with other annotators, are never in both parts.
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
    """A sentence with the answers of its annotators, in our names, and the published distribution, if any."""

    id: str
    text: str
    held_out: bool
    answers: list[str]
    inferred: dict[str, float] | None

    @property
    def split(self) -> str:
        if self.held_out:
            return "test"
        return "dev" if hashlib.sha256(self.text.encode()).digest()[0] < _DEV_BYTES else "train"


def read(folder: Path, split: str, on_drop: OnDrop) -> Iterator[Record]:
    """The sentences of ``split`` in the order of the file.

    Args:
        folder: a copy of the repository's data.
        split: ``train``, ``dev`` or ``test``.
        on_drop: called for each row that is left out: repeats of screening sentences, and sentences without a label.

    Raises:
        InputError: naming the file and the line.
    """
    screens: dict[str, _Row] = {}
    rows: list[_Row] = []
    for row, is_screen in _rows(folder / "GWSD.tsv"):
        if row.split != split:
            continue
        if is_screen and row.text in screens:
            screens[row.text].answers += row.answers
            on_drop("repeats a screening sentence, whose answers are put together")
            continue
        if is_screen:
            screens[row.text] = row
        rows.append(row)
    for row in rows:
        label = _likeliest(row.inferred or Counter(row.answers))
        if label is None:
            on_drop("annotators are tied, and no distribution was inferred")
        else:
            yield _record(row, label)


def _likeliest(weights: dict[str, float] | Counter[str]) -> str | None:
    best = max(weights.values())
    names = [name for name, weight in weights.items() if weight == best]
    return names[0] if len(names) == 1 else None


def _record(row: _Row, label: str) -> Record:
    counts = Counter(row.answers)
    shares = {name: counts[name] / len(row.answers) for name in LABELS.values()}
    return Record(
        id=f"gwsd:{row.id}",
        text=row.text,
        stances=[Stance(holder=None, target=TARGET, label=label, probabilities=shares)],
        meta={"corpus": "gwsd", "annotations": row.answers},
    )


def _rows(path: Path) -> Iterator[tuple[_Row, bool]]:
    for number, row in read_table(
        read_lines(path), path, dict(zip(_COLUMNS, _COLUMNS, strict=True)), "\t"
    ):
        where = f"{path}, line {number}"
        for worker in _WORKERS:
            if row[worker] not in LABELS:
                raise InputError(f"{where}: {worker}: {unknown('label', row[worker], LABELS)}")
        if row["in_held_out_test"] not in ("True", "False"):
            raise InputError(
                f"{where}: expected True or False for in_held_out_test, found {row['in_held_out_test']!r}"
            )
        parsed = _Row(
            id=row["guid"],
            text=" ".join(row["sentence"].split()),
            held_out=row["in_held_out_test"] == "True",
            answers=[LABELS[row[worker]] for worker in _WORKERS],
            inferred=_inferred(row, where),
        )
        yield parsed, row["sent_id"].startswith("s")


def _inferred(row: dict[str, str], where: str) -> dict[str, float] | None:
    if not any(row[column] for column in _INFERRED):
        return None
    try:
        return {name: float(row[column]) for column, name in _INFERRED.items()}
    except ValueError as error:
        raise InputError(
            f"{where}: expected numbers for {', '.join(_INFERRED)}, found another ({error})"
        ) from None


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
