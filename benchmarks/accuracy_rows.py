"""The rows of accuracy.json: which figures are told, what they must reach, and what stands beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from claimstance.model.record import Record
from claimstance.training.evaluation.counts import Outcomes
from claimstance.training.evaluation.evaluate import PRIMARY, corpus_names
from claimstance.training.evaluation.page.groups import outlets as outlets_of

Results = Mapping[
    str, Mapping[str, Mapping[str, float]]
]  # "corpus/task" → metric → value, low, high, n
Row = dict[str, Any]

#: corpus/task → the metrics reported, each with its name here, what it must reach, what it aims at, and a note.
ROWS: dict[str, list[tuple[str, str, float | None, float | None, str]]] = {
    "polnear-stance/attribution": [
        ("source.overlap.f1", "PolNeAR source, token overlap F1", 84, 87, ""),
        ("cue.overlap.f1", "PolNeAR cue, token overlap F1", 72, 77, ""),
        ("content.overlap.f1", "PolNeAR content, token overlap F1", 90, 92, ""),
        ("source.exact.f1", "PolNeAR source, exact span F1", 75, 80, ""),
        ("cue.exact.f1", "PolNeAR cue, exact span F1", 67, 73, ""),
        ("content.exact.f1", "PolNeAR content, exact span F1", 55, 62, ""),
        (
            "linked.f1",
            "PolNeAR linked attribution F1",
            68,
            76,
            "source, cue and content overlap, one event",
        ),
    ],
    "polnear-stance/claim": [("macro_f1", "PolNeAR claim sentences, macro-F1", None, None, "")],
    "polnear-stance/entity": [
        ("f1", "PolNeAR entities, exact span F1", None, None, "agreement with a tagger")
    ],
    "newsmtsc-rw/stance": [
        ("macro_f1", "NewsMTSC rw test, macro-F1", 80.2, 83.1, "BERT-base 80.2, RoBERTa-base 83.1")
    ],
    "newsmtsc-mt/stance": [
        ("macro_f1", "NewsMTSC mt test, macro-F1", 77.7, 82.5, "BERT-base 77.7, RoBERTa-base 82.5")
    ],
    "checkthat2024/check_worthy": [
        (
            "yes.f1",
            "CheckThat! 2024 test, F1 of Yes",
            75,
            81,
            "best team, a 7B model: 80.2 (recalled)",
        ),
        ("average_precision", "CheckThat! 2024 test, average precision", None, None, ""),
    ],
    "dse-clean/stance": [
        (
            "macro_f1",
            "DSE clean test, holder to target, macro-F1",
            63,
            70,
            "sentences in neither train nor valid",
        ),
        ("directed.macro_f1", "DSE clean test, five classes, macro-F1", None, None, ""),
        ("directed.micro_f1", "DSE clean test, five classes, micro-F1", None, None, ""),
        ("directed.map", "DSE clean test, mean average precision", None, None, ""),
    ],
    "dse/stance": [
        (
            "macro_f1",
            "DSE official test, holder to target, macro-F1",
            None,
            None,
            "a quarter of its rows are in train",
        ),
        ("directed.macro_f1", "DSE official test, five classes, macro-F1", None, None, ""),
    ],
    "vast-zero-shot/stance": [
        (
            "macro_f1",
            "VAST test, zero-shot topics, macro-F1",
            65,
            72.3,
            "JointCL (BERT-base) 72.3, TATA 77.1",
        )
    ],
    "gwsd/stance": [("macro_f1", "GWSD test, macro-F1", 65, 73, "BERT about 73 (recalled)")],
    "newssd/subjective": [("macro_f1", "NewsSD test, macro-F1", 72, 80, "mBERT 74.7")],
}
CALIBRATED = (
    "polnear-stance/claim",
    "newsmtsc-rw/stance",
    "newsmtsc-mt/stance",
    "checkthat2024/check_worthy",
    "dse-clean/stance",
    "vast-zero-shot/stance",
    "gwsd/stance",
)
CALIBRATION_MUST = 0.03
FEWEST = 50  # items of an outlet whose figures are told
BESIDE = (
    "float32",
    "majority",
    "words",
    "people",
)  # columns of the first table, from other results


def plain(results: Mapping[str, Mapping[str, Any]]) -> Results:
    """``evaluate``'s figures as plain values."""
    return {
        name: {metric: asdict(figure) for metric, figure in figures.items()}
        for name, figures in results.items()
    }


