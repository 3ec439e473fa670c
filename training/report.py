"""What a build says about itself: ``report.json``, beside the dataset."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.feature_extraction.text import CountVectorizer

from claimstance.model.record import Record
from claimstance.training.corpora import Corpus
from claimstance.training.splits import label_counts, text_key

NEAR = 0.8  # Jaccard similarity of word shingles from which two texts are near-duplicates
SHINGLE = 3  # words
EXAMPLES = 5
_CHUNK = 2000  # rows compared at a time: bounds the memory
_PACKAGES = ("claimstance", "datasets", "numpy", "pydantic", "scikit-learn")

LabelCounts = dict[str, dict[str, int]]  # task → label → count


class SourceReport(BaseModel):
    """What one corpus, or one file, gave."""

    name: str
    licence: str | None = None
    citation: str | None = None
    url: str | None = None
    version: str | None = None
    rows: dict[str, int]
    labels: dict[str, LabelCounts]
    dropped: dict[str, int]


class Overlap(BaseModel):
    """Texts that two splits share.

    ``exact`` counts the rows of ``second`` whose text, but for case and punctuation, is in ``first``; ``near`` those
    without such a twin that have a near-duplicate there. ``examples`` of these: the id in ``second``, the id in
    ``first``, and the similarity.
    """

    first: str
    second: str
    exact: int
    near: int
    examples: list[tuple[str, str, float]]


class BuildReport(BaseModel):
    """What was built, from what, and what was left out."""

    rows: dict[str, int]
    label_sets: dict[str, list[str]]
    labels: dict[str, LabelCounts]
    sources: list[SourceReport]
    repeated_texts: dict[str, int]
    overlaps: list[Overlap]
    soft: dict[str, int]  # task → train sentences, or stances, with a soft label
    seed: int
    versions: dict[str, str]
    fingerprint: str
    fingerprints: dict[str, str]  # of each split alone


def count_soft(records: Iterable[Record], soft: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Task → how many soft labels there are: of stances those in the records, of other tasks those in ``soft``."""
    counts = Counter(task for tasks in soft.values() for task in tasks)
    counts["stance"] = sum(stance.probabilities is not None for r in records for stance in r.stances or ())
    return dict(sorted((+counts).items()))


def count_labels(records: Iterable[Record]) -> LabelCounts:
    """Task → label → how often it occurs; ``none`` counts the rows annotated with an empty list."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for task, count in label_counts(record).items():
            counts.setdefault(task, Counter()).update(count or {"none": 1})
    return {task: dict(sorted(count.items())) for task, count in sorted(counts.items())}


def fingerprint(
    splits: Mapping[str, Sequence[Record]], soft: Mapping[str, Mapping[str, NDArray[np.float32]]] | None = None
) -> str:
    """The SHA-256 over all rows, split by split, as JSON Lines, and over soft labels: the same data, the same one."""
    digest = hashlib.sha256()
    for name, records in splits.items():
        digest.update(f"{name}\n".encode())
        for record in records:
            digest.update(f"{record.to_json()}\n".encode())
    for name, said in sorted((soft or {}).items()):
        for task, shares in sorted(said.items()):
            digest.update(f"{name} {task}\n".encode() + shares.astype(np.float16).tobytes())
    return digest.hexdigest()


def repeated_texts(records: Sequence[Record]) -> int:
    """How many records have the text of an earlier one, but for case and punctuation."""
    return len(records) - len({text_key(record.text) for record in records})


def overlaps(splits: Mapping[str, Sequence[Record]]) -> list[Overlap]:
    """Exact and near-duplicates between each two splits.

    Near-duplicates have a Jaccard similarity of word shingles of at least ``NEAR``. It is computed exactly: the sizes
    of all intersections are one product of two sparse matrices, so that no sketch such as MinHash is needed.
    """
    texts = {name: _Texts(records) for name, records in splits.items()}
    vectorizer = CountVectorizer(analyzer=_shingles, binary=True, dtype=np.int32)
    vectorizer.fit(key for known in texts.values() for key in known.ids)
    for known in texts.values():
        known.shingles = vectorizer.transform(known.ids)
    return [_overlap(first, texts[first], second, texts[second]) for first, second in combinations(texts, 2)]


class _Texts:
    """The texts of a split that differ, each with the id of a record that has it, and a row of shingles."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.rows = Counter(text_key(record.text) for record in records)
        self.ids = {text_key(record.text): record.id for record in reversed(records)}
        self.shingles: Any = None  # scipy's sparse matrix, texts × shingles, of ones


def _overlap(first: str, known: _Texts, second: str, asked: _Texts) -> Overlap:
    twins = [text for text in asked.ids if text in known.ids]
    near = [pair for pair in _near(asked, known) if pair[0] not in known.ids]
    return Overlap(
        first=first,
        second=second,
        exact=sum(asked.rows[text] for text in twins),
        near=sum(asked.rows[text] for text, _, _ in near),
        examples=[(asked.ids[text], known.ids[twin], round(value, 3)) for text, twin, value in near[:EXAMPLES]],
    )


def _near(asked: _Texts, known: _Texts) -> Iterator[tuple[str, str, float]]:
    """Each asked text that has a near-duplicate among the known, with the most similar and the similarity."""
    texts, known_texts = list(asked.ids), list(known.ids)
    sizes, known_sizes = (np.asarray(side.shingles.sum(axis=1)).ravel() for side in (asked, known))
    for start in range(0, len(texts), _CHUNK):
        shared = (asked.shingles[start : start + _CHUNK] @ known.shingles.T).tocsr()
        for row, (left, right) in enumerate(pairwise(shared.indptr), start):
            if left == right:
                continue
            places, common = shared.indices[left:right], shared.data[left:right]
            similarity = common / (sizes[row] + known_sizes[places] - common)
            best = int(np.argmax(similarity))
            if similarity[best] >= NEAR:
                yield texts[row], known_texts[places[best]], float(similarity[best])


def _shingles(text: str) -> list[str]:
    """The runs of ``SHINGLE`` words; the whole text where it has no more."""
    words = text.split()
    return [" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))]


def versions() -> dict[str, str]:
    """The versions of the packages that decide what is built."""
    return {name: metadata.version(name) for name in _PACKAGES}


def provenance(corpus: Corpus) -> dict[str, str]:
    """Where a public corpus comes from, for its ``SourceReport``."""
    return {key: getattr(corpus, key) for key in ("licence", "citation", "url", "version")}
