"""NewsSD-ENG: whether a news sentence gives its author's own view.

Link: https://github.com/nlp-unibo/newssd-eng
Licence: CC BY 4.0.
Citation: Antici, Ruggeri, Galassi, Korre, Muti, Bardi, Fedotova, Barrón-Cedeño (2024), A Corpus for Sentence-Level
Subjectivity Detection on English News Articles, LREC-COLING.

Labels: *OBJ* is ``objective``, *SUBJ* is ``subjective``; ``meta["solved_conflict"]`` is true where the annotators
disagreed and settled it afterwards.

Traps handled: Sentences end in a line end, inside the quotation marks. Rows of *train* that repeat an earlier one are
read once. The file does not name the article of a sentence. No sentence is in two parts. A third of *train* is
subjective, but half of *val* and *test*. The later CheckThat! subjectivity sets contain this corpus: never train on
them and test on this one.
"""

from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record, read_lines
from claimstance.training.data.corpora.base import Corpus, OnDrop, read_table

LABELS = {"OBJ": "objective", "SUBJ": "subjective"}
_COLUMNS = {"text": "Sentence", "label": "Label", "conflict": "Solved conflict"}


def read(folder: Path, split: str, on_drop: OnDrop) -> Iterator[Record]:
    """Yield the rows of ``split`` in the order of the file.

    Args:
        folder: a copy of the repository.
        split: ``train``, ``val`` or ``test``.
        on_drop: called for each row of *train* that repeats an earlier one.

    Raises:
        InputError: naming the file and the line.
    """
    path = folder / "data" / "english" / f"{split}.csv"
    seen: set[tuple[str, str]] = set()
    for number, row in read_table(read_lines(path), path, _COLUMNS):
        text, label = row["text"].strip(), row["label"]
        if label not in LABELS:
            raise InputError(f"{path}, line {number}: {unknown('label', label, LABELS)}")
        if split == "train" and (text, label) in seen:
            on_drop("repeats an earlier row")
            continue
        seen.add((text, label))
        yield Record(
            id=f"newssd:{split}:{number}",
            text=text,
            subjective=LABELS[label],
            meta={"corpus": "newssd", "solved_conflict": row["conflict"] == "True"},
        )


CORPUS = Corpus(
    name="newssd",
    url="https://github.com/nlp-unibo/newssd-eng",
    licence="CC BY 4.0",
    citation="Antici et al. (2024), A Corpus for Sentence-Level Subjectivity Detection on English News Articles, "
    "LREC-COLING",
    version="data/english/train.csv b623253a3ca1",
    splits=("train", "val", "test"),
    tasks=("subjective",),
    label_mapping=LABELS,
    reader=read,
)
