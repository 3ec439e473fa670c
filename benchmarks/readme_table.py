"""Write the tables of README.md: the choice between the bundled models, their accuracy and their speed."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figure_files import FOLDERS
from speed_page import quote as quote_speed

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
#: Row of the table of the choice → the file of figures, and the row in it.
CHOICE = {
    "all answers on them, F1": ("stances", "Stances in whole articles, F1"),
    "stance toward a person in a sentence, macro-F1": ("accuracy", "NewsMTSC mt test, macro-F1"),
    "topics never trained on, macro-F1": ("accuracy", "VAST test, zero-shot topics, macro-F1"),
}
Figures = Mapping[str, Any]


def load_figures() -> dict[str, dict[str, Figures]]:
    """Return model → file of figures → its content, for the models that have all files."""
    figures = {}
    for model, folder in FOLDERS.items():
        paths = {name: folder / f"{name}.json" for name in (*ROWS, "speed")}
        if all(path.is_file() for path in paths.values()):
            figures[model] = {
                name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()
            }
    return figures


def write_readme() -> None:
    """Write the tables into README.md."""
    text = README.read_text(encoding="utf-8")
    figures = load_figures()
    text = quote_choice(figures, quote(figures, text))
    text = quote_speed({model: files["speed"] for model, files in figures.items()}, text)
    README.write_text(text, encoding="utf-8")


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
    return _replace("figures", lines, text)


def quote_choice(figures: Mapping[str, Mapping[str, Figures]], text: str) -> str:
    """Return ``text`` with the table that helps to choose a model between its two marks, in whole numbers.

    Args:
        figures: model → file of figures → its content.
        text: the content of README.md.

    Raises:
        ValueError: if the text does not have exactly one pair of marks.
    """
    columns = [_choice_column(model, files) for model, files in figures.items()]
    titles = ["", "stances in whole articles: found at the default confidence", *CHOICE]
    titles.append("one article, program start included")
    lines = ["<!-- choice: written by benchmarks/readme_table.py -->"]
    for number, cells in enumerate(zip(titles, *columns, strict=True)):
        lines.append("| " + " | ".join(cells) + " |")
        if number == 0:
            lines.append("|---" * len(cells) + "|")
    lines.append("<!-- /choice -->")
    return _replace("choice", lines, text)


def _choice_column(model: str, figures: Mapping[str, Figures]) -> list[str]:
    """Return the cells of a model: its name, then its figures."""
    recall = _row(figures["stances"], "At the default confidence, recall")["value"]
    precision = _row(figures["stances"], "At the default confidence, precision")["value"]
    cells = [model, f"{recall:.0f} % ({precision:.0f} % of them right)"]
    for file, name in CHOICE.values():
        cells.append(f"{_row(figures[file], name)['value']:.0f}")

    # Names of rows about another model than the default begin with its name.
    rows = {row["name"].removeprefix(f"{model}: "): row for row in figures["speed"]["rows"]}
    seconds = rows["one article from a cold start"]["value"]
    memory = rows["one article from a cold start, peak memory"]["value"]
    return [*cells, f"{seconds:.1f} s, {memory:.0f} MB"]


def _replace(mark: str, lines: Sequence[str], text: str) -> str:
    """Return ``text`` with ``lines`` in place of what stands between two marks, which they include."""
    block = "\n".join(lines)
    pattern = rf"<!-- {mark}.*?<!-- /{mark} -->"
    changed, count = re.subn(pattern, lambda _: block, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"expected one place for {mark}, found {count}")
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
