"""The page of an evaluation: its figures against those counted by hand, what it loads, and that text stays text."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from claimstance.model.pages.markup import visible
from claimstance.model.prediction import Prediction
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


def rendered(found):
    return "".join(evaluation_page(found))


@pytest.fixture(scope="module")
def found():
    return evaluation(sentences(), people={"cod/stance": {"macro_f1": {"value": 0.4321}}})


@pytest.fixture(scope="module")
def html(found):
    return rendered(found)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def sections(found):
    return {
        name: task_section(
            number, name, found.account, outcome, found.config, found.prediction_log[name]
        )
        for number, (name, outcome) in enumerate(found.outcomes.items(), 1)
    }


def words(page):
    return " ".join(page.one("main").split())


def test_it_says_what_was_evaluated(page):
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
    assert "43.2 %" in text.replace("\u00a0", " ")  # what people reach
    test = Page(rendered(evaluation(sentences(4), split="test")))
    assert test.all("div", class_="caution") == []
    assert "What training" not in words(test)


def test_baselines_stand_beside_the_figures_they_are_compared_with():
    baselines = {
        "majority": {"cod/stance": {"macro_f1": {"value": 0.1234}}},
        "words": {"cod/stance": {"macro_f1": {"value": 0.5678}}},
        "embeddings": {},
    }
    html = rendered(evaluation(sentences(), baselines=baselines)).replace("\u00a0", " ")
    glance = html[html.index('id="c-glance"') : html.index("What was evaluated")]
    header, *rows = re.findall(r"<tr>.*?</tr>", glance)
    names = re.findall(r"<th[^>]*>(.*?)</th>", header)
    assert names[5:8] == ["majority", "words", "embeddings"]
    [row] = [row for row in rows if "stance" in row]
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
    assert len(cells) == len(names)
    assert cells[5:8] == ["12.3 %", "56.8 %", ""]
    assert "Majority, words, embeddings:" in glance
    assert "majority" not in rendered(evaluation(sentences()))


def test_every_primary_figure_is_in_the_first_table_with_its_interval(found, page):
    rows = re.sub(r"\s+", " ", page.one("section", id="glance").replace("\u00a0", " "))
    for name, metric in (
        ("cod/claim", "macro_f1"),
        ("cod/attribution", "linked.f1"),
        ("cod/stance", "macro_f1"),
    ):
        figure = found.account["results"][name][metric]
        assert (
            f"{100 * figure['value']:.1f} %{100 * figure['low']:.1f} – {100 * figure['high']:.1f}"
            in rows
        )
        assert figure["low"] < figure["value"] < figure["high"]


def test_a_confusion_matrix_has_counts_and_shares_of_rows(found):
    # Every third answer is wrong, from the first on: of the 20 claims 7 (0, 6, 12 … 36), of the others 7 (3, 9 … 39).
    matrix = sections(found)["cod/claim"].matrix
    assert matrix.labels == ("no_claim", "claim")
    assert matrix.counts == [[13, 7], [7, 13]]
    assert matrix.shares == [[0.65, 0.35], [0.35, 0.65]]
    # From 0.4 on the answer is yes. Of the 30 that are not: 10 said with 0.55, and 35, 37 and 38, with 0.4 and more.
    assert sections(found)["cod/check_worthy"].matrix.counts == [[17, 13], [0, 10]]


def test_kinds_of_errors_are_summed_and_the_commonest_named(found, page):
    kinds = sections(found)["cod/attribution"].error_table
    # 14 of 40 sentences are wrong, in source and content alike.
    assert kinds.counts["source"] == {
        "right": 26,
        "boundary": 14,
        "other": 0,
        "missed": 0,
        "spurious": 0,
    }
    assert kinds.counts["content"] == {
        "right": 26,
        "boundary": 0,
        "other": 0,
        "missed": 14,
        "spurious": 0,
    }
    assert kinds.counts[LINKED] == {
        "right": 26,
        "boundary": 0,
        "other": 0,
        "missed": 14,
        "spurious": 14,
    }
    assert kinds.commonest == [("source", "boundary", 14), ("content", "missed", 14)]
    assert "The commonest errors: source with another boundary (14), content missed (14)." in words(
        page
    )
    assert sections(found)["cod/entity"].error_table.commonest == [("ORGANIZATION", "missed", 40)]


def test_the_worst_errors_come_first_and_no_text_twice():
    pairs = list(sentences(12))
    found = evaluation([*pairs, *pairs])
    cases = found.prediction_log["cod/stance"]
    worst = worst_answers(cases, 3)
    # The earlier, the surer: sentences 0, 3 and 6 of 0, 3, 6, 9; each is there twice.
    assert [it.sample.id for it in worst] == ["d0:0", "d1:3", "d3:6"]
    assert (worst[0].gold, worst[0].answers[0].label) == ("against", "favor")
    assert worst[0].answers[0].probabilities == pytest.approx(
        shares("favor", 0.95, ("against", "neutral", "favor"))
    )
    assert (worst[0].stance.holder, worst[0].stance.target) == ("Runa Salt", "the cod quota")
    spans = worst_sentences(found.prediction_log["cod/attribution"], 10)
    assert [it.expected.id for it in spans] == ["d0:0", "d1:3", "d3:6", "d4:9"]
    assert spans[0].predicted[0].errors == "content missed, source with another boundary"


def test_errors_in_words():
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


def test_parts_with_too_little_are_told_together():
    targets = ["quota"] * MIN_ITEMS + ["Orvane"] * (MIN_ITEMS - 1) + ["dam"] * 2
    found = evaluation(stances(targets), replace(CONFIG, tasks=("stance",)))
    groups = by_target(("against", "neutral", "favor"), found.prediction_log["data/stance"])
    (shown,), rest = groups.groups, groups.remainder
    assert (shown.name, shown.n, shown.documents, groups.n_others, rest.n) == (
        "quota",
        MIN_ITEMS,
        MIN_ITEMS,
        2,
        MIN_ITEMS + 1,
    )
    # Every other answer is right: favor has recall 1/2 and precision 1, against nothing; neutral does not occur.
    assert shown.figures["macro_f1"].value == pytest.approx((2 / 3 + 0) / 2)
    assert (
        shown.figures["macro_f1"].low
        < shown.figures["macro_f1"].value
        < shown.figures["macro_f1"].high
    )
    assert "2 others together" in words(Page(rendered(found)))


def test_only_so_many_parts_are_told_one_by_one():
    found = evaluation(
        stances([f"t{i % (MAX_GROUPS + 2):02}" for i in range(MIN_ITEMS * (MAX_GROUPS + 2))]),
        replace(CONFIG, tasks=("stance",)),
    )
    groups = by_target(("against", "neutral", "favor"), found.prediction_log["data/stance"])
    assert ([it.name for it in groups.groups], groups.n_others) == (
        [f"t{i:02}" for i in range(MAX_GROUPS)],
        2,
    )


def test_where_no_part_has_enough_none_is_told():
    found = evaluation(stances(["quota", "dam"]), replace(CONFIG, tasks=("stance",)))
    assert f"none of the 2 has {MIN_ITEMS} items" in words(Page(rendered(found)))
    assert by_outlet(found.outcomes["data/stance"], found.prediction_log["data/stance"]) is None


def test_outlets_are_of_whole_documents(found):
    pairs = list(stances(["quota"] * 70, "Sund Radio"))
    of = evaluation(
        [
            *pairs[:MIN_ITEMS],
            *(
                (r.model_copy(update={"meta": {"outlet": "The Post"}}), p)
                for r, p in pairs[MIN_ITEMS:]
            ),
        ],
        replace(CONFIG, tasks=("stance",)),
    )
    groups = by_outlet(of.outcomes["data/stance"], of.prediction_log["data/stance"])
    assert [(it.name, it.n) for it in groups.groups] == [("The Post", 40), ("Sund Radio", 30)]
    assert (groups.n_others, groups.remainder) == (0, None)


def test_pictures_say_what_they_show():
    sure = np.array([0.95, 0.9, 0.8, 0.6])
    run = PlottedRun(sure, np.array([True, True, False, True]), answered=sure > 0.85)
    risk = risk_plot("r", [run])
    # Half is above 0.85 and right; of all, one in four is wrong. The curve: 0, 0, 1/3, 1/4, each a quarter wide.
    assert risk.description == (
        "25.0 % wrong if all is answered, area under the curve 0.146; as the model withholds "
        "answers (the diamond) 50.0 % is answered and 0.0 % of that is wrong."
    )
    assert risk.rows[4] == ("50 %", "0.0 %")
    assert risk.rows[6] == ("70 %", "33.3 %")
    assert risk.rows[9] == ("100 %", "25.0 %")
    assert "withholds all" in risk_plot("r", [replace(run, answered=sure > 2)]).description
    assert "withholds" not in risk_plot("r", [replace(run, answered=None)]).description
    ranked = precision_recall_plot("p", [replace(run, threshold=0.6)])
    # At recalls 1/3, 2/3 and 1 the precision is 1, 1 and 3/4.
    assert ranked.description == (
        "Average precision 0.917; a ranking by chance has 0.750; decided for from 0.60 on (the "
        "diamond): precision 75.0 %, recall 100.0 %."
    )
    assert precision_recall_plot("p", [PlottedRun(sure, np.zeros(4, bool))]) is None
    sides = reliability_plot("s", [replace(run, name="A"), replace(run, name="B")])
    # Two in one bin of fifteen (0.933 to 1 has 0.95; 0.867 to 0.933 has 0.9): each alone, 0.05, 0.1, 0.8 and 0.4 off.
    assert sides.description.startswith("A: expected calibration error 0.338 (")
    assert "; B: expected calibration error 0.338 (" in sides.description
    assert sides.rows[0] == ("A", "60 % to 67 %", "1", "60.0 %", "100.0 %")


def drawings():
    sure, true = np.linspace(0.5, 1, 50), np.arange(50) % 3 > 0
    runs = [PlottedRun(sure, true, "A"), PlottedRun(sure, ~true, "B")]
    yield reliability_plot("a", runs[:1]).svg
    yield risk_plot("b", runs).svg
    yield precision_recall_plot("c", runs).svg
    yield differences_plot("d", [(0.1, -0.1, 0.2, False), (0.3, 0.2, 0.4, True)])


def test_drawings_are_the_same_each_time_and_have_the_pages_colours():
    assert list(drawings()) == list(drawings())
    for svg in drawings():
        assert not re.search(r"style|#[0-9a-fA-F]{6}|xlink|metadata|<script|font-family", svg)
        assert "stroke-first" in svg
    ids = [name for svg in drawings() for name in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in drawings():
        inside = set(re.findall(r' id="([^"]+)"', svg))
        assert set(re.findall(r'(?:href="#|url\(#)([\w-]+)', svg)) <= inside
        title, description = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', svg).groups()
        assert {title, description} <= inside


def test_the_page_loads_nothing_and_runs_its_own_script_alone(html, page):
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


def test_the_page_is_in_order_for_those_who_hear_it(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    named = {
        name for _, attrs in page.elements for name in attrs.get("aria-labelledby", "").split()
    }
    assert named | {a["href"][1:] for a, _ in page.all("a")} <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(a.get("scope") in ("row", "col") for a, _ in page.all("th"))
    assert (
        len(page.all("figure")) == len(page.all("figcaption")) == len(page.all("svg")) == 2 * 4 + 1
    )


def test_same_evaluation_same_bytes(html):
    again = evaluation(sentences(), people={"cod/stance": {"macro_f1": {"value": 0.4321}}})
    assert rendered(again) == html


def test_hostile_text_stays_text():
    pairs = [
        (
            record.model_copy(
                update={
                    "id": f"{HOSTILE}{i}",
                    "doc_id": HOSTILE if i % 2 else str(i),
                    "stances": [Stance(holder=HOSTILE, target=HOSTILE, label=HOSTILE)],
                }
            ),
            replace(prediction, stances=[{HOSTILE: 0.4, "b": 0.6}], kinds=["stance.topic"]),
        )
        for i, (record, prediction) in enumerate(
            sentences(MIN_ITEMS * 2, words=HOSTILE, corpus=HOSTILE, outlet=HOSTILE, date=HOSTILE)
        )
    ]
    found = evaluation(
        pairs, replace(CONFIG, labels={**CONFIG.labels, "stance": (HOSTILE, "b")}), name=HOSTILE
    )
    found.account["model"] |= {"version": HOSTILE, "sha256": HOSTILE}
    found.account["data"] |= {"path": HOSTILE, "split": HOSTILE, "fingerprint": HOSTILE}
    html = rendered(found)
    page = Page(html)
    assert html.count("<script") == 1
    assert "\u202e" not in html
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert "{{ 7*7 }}" in page.one("h1")
    assert page.one("body").count(visible(HOSTILE)) > 60
    assert visible(HOSTILE) in page.all("title")[0][1]


def test_a_task_without_any_error_says_so():
    right = [(record, prediction) for i, (record, prediction) in enumerate(sentences(9)) if i % 3]
    found = evaluation(right, replace(CONFIG, tasks=("claim",)))
    assert "There is none." in words(Page(rendered(found)))


def test_a_label_that_never_occurs_has_no_curve_and_breaks_nothing():
    pairs = [
        (record.model_copy(update={"check_worthy": "no"}), prediction)
        for record, prediction in sentences(8)
    ]
    found = evaluation(pairs, replace(CONFIG, tasks=("check_worthy",)))
    page = Page(rendered(found))
    assert len(page.all("svg")) == 2
    assert json.dumps(sections(found)["cod/check_worthy"].matrix.shares[1]) == "[0.0, 0.0]"
