"""Test an article's page in a browser: clicks, keys, filters, no scripts, paper and accessibility.

Skipped where there is no Chromium (Debian: ``apt-get install chromium``) or no Playwright (the extra ``dev``).
"""

import pytest

from claimstance.inference.pages.article_page import render_index, render_page
from claimstance.inference.pages.index import Index
from helpers.pages import span, stance, tagged

pytestmark = pytest.mark.slow

TEXT = (
    "Cod Talks Open\nRuna Salt accused Orvane of greed. She praised Lissant.\n"
    "Emil Draycott rejected the charge. The talks end on Friday.\nSalt attacked Orvane again.\n"
)
SENTENCES = (
    "Cod Talks Open",
    "Runa Salt accused Orvane of greed.",
    "She praised Lissant.",
    "Emil Draycott rejected the charge.",
    "The talks end on Friday.",
    "Salt attacked Orvane again.",
)
ATTRIBUTIONS = (
    (1, "Runa Salt", "Runa Salt", "accused", "Orvane of greed", 0.95),
    (2, "She", "Runa Salt", "praised", None, 0.6),
    (3, "Emil Draycott", "Emil Draycott", "rejected", "the charge", 0.8),
)
SALT = span(TEXT, "Runa Salt", "Runa Salt")
STANCES = (
    stance(1, "Runa Salt", "Orvane", "against", 0.97, holder=SALT, target=span(TEXT, "Orvane")),
    stance(2, "Runa Salt", "Lissant", "favor", 0.7, target=span(TEXT, "Lissant")),
    stance(2, "Runa Salt", "Orvane", "neutral", 0.4, abstained=True),
    stance(
        5,
        "Runa Salt",
        "Orvane",
        "against",
        0.8,
        holder=span(TEXT, "Salt", "Runa Salt", TEXT.index("Salt attacked")),
        target=span(TEXT, "Orvane", start=TEXT.index("Salt attacked")),
    ),
    stance(3, None, "Orvane", "neutral", 0.9),
)


@pytest.fixture(scope="module")
def article():
    return tagged(
        TEXT,
        SENTENCES,
        ATTRIBUTIONS,
        STANCES,
        doc_id="cod",
        title="Cod Talks Open",
        warnings=["a warning"],
        claims=(0.2, 0.99, 0.9, 0.8, 0.1, 0.6),
    )


@pytest.fixture
def page(open_page, article):
    return open_page(render_page(article))


def panel(page):
    return page.locator("#panel")


def test_a_click_on_a_source_opens_its_attribution(page):
    assert panel(page).is_hidden()
    page.locator(".prose .m.source", has_text="She").click()
    panel_text = panel(page).inner_text()
    assert "Sentence 2" in panel_text
    assert panel(page).locator("dl.chosen dd").all_inner_texts()[:3] == [
        "Runa Salt",
        "She",
        "praised",
    ]
    rows = [row.split("\t") for row in panel(page).locator("tbody tr").all_inner_texts()]
    assert [row[:2] for row in rows] == [["Runa Salt", "Lissant"], ["Runa Salt", "Orvane"]]
    assert "not sure enough" in rows[1][2]
    assert "2 stances" in page.locator("#live").inner_text()
    page.locator("#close").click()
    assert panel(page).is_hidden()


def test_the_keyboard_alone_opens_and_closes(page):
    mark = page.locator(".prose a.m.content").first
    mark.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "h-panel"
    assert page.locator("#h-panel").inner_text() == "Sentence 1"
    page.keyboard.press("Escape")
    assert panel(page).is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Orvane"


