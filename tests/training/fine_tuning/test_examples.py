"""Training examples from records."""

import pytest

from claimstance.model.labels import STANCE
from claimstance.model.record import Record, Stance
from claimstance.training.fine_tuning.examples import build_examples


@pytest.fixture
def stances_of(word_windows):
    """Return a function from stances to the examples that they become."""

    def build(text, *stances):
        record = Record(id="1", text=text, stances=list(stances))
        labels = {"stance": STANCE}
        ((example,),) = build_examples([record], word_windows(40), labels, {})
        return example.stances

    return build


def test_a_holder_outside_the_sentence_is_not_taken_for_the_text(stances_of):
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
    assert stance.shares == tuple(float(label == "favor") for label in STANCE)
