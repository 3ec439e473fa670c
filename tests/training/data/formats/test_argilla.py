"""Test the reader of Argilla exports."""

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Entity, Stance
from claimstance.training.data.documents.document import Answer
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, argilla, read_file
from helpers.paths import DATA

ANNA, BO = "5f0a1c8e-6c3b-4a55-9d53-0b2d4f1f8a01", "b7e2d9a4-1f64-4c0e-8b5d-7a9c3e2d1f02"


def read(name, **layout):
    return list(documents(argilla.FORMAT, DATA / "argilla" / name, Layout(**layout), ReadReport()))


def test_a_document_for_each_user_who_submitted():
    docs = read("flat.jsonl")
    # The draft, the discarded response and the suggestion of a model are left out.
    assert [(d.name, d.annotator, list(d.answers)) for d in docs] == [
        ("r-001", ANNA, [Answer("stance", "against"), Answer("sure", "4")]),
        ("r-001", BO, [Answer("stance", "neutral"), Answer("sure", "2")]),
        ("r-002", BO, [Answer("stance", "favor")]),
    ]
    assert docs[0].fields == {"target": "the toll", "outlet": "Noren Post", "date": "2026-01-05"}


def test_span_questions_are_marks():
    first, second, third = read("flat.jsonl")
    (mark,) = first.marks
    # Offsets are in UTF-16 code units, in which the bicycle counts as two.
    assert (mark.label, mark.pieces) == (
        "LOCATION",
        [(23, 28)],
    )
    assert first.text[22:27] == "Noren"
    assert second.marks == []
    assert [(m.label, m.pieces) for m in third.marks] == [("PERSON", [(6, 20)])]


def test_nested_records():
    anna, bo = read("records.json")
    assert [m.label for m in anna.marks] == ["source", "cue", "content"]
    assert (anna.annotator, bo.annotator, bo.marks) == (ANNA, BO, [])
    assert anna.answers == bo.answers == [Answer("claim", "claim")]
    assert anna.fields == {"outlet": "Noren Post", "words": 12, "title": "Tolls"}


def test_a_response_with_a_status_counts_if_it_was_submitted(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"fields": {"body": "It fell."}, "responses": {"claim": [{"value": "claim", "user": "anna", '
        '"status": "submitted"}, {"value": "claim", "user": "bo", "status": "draft"}]}}\n',
        encoding="utf-8",
    )
    report = ReadReport()
    (document,) = documents(argilla.FORMAT, path, Layout(columns={"text": "body"}), report)
    assert report.dropped == {"response that was not submitted": 1}
    assert (document.name, document.text, document.annotator) == ("x:1", "It fell.", "anna")


def test_version_1():
    feedback = read("v1-feedback.jsonl")
    assert [(d.name, d.annotator, list(d.answers), d.fields) for d in feedback] == [
        ("x-1", ANNA, [Answer("claim", "claim")], {"outlet": "Noren Post"}),
        ("v1-feedback:2", ANNA, [Answer("claim", "no_claim")], {}),
    ]
    texts = read("v1-textclassification.jsonl")
    assert [(d.name, d.annotator, list(d.answers)) for d in texts] == [
        ("t1", "anna", [Answer("label", "claim")]),
        ("t2", "anna", [Answer("label", "no_claim")]),
    ]
    (tokens,) = read("v1-tokenclassification.json")
    assert [(m.label, tokens.text[m.pieces[0][0] : m.pieces[0][1]]) for m in tokens.marks] == [
        ("PER", "Zoe\u0308 Lindqvist")
    ]


def test_responses_as_lists_in_early_exports_of_version_1(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"text": "It fell.", "external_id": null, "topic": {"user_id": ["a", "b"], "value": [["x", "y"], '
        '["x"]], "status": ["submitted", "submitted"]}}\n',
        encoding="utf-8",
    )
    first, second = documents(argilla.FORMAT, path, Layout(), ReadReport())
    assert first.answers == [Answer("topic", "x"), Answer("topic", "y")]
    assert (second.annotator, second.answers) == ("b", [Answer("topic", "x")])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cut-off.json", ": expected JSON"),
        ("fields-missing.jsonl", ", line 1: fields: expected an object, found nothing"),
        (
            "metadata.jsonl",
            ", line 1: metadata: expected an object, or one as JSON, found '{not json'",
        ),
        ("no-text.jsonl", ", line 1: text: expected a string, found nothing"),
        (
            "offset-beyond.jsonl",
            ", line 1: spans.responses[0][0]: expected offsets within the text",
        ),
        ("ranking.jsonl", ", line 1: stance.responses[0][0]: expected a label, a number or a span"),
        ("responses-list.jsonl", ", line 1: responses: expected an object, found [1]"),
        (
            "span-backwards.jsonl",
            ", line 1: spans.responses[0][0]: expected 0 <= start < end, found 9 and 3",
        ),
        (
            "span-without-label.jsonl",
            ", line 1: spans.responses[0][0].label: expected a string, found nothing",
        ),
        (
            "status.jsonl",
            ", line 1: stance.responses.status[1]: expected submitted, draft or discarded, found 'done'",
        ),
        (
            "users-missing.jsonl",
            ", line 1: stance.responses: expected as many users and states as values, found 3",
        ),
    ],
)
def test_error_of_broken_export_names_place_and_value(name, message):
    path = DATA / "broken" / "argilla" / name
    with pytest.raises(InputError) as error:
        list(read_file(path, "argilla"))
    assert str(error.value).startswith(f"{path}{message}")


def test_records_of_responses():
    report = ReadReport()
    first, second, third = read_file(
        DATA / "argilla" / "flat.jsonl", layout=Layout(roles={"sure": "ignore"}), report=report
    )
    assert (first.id, first.annotator) == (second.id, ANNA)
    assert second.annotator == BO
    assert first.stances == [Stance(target="the toll", label="against")]
    assert first.entities == [Entity(span=[(22, 27)], label="LOCATION")]
    assert third.meta["date"] == "2026-01-06"
    assert report.facts["offsets"].startswith("UTF-16 code units")
