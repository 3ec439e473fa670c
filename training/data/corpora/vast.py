"""VAST: the stance of a reader's comment toward a topic, which the comment need not name.

Link: https://github.com/HITSZ-HLT/JointCL and https://github.com/PQH-hub/GLMCL_stance_detection, which hold copies of
*train* and of the other parts of https://github.com/emilyallaway/zero-shot-stance; put the three files into one folder.
Licence: none stated.
Citation: Allaway, McKeown (2020), Zero-Shot Stance Detection: A Dataset and Model using Generalized Topic
Representations, EMNLP.

Labels: con, pro, neutral (*train*: 0, 1, 2; the others: AGAINST, FAVOR, NONE) are ``against``, ``favor``, ``neutral``.
The holder is not named (``None``), and the target is the topic's name.

Traps handled: The topic is ``topic_str``, as in its authors' code and in *dev* and *test*. 2,313 neutral examples of
*train* were made by pairing a comment with a random topic (``meta["synthetic"]``); ``new_topic`` still has the topic
that was replaced. 11 rows of *train* have a spreadsheet's ``#NAME?`` in place of the comment and are left out. So are
rows of *train* that repeat comment, topic and label, unless an option keeps them. If annotators gave different labels
for one comment and topic, each label is a row of its own. No comment is in two parts. ``meta["subset"]`` distinguishes
``zero-shot`` (no row of *train* has the topic) from ``few-shot``. Rows with the same comment have one ``doc_id``.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record, Stance, read_lines
from claimstance.training.data.corpora.base import Corpus, OnDrop, read_table

LABELS = {
    "0": "against",
    "1": "favor",
    "2": "neutral",
    "AGAINST": "against",
    "FAVOR": "favor",
    "NONE": "neutral",
}
SUBSETS = {"0": "zero-shot", "1": "few-shot"}
_TRAIN = {
    "text": "post",
    "topic": "topic_str",
    "label": "label",
    "type": "type_idx",
    "id": "new_id",
}
_HELD_OUT = {"text": "Tweet", "topic": "Target 1", "label": "Stance 1", "seen": "seen?"}
_SYNTHETIC = "4"  # the type of examples that pair a comment with a random topic
_LOST = "#NAME?"  # a spreadsheet shows it for a text that it took for a formula


def read(folder: Path, split: str, on_drop: OnDrop, drop_repeats: bool = True) -> Iterator[Record]:
    """Yield the rows of ``split`` in the order of the file.

    Args:
        folder: the folder with the three files.
        split: ``train``, ``dev`` or ``test``.
        on_drop: called for each row that is left out.
        drop_repeats: leave out rows of *train* that repeat an earlier one's comment, topic and label.

    Raises:
        InputError: naming the file and the line.
    """
    seen: set[tuple[str, str, str]] = set()
    if split == "train":
        path = folder / "vast_train.zip"
        rows = read_table(_unzip(path, "vast_train.csv"), path, _TRAIN)
    else:
        path = folder / f"vast_{split}.csv"
        rows = read_table(read_lines(path), path, _HELD_OUT)
    for number, row in rows:
        location = f"{path}, line {number}"
        text = " ".join(row["text"].split())
        topic = " ".join(row["topic"].split())
        if not text:
            raise InputError(f"{location}: expected a comment and a topic, found no comment")
        if not topic:
            raise InputError(f"{location}: expected a comment and a topic, found no topic")
        if row["label"] not in LABELS:
            raise InputError(f"{location}: {unknown('label', row['label'], LABELS)}")

        meta: dict[str, object] = {"corpus": "vast"}
        if split == "train":
            meta["synthetic"] = row["type"] == _SYNTHETIC
        elif row["seen"] in SUBSETS:
            meta["subset"] = SUBSETS[row["seen"]]
        else:
            raise InputError(f"{location}: expected 0 or 1 for seen?, found {row['seen']!r}")

        key = (text, row["topic"], row["label"])
        if text == _LOST:
            on_drop("comment is lost")
            continue
        if split == "train" and drop_repeats and key in seen:
            on_drop("repeats an earlier row")
            continue
        seen.add(key)
        yield Record(
            # Only *train* has a column of ids; elsewhere the line is the id.
            id=f"vast:{split}:{row.get('id', number)}",
            doc_id=hashlib.sha256(text.encode()).hexdigest()[:16],
            text=text,
            stances=[Stance(holder=None, target=topic, label=LABELS[row["label"]])],
            meta=meta,
        )


def _unzip(path: Path, name: str) -> Iterator[str]:
    """Yield the lines of the file ``name`` in an archive."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig")
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: expected an archive with {name} in UTF-8, found {error}"
        ) from None


CORPUS = Corpus(
    name="vast",
    url="https://github.com/HITSZ-HLT/JointCL and https://github.com/PQH-hub/GLMCL_stance_detection",
    licence="none stated",
    citation="Allaway, McKeown (2020), Zero-Shot Stance Detection: A Dataset and Model using Generalized Topic "
    "Representations, EMNLP",
    version="vast_train.zip e8e3639ae807",
    splits=("train", "dev", "test"),
    tasks=("stance",),
    label_mapping=LABELS,
    reader=read,
)
