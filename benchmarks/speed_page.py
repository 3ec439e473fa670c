"""Render speed.md from the figures of speed.json, and the table that README quotes."""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from figures_head import FOLDERS, head

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx.backend import model_sha256

Row = dict[str, Any]


def row(
    name: str,
    values: Sequence[float],
    unit: str,
    must: float | None = None,
    aim: float | None = None,
    better: str = "lower",
    n: int | None = None,
    note: str = "",
) -> Row:
    """A figure: the median of the rounds, and the least and the greatest of them."""
    value, low, high = (
        float(f"{each:.4g}") for each in (statistics.median(values), min(values), max(values))
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


def machine(model: str = "small") -> dict[str, Any]:
    """The head of a file of figures."""
    return head(model_sha256(BUNDLED_MODELS[model]))


def load_figures() -> dict[str, dict[str, Any]]:
    """Return model → the content of its ``speed.json``, for the models that have one."""
    paths = {model: folder / "speed.json" for model, folder in FOLDERS.items()}
    return {
        model: json.loads(path.read_text(encoding="utf-8"))
        for model, path in paths.items()
        if path.is_file()
    }


def holds(one: Row) -> bool | None:
    """Return true if a figure reaches its goal; ``None`` if it has none."""
    if one["must"] is None:
        return None
    return bool(
        one["value"] >= one["must"] if one["better"] == "higher" else one["value"] <= one["must"]
    )


def page(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown: those with a goal first."""
    lines = [
        "# Speed",
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, int8, "
        f"onnxruntime. `make speed`: median of {figures['rounds']} rounds, least – greatest. Every ratio is "
        "within one round.",
        "",
        "| | value | least – greatest | goal | aim | holds | |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in (one for one in figures["rows"] if one["must"] is not None):
        goal = ("at least" if one["better"] == "higher" else "at most") + f" {one['must']:g}"
        lines.append(
            f"| {one['name']} | {_value(one)} | {one['low']:g} – {one['high']:g} | {goal} | "
            f"{'' if one['aim'] is None else format(one['aim'], 'g')} | {'yes' if holds(one) else '**no**'} | "
            f"{one['note']} |"
        )
    lines += ["", "| | value | least – greatest | |", "|---|---|---|---|"]
    lines += [
        f"| {one['name']} | {_value(one)} | {one['low']:g} – {one['high']:g} | {one['note']} |"
        for one in figures["rows"]
        if one["must"] is None
    ]
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
        for one in content["rows"]:
            if one["name"] in README_ROWS:
                goal = ""
                if one["must"] is not None:
                    goal = f"{'≥' if one['better'] == 'higher' else '≤'} {one['must']:g}"
                lines.append(
                    f"| {one['name']} | {_value(one)} | {one['low']:g} – {one['high']:g} | {goal} |"
                )
    lines.append("")
    for model, content in figures.items():
        lines.append(
            f"{model}: {content['date']}, {content['machine']}, medians of {content['rounds']} rounds, "
            f"sha256 `{content['model_sha256'][:16]}…`."
        )
    lines.append(END)
    return before + "\n".join(lines) + after


def _value(one: Row) -> str:
    return f"{one['value']:,g}".rstrip() + (
        one["unit"] if one["unit"] in ("×", "/s") else f" {one['unit']}"
    )
