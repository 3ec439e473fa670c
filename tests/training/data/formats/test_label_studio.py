"""Test the reader of Label Studio exports."""

import json

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Relation
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, read_file
from claimstance.training.data.formats.label_studio import reader as labelstudio
from helpers.data.label_studio import one_task
from helpers.paths import DATA

FILES = DATA / "labelstudio"
BROKEN = DATA / "broken" / "labelstudio"


def read(path, **layout):
    return list(documents(labelstudio.FORMAT, path, Layout(**layout), ReadReport()))


@pytest.fixture(scope="module")
def export():
    return read(FILES / "export.json")


def test_each_annotation_that_was_not_cancelled_is_a_document(export):
    assert [(d.name, d.annotator, d.where.rpartition("/")[2]) for d in export] == [
        ("41", "1", "export.json, task 41, annotations[0]"),
        ("41", "ben@example.org", "export.json, task 41, annotations[1]"),
        ("42", "1", "export.json, task 42"),
    ]
    assert export[0].text == export[1].text
    assert export[0].fields == {"outlet": "The Karrow Post", "date": "2031-03-30"}


def test_regions_are_marks_and_their_answers_attributes(export):
    assert [(mark.label, mark.surface, dict(mark.attributes)) for mark in export[0].marks] == [
        ("Source", "harbour chief Ilse Tamm", {}),
        ("Cue", "said", {}),
        ("Content", "Port of Karrow 🚢 stays shut", {}),
        ("Target", "the new tariff", {"stance": "against"}),
        ("Holder", "The union", {}),
    ]
    assert all(
        export[0].text[m.pieces[0][0] : m.pieces[0][1]] == m.surface for m in export[0].marks
    )
    assert export[0].marks[0].where.endswith("task 41, annotations[0]: result[0]")
    assert export[0].answers == []


def test_relations_have_a_direction(export):
    source, cue, content, target, holder = (mark.name for mark in export[0].marks)
    assert export[0].relations == [
        Relation(cue, source, "by"),
        Relation(cue, content),
        Relation(holder, target),
        Relation(target, holder),
    ]


def test_two_labels_of_a_region_give_two_marks(export):
    assert [(m.name, m.label, m.pieces) for m in export[1].marks] == [
        ("b7Zx9:Source", "Source", [(43, 52)]),
        ("b7Zx9:PERSON", "PERSON", [(43, 52)]),
    ]


def test_answers_for_the_whole_text(export):
    assert export[1].answers == [
        Answer("topic", "shipping"),
        Answer("topic", "labour"),
        Answer("remark", "Tariff is meant in general."),
        Answer("sure", "4"),
        Answer("field", "Economy/Trade"),
        Answer("field", "Labour"),
    ]
    assert export[2].answers == [Answer("topic", "politics")]


def test_old_exports_count_utf16_units_and_have_other_keys():
    document = read(FILES / "utf16.json")[0]
    assert (document.name, document.annotator, document.text[:3]) == ("0", None, "🚢🚢 ")
    record = next(read_file(FILES / "utf16.json", layout=Layout(columns={"text": "news_body"})))
    source, cue = (record.attributions[0].source[0], record.attributions[0].cue[0])
    assert (record.text[slice(*source)], record.text[slice(*cue)]) == (
        "the owner Rudd & Sons",
        "admits",
    )


def test_the_unit_of_offsets_is_reported():
    report = ReadReport()
    list(read_file(FILES / "utf16.json", report=report))
    assert report.facts["offsets"].startswith("UTF-16 code units")


def test_right_to_left_text_html_offsets_and_line_breaks():
    records = list(read_file(FILES / "rtl-crlf.json"))
    assert [record.text for record in records] == [
        "קרית נורן נסגרה.",
        "השר אמר כי הגשר בטוח.",
        "סוף.",
    ]
    second = records[1].attributions
    assert [
        records[1].text[slice(*span)]
        for a in second
        for role in (a.source, a.content)
        for span in role or ()
    ] == ["השר", "הגשר בטוח"]


def test_json_min_and_csv_give_equal_documents():
    plain = [
        [
            (
                d.name,
                d.annotator,
                d.text,
                [(m.name, m.label, m.pieces, m.surface) for m in d.marks],
                sorted(d.answers, key=lambda answer: answer.question),
                {key: value for key, value in d.fields.items() if value != ""},
            )
            for d in read(FILES / name)
        ]
        for name in ("min.json", "export.csv", "export.tsv")
    ]
    first, second, third = plain[0]
    assert plain[1] == plain[0]
    assert plain[2] == plain[0]
    assert first[:2] == ("41", "ben@example.org")
    assert [mark[1] for mark in first[3]] == ["Source", "PERSON"]
    assert first[4] == [
        Answer("field", "Economy/Trade"),
        Answer("field", "Labour"),
        Answer("sure", "4"),
        Answer("topic", "shipping"),
        Answer("topic", "labour"),
    ]
    assert first[5] == {
        "outlet": "The Karrow Post",
        "date": "2031-03-30",
        "remark": "Tariff is meant in general.",
    }
    assert second[4] == [Answer("stance", "against")]
    assert (third[4], third[5]["topic"]) == ([], "politics")


