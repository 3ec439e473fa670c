"""The file of figures of all parts, and reliability.md, rendered from it."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from claimstance.inference.writers.text import open_output
from claimstance.model.onnx.backend import BUNDLED, model_sha256

HERE = Path(__file__).parent.parent
FIGURES, PAGE = HERE / "reliability.json", HERE / "reliability.md"
Row = dict[str, Any]
#: What the suite found, by part, and what was done about it.
MENDED = (
    (
        "fuzz",
        "Parquet whose columns are told of wrongly ended the process, within pyarrow: they are asked no more",
    ),
    (
        "fuzz",
        "an unknown key within `training.given` was a traceback: it is named, with the key that was meant",
    ),
    (
        "fuzz",
        "a number in a record's `meta` that is none was written as `NaN`, which is no JSON: it is `null`",
    ),
    (
        "training",
        "a resumed run had forgotten for how long nothing had got better, and stopped later: it knows",
    ),
    ("training", "a run killed before its first checkpoint could not be resumed: it begins anew"),
    (
        "workers",
        "Ray took SIGTERM for itself, which ended a run in the middle of a part: the part is finished first",
    ),
    (
        "load",
        "two articles a thread let in: the 99th percentile was 5.1 times the median: one a thread and one more",
    ),
)


class LostError(Exception):
    """A fault was not survived; the message says how."""


def survived(name: str, count: int, losses: Sequence[str], again: str) -> Row:
    """A row of faults: how many were survived, of how many; ``again`` says what brings them about once more."""
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
        "note": again + "".join(f"; {loss}" for loss in dict.fromkeys(losses)),
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
    """A row of what was measured once."""
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
    """Return true if a row reaches its goal, or has none."""
    must = row["must"]
    return must is None or (
        row["value"] >= must if row["better"] == "higher" else row["value"] <= must
    )


def part(about: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the results of one part of the suite, with the machine and the date."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return {
        "date": date.today().isoformat(),
        "machine": machine,
        "about": about,
        "rows": list(rows),
    }


def figures(parts: dict[str, Any]) -> dict[str, Any]:
    """The file of figures (the contract's keys, and the parts, each with its own date)."""
    newest = max(parts.values(), key=lambda one: str(one["date"]))
    rows = [row for one in parts.values() for row in one["rows"]]
    return {
        "date": newest["date"],
        "machine": newest["machine"],
        "model_sha256": model_sha256(BUNDLED),
        "rows": rows,
        "parts": {name: {**one, "rows": len(one["rows"])} for name, one in parts.items()},
    }


def read() -> dict[str, Any]:
    """The parts as they were written last."""
    if not FIGURES.exists():
        return {}
    written = json.loads(FIGURES.read_text(encoding="utf-8"))
    rows = iter(written["rows"])
    return {
        name: {**one, "rows": [next(rows) for _ in range(one["rows"])]}
        for name, one in written["parts"].items()
    }


def write(parts: dict[str, Any]) -> None:
    """Write both files."""
    told = figures(parts)
    for path, text in (
        (FIGURES, json.dumps(told, indent=1, ensure_ascii=False) + "\n"),
        (PAGE, render(told)),
    ):
        with open_output(path) as file:
            file.write(text)


def _told(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,g}"


def render(told: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "# What ends a run or a server, and what is lost by it",
        "",
        f"`make torture`; bundled model sha256 `{told['model_sha256']}`.",
    ]
    rows = iter(told["rows"])
    for name, one in told["parts"].items():
        lines += [
            "",
            f"## {name.capitalize()}",
            f"{one['date']}, {one['machine']}. {one['about']}",
            "",
            "| | value | of | goal | holds | |",
            "|---|---|---|---|---|---|",
        ]
        for _ in range(one["rows"]):
            row = next(rows)
            goal = (
                ""
                if row["must"] is None
                else f"{'≥' if row['better'] == 'higher' else '≤'} {_told(row['must'])}"
            )
            answer = "" if row["must"] is None else "yes" if holds(row) else "**no**"
            lines.append(
                f"| {row['name']} | {_told(row['value'])} {row['unit']} | {row['n']:,} | {goal} | {answer} | "
                f"{row['note']} |"
            )
    lines += ["", "## Found and mended", *(f"- {name}: {found}." for name, found in MENDED)]
    return "\n".join(lines) + "\n"
