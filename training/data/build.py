"""Annotated files and public corpora → one saved dataset with a report.

A million rows are built in the memory that a hundred thousand take, and some bytes for each: rows are read once and
spooled (``sources``, ``spool``) with columns of numbers that stand for them (``indexing``); annotators of one sentence
become one row (``items``); rows are named (``rows``) and divided (``division``) by those columns alone; then each split
is written from the spool. Teachers are models, which nothing here loads: ``claimstance.training.pipeline`` passes
``build`` a function that asks them, and the train split is held in memory for it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, check_labels
from claimstance.training.data.building.adjudication import agreement_of_answers, put_together
from claimstance.training.data.building.assign_splits import divide_rows
from claimstance.training.data.building.groups import Places
from claimstance.training.data.building.indexing import (
    UNDIVIDED,
    Profile,
    holder_names,
    target_names,
)
from claimstance.training.data.building.leaks import overlaps
from claimstance.training.data.building.rows import Rows
from claimstance.training.data.building.sources import Part, Store, read_sources
from claimstance.training.data.building.staging import workplace
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import INDEX_FILE, DatasetWriter, load_labels
from claimstance.training.data.label_warnings import spelling_warnings, split_warnings
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.page import PAGE_FILE, write_report_page
from claimstance.training.data.report.report import (
    REPORT_FILE,
    BuildReport,
    Fingerprint,
    count_labels,
    count_soft,
    label_counts_by_split,
    repeated_texts,
    report_sources,
    versions,
)
from claimstance.training.data.report.top_names import frequent
from claimstance.training.data.soft_labels import SoftLabels, save_soft
from claimstance.training.data.splits import SPLITS
from claimstance.training.data.tables import Lines, tabulate

_LOG = logging.getLogger(__name__)
SAMPLES = 20  # records that the report shows

Progress = Callable[[int], None]
Labels = Mapping[str, Sequence[str]]
#: Adds stances with probabilities to the train records, and returns other soft labels by record id.
Teach = Callable[[Sequence[Record], Labels], dict[str, SoftLabels]]


def build(
    config: DataConfig,
    out: Path | str,
    progress: Progress | None = None,
    overwrite: bool = False,
    teach: Teach | None = None,
) -> BuildReport:
    """Read all sources, divide what has no split, and write a ``datasets.DatasetDict`` with ``report.json``.

    Nothing is left at ``out`` unless all of it could be written.

    Args:
        config: the sources, the label sets and the division.
        out: the folder to write.
        progress: called with the number of rows read since it was called last.
        overwrite: replace a dataset that was built there earlier.
        teach: adds the soft labels of ``config.teachers`` to the train records.

    Raises:
        ConfigError: if the configuration has no sources, or asks a corpus for what it does not have.
        InputError: for a file that cannot be read, an id that occurs twice in one file, labels outside the sets, rows
            that cannot be divided as asked, or an ``out`` that is taken.
        ValueError: if the configuration has teachers, but there is no ``teach``.
    """
    out = Path(out)
    check_target(out, overwrite)
    if not config.sources:
        raise ConfigError("data.sources: expected at least one corpus or file, found none")
    if config.teachers and teach is None:
        raise ValueError("a dataset with teachers is built by training.pipeline.build_and_teach")
    try:
        with workplace(out) as place, Workers() as workers:
            store = Store(
                place.spool, workers, config.split.near, with_names=config.codebook is not None
            )
            try:
                report = _build(config, store, place.new, progress, teach)
            finally:
                store.spool.close()
            place.publish()
    except OSError as error:
        raise InputError(f"{error.filename or out}: {error.strerror or error}") from None
    return report


def check_target(out: Path, overwrite: bool) -> None:
    """Raise ``InputError`` if a dataset cannot be written to ``out``: call it before work that takes long."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        hint = "--out names another"
        if (out / INDEX_FILE).is_file():
            hint = "--overwrite replaces it, --out names another"
        raise InputError(f"{out}: expected a new folder, found one that is there already; {hint}")
    load_labels(out)  # only a dataset is ever replaced


