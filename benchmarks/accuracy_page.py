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
#: Column of a row that holds another result → its title.
COLUMNS = {"float32": "float32", "majority": "majority", "words": "TF-IDF + LR", "people": "people"}


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as Markdown: first the headline rows, then a table for each other kind of row."""
    split = figures.get("split", "test")
    title = "# Accuracy of a bundled model"
    if split != "test":
        title = f"# Accuracy on {split}, which choices were made on"
    columns = _comparisons(figures["rows"])
    lines = [
        title,
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, int8, onnxruntime.",
        "Intervals: 95 %, bootstrap over documents. *Goal* and *aim* are the project's own.",
    ]
    if columns:
        lines.append(_legend(figures, columns))
    # Files of earlier figures have no tables: all of their rows are headline rows.
    headline = [row for row in figures["rows"] if row.get("table", "headline") == "headline"]
    lines += ["", *markdown_table(headline, columns)]
    for table, (table_title, text) in TABLES.items():
        rows = [row for row in figures["rows"] if row.get("table") == table]
        if not rows:
            continue
        lines += ["", f"## {table_title}"]
        if text:
            lines.append(text)
        lines += ["", *markdown_table(rows)]
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
    columns = _comparisons(rows)
    section = "\n".join(
        [
            "<!-- figures: written by benchmarks/accuracy.py -->",
            *markdown_table(rows, columns),
            "",
            f"Measured on {figures['date']} ({figures['machine']}), model sha256 `{figures['model_sha256'][:16]}…`. "
            f"Intervals: 95 %, bootstrap over documents. {_legend(figures, columns)}",
            "<!-- /figures -->",
        ]
    )
    # A function as replacement, since a string would have its backslashes interpreted.
    changed, count = re.subn(
        r"<!-- figures.*?<!-- /figures -->", lambda _: section, text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"expected one place for figures, found {count}")
    return changed


def _comparisons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of ``COLUMNS`` in which a row has a value."""
    return [column for column in COLUMNS if any(row.get(column) is not None for row in rows)]


def _legend(figures: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Return an explanation of each column."""
    explanations = {
        "float32": f"*float32*: the weights `{str(figures.get('float32_sha256'))[:12]}` through torch.",
        "majority": "*Majority*: each corpus's commonest train label.",
        "words": "*TF-IDF + LR*: logistic regression on single words and pairs, for each corpus its own.",
        "people": "*People*: one annotator against the others.",
    }
    return " ".join(explanations[column] for column in columns)


def markdown_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> list[str]:
    """Return the lines of a Markdown table; goals, aims and notes have columns if a row has one.

    Args:
        rows: the rows of a file of figures.
        columns: the columns of ``COLUMNS`` to add.
    """
    goals = [key for key in ("must", "aim") if any(row[key] is not None for row in rows)]
    goal_titles = {"must": "goal", "aim": "aim"}
    titles = ["", "value", "95 % interval", "n"]
    titles += [goal_titles[key] for key in goals]
    titles += [COLUMNS[column] for column in columns]
    # The cell of the value says "not measured": the note need not repeat it.
    notes = [row["note"].removeprefix("not measured").removeprefix("; ") for row in rows]
    has_notes = any(notes)
    if has_notes:
        titles.append("")
    lines = [_line(titles), "|" + "---|" * len(titles)]
    for row, note in zip(rows, notes, strict=True):
        interval = "" if row["low"] == row["high"] else f"{row['low']} – {row['high']}"
        cells = [row["name"], _cell(row["value"], "not measured"), interval, row["n"]]
        cells += [_cell(row.get(key)) for key in (*goals, *columns)]
        if has_notes:
            cells.append(note)
        lines.append(_line(cells))
    return lines


def _cell(value: float | None, missing: str = "") -> str:
    return missing if value is None else str(value)


def _line(cells: Sequence[object]) -> str:
    # The name of an outlet or of a label may contain the character that ends a cell.
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