def test_the_first_tab_leads_to_the_article(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the article"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "article"


def hits(page):
    return [
        int(name[1:])
        for name in page.locator(".prose .hit").evaluate_all(
            "elements => elements.map(element => element.id)"
        )
    ]


def test_a_source_and_a_target_select_their_sentences(page):
    page.select_option("#by-source", label="Runa Salt")
    assert hits(page) == [1, 2, 5]
    page.select_option("#by-target", label="Orvane")
    assert hits(page) == [1, 5]  # abstained stances do not count
    assert page.locator("#status").inner_text() == "2 of 6 sentences: Runa Salt → Orvane"
    for expected in (1, 5, 1):
        page.locator("#next").click()
        assert page.locator("#h-panel").inner_text() == f"Sentence {expected}"
    page.locator("#reset").click()
    assert hits(page) == []
    assert page.locator(".said tbody tr:visible").count() == 3


NOTE = "− Runa Salt: against Orvane, 97\u00a0%"


def note_of(element):
    """Return the note that the style sheet shows beside an element; ``none`` if there is none."""
    return element.evaluate("element => getComputedStyle(element, '::after').content")


@pytest.mark.parametrize("scripts", [True, False])
def test_hover_and_focus_show_the_stances_of_a_sentence(open_page, article, scripts):
    page = open_page(render_page(article), java_script_enabled=scripts)
    target = page.locator(".prose .target").first
    number = page.locator("#s1 .no")
    assert target.inner_text() == "Orvane"
    for element in (target, number):
        assert note_of(element) == "none"
        element.hover()
        assert NOTE in note_of(element)
        page.mouse.move(0, 0)
        assert note_of(element) == "none"
        element.focus()
        assert NOTE in note_of(element)
        page.evaluate("document.activeElement.blur()")


def test_a_mark_links_to_the_stance_and_opens_the_panel(open_page, article, page):
    scriptless_page = open_page(render_page(article), java_script_enabled=False)
    scriptless_page.locator(".prose .holder:not(.source)").first.click()
    assert scriptless_page.url.endswith("#t1")
    page.locator(".prose .holder:not(.source)").first.click()
    assert page.locator("#h-panel").inner_text() == "Sentence 5"
    assert "Orvane" in panel(page).inner_text()


def test_filters_keep_only_the_marks_of_matching_stances(page):
    marked = page.locator(".prose .side.target")
    assert marked.all_inner_texts() == ["Orvane", "Lissant", "Orvane"]
    page.locator("#by-share").fill("75")
    assert marked.all_inner_texts() == ["Orvane", "Orvane"]
    page.locator("#by-share").fill("0")
    page.locator("#by-target").select_option(label="Lissant")
    assert marked.all_inner_texts() == ["Lissant"]


def test_the_minimum_probability_hides_less_certain_results(page):
    counts = page.locator(".matrix .count")
    assert [count.inner_text() for count in counts.all()] == ["−2", "+1"]
    page.locator("#by-share").fill("85")
    assert page.locator("#share").inner_text() == "85 %"
    assert [count.inner_text() for count in counts.all() if count.is_visible()] == ["−1"]
    assert page.locator(".prose .source").all_inner_texts() == ["Runa Salt"]
    assert page.locator(".said tbody tr:visible").count() == 1
    assert page.locator(".prose .faint").evaluate_all(
        "elements => elements.map(element => element.id)"
    ) == [
        "s0",
        "s3",
        "s4",
        "s5",
    ]


def test_the_matrix_and_the_timeline_open_their_sentences(page):
    page.locator(".matrix .count", has_text="−2").click()
    assert hits(page) == [1, 5]
    assert page.locator("#h-panel").inner_text() == "Sentence 1"
    page.locator("#next").click()
    assert page.locator("#h-panel").inner_text() == "Sentence 5"
    page.locator(".timeline th a", has_text="Emil Draycott").click()
    assert hits(page) == [3]


def test_every_kind_of_link_to_a_sentence_opens_it(page):
    for selector in (".timeline svg a", ".facts tbody a", ".said tbody a", ".stances tbody a"):
        link = page.locator(selector).first
        number = link.get_attribute("href")[2:]
        link.click()
        assert page.locator("#h-panel").inner_text() == f"Sentence {number}"
        assert page.locator(f"#s{number}").evaluate(
            "element => element.getBoundingClientRect().top < innerHeight"
        )


def test_the_dark_theme_follows_the_button_and_the_system(page, open_page, article):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, button = background(page), page.locator("#theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    dark = background(page)
    assert dark != light
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert background(page) == light
    assert background(open_page(render_page(article), color_scheme="dark")) == dark


def test_without_scripts_everything_is_readable(open_page, article):
    page = open_page(render_page(article), java_script_enabled=False)
    assert not page.locator(".filters, #theme, #panel").first.is_visible()
    assert page.locator(".facts tbody tr:visible").count() == 6
    assert page.locator(".said tbody tr:visible").count() == 3
    page.locator(".prose a.m.source").first.click()
    assert page.url.endswith("#w0")


def test_on_paper_there_are_tables_but_no_controls(page):
    page.emulate_media(media="print")
    assert not page.locator(".filters").is_visible()
    assert page.locator(".said tbody tr:visible").count() == 3
    assert page.locator("summary").count() == 1
    height = page.locator("details").evaluate("element => element.getBoundingClientRect().height")
    assert height > 3 * page.locator("summary").evaluate(
        "element => element.getBoundingClientRect().height"
    )


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_sentence_stays_in_view(
    open_page, article
):
    page = open_page(render_page(article), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".prose .m.source").last.click()
    sentence, sheet = (page.locator(selector).bounding_box() for selector in ("#s3", "#panel"))
    assert sheet["y"] + sheet["height"] == 800
    assert sentence["y"] + sentence["height"] <= sheet["y"]


def test_markup_in_an_article_never_runs(open_page):
    hostile = '</script><script>document.title = "run"</script><img src=x onerror="document.title = 1">{{ 7*7 }}'
    article = tagged(
        hostile,
        [hostile],
        [(0, hostile, hostile, None, None, 0.9)],
        [stance(0, hostile, hostile, "favor")],
        title="safe",
    )
    page = open_page(render_page(article))
    page.locator(".prose .m").click()
    page.locator(".matrix .count").click()
    assert page.title() == "safe"
    assert page.locator("article").inner_text() == hostile
    assert page.locator("#status bdi").all_inner_texts() == [hostile, hostile]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["read", "open", "filtered", "index"])
def test_axe_finds_nothing_wrong(open_page, complaints, article, scheme, state):
    if state == "index":
        index = Index()
        index.add(article, "cod.html")
        html = "".join(render_index(index.values()))
    else:
        html = render_page(article)
    page = open_page(html, color_scheme=scheme, bypass_csp=True)  # see complaints
    if state == "open":
        page.locator(".prose .m").first.click()
    elif state == "filtered":
        page.select_option("#by-source", label="Emil Draycott")
    assert complaints(page) == []
