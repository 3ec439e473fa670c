"""Build one saved dataset with a report from annotated files and public corpora.

The memory of a build barely grows with the number of rows: rows are read once and stored on disk (``sources``,
``row_store``) with columns of numbers about them (``indexing``). By these columns alone, annotations of one
sentence become one row (``adjudication``), rows get their ids (``rows``) and their splits
(``assign_splits``); then each split is written from the store. Teachers are models, which nothing in this
package loads: ``claimstance.training.pipeline`` passes ``build`` a function that runs them, and the train
split is held in memory for it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record
from claimstance.training.data.annotators.questions import holder_names, target_names
from claimstance.training.data.arrow_rows import LineBatch, to_arrow_stream
from claimstance.training.data.building.adjudication import adjudicate_items, agreement_of_answers
from claimstance.training.data.building.assign_splits import assign_splits
from claimstance.training.data.building.groups import RowIndices
from claimstance.training.data.building.indexing import NO_SPLIT, IndexedStore
from claimstance.training.data.building.label_sets import check_label_sets, label_sets
from claimstance.training.data.building.leaks import find_overlaps
from claimstance.training.data.building.rows import DatasetRows, index_rows
from claimstance.training.data.building.sources import InputPart, read_sources
from claimstance.training.data.building.staging import staging_folder
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import INDEX_FILE, DatasetWriter, load_labels
from claimstance.training.data.label_checks import split_warnings
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.page import PAGE_FILE, write_report_page
from claimstance.training.data.report.report import (
    NO_LABEL,
    REPORT_FILE,
    BuildReport,
    Fingerprint,
    count_profile_labels,
    count_soft,
    label_counts_by_split,
    repeated_texts,
    report_sources,
    versions,
)
from claimstance.training.data.report.top_names import top_names
from claimstance.training.data.soft_labels import SoftLabels, save_soft
from claimstance.training.data.splits import SPLITS

_LOG = logging.getLogger(__name__)
SAMPLES = 20  # records that the report shows

Progress = Callable[[int], None]
Labels = Mapping[str, Sequence[str]]
#: Adds stances with probabilities to the train records, and returns other soft labels by record id.
SoftLabeller = Callable[[Sequence[Record], Labels], dict[str, SoftLabels]]


def build(
    config: DataConfig,
    out: Path | str,
    progress: Progress | None = None,
    overwrite: bool = False,
    soft_labeller: SoftLabeller | None = None,
) -> BuildReport:
    """Read all sources, split the rows, and write a ``datasets.DatasetDict`` with ``report.json``.

    If the build fails, nothing is written to ``out``.

    Args:
        config: the sources, the label sets and the settings of the split.
        out: the folder to write.
        progress: called with the number of rows read since the last call.
        overwrite: replace a dataset that was built there earlier.
        soft_labeller: adds the labels of ``config.teachers`` and ``config.hard_negatives`` to the train records.

    Raises:
        ConfigError: if the configuration has no sources, or requests a split or an option that a corpus does
            not have.
        InputError: for a file that cannot be read, an id that occurs twice in one file, labels outside the
            sets, rows that cannot be split as configured, or an ``out`` that exists.
        ValueError: if the configuration has teachers, but ``soft_labeller`` is ``None``.
    """
    # Reading may take long: find out first if the result cannot be written.
    out = Path(out)
    check_can_write(out, overwrite)
    if not config.sources:
        raise ConfigError("data.sources: expected at least one corpus or file, found none")
    if (config.teachers or config.hard_negatives) and soft_labeller is None:
        raise ValueError(
            "a dataset with teachers is built by training.pipeline.build_configured_dataset"
        )
    try:
        with staging_folder(out) as staging, Workers() as workers:
            store = IndexedStore(
                staging.row_store,
                workers,
                config.split.near,
                with_names=config.codebook is not None,
            )
            try:
                report = _build(config, store, staging.new, progress, soft_labeller)
            finally:
                store.row_store.close()
            staging.publish()
    except OSError as error:
        raise InputError(f"{error.filename or out}: {error.strerror or error}") from None
    return report


def check_can_write(out: Path, overwrite: bool) -> None:
    """Raise ``InputError`` if a dataset cannot be written to ``out``; call it before long work."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        hint = "--out names another"
        if (out / INDEX_FILE).is_file():
            hint = "--overwrite replaces it, --out names another"
        raise InputError(f"{out}: expected a new folder, found one that exists already; {hint}")
    load_labels(out)  # fails unless the folder is a dataset: nothing else is ever replaced


