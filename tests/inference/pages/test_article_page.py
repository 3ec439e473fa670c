"""Test an article's page: its text, the marks of spans, its tables, and that text never becomes markup."""

import json
import re

import pytest

from claimstance.inference.pages.article_page import render_index, render_page
from claimstance.inference.pages.index import Index
from claimstance.inference.results import Sentence, TaggedArticle
from claimstance.model.article.spans import Attribution, Span
from helpers.pages import MODEL, Page, assert_loads_nothing, span, stance, sure, tagged

TEXT = '  Fish & Ships\r\n\r\nSalt accused\nOrvane of <greed>.\tShe left.\n\nNobody "cares", it said. \n'
SENTENCES = (
    "Fish & Ships",
    "Salt accused\nOrvane of <greed>.",
    "She left.",
    'Nobody "cares", it said.',
)
ATTRIBUTIONS = (
    (1, "Salt", "Runa Salt", "accused", "Orvane of <greed>", 0.95),
    (2, "She", "Runa Salt", None, "left", 0.5),
    (3, "it", None, "said", 'Nobody "cares"', 0.4),
)
STANCES = (
    stance(1, "Runa Salt", "Orvane", "against", 0.97),
    stance(2, "Runa Salt", "Orvane", "against", 0.8),
    stance(2, "Runa Salt", "cod", "favor", 0.4, abstained=True),
    stance(3, "it", "cod", "favor"),
    stance(1, None, "Orvane", "neutral"),
)
HOSTILE = """</script><script>alert(1)</script><img src=x onerror="alert(2)"> ' " onload=x {{ 7*7 }} {% raw %} ]]> \
<!-- --> &lt;b&gt; \u202eevil\u202c \u2066x\u2069 \u2028 \x07."""


@pytest.fixture
def article():
    return tagged(
        TEXT, SENTENCES, ATTRIBUTIONS, STANCES, title="Fish & Ships", claims=(0.3, 0.99, 0.75, 0.5)
    )


@pytest.fixture
def page(article):
    return Page(render_page(article))


@pytest.fixture
def hostile():
    """Return an article with the same hostile text in every place that takes text."""
    stances = [
        stance(0, name, HOSTILE, "favor", 0.9, unsure)
        for name in (HOSTILE, None)
        for unsure in (True, False)
    ]
    article = tagged(
        HOSTILE,
        [HOSTILE],
        [(0, HOSTILE, HOSTILE, "alert", "onload=x", 0.9)],
        stances,
        HOSTILE,
        HOSTILE,
        [0.9],
        [HOSTILE],
    )
    article.model.update(name=HOSTILE)
    yield article
    article.model.update(name="m")


def data_of(page):
    return json.loads(page.one("script", id="data"))


# The text


def test_the_article_element_has_the_whole_text(page):
    assert page.one("article") == TEXT
    spans = page.all("span", class_="s")
    sentences = [text for attributes, text in spans if attributes.get("id")]
    assert sentences == list(SENTENCES)


def test_paragraphs_are_kept_and_wrapped_lines_do_not_end_them(page):
    paragraphs = [text for _, text in page.all("p", dir="auto")]
    assert paragraphs == [
        "Fish & Ships",
        "Salt accused\nOrvane of <greed>.\tShe left.",
        'Nobody "cares", it said.',
    ]
    assert page.one(class_="headline") == "Fish & Ships"


def test_marks_cover_their_spans(page):
    covered = {}
    for attributes, text in page.all(class_="m"):
        for mark in attributes.get("data-m", "").split():
            covered[mark] = covered.get(mark, "") + text
    assert covered == {
        "source-0": "Salt",
        "cue-0": "accused",
        "content-0": "Orvane of <greed>",
        "source-1": "She",
        "content-1": "left",
        "source-2": "it",
        "cue-2": "said",
        "content-2": 'Nobody "cares"',
    }


def test_a_span_in_pieces_over_two_sentences_has_one_link():
    text = "He said: stay. And go, she heard, home."
    content = Span(9, 38, text[9:38], ((9, 22), (34, 38)))
    article = tagged(text, ["He said: stay.", "And go, she heard, home."])
    article.sentences[0].attributions.append(
        Attribution(span(text, "He", "He"), span(text, "said"), content, 0.9)
    )
    page = Page(render_page(article))
    pieces = [
        (attributes["data-m"], text, "href" in attributes)
        for attributes, text in page.all(class_="m")
        if "data-m" in attributes
    ]
    assert pieces == [
        ("source-0", "He", True),
        ("cue-0", "said", True),
        ("content-0", "stay.", True),
        ("content-0", "And go,", False),
        ("content-0", "home", False),
    ]
    assert page.one("article") == text


