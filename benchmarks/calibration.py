"""Measure the calibration of a bundled model's probabilities on the public corpora's test parts.

    claimstance build configs/small.yaml --no-teachers --corpora CORPORA --out runs/figures-data
    python benchmarks/calibration.py runs/figures-data

Writes calibration.json, calibration.md rendered from it, and calibration/….svg, a diagram for each corpus and kind of
question, beside this file (of `--model base`: in base/). A test part is there to be read once, at the end: try things
with `--split dev`. Drawing needs matplotlib, which the extra `dev` has.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from figures_head import figures_folder, head

from claimstance.inference.writers.text import open_output
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.prediction import Prediction
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.dataset import load_records
from claimstance.training.evaluation import reliability
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.evaluate import corpus_names, predict_records
from claimstance.training.evaluation.page.display_names import metric_name

DIAGRAMS = "calibration"  # the folder of the diagrams
POINTS = 100  # of a curve that are kept

#: Metric → what it is called, whether more of it is better, what it must reach, and a note. Shares are in per cent.
METRICS: dict[str, tuple[str, str, float | None, str]] = {
    "calibration_error": ("expected calibration error", "lower", 0.03, ""),
    "coverage_at_90": (
        "answered at 90 % precision",
        "higher",
        None,
        "the best that any threshold gives here",
    ),
    "answered.share": (
        "answered",
        "higher",
        None,
        "from the probabilities fitted on dev",
    ),
    "answered.accuracy": ("right of those answered", "higher", None, ""),
    "conformal.coverage": (
        "label sets that hold the right label",
        "higher",
        88,
        "promised: 90; mean over documents",
    ),
    "conformal.size": ("labels in a set", "lower", None, "mean over documents"),
    "area": ("area under the risk–coverage curve", "lower", None, "no interval"),
}
NUMBERS = ("calibration_error", "conformal.size", "area")  # what is no share


def main() -> None:
    """Read the model once, and write figures, page and diagrams."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the dataset built from configs/small.yaml")
    parser.add_argument(
        "--model", default="small", help="small, base, or a folder; for a folder, --out is needed"
    )
    parser.add_argument(
        "--split", default="test", help="another split than test; then --out is needed"
    )
    parser.add_argument("--out", type=Path, help="where to write, if not beside this file")
    options = parser.parse_args()
    try:
        folder = figures_folder(options.model, options.out, options.split != "test")
        figures = measure(options.model, options.data, options.split)
    except ClaimstanceError as error:
        parser.exit(2 if isinstance(error, ConfigError) else 1, f"error: {error}\n")
    texts = {
        "calibration.json": json.dumps(figures, indent=1, ensure_ascii=False) + "\n",
        "calibration.md": render(figures),
    }
    for name, text in texts.items():
        with open_output(folder / name) as file:
            file.write(text)
    draw(figures["diagrams"], folder / DIAGRAMS)
    print(texts["calibration.md"])


def measure(model: str, data: Path, split: str) -> dict[str, Any]:
    """The figures file: the contract's keys, and the bars and points of the diagrams."""
    records = load_records(data, split)
    predictor, digest = load_predictor(model)
    groups = dict(answers(predictor, predict_records(predictor, records)))
    return {
        **head(digest),
        "split": split,
        "rows": [row for name, found in groups.items() for row in rows(predictor, name, found)],
        "diagrams": {name: diagram(name, found) for name, found in groups.items()},
    }


def answers(
    predictor: Predictor, pairs: Sequence[tuple[Record, Prediction]]
) -> Iterator[tuple[str, Answers]]:
    """The answers of each ``corpus/kind of question``."""
    corpora: dict[str, list[tuple[Record, Prediction]]] = defaultdict(list)
    for record, prediction in pairs:
        for corpus in corpus_names(record):
            corpora[corpus].append((record, prediction))
    for corpus, some in corpora.items():
        for task in (*SENTENCE_TASKS, "stance"):
            found = (
                collect(predictor.config, task, some) if task in predictor.config.tasks else None
            )
            for kind, each in (found.by_kind() if found else {}).items():
                yield f"{corpus}/{kind}", each


