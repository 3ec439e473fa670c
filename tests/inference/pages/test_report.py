"""Test the HTML of the report: its figures, its messages where data are scarce, and its safety."""

import json

import pytest

from claimstance.inference.pages.charts.panels import Dot, Period, columns, dots, round_up
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
    """Return a function that gives the parsed page of a report on articles."""
    return lambda *articles, **budgets: Page(report_of(tmp_path, *articles, **budgets))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return Page(report_of(tmp_path_factory.mktemp("report"), *corpus()))


# Figures


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
    """Return the sentences at the head of the page."""
    ((_, text),) = page.all("ul", class_="glance")
    return [words(line) for line in text.strip().split("\n")]


def test_the_page_begins_with_the_most_frequent_sources_and_stances(page):
    assert glance(page) == [
        f"{DRAYCOTT} speaks most: 37 statements, 60 % of all with a named source",
        f"Who speaks most in each outlet: Herald: {SALT} (50 %); Tide: {DRAYCOTT} (100 %)",
        f"Most stances are on {ORVANE}: 18 for, 31 against",
        f"Most often against somebody: {SALT} against {ORVANE}, 24 stances in 16 articles; "
        f"then {DRAYCOTT} against {ORVANE} (7)",
        f"Most often for somebody: {DRAYCOTT} for {ORVANE}, 18 stances in 25 articles",
    ]


def test_a_source_that_leads_in_every_outlet_has_one_sentence(report):
    articles = []
    for n in range(2):
        articles.append(tagged(f"Herald{n}", [SALT, SALT], outlet="Herald"))
        articles.append(tagged(f"Tide{n}", [SALT, SALT, "Ann Lee", DRAYCOTT], outlet="Tide"))
    assert (
        f"The same in each outlet: {SALT} speaks most, from 50 % of the statements with a named source "
        "in Tide to 100 % in Herald"
    ) in glance(report(*articles))


def quoting(outlet, count, names):
    """Return articles of an outlet that quote some names in turn."""
    return [tagged(f"{outlet}{n}", [names[n % len(names)]], outlet=outlet) for n in range(count)]


def test_clear_differences_between_outlets_are_counted_and_named(report):
    names = [SALT, "Ann Lee", "Ann Lee", "Ann Lee"]
    sentence = glance(report(*quoting("Herald", 100, [SALT]), *quoting("Tide", 100, names)))[-1]
    assert sentence == (
        "Whom the outlets quote: 2 of 2 differences are clear: "
        f"Tide quotes {SALT} less (25 %, elsewhere 100 %); Tide quotes Ann Lee more (75 %, elsewhere 0 %)"
    )


def test_the_report_says_that_no_difference_is_clear(report):
    names = [SALT, "Ann Lee"]
    page = report(*quoting("Herald", 60, names), *quoting("Tide", 60, names))
    assert glance(page)[-1] == (
        "Whom the outlets quote: none of 4 differences between an outlet and all others, for the 2 names counted "
        "most, is clear. Chance could explain each; more articles may tell"
    )


def test_each_outlet_has_a_panel_over_time(page):
    panels = [attributes["aria-label"] for attributes, _ in page.all("svg", class_="panel")]
    assert "Herald: 50 statements from 1 May 2016 to 25 May 2016; most, 2, in 1 May 2016." in panels
    assert any(
        label.startswith("Herald: 25 for from 1 May") and "24 against" in label for label in panels
    )


