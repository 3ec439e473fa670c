"""One record from several annotators: votes, shares, whole spans, and everybody's word kept."""

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


def by(annotator, **fields):
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
    """The record, the soft labels and the ties."""
    ties = []
    record, soft = adjudicate(records, how, adjudicator, DEFAULT_LABELS, ties.append)
    return record, soft, ties


def stance(target, label, holder=None):
    return Stance(holder=holder, target=target, label=label)


def test_most_votes_win_and_who_did_not_annotate_has_none():
    record, soft, ties = merged(
        [
            by("ann", claim="claim", check_worthy="yes"),
            by("bea", claim="no_claim"),
            by("cy", claim="claim", check_worthy="yes"),
            by("dan", check_worthy="no"),
        ]
    )
    assert (record.claim, record.check_worthy, record.subjective) == ("claim", "yes", None)
    assert (record.id, record.doc_id, record.start, record.text) == ("d@ann:0", "d@ann", 7, TEXT)
    assert record.annotator is None
    assert (soft, ties) == ({}, [])


def test_a_tie_has_no_label_but_shares():
    tied = [by("ann", claim="claim"), by("bea", claim="no_claim"), by("cy")]
    record, soft, ties = merged(tied)
    assert (record.claim, soft, ties) == (None, {}, ["claim"])
    record, soft, ties = merged(tied, "soft")
    assert (record.claim, ties) == (None, ["claim"])
    np.testing.assert_array_equal(soft["claim"], [0.5, 0.5])


def test_three_who_all_differ_are_tied_and_two_of_five_are_not():
    targets = [[stance("dam", label)] for label in ("favor", "against", "neutral")]
    assert merged([by(name, stances=said) for name, said in zip("abc", targets, strict=True)])[
        2
    ] == ["stance"]
    labels = ("favor", "favor", "against", "neutral", None)
    record, _, ties = merged(
        [
            by(name, stances=[stance("dam", label)])
            for name, label in zip("abcde", labels, strict=True)
        ]
    )
    assert (record.stances[0].label, ties) == ("favor", [])


def test_shares_are_in_the_order_of_the_labels():
    three = [
        by("ann", subjective="subjective"),
        by("bea", subjective="subjective"),
        by("cy", subjective="objective"),
    ]
    record, soft, _ = merged(three, "soft")
    assert record.subjective == "subjective"
    assert soft.keys() == {"subjective"}
    assert soft["subjective"].dtype == np.float32
    np.testing.assert_allclose(soft["subjective"], [1 / 3, 2 / 3], rtol=1e-6)
    _, other = adjudicate(three, "soft", None, {"subjective": ["subjective", "mixed", "objective"]})
    np.testing.assert_allclose(other["subjective"], [2 / 3, 0, 1 / 3], rtol=1e-6)


def test_questions_are_united_and_matched_by_name_or_span():
    record, _, ties = merged(
        [
            by("ann", stances=[stance("The  Dam", "favor", "Lee"), stance([(13, 20)], "against")]),
            by("bea", stances=[stance("the dam", "favor", "lee"), stance([(17, 20)], "neutral")]),
            by("cy", stances=[]),
        ]
    )
    assert [(one.holder, one.target, one.label) for one in record.stances] == [
        ("Lee", "The  Dam", "favor"),
        (None, [(13, 20)], "against"),
        (None, [(17, 20)], "neutral"),
    ]
    assert ties == []


def test_a_tied_stance_is_left_out_unless_its_probabilities_are_kept():
    tied = [
        by("ann", stances=[stance("dam", "favor")]),
        by("bea", stances=[stance("dam", "against")]),
    ]
    record, _, ties = merged(tied)
    assert (record.stances, ties) == ([], ["stance"])
    record, soft, ties = merged(tied, "soft")
    assert record.stances == [
        Stance(target="dam", probabilities={"against": 0.5, "neutral": 0, "favor": 0.5})
    ]
    assert (soft, ties) == ({}, ["stance"])


def test_who_answers_in_two_ways_does_not_vote():
    both = [stance("dam", "favor"), stance("Dam", "against")]
    record, _, ties = merged(
        [by("ann", stances=both), by("bea", stances=[stance("dam", "neutral")])]
    )
    assert ([one.label for one in record.stances], ties) == (["neutral"], [])
    record, _, ties = merged([by("ann", stances=both), by("bea", stances=[])])
    assert (record.stances, ties) == ([], ["stance"])


def test_a_question_that_nobody_answered_is_kept_to_be_predicted():
    record, _, ties = merged([by("ann", stances=[stance("dam", None)]), by("bea", stances=[])])
    assert (record.stances, ties) == ([stance("dam", None)], [])