@pytest.mark.parametrize("layout", [{"roles": {"topic": "claim"}}, {"columns": {"label": "topic"}}])
def test_a_plain_field_of_json_min_is_an_answer_where_the_layout_says_so(layout):
    third = read(FILES / "min.json", **layout)[2]
    assert third.answers == [Answer("topic", "politics")]
    assert "topic" not in third.fields


def test_a_csv_with_a_question_named_like_its_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        '"_data_text","annotation_id","annotator","id","text"\n"[sic] It rained.",1,"2",7,"fine"\n',
        encoding="utf-8",
    )
    document = read(path)[0]
    assert (document.text, document.answers) == ("[sic] It rained.", [Answer("text", "fine")])


def test_the_name_is_the_id_in_the_data_of_a_task_where_present(tmp_path):
    path = one_task(tmp_path, [], {"text": "Rain falls.", "id": "a7", "key": 5})
    assert read(path)[0].name == "a7"
    assert read(path, columns={"id": "key"})[0].name == "5"


def test_the_only_string_is_the_text(tmp_path):
    path = one_task(tmp_path, [], {"body": "Rain falls.", "year": 2031})
    assert (read(path)[0].text, read(path)[0].fields) == ("Rain falls.", {"year": 2031})


def test_answers_for_a_region_without_labels(tmp_path):
    at = {"start": 0, "end": 4}
    choice = {
        "id": "r",
        "type": "choices",
        "from_name": "stance",
        "value": {**at, "choices": ["for"]},
    }
    mark = read(one_task(tmp_path, [choice]))[0].marks[0]
    assert (mark.label, mark.attributes, mark.surface) == ("stance", {"stance": "for"}, None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "start.json",
            "start.json, task 12: result[1].value.start: expected a whole number, found 'a'",
        ),
        (
            "order.json",
            "order.json, task 12: result[0].value: expected 0 <= start < end, found 9 and 4",
        ),
        (
            "relation.json",
            "task 12: result[1].to_id: expected the id of a region of this annotation, found 'b'",
        ),
        (
            "direction.json",
            "direction.json, task 12: result[1].direction: expected right, left or bi, found 'up'",
        ),
        (
            "type.json",
            "type.json, task 12: result[0].type: expected labels, relation, choices, taxonomy, rating, number, ",
        ),
        (
            "choices.json",
            "choices.json, task 12: result[0].value.choices: expected a list, found 5",
        ),
        ("labels.json", "labels.json, task 12: result[0].value.labels: expected a list, found 7"),
        (
            "text.json",
            "text.json, task 12: data: expected a field 'text', or one by 'columns: {text: NAME}', found a, b",
        ),
        ("number.json", "number.json, task 12: data.text: expected a text, found 5"),
        (
            "annotations.json",
            "annotations.json, task 12: expected 'data' and 'annotations', found id, data",
        ),
        (
            "result.json",
            "result.json, task 12, annotations[1]: result: expected a list, found nothing",
        ),
        ("who.json", "who.json, task 12: completed_by: expected a number or a name, found [1]"),
        ("cut.json", "cut.json: expected JSON, found text that is not"),
        ("empty.json", "empty.json: expected at least one task, found none"),
        ("min.json", "min.json, task 12: span[0].end: expected a whole number, found nothing"),
        ("short.csv", "short.csv, line 3: expected 4 columns, found 3"),
        (
            "columns.csv",
            "columns.csv, line 1: expected the columns annotator and annotation_id, found text, label",
        ),
        ("cells.csv", "cells.csv, line 2: span[0].start: expected a whole number, found '4'"),
    ],
)
def test_error_of_broken_export_names_place_and_value(name, message):
    with pytest.raises(InputError) as error:
        list(read_file(BROKEN / name, "labelstudio"))
    assert message in str(error.value)


def test_a_lenient_reader_leaves_out_only_the_faulty_task(tmp_path):
    tasks = json.loads((FILES / "export.json").read_text(encoding="utf-8"))
    tasks[0]["annotations"][0]["result"][0]["value"]["start"] = None
    path = tmp_path / "x.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    report = ReadReport()
    assert [d.name for d in documents(labelstudio.FORMAT, path, Layout(lenient=True), report)] == [
        "42"
    ]
    assert dict(report.dropped) == {
        "annotations[0]: result[0].value.start: expected a whole number": 1
    }


