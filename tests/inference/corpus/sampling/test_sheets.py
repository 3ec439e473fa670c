"""Test sheets and tasks that people fill in: their contents, and how filled ones are read."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from claimstance.inference.corpus.sampling.drawing import draw_sample
from claimstance.inference.corpus.sampling.sheets import FIELDS, read_labelled, write_sample
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.model.errors import InputError
from helpers.coding import article, corpus, read_rows, sheet, write_rows
from helpers.results import write_results

STANCES, SENTENCES = UnitKind.stances, UnitKind.sentences


@pytest.fixture
def results(tmp_path):
    return corpus(tmp_path / "tagged.jsonl")


@pytest.fixture
def filled(results, tmp_path):
    """Return a sheet of 20 rows in which a person agrees with the model."""
    return sheet(results, tmp_path / "sample.csv", lambda row: row["model_label"], 20)


def tasks_of(results, tmp_path):
    """Return the path of a file with tasks for Label Studio, and these tasks."""
    out = tmp_path / "sample.json"
    write_sample(draw_sample([results], STANCES, 20), out)
    return out, json.loads(out.read_text(encoding="utf-8"))


def annotated(task, *labels):
    """Return a task as Label Studio exports it; the label ``None`` means a skipped annotation."""
    annotations = []
    for label in labels:
        if label is None:
            annotations.append({"was_cancelled": True, "result": []})
            continue
        value = {"choices": [label]}
        choice = {"from_name": "gold", "to_name": "text", "type": "choices", "value": value}
        annotations.append({"was_cancelled": False, "result": [choice]})
    return {"id": 1, "data": task["data"], "annotations": annotations, "predictions": []}


def test_a_sheet_has_questions_and_explains_labels(results, tmp_path):
    rows = read_rows(sheet(results, tmp_path / "s.csv", lambda row: "", 20))
    assert list(rows[0]) == list(FIELDS)
    assert {row["gold"] for row in rows} == {""}
    assert rows[0]["question"] == (
        f"Which side does {rows[0]['holder']} take on the dam in this sentence?"
    )
    assert rows[0]["allowed"] == (
        "against, neutral, favor (neutral: the sentence shows no side of this holder on this target)"
    )


def test_weights_sum_to_all_units(results, tmp_path):
    rows = read_rows(sheet(results, tmp_path / "s.csv", lambda row: "", 50, ("outlet", "label")))
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(300, abs=1e-3)
    assert {row["all_units"] for row in rows} == {"300"}


def test_a_sheet_of_sentences_has_no_columns_of_stances(tmp_path):
    path = write_results(tmp_path / "t.jsonl", article("a1", claims=["claim", "no_claim"]))
    rows = read_rows(sheet(path, tmp_path / "s.csv", lambda row: "", 9, ("label",), SENTENCES))
    assert list(rows[0]) == [name for name in FIELDS if name not in ("holder", "target")]
    assert rows[0]["allowed"] == "no_claim, claim"
    assert rows[0]["question"].startswith("Does the sentence report what somebody says")


def test_cells_are_no_formulas(tmp_path):
    path = write_results(tmp_path / "t.jsonl", article("=1+1", ["favor"], target="@SUM(A1)"))
    (row,) = read_rows(sheet(path, tmp_path / "s.csv", lambda row: "", 9))
    assert (row["doc_id"], row["target"]) == ("'=1+1", "'@SUM(A1)")


def test_a_question_may_name_the_text_itself_as_the_holder(tmp_path):
    tagged_article = article("a1", ["favor"])
    stance = tagged_article.sentences[0].stances[0]
    object.__setattr__(stance, "holder", None)
    path = write_results(tmp_path / "t.jsonl", tagged_article)
    (row,) = read_rows(sheet(path, tmp_path / "s.csv", lambda row: "", 9))
    assert row["question"] == "Which side does the text itself take on the dam in this sentence?"


def test_a_filled_sheet_is_read(filled, results):
    sample = read_labelled(filled)
    assert (sample.kind, sample.units, len(sample.rows)) == (STANCES, 300, 20)
    assert all(row.gold == row.model_label for row in sample.rows)
    assert sum(sample.weights()) == pytest.approx(300)


def test_rows_without_a_label_are_left_out_and_the_rest_weighs_more(results, tmp_path):
    path = sheet(results, tmp_path / "s.csv", lambda row: row["model_label"], 20)
    rows = read_rows(path)
    for row in rows[10:]:
        row["gold"] = " "
    write_rows(path, rows)
    sample = read_labelled(path)
    assert len(sample.rows) == 10
    assert sum(sample.weights()) == pytest.approx(300)


def test_a_sheet_with_semicolons_and_a_byte_order_mark_is_read(filled, tmp_path):
    rows = read_rows(filled)
    write_rows(tmp_path / "semicolons.csv", rows, ";")
    text = (tmp_path / "semicolons.csv").read_text(encoding="utf-8").replace("\n", "\r\n")
    (tmp_path / "semicolons.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [row.unit for row in read_labelled(tmp_path / "semicolons.csv").rows] == [
        row["unit"] for row in rows
    ]


def test_columns_may_be_moved_added_and_deleted(filled):
    rows = []
    for row in read_rows(filled):
        del row["text"]
        rows.append({"notes": "?", **dict(reversed(row.items()))})
    write_rows(filled, rows)
    assert len(read_labelled(filled).rows) == 20


# Label Studio


def test_tasks_do_not_show_the_label_of_the_model(results, tmp_path):
    out, tasks = tasks_of(results, tmp_path)
    assert len(tasks) == 20
    assert all(list(task) == ["data"] and "gold" not in task["data"] for task in tasks)
    config = ElementTree.parse(out.with_suffix(".xml")).getroot()
    fields = {node.get("value") for node in config if (node.get("value") or "").startswith("$")}
    assert fields == {"$title", "$before", "$text", "$after", "$question", "$allowed"}
    assert fields <= {f"${name}" for name in tasks[0]["data"]}
    choices = config.find("Choices")
    assert (choices.get("name"), choices.get("toName")) == ("gold", "text")
    assert [choice.get("value") for choice in choices] == ["against", "neutral", "favor"]


def test_an_export_of_label_studio_is_read(results, tmp_path):
    out, tasks = tasks_of(results, tmp_path)
    export = [annotated(task, None, "favor") for task in tasks[:18]]
    export += [annotated(tasks[18], None), annotated(tasks[19])]
    out.write_text(json.dumps(export), encoding="utf-8")
    assert [row.gold for row in read_labelled(out).rows] == ["favor"] * 18


def test_the_short_exports_of_label_studio_are_read(results, tmp_path):
    out, tasks = tasks_of(results, tmp_path)
    rows = [
        {**task["data"], "id": number, "gold": "against", "annotator": 1, "lead_time": 2.5}
        for number, task in enumerate(tasks)
    ]
    out.write_text(json.dumps(rows), encoding="utf-8")
    write_rows(tmp_path / "export.csv", rows)
    for path in (out, tmp_path / "export.csv"):
        assert [row.gold for row in read_labelled(path).rows] == ["against"] * 20


def test_people_who_agree_count_once_and_disagreement_is_an_error(results, tmp_path):
    out, tasks = tasks_of(results, tmp_path)
    agreed = [annotated(task, "favor", "favor") for task in tasks]
    out.write_text(json.dumps(agreed), encoding="utf-8")
    assert len(read_labelled(out).rows) == 20
    out.write_text(json.dumps([*agreed[:19], annotated(tasks[19], "favor", "against")]))
    message = r"task 20: expected one label for each answer, found 'against' here and 'favor' before \(.*task 20\)"
    with pytest.raises(InputError, match=message):
        read_labelled(out)


# Files that are no filled sample


def test_an_unfilled_sheet_is_an_error(results, tmp_path):
    path = sheet(results, tmp_path / "s.csv", lambda row: "", 20)
    with pytest.raises(
        InputError, match=r"s\.csv: expected labels in 'gold', found none in 20 rows"
    ):
        read_labelled(path)
    out, _ = tasks_of(results, tmp_path)
    with pytest.raises(InputError, match="expected labels in 'gold', found none in 20 rows"):
        read_labelled(out)


def test_errors_name_missing_columns(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("text,label\nThe dam holds.,favor\n", encoding="utf-8")
    message = (
        r"s\.csv: expected the columns of a sheet by `claimstance sample`, found text, label; "
        "missing: gold, model_label, stratum, stratum_units, all_units, unit"
    )
    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_a_stratum_without_a_label_is_an_error(results, tmp_path):
    path = sheet(
        results,
        tmp_path / "s.csv",
        lambda row: "favor" if row["model_label"] == "favor" else "",
        20,
    )
    message = (
        "at least one labelled row in each stratum, found none in 1 of 2, such as 'label=against'"
    )
    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_deleted_rows_are_an_error(filled):
    write_rows(filled, [row for row in read_rows(filled) if row["model_label"] == "favor"])
    with pytest.raises(InputError, match=r"expected all rows that were drawn.* of 300 stances"):
        read_labelled(filled)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("unit", "17", "unit: expected stance-… or sentence-…, found '17'"),
        ("stratum_units", "1.5", "stratum_units: expected a whole number above 0, found '1.5'"),
        ("stratum_units", "9" * 5000, "stratum_units: expected a whole number above 0, found '999"),
        ("all_units", "301", "expected a row of the same sample as above"),
        ("unit", "sentence-00-1", "expected a row of the same sample as above"),
    ],
)
def test_errors_name_a_changed_cell(filled, column, value, message):
    rows = read_rows(filled)
    rows[3][column] = value
    write_rows(filled, rows)
    with pytest.raises(InputError, match=rf"sample\.csv, line 5: {message}"):
        read_labelled(filled)


def test_errors_name_a_truncated_row(filled):
    text = filled.read_text(encoding="utf-8")
    filled.write_text(text[: text.rindex(",")] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sample\.csv, line 21: expected 20 columns, found 19"):
        read_labelled(filled)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected JSON, found text that is not JSON"),
        ("{}", r"expected a list of tasks, found \{\}"),
        ("[]", "expected rows to code, found none"),
        ("[3]", "task 1: expected an object, found 3"),
        ('[{"data": 3}]', "task 1: data: expected an object, found 3"),
        ('[{"data": {"text": "a"}}]', "task 1: expected the columns of a sheet"),
        ("[" * 100_000, "expected JSON, found text that is not JSON"),
    ],
)
def test_json_that_is_no_export_is_an_error(tmp_path, content, message):
    path = tmp_path / "s.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_annotations_of_another_kind_are_an_error(results, tmp_path):
    out, tasks = tasks_of(results, tmp_path)
    tasks[0]["annotations"] = [{"result": [{"from_name": "gold", "value": {"text": "favor"}}]}]
    out.write_text(json.dumps(tasks), encoding="utf-8")
    with pytest.raises(InputError, match="task 1: annotations: expected those of a Label Studio"):
        read_labelled(out)


def test_errors_name_unreadable_files(filled, tmp_path):
    text = filled.read_text(encoding="utf-8").replace("Orr", "Örr")
    (tmp_path / "latin.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"line 2: expected UTF-8 text.*save it as 'CSV UTF-8'"):
        read_labelled(tmp_path / "latin.csv")
    (tmp_path / "open.csv").write_text(text + '"favor,', encoding="utf-8")
    with pytest.raises(InputError, match=r"line 22: expected a row of a CSV file, unexpected end"):
        read_labelled(tmp_path / "open.csv")
    for name in ("gone.csv", "gone.json"):
        with pytest.raises(InputError, match=f"{name}: No such file"):
            read_labelled(tmp_path / name)
