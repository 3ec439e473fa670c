"""Write the file of figures of all parts, and render reliability.md from it."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from claimstance.inference.writers.text import open_output
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx.backend import model_sha256

HERE = Path(__file__).parent.parent
FIGURES, PAGE = HERE / "reliability.json", HERE / "reliability.md"
Row = dict[str, Any]
#: What the suite found, by part, and what was done about it.
MENDED = (
    (
        "fuzz",
        "Parquet with damaged metadata of a column ended the process inside pyarrow; the reader no longer reads it",
    ),
    (
        "fuzz",
        "an unknown key in a section of a configuration caused a traceback; the error now names it and the closest key",
    ),
    (
        "fuzz",
        "a missing number in a record's `meta` was written as `NaN`, which is not valid JSON; it is now `null`",
    ),
    (
        "training",
        "a resumed run lost the state of early stopping and stopped too late; a checkpoint now stores it",
    ),
    (
        "training",
        "a run killed before its first checkpoint could not be resumed; it now starts again",
    ),
    (
        "workers",
        "Ray handled SIGTERM itself and ended a run in the middle of a part; the part is now finished first",
    ),
    (
        "load",
        "with two articles per thread, the 99th percentile was 5.1 times the median; now one per thread and one more",
    ),
    (
        "load",
        "memory grew by 102 MB in nine minutes with an arena for each thread, and by 30 MB with two for all threads",
    ),
)


class LostError(Exception):
    """Raised when a fault was not survived; the message says how."""


def survived(name: str, count: int, losses: Sequence[str], reproduction: str) -> Row:
    """Return a row with the number of faults survived; ``reproduction`` names the seed that repeats them."""
    tried = count + len(losses)
    return {
        "name": name,
        "value": count,
        "low": count,
        "high": count,
        "n": tried,
        "unit": "survived",
        "better": "higher",
        "must": tried,
        "aim": None,
        "note": reproduction + "".join(f"; {loss}" for loss in dict.fromkeys(losses)),
    }


def measured(
    name: str,
    value: float,
    unit: str,
    n: int,
    must: float | None,
    better: str = "lower",
    note: str = "",
) -> Row:
    """Return a row with a value that was measured once."""
    value = float(f"{value:.4g}")
    return {
        "name": name,
        "value": value,
        "low": value,
        "high": value,
        "n": n,
        "unit": unit,
        "better": better,
        "must": must,
        "aim": None,
        "note": note,
    }


def holds(row: Row) -> bool:
    """Return whether a row reaches its goal, or has none."""
    goal = row["must"]
    if goal is None:
        return True
    if row["better"] == "higher":
        return bool(row["value"] >= goal)
    return bool(row["value"] <= goal)


def part(about: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the results of one part of the suite, with the date, the machine and the model."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return {
        "date": date.today().isoformat(),
        "machine": machine,
        "model_sha256": model_sha256(BUNDLED_MODELS["small"]),
        "about": about,
        "rows": list(rows),
    }


def figures(results: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the file of figures: all rows, and the parts, each with its own date."""
    newest = max(results.values(), key=lambda result: str(result["date"]))
    rows = []
    sections = {}
    for name, result in results.items():
        rows += result["rows"]
        sections[name] = {**result, "rows": len(result["rows"])}
    return {
        "date": newest["date"],
        "machine": newest["machine"],
        "rows": rows,
        "parts": sections,
    }


def read() -> dict[str, Any]:
    """Return the results of each part as they were written last."""
    if not FIGURES.exists():
        return {}
    written = json.loads(FIGURES.read_text(encoding="utf-8"))
    rows = iter(written["rows"])
    results = {}
    for name, section in written["parts"].items():
        # The file has the rows of all parts in one list, and their number for each part.
        results[name] = {**section, "rows": [next(rows) for _ in range(section["rows"])]}
    return results


def write(results: dict[str, Any]) -> None:
    """Write the file of figures and the page."""
    content = figures(results)
    for path, text in (
        (FIGURES, json.dumps(content, indent=1, ensure_ascii=False) + "\n"),
        (PAGE, render(content)),
    ):
        with open_output(path) as file:
            file.write(text)


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,g}"


def render(content: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "# Reliability under faults and load",
        "",
        "`make torture` kills, damages and overloads runs and servers, with the model `small`.",
    ]
    rows = iter(content["rows"])
    for name, section in content["parts"].items():
        lines += [
            "",
            f"## {name.capitalize()}",
            f"{section['date']}, {section['machine']}, sha256 `{section['model_sha256'][:16]}…`. {section['about']}",
            "",
            "| | value | of | goal | holds | |",
            "|---|---|---|---|---|---|",
        ]
        for _ in range(section["rows"]):
            lines.append(_render_row(next(rows)))
    lines += ["", "## Found and mended"]
    lines += [f"- {name}: {fault}." for name, fault in MENDED]
    return "\n".join(lines) + "\n"


def _render_row(row: Row) -> str:
    """Return a row of the table; without a goal, two of its cells are empty."""
    goal = answer = ""
    if row["must"] is not None:
        sign = "≥" if row["better"] == "higher" else "≤"
        goal = f"{sign} {_format_number(row['must'])}"
        answer = "yes" if holds(row) else "**no**"
    value = f"{_format_number(row['value'])} {row['unit']}"
    return f"| {row['name']} | {value} | {row['n']:,} | {goal} | {answer} | {row['note']} |"
