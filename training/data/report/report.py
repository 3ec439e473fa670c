"""The report of a build: ``report.json``, beside the dataset."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from claimstance.training.data.annotators.agreement import AgreementReport
from claimstance.training.data.building.assign_splits import SplitReport
from claimstance.training.data.building.indexing import LabelProfile
from claimstance.training.data.building.leaks import Overlap
from claimstance.training.data.building.rows import DatasetRows
from claimstance.training.data.building.sources import InputPart
from claimstance.training.data.building.split_groups import sum_counts
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.data.splits import SPLITS

REPORT_FILE = "report.json"  # in the folder of a built dataset
NO_LABEL = "none"  # counts the rows that were annotated with an empty list
_PACKAGES = ("claimstance", "datasets", "datasketch", "numpy", "pydantic", "scikit-learn")

LabelCounts = dict[str, dict[str, int]]  # task → label → count


class SourceReport(BaseModel):
    """Report on one corpus or file.

    Attributes:
        name: the corpus, or the file's name without its suffix.
        licence: the licence of a corpus.
        citation: the citation of a corpus.
        url: the link to a corpus.
        version: the version of a corpus.
        read: number of rows that were read.
        rows: split → number of rows in the dataset. Rows of several annotators become one row, which counts
            for the file of the first.
        labels: split → task → label → count.
        dropped: reason → how often something was left out.
        ties: task → number of labels that are missing because annotators were tied.
        facts: file → facts about it, such as its offsets.
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
    """Report on a built dataset.

    Attributes:
        rows: split → number of rows.
        label_sets: task → its labels in their order.
        labels: split → task → label → count; ``none`` counts the rows annotated with an empty list.
        sources: one report per corpus or file.
        repeated_texts: split → rows with the text of an earlier row, without case and punctuation.
        overlaps: what each pair of splits shares.
        division: how the rows without a split were assigned; ``None`` if there were none.
        agreement: source → agreement of its annotators; sources with one annotator are absent.
        codebook: the codebook that the data was checked against.
        codebook_warnings: warnings of this check.
        targets: the most frequent targets, with split → rows.
        holders: the most frequent sources and holders of stances, likewise.
        lengths: histograms of the sentence lengths.
        soft: task → train sentences, or stances, with a soft label.
        seed: the seed of the split.
        versions: package → version, of packages that influence the dataset.
        fingerprint: SHA-256 over all rows as JSON Lines, split by split, and over soft labels.
        fingerprints: split → SHA-256 over its rows.
    """

    rows: dict[str, int]
    label_sets: dict[str, list[str]]
    labels: dict[str, LabelCounts]
    sources: list[SourceReport]
    repeated_texts: dict[str, int]
    overlaps: list[Overlap]
    division: SplitReport | None = None
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


