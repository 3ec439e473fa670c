"""Test training examples built from records."""

import pytest

from claimstance.model.labels import STANCE
from claimstance.model.record import Record, Stance
from claimstance.training.fine_tuning.examples import ExampleBuilder


@pytest.fixture
def stances_of(word_windows):
    """Return a function that builds the training stances of a sentence."""

    def build(text, *stances):
        record = Record(id="1", text=text, stances=list(stances))
        labels = {"stance": STANCE}
        ((example,),) = ExampleBuilder(word_windows(40), labels).build([record])
        return example.stances

    return build


def test_a_holder_outside_the_sentence_does_not_become_the_text(stances_of):
    # The speaker of a quotation that runs on is named in an earlier sentence.
    assert stances_of("Moss lies .", Stance(holder="Lee", target=[(0, 4)], label="against")) == []


def test_a_holder_given_by_name_is_found_in_its_sentence(stances_of):
    (stance,) = stances_of(
        "Lee said Moss lies .", Stance(holder="Lee", target=[(9, 13)], label="against")
    )
    assert (stance.holder, stance.target, stance.mention) == ((0, 1), (2, 3), "Moss")


def test_the_text_itself_has_no_holder_and_a_topic_stays_a_name(stances_of):
    (stance,) = stances_of("Moss lies .", Stance(target="gun control", label="favor"))
    assert (stance.holder, stance.target, stance.mention) == (None, "gun control", None)
    assert stance.probabilities == tuple(float(label == "favor") for label in STANCE)


def article(*sentences):
    """Return consecutive sentences of one exhaustively annotated article, from (text, stances)."""
    records, start = [], 0
    for number, (text, stances) in enumerate(sentences):
        records.append(
            Record(
                id=f"a:{number}",
                doc_id="a",
                start=start,
                text=text,
                stances=stances,
                meta={"corpus": "whole"},
            )
        )
        start += len(text) + 1
    return records


@pytest.fixture
def examples_of(word_windows):
    """Return a function from sentences to the examples of an exhaustively annotated article."""

    def build(*sentences):
        labels = {"stance": STANCE}
        (document,) = ExampleBuilder(word_windows(40), labels, exhaustive_stances=["whole"]).build(
            article(*sentences)
        )
        return document

    return build


def test_exhaustive_stances_tag_holders_and_targets(examples_of):
    text = "Lee said Moss lies to Orl ."
    (example,) = examples_of(
        (
            text,
            [
                Stance(holder=[(0, 3)], target=[(9, 13)], label="against"),
                Stance(holder=[(0, 3)], target=[(22, 25)], label="neutral"),
            ],
        )
    )
    assert example.opinions == {
        "opinion_holder": [1, 0, 0, 0, 0, 0, 0],
        "opinion_target": [0, 0, 1, 0, 0, 0, 0],
    }
    assert [stance.takes_side for stance in example.stances] == [True, False]


def test_the_longer_of_two_overlapping_targets_is_tagged(examples_of):
    text = "Lee said Moss lies ."
    for targets in ([(9, 13)], [(9, 18)]), ([(9, 18)], [(9, 13)]):
        (example,) = examples_of(
            (
                text,
                [Stance(holder=[(0, 3)], target=target, label="against") for target in targets],
            )
        )
        assert example.opinions["opinion_target"] == [0, 0, 1, 2, 0]


def test_other_corpora_do_not_tag_holders_and_targets(stances_of, word_windows):
    record = Record(
        id="1",
        text="Lee lies .",
        stances=[Stance(holder=[(0, 3)], target=[(4, 8)], label="against")],
    )
    ((example,),) = ExampleBuilder(word_windows(40), {"stance": STANCE}).build([record])
    assert example.opinions == {}


def test_the_speaker_of_a_continued_quotation_is_found_in_earlier_sentences(examples_of):
    _, _, last = examples_of(
        ("Moss said so .", []),
        ("It was late .", []),
        ("Lee lies .", [Stance(holder="Moss", target=[(0, 3)], label="against")]),
    )
    (stance,) = last.stances
    assert (stance.holder, stance.sentences_back) == ((0, 1), 2)
