"""The store of rows, with numeric columns to assign ids, merge annotations, create splits and find duplicates.

Texts, names and ids are 64-bit hashes (XXH3); two of a million rows share one by chance with a probability
of 3 in 100 million. A hash of 0 means that the value is missing. The columns:

==================  ========================================================================================
``id``              the id; ``id+name``, ``id+origin``, ``id+both`` include possible prefixes of the id
``doc``             the document
``text``            the text, without case and punctuation
``item``            identifies the sentence, so that records of several annotators share it
``annotator``       the annotator
``outlet``          ``meta.outlet``
``date``            the day of ``meta.date``, from the first of the year 1; ``NO_DATE``, ``BAD_DATE``
``split``           the index in ``SPLITS`` of ``meta.split``; ``NO_SPLIT`` if there is none
``profile``         an index in ``IndexedBatch.profiles``
``answers``         each question with the text and the answer (several per row)
``targets``         the target of each stance (several per row)
``holders``         the holder of each stance and the source of each attribution (several per row)
``words``           the number of words
``shingles``        the hashes of word trigrams, and ``band 0``, ``band 1``, …: see ``duplicates``
==================  ========================================================================================
"""

import datetime
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xxhash

from claimstance.model.errors import InputError
from claimstance.model.record import Record, label_counts, text_key
from claimstance.training.data.annotators.questions import (
    answer_texts,
    holder_names,
    question_of,
    target_names,
)
from claimstance.training.data.building.duplicates import DEFAULT_SIMILARITY, sketch
from claimstance.training.data.building.row_store import Column, RaggedArray, RowStore
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.splits import SPLITS, find_split

BATCH = 1000  # rows that are indexed together
NO_DATE, BAD_DATE = 0, -1
NO_SPLIT = -1


TaskLabel = tuple[str, str | None]  # ``None`` stands for an annotation that is an empty list


class LabelProfile(NamedTuple):
    """Represent the label counts of a row. Rows share few different profiles, so a row stores only an index.

    Attributes:
        corpus: the corpus of the row.
        labels: task and label → count, as tuples.
        soft_labels: labels that occur in the probabilities of stances.
        soft_stances: number of stances with probabilities.
    """

    corpus: str
    labels: tuple[tuple[TaskLabel, int], ...]
    soft_labels: tuple[str, ...]
    soft_stances: int


@dataclass(frozen=True)
class RowBatch:
    """Represent rows of one input part, as lines of JSON.

    Attributes:
        name: the name of the part.
        origin: the origin of the part.
        threshold: the similarity of near-duplicates.
        lines: the rows.
        with_names: whether to collect the names of targets.
    """

    name: str
    origin: str
    threshold: float
    lines: Sequence[bytes]
    with_names: bool = False

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class IndexedBatch:
    """Represent the columns of a batch; the module's docstring lists them.

    Attributes:
        columns: column name → values.
        profiles: the profiles that the column ``profile`` refers to.
        named_targets: targets that are names, if they were requested.
    """

    columns: dict[str, Column]
    profiles: list[LabelProfile]
    named_targets: set[str] = field(default_factory=set)


class IndexedStore:
    """Store rows with their columns, profiles and target names.

    Attributes:
        row_store: the rows and their columns.
        workers: the processes that index rows.
        threshold: the similarity from which texts are near-duplicates.
        profiles: the profiles of all rows, with their index.
        named_targets: targets that are names, if they were requested.
    """

    def __init__(
        self, folder: Path, workers: Workers, threshold: float | None, with_names: bool = False
    ) -> None:
        self.row_store = RowStore(folder)
        self.workers = workers
        self.threshold = DEFAULT_SIMILARITY if threshold is None else threshold
        self.profiles: dict[LabelProfile, int] = {}
        self.named_targets: set[str] = set()
        self._with_names = with_names  # optional, as there may be as many names as rows

    def batches(self, records: Iterable[Record], name: str, origin: str) -> Iterator[RowBatch]:
        """Yield the records of an input part in batches.

        Args:
            records: the records.
            name: the name of the part.
            origin: the origin of the part.

        Raises:
            InputError: for text that is not valid Unicode.
        """
        lines: list[bytes] = []
        for record in records:
            try:
                lines.append(record.to_json().encode())
            except UnicodeEncodeError:
                raise InputError(
                    f"{origin}: {record.id!r}: expected Unicode text, found half of a surrogate pair"
                ) from None
            if len(lines) == BATCH:
                yield RowBatch(name, origin, self.threshold, lines, self._with_names)
                lines = []
        if lines:
            yield RowBatch(name, origin, self.threshold, lines, self._with_names)

    def add(self, batches: Iterable[RowBatch]) -> None:
        """Index and store batches."""
        # The workers return columns only, so the lines of batches in progress stay here.
        in_progress: deque[RowBatch] = deque()

        def batches_to_index() -> Iterator[RowBatch]:
            for batch in batches:
                in_progress.append(batch)
                yield batch

        for indexed in self.workers.map(index_batch, batches_to_index()):
            # A batch numbers its own profiles: replace the numbers by those of the whole store.
            for profile in indexed.profiles:
                self.profiles.setdefault(profile, len(self.profiles))
            numbers = [self.profiles[profile] for profile in indexed.profiles]
            batch_numbers = np.asarray(indexed.columns["profile"])
            indexed.columns["profile"] = np.array(numbers, dtype=np.int32)[batch_numbers]
            # Results come in the order of the batches, so this one is the first in progress.
            batch = in_progress.popleft()
            self.row_store.append(batch.lines, indexed.columns)
            self.named_targets |= indexed.named_targets


