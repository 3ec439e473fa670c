"""Test how the records of several annotators become one: votes, shares, spans, and all annotations kept."""

import numpy as np
import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Attribution, Entity, Record, Stance, read_jsonl, write_jsonl
from claimstance.training.data.annotators.adjudicate import adjudicate
from claimstance.training.data.dataset import load_records, save

#       0         10        20
TEXT = "Lee said the old dam failed."
SOURCE, CUE, CONTENT = [(0, 3)], [(4, 8)], [(9, 27)]


def record_by(annotator, **fields):
    return Record(
        id=f"d@{annotator}:0",
        doc_id=f"d@{annotator}",
        start=7,
        text=TEXT,
        annotator=annotator,
        meta={"outlet": f"of {annotator}"},
        **fields,
    )


def merged(records, how="majority", adjudicator=None):
    """Adjudicate records, and return the record, the soft labels and the ties."""
    ties = []
    record, soft = adjudicate(records, how, adjudicator, DEFAULT_LABELS, ties.append)
    return record, soft, ties


def stance(target, label, holder=None):
    return Stance(holder=holder, target=target, label=label)


def test_the_majority_wins_and_missing_annotations_do_not_vote():
    record, soft, ties = merged(
        [
            record_by("ann", claim="claim", check_worthy="yes"),
            record_by("bea", claim="no_claim"),
            record_by("cy", claim="claim", check_worthy="yes"),
            record_by("dan", check_worthy="no"),
        ]
    )
    assert (record.claim, record.check_worthy, record.subjective) == ("claim", "yes", None)
    assert (record.id, record.doc_id, record.start, record.text) == ("d@ann:0", "d@ann", 7, TEXT)
    assert record.annotator is None
    assert (soft, ties) == ({}, [])


def test_a_tie_has_soft_labels_but_no_label():
    tied = [record_by("ann", claim="claim"), record_by("bea", claim="no_claim"), record_by("cy")]
    record, soft, ties = merged(tied)
    assert (record.claim, soft, ties) == (None, {}, ["claim"])
    record, soft, ties = merged(tied, "soft")
    assert (record.claim, ties) == (None, ["claim"])
    np.testing.assert_array_equal(soft["claim"], [0.5, 0.5])


def test_three_different_labels_are_tied_and_two_votes_of_five_win():
    labels = ("favor", "against", "neutral")
    _, _, ties = merged(
        [
            record_by(name, stances=[stance("dam", label)])
            for name, label in zip("abc", labels, strict=True)
        ]
    )
    assert ties == ["stance"]
    labels = ("favor", "favor", "against", "neutral", None)
    record, _, ties = merged(
        [
            record_by(name, stances=[stance("dam", label)])
            for name, label in zip("abcde", labels, strict=True)
        ]
    )
    assert (record.stances[0].label, ties) == ("favor", [])


def test_shares_are_in_the_order_of_the_labels():
    records = [
        record_by("ann", subjective="subjective"),
        record_by("bea", subjective="subjective"),
        record_by("cy", subjective="objective"),
    ]
    record, soft, _ = merged(records, "soft")
    assert record.subjective == "subjective"
    assert soft.keys() == {"subjective"}
    assert soft["subjective"].dtype == np.float32
    np.testing.assert_allclose(soft["subjective"], [1 / 3, 2 / 3], rtol=1e-6)
    _, soft_of_three_labels = adjudicate(
        records, "soft", None, {"subjective": ["subjective", "mixed", "objective"]}
    )
    np.testing.assert_allclose(soft_of_three_labels["subjective"], [2 / 3, 0, 1 / 3], rtol=1e-6)


def test_stances_are_merged_by_name_or_span():
    record, _, ties = merged(
        [
            record_by(
                "ann", stances=[stance("The  Dam", "favor", "Lee"), stance([(13, 20)], "against")]
            ),
            record_by(
                "bea", stances=[stance("the dam", "favor", "lee"), stance([(17, 20)], "neutral")]
            ),
            record_by("cy", stances=[]),
        ]
    )
    assert [(s.holder, s.target, s.label) for s in record.stances] == [
        ("Lee", "The  Dam", "favor"),
        (None, [(13, 20)], "against"),
        (None, [(17, 20)], "neutral"),
    ]
    assert ties == []


def test_a_tied_stance_is_left_out_unless_its_probabilities_are_kept():
    tied = [
        record_by("ann", stances=[stance("dam", "favor")]),
        record_by("bea", stances=[stance("dam", "against")]),
    ]
    record, _, ties = merged(tied)
    assert (record.stances, ties) == ([], ["stance"])
    record, soft, ties = merged(tied, "soft")
    assert record.stances == [
        Stance(target="dam", probabilities={"against": 0.5, "neutral": 0, "favor": 0.5})
    ]
    assert (soft, ties) == ({}, ["stance"])


def test_an_annotator_with_contradicting_stances_does_not_vote():
    contradiction = [stance("dam", "favor"), stance("Dam", "against")]
    record, _, ties = merged(
        [
            record_by("ann", stances=contradiction),
            record_by("bea", stances=[stance("dam", "neutral")]),
        ]
    )
    assert ([s.label for s in record.stances], ties) == (["neutral"], [])
    record, _, ties = merged(
        [record_by("ann", stances=contradiction), record_by("bea", stances=[])]
    )
    assert (record.stances, ties) == ([], ["stance"])


