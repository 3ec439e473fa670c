"""Measure the time and memory that building a dataset of many rows takes.

    python benchmarks/scale.py [--rows 100000 1000000] [--write]

The rows are made up: documents of twenty sentences of invented words, one in ten of them another outlet's copy of an
earlier one with some sentences changed, every sentence with a label and stances on one to three targets. They are
written to a JSON Lines file in a temporary folder and built in a process of its own; the memory is the peak of this
process, or of one of the processes that it starts (``ru_maxrss``). ``--write`` writes ``scale.json`` and
``scale.md`` beside this file.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from figure_files import head

SENTENCES = 20  # in a document
COPIED = 0.1  # share of the documents that are copies
CHANGED = 0.2  # share of a copy's sentences that differ
EARLIER = 500  # documents that may be copied
GROWTH = 300  # MB by which the peak of the largest run may exceed that of the smallest
_SYLLABLES = (
    "ba",
    "cor",
    "den",
    "fi",
    "gal",
    "hem",
    "is",
    "jo",
    "ker",
    "lun",
    "mar",
    "nop",
    "or",
    "pel",
    "rus",
    "ta",
)


def documents(rows: int) -> Iterator[tuple[int, list[str]]]:
    """Yield documents with so many rows in all: the number of the outlet, and the sentences."""
    rng = random.Random(7)
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(30_000)]
    earlier: list[list[str]] = []
    for number in range(rows // SENTENCES):
        if earlier and rng.random() < COPIED:
            sentences = list(rng.choice(earlier))
            for position in range(SENTENCES):
                if rng.random() < CHANGED:
                    sentences[position] = _sentence(words, rng)
        else:
            sentences = [_sentence(words, rng) for _ in range(SENTENCES)]
        if len(earlier) < EARLIER:
            earlier.append(sentences)
        elif rng.random() < 0.1:
            earlier[rng.randrange(EARLIER)] = sentences
        yield number % 40, sentences


def _sentence(words: list[str], rng: random.Random) -> str:
    return " ".join(rng.choices(words, k=rng.randint(8, 34))).capitalize() + "."


def write_rows(rows: int, path: Path) -> None:
    """Write made-up records as JSON Lines."""
    rng = random.Random(11)
    with path.open("w", encoding="utf-8") as file:
        for number, (outlet, sentences) in enumerate(documents(rows)):
            day = date(2015, 1, 1) + timedelta(days=rng.randrange(3000))
            meta = {"outlet": f"outlet {outlet}", "date": day.isoformat()}
            for position, sentence in enumerate(sentences):
                stances = []
                for target in rng.sample(range(500), rng.randint(1, 3)):
                    label = rng.choice(("favor", "against"))
                    stances.append({"holder": None, "target": f"target {target}", "label": label})
                record = {
                    "id": f"d{number}:{position}",
                    "doc_id": f"d{number}",
                    "text": sentence,
                    "claim": rng.choice(("claim", "no_claim", "no_claim")),
                    "stances": stances,
                    "meta": meta,
                }
                file.write(json.dumps(record) + "\n")


def measure(rows: int) -> dict[str, float]:
    """Build a dataset of so many rows; return its time, memory and size, and the numbers of rows and groups."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "rows.jsonl", Path(folder) / "out"
        write_rows(rows, file)
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, __file__, "--build", str(file), str(out)])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"the build of {rows} rows ended with {process.returncode}")
        report = json.loads((out / "report.json").read_bytes())
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return {
        "rows": sum(report["rows"].values()),
        "seconds": seconds,
        "memory": kilobytes / 1024,
        "disk": size / 2**20,
        "groups": report["division"]["groups"],
        "near": sum(overlap["exact"] + overlap["near"] for overlap in report["overlaps"]),
    }


def figures(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Return the content of ``scale.json``."""
    rows = []
    for run in runs:
        count = int(run["rows"])
        name = f"{count:,} rows"
        note = (
            f"{int(run['groups']):,} groups; {int(run['near'])} rows with a twin in another split"
        )
        rows.append(
            _row(f"{name}, peak memory of a process", run["memory"], count, "MB", note=note)
        )
        rows.append(_row(f"{name}, time", run["seconds"], count, "s"))
    if len(runs) > 1:
        growth = max(run["memory"] for run in runs) - runs[0]["memory"]
        rows.append(
            _row("growth of the peak memory", growth, int(runs[-1]["rows"]), "MB", must=GROWTH)
        )
    return {**head(None), "rows": rows}


def _row(
    name: str, value: float, n: int, unit: str, must: int | None = None, note: str = ""
) -> dict[str, Any]:
    value = round(value, 1)
    return {
        "name": name,
        "value": value,
        "low": value,
        "high": value,
        "n": n,
        "unit": unit,
        "better": "lower",
        "must": must,
        "aim": None,
        "note": note,
    }


def page(content: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "# Building many rows",
        "",
        f"{content['date']}, {content['machine']}. One run each, `benchmarks/scale.py`.",
        "",
        "| | value | at most | |",
        "|---|---|---|---|",
    ]
    for row in content["rows"]:
        value = f"{row['value']:,} {row['unit']}"
        lines.append(f"| {row['name']} | {value} | {row['must'] or ''} | {row['note']} |")
    return "\n".join(lines) + "\n"


def _build(file: str, out: str) -> None:
    """Build a dataset, in the process that is measured."""
    from claimstance.training.data.build import build
    from claimstance.training.data.config import DataConfig

    build(DataConfig.model_validate({"path": out, "sources": [{"files": [file]}]}), out)


def main() -> None:
    """Measure the builds, and print or write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--write", action="store_true", help="write scale.json and scale.md")
    parser.add_argument("--build", nargs=2, metavar=("FILE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        _build(*options.build)
        return
    runs = []
    for rows in options.rows:
        runs.append(measure(rows))
        print(", ".join(f"{name} {value:,.1f}" for name, value in runs[-1].items()), flush=True)
    content = figures(runs)
    if options.write:
        folder = Path(__file__).parent
        (folder / "scale.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (folder / "scale.md").write_text(page(content), encoding="utf-8")
    else:
        print(page(content))


if __name__ == "__main__":
    main()
