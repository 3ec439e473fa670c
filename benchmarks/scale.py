"""Measure the time and memory that building a dataset of many rows takes.

    python benchmarks/scale.py [--rows 100000 1000000] [--write]

The rows are made up: documents of twenty sentences of invented words, one in ten of them another outlet's copy of an
earlier one with some sentences changed, every sentence with a label and stances on one to three targets. They are
written to a JSON Lines file in a temporary folder and built in a process of its own; the memory is the most that this
process, or one of the processes that it starts, ever held (``ru_maxrss``). ``--write`` writes ``scale.json`` and
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

from figures_head import head

SENTENCES = 20  # of a document
COPIED = 0.1  # of the documents
CHANGED = 0.2  # of a copy's sentences
GROWTH = 300  # MB that the largest run may take more than the smallest
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
    """So many rows of documents: the number of the outlet, and the sentences."""
    rng = random.Random(7)
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(30_000)]
    earlier: list[list[str]] = []
    for number in range(rows // SENTENCES):
        if earlier and rng.random() < COPIED:
            text = [
                _sentence(words, rng) if rng.random() < CHANGED else sentence
                for sentence in rng.choice(earlier)
            ]
        else:
            text = [_sentence(words, rng) for _ in range(SENTENCES)]
        if len(earlier) < 500:
            earlier.append(text)
        elif rng.random() < 0.1:
            earlier[rng.randrange(500)] = text
        yield number % 40, text


def _sentence(words: list[str], rng: random.Random) -> str:
    return " ".join(rng.choices(words, k=rng.randint(8, 34))).capitalize() + "."


def write_rows(rows: int, path: Path) -> None:
    """Write made-up records, a line each."""
    rng = random.Random(11)
    with path.open("w", encoding="utf-8") as file:
        for number, (outlet, text) in enumerate(documents(rows)):
            day = date(2015, 1, 1) + timedelta(days=rng.randrange(3000))
            for place, sentence in enumerate(text):
                stances = [
                    {
                        "holder": None,
                        "target": f"target {target}",
                        "label": rng.choice(("favor", "against")),
                    }
                    for target in rng.sample(range(500), rng.randint(1, 3))
                ]
                file.write(
                    json.dumps(
                        {
                            "id": f"d{number}:{place}",
                            "doc_id": f"d{number}",
                            "text": sentence,
                            "claim": rng.choice(("claim", "no_claim", "no_claim")),
                            "stances": stances,
                            "meta": {"outlet": f"outlet {outlet}", "date": day.isoformat()},
                        }
                    )
                    + "\n"
                )


def measure(rows: int) -> dict[str, float]:
    """Seconds and megabytes of a build of so many rows, and the rows and the groups that it had."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "rows.jsonl", Path(folder) / "out"
        write_rows(rows, file)
        started = time.perf_counter()
        child = subprocess.Popen([sys.executable, __file__, "--build", str(file), str(out)])
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if child.returncode:
            sys.exit(f"the build of {rows} rows ended with {child.returncode}")
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
    """The file of figures."""
    rows = []
    for run in runs:
        name, count = f"{int(run['rows']):,} rows", int(run["rows"])
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


def page(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "# Building many rows",
        "",
        f"{found['date']}, {found['machine']}. One run each, `benchmarks/scale.py`.",
        "",
        "| | value | at most | |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['value']:,} {row['unit']} | {row['must'] or ''} | {row['note']} |"
        for row in found["rows"]
    ]
    return "\n".join(lines) + "\n"


def _build(file: str, out: str) -> None:
    from claimstance.training.data.build import build
    from claimstance.training.data.config import DataConfig

    build(DataConfig.model_validate({"path": out, "sources": [{"files": [file]}]}), out)


def main() -> None:
    """Measure, tell, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--write", action="store_true", help="write scale.json and scale.md")
    parser.add_argument("--build", nargs=2, metavar=("FILE", "OUT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        _build(*asked.build)
        return
    runs = []
    for rows in asked.rows:
        runs.append(measure(rows))
        print(", ".join(f"{name} {value:,.1f}" for name, value in runs[-1].items()), flush=True)
    found = figures(runs)
    if asked.write:
        here = Path(__file__).parent
        (here / "scale.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        (here / "scale.md").write_text(page(found), encoding="utf-8")
    else:
        print(page(found))


if __name__ == "__main__":
    main()
