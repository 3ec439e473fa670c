"""Tables that the commands print: articles, datasets, evaluations and the installed program."""

import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.table import Column
from rich.text import Text

from claimstance.inference.cli.terminal import SafeConsole, SafeTable
from claimstance.inference.results import TaggedArticle
from claimstance.model.article.spans import Span
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.errors import printable
from claimstance.model.onnx.backend import cores, model_folder, model_sha256
from claimstance.model.onnx.manifest import check_files

#: corpus/task → metric → value, low, high, n
Figures = Mapping[str, Mapping[str, Mapping[str, float]]]

#: Task → the metrics that a table shows; evaluation.json contains all.
_SHOWN_METRICS = {
    "attribution": (
        "source.overlap.f1",
        "cue.overlap.f1",
        "content.overlap.f1",
        "source.exact.f1",
        "cue.exact.f1",
        "content.exact.f1",
        "linked.f1",
    ),
    "entity": ("precision", "recall", "f1"),
}
#: Metrics that are not shares, and so are not shown in per cent.
_PLAIN_NUMBERS = ("calibration_error", "conformal.size")
_BASELINES_NOTE = (
    "majority: always the most common label of train; words, embeddings: logistic regressions on the words, and "
    "on sentence embeddings of the encoder before training"
)
#: Colours of stances, which rich omits where the user does not want them.
_COLOURS = {"favor": "green", "against": "red"}


