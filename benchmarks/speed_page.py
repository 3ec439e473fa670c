"""Render speed.md from the figures of speed.json, and the table that README quotes."""

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figure_files import date_and_machine

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx.manifest import MANIFEST_FILE, encoder_files, read_manifest

Row = dict[str, Any]


def make_row(
    name: str,
    values: Sequence[float],
    unit: str,
    must: float | None = None,
    aim: float | None = None,
    better: str = "lower",
    n: int | None = None,
    note: str = "",
) -> Row:
    """Return the row of a figure: the median of the rounds, and the least and the greatest of them.

    Args:
        name: the name of the row.
        values: the value of each round.
        unit: the unit of the values.
        must: the goal.
        aim: the aim.
        better: ``lower`` or ``higher``.
        n: the number of items measured; the number of rounds if ``None``.
        note: a remark.
    """
    value, low, high = (
        _four_digits(figure) for figure in (statistics.median(values), min(values), max(values))
    )
    return {
        "name": name,
        "value": value,
        "low": low,
        "high": high,
        "n": n if n is not None else len(values),
        "unit": unit,
        "better": better,
        "must": must,
        "aim": aim,
        "note": note,
    }


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")


def file_head(model: str) -> dict[str, Any]:
    """Return the head of the file of figures of a bundled model."""
    return {**date_and_machine(), "encoder_sha256": encoder_sha256(BUNDLED_MODELS[model])}


def encoder_sha256(folder: Path) -> str:
    """Return one SHA-256 for all files of a model's encoder, which takes nearly all of the time.

    The weights of the stance head and the numbers of the calibration may change: they change probabilities, but
    not the time that these take.
    """
    files = read_manifest(folder / MANIFEST_FILE).files
    digest = hashlib.sha256()
    for name in encoder_files(files):
        digest.update(f"{name} {files[name]}\n".encode())
    return digest.hexdigest()


def holds(row: Row) -> bool | None:
    """Return true if a figure reaches its goal; ``None`` if it has none."""
    goal = row["must"]
    if goal is None:
        return None
    if row["better"] == "higher":
        return bool(row["value"] >= goal)
    return bool(row["value"] <= goal)


def page(figures: Mapping[str, Any]) -> str:
    """Return the figures as Markdown, those with a goal first."""
    lines = [
        "# Speed",
        "",
        f"{figures['date']}, {figures['machine']}; encoder sha256 `{figures['encoder_sha256']}`, int8, "
        f"onnxruntime. `make speed`: median of {figures['rounds']} rounds, least – greatest. Every ratio is "
        "within one round.",
        "",
        "| | value | least – greatest | goal | aim | holds | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        if row["must"] is None:
            continue
        bound = "at least" if row["better"] == "higher" else "at most"
        aim = "" if row["aim"] is None else f"{row['aim']:g}"
        answer = "yes" if holds(row) else "**no**"
        lines.append(
            f"| {row['name']} | {_value(row)} | {_interval(row)} | {bound} {row['must']:g} | {aim} | {answer} | "
            f"{row['note']} |"
        )
    lines += ["", "| | value | least – greatest | |", "|---|---|---|---|"]
    for row in figures["rows"]:
        if row["must"] is None:
            lines.append(f"| {row['name']} | {_value(row)} | {_interval(row)} | {row['note']} |")
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- speed: written by benchmarks/speed.py -->", "<!-- /speed -->"


#: The rows that README.md quotes; benchmarks/speed.md has all of them.
README_ROWS = (
    "one article from a cold start",
    "one article from a cold start, peak memory",
    "transformers' pipelines, batches of 32, sorted ÷ whole run",
    "SetFit ÷ whole run",
    "training ÷ run_classification",
    "base ÷ small, whole run",
    "base: transformers' pipelines with the small encoder ÷ whole run",
    "base: one article from a cold start",
    "base: one article from a cold start, peak memory",
)


def quote(figures: Mapping[str, Mapping[str, Any]], text: str) -> str:
    """Return the text of README.md with new figures between its two marks.

    Args:
        figures: model → the content of its ``speed.json``.
        text: the content of README.md.

    Raises:
        ValueError: if the text does not have exactly one pair of marks.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError("expected one place for the figures of speed")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [BEGIN, "| | value | least – greatest | goal |", "|---|---|---|---|"]
    for content in figures.values():
        for row in content["rows"]:
            if row["name"] not in README_ROWS:
                continue
            goal = ""
            if row["must"] is not None:
                goal = f"{'≥' if row['better'] == 'higher' else '≤'} {row['must']:g}"
            lines.append(f"| {row['name']} | {_value(row)} | {_interval(row)} | {goal} |")
    lines.append("")
    for model, content in figures.items():
        lines.append(
            f"{model}: {content['date']}, {content['machine']}, medians of {content['rounds']} rounds, "
            f"encoder sha256 `{content['encoder_sha256'][:16]}…`."
        )
    lines.append(END)
    return before + "\n".join(lines) + after


def _value(row: Row) -> str:
    """Return the value with its unit."""
    separator = "" if row["unit"] in ("×", "/s") else " "
    return f"{_number(row['value'])}{separator}{row['unit']}"


def _interval(row: Row) -> str:
    return f"{_number(row['low'])} – {_number(row['high'])}"


def _number(value: float) -> str:
    """Return a number for reading: times vary by some per cent, so that further digits would mean nothing."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2g}"