def test_nested_attributions_share_pieces():
    text = "Ann says Bob says it rains."
    attributions = [
        (0, "Ann", "Ann", "says", "Bob says it rains", 0.9),
        (0, "Bob", "Bob", None, "it rains", 0.8),
    ]
    page = Page(render_page(tagged(text, [text], attributions)))
    pieces = [
        (text, attributes["data-m"])
        for attributes, text in page.all(class_="m")
        if "data-m" in attributes
    ]
    assert pieces == [
        ("Ann", "source-0"),
        ("says", "cue-0"),
        ("Bob", "content-0 source-1"),
        (" says ", "content-0"),
        ("it rains", "content-0 content-1"),
    ]
    links = page.all("a", class_="m")
    inner_links = [attributes["href"] for attributes, text in links if text in ("Bob", "it rains")]
    assert inner_links == ["#w1", "#w1"]


def test_claims_are_shaded_by_their_probability(page):
    styles = [
        attributes["class"] for attributes, _ in page.all("span", class_="s") if "id" in attributes
    ]
    assert styles == ["s", "s c4", "s c2", "s c1"]
    names = [attributes["aria-label"] for attributes, _ in page.all("a", class_="no")]
    assert names[:2] == [
        "Sentence 0, claim 30\u00a0%",
        "Sentence 1, claim 99\u00a0%; − Runa Salt: against Orvane, 97\u00a0%",
    ]


# Stances in the text

QUOTED = "“Trump lies. He must go,” Ann Lee said. Bo Orr likes Mr. Trump and hates taxes. Donald Trump won."
QUOTED_SENTENCES = (
    "“Trump lies.",
    "He must go,” Ann Lee said.",
    "Bo Orr likes Mr. Trump and hates taxes.",
    "Donald Trump won.",
)


@pytest.fixture
def quoted():
    """Return a quotation whose speaker stands in its second sentence, with other stances."""
    lee = span(QUOTED, "Ann Lee", "Ann Lee")
    orr = span(QUOTED, "Bo Orr", "Bo Orr")
    taxes, winner = span(QUOTED, "taxes"), span(QUOTED, "Donald Trump")
    stances = [
        stance(0, "Ann Lee", "Trump", "against", 0.93, holder=lee, target=span(QUOTED, "Trump")),
        stance(1, "Ann Lee", "Trump", "against", 0.7, holder=lee, target=span(QUOTED, "He")),
        stance(
            2, "Bo Orr", "Mr. Trump", "favor", 0.8, holder=orr, target=span(QUOTED, "Mr. Trump")
        ),
        stance(2, "Bo Orr", "taxes", "against", 0.9, holder=orr, target=taxes),
        stance(2, None, "gun control", "favor", 0.6),
        stance(3, None, "Donald Trump", "neutral", 0.9, target=winner),
        stance(3, None, "Donald Trump", "favor", 0.4, abstained=True, target=winner),
    ]
    attributions = [(1, "Ann Lee", "Ann Lee", "said", "He must go", 0.9)]
    return tagged(QUOTED, QUOTED_SENTENCES, attributions, stances)


def test_holders_and_targets_are_marked_by_side(quoted):
    page = Page(render_page(quoted))
    assert page.one("article") == QUOTED
    marked = [
        (text, attributes["class"], attributes.get("data-sign"))
        for attributes, text in page.all(class_="side")
        if "data-t" in attributes
    ]
    assert marked == [
        ("Trump", "m target side against", "−"),
        ("He", "m content target side against", "−"),
        ("Ann Lee", "m source holder side against", None),
        ("Bo Orr", "m holder side favor against", None),
        ("Mr. Trump", "m target side favor", "+"),
        ("taxes", "m target side against", "−"),
    ]


def test_marks_and_number_of_a_sentence_describe_its_stances(quoted):
    page = Page(render_page(quoted))
    notes = {
        text: attributes["data-tell"]
        for attributes, text in page.all(class_="side")
        if "data-t" in attributes
    }
    stances_of_orr = [
        "+ Bo Orr: for Donald Trump, 80\u00a0%",
        "− Bo Orr: against taxes, 90\u00a0%",
        "+ the text itself: for gun control, 60\u00a0%",
    ]
    assert notes["Trump"] == "− Ann Lee: against Donald Trump, 93\u00a0%"
    assert notes["Bo Orr"].split("\n") == stances_of_orr
    assert notes["Bo Orr"] == notes["Mr. Trump"] == notes["taxes"]
    numbers = [attributes.get("data-tell") for attributes, _ in page.all("a", class_="no")]
    assert numbers == [notes["Trump"], notes["He"], notes["Bo Orr"], None]