def of_target(*answers):
    """Return results for “Holm hates it.”, whose last word is a target with these answers."""
    at = {"start": 11, "end": 13}
    region = {
        "id": "t",
        "type": "labels",
        "from_name": "span",
        "value": {**at, "labels": ["Target"]},
    }
    holder = {
        "id": "h",
        "type": "labels",
        "from_name": "span",
        "value": {"start": 0, "end": 4, "labels": ["Holder"]},
    }
    kinds = {"choices": "choices", "textarea": "text"}
    return [
        holder,
        region,
        *(
            {"type": "relation", "from_id": "h", "to_id": "t", "labels": [name]}
            if kind == "relation"
            else {"id": "t", "type": kind, "from_name": name, "value": {**at, kinds[kind]: [value]}}
            for kind, name, value in answers
        ),
    ]


@pytest.mark.parametrize(
    ("answers", "stances"),
    [
        ([("choices", "stance", "against")], [(None, [(11, 13)], "against")]),
        (
            [("choices", "stance", "against"), ("relation", "", "")],
            [([(0, 4)], [(11, 13)], "against")],
        ),
        # a relation that is a stance belongs to the holder, the choice beside it to nobody
        (
            [("choices", "stance", "against"), ("relation", "favor", "")],
            [([(0, 4)], [(11, 13)], "favor"), (None, [(11, 13)], "against")],
        ),
        (
            [("choices", "stance", "against"), ("textarea", "target", " the bridge ")],
            [(None, "the bridge", "against")],
        ),
        (
            [("choices", "stance", "against"), ("textarea", "holder", "Ida")],
            [("Ida", [(11, 13)], "against")],
        ),
        (
            [("relation", "favor", ""), ("textarea", "target", "the bridge")],
            [([(0, 4)], "the bridge", "favor")],
        ),
    ],
)
def test_holder_and_target_of_stances(tmp_path, answers, stances):
    path = one_task(tmp_path, of_target(*answers), {"text": "Holm hates it."})
    report = ReadReport()
    record = next(read_file(path, report=report))
    assert [(s.holder, s.target, s.label) for s in record.stances] == stances
    assert not report.dropped


def test_a_name_without_a_stance_is_counted(tmp_path):
    result = of_target(("textarea", "target", "the bridge"))
    result[1]["value"]["labels"] = ["PERSON"]
    report = ReadReport()
    next(read_file(one_task(tmp_path, result, {"text": "Holm hates it."}), report=report))
    assert dict(report.dropped) == {
        "the name of a target or a holder, of a span without a stance": 1
    }


def test_json_min_without_annotation_ids():
    first, second = read(
        FILES / "min-old.json", roles={"sentiment": "stance"}, values={"Positive": "favor"}
    )
    assert (first.annotator, first.answers) == ("2", [Answer("sentiment", "Positive")])
    assert [(mark.label, mark.surface) for mark in first.marks] == [("Source", "Ida Holm")]
    assert (second.marks, second.answers) == ([], [Answer("sentiment", "Neutral")])


def test_a_tab_separated_export_without_quoting(tmp_path):
    path = tmp_path / "x.tsv"
    rows = [
        "text\tclaim\tid\tannotator\tannotation_id",
        '"Rain.\tclaim\t1\t7\t1',
        'Sun."\tno_claim\t2\t7\t2',
    ]
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    records = list(read_file(path, "labelstudio"))
    assert [(record.text, record.claim) for record in records] == [
        ('"Rain.', "claim"),
        ('Sun."', "no_claim"),
    ]


@pytest.mark.parametrize("labels", [{}, {"labels": []}, {"labels": None}])
def test_a_region_without_a_label_is_left_out_with_its_relations(tmp_path, labels):
    def region(name, start, end, **labels):
        value = {"start": start, "end": end, **labels}
        return {
            "id": name,
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": value,
        }

    tie = {"type": "relation", "from_id": "b", "to_id": "a", "direction": "right", "labels": []}
    path = one_task(
        tmp_path, [region("a", 0, 4, labels=["Source"]), region("b", 5, 10, **labels), tie]
    )
    report = ReadReport()
    (record,) = read_file(path, report=report)
    assert (record.entities, record.attributions[0].source) == (None, [(0, 4)])
    assert report.dropped == {"region without a label": 1}


def test_a_region_without_a_label_is_left_out_of_json_min(tmp_path):
    regions = [{"start": 0, "end": 4, "labels": ["Source"]}, {"start": 5, "end": 10}]
    row = {"id": 1, "text": "Rain falls.", "annotator": 1, "annotation_id": 1, "span": regions}
    path = tmp_path / "min.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    report = ReadReport()
    (record,) = read_file(path, report=report)
    assert (record.entities, report.dropped) == (None, {"region without a label": 1})