def hash_text(text: str) -> int:
    """Return the 64-bit hash of a text."""
    return xxhash.xxh3_64_intdigest(text.encode())


def index_batch(batch: RowBatch) -> IndexedBatch:
    """Compute the columns of a batch."""
    text_keys: list[str] = []
    profiles: dict[LabelProfile, int] = {}
    named_targets: set[str] = set()
    # Column → the hash, the number, or the hashes of each row.
    hashes: dict[str, list[int]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    hash_lists: dict[str, list[list[int]]] = defaultdict(list)
    for line in batch.lines:
        record = Record.model_validate_json(line)
        key = text_key(record.text)
        text_keys.append(key)
        for name, text in _row_texts(record, key, batch).items():
            hashes[name].append(0 if text is None else hash_text(text))

        profile = _label_profile(record)
        numbers["profile"].append(profiles.setdefault(profile, len(profiles)))
        numbers["date"].append(_day(record))
        numbers["split"].append(_split_index(record))
        numbers["words"].append(len(record.text.split()))

        # The key is part of the hash, so that two sentences never have an answer in common.
        answers = [f"{key}\0{answer}" for answer in answer_texts(record)]
        hash_lists["answers"].append(_hash_all(answers))
        hash_lists["targets"].append(_hash_all(target_names(record)))
        hash_lists["holders"].append(_hash_all(holder_names(record)))

        # There may be as many names as rows, and only the check of a codebook needs them.
        if batch.with_names:
            for stance in record.stances or ():
                if isinstance(stance.target, str):
                    named_targets.add(stance.target)

    columns: dict[str, Column] = {}
    for name, values in hashes.items():
        columns[name] = np.array(values, dtype=np.uint64)
    for name, values in numbers.items():
        columns[name] = np.array(values, dtype=np.int32)
    for name, rows in hash_lists.items():
        columns[name] = RaggedArray.of_hashes(rows)
    columns["shingles"], bands = sketch(text_keys, batch.threshold)
    for index, band in enumerate(bands):
        columns[f"band {index}"] = band
    return IndexedBatch(columns, list(profiles), named_targets)


def _hash_all(texts: Iterable[str]) -> list[int]:
    """Return the sorted hashes of distinct texts."""
    return sorted({hash_text(text) for text in texts})


def _row_texts(record: Record, key: str, batch: RowBatch) -> dict[str, str | None]:
    """Return column → the text whose hash it contains; ``None`` if the row has none.

    Args:
        record: the row.
        key: its text, without case and punctuation.
        batch: the batch of the row.
    """
    if record.doc_id is not None and record.start is not None:
        item = f"{record.doc_id}\0{record.start}\0{record.text}"
    else:
        # The same text may occur twice, or may have been annotated for different questions.
        questions = sorted({repr(question_of(stance)) for stance in record.stances or ()})
        item = f"{record.doc_id}\0{record.text}\0{questions}"

    outlet = record.meta.get("outlet")
    outlet_key = None if outlet in (None, "") else str(outlet).casefold()

    return {
        "id": record.id,
        # The ids with prefixes are needed where parts have ids in common (see ``rows``).
        "id+name": f"{batch.name}:{record.id}",
        "id+origin": f"{batch.origin}:{record.id}",
        "id+both": f"{batch.origin}:{batch.name}:{record.id}",
        "doc": record.doc_id,
        "text": key,
        "item": item,
        "annotator": record.annotator,
        "outlet": outlet_key,
    }


def _split_index(record: Record) -> int:
    """Return the index in ``SPLITS`` of ``meta.split``, or ``NO_SPLIT``."""
    split = find_split(record.meta.get("split"))
    if split is None:
        return NO_SPLIT
    return SPLITS.index(split)


def _day(record: Record) -> int:
    """Return the day of ``meta.date`` from 1, ``NO_DATE``, or ``BAD_DATE`` if it is not ISO 8601."""
    date = record.meta.get("date")
    if date in (None, ""):
        return NO_DATE
    try:
        # A time of day may follow the ten characters of the date.
        return datetime.date.fromisoformat(str(date)[:10]).toordinal()
    except ValueError:
        return BAD_DATE


def _label_profile(record: Record) -> LabelProfile:
    """Count the labels of a record."""
    counts: list[tuple[TaskLabel, int]] = []
    for task, task_counts in label_counts(record).items():
        if not task_counts:
            counts.append(((task, None), 1))
        for label, count in task_counts.items():
            counts.append(((task, label), count))

    soft_labels: set[str] = set()
    soft_stances = 0
    for stance in record.stances or ():
        if stance.probabilities is not None:
            soft_stances += 1
            soft_labels.update(stance.probabilities)
    # A profile is the key of a dictionary, and therefore consists of tuples.
    return LabelProfile(
        corpus=str(record.meta.get("corpus")),
        labels=tuple(counts),
        soft_labels=tuple(sorted(soft_labels)),
        soft_stances=soft_stances,
    )