def _build(
    config: DataConfig,
    store: IndexedStore,
    folder: Path,
    progress: Progress | None,
    soft_labeller: SoftLabeller | None,
) -> BuildReport:
    """Build a dataset in a new folder."""
    input_parts = _read_rows(config, store, progress)
    labels = label_sets(config, store)
    check_label_sets(store, input_parts, labels)
    # A warning, not an error: the labels may be in a column that the configuration does not name.
    if not any(profile.labels for profile in store.profiles):
        _LOG.warning("no labels found; map label columns with --column or --role")

    adjudication = adjudicate_items(config, store, input_parts, labels)
    rows = index_rows(
        store, input_parts, adjudication.rows, adjudication.first_rows, adjudication.shared_sources
    )
    # Wrong labels are reported before the division into splits, whose search for near-duplicates takes long.
    codebook, codebook_warnings = _check_codebook(config, rows)

    if config.split.folds is not None and NO_SPLIT not in rows.split:
        _LOG.warning("data.split.folds: folds are not used, since all rows have a split already")
    split_report = assign_splits(rows, config.split)
    label_counts = label_counts_by_split(rows)
    for message in split_warnings(label_counts):
        _LOG.warning("%s", message)

    # Only train rows get soft labels, so they are computed after the division.
    soft = _soft_labels(rows, adjudication.soft, labels, soft_labeller)
    fingerprint = _write(rows, labels, soft, folder)

    splits = [name for name in SPLITS if len(rows.in_split(name))]
    words = rows.column("words").astype(np.int32)
    report = BuildReport(
        rows={name: len(rows.in_split(name)) for name in splits},
        label_sets={task: list(names) for task, names in labels.items()},
        labels=label_counts,
        sources=report_sources(rows, adjudication.ties),
        repeated_texts=repeated_texts(rows),
        overlaps=find_overlaps(rows, config.split.short),
        division=split_report,
        agreement={**adjudication.agreement, **agreement_of_answers(store, input_parts)},
        codebook=codebook,
        codebook_warnings=codebook_warnings,
        targets=top_names(rows, "targets", target_names),
        holders=top_names(rows, "holders", holder_names),
        lengths=Lengths.of_words({name: words[rows.in_split(name)] for name in splits}),
        soft=count_soft(rows, soft),
        seed=config.split.seed,
        versions=versions(),
        fingerprint=fingerprint.of_dataset,
        fingerprints={name: fingerprint.of_split(name) for name in splits},
    )
    _write_report(report, rows, folder)
    return report


def _read_rows(
    config: DataConfig, store: IndexedStore, progress: Progress | None
) -> list[InputPart]:
    """Read all rows into the store, log the warnings of reading, and return the parts.

    Raises:
        InputError: as ``read_sources``, and if there are no rows.
    """
    input_parts = read_sources(config, store, progress)
    if not store.row_store.count:
        origins = ", ".join(input_part.origin for input_part in input_parts)
        raise InputError(f"expected rows in {origins}, found none")
    for input_part in input_parts:
        for _, message in input_part.read_report.warnings():
            _LOG.warning("%s: %s", input_part.origin, message)
    return input_parts