def test_nothing_annotated_is_not_none_there():
    record, _, _ = merged([by("ann"), by("bea", entities=[], stances=[])])
    assert (record.attributions, record.entities, record.stances) == (None, [], [])


def test_spans_are_of_who_agrees_best_with_the_others():
    whole = Attribution(source=SOURCE, cue=CUE, content=CONTENT)
    # Tokens of the content: the old dam failed. "cy" shares 3 of 4 with each other, who share 2 of 4 with each other.
    first, second, both = [(9, 20)], [(13, 27)], [(9, 27)]
    found = {
        name: Attribution(source=SOURCE, cue=CUE, content=span)
        for name, span in (("ann", first), ("bea", second), ("cy", both))
    }
    record, _, ties = merged(
        [by(name, attributions=[one]) for name, one in found.items()] + [by("dan")]
    )
    assert (record.attributions, ties) == ([whole], [])


def test_an_empty_list_votes():
    one = Attribution(cue=CUE)
    record, _, ties = merged(
        [by("ann", attributions=[one]), by("bea", attributions=[]), by("cy", attributions=[])]
    )
    assert (record.attributions, ties) == ([], [])


def test_of_two_who_differ_the_first_by_name_is_taken_and_told():
    people = [by("zoe", entities=[]), by("ann", entities=[Entity(span=SOURCE, label="PERSON")])]
    record, _, ties = merged(people)
    assert [one.label for one in record.entities] == ["PERSON"]
    assert ties == ["entity"]
    assert record.id == "d@zoe:0"
    assert merged([people[0], people[0].model_copy(update={"annotator": "bea"})])[2] == []


def test_attributions_over_sentences_are_kept_apart_by_annotator():
    record, _, _ = merged(
        [
            by(name, attributions=[Attribution(cue=CUE, event="E1"), Attribution(cue=SOURCE)])
            for name in ("ann", "bea")
        ]
    )
    assert [one.event for one in record.attributions] == ["ann/E1", None]


def test_the_adjudicator_is_taken_whole_and_else_most_votes():
    people = [
        by("ann", claim="claim"),
        by("bea", claim="claim"),
        by("cy", claim="no_claim", stances=[]),
    ]
    record, soft, ties = merged(people, "adjudicator", "cy")
    assert (record.claim, record.stances, record.annotator) == ("no_claim", [], "cy")
    assert (record.id, record.doc_id, record.meta["outlet"]) == ("d@ann:0", "d@ann", "of ann")
    assert list(record.meta["annotators"]) == ["ann", "bea", "cy"]
    assert (soft, ties) == ({}, [])
    record, _, _ = merged(people, "adjudicator", "dan")
    assert (record.claim, record.annotator) == ("claim", None)


def test_everybody_s_word_is_kept_and_can_be_written(tmp_path):
    people = [
        by(
            "ann",
            claim="claim",
            attributions=[Attribution(cue=CUE, content=CONTENT)],
            stances=[Stance(target="dam", label="favor", probabilities={"favor": 1.0})],
        ),
        by(None, entities=[Entity(span=SOURCE, label="PERSON")]),
        by("bea", stances=[]),
    ]
    record, _, _ = merged(people, "soft")
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
    assert people[0].meta == {"outlet": "of ann"}
    with (tmp_path / "one.jsonl").open("w", encoding="utf-8") as file:
        write_jsonl([record], file)
    assert list(read_jsonl(tmp_path / "one.jsonl")) == [record]
    save({"train": [record]}, DEFAULT_LABELS, tmp_path / "data")
    assert load_records(tmp_path / "data", "train") == [record]


@pytest.mark.parametrize("how", ["majority", "soft"])
def test_one_annotator_s_record_stays_as_it_is(how):
    alone = by("ann", claim="claim", attributions=[Attribution(cue=CUE, event="E1")])
    assert adjudicate([alone], how, None, DEFAULT_LABELS) == (alone, {})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([by("ann")], "median", None), ConfigError, "adjudicate: unknown way 'median'"),
        (
            ([by("ann")], "adjudicator", None),
            ConfigError,
            "expected adjudicator: NAME and adjudicate: adjudicator",
        ),
        (
            ([by("ann")], "majority", "ann"),
            ConfigError,
            "expected adjudicator: NAME and adjudicate: adjudicator",
        ),
        (([], "majority", None), InputError, "expected at least one annotation"),
        (
            ([by("ann", claim="claim"), by("bea", claim="clam")], "soft", None),
            InputError,
            "d@ann:0: claim: .*'clam'",
        ),
    ],
)
def test_what_cannot_be_adjudicated(arguments, error, message):
    with pytest.raises(error, match=message):
        adjudicate(*arguments, DEFAULT_LABELS)
