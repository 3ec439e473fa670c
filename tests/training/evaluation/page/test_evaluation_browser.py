"""Test the pages of evaluations in a browser: no errors or requests, light and dark, on paper, and accessible."""

import pytest

from claimstance.training.evaluation.counts import OUTCOMES_FILE, write_outcomes
from claimstance.training.evaluation.page.comparison import comparison_page
from claimstance.training.evaluation.page.page import evaluation_page
from claimstance.training.evaluation.prediction_log import PREDICTION_LOG_FILE, write_prediction_log
from claimstance.training.evaluation.significance import compare
from helpers.evaluations import HOSTILE, evaluation, sentences

pytestmark = pytest.mark.slow
pytest.importorskip("matplotlib", reason="needs matplotlib")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the HTML of each kind of page."""
    folders = []
    for odd in (3, 5):
        evaluated = evaluation(sentences(60, odd))
        folders.append(tmp_path_factory.mktemp("scores"))
        with (folders[-1] / OUTCOMES_FILE).open("w", encoding="utf-8") as file:
            write_outcomes(
                evaluated.outcomes,
                {key: evaluated.account[key] for key in ("date", "model", "data")},
                file,
            )
        with (folders[-1] / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
            write_prediction_log(evaluated.prediction_log, file)
    return {
        "evaluation": "".join(evaluation_page(evaluated)),
        "comparison": "".join(comparison_page(compare(*folders, resamples=100), *folders)),
    }


def colour(page, selector, style_property="stroke"):
    return page.locator(selector).first.evaluate(
        f"element => getComputedStyle(element).{style_property}"
    )


@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_drawings_have_the_colours_of_the_page_light_and_dark(pages, open_page, kind):
    page = open_page(pages[kind])
    light = [colour(page, ".plot .stroke-first"), colour(page, "body", "backgroundColor")]
    page.locator("#theme").click()
    dark = [colour(page, ".plot .stroke-first"), colour(page, "body", "backgroundColor")]
    assert light != dark
    assert "rgb(0, 0, 4)" not in (*light, *dark)  # the placeholder that matplotlib gets
    dark_page = open_page(pages[kind], color_scheme="dark")
    assert dark == [
        colour(dark_page, ".plot .stroke-first"),
        colour(dark_page, "body", "backgroundColor"),
    ]


def test_cells_with_greater_shares_are_darker(pages, open_page):
    page = open_page(pages["evaluation"])
    cells = page.locator("#t3 .matrix tbody tr").first.locator("td")
    backgrounds = cells.evaluate_all(
        "elements => elements.map(element => getComputedStyle(element).backgroundColor)"
    )
    assert len(set(backgrounds)) == 3  # most, few, and the sum, which has no colour
    assert "right" in cells.first.get_attribute("class")


def test_the_keyboard_opens_a_task_and_its_numbers(pages, open_page):
    page = open_page(pages["evaluation"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.locator("nav a", has_text="cod: stance").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "t5"
    numbers = page.locator("#t5 figure details").first
    assert not numbers.locator("table").is_visible()
    numbers.locator("summary").focus()
    page.keyboard.press("Enter")
    assert numbers.locator("tbody tr").first.is_visible()


@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_on_a_phone_nothing_is_wider_than_the_screen(pages, open_page, kind):
    page = open_page(pages[kind], width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_all_errors_are_shown_without_scripts_and_on_paper(pages, open_page, kind):
    page = open_page(pages[kind], java_script_enabled=False)
    assert not page.locator("#theme").is_visible()
    page.emulate_media(media="print")
    for details in page.locator("details:has(.worst)").all():
        assert details.evaluate("element => element.getBoundingClientRect().height") > 100
    assert not page.locator("nav").is_visible()


def test_markup_in_a_sentence_never_runs(open_page):
    hostile = HOSTILE + '<img src=x onerror="document.title = 1">'
    page = open_page(
        "".join(
            evaluation_page(evaluation(sentences(9, words=hostile, corpus=hostile), name="safe"))
        )
    )
    assert page.title() == "Evaluation of safe"
    assert page.locator("img").count() == 0
    assert "<img src=x" in page.locator(".worst .text").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_axe_finds_nothing_wrong(pages, open_page, complaints, kind, scheme):
    page = open_page(pages[kind], color_scheme=scheme, bypass_csp=True)  # see complaints
    page.evaluate("document.querySelectorAll('details').forEach(element => element.open = true)")
    assert complaints(page) == []
