"""Cases: what is kept of questions and answers, and that it comes back from its file as it was."""

import pytest

from claimstance.model.errors import InputError
from claimstance.model.prediction import Prediction
from claimstance.model.record import Attribution, Record
from claimstance.training.evaluation.answers import ScoredAnswer, stack
from claimstance.training.evaluation.prediction_log import (
    PREDICTION_LOG_FILE,
    ScoredSpans,
    build_prediction_log,
    read_prediction_log,
    write_prediction_log,
)
from helpers.evaluations import CONFIG, sentences


@pytest.fixture
def stored(tmp_path):
    def store(found):
        with (tmp_path / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
            write_prediction_log(found, file)
        return tmp_path

    return store


def test_a_case_holds_what_was_asked_and_nothing_else():
    found = build_prediction_log(CONFIG, sentences(4))
    assert list(found) == [f"cod/{task}" for task in CONFIG.tasks]
    first = found["cod/stance"][1]
    assert isinstance(first, ScoredAnswer)
    assert (first.kind, first.gold, first.predicted, first.is_correct) == (
        "stance.mention",
        "against",
        "against",
        True,
    )
    assert (first.record.claim, first.record.attributions) == (None, None)
    assert first.record.meta == {"corpus": "cod", "outlet": "Sund Radio"}
    assert first.record.stances == [first.stance]
    assert found["cod/claim"][0].record.stances is None
    # Wrong, and said with 0.45: from the threshold of 0.4 on the answer is yes, likeliest or not.
    worthy = found["cod/check_worthy"][3]
    assert (worthy.gold, worthy.predicted) == ("no", "yes")


def test_kinds_of_errors_are_those_of_flattened_spans():
    found = build_prediction_log(CONFIG, sentences(2))
    wrong, right = found["cod/attribution"]
    assert isinstance(wrong, ScoredSpans)
    # Of "Runa Salt" the model took "Runa"; it found no content, which is nobody's but the annotator's.
    assert dict(wrong.errors) == {
        ("source", "boundary"): 1,
        ("cue", "right"): 1,
        ("content", "missed"): 1,
    }
    assert dict(right.errors) == {(role, "right"): 1 for role in ("source", "cue", "content")}
    assert dict(found["cod/entity"][0].errors) == {
        ("PERSON", "right"): 1,
        ("ORGANIZATION", "missed"): 1,
    }
    assert wrong.predicted.attributions != wrong.record.attributions


def test_an_attribution_nested_in_another_is_the_innermost_in_its_document():
    text = "Salt said Draycott believed the dam failed."
    outer = Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 42)])
    inner = Attribution(source=[(10, 18)], cue=[(19, 27)], content=[(28, 42)])
    record = Record(id="1", doc_id="d", text=text, attributions=[outer, inner])
    (case,) = build_prediction_log(CONFIG, [(record, Prediction(attributions=[(outer, 0.9)]))])[
        "data/attribution"
    ]
    # The model's content covers what is Draycott's source, cue and content.
    assert dict(case.errors) == {
        ("source", "right"): 1,
        ("cue", "right"): 1,
        ("source", "other"): 1,
        ("cue", "other"): 1,
        ("content", "boundary"): 1,
    }


def test_they_come_back_as_they_were(stored):
    found = build_prediction_log(CONFIG, sentences(6, words="“quoted”\u2028 \u202e"))
    again = read_prediction_log(stored(found))
    assert again == found
    labels = ("against", "neutral", "favor")
    assert stack(labels, again["cod/stance"]).probabilities[0].tolist() == pytest.approx(
        [0.025, 0.025, 0.95]
    )


def test_there_are_none_where_none_were_written(tmp_path):
    assert read_prediction_log(tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "expected a case of an evaluation"),
        ("[]", "expected a case of an evaluation"),
        ('{"name": "a/claim"}', "KeyError('record')"),
        ('{"name": "a/claim", "record": {"id": "1"}, "probabilities": {}}', "text"),
        (
            '{"name": "a/claim", "record": {"id": "1", "text": "x"}, "probabilities": [], "kind": "claim"}',
            "expected",
        ),
        (
            '{"name": "a/claim", "record": {"id": "1", "text": "x"}, "probabilities": {"a": 1}, '
            '"kind": "claim", "gold": "a", '
            '"said": "b"}',
            "KeyError('b')",
        ),
        (
            '{"name": "a/entity", "record": {"id": "1", "text": "x", "entities": []}, "errors": [1], "found": []}',
            "a case",
        ),
        (
            '{"name": "a/entity", "record": {"id": "1", "text": "x", "entities": []}, "errors": [], "found": [{}]}',
            "span",
        ),
    ],
)
def test_what_is_no_case_is_told_by_its_line(stored, line, told):
    folder = stored(build_prediction_log(CONFIG, sentences(1)))
    with (folder / PREDICTION_LOG_FILE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError) as error:
        read_prediction_log(folder)
    assert f"{folder / PREDICTION_LOG_FILE}, line 6" in str(error.value)
    assert told in str(error.value)