def test_a_stance_that_nobody_labelled_is_kept_for_prediction():
    record, _, ties = merged(
        [record_by("ann", stances=[stance("dam", None)]), record_by("bea", stances=[])]
    )
    assert (record.stances, ties) == ([stance("dam", None)], [])


def test_missing_annotations_differ_from_empty_lists():
    record, _, _ = merged([record_by("ann"), record_by("bea", entities=[], stances=[])])
    assert (record.attributions, record.entities, record.stances) == (None, [], [])


def test_spans_of_the_annotator_with_the_best_agreement_win():
    expected = Attribution(source=SOURCE, cue=CUE, content=CONTENT)
    # Of the four tokens of the content (the old dam failed), cy shares three with ann and three with bea;
    # ann and bea share two.
    contents = {"ann": [(9, 20)], "bea": [(13, 27)], "cy": [(9, 27)]}
    records = [
        record_by(name, attributions=[Attribution(source=SOURCE, cue=CUE, content=content)])
        for name, content in contents.items()
    ]
    record, _, ties = merged([*records, record_by("dan")])
    assert (record.attributions, ties) == ([expected], [])


def test_an_empty_list_votes():
    attribution = Attribution(cue=CUE)
    record, _, ties = merged(
        [
            record_by("ann", attributions=[attribution]),
            record_by("bea", attributions=[]),
            record_by("cy", attributions=[]),
        ]
    )
    assert (record.attributions, ties) == ([], [])


def test_of_two_different_annotators_the_first_by_name_wins_and_the_tie_is_reported():
    records = [
        record_by("zoe", entities=[]),
        record_by("ann", entities=[Entity(span=SOURCE, label="PERSON")]),
    ]
    record, _, ties = merged(records)
    assert [entity.label for entity in record.entities] == ["PERSON"]
    assert ties == ["entity"]
    assert record.id == "d@zoe:0"
    assert merged([records[0], records[0].model_copy(update={"annotator": "bea"})])[2] == []


def test_attributions_over_sentences_are_kept_apart_by_annotator():
    record, _, _ = merged(
        [
            record_by(
                name, attributions=[Attribution(cue=CUE, event="E1"), Attribution(cue=SOURCE)]
            )
            for name in ("ann", "bea")
        ]
    )
    assert [attribution.event for attribution in record.attributions] == ["ann/E1", None]


def test_the_adjudicator_decides_where_present_and_else_the_majority():
    records = [
        record_by("ann", claim="claim"),
        record_by("bea", claim="claim"),
        record_by("cy", claim="no_claim", stances=[]),
    ]
    record, soft, ties = merged(records, "adjudicator", "cy")
    assert (record.claim, record.stances, record.annotator) == ("no_claim", [], "cy")
    assert (record.id, record.doc_id, record.meta["outlet"]) == ("d@ann:0", "d@ann", "of ann")
    assert list(record.meta["annotators"]) == ["ann", "bea", "cy"]
    assert (soft, ties) == ({}, [])
    record, _, _ = merged(records, "adjudicator", "dan")
    assert (record.claim, record.annotator) == ("claim", None)


def test_annotations_of_every_annotator_are_kept_and_written(tmp_path):
    records = [
        record_by(
            "ann",
            claim="claim",
            attributions=[Attribution(cue=CUE, content=CONTENT)],
            stances=[Stance(target="dam", label="favor", probabilities={"favor": 1.0})],
        ),
        record_by(None, entities=[Entity(span=SOURCE, label="PERSON")]),
        record_by("bea", stances=[]),
    ]
    record, _, _ = merged(records, "soft")
    assert record.meta == {
        "outlet": "of ann",
        "annotators": {
            "ann": {
                "claim": "claim",
                "attributions": [{"cue": [[4, 8]], "content": [[9, 27]]}],
                "stances": [{"holder": None, "target": "dam", "label": "favor"}],
            },
            "#2": {"entities": [{"span": [[0, 3]], "label": "PERSON"}]},
            "bea": {"stances": []},
        },
    }
    assert records[0].meta == {"outlet": "of ann"}
    with (tmp_path / "one.jsonl").open("w", encoding="utf-8") as file:
        write_jsonl([record], file)
    assert list(read_jsonl(tmp_path / "one.jsonl")) == [record]
    save({"train": [record]}, DEFAULT_LABELS, tmp_path / "data")
    assert load_records(tmp_path / "data", "train") == [record]


@pytest.mark.parametrize("how", ["majority", "soft"])
def test_a_single_record_is_unchanged(how):
    record = record_by("ann", claim="claim", attributions=[Attribution(cue=CUE, event="E1")])
    assert adjudicate([record], how, None, DEFAULT_LABELS) == (record, {})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([record_by("ann")], "median", None), ConfigError, "adjudicate: unknown way 'median'"),
        (
            ([record_by("ann")], "adjudicator", None),
            ConfigError,
            "expected adjudicator: NAME and adjudicate: adjudicator",
        ),
        (
            ([record_by("ann")], "majority", "ann"),
            ConfigError,
            "expected adjudicator: NAME and adjudicate: adjudicator",
        ),
        (([], "majority", None), InputError, "expected at least one annotation"),
        (
            ([record_by("ann", claim="claim"), record_by("bea", claim="clam")], "soft", None),
            InputError,
            "d@ann:0: claim: .*'clam'",
        ),
    ],
)
def test_invalid_adjudication_is_rejected(arguments, error, message):
    with pytest.raises(error, match=message):
        adjudicate(*arguments, DEFAULT_LABELS)
