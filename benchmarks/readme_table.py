"""Write the accuracy table of README.md: the two bundled models beside each other."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from figures_head import FOLDERS

README = Path(__file__).resolve().parents[1] / "README.md"
#: File of figures → the names of its rows in the table.
ROWS = {
    "accuracy": (
        "PolNeAR source, token overlap F1",
        "PolNeAR cue, token overlap F1",
        "PolNeAR content, token overlap F1",
        "PolNeAR linked attribution F1",
        "NewsMTSC rw test, macro-F1",
        "NewsMTSC mt test, macro-F1",
        "CheckThat! 2024 test, F1 of Yes",
        "DSE clean test, holder to target, macro-F1",
        "VAST test, zero-shot topics, macro-F1",
        "GWSD test, macro-F1",
    ),
    "stances": (
        "Stances in whole articles, F1",
        "At the default confidence, precision",
        "At the default confidence, recall",
    ),
}
Figures = Mapping[str, Any]


def load_figures() -> dict[str, dict[str, Figures]]:
    """Return model → file of figures → its content, for the models that have all files."""
    figures = {}
    for model, folder in FOLDERS.items():
        paths = {name: folder / f"{name}.json" for name in ROWS}
        if all(path.is_file() for path in paths.values()):
            figures[model] = {
                name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()
            }
    return figures


def write_readme() -> None:
    """Write the table into README.md."""
    text = README.read_text(encoding="utf-8")
    README.write_text(quote(load_figures(), text), encoding="utf-8")


def quote(figures: Mapping[str, Mapping[str, Figures]], text: str) -> str:
    """Return ``text`` with the table between its two marks.

    Args:
        figures: model → file of figures → its content, the small model first.
        text: the content of README.md.

    Raises:
        ValueError: if the text does not have exactly one pair of marks.
    """
    models = list(figures)
    lines = [
        "<!-- figures: written by benchmarks/readme_table.py -->",
        "| | " + " | ".join(models) + " | n | TF-IDF + LR | people | note |",
        "|---" * (len(models) + 5) + "|",
    ]
    for file, names in ROWS.items():
        for name in names:
            rows = [_row(figures[model][file], name) for model in models]
            first = rows[0]
            # Models that were measured on different numbers of items have no common n.
            counts = {row["n"] for row in rows}
            n = first["n"] if len(counts) == 1 else None
            people = first.get("people")
            if file == "stances":
                second = _row(figures[models[0]][file], f"{name}: second annotator")
                people = second["value"] if second else None
            cells = [name, *map(_value, rows), n, first.get("words"), people, first["note"]]
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    sha256s = ", ".join(
        f"{model} sha256 `{files['accuracy']['model_sha256'][:16]}…` ({files['accuracy']['date']})"
        for model, files in figures.items()
    )
    machine = figures[models[0]]["accuracy"]["machine"]
    lines += [
        "",
        f"In brackets: 95 % intervals, bootstrap over documents. *TF-IDF + LR*: logistic regression on words, for each "
        f"corpus its own. *People*: one annotator against the others. {machine}; {sha256s}.",
        "<!-- /figures -->",
    ]
    table = "\n".join(lines)
    changed, count = re.subn(
        r"<!-- figures.*?<!-- /figures -->", lambda _: table, text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"expected one place for figures, found {count}")
    return changed


def _row(figures: Figures, name: str) -> Any:
    """Return the row with this name, or ``None``."""
    for row in figures["rows"]:
        if row["name"] == name:
            return row
    return None


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _value(row: Mapping[str, Any]) -> str:
    """Return a value with its interval."""
    return f"{row['value']} ({row['low']} – {row['high']})"