def headline(results: Results, beside: Mapping[str, Results], split: str = "test") -> list[Row]:
    """The rows that a goal or a published figure stands beside, in per cent, each whether measured or not.

    Args:
        results: of the model as shipped.
        beside: for some of ``BESIDE``, the results of something else, told in columns of their own.
        split: what was scored; rows are named after the test.
    """
    rows = []
    for name, metrics in ROWS.items():
        for metric, title, must, aim, note in metrics:
            row = _row(
                "headline", title.replace(" test,", f" {split},"), results.get(name, {}).get(metric)
            )
            row |= {"must": must, "aim": aim, "note": _note(row, note)}
            rows.append(row | {column: _value(beside, column, name, metric) for column in BESIDE})
    return rows


def _value(beside: Mapping[str, Results], column: str, name: str, metric: str) -> float | None:
    figure = beside.get(column, {}).get(name, {}).get(metric)
    return round(100 * figure["value"], 1) if figure else None


def _note(row: Row, note: str) -> str:
    return note if row["value"] is not None else "; ".join(filter(None, ("not measured", note)))


def _row(table: str, name: str, figure: Mapping[str, float] | None) -> Row:
    """A row in per cent; without a figure, one that says so."""
    row: Row = {
        "table": table,
        "name": name,
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "unit": "%",
        "better": "higher",
        "must": None,
        "aim": None,
        "note": "" if figure else "not measured",
    }
    if figure:
        row |= {key: round(100 * figure[key], 1) for key in ("value", "low", "high")} | {
            "n": figure["n"]
        }
    return row


def calibration(results: Results) -> list[Row]:
    """The calibration error of every task that has one, and of those that must have one."""
    rows = []
    for name in [*CALIBRATED, *(name for name in results if name not in CALIBRATED)]:
        figure = results.get(name, {}).get("calibration_error")
        if figure is None and name not in CALIBRATED:
            continue
        row = _row("calibration", f"{name}, expected calibration error", figure)
        if figure:
            row |= {key: round(figure[key], 3) for key in ("value", "low", "high")}
            row["note"] = "no interval" if figure["low"] == figure["high"] else ""
        rows.append(
            row
            | {
                "unit": "1",
                "better": "lower",
                "must": CALIBRATION_MUST if name in CALIBRATED else None,
            }
        )
    return rows


def abstention(results: Results) -> list[Row]:
    """Return rows of withheld answers, of sets of labels, and of the share of questions answered at 90 % precision."""
    found = []
    for name, figures in results.items():
        for metric, figure in figures.items():
            if metric.startswith(("coverage_at_", "answered.", "conformal.")):
                row = _row("abstention", f"{name}, {metric}", figure)
                if metric == "conformal.size":  # labels, not a share
                    row |= {key: round(figure[key], 2) for key in ("value", "low", "high")}
                    row |= {"unit": "labels", "better": "lower"}
                found.append(row)
    return found


def classes(results: Results) -> list[Row]:
    """Each class's F1, precision and recall, where a task is one of labels."""
    found = []
    for name, figures in results.items():
        if "macro_f1" in figures:
            found += [
                _row("classes", f"{name}, {metric}", figure)
                for metric, figure in figures.items()
                if metric.endswith((".f1", ".precision", ".recall"))
            ]
    return found


def clean_parts(results: Results) -> list[Row]:
    """Return rows of a corpus that shares sentences with train: as published, and without those sentences."""
    found = []
    for name, figures in results.items():
        corpus, _, task = name.rpartition("/")
        clean = results.get(f"{corpus}-clean/{task}")
        if clean:
            for metric in (*PRIMARY[task], *(m for m in figures if m.startswith("directed."))):
                found.append(_row("clean", f"{corpus} official, {task}, {metric}", figures[metric]))
                found.append(_row("clean", f"{corpus} clean, {task}, {metric}", clean.get(metric)))
    return found


def outlets(outcomes: Outcomes, records: Sequence[Record], fewest: int = FEWEST) -> list[Row]:
    """The main figures of each outlet of at least ``fewest`` items, where ``meta`` tells the outlet."""
    found = []
    for name, outcome in outcomes.items():
        corpus, _, task = name.rpartition("/")
        documents = outlets_of(record for record in records if corpus in corpus_names(record))
        for outlet, wanted in sorted(documents.items()):
            part = outcome.restrict_to(wanted)
            if part and part.sizes.sum() >= fewest:
                figures = {metric: asdict(figure) for metric, figure in part.figures().items()}
                found += [
                    _row("outlets", f"{name}, {outlet}, {metric}", figures[metric])
                    for metric in PRIMARY[task]
                ]
    return found


def people(results: Results) -> list[Row]:
    """Return rows of agreement between annotators, where several annotated."""
    return [
        _row("people", f"{name}, {metric}, between annotators", figures[metric])
        for name, figures in results.items()
        for metric in figures
        if metric in PRIMARY[name.rpartition("/")[2]] or metric.endswith("exact.f1")
    ]