def _task(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def rows(predictor: Predictor, name: str, found: Answers) -> Iterator[dict[str, Any]]:
    """The rows of the figures file for one corpus and kind of question."""
    task, n = _task(name), len(found.gold)
    values = {
        metric: asdict(figure)
        for metric, figure in reliability.reliability_figures(found, task, predictor.config).items()
    }
    area = reliability.area_under(*reliability.risk_coverage(found.confidence, found.correct))
    values["area"] = {"value": area, "low": area, "high": area, "n": n}
    unavoidable = reliability.calibration_error_floor(reliability.binary_outcomes(found, task)[0])
    for metric, figure in values.items():
        title, better, must, note = METRICS.get(metric, (metric_name(metric), "higher", None, ""))
        if metric.startswith("answered.") and metric != "answered.share":
            promised = 100 * reliability.answered_precision(task)
            note = f"promised: {promised:.0f}"
            if metric == "answered.accuracy":
                must = promised
        times, digits, unit = (1, 3, "1") if metric in NUMBERS else (100, 1, "%")
        value, low, high = (round(times * figure[key], digits) for key in ("value", "low", "high"))
        if metric == "calibration_error":
            note = f"no interval; {unavoidable:.3f} if every probability were exactly right"
        yield {
            "name": f"{name}, {title}",
            "value": value,
            "low": low,
            "high": high,
            "n": figure["n"],
            "unit": unit,
            "better": better,
            "must": must,
            "aim": None,
            "note": note,
        }


def diagram(name: str, found: Answers) -> dict[str, Any]:
    """The bars of the reliability diagram, and points of the risk–coverage curve."""
    coverage, risk = reliability.risk_coverage(found.confidence, found.correct)
    kept = sorted({round(i * (len(coverage) - 1) / POINTS) for i in range(POINTS + 1)})
    return {
        "bins": [
            {
                "low": one.low,
                "high": one.high,
                "n": one.n,
                "said": one.mean_probability,
                "true": one.observed_share,
            }
            for one in reliability.reliability_bins(
                *reliability.binary_outcomes(found, _task(name))
            )
        ],
        "coverage": [round(float(coverage[i]), 4) for i in kept],
        "risk": [round(float(risk[i]), 4) for i in kept],
    }


def render(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    about = "" if figures["split"] == "test" else f" on {figures['split']}, which it was fitted on"
    lines = [
        f"# Probabilities of the model{about}",
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, onnxruntime.",
        "Intervals: 95 %, bootstrap over documents. Calibration errors: 15 bins of equal width, of the label answered "
        "(check-worthy: of *yes*).",
        "",
        "| | value | 95 % interval | n | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        interval = "" if row["low"] == row["high"] else f"{row['low']} – {row['high']}"
        must = "" if row["must"] is None else row["must"]
        lines.append(
            f"| {row['name']} | {row['value']} | {interval} | {row['n']} | {must} | {row['note']} |"
        )
    lines += [
        line
        for name in figures["diagrams"]
        for line in ("", f"![{name}]({DIAGRAMS}/{_file(name)})")
    ]
    return "\n".join(lines) + "\n"


def _file(name: str) -> str:
    return name.replace("/", "-") + ".svg"


def draw(diagrams: dict[str, Any], folder: Path) -> None:
    """An SVG file for each diagram: how often it came true, and how often it is wrong if only the surest is given."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "claimstance"  # the same figures, the same file
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for name, told in diagrams.items():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
        figure.suptitle(name)
        most = max(one["n"] for one in told["bins"])
        left.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        left.bar(
            [one["low"] for one in told["bins"]],
            [one["n"] / most for one in told["bins"]],
            align="edge",
            width=told["bins"][0]["high"] - told["bins"][0]["low"],
            color="lightgrey",
        )
        left.plot(
            [one["said"] for one in told["bins"]],
            [one["true"] for one in told["bins"]],
            "o-",
            markersize=4,
        )
        left.set(
            xlabel="probability",
            ylabel="share that is true (grey: how many)",
            xlim=(0, 1),
            ylim=(0, 1),
        )
        right.plot(told["coverage"], told["risk"])
        right.axhline(1 - reliability.TARGET_PRECISION, color="grey", linewidth=0.8)
        right.set(
            xlabel="share answered, the surest first",
            ylabel="share of these that is wrong",
            xlim=(0, 1),
        )
        right.set_ylim(bottom=0)
        figure.savefig(folder / _file(name), metadata={"Date": None})
        pyplot.close(figure)


if __name__ == "__main__":
    main()
