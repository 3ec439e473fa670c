"""Measure the calibration of a bundled model's probabilities on the public corpora's test parts.

    claimstance build configs/small.yaml --no-teachers --corpora CORPORA --out runs/figures-data
    python benchmarks/calibration.py runs/figures-data

Writes calibration.json, calibration.md rendered from it, and calibration/….svg, a diagram for each corpus and kind of
question, beside this file (of `--model base`: in base/). A test part is there to be read once, at the end: try things
with `--split dev`. Drawing needs matplotlib, which the extra `dev` has.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from figure_files import exit_with_error, figures_folder, figures_parser, head, write_figures

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.errors import ClaimstanceError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.dataset import load_records
from claimstance.training.evaluation import reliability
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.metrics import Figure
from claimstance.training.evaluation.page.display_names import metric_name
from claimstance.training.evaluation.scoring import by_corpus, predict_records

DIAGRAMS = "calibration"  # the folder of the diagrams
CURVE_POINTS = 100

#: Metric → its name, whether higher or lower is better, its goal, and a note. Shares are in per cent.
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
NUMBERS = ("calibration_error", "conformal.size", "area")  # metrics that are no shares


def main() -> None:
    """Measure the model, and write the figures, their page and the diagrams."""
    parser = figures_parser(__doc__)
    parser.add_argument("data", type=Path, help="the dataset built from configs/small.yaml")
    parser.add_argument(
        "--split", default="test", help="another split than test; then --out is needed"
    )
    options = parser.parse_args()
    try:
        folder = figures_folder(options.model, options.out, options.split != "test")
        figures = measure(options.model, options.data, options.split)
    except ClaimstanceError as error:
        exit_with_error(parser, error)
    page = render(figures)
    write_figures(folder, "calibration", figures, page)
    draw(figures["diagrams"], folder / DIAGRAMS)
    print(page)


def measure(model: str, data: Path, split: str) -> dict[str, Any]:
    """Return the content of ``calibration.json``, with the bars and the points of the diagrams."""
    records = load_records(data, split)
    predictor, digest = load_predictor(model)
    pairs = predict_records(predictor, records)
    rows: list[dict[str, Any]] = []
    diagrams = {}
    for name, answers in answers_by_kind(predictor, pairs):
        rows += make_rows(predictor, name, answers)
        diagrams[name] = diagram(name, answers)
    return {**head(digest), "split": split, "rows": rows, "diagrams": diagrams}


def answers_by_kind(
    predictor: Predictor, pairs: Sequence[tuple[Record, Prediction]]
) -> Iterator[tuple[str, Answers]]:
    """Yield ``corpus/kind of question`` and its answers."""
    for corpus, corpus_pairs in by_corpus(pairs).items():
        for task in (*SENTENCE_TASKS, "stance"):
            if task not in predictor.config.tasks:
                continue
            answers = collect(predictor.config, task, corpus_pairs)
            if answers is None:
                continue
            for kind, kind_answers in answers.by_kind().items():
                yield f"{corpus}/{kind}", kind_answers


def _task(name: str) -> str:
    """Return the task of a ``corpus/kind of question``."""
    return name.rpartition("/")[2].partition(".")[0]


def make_rows(predictor: Predictor, name: str, answers: Answers) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``calibration.json`` for one corpus and kind of question."""
    task = _task(name)
    figures = reliability.reliability_figures(answers, task, predictor.config)
    area = reliability.area_under(*reliability.risk_coverage(answers.confidence, answers.correct))
    figures["area"] = Figure(area, area, area, len(answers.gold))
    probabilities, _ = reliability.binary_outcomes(answers, task)
    floor = reliability.calibration_error_floor(probabilities)
    for metric, figure in figures.items():
        title, better, must, note = METRICS.get(metric, (metric_name(metric), "higher", None, ""))
        if metric == "calibration_error":
            note = f"no interval; {floor:.3f} if every probability were exactly right"
        elif metric.startswith("answered.") and metric != "answered.share":
            promised = 100 * reliability.answered_precision(task)
            note = f"promised: {promised:.0f}"
            if metric == "answered.accuracy":
                must = promised
        factor, digits, unit = (1, 3, "1") if metric in NUMBERS else (100, 1, "%")
        yield {
            "name": f"{name}, {title}",
            "value": round(factor * figure.value, digits),
            "low": round(factor * figure.low, digits),
            "high": round(factor * figure.high, digits),
            "n": figure.n,
            "unit": unit,
            "better": better,
            "must": must,
            "aim": None,
            "note": note,
        }


def diagram(name: str, answers: Answers) -> dict[str, Any]:
    """Return the bars of the reliability diagram, and points of the risk–coverage curve."""
    probabilities, outcomes = reliability.binary_outcomes(answers, _task(name))
    bars = [
        {
            "low": values.low,
            "high": values.high,
            "n": values.n,
            "said": values.mean_probability,
            "true": values.observed_share,
        }
        for values in reliability.reliability_bins(probabilities, outcomes)
    ]
    coverage, risk = reliability.risk_coverage(answers.confidence, answers.correct)
    # Points at equal distances are enough; in a set, since those of a short curve coincide.
    last = len(coverage) - 1
    points = sorted({round(i * last / CURVE_POINTS) for i in range(CURVE_POINTS + 1)})
    return {
        "bins": bars,
        "coverage": [round(float(coverage[i]), 4) for i in points],
        "risk": [round(float(risk[i]), 4) for i in points],
    }


def render(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    split = figures["split"]
    title = "# Probabilities of the model"
    if split != "test":
        title += f" on {split}, which it was fitted on"
    lines = [
        title,
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
    for name in figures["diagrams"]:
        lines += ["", f"![{name}]({DIAGRAMS}/{_file_name(name)})"]
    return "\n".join(lines) + "\n"


def _file_name(name: str) -> str:
    return name.replace("/", "-") + ".svg"


def draw(diagrams: dict[str, Any], folder: Path) -> None:
    """Draw each diagram as SVG: on the left the reliability diagram, on the right the risk–coverage curve."""
    import matplotlib

    matplotlib.use("svg")
    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "claimstance"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in diagrams.items():
        figure, (bars, curve) = pyplot.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
        figure.suptitle(name)
        _draw_reliability(bars, content["bins"])
        curve.plot(content["coverage"], content["risk"])
        task = name.rpartition("/")[2]
        curve.axhline(1 - reliability.answered_precision(task), color="grey", linewidth=0.8)
        curve.set(
            xlabel="share answered, most confident first",
            ylabel="share of these that is wrong",
            xlim=(0, 1),
        )
        curve.set_ylim(bottom=0)
        figure.savefig(folder / _file_name(name), metadata={"Date": None})
        pyplot.close(figure)


def _draw_reliability(axes: Any, bins: Sequence[dict[str, Any]]) -> None:
    """Draw how often answers of each probability are right, over grey bars of how many there are."""
    largest = max(values["n"] for values in bins)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.bar(
        [values["low"] for values in bins],
        [values["n"] / largest for values in bins],
        align="edge",
        width=bins[0]["high"] - bins[0]["low"],
        color="lightgrey",
    )
    axes.plot(
        [values["said"] for values in bins],
        [values["true"] for values in bins],
        "o-",
        markersize=4,
    )
    axes.set(
        xlabel="probability",
        ylabel="share that is true (grey: how many)",
        xlim=(0, 1),
        ylim=(0, 1),
    )


if __name__ == "__main__":
    main()
