"""CheckThat! 2024, task 1, English: which sentences of US debates are worth checking.

Link: https://github.com/isyufeng/FactFinders (a participant's repository, with the task's files)
Licence: MIT, as stated on that repository.
Citation: Barrón-Cedeño et al. (2024), The CLEF-2024 CheckThat! Lab: Check-Worthiness, Subjectivity, Persuasion, Roles,
Authorities, and Adversarial Robustness, ECIR.

Labels: *Yes* is ``yes``, *No* is ``no``.

Traps handled: Fields are quoted as in CSV. One row of *train* lost its line end, so that one line has two rows; both
are read, which gives 22,501 rows. The debates of *dev* are those of *train*, and *test* has later ones. The splits
*earlier* and *later* divide *train* and *dev* together by time, so that choices can be made on debates that the model
was not trained on, as in the test. The texts are debate speech, not news, and contain nearly all of ClaimBuster: never
train on one of the two and test on the other.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record
from claimstance.training.data.corpora.base import Corpus, OnDrop, read_tsv

LABELS = {"Yes": "yes", "No": "no"}
_FILES = {
    "train": ("train",),
    "dev": ("dev",),
    "test": ("test_gold",),
    "earlier": ("train", "dev"),
    "later": ("train", "dev"),
}
#: Sentence ids follow the calendar; nine tenths of the rows of train and dev have an id below this one.
LATER_FROM = 29_625
_GLUED = re.compile(r"(Yes|No)(\d+)$")


def read(folder: Path, split: str, on_drop: OnDrop) -> Iterator[Record]:
    """Yield the rows of ``split`` in the order of its files.

    Args:
        folder: a copy of the repository.
        split: ``train``, ``dev`` or ``test`` as published, whole, or ``earlier`` or ``later``.
        on_drop: called for each row of *later* whose sentence is in *earlier*; all others are read.

    Raises:
        InputError: naming the file and the line.
    """
    records: list[Record] = []
    for name in _FILES[split]:
        records += _rows(folder / "data" / f"CT24_checkworthy_english_{name}.tsv")

    if split not in ("earlier", "later"):
        yield from records
        return

    earlier_texts = {record.text for record in records if int(record.id) < LATER_FROM}
    for record in records:
        is_later = int(record.id) >= LATER_FROM
        if is_later != (split == "later"):
            continue
        # Otherwise a choice would be made on sentences that were trained on.
        if is_later and record.text in earlier_texts:
            on_drop("sentence is in earlier")
        else:
            yield record


def _rows(path: Path) -> Iterator[Record]:
    """Yield the records of a file, without its header."""
    for number, row in read_tsv(path, (3, 5)):
        if row[0] == "Sentence_id":
            continue
        location = f"{path}, line {number}"
        rows = [row]
        if len(row) == 5:
            # A lost line end leaves two rows in one line: ``id, text, No29286, text, No``.
            glued = _GLUED.match(row[2])
            if glued is None:
                raise InputError(
                    f"{location}: expected a sentence id, a text and a label, found 5 columns"
                )
            rows = [[row[0], row[1], glued[1]], [glued[2], row[3], row[4]]]
        for sentence_id, text, label in rows:
            if label.strip() not in LABELS:
                raise InputError(f"{location}: {unknown('label', label, LABELS)}")
            yield Record(
                id=sentence_id,
                text=text,
                check_worthy=LABELS[label.strip()],
                meta={"corpus": "checkthat2024"},
            )


CORPUS = Corpus(
    name="checkthat2024",
    url="https://github.com/isyufeng/FactFinders",
    licence="MIT, as stated on that repository",
    citation="Barrón-Cedeño et al. (2024), The CLEF-2024 CheckThat! Lab, ECIR",
    version="data/CT24_checkworthy_english_train.tsv c86e5338b1ff",
    splits=tuple(_FILES),
    tasks=("check_worthy",),
    label_mapping=LABELS,
    reader=read,
)
