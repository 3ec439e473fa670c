"""Make the rows of accuracy.json: the figures reported, their goals, and the results they are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from claimstance.model.record import Record
from claimstance.training.evaluation.counts import Outcomes
from claimstance.training.evaluation.page.groups import outlets as outlet_documents
from claimstance.training.evaluation.scoring import PRIMARY_METRICS, corpus_names

#: "corpus/task" → metric → value, low, high and n.
Results = Mapping[str, Mapping[str, Mapping[str, float]]]
Row = dict[str, Any]

#: corpus/task → the metrics reported, each with the name of its row, its goal, its aim, and a note.
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
#: Tasks with a goal for their calibration error, which have a row even if they were not measured.
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
MIN_OUTLET_ITEMS = 50  # outlets with fewer items have no rows
#: Columns of the first table that hold results of something else than the model.
COMPARISONS = ("float32", "majority", "words", "people")


def headline(
    results: Results, comparisons: Mapping[str, Results], split: str = "test"
) -> list[Row]:
    """Return the rows with a goal or a published figure, in per cent, including those not measured.

    Args:
        results: those of the model as shipped.
        comparisons: some of ``COMPARISONS`` → the results for that column.
        split: the split that was scored; the names of the rows mention it.
    """
    rows = []
    for name, metrics in ROWS.items():
        for metric, test_title, must, aim, note in metrics:
            title = test_title.replace(" test,", f" {split},")
            row = _row("headline", title, results.get(name, {}).get(metric))
            if row["value"] is None:
                note = f"not measured; {note}" if note else "not measured"
            row |= {"must": must, "aim": aim, "note": note}
            for column in COMPARISONS:
                figure = comparisons.get(column, {}).get(name, {}).get(metric)
                row[column] = round(100 * figure["value"], 1) if figure else None
            rows.append(row)
    return rows


def _row(table: str, name: str, figure: Mapping[str, float] | None) -> Row:
    """Return a row in per cent; without a figure, one that says so."""
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
        row |= _rounded(figure, 100, 1)
        row["n"] = figure["n"]
    return row


def _rounded(figure: Mapping[str, float], factor: int, digits: int) -> dict[str, float]:
    """Return the value of a figure and its interval, multiplied and rounded."""
    return {key: round(factor * figure[key], digits) for key in ("value", "low", "high")}


def calibration(results: Results) -> list[Row]:
    """Return the calibration error of every task that has one, and of those that must have one."""
    rows = []
    for name in dict.fromkeys([*CALIBRATED, *results]):
        figure = results.get(name, {}).get("calibration_error")
        has_goal = name in CALIBRATED
        if figure is None and not has_goal:
            continue
        row = _row("calibration", f"{name}, expected calibration error", figure)
        row |= {
            "unit": "1",
            "better": "lower",
            "must": CALIBRATION_MUST if has_goal else None,
        }
        if figure:
            row |= _rounded(figure, 1, 3)
            row["note"] = "no interval" if figure["low"] == figure["high"] else ""
        rows.append(row)
    return rows


def abstention(results: Results) -> list[Row]:
    """Return rows of withheld answers, of label sets, and of the share of questions answered at 90 % precision."""
    rows = []
    for name, figures in results.items():
        for metric, figure in figures.items():
            if not metric.startswith(("coverage_at_", "answered.", "conformal.")):
                continue
            row = _row("abstention", f"{name}, {metric}", figure)
            if metric == "conformal.size":
                # The size of a set is a number of labels, not a share.
                row |= _rounded(figure, 1, 2)
                row |= {"unit": "labels", "better": "lower"}
            rows.append(row)
    return rows


def classes(results: Results) -> list[Row]:
    """Return F1, precision and recall of each class, for the tasks whose answers are labels."""
    rows = []
    for name, figures in results.items():
        if "macro_f1" not in figures:
            continue
        for metric, figure in figures.items():
            if metric.endswith((".f1", ".precision", ".recall")):
                rows.append(_row("classes", f"{name}, {metric}", figure))
    return rows


def clean_parts(results: Results) -> list[Row]:
    """Return rows of a corpus that shares sentences with train: as published, and without those sentences."""
    rows = []
    for name, official in results.items():
        corpus, _, task = name.rpartition("/")
        clean = results.get(f"{corpus}-clean/{task}")
        if not clean:
            continue
        directed = [metric for metric in official if metric.startswith("directed.")]
        for metric in (*PRIMARY_METRICS[task], *directed):
            rows.append(_row("clean", f"{corpus} official, {task}, {metric}", official[metric]))
            rows.append(_row("clean", f"{corpus} clean, {task}, {metric}", clean.get(metric)))
    return rows


def outlets(
    outcomes: Outcomes, records: Sequence[Record], min_items: int = MIN_OUTLET_ITEMS
) -> list[Row]:
    """Return the primary figures of each outlet with at least ``min_items`` items, if ``meta`` names outlets."""
    rows = []
    for name, outcome in outcomes.items():
        corpus, _, task = name.rpartition("/")
        corpus_records = [record for record in records if corpus in corpus_names(record)]
        for outlet, documents in sorted(outlet_documents(corpus_records).items()):
            outlet_outcome = outcome.restrict_to(documents)
            if not outlet_outcome or outlet_outcome.sizes.sum() < min_items:
                continue
            figures = outlet_outcome.figures()
            rows += [
                _row("outlets", f"{name}, {outlet}, {metric}", asdict(figures[metric]))
                for metric in PRIMARY_METRICS[task]
            ]
    return rows


def people(results: Results) -> list[Row]:
    """Return rows of the agreement between annotators, for corpora that several people annotated."""
    rows = []
    for name, figures in results.items():
        primary = PRIMARY_METRICS[name.rpartition("/")[2]]
        for metric, figure in figures.items():
            if metric in primary or metric.endswith("exact.f1"):
                rows.append(_row("people", f"{name}, {metric}, between annotators", figure))
    return rows
