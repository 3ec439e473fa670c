"""The pages of evaluations in a browser: nothing is complained of or asked for, light and dark, on paper, by axe."""

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
        found = evaluation(sentences(60, odd))
        folders.append(tmp_path_factory.mktemp("scores"))
        with (folders[-1] / OUTCOMES_FILE).open("w", encoding="utf-8") as file:
            write_outcomes(
                found.outcomes, {key: found.account[key] for key in ("date", "model", "data")}, file
            )
        with (folders[-1] / PREDICTION_LOG_FILE).open("w", encoding="utf-8") as file:
            write_prediction_log(found.prediction_log, file)
    return {
        "evaluation": "".join(evaluation_page(found)),
        "comparison": "".join(comparison_page(compare(*folders, resamples=100), *folders)),
    }


def colour(page, selector, of="stroke"):
    return page.locator(selector).first.evaluate(f"it => getComputedStyle(it).{of}")


@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_drawings_have_the_colours_of_the_page_light_and_dark(pages, open_page, kind):
    page = open_page(pages[kind])
    light = [colour(page, ".plot .stroke-first"), colour(page, "body", "backgroundColor")]
    page.locator("#theme").click()
    dark = [colour(page, ".plot .stroke-first"), colour(page, "body", "backgroundColor")]
    assert light != dark
    assert "rgb(0, 0, 4)" not in (*light, *dark)  # the stand-in that matplotlib was given
    assert dark == [
        colour(open_page(pages[kind], color_scheme="dark"), it, of)
        for it, of in ((".plot .stroke-first", "stroke"), ("body", "backgroundColor"))
    ]


def test_a_cell_is_the_darker_the_greater_its_share(pages, open_page):
    page = open_page(pages["evaluation"])
    cells = page.locator("#t3 .matrix tbody tr").first.locator("td")
    grounds = cells.evaluate_all("found => found.map(it => getComputedStyle(it).backgroundColor)")
    assert len(set(grounds)) == 3  # most, few, and the sum, which has none
    assert "right" in cells.first.get_attribute("class")


def test_the_keyboard_leads_from_the_contents_to_a_task_and_opens_its_numbers(pages, open_page):
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
def test_without_scripts_and_on_paper_all_errors_are_there(pages, open_page, kind):
    page = open_page(pages[kind], java_script_enabled=False)
    assert not page.locator("#theme").is_visible()
    page.emulate_media(media="print")
    for place in page.locator("details:has(.worst)").all():
        assert place.evaluate("it => it.getBoundingClientRect().height") > 100
    assert not page.locator("nav").is_visible()


def test_what_a_sentence_holds_never_runs(open_page):
    wicked = HOSTILE + '<img src=x onerror="document.title = 1">'
    page = open_page(
        "".join(evaluation_page(evaluation(sentences(9, words=wicked, corpus=wicked), name="safe")))
    )
    assert page.title() == "Evaluation of safe"
    assert page.locator("img").count() == 0
    assert "<img src=x" in page.locator(".worst .text").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["evaluation", "comparison"])
def test_axe_finds_nothing_wrong(pages, open_page, complaints, kind, scheme):
    page = open_page(pages[kind], color_scheme=scheme, bypass_csp=True)  # see complaints
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    assert complaints(page) == []
