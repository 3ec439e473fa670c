"""NewsMTSC: the sentence's stance toward one person mentioned in it.

Link: https://github.com/fhamborg/NewsMTSC
Licence: MIT.
Citation: Hamborg, Donnay (2021), NewsMTSC: A Dataset for (Multi-)Target-dependent Sentiment Classification in Political
News Articles, EACL.

Labels: polarity -1, 0, 1 is ``against``, ``neutral``, ``favor``. The holder is not named (``None``), and the target is
the mention ``[from, to)``.

Traps handled: The two sets share one *train*. 3 rows of *rw-test* and 5 of *mt-test* have their sentence in *train*;
they are left out unless an option keeps them. Names in the ids may contain underscores and line ends. Sentences of one
article, and articles that share a sentence, have one ``doc_id``.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Stance, read_lines
from claimstance.training.data.corpora.base import Corpus, OnDrop

LABELS = {-1: "against", 0: "neutral", 1: "favor"}
_FILES = {
    "train": "newsmtsc-rw-hf/train.jsonl",
    "rw-dev": "newsmtsc-rw-hf/dev.jsonl",
    "rw-test": "newsmtsc-rw-hf/test.jsonl",
    "mt-dev": "newsmtsc-mt-hf/dev.jsonl",
    "mt-test": "newsmtsc-mt-hf/test.jsonl",
}
_ARTICLE = re.compile(r"allsides_\d+_\d+|polusa_v\d+_\d+")


def read(folder: Path, split: str, on_drop: OnDrop, drop_seen: bool = True) -> Iterator[Record]:
    """Yield the rows of ``split`` in the order of the file.

    Args:
        folder: a copy of the repository.
        split: ``train``, ``rw-dev``, ``rw-test``, ``mt-dev`` or ``mt-test``.
        on_drop: called for each row that is left out.
        drop_seen: leave out rows of the tests whose sentence is in *train*.

    Raises:
        InputError: naming the file and the line.
    """
    datasets = folder / "NewsSentiment" / "experiments" / "default" / "datasets"
    records = list(_rows(datasets / _FILES[split]))
    # Articles that share a sentence are one document, so that they stay in one split.
    groups = _articles_that_share_a_sentence(records)
    names = [record.doc_id for record in records]
    seen: set[str] = set()
    if drop_seen and split.endswith("test"):
        seen = {record.text for record in _rows(datasets / _FILES["train"])}
    for record, group in zip(records, groups, strict=True):
        if record.text in seen:
            on_drop("sentence is in train")
            continue
        if split != "train":
            record.meta["subset"] = split[:2]  # rw and mt are measured apart
        record.doc_id = names[group]
        yield record


def _articles_that_share_a_sentence(records: Sequence[Record]) -> list[int]:
    """Return the group of each record, as the index of the group's first record.

    Records with the same article or the same text are in one group, and so are those that others connect. This is
    a union-find: ``parents`` points from each record to an earlier one of its group.
    """
    parents = list(range(len(records)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]  # halves the path for the next look-up
            index = parents[index]
        return index

    first_with: dict[tuple[str, str | None], int] = {}
    for index, record in enumerate(records):
        for key in (("article", record.doc_id), ("text", record.text)):
            earlier_root = root(first_with.setdefault(key, index))
            own_root = root(index)
            # The lesser becomes the parent, so that the root of a group is its first record.
            parents[max(earlier_root, own_root)] = min(earlier_root, own_root)
    return [root(index) for index in range(len(records))]


def _rows(path: Path) -> Iterator[Record]:
    """Yield the record of each row, with its article as ``doc_id``."""
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        location = f"{path}, line {number}"
        try:
            row = json.loads(line)
            text, start, end, mention = row["sentence"], row["from"], row["to"], row["mention"]
            label = LABELS[row["polarity"]]
            covered = text[start:end]
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{location}: expected sentence, mention, from, to, polarity (-1, 0 or 1) and id, "
                f"found none or another ({error!r})"
            ) from None

        if covered != mention:
            raise InputError(
                f"{location}: expected the mention {mention!r} at [{start}, {end}), found {covered!r}"
            )

        article = _ARTICLE.match(row["id"])
        yield Record(
            id=row["id"],
            doc_id=article.group() if article else row["id"],
            text=text,
            stances=[Stance(holder=None, target=[(start, end)], label=label)],
            meta={"corpus": "newsmtsc"},
        )


CORPUS = Corpus(
    name="newsmtsc",
    url="https://github.com/fhamborg/NewsMTSC",
    licence="MIT",
    citation="Hamborg, Donnay (2021), NewsMTSC: A Dataset for (Multi-)Target-dependent Sentiment Classification in "
    "Political News Articles, EACL",
    version="newsmtsc-rw-hf/train.jsonl e78c7964aad1",
    splits=tuple(_FILES),
    tasks=("stance",),
    label_mapping={str(polarity): label for polarity, label in LABELS.items()},
    reader=read,
)
