"""What a build keeps of a row besides its line: numbers by which rows are named, put together, divided and compared.

Texts, names and ids stand there as 64-bit hashes (XXH3). That two of a million rows share one by chance has a
probability of 3 in 100 million. A hash of 0 is none. The columns:

=================  =================================================================================================
``id``             the id; ``id by name``, ``id by origin``, ``id by both``: with what may be put before it
``doc``            the document
``text``           the text, but for case and punctuation
``item``           what several annotators' records of one sentence have in common
``annotator``      who
``outlet``         ``meta.outlet``
``date``           the day of ``meta.date``, from the first of the year 1; ``NO_DATE``, ``BAD_DATE``
``split``          the place in ``SPLITS`` of ``meta.split``; ``UNDIVIDED`` for none
``profile``        a place in ``Index.profiles``
``asked``          each question with the text and the answer (several for a row)
``targets``        each stance's target (several for a row)
``holders``        each stance's holder and each attribution's source (several for a row)
``words``          how many
``shingles``       the runs of words, and ``band 0``, ``band 1``, …: see ``duplicates``
=================  =================================================================================================
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import xxhash

from claimstance.model.record import Record, Span, Stance, label_counts, text_key
from claimstance.training.data.annotators.questions import question_of
from claimstance.training.data.building.duplicates import sketch
from claimstance.training.data.building.row_store import Column, Ragged
from claimstance.training.data.splits import SPLITS, find_split

NO_DATE, BAD_DATE = 0, -1
UNDIVIDED = -1
_SENTENCE = ("claim", "check_worthy", "subjective")
_HASHES = (
    "id",
    "id by name",
    "id by origin",
    "id by both",
    "doc",
    "text",
    "item",
    "annotator",
    "outlet",
)


class Profile(NamedTuple):
    """What rows are counted by. Few rows differ in it, so that a row keeps a number in its place."""

    corpus: str
    labels: tuple[
        tuple[str, tuple[tuple[str, int], ...]], ...
    ]  # task → label → how often; annotated, none: no label
    probable: tuple[str, ...]  # labels that a stance's probabilities name
    shares: int  # stances with probabilities


@dataclass(frozen=True)
class Batch:
    """Some rows of one part, as lines of JSON.

    Attributes:
        name: of the part.
        origin: of the part.
        near: the similarity of near-duplicates.
        lines: the rows.
        names: whether the names of targets are asked for.
    """

    name: str
    origin: str
    near: float
    lines: Sequence[bytes]
    names: bool = False

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class Index:
    """The columns of some rows, as the module's text has them."""

    columns: dict[str, Column]
    profiles: list[Profile]
    names: set[str] = field(default_factory=set)  # of targets that are names


def hashed(text: str) -> int:
    """64 bits that stand for a text."""
    return xxhash.xxh3_64_intdigest(text.encode())


def index(batch: Batch) -> Index:
    """The columns of a batch."""
    profiles: dict[Profile, int] = {}
    rows: list[list[int]] = []
    numbers: list[tuple[int, int, int, int]] = []
    asked: list[list[int]] = []
    targets: list[list[int]] = []
    holders: list[list[int]] = []
    names: set[str] = set()
    keys = []
    for line in batch.lines:
        record = Record.model_validate_json(line)
        key = text_key(record.text)
        keys.append(key)
        rows.append(_hashes(record, key, batch))
        words = len(record.text.split())
        number = profiles.setdefault(_profile(record), len(profiles))
        numbers.append((_day(record), words, number, _split(record)))
        asked.append(sorted({hashed(f"{key}\0{said}") for said in _answers(record)}))
        targets.append(sorted({hashed(name) for name in target_names(record)}))
        holders.append(sorted({hashed(name) for name in holder_names(record)}))
        if batch.names:
            names.update(
                stance.target for stance in record.stances or () if isinstance(stance.target, str)
            )
    hashes = np.array(rows, dtype=np.uint64).reshape(-1, len(_HASHES))
    columns: dict[str, Column] = {name: hashes[:, place] for place, name in enumerate(_HASHES)}
    counted = np.array(numbers, dtype=np.int32).reshape(-1, 4)
    columns |= {
        name: counted[:, place] for place, name in enumerate(("date", "words", "profile", "split"))
    }
    columns |= {"asked": _ragged(asked), "targets": _ragged(targets), "holders": _ragged(holders)}
    columns["shingles"], found = sketch(keys, batch.near)
    columns |= {f"band {number}": band for number, band in enumerate(found)}
    return Index(columns, list(profiles), names)