def test_the_note_at_a_holder_names_other_sentences_with_its_stances(quoted):
    page = Page(render_page(quoted))
    (holder,) = [
        attributes for attributes, text in page.all("a", class_="side") if text == "Ann Lee"
    ]
    assert holder["data-tell"].split("\n") == [
        "− Ann Lee: against Donald Trump, 93\u00a0% (sentence 0)",
        "− Ann Lee: against Donald Trump, 70\u00a0%",
    ]
    assert holder["data-t"].split() == ["0", "1"]
    assert holder["aria-describedby"] == "k-source t0 t1"


def test_a_stance_without_a_mention_has_its_sign_at_the_sentence_number(quoted):
    page = Page(render_page(quoted))
    signs = [attributes.get("data-signs") for attributes, _ in page.all("a", class_="no")]
    assert signs == [None, None, "+", None]


def test_a_mark_of_a_stance_links_to_its_row(quoted):
    page = Page(render_page(quoted))
    (taxes,) = [attributes for attributes, text in page.all("a", class_="side") if text == "taxes"]
    (row,) = [text for attributes, text in page.all("tr", id=taxes["href"][1:])]
    assert re.sub(r"\s+", " ", row) == "2Bo Orrtaxes− against90 %"
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for attributes, _ in page.all("a"):
        assert attributes["href"][1:] in ids
        assert set(attributes.get("aria-describedby", "").split()) <= ids


def test_aliases_are_one_column_and_the_text_is_the_last_row(quoted):
    page = Page(render_page(quoted))
    assert [text for _, text in page.all("th", class_="up")] == [
        "Donald Trump",
        "taxes",
        "gun control",
    ]
    titles = [attributes["title"] for attributes, _ in page.all("a", class_="count")]
    assert titles == [
        "Ann Lee → Donald Trump: 2 against, sentences 0, 1",
        "Bo Orr → Donald Trump: 1 favor, sentence 2",
        "Bo Orr → taxes: 1 against, sentence 2",
        "the text itself → gun control: 1 favor, sentence 2",
    ]


def test_aliases_of_a_person_are_one_row():
    text = "Ann Lee won. Ms. Lee hates rain."
    holder = span(text, "Ms. Lee", "Ms. Lee")
    article = tagged(
        text,
        ["Ann Lee won.", "Ms. Lee hates rain."],
        [(0, "Ann Lee", "Ann Lee", "won", None, 0.9)],
        [
            stance(0, "Ann Lee", "rain", "against"),
            stance(1, "Ms. Lee", "the rain", "against", holder=holder),
        ],
    )
    page = Page(render_page(article))
    titles = [attributes["title"] for attributes, _ in page.all("a", class_="count")]
    assert titles == ["Ann Lee → rain: 2 against, sentences 0, 1"]


# Tables and data


def test_the_table_of_attributions_has_source_cue_and_content(page):
    rows = [
        re.sub(r"\s+", " ", text)
        for attributes, text in page.all("tr")
        if attributes.get("id", "").startswith("w")
    ]
    assert rows == [
        "1Runa SaltSaltaccusedOrvane of <greed>95 %",
        "2Runa SaltSheleft50 %",
        '3not nameditsaidNobody "cares"40 %',
    ]


def test_the_matrix_counts_stances_of_named_holders_and_links_to_them(page, article):
    cells = {
        attributes["title"]: (attributes["href"], text)
        for attributes, text in page.all("a", class_="count")
    }
    assert cells == {
        "Runa Salt → Orvane: 2 against, sentences 1, 2": ("#t0", "−2"),
    }
    notes = [text for _, text in page.all("p", class_="note") if "without a name" in text]
    assert notes == ["Those of holders without a name are in the table Stances."]
    assert [source.stances for source in article.sources] == [{"Orvane": {"against": 2}}]