def _build(
    config: DataConfig, store: Store, folder: Path, progress: Progress | None, teach: Teach | None
) -> BuildReport:
    parts = read_sources(config, store, progress)
    if not store.spool.count:
        raise InputError(f"expected rows in {', '.join(part.origin for part in parts)}, found none")
    for part in parts:
        for _, message in part.reading.warnings():
            _LOG.warning("%s: %s", part.origin, message)
    labels = _label_sets(config, store)
    _check_labels(store, parts, labels)
    if not any(profile.labels for profile in store.profiles):
        _LOG.warning(
            "no row has a label: roles or columns can say which fields or answers are labels, and of what"
        )
    items = put_together(config, store, parts, labels)
    rows = Rows(store, parts, items.rows, items.leaders, items.shared)
    codebook, warnings = _check_codebook(config, rows)
    if config.split.folds is not None and UNDIVIDED not in rows.split:
        _LOG.warning(
            "data.split.folds: no row is divided, since all have a split: folds are not used"
        )
    division = divide_rows(rows, config.split)
    label_counts = label_counts_by_split(rows)
    for message in split_warnings(label_counts):
        _LOG.warning("%s", message)
    soft = _annotators_soft(rows, items.soft)
    if teach is not None:
        _add_soft(soft, _taught(rows, labels, teach))
    fingerprint = _write(rows, labels, soft, folder)
    splits = [name for name in SPLITS if len(rows.of_split(name))]
    words = rows.column("words").astype(np.int32)
    report = BuildReport(
        rows={name: len(rows.of_split(name)) for name in splits},
        label_sets={task: list(names) for task, names in labels.items()},
        labels=label_counts,
        sources=report_sources(rows, items.ties),
        repeated_texts=repeated_texts(rows),
        overlaps=overlaps(rows, config.split.short),
        division=division,
        agreement={**items.agreement, **agreement_of_answers(store, parts)},
        codebook=codebook,
        codebook_warnings=warnings,
        targets=frequent(rows, "targets", target_names),
        holders=frequent(rows, "holders", holder_names),
        lengths=Lengths.of_words({name: words[rows.of_split(name)] for name in splits}),
        soft=count_soft(rows, soft),
        seed=config.split.seed,
        versions=versions(),
        fingerprint=fingerprint.of_all,
        fingerprints={name: fingerprint.of_split(name) for name in splits},
    )
    (folder / REPORT_FILE).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    chosen = np.sort(np.random.default_rng(config.split.seed).permutation(len(rows))[:SAMPLES])
    write_report_page(
        report, [rows.record(row) for row in chosen.tolist()], report.lengths, folder / PAGE_FILE
    )
    return report


def _rows_by_profile(store: Store) -> dict[Profile, int]:
    rows = np.bincount(
        store.spool.column("profile").astype(np.int32), minlength=len(store.profiles)
    ).tolist()
    return dict(zip(store.profiles, rows, strict=True))


def _label_sets(config: DataConfig, store: Store) -> dict[str, tuple[str, ...]]:
    """The configured sets; else the default ones, if they hold all labels found, else those found, sorted."""
    found: dict[str, Counter[str]] = {}
    for profile, rows in _rows_by_profile(store).items():
        for task, counts in profile.labels:
            found.setdefault(task, Counter()).update(
                {label: count * rows for label, count in counts}
            )
    for message in spelling_warnings(found):
        _LOG.warning("%s", message)
    sets = {}
    for task, default in DEFAULT_LABELS.items():
        if task in config.labels:
            sets[task] = tuple(config.labels[task])
        elif set(found.get(task, ())) <= set(default):
            sets[task] = default
        else:
            sets[task] = tuple(sorted(found[task]))
            _LOG.warning(
                "labels of %s are those found: %s (not %s)",
                task,
                ", ".join(sets[task]),
                ", ".join(default),
            )
    return sets


