"""Annotated files and public corpora → one saved dataset with a report."""

import logging
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, check_labels
from claimstance.training.config import SPLITS, DataConfig, Source
from claimstance.training.corpora import lookup
from claimstance.training.dataset import load_labels, save
from claimstance.training.examples import SoftLabels
from claimstance.training.formats import Layout, read_file
from claimstance.training.report import (
    BuildReport,
    SourceReport,
    count_labels,
    count_soft,
    fingerprint,
    overlaps,
    provenance,
    repeated_texts,
    versions,
)
from claimstance.training.soft import save_soft
from claimstance.training.splits import divide, label_counts

_LOG = logging.getLogger(__name__)
REPORT_FILE = "report.json"


@dataclass
class _Part:
    """What was read from one split of a corpus, or from one file."""

    name: str  # the corpus, or the file's name without its suffix
    origin: str  # the split of the corpus, or the file
    split: str | None
    records: list[Record]
    dropped: Counter[str] = field(default_factory=Counter)
    about: Mapping[str, str] = field(default_factory=dict)


def build(
    config: DataConfig,
    out: Path | str,
    progress: Callable[[int], None] | None = None,
    overwrite: bool = False,
) -> BuildReport:
    """Read all sources, divide what has no split, and write a ``datasets.DatasetDict`` with ``report.json``.

    Nothing is left at ``out`` unless all of it could be written.

    Args:
        config: the sources, the label sets and the division.
        out: the folder to write.
        progress: called with the number of rows read since it was called last, and of windows that a teacher read.
        overwrite: replace a dataset that was built there earlier.

    Raises:
        ConfigError: if the configuration has no sources, or asks a corpus for what it does not have.
        InputError: for a file that cannot be read, an id that occurs twice in one file, labels outside the sets, or an
            ``out`` that is taken.
    """
    out = Path(out)
    check_target(out, overwrite)
    if not config.sources:
        raise ConfigError("data.sources: expected at least one corpus or file, found none")
    for teacher in config.teachers:  # before all corpora are read
        if not teacher.model.is_dir():
            raise ConfigError(f"data.teachers: expected a trained model in {teacher.model}, found no such folder")
    parts = []
    for source in config.sources:
        for part in _read_source(source, config):
            parts.append(part)
            if progress:
                progress(len(part.records))
    _name_uniquely(parts)
    labels = _label_sets(config, parts)
    _divide(parts, config)
    splits = {name: [r for part in parts if part.split == name for r in part.records] for name in SPLITS}
    splits = {name: records for name, records in splits.items() if records}
    soft = _teach(config, splits.get("train", []), labels, progress)
    if not splits:
        raise InputError(f"expected rows in {', '.join(part.origin for part in parts)}, found none")
    report = _report(config, parts, splits, labels, soft)
    _write(splits, labels, soft, report, out)
    return report


def _teach(
    config: DataConfig,
    records: Sequence[Record],
    labels: Mapping[str, Sequence[str]],
    progress: Callable[[int], None] | None,
) -> dict[str, SoftLabels]:
    if not config.teachers:
        return {}
    from claimstance.training.teach import teach  # torch, which no other dataset needs

    return teach(config.teachers, records, labels, progress)


def check_target(out: Path, overwrite: bool) -> None:
    """Raise ``InputError`` if a dataset cannot be written to ``out``: call it before work that takes long."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        raise InputError(f"{out}: expected a new folder, found one that is there already")
    load_labels(out)  # only a dataset is ever replaced


def _read_source(source: Source, config: DataConfig) -> Iterator[_Part]:
    if source.corpus is not None:
        corpus = lookup(source.corpus)
        options = {
            name: config.corpora / value if name in corpus.path_options and value is not None else value
            for name, value in source.options.items()
        }
        for theirs, ours in source.splits.items():
            part = _Part(corpus.name, theirs, ours, [], about=provenance(corpus))
            part.records.extend(corpus.read(config.corpora / corpus.name, theirs, _count(part), **options))
            yield part
        return
    layout = Layout(source.columns, source.task, source.target, config.labels, source.lenient)
    for file in source.files:
        path = Path(file)
        part = _Part(path.stem, file, source.split, [])
        for record in read_file(path, source.format, layout, _count(part)):
            record.meta.setdefault("corpus", path.stem)
            part.records.append(record)
        yield part


def _count(part: _Part) -> Callable[[str], None]:
    return lambda reason: part.dropped.update([reason])


def _name_uniquely(parts: Sequence[_Part]) -> None:
    """Put the source's name before ids that two sources share, and before such document ids."""
    documents = Counter(doc for part in parts for doc in {(part.name, r.doc_id) for r in part.records if r.doc_id})
    sources = Counter(doc for _, doc in documents)
    for part in parts:
        for record in part.records:
            if record.doc_id is not None and sources[record.doc_id] > 1:
                record.doc_id = f"{part.name}:{record.doc_id}"
    for prefix in ("name", "origin"):
        ids = Counter(record.id for part in parts for record in part.records)
        for part in parts:
            for record in part.records:
                if ids[record.id] > 1:
                    record.id = f"{getattr(part, prefix)}:{record.id}"
    ids = Counter(record.id for part in parts for record in part.records)
    twice = next((name for name, count in ids.items() if count > 1), None)
    if twice is not None:
        raise InputError(f"expected an id once, found '{twice}' {ids[twice]} times: is a file or a split listed twice?")


