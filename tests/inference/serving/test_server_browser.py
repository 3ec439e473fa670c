"""Test the server's page in a browser: a reader pastes or drops an article, reads it and explores it.

Skipped where there is no Chromium (Debian: ``apt-get install chromium``) or no Playwright (the extra ``dev``).
"""

import pytest

from helpers.program import ROOT
from helpers.serving import process

pytestmark = pytest.mark.slow
ARTICLE = (ROOT / "seeds" / "demo.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server():
    """Run a server with the bundled model, which finds sources to click on."""
    with process("--max-body", "0.1") as running:
        yield running


@pytest.fixture
def visit(browser, server):
    """Open the server's page; at the end, check that the console has no error and no other host was requested."""
    contexts, console_messages, requested_urls = [], [], []

    def open_form(expected_errors=(), **options):
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()

        def on_console(message):
            if not any(error in message.text for error in expected_errors):
                console_messages.append(message.text)

        page.on("console", on_console)
        page.on("pageerror", lambda error: console_messages.append(str(error)))
        page.on("request", lambda request: requested_urls.append(request.url))
        page.goto(server.url)
        return page

    yield open_form
    for context in contexts:
        context.close()
    assert console_messages == []
    assert requested_urls
    assert [url for url in requested_urls if not url.startswith(server.url)] == []


def paste(page, targets="Orvane\nLissant"):
    page.get_by_label("Article").fill(ARTICLE)
    page.get_by_label("Where do they stand on").fill(targets)
    page.get_by_role("button", name="Read it").click()
    page.locator("article.prose").wait_for()


def test_a_pasted_article_can_be_read_filtered_and_clicked(visit):
    page = visit()
    paste(page)
    assert page.title().startswith("Fishing Nations Trade Accusations")
    assert page.locator(".matrix thead .up").all_inner_texts()[0] == "Orvane"
    page.select_option("#by-source", label="Runa Salt")
    assert page.locator(".prose .hit").count() > 0
    page.locator(".prose .hit").get_by_role("link", name="she", exact=True).click()
    assert page.locator("#panel dl.chosen dd").all_inner_texts()[:2] == ["Runa Salt", "she"]
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_the_way_back_to_the_form_keeps_the_article(visit):
    page = visit()
    paste(page)
    page.go_back()
    assert page.get_by_label("Article").input_value() == ARTICLE
    assert page.get_by_role("button", name="Read it").is_enabled()
    page.go_forward()
    page.get_by_role("link", name="Another article").click()
    assert page.get_by_label("Article").input_value() == ""


def test_the_form_needs_only_the_keyboard(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the form"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Runa Salt accused Orvane of greed.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Orvane")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("article.prose").wait_for()
    assert (
        page.locator("article.prose").inner_text().strip() == "Runa Salt accused Orvane of greed."
    )


def test_the_form_needs_no_scripts(visit, tmp_path):
    page = visit(java_script_enabled=False)
    paste(page, "")
    assert page.locator(".said tbody tr").count() > 3
    page.get_by_role("link", name="Another article").click()
    file = tmp_path / "cod.txt"
    file.write_text("Ships waited. Emil Draycott said so.\n", encoding="utf-8")
    page.get_by_label("Or a file").set_input_files(file)
    page.get_by_role("button", name="Read it").click()
    page.locator("article.prose").wait_for()
    assert page.locator("h1").inner_text() == "cod"


def test_a_file_can_be_dropped(visit):
    page = visit()
    page.evaluate("""() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["Ships waited. Emil Draycott said so."], "dropped.txt", {type: "text/plain"}));
        for (const name of ["dragover", "drop"]) {
            document.getElementById("text").dispatchEvent(
                new DragEvent(name, {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }
    }""")
    assert (
        page.get_by_label("Or a file").evaluate("element => element.files[0].name") == "dropped.txt"
    )
    page.get_by_role("button", name="Read it").click()
    page.locator("article.prose").wait_for()
    assert page.locator("h1").inner_text() == "dropped"


def test_errors_are_shown(visit):
    page = visit(expected_errors=["422"])
    page.get_by_role("button", name="Read it").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "expected an article, pasted or as a file, found none" in alert.inner_text()
    assert page.title().startswith("Not read: ")


def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    page = visit()
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_text("From a program").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["form", "wrong", "read"])
def test_axe_finds_nothing_wrong(visit, complaints, scheme, state):
    page = visit(expected_errors=["422"], color_scheme=scheme, bypass_csp=True)
    if state == "wrong":
        page.get_by_role("button", name="Read it").click()
        page.get_by_role("alert").wait_for()
    elif state == "read":
        paste(page)
    else:
        page.get_by_text("From a program").click()
    assert complaints(page) == []
