"""Test the benchmark of plain sentences: its questions, the scores of answers, and its page."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import yaml

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.errors import InputError
from claimstance.model.onnx.backend import model_sha256
from claimstance.model.record import Attribution
from helpers.paths import BENCHMARKS

FIGURES = json.loads((BENCHMARKS / "behaviour.json").read_text(encoding="utf-8"))


@pytest.fixture
def behaviour(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import behaviour

    return behaviour


class Reader:
    """Stand in for a reader that only has a configuration."""

    config = ModelConfig(encoder={"hidden_size": 4}, abstain_below={"stance": 0.6})


def stance(label, probability):
    """Return the prediction of a stance; the other labels share the rest of the probability."""
    probabilities = dict.fromkeys(Reader.config.labels["stance"], (1 - probability) / 2)
    probabilities[label] = probability
    return Prediction(stances=[probabilities], kinds=["stance.holder"])


def first(behaviour, template, question):
    """Return the first case of a sentence with a question."""
    return next(behaviour.make_cases("seen", {"group": {template: [question]}}))


def test_names_fill_a_sentence(behaviour):
    cases = list(
        behaviour.make_cases("seen", {"group": {"{A} said: “{B} left.”": ["A > B neutral"]}})
    )
    assert len(cases) == 12
    assert all(len(set(case.names.values())) == 4 for case in cases)
    assert {case.text for case in cases} >= {
        "Novak said: “Hale left.”",
        "The Farmers' Union said: “The Halvern Institute left.”",
        "Peru said: “Norway left.”",
    }
    record = cases[0].record
    assert [(stance.holder, stance.target, stance.label) for stance in record.stances] == [
        ("Novak", "Hale", None)
    ]
    assert first(behaviour, "{B} is.", "> B favor").record.stances[0].holder is None
    assert first(behaviour, "{A} is.", "says A").record.stances is None


@pytest.mark.parametrize(
    "question", ["A > B", "A against B", "A > C neutral", "says", "says E", "says C", ""]
)
def test_an_invalid_question_is_refused(behaviour, question):
    with pytest.raises(InputError, match="expected a question about its names"):
        _ = first(behaviour, "{A} met {B}.", question).record


@pytest.mark.parametrize(
    ("question", "label", "is_correct"),
    [
        ("A > B against", "against", True),
        ("A > B against", "favor", False),
        ("A > B not against", "against", False),
        ("A > B not against", "favor", True),
    ],
)
def test_a_stance_is_compared_with_its_question(behaviour, question, label, is_correct):
    case = first(behaviour, "{A} met {B}.", question)
    for probability, is_given in ((0.9, True), (0.5, False)):
        answer = behaviour.to_answer(Reader, case, stance(label, probability))
        assert (answer.text, answer.is_correct, answer.is_given) == (label, is_correct, is_given)


@pytest.mark.parametrize(
    ("question", "spans", "is_correct"),
    [
        ("says A", [(0, 5)], True),
        ("says A", [(0, 5), (0, 5)], True),
        ("says A", [(0, 5), (11, 15)], False),
        ("says A", [], False),
        ("says B", [(11, 15)], True),
        ("says nobody", [], True),
        ("says nobody", [(0, 5)], False),
        ("says nobody", [None], False),
        ("says A", [(0, 5), None], False),
    ],
)
def test_sources_are_compared_with_their_question(behaviour, question, spans, is_correct):
    case = first(behaviour, "{A} told {B} so.", question)
    prediction = Prediction(
        attributions=[(Attribution(source=span and [span], cue=[(6, 10)]), 0.9) for span in spans]
    )
    answer = behaviour.to_answer(Reader, case, prediction)
    assert (answer.is_correct, answer.is_given) == (is_correct, None)


def test_answers_become_shares_failures_and_a_page(behaviour):
    good, bad = (
        first(behaviour, f"{{A}} met {{B}} {word}.", "A > B neutral") for word in ("here", "there")
    )
    answers = [behaviour.Answer(good, "neutral", True, True)] * 3 + [
        behaviour.Answer(bad, "favor", False, True),
        behaviour.Answer(bad, "neutral", True, False),
    ]
    answers += [behaviour.Answer(replace(good, part="unseen"), "neutral", True, None)]
    rows = {row["name"]: row for row in behaviour.make_rows(answers)}
    assert rows["seen: group: right"]["value"] == 80.0
    assert rows["seen: all: given"]["value"] == 80.0
    assert rows["seen: group: right of those given"]["value"] == 75.0
    assert rows["seen: group: right"]["n"] == 5
    assert rows["seen: group: right of those given"]["n"] == 4
    assert rows["unseen: all: right"]["value"] == 100.0
    failures = behaviour.failures(answers)
    assert failures == [
        {
            "group": "group",
            "sentence": bad.template,
            "asked": bad.question,
            "right": 1,
            "of": 2,
            "wrong": "favor",
        }
    ]
    page = behaviour.render(
        {
            "date": "d",
            "machine": "m",
            "model_sha256": "s",
            "rows": list(rows.values()),
            "failures": failures,
        }
    )
    assert "| group | 5 | 80.0 |" in page
    assert "unseen: all: given" not in rows
    assert "| all | 1 | 100.0 | 100.0 – 100.0 |  |  |" in page
    assert f"| {bad.template} | A > B neutral | 1 of 2 | favor |" in page


def test_the_page_is_rendered_from_the_figures(behaviour):
    assert (BENCHMARKS / "behaviour.md").read_text(encoding="utf-8") == behaviour.render(FIGURES)
    assert FIGURES["model_sha256"] == model_sha256(BENCHMARKS.parent / "model/bundled/small")


def test_figures_cover_all_sentences_and_reveal_no_unseen_one(behaviour):
    for set_name in behaviour.PARTS:
        groups = yaml.safe_load(
            (BENCHMARKS / f"behaviour_{set_name}.yaml").read_text(encoding="utf-8")
        )
        expected = Counter(case.group for case in behaviour.make_cases(set_name, groups))
        rows = {row["name"]: row["n"] for row in FIGURES["rows"]}
        assert {group: rows[f"{set_name}: {group}: right"] for group in expected} == dict(expected)
    # The page lists failures, so it must list those of the seen sentences alone.
    seen = yaml.safe_load((BENCHMARKS / "behaviour_seen.yaml").read_text(encoding="utf-8"))
    seen_templates = {template for sentences in seen.values() for template in sentences}
    assert {row["sentence"] for row in FIGURES["failures"]} <= seen_templates
