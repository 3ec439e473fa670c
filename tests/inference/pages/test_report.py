"""The report as HTML: what it shows, what it says where there is little, and what it must not do."""

import json

import pytest

from claimstance.inference.pages.charts import Dot, Period, columns, dots, round_up
from claimstance.model.onnx.backend import model_sha256
from helpers.pages import Page, assert_loads_nothing
from helpers.program import ROOT
from helpers.reports import DRAYCOTT, ORVANE, SALT, corpus, report_of, rows, words
from helpers.results import tagged

HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(1)> \u202eevil\u202c & "q"'
BUNDLED = {
    "name": "claimstance-minilm",
    "version": "2.0",
    "sha256": model_sha256(ROOT / "model/bundled/small"),
}


@pytest.fixture
def report(tmp_path):
    """Returns the page of a report on articles, taken apart."""
    return lambda *articles, **budgets: Page(report_of(tmp_path, *articles, **budgets))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return Page(report_of(tmp_path_factory.mktemp("report"), *corpus()))


# What it shows


def test_sources_are_counted_overall_and_in_each_outlet(page):
    assert [row[:3] + row[4:] for row in rows(page, "sources")] == [
        [DRAYCOTT, "37", "37", "25", "12"],
        [SALT, "25", "25", "25", "–"],
    ]


def test_targets_and_pairs_are_counted_by_side(page):
    assert [row[:4] for row in rows(page, "targets")] == [
        [ORVANE, "+18", "−31", "41"],
        ["Lissant", "+25", "–", "25"],
    ]
    assert [row[:5] for row in rows(page, "pairs")] == [
        [DRAYCOTT, ORVANE, "+18", "−7", "25"],
        [SALT, ORVANE, "–", "−24", "16"],
    ]
    assert "Runa Salt judges Orvane." in rows(page, "pairs")[1][5]


def test_the_matrix_has_sources_and_the_text_itself(page):
    assert rows(page, "matrix", "id") == [
        ["the text itself", "+25", "", "+25"],
        [DRAYCOTT, "+18 −7", "+18−7", ""],
        [SALT, "−24", "−24", ""],
    ]


def glance(page):
    """The sentences at the head of the page."""
    ((_, text),) = page.all("ul", class_="glance")
    return [words(line) for line in text.strip().split("\n")]


def test_what_stands_out_is_told_first(page):
    assert glance(page) == [
        f"{DRAYCOTT} speaks most: 37 statements, 60 % of all with a named source",
        f"Who speaks most in each outlet: Herald: {SALT} (50 %); Tide: {DRAYCOTT} (100 %)",
        f"Most stances are on {ORVANE}: 18 for, 31 against",
        f"Most often against somebody: {SALT} against {ORVANE}, 24 stances in 16 articles; "
        f"then {DRAYCOTT} against {ORVANE} (7)",
        f"Most often for somebody: {DRAYCOTT} for {ORVANE}, 18 stances in 25 articles",
    ]


def test_who_speaks_most_everywhere_is_told_once(report):
    articles = [
        tagged(f"{outlet}{n}", [SALT, SALT, *others], outlet=outlet)
        for outlet, others in (("Herald", []), ("Tide", ["Ann Lee", DRAYCOTT]))
        for n in range(2)
    ]
    assert (
        f"The same in each outlet: {SALT} speaks most, from 50 % of the statements with a named source "
        "in Tide to 100 % in Herald"
    ) in glance(report(*articles))


def quoting(outlet, count, names):
    """Articles of an outlet, each of which quotes one of some names in turn."""
    return [tagged(f"{outlet}{n}", [names[n % len(names)]], outlet=outlet) for n in range(count)]


def test_clear_differences_are_counted_and_told(report):
    usual = [SALT, "Ann Lee", "Ann Lee", "Ann Lee"]
    differ = glance(report(*quoting("Herald", 100, [SALT]), *quoting("Tide", 100, usual)))[-1]
    assert differ == (
        "Whom the outlets quote: 2 of 2 differences are clear: "
        f"Tide quotes {SALT} less (25 %, elsewhere 100 %); Tide quotes Ann Lee more (75 %, elsewhere 0 %)"
    )


def test_no_clear_difference_is_told(report):
    alike = [SALT, "Ann Lee"]
    page = report(*quoting("Herald", 60, alike), *quoting("Tide", 60, alike))
    assert glance(page)[-1] == (
        "Whom the outlets quote: none of 4 differences between an outlet and all others, for the 2 names counted "
        "most, is clear. Chance could explain each; more articles may tell"
    )


def test_there_is_a_panel_for_each_outlet_over_time(page):
    panels = [given["aria-label"] for given, _ in page.all("svg", class_="panel")]
    assert "Herald: 50 statements from 1 May 2016 to 25 May 2016; most, 2, in 1 May 2016." in panels
    assert any(
        label.startswith("Herald: 25 for from 1 May") and "24 against" in label for label in panels
    )


