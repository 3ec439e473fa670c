"""Make the rows of stances.json from the figures, and render stances.md and stances.svg from stances.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accuracy_page import markdown_table

from claimstance.training.evaluation.metrics import Figure

CURVE = "stances.svg"
Row = dict[str, Any]

#: Table → figure → the name of its row, its goal, its aim, and a note.
ROWS: dict[str, dict[str, tuple[str, float | None, float | None, str]]] = {
    "found": {
        "all.f1": ("Stances in whole articles, F1", 45, 60, ""),
        "all.precision": ("Stances in whole articles, precision", None, None, ""),
        "all.recall": ("Stances in whole articles, recall", None, None, ""),
        "sure.f1": ("At the default confidence, F1", None, None, ""),
        "sure.precision": ("At the default confidence, precision", 78, 85, ""),
        "sure.recall": ("At the default confidence, recall", 25, 40, ""),
        "holders.f1": ("Holders found, overlap F1", 70, 80, ""),
        "targets.f1": ("Targets found, overlap F1", 60, 72, ""),
    },
    "given": {
        "pairs.macro_f1": ("Given pairs, macro-F1", 79, 84, ""),
        "pairs.against": ("Given pairs, average precision of *against*", 84, 90, ""),
        "pairs.favor": ("Given pairs, average precision of *favor*", 77, 85, ""),
        "pairs.calibration_error": ("Given pairs, expected calibration error", 0.03, None, ""),
        "topics.macro_f1": ("Stance on the article's topics, macro-F1", 60, 70, ""),
        "swapped.unchanged": ("Label unchanged when all names are swapped", 93, 97, ""),
        "swapped.sides_unchanged": (
            "The same, of pairs with a side before",
            None,
            None,
            "*favor* or *against* by the model",
        ),
        "swapped.macro_f1": ("Given pairs with all names swapped, macro-F1", None, None, ""),
        "check_worthy.average_precision": (
            "Check-worthy sentences of news, average precision",
            70,
            80,
            "",
        ),
        "check_worthy.f1": ("Check-worthy sentences of news, F1", None, None, ""),
    },
}
#: The figures that the second annotator has as well, in the same articles.
SHARED = {
    "all.f1": "Stances in whole articles, F1",
    "all.precision": "Stances in whole articles, precision",
    "all.recall": "Stances in whole articles, recall",
    "check_worthy.f1": "Check-worthy sentences of news, F1",
}
TITLES = {
    "found": (
        "Found in whole articles",
        "The model reads the text alone. A stance is right if it takes the side of an annotated one, and both its "
        "target and its holder overlap those of that one; a holder that is only a name (the speaker of a quotation "
        "that runs on) has to be the same person. One annotated stance makes one answer right. Stances on topics, "
        "which have no place in the text, are left out. *Holders* and *targets* are the distinct spans of all sides "
        "that the model takes, sure or not.",
    ),
    "given": (
        "Asked about",
        "The holders and targets of each sentence are given, and the model says *favor*, *against* or *neutral*. "
        "What the annotators did not list is neutral. Names are swapped for names of other articles: people for "
        "people, organizations for organizations, places for places, Republicans for Democrats and the reverse.",
    ),
    "shared": (
        "Beside a second annotator",
        "The articles that a second annotator read independently, each scored against the first. Both annotators "
        "are instances of a language model: they show that the codebook can be repeated, not that people would agree.",
    ),
}


def make_rows(
    figures: Mapping[str, Figure],
    second: Mapping[str, Figure],
    float32: Mapping[str, Figure] | None = None,
) -> list[Row]:
    """Return the rows of the file of figures.

    Args:
        figures: those of the model.
        second: those of the second annotator; empty if the articles have none.
        float32: those of the float32 weights, if they were measured.
    """
    rows = []
    for table, names in ROWS.items():
        for key, (name, must, aim, note) in names.items():
            if key not in figures:
                continue
            if key == "pairs.calibration_error":
                floor = figures["pairs.calibration_floor"].value
                note = f"{floor:.3f} if every probability were exactly right"
            row = _row(name, key, figures[key], table, note) | {"must": must, "aim": aim}
            if float32 is not None and key in float32:
                row["float32"] = _rounded(key, float32[key].value)
            rows.append(row)
    for key, name in SHARED.items():
        if key in second:
            model_figure = figures[f"shared.{key}"]
            rows.append(_row(f"{name}: second annotator", key, second[key], "shared"))
            rows.append(_row(f"{name}: model", key, model_figure, "shared"))
    return rows


def _row(name: str, key: str, figure: Figure, table: str, note: str = "") -> Row:
    is_error = key.endswith("calibration_error")
    return {
        "name": name,
        "value": _rounded(key, figure.value),
        "low": _rounded(key, figure.low),
        "high": _rounded(key, figure.high),
        "n": figure.n,
        "unit": "1" if is_error else "%",
        "better": "lower" if is_error else "higher",
        "must": None,
        "aim": None,
        "note": note,
        "table": table,
    }


def _rounded(key: str, value: float) -> float:
    """Return a share in per cent, and a calibration error as it is."""
    if key.endswith("calibration_error"):
        return round(value, 3)
    return round(100 * value, 1)


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as Markdown."""
    split = figures["split"]
    title = "# Stances in whole articles"
    if split != "dev":
        title += f" of {split}, which choices were made on"
    lines = [
        title,
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, "
        f"{figures['precision']}, onnxruntime.",
        f"{figures['articles']} articles of [PolNeAR-Stance]"
        f"(../training/data/corpora/polnear_stance/README.md), part *{split}*. Intervals: 95 %, bootstrap over "
        "articles. *Goal* and *aim* are the project's own. Shares are in per cent. A language model wrote the labels.",
    ]
    has_second = any(row["table"] == "shared" for row in figures["rows"])
    if "float32_sha256" in figures:
        lines.append(f"*float32*: the weights `{figures['float32_sha256'][:12]}` through torch.")
    for table, (table_title, text) in TITLES.items():
        rows = [row for row in figures["rows"] if row["table"] == table]
        if not rows:
            continue
        columns = ["float32"] if any("float32" in row for row in rows) else []
        lines += ["", f"## {table_title}", text, "", *markdown_table(rows, columns)]
        if table == "found":
            second_mark = "; the square: the second annotator, on fewer articles"
            lines += [
                "",
                "Sides of at least a confidence, most confident first. The diamond: the default confidence"
                f"{second_mark if has_second else ''}.",
                "",
                f"![Precision and recall of stances in whole articles]({CURVE})",
            ]
    return "\n".join(lines) + "\n"


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """Draw precision against recall over the confidence, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same figures give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "claimstance"}):
        figure, axes = pyplot.subplots(figsize=(5.2, 3.8), layout="constrained")
        for name, curve in figures["curves"].items():
            label, style = (figures["precision"], "-") if name == "model" else (name, "--")
            axes.plot(*_coordinates(curve), style, label=label)
        values = {row["name"]: row["value"] / 100 for row in figures["rows"]}
        marks = (
            ("D", "default confidence", "At the default confidence, {}"),
            ("s", "second annotator", "Stances in whole articles, {}: second annotator"),
        )
        for marker, label, name in marks:
            recall = values.get(name.format("recall"))
            precision = values.get(name.format("precision"))
            if recall is not None and precision is not None:
                axes.plot([recall], [precision], marker, color="black", label=label)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(color="lightgrey", linewidth=0.6)
        axes.legend(loc="lower left", frameon=False)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def _coordinates(curve: Sequence[Mapping[str, float]]) -> tuple[list[float], list[float]]:
    """Return the recalls and the precisions of the points of a curve."""
    return [point["recall"] for point in curve], [point["precision"] for point in curve]