def _ragged(rows: Sequence[Sequence[int]]) -> Ragged:
    values = [value for row in rows for value in row]
    return Ragged(
        np.array(values, dtype=np.uint64), np.array([len(row) for row in rows], dtype=np.int32)
    )


def _hashes(record: Record, key: str, batch: Batch) -> list[int]:
    """Those of ``_HASHES``, in their order."""
    outlet = record.meta.get("outlet")
    texts = (
        record.id,
        f"{batch.name}:{record.id}",
        f"{batch.origin}:{record.id}",
        f"{batch.origin}:{batch.name}:{record.id}",
        record.doc_id,
        key,
        _item(record),
        record.annotator,
        None if outlet in (None, "") else str(outlet).casefold(),
    )
    return [0 if text is None else hashed(text) for text in texts]


def _item(record: Record) -> str:
    """What the annotations of one sentence have in common.

    Document, start and text. Where one of the former two is missing, the same text may be put to annotators with other
    questions, and may stand in the document twice: then what was asked of it counts, too.
    """
    if record.doc_id is not None and record.start is not None:
        return f"{record.doc_id}\0{record.start}\0{record.text}"
    asked = sorted({repr(question_of(stance)) for stance in record.stances or ()})
    return f"{record.doc_id}\0{record.text}\0{asked}"


def _day(record: Record) -> int:
    """The day of ``meta.date``, from 1; ``NO_DATE``, or ``BAD_DATE`` for what is not written as ISO 8601 has it."""
    written = record.meta.get("date")
    if written in (None, ""):
        return NO_DATE
    try:
        return datetime.date.fromisoformat(str(written)[:10]).toordinal()
    except ValueError:
        return BAD_DATE


def _split(record: Record) -> int:
    split = find_split(record.meta.get("split"))
    return UNDIVIDED if split is None else SPLITS.index(split)


def _profile(record: Record) -> Profile:
    counts = tuple((task, tuple(count.items())) for task, count in label_counts(record).items())
    shares = [
        stance.probabilities for stance in record.stances or () if stance.probabilities is not None
    ]
    probable = tuple(sorted({label for share in shares for label in share}))
    return Profile(str(record.meta.get("corpus")), counts, probable, len(shares))


def _name(value: Span | str | None, text: str) -> str:
    """A holder or target by its words, whether it is a name or a mention."""
    if isinstance(value, list):
        value = " ".join(text[start:end] for start, end in value)
    return " ".join((value or "").split()).casefold()


def target_names(record: Record) -> set[str]:
    """The targets of a record's stances, casefolded; mentions by their text."""
    return {_name(stance.target, record.text) for stance in record.stances or ()} - {""}


def holder_names(record: Record) -> set[str]:
    """Who is said to have a stance or to say something in a record, casefolded; mentions by their text."""
    named = [stance.holder for stance in record.stances or ()]
    sources = [attribution.source for attribution in record.attributions or ()]
    return {_name(value, record.text) for value in [*named, *sources]} - {""}


def _answers(record: Record) -> Iterable[str]:
    """Everything that the record says of its text: each question with its answer."""
    for task in _SENTENCE:
        if (label := getattr(record, task)) is not None:
            yield f"{task}\0{label}"
    for stance in record.stances or ():
        if stance.label is not None:
            yield _stance(stance, record.text)
    if record.attributions is not None:
        parts = [
            [_name(part, record.text) for part in (a.source, a.cue, a.content)]
            for a in record.attributions
        ]
        yield f"attributions\0{sorted(parts)}"
    if record.entities is not None:
        yield f"entities\0{sorted((_name(entity.span, record.text), entity.label) for entity in record.entities)}"


def _stance(stance: Stance, text: str) -> str:
    holder = "" if stance.holder is None else f"by {_name(stance.holder, text)}"
    return f"stance\0{holder}\0{_name(stance.target, text)}\0{stance.label}"
