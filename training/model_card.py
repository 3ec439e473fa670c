"""The model card: ``README.md`` in the folder of a trained model, with the metadata that the hub displays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from claimstance.model.config import ModelConfig
from claimstance.model.io.hub import is_hub_name
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.onnx.manifest import MANIFEST_FILE, read_manifest
from claimstance.training.config import Config
from claimstance.training.data.codebook import Codebook, cell, to_markdown
from claimstance.training.data.corpora import CORPORA
from claimstance.training.data.report.report import BuildReport, load_build_report
from claimstance.training.evaluation.baselines import DESCRIPTIONS
from claimstance.training.evaluation.scoring import PRIMARY_METRICS, Results
from claimstance.training.training_report import read_training_report

CARD_FILE = "README.md"
_READS = {
    "attribution": "who says what (sources, cues, contents)",
    "entity": "named entities",
    "claim": "whether it carries a claim",
    "check_worthy": "whether it is worth checking",
    "stance": "where each source stands on a target",
    "subjective": "whether it gives its author's own view",
}
_TAGS = {
    "attribution": "quotation-attribution",
    "entity": "named-entity-recognition",
    "claim": "claim-detection",
    "check_worthy": "check-worthiness",
    "stance": "stance-detection",
    "subjective": "subjectivity-detection",
}
_EXAMPLE = "Mayor Ida Holm said that the bridge is safe. Critics blamed her for the delay."


@dataclass(frozen=True)
class _Row:
    """Represent a figure of the card."""

    corpus: str
    task: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    baselines: dict[str, float]  # name → value


def write_card(
    folder: Path,
    config: Config,
    results: Results,
    baselines: Mapping[str, Results] | None = None,
) -> Path:
    """Write the card of a model that was trained and exported into ``folder``.

    Args:
        folder: the folder of the model.
        config: the configuration of its training.
        results: its figures on dev; empty without a dev split.
        baselines: name of the baseline → its figures on dev.

    Raises:
        OSError: if the card cannot be written.
    """
    model = ModelConfig.load(folder)
    baselines = baselines or {}
    figures = _figure_rows(results, baselines)
    training_report = read_training_report(folder)
    report = load_build_report(config.data.path)
    codebook = Codebook.model_validate(report.codebook) if report and report.codebook else None
    # With trainable_tasks, model.encoder is ignored: the encoder is that of model.init_from.
    base = None
    if is_hub_name(config.model.encoder) and not config.training.trainable_tasks:
        base = config.model.encoder
    metadata = _metadata(config, model, base, figures, report, codebook)
    started_from = training_report.get("started_from")
    path = folder / CARD_FILE
    path.write_text(
        _template().render(
            metadata=yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=120),
            name=config.name,
            base=base,
            reads=[_READS[task] for task in model.tasks],
            example=_EXAMPLE,
            tasks=model.tasks,
            sentence_tasks=[task for task in SENTENCE_TASKS if task in model.tasks],
            labels={task: names for task, names in model.labels.items() if task in model.tasks},
            codebook=codebook and to_markdown(codebook),
            report=report,
            figures=figures,
            training=config.training,
            start=cell(started_from) if started_from else None,
            baselines={name: DESCRIPTIONS[name] for name in baselines},
            max_tokens=model.max_tokens,
            topics=[cell(topic) for topic in model.topics],
            precision=read_manifest(folder / MANIFEST_FILE).precision,
            libraries=training_report["libraries"],
        ),
        encoding="utf-8",
        newline="\n",
    )
    return path


def _figure_rows(results: Results, baselines: Mapping[str, Results]) -> list[_Row]:
    """Return the primary figures of each corpus and task, beside those of baselines."""
    rows = []
    for name, figures in results.items():
        corpus, _, task = name.rpartition("/")
        for metric in PRIMARY_METRICS[task]:
            figure = figures[metric]
            baseline_values = {}
            for baseline, baseline_results in baselines.items():
                baseline_figures = baseline_results.get(name, {})
                if metric in baseline_figures:
                    baseline_values[baseline] = baseline_figures[metric].value
            row = _Row(
                corpus=corpus,
                task=task,
                metric=metric,
                value=figure.value,
                low=figure.low,
                high=figure.high,
                n=figure.n,
                baselines=baseline_values,
            )
            rows.append(row)
    return rows


def _metadata(
    config: Config,
    model: ModelConfig,
    base: str | None,
    figures: Sequence[_Row],
    report: BuildReport | None,
    codebook: Codebook | None,
) -> dict[str, Any]:
    """Return the metadata that the hub reads, without keys that have no value."""
    corpora = []
    if report is not None:
        corpora = [source.name for source in report.sources if source.name in CORPORA]
    language = config.card.language
    if language is None and codebook is not None:
        language = codebook.language
    results = []
    for (corpus, task), rows in groupby(figures, key=lambda row: (row.corpus, row.task)):
        metrics = [{"type": "f1", "name": row.metric, "value": round(row.value, 4)} for row in rows]
        results.append(
            {
                "task": {"type": _task_type(task), "name": task},
                "dataset": {"name": corpus, "type": corpus, "split": "dev"},
                "metrics": metrics,
            }
        )
    metadata = {
        "license": config.card.license,
        "language": language,
        "library_name": "claimstance",
        "pipeline_tag": _task_type(model.tasks[0]),
        "tags": ["news", "onnx", *(_TAGS[task] for task in model.tasks)],
        "base_model": base,
        "datasets": corpora,
        "widget": [{"text": _EXAMPLE}],
        "model-index": [{"name": config.name, "results": results}] if results else [],
    }
    return {key: value for key, value in metadata.items() if value}


def _task_type(task: str) -> str:
    """Return the hub's name for the type of a task."""
    return "token-classification" if task in ("attribution", "entity") else "text-classification"


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("claimstance.training"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    return environment.get_template("card.md")
