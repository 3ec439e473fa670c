"""Test the reader of doccano exports."""

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Relation
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, doccano, read_file
from helpers.paths import DATA

FILES = DATA / "doccano"
BROKEN = DATA / "broken" / "doccano"


def read(path, **layout):
    return list(documents(doccano.FORMAT, path, Layout(**layout), ReadReport()))


def test_a_list_of_labels_gives_answers():
    docs = read(FILES / "classification.jsonl")
    assert [(d.name, d.answers, d.fields) for d in docs] == [
        ("311", [Answer("label", "claim")], {"outlet": "Sable Herald", "Comments": []}),
        ("312", [], {"outlet": "Sable Herald", "Comments": ["too short?"]}),
        (
            "313",
            [Answer("label", "claim"), Answer("label", "yes")],
            {"outlet": "Sable Herald", "Comments": []},
        ),
    ]


def test_a_json_array_is_read_like_json_lines():
    assert [(d.name, d.answers[0].value) for d in read(FILES / "classification.json")] == [
        ("1", "claim"),
        ("2", "no_claim"),
    ]
    assert [r.claim for r in read_file(FILES / "classification.json")] == ["claim", "no_claim"]


def test_spans_count_utf16_units_and_have_no_surface():
    document = read(FILES / "spans.jsonl")[0]
    assert [(m.label, m.pieces, m.surface) for m in document.marks] == [
        ("content", [(3, 20)], None),
        ("source", [(22, 40)], None),
        ("cue", [(41, 49)], None),
    ]
    record = next(read_file(FILES / "spans.jsonl"))
    spans = record.attributions[0]
    assert [record.text[slice(*span[0])] for span in (spans.content, spans.source, spans.cue)] == [
        "The dam will hold",
        "engineer Mo Farrel",
        "promises",
    ]


def test_entities_with_relations():
    document = read(FILES / "relations.jsonl")[0]
    assert [(m.name, m.label, document.text[slice(*m.pieces[0])]) for m in document.marks] == [
        ("801", "source", "المهندسة مريم"),
        ("802", "cue", "وعدت"),
        ("803", "ORG", "Cafe\u0301 Noor"),
    ]
    assert document.relations == [Relation("802", "801", "by")]
    assert document.fields["wire"] is True


def test_labels_of_the_text_beside_entities_as_lists():
    document = read(FILES / "intent.jsonl")[0]
    assert document.answers == [Answer("cats", "request")]
    assert [(m.label, document.text[slice(*m.pieces[0])]) for m in document.marks] == [
        ("City", "Vell")
    ]


def test_old_annotations_give_a_document_for_each_user():
    first, second = read(FILES / "old.jsonl")
    assert (first.name, first.annotator, second.name, second.annotator) == ("51", "1", "51", "2")
    assert [(m.label, m.pieces) for m in first.marks] == [("3", [(0, 9)]), ("4", [(10, 18)])]
    assert first.fields == {"outlet": "Sable Herald", "annotation_approver": None}


def test_old_labels():
    assert [(m.label, m.pieces) for m in read(FILES / "old-labels.jsonl")[0].marks] == [
        ("source", [(0, 9)])
    ]


def test_a_text_without_an_id_is_named_after_its_line(tmp_path):
    path = tmp_path / "my.jsonl"
    path.write_text(
        '{"text": "Rain.", "label": "claim"}\n\n{"body": "Sun.", "label": []}\n', encoding="utf-8"
    )
    assert read(path, columns={}, lenient=True)[0].name == "my:1"
    assert read(path, columns={"text": "body"}, lenient=True)[0].name == "my:3"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text", "text.jsonl, line 2: text: expected a string, found nothing"),
        (
            "label",
            "label.jsonl, line 1: label[1]: expected a name or [start, end, label], found [0, 4]",
        ),
        ("order", "order.jsonl, line 1: label[0]: expected 0 <= start < end, found 4 and 4"),
        (
            "offset",
            "offset.jsonl, line 1: entities[0].end_offset: expected a whole number, found '4'",
        ),
        (
            "relation",
            "relation.jsonl, line 1: relations[0].to_id: expected the id of an entity of this text, found 9",
        ),
        ("twice", "twice.jsonl, line 1: entities[1].id: expected a new id, found '1'"),
        ("cut", "cut.jsonl, line 2: expected JSON, found text that is not"),
        (
            "none",
            "none.jsonl, line 1: expected 'label', 'entities' or 'annotations', found id, text",
        ),
        ("kind", "kind.jsonl, line 1: label: expected a list, found {'claim': True}"),
        (
            "old",
            "old.jsonl, line 1: annotations[0].start_offset: expected a whole number, found nothing",
        ),
    ],
)
def test_error_of_broken_export_names_place_and_value(name, message):
    with pytest.raises(InputError) as error:
        list(read_file(BROKEN / f"{name}.jsonl", "doccano"))
    assert message in str(error.value)


def test_a_span_beyond_the_text_is_refused():
    with pytest.raises(
        InputError, match=r"beyond\.jsonl, line 1: label\[0\]: expected offsets within the text"
    ):
        list(read_file(BROKEN / "beyond.jsonl"))
