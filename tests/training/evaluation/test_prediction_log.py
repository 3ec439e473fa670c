"""Test the prediction log: its cases have the questions and answers, and are unchanged by the file."""

import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.errors import InputError
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
    def store(prediction_log):
        with (tmp_path / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
            write_prediction_log(prediction_log, file)
        return tmp_path

    return store


def test_a_case_has_only_the_annotation_of_its_question():
    prediction_log = build_prediction_log(CONFIG, sentences(4))
    assert list(prediction_log) == [f"cod/{task}" for task in CONFIG.tasks]
    first = prediction_log["cod/stance"][1]
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
    assert prediction_log["cod/claim"][0].record.stances is None
    # Wrong: yes has a probability of 0.55, above the threshold of 0.4.
    worthy = prediction_log["cod/check_worthy"][3]
    assert (worthy.gold, worthy.predicted) == ("no", "yes")


def test_kinds_of_errors_are_those_of_flattened_spans():
    prediction_log = build_prediction_log(CONFIG, sentences(2))
    wrong, correct = prediction_log["cod/attribution"]
    assert isinstance(wrong, ScoredSpans)
    # The model predicted "Runa" for "Runa Salt", and no content.
    assert dict(wrong.errors) == {
        ("source", "boundary"): 1,
        ("cue", "right"): 1,
        ("content", "missed"): 1,
    }
    assert dict(correct.errors) == {(role, "right"): 1 for role in ("source", "cue", "content")}
    assert dict(prediction_log["cod/entity"][0].errors) == {
        ("PERSON", "right"): 1,
        ("ORGANIZATION", "missed"): 1,
    }
    assert wrong.predicted.attributions != wrong.record.attributions


def test_errors_of_nested_attributions_are_those_of_the_innermost():
    text = "Salt said Draycott believed the dam failed."
    outer = Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 42)])
    inner = Attribution(source=[(10, 18)], cue=[(19, 27)], content=[(28, 42)])
    record = Record(id="1", doc_id="d", text=text, attributions=[outer, inner])
    (case,) = build_prediction_log(CONFIG, [(record, Prediction(attributions=[(outer, 0.9)]))])[
        "data/attribution"
    ]
    # The model's content covers Draycott as the source, his cue and his content.
    assert dict(case.errors) == {
        ("source", "right"): 1,
        ("cue", "right"): 1,
        ("source", "other"): 1,
        ("cue", "other"): 1,
        ("content", "boundary"): 1,
    }


def test_a_prediction_log_is_read_as_it_was_written(stored):
    prediction_log = build_prediction_log(CONFIG, sentences(6, words="“quoted”\u2028 \u202e"))
    loaded = read_prediction_log(stored(prediction_log))
    assert loaded == prediction_log
    labels = ("against", "neutral", "favor")
    assert stack(labels, loaded["cod/stance"]).probabilities[0].tolist() == pytest.approx(
        [0.025, 0.025, 0.95]
    )


def test_a_folder_without_a_log_has_no_cases(tmp_path):
    assert read_prediction_log(tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "message"),
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
def test_an_invalid_case_is_an_error_that_names_its_line(stored, line, message):
    folder = stored(build_prediction_log(CONFIG, sentences(1)))
    with (folder / PREDICTION_LOG_FILE).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError) as error:
        read_prediction_log(folder)
    assert f"{folder / PREDICTION_LOG_FILE}, line 6" in str(error.value)
    assert message in str(error.value)