def _check_labels(store: Store, parts: Sequence[Part], labels: Labels) -> None:
    """Raise ``InputError`` for the first row with a label that is not in the sets."""
    bad = [
        number
        for profile, number in store.profiles.items()
        if any(
            label not in labels[task]
            for task, counts in profile.labels
            if task in labels
            for label, _ in counts
        )
        or any(label not in labels["stance"] for label in profile.probable)
    ]
    rows = (
        np.flatnonzero(np.isin(store.spool.column("profile"), bad))
        if bad
        else np.empty(0, dtype=np.int64)
    )
    for row in rows[:1]:
        part = next(part for part in parts if part.first <= row < part.first + part.count)
        record = Record.model_validate_json(next(store.spool.lines(rows[:1])))
        check_labels(record, labels, f"{part.origin}: {record.id}")


def _check_codebook(config: DataConfig, rows: Rows) -> tuple[dict[str, object] | None, list[str]]:
    if config.codebook is None:
        return None, []
    from claimstance.training.data.codebook import check_against, load_codebook

    codebook = load_codebook(config.codebook)
    counts = count_labels(rows.profiles, rows.column("profile").astype(np.int32))
    for of_task in counts.values():
        of_task.pop("none", None)  # rows without a label, which is not one
    warnings = check_against(codebook, counts, rows.store.names)
    for warning in warnings:
        _LOG.warning("%s", warning)
    return codebook.model_dump(), warnings


def _annotators_soft(rows: Rows, soft: Mapping[int, SoftLabels]) -> dict[str, SoftLabels]:
    """How annotators divide, by the names of train rows."""
    train = rows.of_split("train")
    held = (
        [
            (row, spooled)
            for row, spooled in zip(train.tolist(), rows.spooled(train).tolist(), strict=True)
            if spooled in soft
        ]
        if soft
        else []
    )
    return {rows.name(row): dict(soft[spooled]) for row, spooled in held}


def _add_soft(soft: dict[str, SoftLabels], said: Mapping[str, SoftLabels]) -> None:
    """Add what teachers say; of a task that annotators divide on, too, the mean."""
    for name, tasks in said.items():
        mine = soft.setdefault(name, {})
        for task, shares in tasks.items():
            mine[task] = ((mine[task] + shares) / 2).astype(np.float32) if task in mine else shares


def _taught(rows: Rows, labels: Labels, teach: Teach) -> dict[str, SoftLabels]:
    """Return the teachers' soft labels of train rows; stances with probabilities go into the rows themselves."""
    train = rows.of_split("train")
    records = [Record.model_validate_json(line) for line in rows.lines(train)]
    soft = teach(records, labels)
    first = rows.store.spool.count
    # The records have their final names already, so that it does not matter which part they are added to.
    rows.store.add(rows.store.batches(records, rows.parts[0]))
    rows.replace(train, first)
    return soft


def _write(rows: Rows, labels: Labels, soft: dict[str, SoftLabels], folder: Path) -> Fingerprint:
    """Write all splits and soft labels into a new folder."""
    splits = {name: held for name in SPLITS if len(held := rows.of_split(name))}
    writer, fingerprint = DatasetWriter(folder, splits, labels), Fingerprint()

    def signed(lines: Iterator[bytes]) -> Iterator[bytes]:
        for line in lines:
            fingerprint.add(line)
            yield line

    def batches(held: Places) -> Iterator[Lines]:
        return writer.batches(signed(rows.lines(held)))

    for name, held in splits.items():
        fingerprint.start(name)
        writer.write(name, rows.store.workers.map(tabulate, batches(held)))
        writer.sign(name, fingerprint.of_split(name))
    save_soft(soft, folder)
    fingerprint.add_soft(soft)
    return fingerprint