def print_article(article: TaggedArticle) -> None:
    """Print an article for reading: sentences, claims, attributions and stances."""
    title = article.title or article.doc_id
    table = SafeTable(title=title, show_lines=True, title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("sentence", ratio=5)
    table.add_column("claim", no_wrap=True)
    table.add_column("who says what", ratio=4)
    table.add_column("stance", ratio=3)
    for sentence in article.sentences:
        claim = ""
        if sentence.claim:
            claim = f"{sentence.claim.label} {sentence.claim.probability:.2f}"

        attributions = []
        for attribution in sentence.attributions or ():
            line = _attribution_line(attribution.source, attribution.cue, attribution.content)
            attributions.append(line)
        for continuation in sentence.continued or ():
            if continuation.source:
                line = _attribution_line(continuation.source, continuation.cue, None)
                attributions.append(f"{line} (sentence {continuation.told_in})")

        stances = []
        for stance in sorted(sentence.stances, key=lambda stance: -stance.probability):
            if not stance.is_counted:
                continue
            pair = _one_line(f"{stance.holder or '(text)'} → {stance.target}: ")
            label = printable(f"{stance.label} {stance.probability:.2f}")
            stances.append(Text.assemble(pair, (label, _COLOURS.get(stance.label, ""))))

        table.add_row(
            str(sentence.index),
            Text(_one_line(sentence.text)),
            claim,
            "\n".join(attributions),
            Text("\n").join(stances),
        )
    SafeConsole().print(table)


def _attribution_line(source: Span | None, cue: Span | None, content: Span | None) -> str:
    """Return ``She = Runa Salt · said: that the nets were empty``, without the roles that are missing."""
    if source is None:
        line = "(nobody named)"
    elif source.name and source.name != source.text:
        line = f"{source.text} = {source.name}"
    else:
        line = source.text
    if cue:
        line += f" · {cue.text}"
    if content:
        # Some cues end with the colon of the text.
        line = f"{line.removesuffix(':')}: {content.text}"
    return _one_line(line)


def _one_line(text: str) -> str:
    """Return a text without its line ends, since a cell wraps it anew."""
    return printable(re.sub(r"[\n\r\t]+", " ", text))


def print_build(folder: Path, report: dict[str, Any]) -> None:
    """Print the report of a build: rows and labels of each split, dropped rows, agreement and overlaps."""
    table = SafeTable("split", "rows", "labels", title=f"{folder}")
    for split, rows in report["rows"].items():
        lines = []
        for task, counts in report["labels"][split].items():
            label_counts = ", ".join(f"{name} {count}" for name, count in counts.items())
            lines.append(f"{task}: {label_counts}")
        table.add_row(split, str(rows), "\n".join(lines))
    console = SafeConsole()
    console.print(table)

    for source in report["sources"]:
        for file, facts in source["facts"].items():
            listed = "; ".join(f"{name}: {fact}" for name, fact in facts.items())
            console.print(f"{file}: {listed}")
        for reason, count in source["dropped"].items():
            console.print(f"{source['name']}: {count} left out: {reason}")
        for task, count in source["ties"].items():
            console.print(f"{source['name']}: {count} ties between annotators on {task}")

    for name, agreement in report["agreement"].items():
        annotators = "annotators without names"
        if agreement["annotators"]:
            annotators = f"{len(agreement['annotators'])} annotators"
        alphas = []
        for task, figures in (*agreement["labels"].items(), *agreement["spans"].items()):
            # Alpha is undefined if all annotators gave one and the same label.
            alpha = "undefined"
            if figures.get("alpha") and figures["alpha"]["value"] is not None:
                alpha = f"{figures['alpha']['value']:.2f}"
            alphas.append(f"{task} alpha {alpha}")
        console.print(f"{name}: agreement of {annotators}: {', '.join(alphas)}")

    for overlap in report["overlaps"]:
        if not overlap["exact"] and not overlap["near"]:
            continue
        near = f"{overlap['near']} nearly"
        if overlap.get("short"):
            near += f" ({overlap['short']} of them short)"
        console.print(
            f"{overlap['second']} shares texts with {overlap['first']}: {overlap['exact']} rows exactly, "
            f"{near}; {overlap['repeated']} also repeat question and answer"
        )
    console.print(f"Read {folder / 'report.html'} before training.")


def print_training(results: Figures, baselines: Mapping[str, Figures]) -> None:
    """Print a new model's macro-F1 on dev, beside that of the baselines."""
    if not any("macro_f1" in figures for figures in results.values()):
        return
    table = SafeTable("corpus", "task", "model", *baselines, "n", title="macro-F1 on dev")
    for name, figures in results.items():
        if "macro_f1" not in figures:
            continue
        corpus, _, task = name.rpartition("/")
        cells = []
        for system in (results, *baselines.values()):
            figure = system.get(name, {}).get("macro_f1")
            cells.append("" if figure is None else f"{100 * figure['value']:.1f}")
        table.add_row(corpus, task, *cells, str(figures["macro_f1"]["n"]))
    console = SafeConsole()
    console.print(table)
    console.print(_BASELINES_NOTE)


def print_evaluation(evaluation: dict[str, Any]) -> None:
    """Print the figures of an evaluation with their intervals, beside those of people and baselines."""
    people: dict[str, Any] = evaluation.get("people", {})
    baselines: dict[str, Any] = evaluation.get("baselines", {})
    headers = ["corpus", "task", "metric", "value", "95 % interval", "n"]
    if people:
        headers.append("people")
    data = evaluation["data"]
    title = f"{evaluation['model']['name']} on {data['path']}, split {data['split']}"
    table = SafeTable(*headers, *baselines, title=title)
    for name, figures in evaluation["results"].items():
        corpus, _, task = name.rpartition("/")
        metrics = _SHOWN_METRICS.get(task)
        if metrics is None:
            metrics = tuple(
                metric for metric in figures if not metric.endswith((".precision", ".recall"))
            )
        for metric in metrics:
            figure = figures[metric]
            low, value, high = figure["low"], figure["value"], figure["high"]
            interval = f"{_figure_text(metric, low)} – {_figure_text(metric, high)}"
            if low == high == value:  # every resample of a single document is the same
                interval = ""
            cells = [_figure_text(metric, value), interval, str(figure["n"])]
            if people:
                agreement = people.get(name, {}).get(metric) or {}
                share = agreement.get("value")
                # Agreement of people is always a share.
                cells.append("" if share is None else f"{100 * share:.1f}")
            for baseline in baselines.values():
                baseline_figure = baseline.get(name, {}).get(metric)
                if baseline_figure is None:
                    cells.append("")
                else:
                    cells.append(_figure_text(metric, baseline_figure["value"]))
            table.add_row(corpus, task, metric, *cells)
        table.add_section()
    console = SafeConsole()
    console.print(table)
    if people:
        console.print(
            "people: each annotator against the others, in all sentences of the dataset with several annotators"
        )
    if baselines:
        console.print(_BASELINES_NOTE)


def _figure_text(metric: str, value: float) -> str:
    """Return a share in per cent, and other numbers with three digits."""
    return f"{value:.3f}" if metric in _PLAIN_NUMBERS else f"{100 * value:.1f}"


def print_comparison(comparison: dict[str, Any]) -> None:
    """Print two evaluations beside each other, in per cent, and mark the significant differences."""
    data = comparison["data"]
    headers = ("corpus", "task", "metric", "A", "B", "B − A")
    table = SafeTable(
        *(Column(name, no_wrap=True) for name in headers),
        "95 % interval",
        "p",
        "p, Holm",
        "n",
        title=f"A: {comparison['a']['folder']}, B: {comparison['b']['folder']}; "
        f"{data['path']}, split {data['split']}",
    )
    previous_group = None
    for row in comparison["rows"]:
        group = row["corpus"], row["task"]
        if previous_group not in (None, group):
            table.add_section()
        previous_group = group
        interval = ""
        # Every resample of a single document is the same, so there is no interval.
        if row["documents"] > 1:
            interval = f"{100 * row['low']:+.1f} – {100 * row['high']:+.1f}"
        table.add_row(
            *group,
            row["metric"],
            f"{100 * row['a']:.1f}",
            f"{100 * row['b']:.1f}",
            f"{100 * row['difference']:+.1f}",
            interval,
            _p_value(row["p"]),
            _p_value(row["holm"]) + " *" * row["significant"],
            str(row["documents"]),
        )
    console = SafeConsole()
    console.print(table)
    console.print(
        f"{comparison['tests']} comparisons; *: p < {comparison['level']} after Holm's correction for them. "
        f"Paired bootstrap over n documents, {comparison['resamples']} resamples."
    )
    if len(comparison["rows"]) > comparison["tests"]:
        console.print("–: too few documents for a test.")
    for run in ("a", "b"):
        unmatched = comparison[f"only_{run}"]
        if unmatched:
            console.print(f"only in {run.upper()}: {', '.join(unmatched)}")


def _p_value(value: float | None) -> str:
    """Return a p value with four digits, or a dash if there was no test."""
    return "–" if value is None else f"{value:.4f}"


def print_info(model: str | None) -> None:
    """Print the versions of the program, the machine, the extras and the properties of the model."""
    folder = model_folder(model)
    files = check_files(folder)
    config = ModelConfig.load(folder)
    card = folder / "README.md"
    extras = _extras()
    installed = [name for name, is_installed in extras.items() if is_installed]
    missing = [name for name, is_installed in extras.items() if not is_installed]
    bundled_name = f" ({folder.name})" if folder in BUNDLED_MODELS.values() else ""
    size = sum((folder / name).stat().st_size for name in files)
    machine = f"{platform.system()} {platform.machine()}"
    rows = {
        "claimstance": metadata.version("claimstance"),
        "python": f"{platform.python_version()} on {machine}, {os.cpu_count()} cores",
        "onnxruntime": metadata.version("onnxruntime"),
        "threads": f"{cores()} at most, all that this process may use (--threads)",
        "extras installed": ", ".join(installed) or "none",
        "other extras": ", ".join(missing) or "none",
        "model": f"{config.name} {config.version}{bundled_name}",
        "bundled models": ", ".join(BUNDLED_MODELS),
        "sha256": model_sha256(folder),
        "tasks": ", ".join(config.tasks),
        **{f"labels of {task}": ", ".join(names) for task, names in config.labels.items()},
        "window": f"{config.max_tokens} tokens",
        "size": f"{size / 1e6:.1f} MB",
        "card": str(card) if card.is_file() else "none",
    }
    table = SafeTable("", "", show_header=False)
    for key, value in rows.items():
        table.add_row(key, value)
    SafeConsole().print(table)


def _extras() -> dict[str, bool]:
    """Return each extra of the installed package, and whether all its requirements are installed."""
    extras: dict[str, bool] = {}
    for requirement in metadata.requires("claimstance") or ():
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"""extra == ['"]([\w-]+)""", requirement)
        # An extra may require another extra of the package itself, which is listed on its own.
        if name and extra and name[0] != "claimstance":
            extras.setdefault(extra[1], True)
            try:
                metadata.version(name[0])
            except metadata.PackageNotFoundError:
                extras[extra[1]] = False
    return extras
