"""Write ``inference/pages/known_errors.json``: the error rates of the bundled models that reports quote.

    python benchmarks/known_errors.py        # or make reference

The figures are those of ``accuracy.json`` and ``stances.json`` in ``benchmarks/``, and in ``benchmarks/base/`` for the
larger model. A test compares the file with what this would write.
"""

import json
from pathlib import Path
from typing import Any

from figure_files import FOLDERS

from claimstance.model.bundled import BUNDLED_MODELS

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "inference" / "pages" / "known_errors.json"
#: Key in the file → the file of figures and the name of the row.
ROWS = {
    "source": ("accuracy", "PolNeAR source, token overlap F1"),
    "content": ("accuracy", "PolNeAR content, token overlap F1"),
    "attribution": ("accuracy", "PolNeAR linked attribution F1"),
    "claim": ("accuracy", "PolNeAR claim sentences, macro-F1"),
    "default_precision": ("stances", "At the default confidence, precision"),
    "default_recall": ("stances", "At the default confidence, recall"),
    "all_precision": ("stances", "Stances in whole articles, precision"),
    "all_recall": ("stances", "Stances in whole articles, recall"),
    "second_precision": ("stances", "Stances in whole articles, precision: second annotator"),
    "second_recall": ("stances", "Stances in whole articles, recall: second annotator"),
    "swapped": ("stances", "Label unchanged when all names are swapped"),
    "own": ("accuracy", "NewsMTSC rw test, macro-F1"),
}


def known_errors() -> str:
    """Return the content of the file: a list with an entry for each bundled model.

    Raises:
        ValueError: if the files of a model have figures of different models.
    """
    entries = [_entry(name, folder) for name, folder in BUNDLED_MODELS.items()]
    return json.dumps(entries, indent=1) + "\n"


def _entry(model: str, folder: Path) -> dict[str, Any]:
    """Return the error rates of a bundled model."""
    figures = {
        name: json.loads((FOLDERS[model] / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("accuracy", "stances")
    }
    sha256s = {file["model_sha256"] for file in figures.values()}
    if len(sha256s) != 1:
        raise ValueError(f"expected figures of one model, found {', '.join(sorted(sha256s))}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    limits = [config["abstain_below"][f"stance.found.{side}"] for side in ("favor", "against")]
    return {
        "model_sha256": sha256s.pop(),
        "default_confidence": min(limits),
        "date": figures["stances"]["date"],
        "articles": figures["stances"]["articles"],
        "rows": {key: _row(figures[file], name) for key, (file, name) in ROWS.items()},
        "curve": [
            [point["confidence"], point["precision"], point["recall"]]
            for point in figures["stances"]["curves"]["model"]
        ],
    }


def _row(figures: dict[str, Any], name: str) -> dict[str, Any]:
    """Return value, interval and number of items of the row with this name."""
    (row,) = [
        row for row in figures["rows"] if row["name"] == name and row.get("value") is not None
    ]
    return {key: row[key] for key in ("value", "low", "high", "n")}


def main() -> None:
    """Write the file."""
    FILE.write_text(known_errors(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