def test_every_id_is_unique_and_every_link_leads_somewhere(page):
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(set(ids)) == len(ids)
    links = {given["href"] for given, _ in page.all("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(link.startswith(("#", "https://herald.example/")) for link in links)
    named = {
        name
        for key in ("aria-labelledby", "aria-describedby", "for")
        for _, given in page.elements
        for name in given.get(key, "").split()
    }
    assert named <= set(ids)


def test_the_script_knows_the_sentences(page):
    data = json.loads(page.one("script", id="data"))
    assert data["outlets"] == ["Herald", "Tide"]
    assert len(data["said"]) == 50 + 12 + 25
    assert len(data["held"]) == 25 + 25 + 24
    assert sum(cell[4] for cell in data["cells"]) == 74
    assert {data["names"][cell[1]] for cell in data["cells"]} == {ORVANE, "Lissant"}


# Where there is little


def test_without_dates_and_outlets_it_says_so(report):
    page = report(
        tagged("a", [SALT], [(SALT, ORVANE)]), tagged("b", [SALT, SALT], [(SALT, ORVANE)])
    )
    assert "No article has a date" in page.one("section", id="time")
    assert "No article has an outlet" in page.one("section", id="differ")
    assert "no article has an outlet" in page.one("div", class_="caution")
    assert rows(page, "sources") == [[SALT, "3", "2", "100 %"]]
    assert not page.all("svg", class_="panel")


@pytest.mark.parametrize("says", [[], [None]])
def test_one_article_without_a_finding(report, says):
    page = report(tagged("a", says))
    assert page.one("p", class_="lead") == "1 article"
    assert "No statement with a named source" in page.one("section", id="speak")
    assert "No stance counts here" in page.one("section", id="stand")
    assert not page.all("ul", class_="glance")


def test_abstained_stances_are_told_where_none_counts(report):
    page = report(tagged(stances=[(SALT, ORVANE, "against", True)] * 3))
    assert "and abstained from 3" in words(page.one("section", id="stand"))


def test_columns_that_no_article_fills_are_left_out(report, page):
    assert "text itself" in page.one("section", id="stand")
    assert "stances of the texts" in page.one("dl", class_="tiles")
    without = report(tagged("a", [SALT], [(SALT, ORVANE)], outlet="Tide"))
    assert "against: text itself" not in without.one("section", id="stand")
    assert "No stance of the texts themselves counts" in without.one("section", id="stand")
    assert "stances of the texts" not in without.one("dl", class_="tiles")


def test_statements_that_the_model_is_unsure_of_are_told(report, monkeypatch):
    assert "% sure" not in report(tagged(says=[SALT])).one("section", id="speak")
    for module in ("corpus.summary", "pages.report"):
        monkeypatch.setattr(f"claimstance.inference.{module}.UNSURE", 0.8)
    told = words(report(tagged(says=[SALT, DRAYCOTT])).one("section", id="speak"))
    assert "of 2 it is less than 80 % sure; stances, in contrast, count only" in told


def test_undated_articles_are_told(report):
    page = report(*corpus(3), tagged("undated", [SALT]))
    assert "1 article has no date and is left out here." in page.one("section", id="time")


def test_labels_of_a_models_own_are_shown(report):
    page = report(
        *(
            tagged(f"a{n}", stances=[(SALT, ORVANE, "worried")], date=f"2016-05-0{n}")
            for n in (1, 2)
        )
    )
    assert rows(page, "pairs")[0][:3] == [SALT, ORVANE, "①2"]
    assert "worried" in page.one("ul", class_="key")


def test_few_articles_of_an_outlet_are_not_compared(report):
    page = report(*corpus(3))
    assert "No outlet can be compared" in page.one("section", id="differ")


def test_without_outlets_there_is_one_course(report):
    page = report(*(tagged(f"a{n}", [SALT] * n, date=f"2016-05-0{n}") for n in (1, 2)))
    panels = [given["aria-label"] for given, _ in page.all("svg", class_="panel")]
    assert panels[0].startswith("all articles: 3 statements from 1 May 2016")


# How far to trust it


def test_error_rates_are_told_of_the_model_that_has_them(report):
    trust = words(report(tagged(says=[SALT], model=BUNDLED)).one("section", id="trust"))
    known = json.loads((ROOT / "inference/pages/known_errors.json").read_text(encoding="utf-8"))[0]
    precision = known["rows"]["default_precision"]
    assert (
        f"{precision['value']:.0f} in 100 ({precision['low']:.0f} to {precision['high']:.0f})"
        in trust
    )


def test_how_many_stances_are_missed_is_told_at_the_head_and_beside_the_stances(report):
    page = report(tagged(stances=[(SALT, ORVANE)], model=BUNDLED))
    for section in ("overview", "stand"):
        assert "of 100 that a careful reader would find, about" in page.one("section", id=section)
    assert "careful reader" not in report(tagged(stances=[(SALT, ORVANE)])).one(
        "section", id="stand"
    )


def test_rates_at_a_lower_confidence_are_those_measured_there(report):
    trust = words(
        report(tagged(stances=[(SALT, ORVANE)], model=BUNDLED)).one("section", id="trust")
    )
    assert "at the confidence from which they count here (50 %)" in trust
    known = json.loads((ROOT / "inference/pages/known_errors.json").read_text(encoding="utf-8"))[0]
    precision, recall = next(point[1:] for point in known["curve"] if point[0] <= 0.5)
    assert f"{100 * precision:.0f} in 100" in trust
    assert f"{100 * recall:.0f} in 100" in trust


def test_no_rate_is_told_of_other_models(report):
    page = report(tagged(says=[SALT]))
    assert "No error rates are known for the model of these articles: made-up" in words(
        page.one("section", id="trust")
    )
    assert " in 100 " not in page.one("section", id="trust").replace("60 in 100", "")


def test_several_models_are_told(report):
    page = report(tagged("a", [SALT], model=BUNDLED), tagged("b", [SALT, SALT]))
    assert "Several models tagged these articles" in page.one("section", id="trust")
    assert "2 models, whose figures do not compare" in page.one("div", class_="caution")


# What it must not do


@pytest.fixture
def hostile(report):
    article = tagged(
        HOSTILE,
        [(f"{HOSTILE} Salt", HOSTILE)],
        [(f"{HOSTILE} Salt", f"{HOSTILE} Orvane"), (None, f"{HOSTILE} Orvane")],
        title=HOSTILE,
        outlet=HOSTILE,
        url="javascript:alert(1)",
        date="2016-05-09",
        model={"name": HOSTILE, "version": HOSTILE, "sha256": HOSTILE},
    )
    other = tagged("b", [(f"{HOSTILE} Lee", HOSTILE)], outlet=f"{HOSTILE} 2", date="2016-05-10")
    return report(article, other)


def test_what_articles_hold_stays_text(hostile):
    assert len(hostile.all("script")) == 2
    assert not hostile.all("img")
    shown = HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\u202c", "⟨U+202C⟩")
    assert shown in hostile.one("section", id="overview")
    data = json.loads(hostile.one("script", id="data"))
    assert data["articles"][0][0] == shown
    assert data["articles"][0][5] == ""
    html = "".join(text for _, text in hostile.all("html"))
    assert "\u202e" not in html


@pytest.mark.parametrize("kind", ["page", "hostile"])
def test_the_policy_allows_the_pages_own_style_and_script_and_no_more(kind, request):
    assert_loads_nothing(request.getfixturevalue(kind))


def test_the_same_articles_give_the_same_bytes(tmp_path):
    assert report_of(tmp_path, *corpus(4)) == report_of(tmp_path, *corpus(4))


@pytest.mark.slow
def test_the_page_stays_small(tmp_path):
    """Long sentences of many sources: the budget of the sentences bounds the page."""
    says = [
        (f"{first}a {last}berg", "the nets are empty, " * 12 + first)
        for first in "BCDFGHKLMNPR"
        for last in "BCDFGHKLMNPR"
    ]
    articles = [
        tagged(
            f"a{n}",
            says,
            [(name, f"Target{n}") for name, _ in says[:20]],
            outlet=f"o{n % 40}",
            date=f"20{n % 20 + 10}-05-09",
        )
        for n in range(120)
    ]
    html = report_of(tmp_path, *articles)
    assert 5_000_000 < len(html.encode()) < 10_000_000
    page = Page(html)
    assert "are in this page" in page.one("section", id="search")
    assert len(rows(page, "sources")) <= 300


# Charts


def test_a_scale_ends_at_a_round_number():
    assert [round_up(value) for value in (0, 1, 9, 11, 61, 0.13, 0.5, 1e6)] == [
        1,
        1,
        9,
        20,
        70,
        0.2,
        0.5,
        1000000,
    ]


def test_a_column_is_as_high_as_its_count():
    svg = Page(
        str(
            columns(
                "Tide",
                [0, 5, 10],
                Period("month", ["2016-01-01", "2016-02-01", "2016-03-01"]),
                "statements",
                10,
            )
        )
    )
    heights = [float(given["height"]) for given, _ in svg.all("rect", class_="column")]
    assert len(heights) == 2
    assert heights[1] == pytest.approx(2 * heights[0])
    titles = [text for _, text in svg.all("title")]
    assert titles == ["Feb 2016: 5 statements", "Mar 2016: 10 statements"]


def test_dots_are_told_in_words_and_shapes():
    svg = Page(
        str(dots("Salt", [Dot("Tide", 0.2, (0.1, 0.3), True), Dot("Herald", 0.0, None, False)], 2))
    )
    (given, _) = svg.all("svg")[0]
    assert (
        given["aria-label"]
        == "Salt: Tide 20\u00a0%, 10\u00a0% to 30\u00a0%, stands out; Herald 0\u00a0%, without an interval"
    )
    assert len(svg.all("circle", class_="filled")) == 1
    assert not svg.all("circle", class_="hollow")
