"""Test that ``predict`` returns the records that it reads with the predictions of the model."""

import json

import pytest

from claimstance.inference import Tagger
from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Attribution, Record, Stance
from helpers.tiny import script

LABEL = {"label", "probability", "probabilities"}
RECORDS = [
    {"id": "a1", "doc_id": "a", "text": "Carl Amsel came to the harbour."},
    {"id": "b1", "doc_id": "b", "text": "Ships waited."},
    {"id": "a2", "doc_id": "a", "text": "He said that ships were late."},
    {"id": "free", "text": "Ships waited."},
    {"id": "b2", "doc_id": "b", "text": "Ferries did not."},
]


def claims(rows):
    """Return the predicted probabilities of claims by id."""
    return {row["id"]: row["predicted"]["claim"]["probabilities"] for row in rows}


def test_the_keys_of_a_prediction(tagger):
    record = {
        "id": "1",
        "text": "He said that Amsel left.",
        "claim": "claim",
        "meta": {"outlet": "x"},
        "stances": [{"holder": [[0, 2]], "target": "Amsel", "label": "favor"}],
    }
    row = next(tagger.predict([record]))
    assert {key: row[key] for key in record} == record
    predicted = row["predicted"]
    assert set(predicted) == {*SENTENCE_TASKS, "attributions", "entities", "stances"}
    assert set(predicted["claim"]) == LABEL
    assert (
        predicted["check_worthy"]["probability"]
        == predicted["check_worthy"]["probabilities"]["yes"]
    )
    assert [set(s) for s in predicted["stances"]] == [
        {"holder", "target", "label", "probability", "probabilities", "abstained"}
    ]
    assert json.loads(json.dumps(row)) == row
    assert list(tagger.predict([row])) == [row]  # it reads its own output


def test_predicted_attributions_have_every_role_and_null_for_a_missing_one():
    tagger, _ = script()
    record = {"id": "1", "text": "Critics blamed him for the delay."}
    attributions = next(tagger.predict([record]))["predicted"]["attributions"]
    assert [{**a, "probability": None} for a in attributions] == [
        {"source": [[0, 7]], "cue": [[8, 14]], "content": None, "probability": None}
    ]


def test_the_order_of_records_is_kept(tagger):
    assert [row["id"] for row in tagger.predict(RECORDS)] == ["a1", "b1", "a2", "free", "b2"]


def test_records_are_read_together_with_those_of_their_document_alone(tagger):
    together = claims(tagger.predict(RECORDS))
    for document in ("a", "b"):
        records = [record for record in RECORDS if record.get("doc_id") == document]
        document_claims = claims(tagger.predict(records))
        assert document_claims == {name: together[name] for name in document_claims}
    separate = claims(row for record in RECORDS for row in tagger.predict([record]))
    assert [name for name in separate if separate[name] == together[name]] == ["free"]


def test_holders_and_targets_are_spans_names_or_null():
    tagger, backend = script()
    pairs = [
        ([[0, 7]], [[15, 18]]),
        ("Critics", "Carl Amsel"),
        (None, "Carl Amsel"),
        (None, [[15, 18]]),
        ("Anna Birke", "Carl Amsel"),
        ("Critics", "harbour tax"),
    ]
    records = [
        {"id": "1", "doc_id": "d", "text": "Senator Carl Amsel spoke on Monday."},
        {
            "id": "2",
            "doc_id": "d",
            "text": "Critics blamed him for the delay.",
            "stances": [{"holder": holder, "target": target} for holder, target in pairs],
        },
    ]
    stances = list(tagger.predict(records))[1]["predicted"]["stances"]
    assert [(s["holder"], s["target"]) for s in stances] == pairs
    assert [s["label"] for s in stances] == [
        "favor",
        "favor",
        "against",
        "against",
        "against",
        "favor",
    ]
    assert sorted(backend.asked) == sorted(
        [
            ("Critics", "him"),
            ("Critics", "him"),
            ("", "him"),
            ("", "him"),
            ("", "him"),
            ("Critics", "harbour tax"),
        ]
    )


def test_a_pronoun_is_not_resolved_in_another_document():
    tagger, backend = script()

    def record(name, doc_id, text, target):
        return {"id": name, "doc_id": doc_id, "text": text, "stances": [{"target": target}]}

    records = []
    for doc_id, name in (("a", "Carl Amsel"), ("b", "Ships")):
        blame = "Critics blamed him for the delay."
        records += [
            record(f"{doc_id}0", doc_id, f"Senator {name} spoke on Monday.", name),
            record(f"{doc_id}1", doc_id, blame, "Carl Amsel"),
        ]
    assert len(list(tagger.predict(records))) == 4
    assert backend.asked == [("", "Carl Amsel"), ("", "him"), ("", "Ships"), ("", "Carl Amsel")]


def test_documents_predicted_together_equal_documents_predicted_alone(model):
    sequential, parallel = (Tagger.from_pretrained(model, threads=threads) for threads in (1, 3))
    records = [
        {**record, "id": f"{record['id']}-{number}", "stances": [{"target": "the harbour"}]}
        for number in range(4)
        for record in RECORDS
    ]
    # Results are equal to the last bit.
    assert list(parallel.predict(records)) == list(sequential.predict(records))


def test_labels_of_records_are_ignored(tagger):
    predictions = []
    for claim, label in (("claim", "favor"), (None, None), ("odd", "odder")):
        stances = [{"target": "he", "label": label}]
        record = {"id": "1", "text": "He left.", "claim": claim, "stances": stances}
        predictions += [row["predicted"] for row in tagger.predict([record])]
    assert predictions == [predictions[0]] * 3


def test_records_may_be_objects(tagger):
    record = Record(
        id="1", text="He left.", stances=[Stance(target=[(0, 2)])], attributions=[Attribution()]
    )
    row = next(tagger.predict([record]))
    assert row == next(tagger.predict([json.loads(record.to_json())]))
    assert row["predicted"]["stances"][0]["target"] == [[0, 2]]


def test_an_invalid_record_is_named(tagger):
    records = [
        {"id": "1", "text": "x"},
        {"id": "2", "text": "y", "stances": [{"target": [[0, 9]]}]},
    ]
    with pytest.raises(
        InputError, match=r"records\[1\]: .*expected 0 <= start < end <= 1 .*found \[0, 9\]"
    ):
        list(tagger.predict(records))
