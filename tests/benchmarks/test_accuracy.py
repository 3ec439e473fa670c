"""Check the file of accuracy figures and its page with invented results: every figure is there, in the right place."""

import json
import re
import subprocess
import sys

import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.scoring import score_pairs
from helpers.paths import BENCHMARKS

CONTRACT = {"name", "value", "low", "high", "n", "unit", "better", "must", "aim", "note"}


@pytest.fixture
def rows_module(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import accuracy_rows

    return accuracy_rows


@pytest.fixture
def render(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from accuracy_page import render

    return render


def figure(value, n=100, width=0.02):
    """Return a figure with its interval."""
    return {"value": value, "low": value - width, "high": value + width, "n": n}


def all_results(rows_module):
    """Return a figure for every row that exists; those of one data set differ."""
    results = {
        name: {metric: figure(0.5 + 0.01 * i) for i, (metric, *_) in enumerate(metrics)}
        for name, metrics in rows_module.ROWS.items()
    }
    for name in rows_module.CALIBRATED:
        results[name]["calibration_error"] = figure(0.0213, width=0)
    return results


def file_of(rows, **fields):
    """Return a file of figures as JSON values."""
    return {
        "date": "2026-01-01",
        "machine": "m",
        "model_sha256": "ab" * 32,
        "rows": rows,
        **fields,
    }


def test_rows_have_the_fields_of_the_contract(rows_module):
    results = all_results(rows_module)
    rows = rows_module.headline(results, {}) + rows_module.calibration(results)
    assert all(set(row) >= CONTRACT for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)
    by_name = {row["name"]: row for row in rows}
    source = by_name["PolNeAR source, token overlap F1"]
    assert (source["value"], source["low"], source["high"], source["n"]) == (50.0, 48.0, 52.0, 100)
    assert (source["unit"], source["better"], source["must"], source["aim"]) == (
        "%",
        "higher",
        84,
        87,
    )
    error = by_name["dse-clean/stance, expected calibration error"]
    assert (error["value"], error["unit"], error["better"], error["must"]) == (
        0.021,
        "1",
        "lower",
        0.03,
    )


@pytest.mark.parametrize(
    ("name", "must", "aim", "published"),
    [
        ("VAST test, zero-shot topics, macro-F1", 65, 72.3, "JointCL (BERT-base) 72.3, TATA 77.1"),
        ("GWSD test, macro-F1", 65, 73, "BERT about 73 (recalled)"),
        ("NewsSD test, macro-F1", 72, 80, "mBERT 74.7"),
        ("CheckThat! 2024 test, average precision", None, None, ""),
    ],
)
def test_rows_have_their_goals(rows_module, name, must, aim, published):
    (row,) = (
        row for row in rows_module.headline(all_results(rows_module), {}) if row["name"] == name
    )
    assert (row["must"], row["aim"], row["note"]) == (must, aim, published)


def test_missing_measurements_are_marked(rows_module, render):
    measured = {
        name: figures
        for name, figures in all_results(rows_module).items()
        if not name.startswith(("vast", "newssd"))
    }
    rows = rows_module.headline(measured, {}) + rows_module.calibration(measured)
    assert len(rows) == len(
        rows_module.headline(all_results(rows_module), {})
        + rows_module.calibration(all_results(rows_module))
    )
    missing = {row["name"]: row for row in rows if row["value"] is None}
    assert set(missing) == {
        "VAST test, zero-shot topics, macro-F1",
        "NewsSD test, macro-F1",
        "vast-zero-shot/stance, expected calibration error",
    }
    assert missing["NewsSD test, macro-F1"]["note"] == "not measured; mBERT 74.7"
    assert missing["NewsSD test, macro-F1"]["must"] == 72
    page = render(file_of(rows))
    assert "| NewsSD test, macro-F1 | not measured |  | 0 | 72 | 80 | mBERT 74.7 |" in page
    assert all(row["name"] in page for row in rows)


def test_comparisons_have_columns_of_their_own(rows_module, render):
    name = "gwsd/stance"
    comparisons = {
        "float32": {name: {"macro_f1": figure(0.61)}},
        "majority": {name: {"macro_f1": figure(0.2)}},
        "people": {name: {"macro_f1": figure(0.64)}},
    }
    rows = rows_module.headline(all_results(rows_module), comparisons)
    (row,) = (row for row in rows if row["name"].startswith("GWSD"))
    assert [row[column] for column in rows_module.COMPARISONS] == [61.0, 20.0, None, 64.0]
    (news_row,) = (row for row in rows if row["name"].startswith("NewsSD"))
    assert [news_row[column] for column in rows_module.COMPARISONS] == [None] * 4
    page = render(file_of(rows, float32_sha256="cd" * 32))
    assert "|  | value | 95 % interval | n | goal | aim | float32 | majority | people |  |" in page
    assert (
        "| GWSD test, macro-F1 | 50.0 | 48.0 – 52.0 | 100 | 65 | 73 | 61.0 | 20.0 | 64.0 | BERT about"
        in page
    )
    assert "`cdcdcdcdcdcd`" in page
    assert "TF-IDF" not in page  # no column without figures


def test_another_split_is_not_called_test(rows_module, render):
    rows = rows_module.headline(all_results(rows_module), {}, "dev")
    assert not any(" test" in row["name"] for row in rows)
    page = render(file_of(rows, split="dev"))
    assert page.startswith("# Accuracy on dev, which choices were made on\n")


def test_official_and_clean_figures_are_paired(rows_module):
    results = {
        "d/stance": {"macro_f1": figure(0.7), "directed.map": figure(0.6), "accuracy": figure(0.9)},
        "d-clean/stance": {"macro_f1": figure(0.5), "directed.map": figure(0.4)},
        "e/stance": {"macro_f1": figure(0.3)},
    }
    assert [(row["name"], row["value"]) for row in rows_module.clean_parts(results)] == [
        ("d official, stance, macro_f1", 70.0),
        ("d clean, stance, macro_f1", 50.0),
        ("d official, stance, directed.map", 60.0),
        ("d clean, stance, directed.map", 40.0),
    ]


def test_class_rows_are_figures_of_labels(rows_module):
    results = {
        "a/claim": {"macro_f1": figure(0.7), "claim.f1": figure(0.6), "claim.recall": figure(0.5)},
        "a/attribution": {"linked.f1": figure(0.6)},
    }
    assert [row["name"] for row in rows_module.classes(results)] == [
        "a/claim, claim.f1",
        "a/claim, claim.recall",
    ]


def test_calibration_without_a_goal_has_a_row(rows_module):
    rows = rows_module.calibration({"own/claim": {"calibration_error": figure(0.1)}})
    (row,) = (row for row in rows if row["value"] is not None)
    assert (row["name"], row["must"], row["note"]) == (
        "own/claim, expected calibration error",
        None,
        "",
    )
    assert sum(row["note"] == "not measured" for row in rows) == len(rows_module.CALIBRATED)


def test_withheld_answers_and_label_sets_have_rows(rows_module):
    results = {
        "a/claim": {
            "macro_f1": figure(0.7),
            "coverage_at_90": figure(0.6),
            "answered.share": figure(0.5),
            "conformal.size": figure(1.234),
        }
    }
    rows = rows_module.abstention(results)
    assert [(row["name"], row["value"], row["unit"], row["better"]) for row in rows] == [
        ("a/claim, coverage_at_90", 60.0, "%", "higher"),
        ("a/claim, answered.share", 50.0, "%", "higher"),
        ("a/claim, conformal.size", 1.23, "labels", "lower"),
    ]


def test_outlets_are_scored_from_their_own_documents(rows_module):
    records, pairs = [], []
    for i in range(90):
        outlet = "Gazette" if i < 60 else "Herald"
        is_correct = outlet == "Herald" or i % 3 != 0
        record = Record(
            id=str(i),
            text="x",
            stances=[Stance(target="x", label="favor" if i % 2 else "against")],
            meta={"corpus": "a", "outlet": outlet},
        )
        favor = 0.9 if (i % 2 == 1) == is_correct else 0.1
        records.append(record)
        pairs.append(
            (record, Prediction(stances=[{"against": 1 - favor, "favor": favor}], kinds=["stance"]))
        )
    config = ModelConfig({}, tasks=("stance",), labels={"stance": ("against", "favor")})
    _, outcomes = score_pairs(config, pairs)
    (row,) = rows_module.outlets(outcomes, records)  # the Herald has too few
    assert (row["name"], row["n"]) == ("a/stance, Gazette, macro_f1", 60)
    assert row["value"] == pytest.approx(100 * 2 / 3, abs=0.1)
    assert row["low"] < row["value"] < row["high"]
    both_outlets = rows_module.outlets(outcomes, records, min_items=30)
    assert [(row["name"], row["value"]) for row in both_outlets][1] == (
        "a/stance, Herald, macro_f1",
        100.0,
    )


def test_every_row_is_on_the_page_in_its_table(rows_module, render):
    results = all_results(rows_module) | {
        "x/claim": {"macro_f1": figure(0.5), "yes|no.f1": figure(0.5)}
    }
    rows = [
        *rows_module.headline(results, {}),
        *rows_module.calibration(results),
        *rows_module.classes(results),
        *rows_module.people({"x/claim": results["x/claim"]}),
    ]
    page = render(file_of(rows))
    cells = [
        re.split(r"(?<!\\)\|", line)[1].strip().replace("\\|", "|")
        for line in page.splitlines()
        if line.startswith("| ")
    ]
    tables = ["headline", "calibration", "people", "classes"]
    rows.sort(key=lambda row: tables.index(row["table"]))
    assert [cell for cell in cells if cell] == [row["name"] for row in rows]
    assert (
        page.index("## Probabilities")
        < page.index("## Between people")
        < page.index("## Class by class")
    )


def test_a_file_of_older_figures_can_be_rendered(render):
    row = {
        "name": "a",
        "value": 1.0,
        "low": 0.5,
        "high": 1.5,
        "n": 3,
        "unit": "%",
        "better": "higher",
        "must": None,
        "aim": None,
        "note": "",
    }
    assert "| a | 1.0 | 0.5 – 1.5 | 3 |" in render(file_of([row]))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone"], 1, "error: gone: expected a folder that `build` wrote"),
        (["gone", "--split", "dev"], 2, "expected --out FOLDER"),
        (["gone", "--model", "elsewhere"], 2, "expected --out FOLDER"),
    ],
)
def test_a_wrong_call_changes_no_figures(tmp_path, arguments, code, message):
    previous_figures = json.loads((BENCHMARKS / "accuracy.json").read_text(encoding="utf-8"))
    process = subprocess.run(
        [sys.executable, str(BENCHMARKS / "accuracy.py"), *arguments],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (code, "")
    assert message in process.stderr
    figures = json.loads((BENCHMARKS / "accuracy.json").read_text(encoding="utf-8"))
    assert figures == previous_figures


def test_a_card_quotes_the_figures_of_the_page_and_keeps_its_other_text(rows_module):
    from accuracy_page import quote, render

    figures = {
        "date": "2026-01-02",
        "machine": "m",
        "model_sha256": "ab" * 32,
        "rows": [
            *rows_module.headline(all_results(rows_module), {}),
            *rows_module.calibration(all_results(rows_module)),
        ],
    }
    before, after = "# Title\n<!-- figures", " here -->of yore\n<!-- /figures -->\nend\n"
    full = quote(figures, before + after)
    assert full.startswith("# Title\n<!-- figures")
    assert full.endswith("<!-- /figures -->\nend\n")
    assert "of yore" not in full

    def cells(line):
        return [cell.strip() for cell in line.split("|")[1:4]]

    quoted_rows = [cells(line) for line in full.splitlines() if line.startswith("| ")]
    assert len(quoted_rows) == 1 + len(figures["rows"])
    page_rows = [cells(line) for line in render(figures).splitlines()]
    assert all(row in page_rows for row in quoted_rows)
    assert quote(figures, full) == full
    with pytest.raises(ValueError, match="one place for figures, found 0"):
        quote(figures, "no marks")


def test_readme_tables_have_a_column_for_each_model():
    from readme_table import ROWS, quote, quote_choice

    def figures(model, shift):
        head = {"date": "2026-01-02", "machine": "m", "model_sha256": f"{shift}" * 64}
        files = {}
        for file, names in ROWS.items():
            row = {"value": 50.4 + shift, "low": 40.5, "high": 60.5, "n": 7, "note": "BERT 48"}
            files[file] = {**head, "rows": [{**row, "name": name} for name in names]}
        prefix = "" if model == "small" else f"{model}: "
        cold = f"{prefix}one article from a cold start"
        speed_rows = [
            {"name": cold, "value": 0.76},
            {"name": f"{cold}, peak memory", "value": 170.2},
        ]
        return {**files, "speed": {**head, "rows": speed_rows}}

    all_figures = {"small": figures("small", 0), "base": figures("base", 5)}
    table = quote(all_figures, "a\n<!-- figures --><!-- /figures -->\nb")
    assert table.startswith("a\n")
    assert table.endswith("-->\nb")
    (line,) = [line for line in table.splitlines() if "whole articles" in line]
    assert line == (
        "| Stances in whole articles, F1 | 50.4 (40.5 – 60.5) | 55.4 (40.5 – 60.5) | 7 |  |  | BERT 48 |"
    )
    assert "small sha256 `0000000000000000…` (2026-01-02), base sha256 `5555" in table
    with pytest.raises(ValueError, match="one place for figures, found 0"):
        quote(all_figures, "no marks")

    lines = quote_choice(all_figures, "<!-- choice --><!-- /choice -->").splitlines()
    assert lines[1:4] == [
        "|  | small | base |",
        "|---|---|---|",
        "| stances in whole articles: found at the default confidence | 50 % (50 % of them right) | 55 % (55 % of them right) |",
    ]
    assert lines[-2] == "| one article, program start included | 0.8 s, 170 MB | 0.8 s, 170 MB |"