def _label_sets(config: DataConfig, parts: Sequence[_Part]) -> dict[str, tuple[str, ...]]:
    """The configured sets; else the default ones, if they hold all labels found, else those found, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        for record in part.records:
            for task, counts in label_counts(record).items():
                found[task] |= counts.keys()
    sets = {}
    for task, default in DEFAULT_LABELS.items():
        if task in config.labels:
            sets[task] = tuple(config.labels[task])
        elif found[task] <= set(default):
            sets[task] = default
        else:
            sets[task] = tuple(sorted(found[task]))
            _LOG.warning("labels of %s are those found: %s (not %s)", task, ", ".join(sets[task]), ", ".join(default))
    for part in parts:
        for record in part.records:
            check_labels(record, sets, f"{part.origin}: {record.id}")
    return sets


def _divide(parts: list[_Part], config: DataConfig) -> None:
    """Put parts with a split in the place of those without."""
    undivided = [part for part in parts if part.split is None]
    parts[:] = [part for part in parts if part.split is not None]
    shares = {name: getattr(config.split, name) for name in SPLITS}
    chosen = iter(divide([r for part in undivided for r in part.records], shares, config.split.seed))
    for part in undivided:
        records: dict[str, list[Record]] = {name: [] for name in SPLITS}
        for record in part.records:
            records[next(chosen)].append(record)
        dropped = part.dropped  # told once
        for name, rows in records.items():
            parts.append(replace(part, split=name, records=rows, dropped=dropped))
            dropped = Counter()


def _report(
    config: DataConfig,
    parts: Sequence[_Part],
    splits: Mapping[str, Sequence[Record]],
    labels: Mapping[str, Sequence[str]],
    soft: Mapping[str, SoftLabels],
) -> BuildReport:
    return BuildReport(
        rows={name: len(records) for name, records in splits.items()},
        label_sets={task: list(names) for task, names in labels.items()},
        labels={name: count_labels(records) for name, records in splits.items()},
        sources=[_source_report(name, parts) for name in dict.fromkeys(part.name for part in parts)],
        repeated_texts={name: repeated_texts(records) for name, records in splits.items()},
        overlaps=overlaps(splits),
        soft=count_soft(splits.get("train", ()), soft),
        seed=config.split.seed,
        versions=versions(),
        fingerprint=fingerprint(splits, soft),
        fingerprints={name: fingerprint({name: records}) for name, records in splits.items()},
    )


def _source_report(name: str, parts: Sequence[_Part]) -> SourceReport:
    parts = [part for part in parts if part.name == name]
    records: dict[str, list[Record]] = {split: [] for split in SPLITS}
    for part in parts:
        records[part.split or ""].extend(part.records)
    return SourceReport(
        name=name,
        rows={split: len(rows) for split, rows in records.items() if rows},
        labels={split: count_labels(rows) for split, rows in records.items() if rows},
        dropped=dict(sum((part.dropped for part in parts), Counter[str]())),
        **parts[0].about,
    )


def _write(
    splits: Mapping[str, Sequence[Record]],
    labels: Mapping[str, Sequence[str]],
    soft: dict[str, SoftLabels],
    report: BuildReport,
    out: Path,
) -> None:
    """Write beside ``out`` and rename, so that ``out`` is whole or not there."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            save(splits, labels, new)
            save_soft(soft, new)
            (new / REPORT_FILE).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
            if out.exists():
                out.rename(old)
            new.rename(out)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}") from None
