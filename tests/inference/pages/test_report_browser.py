"""Test a report in a browser: sorting, filters, sentences, search and saved files, by keyboard, without scripts and on paper.

Skipped where there is no Chromium (Debian: ``apt-get install chromium``) or no Playwright (the extra ``dev``).
"""

import csv
import io
import re
from pathlib import Path

import pytest

from helpers.reports import DRAYCOTT, ORVANE, SALT, corpus, report_of
from helpers.results import tagged

pytestmark = pytest.mark.slow
MANY_NAMES = [f"{first}a {last}berg" for first in "BDFKLM" for last in "BDFKLM"]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    return report_of(tmp_path_factory.mktemp("report"), *corpus())


@pytest.fixture
def page(open_page, html):
    return open_page(html)


def column(page, name, number):
    """Return the texts of a column in the visible rows of a table."""
    cells = page.locator(f"table[data-save={name}] tbody tr:visible > :nth-child({number})")
    return [text.replace("\n", "") for text in cells.all_inner_texts()]


def saved(page, button):
    """Return the file that a button saves, as (name, content)."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


# Tables


def test_a_table_is_sorted_by_any_column(page):
    assert column(page, "sources", 1) == [DRAYCOTT, SALT]
    head = page.locator("table[data-save=sources] th", has_text="share of words")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "sources", 1) == [SALT, DRAYCOTT]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, "sources", 1) == [DRAYCOTT, SALT]
    page.locator("table[data-save=sources] th").first.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert column(page, "sources", 1) == [DRAYCOTT, SALT]


def test_a_long_table_is_cut_until_the_reader_expands_it(open_page, tmp_path):
    page = open_page(report_of(tmp_path, tagged(says=MANY_NAMES)))
    assert len(column(page, "sources", 1)) == 20
    page.get_by_role("button", name="Show all 36 rows").click()
    assert len(column(page, "sources", 1)) == 36
    page.get_by_role("button", name="Show the first 20 rows").click()
    assert len(column(page, "sources", 1)) == 20


def test_a_table_is_saved_as_csv_with_all_rows_and_no_formulas(open_page, tmp_path):
    names = ["=1+1 Salt", *MANY_NAMES]
    page = open_page(report_of(tmp_path, tagged(says=names, outlet="Tide")))
    name, content = saved(page, page.get_by_role("button", name="Save as CSV: Sources"))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert name == "sources.csv"
    assert rows[0][:3] == ["source", "statements", "articles"]
    assert len(rows) == 38
    assert "'=1+1 Salt" in [row[0] for row in rows]
    assert {row[1] for row in rows[1:]} == {"1"}


# Sentences


def dialog(page):
    return page.locator("#dialog")


def test_a_number_opens_its_sentences_and_escape_returns(page):
    opener = page.locator("table[data-save=pairs] button", has_text="−24")
    opener.focus()
    page.keyboard.press("Enter")
    assert dialog(page).is_visible()
    assert page.locator("#h-dialog").inner_text() == f"{SALT} − against {ORVANE}"
    assert page.locator("#d-note").inner_text() == "24 sentences, most confident first."
    first = page.locator("#d-list > li").first
    assert first.locator("blockquote").inner_text() == "Runa Salt judges Orvane."
    assert "50\u00a0% sure" in first.inner_text()
    assert first.locator("a").get_attribute("href").startswith("https://herald.example/")
    assert "Herald, 2016-05-" in first.inner_text()
    page.keyboard.press("Escape")
    assert dialog(page).is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "−24"


def test_a_source_opens_its_statements_which_can_be_saved(page):
    page.get_by_role("button", name=f"37 statements of {DRAYCOTT}").click()
    assert page.locator("#d-list > li").count() == 37
    name, content = saved(page, page.locator("#d-save"))
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert (name, len(rows)) == ("sentences.csv", 38)
    assert {row[6] for row in rows[1:]} == {DRAYCOTT}
    page.locator("#d-close").click()
    assert dialog(page).is_hidden()


def test_an_outlet_sorts_the_sources_whose_counts_open_statements(page):
    page.get_by_role(
        "button", name="12 statements with a named source in Tide: its sources"
    ).click()
    head = page.locator("table[data-save=sources] th", has_text="Tide")
    assert head.get_attribute("aria-sort") == "descending"
    assert page.evaluate("document.activeElement.textContent") == "Tide"
    assert column(page, "sources", 1) == [DRAYCOTT, SALT]
    page.get_by_role("button", name=f"12 statements of {DRAYCOTT} in Tide").click()
    assert page.locator("#h-dialog").inner_text() == f"Statements of {DRAYCOTT} in Tide"
    assert page.locator("#d-list > li").count() == 12
    assert all("Tide" in text for text in page.locator("#d-list > li").all_inner_texts())


def test_the_note_counts_the_sentences_beyond_the_budget(open_page, tmp_path):
    page = open_page(report_of(tmp_path, *corpus(), budget=9000, budget_of_stances=4500))
    page.locator("table[data-save=pairs] button", has_text="−24").click()
    count = page.locator("#d-list > li").count()
    assert 0 < count < 24
    assert (
        page.locator("#d-note").inner_text()
        == f"{count} of 24 sentences are in this page, most confident first."
    )


# The matrix


def matrix(page):
    return [row.split("\t") for row in page.locator("#matrix tbody tr").all_inner_texts()]


def names(page):
    return [row[0].strip() for row in matrix(page)]


def test_the_matrix_is_filtered_and_ordered(page):
    assert names(page) == ["the text itself", DRAYCOTT, SALT]
    page.select_option("#m-outlet", label="Tide")
    assert names(page) == [DRAYCOTT]
    assert page.locator("#m-status").inner_text() == "1 of 1 sources and 1 of 1 targets shown"
    page.select_option("#m-outlet", label="all")
    page.fill("#m-who", "sált")
    assert names(page) == [SALT]
    page.fill("#m-who", "")
    page.fill("#m-whom", "liss")
    assert names(page) == ["the text itself"]
    page.fill("#m-whom", "")
    page.select_option("#m-sort", label="most against")
    assert names(page)[0] == SALT
    page.select_option("#m-sort", label="by name")
    assert names(page) == [DRAYCOTT, SALT, "the text itself"]
    head = page.locator("#matrix thead th", has_text="Lissant")
    head.get_by_role("button").click()
    assert names(page)[0] == "the text itself"
    assert head.get_attribute("aria-sort") == "descending"
    assert page.evaluate("document.activeElement.textContent") == "Lissant"


def test_the_script_shows_the_same_matrix_as_the_page_without_it(open_page, tmp_path):
    stances = []
    for n, name in enumerate(MANY_NAMES):
        stances += [(name, f"Target{n % 20}")] * (n % 5 + 1)
    stances.append((MANY_NAMES[0], "Orvane", "against"))
    html = report_of(tmp_path, tagged(stances=stances * 2))
    scriptless_text = open_page(html, java_script_enabled=False).locator("#matrix").inner_text()
    page = open_page(html)
    assert page.locator("#matrix").inner_text().split() == scriptless_text.split()
    assert page.locator("#m-status").inner_text() == ("28 of 36 sources and 16 of 21 targets shown")


def test_a_row_has_its_total_of_all_targets(page):
    assert matrix(page)[1][1:3] == ["+18 −7", "+18−7"]


def test_a_cell_opens_the_sentences_of_the_chosen_outlet(page):
    page.select_option("#m-outlet", label="Tide")
    page.locator("#matrix tbody button", has_text="+18").click()
    assert page.locator("#d-list > li").count() == 18
    assert all("Tide" in text for text in page.locator("#d-list > li").all_inner_texts())


# Search


def wait_for_status(page, text):
    page.locator("#q-status", has_text=re.compile(f"^{text}$")).wait_for()


def test_search_finds_words_by_their_beginning(page):
    page.fill("#q", "empty day 1")
    wait_for_status(page, "11 sentences")
    first = page.locator("#found > li").first
    assert first.locator("blockquote mark").all_inner_texts() == ["day", "1", "empty"]
    page.fill("#q", "mpty")
    wait_for_status(page, "0 sentences")
    page.fill("#q", "orvane")
    wait_for_status(page, "49 sentences")
    assert page.locator("#found > li").count() == 30
    page.locator("#q-more").click()
    assert page.locator("#found > li").count() == 49
    page.select_option("#q-outlet", label="Tide")
    assert page.locator("#q-status").inner_text() == "25 sentences"
    page.select_option("#q-kind", label="statements")
    assert page.locator("#q-status").inner_text() == "0 sentences"


def test_words_in_the_title_of_an_article_are_marked(page):
    page.fill("#q", "cod talks 7")
    wait_for_status(page, "4 sentences")
    marks = page.locator("#found > li").first.locator(".place mark")
    assert marks.all_inner_texts() == ["Cod", "Talks", "7"]


def test_uncertain_statements_have_a_note(open_page, tmp_path, monkeypatch):
    article = tagged(says=[SALT])
    page = open_page(report_of(tmp_path, article))
    page.get_by_role("button", name=f"1 statements of {SALT}").click()
    assert "unsure" not in page.locator("#d-list").inner_text()
    monkeypatch.setattr("claimstance.inference.pages.report.UNSURE", 0.8)
    page = open_page(report_of(tmp_path, article))
    page.get_by_role("button", name=f"1 statements of {SALT}").click()
    assert "75\u00a0% sure (the model is unsure here)" in page.locator("#d-list").inner_text()


def test_sentences_count_from_one_and_headlines_have_a_note(open_page, tmp_path):
    article = tagged(says=[SALT, DRAYCOTT], title="Runa Salt said all is well", outlet="Tide")
    page = open_page(report_of(tmp_path, article))
    page.fill("#q", "said")
    page.locator("#found > li").first.wait_for()
    locations = page.locator("#found .place").all_inner_texts()
    assert sorted(locations) == [
        "Runa Salt said all is well, Tide, headline",
        "Runa Salt said all is well, Tide, sentence 2",
    ]


def test_the_sentences_of_all_sources_on_a_target_have_a_title(page):
    page.get_by_role("button", name=f"−31: all sources against {ORVANE}").click()
    assert page.locator("#h-dialog").inner_text() == f"All sources − against {ORVANE}"


# Charts


def test_a_chart_is_saved_as_svg_and_png(page):
    name, content = saved(
        page, page.get_by_role("button", name="Save as SVG: Stances in each outlet")
    )
    text = content.decode()
    assert name == "stances.svg"
    assert text.startswith("<svg xmlns=")
    assert "Stances in each outlet" in text
    assert "class=" not in text
    assert text.count("viewBox") == 3
    assert "rgb(10, 106, 92)" in text  # the light colour of favor
    name, content = saved(
        page, page.get_by_role("button", name="Save as PNG: Stances in each outlet")
    )
    assert (name, content[:8]) == ("stances.png", b"\x89PNG\r\n\x1a\n")


def test_a_dark_page_saves_light_charts_and_stays_dark(open_page, html):
    page = open_page(html, color_scheme="dark")
    _, content = saved(page, page.get_by_role("button", name="Save as SVG: Stances in each outlet"))
    assert "rgb(10, 106, 92)" in content.decode()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"


# No scripts, small windows, paper and accessibility


def test_tables_and_charts_need_no_script(open_page, html):
    page = open_page(html, java_script_enabled=False)
    assert column(page, "sources", 1) == [DRAYCOTT, SALT]
    assert names(page) == ["the text itself", DRAYCOTT, SALT]
    assert page.locator("svg.panel").first.is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.locator("#search").is_hidden()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_is_no_wider_than_the_window(open_page, html, width):
    page = open_page(html, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_there_are_no_buttons(page):
    page.emulate_media(media="print")
    assert page.locator("button:visible:not(.count, .said, .sort)").count() == 0
    assert page.locator("#search").is_hidden()
    assert page.locator("svg.panel").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["read", "open", "found", "little"])
def test_axe_finds_nothing_wrong(open_page, complaints, html, tmp_path, scheme, state):
    content = report_of(tmp_path, tagged()) if state == "little" else html
    page = open_page(content, color_scheme=scheme, bypass_csp=True)  # see complaints
    if state == "open":
        page.locator("table[data-save=pairs] button", has_text="−24").click()
    elif state == "found":
        page.fill("#q", "orvane")
        page.locator("#found > li").first.wait_for()
        for summary in page.locator("summary").all():
            summary.click()
    assert complaints(page) == []