def load_build_report(folder: Path) -> BuildReport | None:
    """Return the report of the dataset in a folder; ``None`` if it cannot be read."""
    try:
        return BuildReport.model_validate_json((folder / REPORT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def dataset_fingerprint(folder: Path, split: str | None = None) -> str:
    """Return the fingerprint of a dataset or of one split; ``unknown`` if its report cannot be read."""
    # Not validated, since a run must go on with the dataset of an earlier version, whose report has other fields.
    try:
        report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
        return str(report["fingerprint"] if split is None else report["fingerprints"][split])
    except (OSError, ValueError, KeyError):
        return "unknown"


class Fingerprint:
    """Compute the SHA-256 of a dataset: the same rows in the same order have the same fingerprint."""

    def __init__(self) -> None:
        self._dataset_digest = hashlib.sha256()
        self._split_digests: dict[str, Any] = {}
        self._current: Any = None  # the digest of the split that is being added

    def start(self, split: str) -> None:
        """Begin a split, which the following rows belong to."""
        self._current = hashlib.sha256()
        self._split_digests[split] = self._current
        self.add(split.encode())

    def add(self, line: bytes) -> None:
        """Add a row, as a line of JSON without its line end."""
        for digest in (self._dataset_digest, self._current):
            digest.update(line)
            digest.update(b"\n")

    def add_soft(self, soft: Mapping[str, Mapping[str, NDArray[np.float32]]]) -> None:
        """Add soft labels by record id."""
        for record_id, by_task in sorted(soft.items()):
            for task, probabilities in sorted(by_task.items()):
                self._dataset_digest.update(f"{record_id} {task}\n".encode())
                # In the precision in which they are saved.
                self._dataset_digest.update(probabilities.astype(np.float16).tobytes())

    @property
    def of_dataset(self) -> str:
        """Return the fingerprint of all rows and soft labels."""
        return self._dataset_digest.hexdigest()

    def of_split(self, split: str) -> str:
        """Return the fingerprint of the rows of one split."""
        return str(self._split_digests[split].hexdigest())


def count_profile_labels(
    profiles: Sequence[LabelProfile], row_profiles: NDArray[np.int32]
) -> LabelCounts:
    """Return task → label → count; ``none`` counts the rows annotated with an empty list.

    Args:
        profiles: all profiles.
        row_profiles: the profile of each row, as an index.
    """
    profile_labels = [profile.labels for profile in profiles]
    counts: dict[str, Counter[str]] = {}
    for (task, label), count in sum_counts(profile_labels, row_profiles).items():
        task_counts = counts.setdefault(task, Counter())
        name = NO_LABEL if label is None else label
        task_counts[name] += count
    return {task: dict(sorted(count.items())) for task, count in sorted(counts.items())}


def count_soft(rows: DatasetRows, soft: Mapping[str, SoftLabels]) -> dict[str, int]:
    """Return task → number of soft labels: of stances those in train rows, else those in ``soft``."""
    counts: Counter[str] = Counter()
    for by_task in soft.values():
        counts.update(by_task.keys())
    soft_stances = np.array([profile.soft_stances for profile in rows.profiles])
    is_train = rows.split == SPLITS.index("train")
    train_profiles = rows.column("profile")[is_train].astype(np.int32)
    counts["stance"] = int(soft_stances[train_profiles].sum())
    return {task: count for task, count in sorted(counts.items()) if count > 0}


def label_counts_by_split(rows: DatasetRows) -> dict[str, LabelCounts]:
    """Return split → task → label → count."""
    return _counts_by_split(rows, np.ones(len(rows), dtype=np.bool_))


def _counts_by_split(rows: DatasetRows, selected: NDArray[np.bool_]) -> dict[str, LabelCounts]:
    """Return the label counts of the selected rows; splits without such rows are absent."""
    row_profiles = rows.column("profile").astype(np.int32)
    counts = {}
    for index, split in enumerate(SPLITS):
        split_profiles = row_profiles[selected & (rows.split == index)]
        if len(split_profiles):
            counts[split] = count_profile_labels(rows.profiles, split_profiles)
    return counts


def repeated_texts(rows: DatasetRows) -> dict[str, int]:
    """Return split → rows with the text of an earlier row, without case and punctuation."""
    keys = rows.keys("text")
    repeated = {}
    for index, split in enumerate(SPLITS):
        split_keys = keys[rows.split == index]
        if len(split_keys):
            repeated[split] = len(split_keys) - len(np.unique(split_keys))
    return repeated


def report_sources(rows: DatasetRows, ties: Mapping[int, Counter[str]]) -> list[SourceReport]:
    """Report on each corpus or file; those with a split come first, as their rows do.

    Args:
        rows: all rows.
        ties: index of a part → task → number of ties.
    """
    ordered_parts = sorted(rows.input_parts, key=lambda input_part: input_part.split is None)
    first_parts: dict[str, InputPart] = {}
    for input_part in ordered_parts:
        first_parts.setdefault(input_part.name, input_part)

    reports = []
    for name, first_part in first_parts.items():
        indices = []
        source_parts = []
        for index, input_part in enumerate(rows.input_parts):
            if input_part.name == name:
                indices.append(index)
                source_parts.append(input_part)
        selected = np.isin(rows.part_indices, indices)

        split_sizes = {}
        for index, split in enumerate(SPLITS):
            size = int(np.count_nonzero(selected & (rows.split == index)))
            if size:
                split_sizes[split] = size

        facts = {}
        for input_part in source_parts:
            if input_part.read_report.facts:
                facts[input_part.origin] = dict(input_part.read_report.facts)

        reports.append(
            SourceReport(
                name=name,
                read=sum(input_part.row_count for input_part in source_parts),
                rows=split_sizes,
                labels=_counts_by_split(rows, selected),
                dropped=_total(input_part.read_report.dropped for input_part in source_parts),
                ties=_total(ties.get(index, Counter()) for index in indices),
                facts=facts,
                **first_part.provenance,
            )
        )
    return reports


def _total(counts: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sum(counts, Counter[str]()))


def versions() -> dict[str, str]:
    """Return package → version, of the packages that influence the dataset."""
    return {name: metadata.version(name) for name in _PACKAGES}
