"""How right the bundled model is, as shipped, on the public corpora's test parts.

    claimstance build configs/default.yaml --corpora CORPORA --out runs/default-data
    python benchmarks/accuracy.py runs/default-data

Writes accuracy.json and, rendered from it, accuracy.md beside this file; README and model card quote them.
"""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from claimstance.training.run import score

HERE = Path(__file__).parent

#: corpus/task → the metrics reported, each with its name here, what it must reach, what it aims at, and a note.
ROWS: dict[str, list[tuple[str, str, float | None, float | None, str]]] = {
    "polnear/attribution": [
        ("source.overlap.f1", "PolNeAR source, token overlap F1", 84, 87, ""),
        ("cue.overlap.f1", "PolNeAR cue, token overlap F1", 72, 77, ""),
        ("content.overlap.f1", "PolNeAR content, token overlap F1", 90, 92, ""),
        ("source.exact.f1", "PolNeAR source, exact span F1", 75, 80, ""),
        ("cue.exact.f1", "PolNeAR cue, exact span F1", 67, 73, ""),
        ("content.exact.f1", "PolNeAR content, exact span F1", 55, 62, ""),
        ("linked.f1", "PolNeAR linked attribution F1", 68, 76, "source, cue and content overlap, one event"),
    ],
    "polnear/claim": [("macro_f1", "PolNeAR claim sentences, macro-F1", None, None, "")],
    "polnear/entity": [("f1", "PolNeAR entities, exact span F1", None, None, "agreement with a tagger")],
    "newsmtsc-rw/stance": [("macro_f1", "NewsMTSC rw test, macro-F1", 80.2, 83.1, "BERT-base 80.2, RoBERTa-base 83.1")],
    "newsmtsc-mt/stance": [("macro_f1", "NewsMTSC mt test, macro-F1", 77.7, 82.5, "BERT-base 77.7, RoBERTa-base 82.5")],
    "checkthat2024/check_worthy": [
        ("yes.f1", "CheckThat! 2024 test, F1 of Yes", 75, 81, "best team, a 7B model: 80.2 (recalled)"),
        ("average_precision", "CheckThat! 2024 test, average precision", None, None, ""),
    ],
    "dse-clean/stance": [
        ("macro_f1", "DSE clean test, holder to target, macro-F1", 63, 70, "sentences in neither train nor valid"),
        ("directed.macro_f1", "DSE clean test, five classes, macro-F1", None, None, ""),
        ("directed.micro_f1", "DSE clean test, five classes, micro-F1", None, None, ""),
        ("directed.map", "DSE clean test, mean average precision", None, None, ""),
    ],
    "dse/stance": [
        ("macro_f1", "DSE official test, holder to target, macro-F1", None, None, "a quarter of its rows are in train"),
        ("directed.macro_f1", "DSE official test, five classes, macro-F1", None, None, ""),
    ],
}
CALIBRATED = ("polnear/claim", "newsmtsc-rw/stance", "newsmtsc-mt/stance", "checkthat2024/check_worthy",
              "dse-clean/stance")


def main() -> None:
    """Score the bundled model and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the dataset built from configs/default.yaml")
    account = score(None, parser.parse_args().data)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    figures = {
        "date": account["date"],
        "machine": machine,
        "model_sha256": account["model"]["sha256"],
        "data_fingerprint": account["data"]["fingerprint"],
        "rows": rows(account["results"]),
    }
    (HERE / "accuracy.json").write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (HERE / "accuracy.md").write_text(render(figures), encoding="utf-8")
    print(render(figures))


def rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the figures file, in per cent, and the calibration errors."""
    found = []
    for name, metrics in ROWS.items():
        for metric, title, must, aim, note in metrics:
            figure = results[name][metric]
            found.append({
                "name": title, "value": round(100 * figure["value"], 1), "low": round(100 * figure["low"], 1),
                "high": round(100 * figure["high"], 1), "n": figure["n"], "unit": "%", "better": "higher", "must": must,
                "aim": aim, "note": note})
    for name in CALIBRATED:
        figure = results[name]["calibration_error"]
        value = round(figure["value"], 3)
        found.append({
            "name": f"{name}, expected calibration error", "value": value, "low": value, "high": value,
            "n": figure["n"], "unit": "1", "better": "lower", "must": 0.03, "aim": None, "note": "no interval"})
    return found


def render(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "# Accuracy of the bundled model",
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, int8, onnxruntime.",
        "Intervals: 95 %, bootstrap over documents. *Goal* and *aim* are the project's own.",
        "",
        "| | value | 95 % interval | n | goal | aim | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        interval = "" if row["low"] == row["high"] else f"{row['low']} – {row['high']}"
        must, aim = ("" if row[key] is None else row[key] for key in ("must", "aim"))
        lines.append(f"| {row['name']} | {row['value']} | {interval} | {row['n']} | {must} | {aim} | {row['note']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
