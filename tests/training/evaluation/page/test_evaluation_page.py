"""Test the page of an evaluation: its figures equal those computed by hand, it loads nothing, and text never becomes markup."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.pages.markup import visible
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.page.groups import MAX_GROUPS, MIN_ITEMS, by_outlet, by_target
from claimstance.training.evaluation.page.page import evaluation_page
from claimstance.training.evaluation.page.plots import (
    PlottedRun,
    differences_plot,
    precision_recall_plot,
    reliability_plot,
    risk_plot,
)
from claimstance.training.evaluation.page.sections import LINKED, task_section
from claimstance.training.evaluation.page.worst import (
    describe_errors,
    worst_answers,
    worst_sentences,
)
from claimstance.training.evaluation.span_errors import span_errors
from helpers.evaluations import CONFIG, HOSTILE, evaluation, sentences, shares
from helpers.pages import Page

pytest.importorskip("matplotlib", reason="needs matplotlib")


def rendered(evaluated):
    return "".join(evaluation_page(evaluated))


@pytest.fixture(scope="module")
def evaluated():
    return evaluation(sentences(), people={"cod/stance": {"macro_f1": {"value": 0.4321}}})


@pytest.fixture(scope="module")
def html(evaluated):
    return rendered(evaluated)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def sections(evaluated):
    return {
        name: task_section(
            number,
            name,
            evaluated.account,
            outcome,
            evaluated.config,
            evaluated.prediction_log[name],
        )
        for number, (name, outcome) in enumerate(evaluated.outcomes.items(), 1)
    }


def words(page):
    return " ".join(page.one("main").split())


def test_the_page_names_the_model_and_the_data(page):
    text = " ".join(page.one("body").split())
    for expected in (
        "Evaluation of cod-model",
        "version 7, as exported",
        "0123456789abcdef" * 4,
        "feed" * 16,
        "runs/cod, split dev, 40 sentences",
        "2024-05-06",
    ):
        assert expected in text, expected
    assert "was fitted on dev" in words(page)
    assert "43.2 %" in text.replace("\u00a0", " ")  # the score of human annotators
    test = Page(rendered(evaluation(sentences(4), split="test")))
    assert test.all("div", class_="caution") == []
    assert "What training" not in words(test)


def test_baselines_are_columns_of_the_first_table():
    baselines = {
        "majority": {"cod/stance": {"macro_f1": {"value": 0.1234}}},
        "words": {"cod/stance": {"macro_f1": {"value": 0.5678}}},
        "embeddings": {},
    }
    html = rendered(evaluation(sentences(), baselines=baselines)).replace("\u00a0", " ")
    first_table = html[html.index('id="c-glance"') : html.index("What was evaluated")]
    header, *rows = re.findall(r"<tr>.*?</tr>", first_table)
    names = re.findall(r"<th[^>]*>(.*?)</th>", header)
    assert names[5:8] == ["majority", "words", "embeddings"]
    [row] = [row for row in rows if "stance" in row]
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
    assert len(cells) == len(names)
    assert cells[5:8] == ["12.3 %", "56.8 %", ""]
    assert "Majority, words, embeddings:" in first_table
    assert "majority" not in rendered(evaluation(sentences()))


def test_every_primary_figure_is_in_the_first_table_with_its_interval(evaluated, page):
    rows = re.sub(r"\s+", " ", page.one("section", id="glance").replace("\u00a0", " "))
    for name, metric in (
        ("cod/claim", "macro_f1"),
        ("cod/attribution", "linked.f1"),
        ("cod/stance", "macro_f1"),
    ):
        figure = evaluated.account["results"][name][metric]
        assert (
            f"{100 * figure['value']:.1f} %{100 * figure['low']:.1f} – {100 * figure['high']:.1f}"
            in rows
        )
        assert figure["low"] < figure["value"] < figure["high"]


def test_a_confusion_matrix_has_counts_and_shares_of_rows(evaluated):
    # Every third answer is wrong, from the first on: of the 20 claims 7 (0, 6, 12 … 36), of the others 7 (3, 9 … 39).
    matrix = sections(evaluated)["cod/claim"].matrix
    assert matrix.labels == ("no_claim", "claim")
    assert matrix.counts == [[13, 7], [7, 13]]
    assert matrix.shares == [[0.65, 0.35], [0.35, 0.65]]
    # The answer is yes from 0.4 on. Of the 30 sentences with no, 13 are above: 10 wrong answers, and 35, 37 and 38.
    assert sections(evaluated)["cod/check_worthy"].matrix.counts == [[17, 13], [0, 10]]


def test_kinds_of_errors_are_counted_and_the_most_frequent_named(evaluated, page):
    error_table = sections(evaluated)["cod/attribution"].error_table
    # 14 of 40 sentences are wrong, in source and content alike.
    assert error_table.counts["source"] == {
        "right": 26,
        "boundary": 14,
        "other": 0,
        "missed": 0,
        "spurious": 0,
    }
    assert error_table.counts["content"] == {
        "right": 26,
        "boundary": 0,
        "other": 0,
        "missed": 14,
        "spurious": 0,
    }
    assert error_table.counts[LINKED] == {
        "right": 26,
        "boundary": 0,
        "other": 0,
        "missed": 14,
        "spurious": 14,
    }
    assert error_table.commonest == [("source", "boundary", 14), ("content", "missed", 14)]
    assert "The commonest errors: source with another boundary (14), content missed (14)." in words(
        page
    )
    assert sections(evaluated)["cod/entity"].error_table.commonest == [
        ("ORGANIZATION", "missed", 40)
    ]


def test_the_worst_errors_come_first_and_each_text_once():
    pairs = list(sentences(12))
    evaluated = evaluation([*pairs, *pairs])
    cases = evaluated.prediction_log["cod/stance"]
    worst = worst_answers(cases, 3)
    # Earlier sentences are more confident: 0, 3 and 6 of 0, 3, 6, 9. Each of them occurs twice.
    assert [error.sample.id for error in worst] == ["d0:0", "d1:3", "d3:6"]
    assert (worst[0].gold, worst[0].answers[0].label) == ("against", "favor")
    assert worst[0].answers[0].probabilities == pytest.approx(
        shares("favor", 0.95, ("against", "neutral", "favor"))
    )
    assert (worst[0].stance.holder, worst[0].stance.target) == ("Runa Salt", "the cod quota")
    spans = worst_sentences(evaluated.prediction_log["cod/attribution"], 10)
    assert [error.expected.id for error in spans] == ["d0:0", "d1:3", "d3:6", "d4:9"]
    assert spans[0].predicted[0].errors == "content missed, source with another boundary"


def test_errors_are_described_in_words():
    assert describe_errors(span_errors([("cue", 0, 1)], [("cue", 0, 1)])) == "all right"
    assert (
        describe_errors(span_errors([], [("cue", 0, 1), ("cue", 2, 3)]))
        == "cue where there is none × 2"
    )


def stances(targets, outlet=None):
    for i, target in enumerate(targets):
        yield (
            Record(
                id=str(i),
                text="Salt spoke.",
                stances=[Stance(target=target, label="favor")],
                meta={"outlet": outlet} if outlet else {},
            ),
            Prediction(
                stances=[
                    shares("favor" if i % 2 else "against", 0.8, ("against", "neutral", "favor"))
                ],
                kinds=["stance.topic"],
            ),
        )


def test_groups_with_too_few_items_are_merged():
    targets = ["quota"] * MIN_ITEMS + ["Orvane"] * (MIN_ITEMS - 1) + ["dam"] * 2
    evaluated = evaluation(stances(targets), replace(CONFIG, tasks=("stance",)))
    groups = by_target(("against", "neutral", "favor"), evaluated.prediction_log["data/stance"])
    (group,), remainder = groups.groups, groups.remainder
    assert (group.name, group.n, group.documents, groups.n_others, remainder.n) == (
        "quota",
        MIN_ITEMS,
        MIN_ITEMS,
        2,
        MIN_ITEMS + 1,
    )
    # Every other answer is right: favor has recall 1/2 and precision 1, against has an F1 of 0; neutral does not occur.
    assert group.figures["macro_f1"].value == pytest.approx((2 / 3 + 0) / 2)
    assert (
        group.figures["macro_f1"].low
        < group.figures["macro_f1"].value
        < group.figures["macro_f1"].high
    )
    assert "2 others together" in words(Page(rendered(evaluated)))


def test_the_number_of_groups_is_limited():
    n_targets = MAX_GROUPS + 2
    targets = [f"t{i % n_targets:02}" for i in range(MIN_ITEMS * n_targets)]
    evaluated = evaluation(stances(targets), replace(CONFIG, tasks=("stance",)))
    groups = by_target(("against", "neutral", "favor"), evaluated.prediction_log["data/stance"])
    assert ([group.name for group in groups.groups], groups.n_others) == (
        [f"t{i:02}" for i in range(MAX_GROUPS)],
        2,
    )


def test_no_group_is_shown_if_all_are_too_small():
    evaluated = evaluation(stances(["quota", "dam"]), replace(CONFIG, tasks=("stance",)))
    assert f"none of the 2 has {MIN_ITEMS} items" in words(Page(rendered(evaluated)))
    assert (
        by_outlet(evaluated.outcomes["data/stance"], evaluated.prediction_log["data/stance"])
        is None
    )


def test_results_are_grouped_by_outlet():
    pairs = list(stances(["quota"] * 70, "Sund Radio"))
    for i, (record, prediction) in enumerate(pairs[MIN_ITEMS:], MIN_ITEMS):
        pairs[i] = record.model_copy(update={"meta": {"outlet": "The Post"}}), prediction
    evaluated = evaluation(pairs, replace(CONFIG, tasks=("stance",)))
    groups = by_outlet(evaluated.outcomes["data/stance"], evaluated.prediction_log["data/stance"])
    assert [(group.name, group.n) for group in groups.groups] == [
        ("The Post", 40),
        ("Sund Radio", 30),
    ]
    assert (groups.n_others, groups.remainder) == (0, None)


def test_plots_have_descriptions_and_tables():
    confidence = np.array([0.95, 0.9, 0.8, 0.6])
    run = PlottedRun(confidence, np.array([True, True, False, True]), answered=confidence > 0.85)
    risk = risk_plot("r", [run])
    # Half of the answers are above 0.85, and they are right; one of all four is wrong. The risk is 0, 0, 1/3 and 1/4.
    assert risk.description == (
        "25.0 % wrong if all is answered, area under the curve 0.146; as the model withholds "
        "answers (the diamond) 50.0 % is answered and 0.0 % of that is wrong."
    )
    assert risk.rows[4] == ("50 %", "0.0 %")
    assert risk.rows[6] == ("70 %", "33.3 %")
    assert risk.rows[9] == ("100 %", "25.0 %")
    assert "withholds all" in risk_plot("r", [replace(run, answered=confidence > 2)]).description
    assert "withholds" not in risk_plot("r", [replace(run, answered=None)]).description
    ranking = precision_recall_plot("p", [replace(run, threshold=0.6)])
    # At recalls of 1/3, 2/3 and 1 the precision is 1, 1 and 3/4.
    assert ranking.description == (
        "Average precision 0.917; a ranking by chance has 0.750; decided for from 0.60 on (the "
        "diamond): precision 75.0 %, recall 100.0 %."
    )
    assert precision_recall_plot("p", [PlottedRun(confidence, np.zeros(4, bool))]) is None
    reliability = reliability_plot("s", [replace(run, name="A"), replace(run, name="B")])
    # Each answer has its own bin of fifteen; the errors of the bins are 0.05, 0.1, 0.8 and 0.4.
    assert reliability.description.startswith("A: expected calibration error 0.338 (")
    assert "; B: expected calibration error 0.338 (" in reliability.description
    assert reliability.rows[0] == ("A", "60 % to 67 %", "1", "60.0 %", "100.0 %")


def drawings():
    confidence, is_correct = np.linspace(0.5, 1, 50), np.arange(50) % 3 > 0
    runs = [PlottedRun(confidence, is_correct, "A"), PlottedRun(confidence, ~is_correct, "B")]
    yield reliability_plot("a", runs[:1]).svg
    yield risk_plot("b", runs).svg
    yield precision_recall_plot("c", runs).svg
    yield differences_plot("d", [(0.1, -0.1, 0.2, False), (0.3, 0.2, 0.4, True)])


def test_drawings_are_reproducible_and_take_their_colours_from_the_page():
    assert list(drawings()) == list(drawings())
    for svg in drawings():
        assert not re.search(r"style|#[0-9a-fA-F]{6}|xlink|metadata|<script|font-family", svg)
        assert "stroke-first" in svg
    ids = [name for svg in drawings() for name in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in drawings():
        own_ids = set(re.findall(r' id="([^"]+)"', svg))
        assert set(re.findall(r'(?:href="#|url\(#)([\w-]+)', svg)) <= own_ids
        title, description = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', svg).groups()
        assert {title, description} <= own_ids


def test_the_page_loads_nothing_and_runs_only_its_own_script(html, page):
    policy = next(
        a["content"]
        for a, _ in page.all("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert [a for a, _ in page.all("script")] == [{}]
    assert page.all("link") == page.all("img") == page.all("iframe") == page.all("form") == []
    names = {name for _, attrs in page.elements for name in attrs}
    assert not names & {"src", "srcset", "style"}
    assert not [name for name in names if name.startswith("on")]
    assert all(a["href"].startswith("#") for a, _ in page.all("a"))
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", html)


def test_the_page_is_structured_for_screen_readers(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    referenced_ids = {
        name for _, attrs in page.elements for name in attrs.get("aria-labelledby", "").split()
    }
    linked_ids = {a["href"][1:] for a, _ in page.all("a")}
    assert referenced_ids | linked_ids <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(level <= previous_level + 1 for previous_level, level in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(a.get("scope") in ("row", "col") for a, _ in page.all("th"))
    assert (
        len(page.all("figure")) == len(page.all("figcaption")) == len(page.all("svg")) == 2 * 4 + 1
    )


def test_the_same_evaluation_gives_the_same_bytes(html):
    repeated = evaluation(sentences(), people={"cod/stance": {"macro_f1": {"value": 0.4321}}})
    assert rendered(repeated) == html


def test_markup_in_data_is_escaped():
    pairs = list(
        sentences(MIN_ITEMS * 2, words=HOSTILE, corpus=HOSTILE, outlet=HOSTILE, date=HOSTILE)
    )
    for i, (record, prediction) in enumerate(pairs):
        hostile_fields = {
            "id": f"{HOSTILE}{i}",
            "doc_id": HOSTILE if i % 2 else str(i),
            "stances": [Stance(holder=HOSTILE, target=HOSTILE, label=HOSTILE)],
        }
        pairs[i] = (
            record.model_copy(update=hostile_fields),
            replace(prediction, stances=[{HOSTILE: 0.4, "b": 0.6}], kinds=["stance.topic"]),
        )
    evaluated = evaluation(
        pairs, replace(CONFIG, labels={**CONFIG.labels, "stance": (HOSTILE, "b")}), name=HOSTILE
    )
    evaluated.account["model"] |= {"version": HOSTILE, "sha256": HOSTILE}
    evaluated.account["data"] |= {"path": HOSTILE, "split": HOSTILE, "fingerprint": HOSTILE}
    html = rendered(evaluated)
    page = Page(html)
    assert html.count("<script") == 1
    assert "\u202e" not in html
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert "{{ 7*7 }}" in page.one("h1")
    assert page.one("body").count(visible(HOSTILE)) > 60
    assert visible(HOSTILE) in page.all("title")[0][1]


def test_a_task_without_errors_says_so():
    correct_pairs = [
        (record, prediction) for i, (record, prediction) in enumerate(sentences(9)) if i % 3
    ]
    evaluated = evaluation(correct_pairs, replace(CONFIG, tasks=("claim",)))
    assert "There is none." in words(Page(rendered(evaluated)))


def test_a_label_that_never_occurs_has_no_curve():
    pairs = [
        (record.model_copy(update={"check_worthy": "no"}), prediction)
        for record, prediction in sentences(8)
    ]
    evaluated = evaluation(pairs, replace(CONFIG, tasks=("check_worthy",)))
    page = Page(rendered(evaluated))
    assert len(page.all("svg")) == 2
    assert json.dumps(sections(evaluated)["cod/check_worthy"].matrix.shares[1]) == "[0.0, 0.0]"
