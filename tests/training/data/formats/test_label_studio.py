import json

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Relation
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, read_file
from claimstance.training.data.formats.label_studio import reader as labelstudio
from helpers.paths import DATA

FILES = DATA / "labelstudio"
BROKEN = DATA / "broken" / "labelstudio"


def read(path, **layout):
    return list(documents(labelstudio.FORMAT, path, Layout(**layout), ReadReport()))


@pytest.fixture(scope="module")
def export():
    return read(FILES / "export.json")


def one_task(folder, result, data=None, **annotation):
    path = folder / "one.json"
    task = {
        "id": 3,
        "data": data or {"text": "Rain falls."},
        "annotations": [{"result": result, **annotation}],
    }
    path.write_text(json.dumps([task]), encoding="utf-8")
    return path


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


def test_two_labels_of_a_region_are_two_marks(export):
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


def test_the_unit_found_is_reported():
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


def test_a_csv_whose_answers_are_called_as_its_text_is(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        '"_data_text","annotation_id","annotator","id","text"\n"[sic] It rained.",1,"2",7,"fine"\n',
        encoding="utf-8",
    )
    document = read(path)[0]
    assert (document.text, document.answers) == ("[sic] It rained.", [Answer("text", "fine")])


def test_the_name_is_the_tasks_own_id_where_it_has_one(tmp_path):
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


def test_lenient_leaves_out_the_wrong_task_only(tmp_path):
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


def of_target(*said):
    """Results of “Holm hates it.”, whose last word is a target, of which something is said."""
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
            for kind, name, value in said
        ),
    ]


@pytest.mark.parametrize(
    ("said", "stances"),
    [
        ([("choices", "stance", "against")], [(None, [(11, 13)], "against")]),
        (
            [("choices", "stance", "against"), ("relation", "", "")],
            [([(0, 4)], [(11, 13)], "against")],
        ),
        # a relation that is a stance is the holder's, the choice beside it nobody's
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
def test_holder_and_target_of_stances(tmp_path, said, stances):
    path = one_task(tmp_path, of_target(*said), {"text": "Holm hates it."})
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


def test_json_min_without_the_annotation_s_id():
    first, second = read(
        FILES / "min-old.json", roles={"sentiment": "stance"}, values={"Positive": "favor"}
    )
    assert (first.annotator, first.answers) == ("2", [Answer("sentiment", "Positive")])
    assert [(mark.label, mark.surface) for mark in first.marks] == [("Source", "Ida Holm")]
    assert (second.marks, second.answers) == ([], [Answer("sentiment", "Neutral")])


def test_an_export_with_tabs_that_quotes_nothing(tmp_path):
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


def html_region(name, label, start, end, text, **more):
    return {
        "id": name,
        "from_name": "span",
        "to_name": "text",
        "type": "hypertextlabels",
        "value": {
            "start": "/div[1]/p[1]/text()[1]",
            "end": "/div[1]/p[1]/text()[1]",
            "startOffset": 0,
            "endOffset": end - start,
            "globalOffsets": {"start": start, "end": end},
            "text": text,
            "hypertextlabels": [label],
            **more,
        },
    }


def html_task(folder, html, shown, *words, unit=len):
    """Write a task whose regions are words of the text that is shown."""
    regions = []
    for number, (label, text) in enumerate(words):
        start = unit(shown[: shown.index(text)])
        regions.append(html_region(str(number), label, start, start + unit(text), text))
    return one_task(folder, regions, {"text": html})


SAID = (("Source", "Ida Holm"), ("Cue", "said"), ("Content", "the ferry sank"))


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>Ida Holm said the ferry sank.</p>", "Ida Holm said the ferry sank."),
        ("Ida <b>Holm</b> <i>said</i> the ferry sank.", "Ida Holm said the ferry sank."),
        (
            "Tea &amp; rain. Ida&#32;Holm said the ferry sank.",
            "Tea & rain. Ida Holm said the ferry sank.",
        ),
        ("<h1>Rain</h1><p>Ida Holm said the ferry sank.</p>", "RainIda Holm said the ferry sank."),
        ("Rain.<br>Ida Holm said<br/>the ferry sank.", "Rain.\nIda Holm said\nthe ferry sank."),
        (
            "<div>\n<p>Sun.</p>\n<p>Ida Holm said the ferry sank.</p></div>",
            "\nSun.\nIda Holm said the ferry sank.",
        ),
        (
            "<!-- no --><p class='a>b'>Ida Holm said the ferry sank.",
            "Ida Holm said the ferry sank.",
        ),
        ("Ida Holm said the ferry sank.", "Ida Holm said the ferry sank."),
    ],
)
def test_regions_in_html_count_in_the_text_that_is_shown(tmp_path, html, shown):
    words = [(label, text.replace("said the", "said\nthe")) for label, text in SAID]
    records = list(read_file(html_task(tmp_path, html, shown, *words)))
    (record,) = [record for record in records if record.attributions]
    (said,) = record.attributions
    covered = [record.text[slice(*span[0])] for span in (said.source, said.cue, said.content)]
    assert covered == [text for _, text in SAID]
    assert "<" not in "".join(record.text for record in records)


def test_a_sentence_ends_where_a_block_does(tmp_path):
    html = (
        "<h1>Ferry sinks</h1><p>Ida Holm said the ferry sank.</p><ul><li>Sun</li><li>Rain</li></ul>"
    )
    path = html_task(tmp_path, html, "Ferry sinksIda Holm said the ferry sank.SunRain", *SAID)
    texts = [record.text for record in read_file(path)]
    assert texts == ["Ferry sinks", "Ida Holm said the ferry sank.", "Sun", "Rain"]


def test_html_in_utf16_units_and_with_crlf(tmp_path):
    html = "<p>🚢 Rain.</p>\r\n<p>Ida Holm said the ferry sank.</p>"
    shown = "🚢 Rain.\r\nIda Holm said the ferry sank."
    path = html_task(
        tmp_path, html, shown, *SAID, unit=lambda text: len(text.encode("utf-16-le")) // 2
    )
    assert len(list(read_file(path))) == 2
    path = html_task(tmp_path, html, shown.replace("\r\n", "\n"), *SAID)
    assert len(list(read_file(path))) == 2


def test_html_that_shows_another_text_is_refused(tmp_path):
    path = html_task(tmp_path, "<p>Ida Holm denied it.</p>", "Ida Holm said the ferry sank.", *SAID)
    with pytest.raises(InputError, match="expected 'said' at 9-13, as the file says, found 'deni'"):
        list(read_file(path))


def test_regions_in_html_without_offsets_in_the_text_are_refused(tmp_path):
    region = html_region("1", "Source", 0, 8, "Ida Holm")
    del region["value"]["globalOffsets"]
    with pytest.raises(
        InputError, match="expected 'globalOffsets' of a region in HyperText, found"
    ):
        list(read_file(one_task(tmp_path, [region], {"text": "<p>Ida Holm left.</p>"})))


def test_html_in_json_min(tmp_path):
    value = {
        "start": "/p[1]/text()[1]",
        "globalOffsets": {"start": 0, "end": 8},
        "text": "Ida Holm",
    }
    row = {"id": 1, "text": "<p>Ida Holm left.</p>", "annotator": 1, "annotation_id": 1}
    row["span"] = [{**value, "hypertextlabels": ["Source"]}]
    path = tmp_path / "min.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    (record,) = read_file(path)
    assert (record.text, record.attributions[0].source) == ("Ida Holm left.", [(0, 8)])


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
