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
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xxhash

from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Span, label_counts, text_key
from claimstance.training.data.annotators.questions import question_of
from claimstance.training.data.building.duplicates import DEFAULT_SIMILARITY, sketch
from claimstance.training.data.building.row_store import Column, RaggedArray, RowStore
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.splits import SPLITS, find_split

BATCH = 1000  # rows that are indexed together
NO_DATE, BAD_DATE = 0, -1
NO_SPLIT = -1
_HASH_COLUMNS = (
    "id",
    "id+name",
    "id+origin",
    "id+both",
    "doc",
    "text",
    "item",
    "annotator",
    "outlet",
)
_NUMBER_COLUMNS = ("date", "words", "profile", "split")


class Profile(NamedTuple):
    """Represent the label counts of a row. Rows share few different profiles, so a row stores only an index.

    Attributes:
        corpus: the corpus of the row.
        labels: task → label → count, as tuples. A task whose annotation is an empty list has no label.
        soft_labels: labels that occur in the probabilities of stances.
        soft_stances: number of stances with probabilities.
    """

    corpus: str
    labels: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
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
        names: targets that are names, if they were requested.
    """

    columns: dict[str, Column]
    profiles: list[Profile]
    names: set[str] = field(default_factory=set)


class IndexedStore:
    """Store rows with their columns, profiles and target names.

    Attributes:
        row_store: the rows and their columns.
        workers: the processes that index rows.
        threshold: the similarity from which texts are near-duplicates.
        profiles: the profiles of all rows, with their index.
        names: targets that are names, if they were requested.
    """

    def __init__(
        self, folder: Path, workers: Workers, threshold: float | None, with_names: bool = False
    ) -> None:
        self.row_store = RowStore(folder)
        self.workers = workers
        self.threshold = DEFAULT_SIMILARITY if threshold is None else threshold
        self.profiles: dict[Profile, int] = {}
        self.names: set[str] = set()
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
            numbers = [
                self.profiles.setdefault(profile, len(self.profiles))
                for profile in indexed.profiles
            ]
            batch_numbers = np.asarray(indexed.columns["profile"])
            profiles = np.array(numbers)[batch_numbers].astype(np.int32)
            columns = {**indexed.columns, "profile": profiles}
            # Results come in the order of the batches, so this one is the first in progress.
            self.row_store.append(in_progress.popleft().lines, columns)
            self.names |= indexed.names


def hash_text(text: str) -> int:
    """Return the 64-bit hash of a text."""
    return xxhash.xxh3_64_intdigest(text.encode())


def index_batch(batch: RowBatch) -> IndexedBatch:
    """Compute the columns of a batch."""
    profiles: dict[Profile, int] = {}
    hashes: list[list[int]] = []
    numbers: list[tuple[int, int, int, int]] = []
    answers: list[list[int]] = []
    targets: list[list[int]] = []
    holders: list[list[int]] = []
    names: set[str] = set()
    keys = []
    for line in batch.lines:
        record = Record.model_validate_json(line)
        key = text_key(record.text)
        keys.append(key)
        hashes.append(_row_hashes(record, key, batch))
        words = len(record.text.split())
        profile = profiles.setdefault(_profile(record), len(profiles))
        split = find_split(record.meta.get("split"))
        split_index = NO_SPLIT if split is None else SPLITS.index(split)
        numbers.append((_day(record), words, profile, split_index))
        # The key is part of the hash, so that two sentences never have an answer in common.
        keyed_answers = [f"{key}\0{answer}" for answer in _answers(record)]
        answers.append(_hash_all(keyed_answers))
        targets.append(_hash_all(target_names(record)))
        holders.append(_hash_all(holder_names(record)))
        # There may be as many names as rows, and only the check of a codebook needs them.
        if batch.with_names:
            for stance in record.stances or ():
                if isinstance(stance.target, str):
                    names.add(stance.target)

    columns: dict[str, Column] = {}
    hash_matrix = np.array(hashes, dtype=np.uint64).reshape(-1, len(_HASH_COLUMNS))
    for index, name in enumerate(_HASH_COLUMNS):
        columns[name] = hash_matrix[:, index]
    number_matrix = np.array(numbers, dtype=np.int32).reshape(-1, len(_NUMBER_COLUMNS))
    for index, name in enumerate(_NUMBER_COLUMNS):
        columns[name] = number_matrix[:, index]

    columns["answers"] = RaggedArray.of_hashes(answers)
    columns["targets"] = RaggedArray.of_hashes(targets)
    columns["holders"] = RaggedArray.of_hashes(holders)
    columns["shingles"], bands = sketch(keys, batch.threshold)
    for index, band in enumerate(bands):
        columns[f"band {index}"] = band
    return IndexedBatch(columns, list(profiles), names)


def _hash_all(texts: Iterable[str]) -> list[int]:
    """Return the sorted hashes of distinct texts."""
    return sorted({hash_text(text) for text in texts})


def _row_hashes(record: Record, key: str, batch: RowBatch) -> list[int]:
    """Return the values of ``_HASH_COLUMNS``, in their order."""
    if record.doc_id is not None and record.start is not None:
        item = f"{record.doc_id}\0{record.start}\0{record.text}"
    else:
        # The same text may occur twice, or may have been annotated for different questions.
        questions = sorted({repr(question_of(stance)) for stance in record.stances or ()})
        item = f"{record.doc_id}\0{record.text}\0{questions}"

    outlet = record.meta.get("outlet")
    outlet_key = None if outlet in (None, "") else str(outlet).casefold()

    # The ids with prefixes are needed where parts have ids in common (see ``rows``).
    texts = (
        record.id,
        f"{batch.name}:{record.id}",
        f"{batch.origin}:{record.id}",
        f"{batch.origin}:{batch.name}:{record.id}",
        record.doc_id,
        key,
        item,
        record.annotator,
        outlet_key,
    )
    return [0 if text is None else hash_text(text) for text in texts]


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


def _profile(record: Record) -> Profile:
    """Count the labels of a record."""
    # A profile is the key of a dictionary, and therefore consists of tuples.
    counts = []
    for task, task_counts in label_counts(record).items():
        counts.append((task, tuple(task_counts.items())))
    soft_labels: set[str] = set()
    soft_stances = 0
    for stance in record.stances or ():
        if stance.probabilities is not None:
            soft_stances += 1
            soft_labels.update(stance.probabilities)
    corpus = str(record.meta.get("corpus"))
    return Profile(corpus, tuple(counts), tuple(sorted(soft_labels)), soft_stances)


def _normalized_name(value: Span | str | None, text: str) -> str:
    """Return the casefolded words of a holder or target; an empty text for ``None``."""
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(text[start:end] for start, end in value)
    # Line breaks and double spaces make no other name.
    return " ".join(value.split()).casefold()


def target_names(record: Record) -> set[str]:
    """Return the casefolded targets of a record's stances; mentions are given by their text."""
    names = {_normalized_name(stance.target, record.text) for stance in record.stances or ()}
    return names - {""}