def _write_report(report: BuildReport, rows: DatasetRows, folder: Path) -> None:
    """Write a report as JSON, and as a page with sentences chosen at random."""
    (folder / REPORT_FILE).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # The same seed shows the same sentences, in the order of the rows.
    shuffled = np.random.default_rng(report.seed).permutation(len(rows))
    samples = [rows.record(row) for row in np.sort(shuffled[:SAMPLES]).tolist()]
    write_report_page(report, samples, report.lengths, folder / PAGE_FILE)


def _check_codebook(
    config: DataConfig, rows: DatasetRows
) -> tuple[dict[str, object] | None, list[str]]:
    """Return the codebook, and the warnings of a check of the labels and targets against it."""
    if config.codebook is None:
        return None, []
    from claimstance.training.data.codebook import check_against, load_codebook

    codebook = load_codebook(config.codebook)
    counts = count_profile_labels(rows.profiles, rows.column("profile").astype(np.int32))
    for task_counts in counts.values():
        task_counts.pop(NO_LABEL, None)
    warnings = check_against(codebook, counts, rows.store.named_targets)
    for warning in warnings:
        _LOG.warning("%s", warning)
    return codebook.model_dump(), warnings


def _soft_labels(
    rows: DatasetRows,
    annotator_soft: Mapping[int, SoftLabels],
    labels: Labels,
    soft_labeller: SoftLabeller | None,
) -> dict[str, SoftLabels]:
    """Return the soft labels of train rows by their ids; teachers' stances go into the rows.

    Where both annotators and teachers have probabilities of a task, the mean of both counts.

    Args:
        rows: all rows.
        annotator_soft: row of the store → the distribution of the annotators' answers.
        labels: task → label names.
        soft_labeller: labels the train records; ``None`` without teachers and hard negatives.
    """
    train = rows.in_split("train")
    soft: dict[str, SoftLabels] = {}
    if annotator_soft:
        for row, store_row in zip(train.tolist(), rows.store_rows[train].tolist(), strict=True):
            if store_row in annotator_soft:
                soft[rows.row_id(row)] = dict(annotator_soft[store_row])
    if soft_labeller is None:
        return soft

    records = [Record.model_validate_json(line) for line in rows.lines(train)]
    teacher_soft = soft_labeller(records, labels)
    # Teachers may have added stances to the records, so that these are stored anew.
    first = rows.store.row_store.count
    # The records have their final ids already, so it does not matter which part they are added to.
    part = rows.input_parts[0]
    rows.store.add(rows.store.batches(records, part.name, part.origin))
    rows.replace(train, first)

    for record_id, by_task in teacher_soft.items():
        record_soft = soft.setdefault(record_id, {})
        for task, probabilities in by_task.items():
            if task in record_soft:
                probabilities = ((record_soft[task] + probabilities) / 2).astype(np.float32)
            record_soft[task] = probabilities
    return soft


def _write(
    rows: DatasetRows, labels: Labels, soft: dict[str, SoftLabels], folder: Path
) -> Fingerprint:
    """Write all splits and soft labels into a new folder, and return their fingerprint."""
    splits: dict[str, RowIndices] = {}
    for name in SPLITS:
        split_rows = rows.in_split(name)
        if len(split_rows):
            splits[name] = split_rows
    writer, fingerprint = DatasetWriter(folder, splits, labels), Fingerprint()

    # The rows are read from disk once: the fingerprint is computed as they pass.
    def fingerprinted_lines(split_rows: RowIndices) -> Iterator[bytes]:
        for line in rows.lines(split_rows):
            fingerprint.add(line)
            yield line

    for name, split_rows in splits.items():
        fingerprint.start(name)
        batches: Iterator[LineBatch] = writer.batches(fingerprinted_lines(split_rows))
        writer.write(name, rows.store.workers.map(to_arrow_stream, batches))
        writer.set_fingerprint(name, fingerprint.of_split(name))
    save_soft(soft, folder)
    fingerprint.add_soft(soft)
    return fingerprint
