"""What the commands tell on a terminal: an article, what was built, how well a model does, what is installed."""

import os
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.table import Column
from rich.text import Text

from claimstance.inference.cli.terminal import Console, Table
from claimstance.inference.results import Sentence, Span, Stance, TaggedArticle
from claimstance.model.config import ModelConfig
from claimstance.model.errors import printable
from claimstance.model.onnx.backend import cores, identity, model_folder
from claimstance.model.onnx.manifest import check_files

#: The figures that a table shows of each task; evaluation.json has all.
_SHOWN = {
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
_NUMBERS = ("calibration_error", "conformal.size")  # the figures that are no shares
_BASELINES = (
    "majority: always the commonest label of train; words, embeddings: logistic regressions on the words, and on "
    "sentence embeddings of the encoder as it was before training"
)
_COLOURS = {
    "favor": "green",
    "against": "red",
}  # of stances; rich leaves them out where they are not wanted


def tagged(article: TaggedArticle) -> None:
    """Print an article for reading: sentence, claim, who says what, stance."""
    title = article.title or article.doc_id
    table = Table(title=title, show_lines=True, title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("sentence", ratio=5)
    table.add_column("claim", no_wrap=True)
    table.add_column("who says what", ratio=4)
    table.add_column("stance", ratio=3)
    for sentence in article.sentences:
        claim = sentence.claim
        table.add_row(
            str(sentence.index),
            Text(_line(sentence.text)),
            f"{claim.label} {claim.probability:.2f}" if claim else "",
            "\n".join(_who(sentence)),
            Text("\n").join(_stances(sentence.stances)),
        )
    Console().print(table)


def _who(sentence: Sentence) -> Iterable[str]:
    """Yield a line for each attribution: ``She = Runa Salt · said: that the nets were empty``."""
    for attribution in sentence.attributions or ():
        yield _attribution_line(attribution.source, attribution.cue, attribution.content)
    for continuation in sentence.continued or ():
        if continuation.source:
            line = _attribution_line(continuation.source, continuation.cue, None)
            yield f"{line} (sentence {continuation.told_in})"


def _attribution_line(source: Span | None, cue: Span | None, content: Span | None) -> str:
    """Return ``She = Runa Salt · said: that the nets were empty``, without what is missing."""
    speaker = "(nobody named)"
    if source:
        has_other_name = source.name and source.name != source.text
        speaker = f"{source.text} = {source.name}" if has_other_name else source.text
    cue_text = f" · {cue.text}" if cue else ""
    content_text = f": {content.text}" if content else ""
    return _line(f"{speaker}{cue_text}{content_text}")


def _stances(stances: Iterable[Stance]) -> Iterable[Text]:
    """The stances that say something: neutral is what most pairs in most sentences are."""
    for stance in sorted(stances, key=lambda s: -s.probability):
        if stance.label != "neutral" and not stance.abstained:
            label = (
                printable(f"{stance.label} {stance.probability:.2f}"),
                _COLOURS.get(stance.label, ""),
            )
            pair = _line(f"{stance.holder or '(text)'} → {stance.target}: ")
            yield Text.assemble(pair, label)


def _line(text: str) -> str:
    """Return a text of an article as a cell shows it: where it was wrapped does not matter there."""
    return printable(re.sub(r"[\n\r\t]+", " ", text))


def built(folder: Path, report: dict[str, Any]) -> None:
    """What a build gave: rows and labels of each split, what was left out, what splits share."""
    table = Table("split", "rows", "labels", title=f"{folder}")
    for split, rows in report["rows"].items():
        labels = "\n".join(
            f"{task}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
            for task, counts in report["labels"][split].items()
        )
        table.add_row(split, str(rows), labels)
    console = Console()
    console.print(table)
    for source in report["sources"]:
        for file, facts in source["facts"].items():
            console.print(
                f"{file}: " + "; ".join(f"{name}: {fact}" for name, fact in facts.items())
            )
        for reason, count in source["dropped"].items():
            console.print(f"{source['name']}: {count} left out: {reason}")
        for task, count in source["ties"].items():
            console.print(f"{source['name']}: annotators are tied on {task}: {count} times")
    for name, agreement in report["agreement"].items():
        people = (
            f"{len(agreement['annotators'])} annotators"
            if agreement["annotators"]
            else "annotators without names"
        )
        console.print(f"{name}: agreement of {people}: {', '.join(_alphas(agreement))}")
    for overlap in report["overlaps"]:
        if overlap["exact"] or overlap["near"]:
            console.print(
                f"{overlap['second']} shares texts with {overlap['first']}: {overlap['exact']} rows exactly, "
                f"{overlap['near']} nearly{_short(overlap)}; {overlap['repeated']} repeat question and "
                "answer, too"
            )
    console.print(f"Read {folder / 'report.html'} before training.")


def _short(overlap: dict[str, Any]) -> str:
    return f" ({overlap['short']} of them short)" if overlap.get("short") else ""


def _alphas(agreement: dict[str, Any]) -> Iterable[str]:
    """Krippendorff's alpha of every task that several annotated."""
    for kind in ("labels", "spans"):
        for task, found in agreement[kind].items():
            value = found["alpha"]["value"] if found.get("alpha") else None
            yield f"{task} " + ("alpha undefined" if value is None else f"alpha {value:.2f}")


def trained(account: dict[str, Any]) -> None:
    """Print a new model's macro-F1 on dev, beside what baselines reach."""
    results, baselines = account["results"], account["baselines"]
    if not any("macro_f1" in figures for figures in results.values()):
        return
    table = Table("corpus", "task", "model", *baselines, "n", title="macro-F1 on dev")
    for name, figures in results.items():
        if "macro_f1" in figures:
            corpus, _, task = name.rpartition("/")
            values = [each.get(name, {}).get("macro_f1") for each in (results, *baselines.values())]
            cells = ["" if one is None else f"{100 * one['value']:.1f}" for one in values]
            table.add_row(corpus, task, *cells, str(figures["macro_f1"]["n"]))
    console = Console()
    console.print(table)
    console.print(_BASELINES)


def evaluated(account: dict[str, Any]) -> None:
    """The figures of an evaluation, with their intervals; beside them what people reach, where that is known."""
    people: dict[str, Any] = account.get("people", {})
    baselines: dict[str, Any] = account.get("baselines", {})
    table = Table(
        "corpus",
        "task",
        "metric",
        "value",
        "95 % interval",
        "n",
        *(["people"] if people else []),
        *baselines,
        title=f"{account['model']['name']} on {account['data']['path']}, split {account['data']['split']}",
    )
    for name, figures in account["results"].items():
        corpus, _, task = name.rpartition("/")
        shown = _SHOWN.get(task) or [
            m for m in figures if not m.endswith((".precision", ".recall"))
        ]
        for metric in shown:
            figure = figures[metric]
            digits = 3 if metric in _NUMBERS else 1
            value, low, high = (
                figure[key] if digits == 3 else 100 * figure[key]
                for key in ("value", "low", "high")
            )
            interval = "" if low == high == value else f"{low:.{digits}f} – {high:.{digits}f}"
            reached = people.get(name, {}).get(metric, {}).get("value")
            beside = [] if not people else ["" if reached is None else f"{100 * reached:.1f}"]
            for theirs in baselines.values():
                baseline = theirs.get(name, {}).get(metric)
                scale = 1 if digits == 3 else 100
                beside.append("" if baseline is None else f"{scale * baseline['value']:.{digits}f}")
            table.add_row(
                corpus, task, metric, f"{value:.{digits}f}", interval, str(figure["n"]), *beside
            )
        table.add_section()
    console = Console()
    console.print(table)
    if people:
        console.print(
            "people: an annotator against the others, in all sentences of the dataset that several annotated"
        )
    if baselines:
        console.print(_BASELINES)


def compared(comparison: dict[str, Any]) -> None:
    """Two evaluations beside each other, in per cent, and which differences are more than chance."""
    data = comparison["data"]
    table = Table(
        *(Column(name, no_wrap=True) for name in ("corpus", "task", "metric", "A", "B", "B − A")),
        "95 % interval",
        "p",
        "p, Holm",
        "n",
        title=f"A: {comparison['a']['folder']}, B: {comparison['b']['folder']}; "
        f"{data['path']}, split {data['split']}",
    )
    before = None
    for row in comparison["rows"]:
        if before not in (None, (row["corpus"], row["task"])):
            table.add_section()
        before = row["corpus"], row["task"]
        a, b, difference, low, high = (
            100 * row[key] for key in ("a", "b", "difference", "low", "high")
        )
        interval = (
            f"{low:+.1f} – {high:+.1f}" if row["documents"] > 1 else ""
        )  # one document, drawn anew, is the same
        table.add_row(
            row["corpus"],
            row["task"],
            row["metric"],
            f"{a:.1f}",
            f"{b:.1f}",
            f"{difference:+.1f}",
            interval,
            _p(row["p"]),
            _p(row["holm"]) + " *" * row["significant"],
            str(row["documents"]),
        )
    console = Console()
    console.print(table)
    console.print(
        f"{comparison['tests']} comparisons; *: p < {comparison['level']} after Holm's correction for them. "
        f"Paired bootstrap over n documents, {comparison['resamples']} resamples."
    )
    if len(comparison["rows"]) > comparison["tests"]:
        console.print("–: too few documents to tell.")
    for run in ("a", "b"):
        if alone := comparison[f"only_{run}"]:
            console.print(f"only in {run.upper()}: {', '.join(alone)}")


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def about(model: str | None) -> None:
    """The program, the machine, the extras, the model."""
    folder = model_folder(model)
    files = check_files(folder)
    config = ModelConfig.load(folder)
    table = Table("", "", show_header=False)
    card = folder / "README.md"
    extras = _extras()
    rows = {
        "claimstance": metadata.version("claimstance"),
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "onnxruntime": metadata.version("onnxruntime"),
        "threads": f"{cores()} at most, all that this process may use (--threads)",
        "extras installed": ", ".join(name for name, there in extras.items() if there) or "none",
        "other extras": ", ".join(name for name, there in extras.items() if not there) or "none",
        "model": f"{config.name} {config.version}" + ("" if model else " (bundled)"),
        "sha256": identity(folder),
        "tasks": ", ".join(config.tasks),
        **{f"labels of {task}": ", ".join(names) for task, names in config.labels.items()},
        "window": f"{config.max_tokens} tokens",
        "size": f"{sum((folder / name).stat().st_size for name in files) / 1e6:.1f} MB",
        "card": str(card) if card.is_file() else "none",
    }
    for key, value in rows.items():
        table.add_row(key, value)
    Console().print(table)


def _extras() -> dict[str, bool]:
    """Each extra of the installed package, and whether everything that it asks for is installed."""
    found: dict[str, bool] = {}
    for line in metadata.requires("claimstance") or ():
        name, extra = re.match(r"[\w.-]+", line), re.search(r"""extra == ['"]([\w-]+)""", line)
        if name and extra and name[0] != "claimstance":
            found[extra[1]] = found.get(extra[1], True) and _is_installed(name[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False