def test_every_link_and_reference_has_a_target(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = {attributes["href"] for attributes, _ in page.all("a")}
    assert {link for link in links if not link.startswith("#")} == set()
    assert {link[1:] for link in links} <= set(ids)
    referenced_ids = {
        attributes[key]
        for key in ("aria-labelledby", "aria-describedby", "for")
        for _, attributes in page.elements
        if key in attributes
    }
    assert referenced_ids <= set(ids)


def test_abstained_stances_are_marked_as_not_sure_enough(page):
    rows = [
        text
        for attributes, text in page.all("tr")
        if attributes.get("data-s") == "2" and "cod" in text
    ]
    assert len(rows) == 1
    assert "not sure enough" in rows[0]
    assert page.one("small") == "not sure enough"


def test_sentences_most_worth_checking_come_first(page):
    _, table = page.all("table", class_="facts")[0]
    positions = [table.index(text) for text in reversed(SENTENCES)]
    assert positions == sorted(positions)


def test_the_timeline_places_attributions_by_their_offsets(page):
    bars = [(attributes["x"], attributes["width"]) for attributes, _ in page.all("rect")]
    length = len(TEXT)
    assert len(bars) == 3
    start = TEXT.index("Salt")
    assert bars[0] == (f"{round(100 * start / length, 2)}%", f"{round(100 * 30 / length, 2)}%")


def test_the_data_agree_with_the_page(page):
    data = data_of(page)
    assert data["attributions"] == [[1, 0, 0.95], [2, 0, 0.5], [3, -1, 0.4]]
    assert data["stances"] == [
        [1, 0, 0, 1, 0.97, 0],
        [2, 0, 0, 1, 0.8, 0],
        [3, 1, 1, 0, 0.9, 0],
        [1, 2, 0, 2, 0.9, 0],
        [2, 0, 1, 0, 0.4, 1],
    ]
    assert data["sentences"] == [0.3, 0.99, 0.75, 0.5]
    assert (data["holders"], data["targets"], data["labels"]) == (
        ["Runa Salt", "not named", "the text itself"],
        ["Orvane", "cod"],
        ["favor", "against", "neutral"],
    )


def test_the_header_has_warnings_model_and_id():
    page = Page(render_page(tagged("A.", ["A."], doc_id="x/1", warnings=["odd <bytes>"])))
    header = page.one("header")
    assert "x/1" in header
    assert "odd <bytes>" in header
    assert page.one("code", title=MODEL["sha256"]) == "0123456789ab"


def test_a_model_may_have_its_own_labels():
    text = "Prices rise."
    sentence = Sentence(
        0,
        0,
        12,
        text,
        sure("economy", 0.8, ("health", "economy", "sport")),
        stances=[stance(0, None, "prices", "neutral")],
    )
    sentence.stances[0] = type(sentence.stances[0])(
        None, "prices", "worried", 0.9, {"calm": 0.1, "worried": 0.9}, 0
    )
    page = Page(render_page(TaggedArticle("d", None, text, MODEL, [sentence], [])))
    assert page.one("article") == text
    (row,) = [
        text
        for attributes, text in page.all("tr")
        if attributes.get("data-s") == "0" and "economy" in text
    ]
    assert "80\u00a0%" in row
    assert [text for _, text in page.all("a", class_="count")] == ["②1"]
    assert [attributes["class"] for attributes, _ in page.all("span", id="s0")] == ["s"]


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_article_without_sentences_has_a_page(text):
    warning = "the article has no sentence: nothing read"
    page = Page(render_page(tagged(text, [], doc_id="", warnings=[warning])))
    assert page.one("article") == text
    assert page.one("h1") == "An article without a title"


# Safety


@pytest.mark.parametrize("kind", ["article", "hostile"])
def test_the_policy_allows_the_pages_own_style_and_script_and_no_more(kind, request):
    assert_loads_nothing(Page(render_page(request.getfixturevalue(kind))))


def test_markup_in_an_article_is_escaped(hostile):
    escaped = HOSTILE
    for character in "\u202e\u202c\u2066\u2069\x07":
        escaped = escaped.replace(character, f"⟨U+{ord(character):04X}⟩")
    html = render_page(hostile)
    page = Page(html)
    assert page.one("article") == escaped
    assert page.one("h1") == escaped
    assert escaped in page.one("div", class_="caution")
    assert next(text for _, text in page.all("td", class_="text")).startswith("</script>")
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert data_of(page)["targets"] == [escaped]
    assert not re.search("[\u202e\u202c\u2066\u2069\x07]", html)
    assert "<" not in page.one("script", id="data")
    assert "\u2028" not in page.one("script", id="data")
    names = [text for _, text in page.all("bdi")]
    assert names.count(escaped) > 5


def test_markup_in_an_article_is_escaped_in_the_index(hostile):
    index = Index()
    index.add(hostile, "a b.html")
    html = "".join(render_index(index.values()))
    page = Page(html)
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not re.search("[\u202e\x07]", html)
    links = {attributes["href"] for attributes, _ in page.all("a")}
    assert {link for link in links if not link.startswith("#")} == {"a%20b.html"}


def test_the_same_article_gives_the_same_bytes(article):
    assert render_page(article) == render_page(article)
