"""Test the page of two evaluations: the figures of the test, the disagreements, and folders that do not match."""

import json
from dataclasses import replace

import pytest

from claimstance.inference.cli import tables as summaries
from claimstance.model.errors import InputError
from claimstance.model.pages.markup import visible
from claimstance.training.evaluation.counts import OUTCOMES_FILE, write_outcomes
from claimstance.training.evaluation.page.comparison import comparison_page, disagreements
from claimstance.training.evaluation.prediction_log import (
    PREDICTION_LOG_FILE,
    build_prediction_log,
    write_prediction_log,
)
from claimstance.training.evaluation.significance import compare
from helpers.evaluations import CONFIG, HOSTILE, evaluation, sentences
from helpers.pages import Page

pytest.importorskip("matplotlib", reason="needs matplotlib")


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes what an evaluation leaves for `compare` and returns the folder."""

    def store(name, evaluated, texts=True):
        folder = tmp_path / name
        folder.mkdir()
        with (folder / OUTCOMES_FILE).open("w", encoding="utf-8") as file:
            write_outcomes(
                evaluated.outcomes,
                {key: evaluated.account[key] for key in ("date", "model", "data")},
                file,
            )
        if texts:
            with (folder / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
                write_prediction_log(evaluated.prediction_log, file)
        return folder

    return store


def rendered(a, b):
    return Page("".join(comparison_page(compare(a, b, resamples=200), a, b)))


def words(page):
    return " ".join(page.one("main").replace("\u00a0", " ").split())


def test_the_page_has_both_runs_and_their_differences(stored):
    a = stored("a", evaluation(sentences(60, 3), name="older"))
    # B is wrong in the first sentence alone.
    b = stored("b", evaluation(sentences(60, 60), name="newer"))
    comparison = compare(a, b, resamples=200)
    page = rendered(a, b)
    text = words(page)
    for expected in (
        f"{a}: older, version 7",
        f"{b}: newer, version 7",
        "evaluated 2024-05-06",
        "feed" * 16,
    ):
        assert expected in text, expected
    row = next(row for row in comparison["rows"] if row["task"] == "claim")
    assert f"{100 * row['a']:.1f} %{100 * row['b']:.1f} %+{100 * row['difference']:.1f}" in text
    assert "B is better" in text
    assert len(page.all("svg")) == 1 + 2 * 4


def test_disagreements_are_counted_and_listed(stored):
    # A is wrong in sentences 0, 3, 6, 9, …, B in 0, 2, 4, 6, …
    a, b = (evaluation(sentences(12, odd)) for odd in (3, 2))
    folders = stored("a", a), stored("b", b)
    tasks = disagreements(folders, a.prediction_log, b.prediction_log)
    by_task = {task.task: task for task in tasks}
    claim = by_task["claim"]
    # Both wrong: 0 and 6; B alone: 2, 4, 8, 10; A alone: 3, 9.
    assert claim.correct == [4, 4, 2, 2]
    assert claim.better == (4, 2)
    # The most confident answers come first.
    assert [item.sample.id for item in claim.questions[0]] == [
        "d1:2",
        "d2:4",
        "d4:8",
        "d5:10",
    ]
    assert [item.sample.id for item in claim.questions[1]] == ["d1:3", "d4:9"]
    assert [answer.label for answer in claim.questions[1][0].answers] == ["claim", "no_claim"]
    spans = by_task["attribution"]
    assert spans.errors["content"]["missed"] == (4, 6)
    assert spans.better == (4, 2)
    assert [item.expected.id for item in spans.sentences[1]] == ["d1:3", "d4:9"]
    assert [item.errors for item in spans.sentences[1][0].predicted] == [
        "content missed, source with another boundary",
        "all right",
    ]
    text = words(rendered(*folders))
    assert "A alone is right 4 times" in text
    assert "B alone is right 2 times" in text
    assert "B has fewer errors in 2 sentences" in text


def test_an_evaluation_without_a_prediction_log_can_be_compared(stored):
    a = stored("a", evaluation(sentences()))
    b = stored("b", evaluation(sentences(odd=4)), texts=False)
    page = rendered(a, b)
    assert f"cannot be shown: B has no {PREDICTION_LOG_FILE}" in words(page)
    assert len(page.all("svg")) == 1


def test_prediction_logs_of_other_records_are_refused(stored):
    a, b = stored("a", evaluation(sentences())), stored("b", evaluation(sentences()))
    with (b / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
        write_prediction_log(build_prediction_log(CONFIG, list(sentences())[::-1]), file)
    with pytest.raises(
        InputError,
        match=rf"{b / PREDICTION_LOG_FILE}, cod/\w+: expected the cases of {a / PREDICTION_LOG_FILE}",
    ):
        rendered(a, b)


def test_too_few_documents_are_not_called_equal(stored):
    claims_only = replace(CONFIG, tasks=("claim",))
    a = stored("a", evaluation(sentences(8), claims_only))
    b = stored("b", evaluation(sentences(8, 2), claims_only))
    text = words(rendered(a, b))
    assert "too few documents to tell" in text
    assert "0 of 0 differences are more than chance" in text


def test_one_document_has_no_interval(stored, capsys):
    claims_only = replace(CONFIG, tasks=("claim",))
    for count, has_interval in ((2, False), (4, True)):
        a, b = (
            stored(f"{name}{count}", evaluation(sentences(count), claims_only)) for name in "ab"
        )
        summaries.print_comparison(compare(a, b, resamples=200))
        assert ("+0.0 – +0.0" in capsys.readouterr().out) is has_interval
        assert ("0.0 – 0.0" in words(rendered(a, b)).replace("+", "")) is has_interval


def test_markup_in_data_is_escaped(stored):
    folders = []
    for odd in (3, 4):
        pairs = [
            (record.model_copy(update={"id": f"{HOSTILE}{i}"}), prediction)
            for i, (record, prediction) in enumerate(
                sentences(30, odd, words=HOSTILE, corpus=HOSTILE, outlet=HOSTILE)
            )
        ]
        folders.append(stored(str(odd), evaluation(pairs, name=HOSTILE)))
    a, b = folders
    comparison = json.loads(json.dumps(compare(a, b, resamples=50)))
    comparison["a"]["folder"] = comparison["data"]["path"] = HOSTILE
    html = "".join(comparison_page(comparison, a, b))
    page = Page(html)
    assert html.count("<script") == 1
    assert "\u202e" not in html
    assert page.one("body").count(visible(HOSTILE)) > 20
    assert not [
        name
        for _, attrs in page.elements
        for name in attrs
        if name.startswith("on") or name == "style"
    ]
