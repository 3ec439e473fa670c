"""What a build says about itself: ``report.json``, beside the dataset."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from claimstance.training.data.annotators.agreement import AgreementReport
from claimstance.training.data.building.assign_splits import DivisionReport
from claimstance.training.data.building.indexing import Profile
from claimstance.training.data.building.leaks import Overlap
from claimstance.training.data.building.rows import Rows
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.data.splits import SPLITS

REPORT_FILE = "report.json"  # in the folder of a built dataset
_PACKAGES = ("claimstance", "datasets", "datasketch", "numpy", "pydantic", "scikit-learn")

LabelCounts = dict[str, dict[str, int]]  # task → label → count


class SourceReport(BaseModel):
    """What one corpus, or one file, gave.

    ``read`` counts the rows as they were read; ``rows`` those that they became, where several annotators' rows of one
    sentence become one, told under the file of the first. ``ties`` counts, by task, the labels that are missing since
    annotators were tied. ``facts`` has what was found of each file besides its rows.
    """

    name: str
    licence: str | None = None
    citation: str | None = None
    url: str | None = None
    version: str | None = None
    read: int
    rows: dict[str, int]
    labels: dict[str, LabelCounts]
    dropped: dict[str, int]
    ties: dict[str, int]
    facts: dict[str, dict[str, str]]


class BuildReport(BaseModel):
    """What was built, from what, and what was left out.

    Attributes:
        rows: split → rows.
        label_sets: task → its labels in their order.
        labels: split → task → label → how often; ``none`` counts the rows annotated with an empty list.
        sources: by corpus or file.
        repeated_texts: split → rows with the text of an earlier one, but for case and punctuation.
        overlaps: what each two splits share.
        division: how the rows without a split were divided; ``None`` if there were none.
        agreement: source → how far its annotators agree; sources with one annotator are absent.
        codebook: the codebook that the data was checked against.
        codebook_warnings: what was found then.
        targets: the most frequent ones, with split → rows.
        holders: the most frequent sources and holders of stances, likewise.
        lengths: of the sentences.
        soft: task → train sentences, or stances, with a soft label.
        seed: of the division.
        versions: of the packages that decide what is built.
        fingerprint: SHA-256 over all rows, split by split, as JSON Lines, and over soft labels.
        fingerprints: of each split alone, without soft labels.
    """

    rows: dict[str, int]
    label_sets: dict[str, list[str]]
    labels: dict[str, LabelCounts]
    sources: list[SourceReport]
    repeated_texts: dict[str, int]
    overlaps: list[Overlap]
    division: DivisionReport | None = None
    agreement: dict[str, AgreementReport] = {}
    codebook: dict[str, Any] | None = None
    codebook_warnings: list[str] = []
    targets: list[tuple[str, dict[str, int]]] = []
    holders: list[tuple[str, dict[str, int]]] = []
    lengths: Lengths | None = None
    soft: dict[str, int]
    seed: int
    versions: dict[str, str]
    fingerprint: str
    fingerprints: dict[str, str]


class Fingerprint:
    """The SHA-256 over splits, one after another: the same rows in the same order have the same one."""

    def __init__(self) -> None:
        self._all = hashlib.sha256()
        self._splits: dict[str, Any] = {}
        self._split: Any = None

    def start(self, split: str) -> None:
        """What is added from now on is of this split."""
        self._split = self._splits[split] = hashlib.sha256()
        self.add(split.encode())

    def add(self, line: bytes) -> None:
        """A row, as a line of JSON without its end."""
        for digest in (self._all, self._split):
            digest.update(line)
            digest.update(b"\n")

    def add_soft(self, soft: Mapping[str, Mapping[str, NDArray[np.float32]]]) -> None:
        """Soft labels, by record id."""
        for name, said in sorted(soft.items()):
            for task, shares in sorted(said.items()):
                self._all.update(f"{name} {task}\n".encode() + shares.astype(np.float16).tobytes())

    @property
    def of_all(self) -> str:
        """Over everything."""
        return self._all.hexdigest()

    def of_split(self, split: str) -> str:
        """Over the rows of one split."""
        return str(self._splits[split].hexdigest())


def count_labels(profiles: Sequence[Profile], held: NDArray[np.int32]) -> LabelCounts:
    """Task → label → how often it occurs; ``none`` counts the rows annotated with an empty list.

    Args:
        profiles: what rows are counted by.
        held: the profile of each row.
    """
    counts: dict[str, Counter[str]] = {}
    rows = np.bincount(held, minlength=1)
    for number in np.flatnonzero(rows).tolist():
        for task, labels in profiles[number].labels:
            of_task = counts.setdefault(task, Counter())
            for label, n in labels or (("none", 1),):
                of_task[label] += n * int(rows[number])
    return {task: dict(sorted(count.items())) for task, count in sorted(counts.items())}


def count_soft(rows: Rows, soft: Mapping[str, SoftLabels]) -> dict[str, int]:
    """Task → how many soft labels there are: of stances those in the train rows, of other tasks those in ``soft``."""
    counts = Counter(task for tasks in soft.values() for task in tasks)
    shares = np.array([profile.shares for profile in rows.profiles])
    counts["stance"] = int(
        shares[rows.column("profile")[rows.split == SPLITS.index("train")].astype(np.int32)].sum()
    )
    return dict(sorted((+counts).items()))


def label_counts_by_split(rows: Rows) -> dict[str, LabelCounts]:
    """Split → the counts of its labels."""
    profiles, held = rows.profiles, rows.column("profile").astype(np.int32)
    return {
        name: count_labels(profiles, held[rows.split == place])
        for place, name in enumerate(SPLITS)
        if (rows.split == place).any()
    }


def repeated_texts(rows: Rows) -> dict[str, int]:
    """Split → how many rows have the text of an earlier one, but for case and punctuation."""
    keys = rows.keys("text")
    of_splits = {name: keys[rows.split == place] for place, name in enumerate(SPLITS)}
    return {name: len(held) - len(np.unique(held)) for name, held in of_splits.items() if len(held)}


def report_sources(rows: Rows, ties: Mapping[int, Counter[str]]) -> list[SourceReport]:
    """What each corpus or file gave: those with a split first, as their rows come first.

    Args:
        rows: all rows.
        ties: number of a part → task → how often its annotators were tied.
    """
    order = sorted(rows.parts, key=lambda part: part.split is None)
    profiles, held = rows.profiles, rows.column("profile").astype(np.int32)
    reports = []
    for name in dict.fromkeys(part.name for part in order):
        numbers = [number for number, part in enumerate(rows.parts) if part.name == name]
        parts = [rows.parts[number] for number in numbers]
        mine = np.isin(rows.part, numbers)
        of_splits = {
            split: held[mine & (rows.split == place)] for place, split in enumerate(SPLITS)
        }
        of_splits = {split: of for split, of in of_splits.items() if len(of)}
        reports.append(
            SourceReport(
                name=name,
                read=sum(part.count for part in parts),
                rows={split: len(of) for split, of in of_splits.items()},
                labels={split: count_labels(profiles, of) for split, of in of_splits.items()},
                dropped=_sum(part.reading.dropped for part in parts),
                ties=_sum(ties.get(number, Counter()) for number in numbers),
                facts={
                    part.origin: dict(part.reading.facts) for part in parts if part.reading.facts
                },
                **next((part.about for part in order if part.name == name), {}),
            )
        )
    return reports


def _sum(counts: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sum(counts, Counter[str]()))


def versions() -> dict[str, str]:
    """The versions of the packages that decide what is built."""
    return {name: metadata.version(name) for name in _PACKAGES}