def holder_names(record: Record) -> set[str]:
    """Return the casefolded holders of stances and sources of attributions; mentions by their text."""
    names = {_normalized_name(stance.holder, record.text) for stance in record.stances or ()}
    for attribution in record.attributions or ():
        names.add(_normalized_name(attribution.source, record.text))
    return names - {""}


def _answers(record: Record) -> Iterable[str]:
    """Yield each question that the record answers, with its answer."""
    text = record.text
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            yield f"{task}\0{label}"

    for stance in record.stances or ():
        if stance.label is not None:
            holder = ""
            if stance.holder is not None:
                holder = f"by {_normalized_name(stance.holder, text)}"
            target = _normalized_name(stance.target, text)
            yield f"stance\0{holder}\0{target}\0{stance.label}"

    # All attributions are one answer, as are all entities: a list that lacks one is another answer.
    if record.attributions is not None:
        attributions = []
        for attribution in record.attributions:
            spans = (attribution.source, attribution.cue, attribution.content)
            attributions.append([_normalized_name(span, text) for span in spans])
        yield f"attributions\0{sorted(attributions)}"

    if record.entities is not None:
        entities = []
        for entity in record.entities:
            name = _normalized_name(entity.span, text)
            entities.append((name, entity.label))
        yield f"entities\0{sorted(entities)}"
