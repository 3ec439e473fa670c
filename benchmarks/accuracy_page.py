"""Render accuracy.md from accuracy.json, and the table that a model card quotes of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

TABLES = {
    "calibration": (
        "Probabilities",
        "Expected calibration error, 15 bins of equal width: of the label that is "
        "answered, which need not be the likeliest; where sentences are ranked, of the label they are "
        "ranked by.",
    ),
    "abstention": (
        "Answers withheld",
        "*coverage_at_90*: the share of questions, surest first, that can be answered "
        "with 90 % of the answers right, which only the gold labels tell. *answered*: the share that the "
        "model answers with the thresholds it was given, and how many of these answers are right: of all, "
        "and of those with one label. *conformal*: how often the right label is in a set that is to hold "
        "it in 90 % of cases, and how many labels are in a set.",
    ),
    "people": (
        "Between people",
        "Each annotator scored against each other (PolNeAR, all articles that several "
        "annotated, whichever part they lie in; intervals over articles), or against what most of the others "
        "say (GWSD). A model is scored against labels that several people made together where there are such, "
        "and may pass this.",
    ),
    "clean": (
        "As published, and without what train knows",
        "*Clean*: sentences that are in neither train nor dev.",
    ),
    "classes": ("Class by class", ""),
    "outlets": (
        "Outlet by outlet",
        "Outlets of 50 items or more; items are sentences, for entities gold entities.",
    ),
}
COLUMNS = {"float32": "float32", "majority": "majority", "words": "TF-IDF + LR", "people": "people"}


def render(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: first what a goal stands beside, then the rest, a table each."""
    beside = [
        column for column in COLUMNS if any(row.get(column) is not None for row in figures["rows"])
    ]
    lines = [
        "# Accuracy of a bundled model"
        if figures.get("split", "test") == "test"
        else f"# Accuracy on {figures['split']}, which choices were made on",
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, int8, onnxruntime.",
        "Intervals: 95 %, bootstrap over documents. *Goal* and *aim* are the project's own.",
        *(_beside(figures, beside) if beside else ()),
        "",
    ]
    lines += markdown_table(
        [row for row in figures["rows"] if row.get("table", "headline") == "headline"], beside
    )
    for table, (title, text) in TABLES.items():
        if rows := [row for row in figures["rows"] if row.get("table") == table]:
            lines += ["", f"## {title}", *([text, ""] if text else [""]), *markdown_table(rows)]
    return "\n".join(lines) + "\n"


def quote(figures: Mapping[str, Any], text: str) -> str:
    """Return ``text`` with the headline and calibration rows between its two marks.

    Args:
        figures: the content of ``accuracy.json``.
        text: the model card, with the marks.

    Raises:
        ValueError: if the text does not have exactly one pair of marks.
    """
    rows = [row for row in figures["rows"] if row.get("table") in ("headline", "calibration")]
    beside = [column for column in COLUMNS if any(row.get(column) is not None for row in rows)]
    told = "\n".join(
        [
            "<!-- figures: written by benchmarks/accuracy.py -->",
            *markdown_table(rows, beside),
            "",
            f"Measured on {figures['date']} ({figures['machine']}), model sha256 `{figures['model_sha256'][:16]}…`. "
            "Intervals: 95 %, bootstrap over documents. " + " ".join(_beside(figures, beside)),
            "<!-- /figures -->",
        ]
    )
    changed, count = re.subn(
        r"<!-- figures.*?<!-- /figures -->", lambda _: told, text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"expected one place for figures, found {count}")
    return changed


def _beside(figures: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    told = {
        "float32": f"*float32*: the weights `{str(figures.get('float32_sha256'))[:12]}` through torch.",
        "majority": "*Majority*: each corpus's commonest train label.",
        "words": "*TF-IDF + LR*: logistic regression on single words and pairs, for each corpus its own.",
        "people": "*People*: one annotator against the others.",
    }
    return [" ".join(told[column] for column in columns)]


def markdown_table(rows: Sequence[Mapping[str, Any]], beside: Sequence[str] = ()) -> list[str]:
    """A Markdown table; goals have columns where a row has one."""
    goals = [key for key in ("must", "aim") if any(row[key] is not None for row in rows)]
    titles = [
        "",
        "value",
        "95 % interval",
        "n",
        *("goal" if key == "must" else key for key in goals),
        *(COLUMNS[column] for column in beside),
    ]
    told = [
        row["note"].removeprefix("not measured").removeprefix("; ") for row in rows
    ]  # its value says that
    notes = any(told)
    lines = [_line(titles + [""] * notes), "|" + "---|" * (len(titles) + notes)]
    for row, note in zip(rows, told, strict=True):
        interval = "" if row["low"] == row["high"] else f"{row['low']} – {row['high']}"
        cells = [row["name"], _cell(row["value"], "not measured"), interval, row["n"]]
        cells += [_cell(row.get(key)) for key in (*goals, *beside)]
        lines.append(_line(cells + [note] * notes))
    return lines


def _cell(value: float | None, missing: str = "") -> str:
    return missing if value is None else str(value)


def _line(cells: Sequence[object]) -> str:
    # What an outlet or a label is called may hold what ends a cell.
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