def test_ids_are_unique_and_every_link_has_a_target(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = {attributes["href"] for attributes, _ in page.all("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert all(link.startswith(("#", "https://herald.example/")) for link in links)
    referenced_ids = {
        name
        for key in ("aria-labelledby", "aria-describedby", "for")
        for _, attributes in page.elements
        for name in attributes.get(key, "").split()
    }
    assert referenced_ids <= set(ids)


def test_the_data_of_the_script_have_all_sentences(page):
    data = json.loads(page.one("script", id="data"))
    assert data["outlets"] == ["Herald", "Tide"]
    assert len(data["said"]) == 50 + 12 + 25
    assert len(data["held"]) == 25 + 25 + 24
    assert sum(cell[4] for cell in data["cells"]) == 74
    assert {data["names"][cell[1]] for cell in data["cells"]} == {ORVANE, "Lissant"}


# Scarce data


def test_the_report_says_that_dates_and_outlets_are_missing(report):
    page = report(
        tagged("a", [SALT], [(SALT, ORVANE)]), tagged("b", [SALT, SALT], [(SALT, ORVANE)])
    )
    assert "No article has a date" in page.one("section", id="time")
    assert "No article has an outlet" in page.one("section", id="differ")
    assert "no article has an outlet" in page.one("div", class_="caution")
    assert rows(page, "sources") == [[SALT, "3", "2", "100 %"]]
    assert not page.all("svg", class_="panel")


@pytest.mark.parametrize("says", [[], [None]])
def test_one_article_without_results_has_a_report(report, says):
    page = report(tagged("a", says))
    assert page.one("p", class_="lead") == "1 article"
    assert "No statement with a named source" in page.one("section", id="speak")
    assert "No stance counts here" in page.one("section", id="stand")
    assert not page.all("ul", class_="glance")


def test_abstained_stances_are_counted_if_there_are_no_others(report):
    page = report(tagged(stances=[(SALT, ORVANE, "against", True)] * 3))
    assert "and abstained from 3" in words(page.one("section", id="stand"))


def test_columns_without_values_are_omitted(report, page):
    assert "text itself" in page.one("section", id="stand")
    assert "stances of the texts" in page.one("dl", class_="tiles")
    sparse_page = report(tagged("a", [SALT], [(SALT, ORVANE)], outlet="Tide"))
    assert "against: text itself" not in sparse_page.one("section", id="stand")
    assert "No stance of the texts themselves counts" in sparse_page.one("section", id="stand")
    assert "stances of the texts" not in sparse_page.one("dl", class_="tiles")


def test_uncertain_statements_are_counted(report, monkeypatch):
    assert "% sure" not in report(tagged(says=[SALT])).one("section", id="speak")
    for module in ("corpus.summary", "pages.report"):
        monkeypatch.setattr(f"claimstance.inference.{module}.UNSURE", 0.8)
    section = words(report(tagged(says=[SALT, DRAYCOTT])).one("section", id="speak"))
    assert "of 2 it is less than 80 % sure; stances, in contrast, count only" in section


def test_undated_articles_are_counted(report):
    page = report(*corpus(3), tagged("undated", [SALT]))
    assert "1 article has no date and is left out here." in page.one("section", id="time")


def test_custom_labels_are_shown(report):
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


def test_without_outlets_there_is_one_panel_for_all_articles(report):
    page = report(*(tagged(f"a{n}", [SALT] * n, date=f"2016-05-0{n}") for n in (1, 2)))
    panels = [attributes["aria-label"] for attributes, _ in page.all("svg", class_="panel")]
    assert panels[0].startswith("all articles: 3 statements from 1 May 2016")


# Error rates


def test_known_error_rates_of_the_model_are_quoted(report):
    trust = words(report(tagged(says=[SALT], model=BUNDLED)).one("section", id="trust"))
    error_rates = json.loads(
        (ROOT / "inference/pages/known_errors.json").read_text(encoding="utf-8")
    )[0]
    precision = error_rates["rows"]["default_precision"]
    assert (
        f"{precision['value']:.0f} in 100 ({precision['low']:.0f} to {precision['high']:.0f})"
        in trust
    )


def test_the_share_of_missed_stances_is_quoted_at_the_head_and_beside_stances(report):
    page = report(tagged(stances=[(SALT, ORVANE)], model=BUNDLED))
    for section in ("overview", "stand"):
        assert "of 100 that a careful reader would find, about" in page.one("section", id=section)
    assert "careful reader" not in report(tagged(stances=[(SALT, ORVANE)])).one(
        "section", id="stand"
    )


def test_error_rates_are_those_at_the_chosen_confidence(report):
    trust = words(
        report(tagged(stances=[(SALT, ORVANE)], model=BUNDLED)).one("section", id="trust")
    )
    assert "at the confidence from which they count here (50 %)" in trust
    error_rates = json.loads(
        (ROOT / "inference/pages/known_errors.json").read_text(encoding="utf-8")
    )[0]
    precision, recall = next(point[1:] for point in error_rates["curve"] if point[0] <= 0.5)
    assert f"{100 * precision:.0f} in 100" in trust
    assert f"{100 * recall:.0f} in 100" in trust


def test_no_error_rate_is_quoted_for_unknown_models(report):
    page = report(tagged(says=[SALT]))
    assert "No error rates are known for the model of these articles: made-up" in words(
        page.one("section", id="trust")
    )
    assert " in 100 " not in page.one("section", id="trust").replace("60 in 100", "")


def test_results_of_several_models_have_a_warning(report):
    page = report(tagged("a", [SALT], model=BUNDLED), tagged("b", [SALT, SALT]))
    assert "Several models tagged these articles" in page.one("section", id="trust")
    assert "2 models, whose figures do not compare" in page.one("div", class_="caution")


# Safety


@pytest.fixture
def hostile(report):
    first_article = tagged(
        HOSTILE,
        [(f"{HOSTILE} Salt", HOSTILE)],
        [(f"{HOSTILE} Salt", f"{HOSTILE} Orvane"), (None, f"{HOSTILE} Orvane")],
        title=HOSTILE,
        outlet=HOSTILE,
        url="javascript:alert(1)",
        date="2016-05-09",
        model={"name": HOSTILE, "version": HOSTILE, "sha256": HOSTILE},
    )
    second_article = tagged(
        "b", [(f"{HOSTILE} Lee", HOSTILE)], outlet=f"{HOSTILE} 2", date="2016-05-10"
    )
    return report(first_article, second_article)


def test_markup_in_articles_is_escaped(hostile):
    assert len(hostile.all("script")) == 2
    assert not hostile.all("img")
    escaped = HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\u202c", "⟨U+202C⟩")
    assert escaped in hostile.one("section", id="overview")
    data = json.loads(hostile.one("script", id="data"))
    assert data["articles"][0][0] == escaped
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
    """Check that the budget of sentences bounds the page, with long sentences of many sources."""
    initials = "BCDFGHKLMNPR"
    sentence = "the nets are empty, " * 12
    says = [(f"{first}a {last}berg", sentence + first) for first in initials for last in initials]
    articles = []
    for n in range(120):
        stances = [(name, f"Target{n}") for name, _ in says[:20]]
        date = f"20{n % 20 + 10}-05-09"
        articles.append(tagged(f"a{n}", says, stances, outlet=f"o{n % 40}", date=date))
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
    months = Period("month", ["2016-01-01", "2016-02-01", "2016-03-01"])
    svg = Page(str(columns("Tide", [0, 5, 10], months, "statements", 10)))
    heights = [float(attributes["height"]) for attributes, _ in svg.all("rect", class_="column")]
    assert len(heights) == 2
    assert heights[1] == pytest.approx(2 * heights[0])
    titles = [text for _, text in svg.all("title")]
    assert titles == ["Feb 2016: 5 statements", "Mar 2016: 10 statements"]


def test_dots_have_descriptions_and_shapes():
    outlets = [Dot("Tide", 0.2, (0.1, 0.3), True), Dot("Herald", 0.0, None, False)]
    svg = Page(str(dots("Salt", outlets, 2)))
    (attributes, _) = svg.all("svg")[0]
    assert (
        attributes["aria-label"]
        == "Salt: Tide 20\u00a0%, 10\u00a0% to 30\u00a0%, stands out; Herald 0\u00a0%, without an interval"
    )
    assert len(svg.all("circle", class_="filled")) == 1
    assert not svg.all("circle", class_="hollow")
