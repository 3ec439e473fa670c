"""Test articles in web pages: the text of four invented pages, encodings, and the cost of hostile pages."""

import socket
import sys
from pathlib import Path

import pytest

from claimstance.inference.articles.article import RawFile
from claimstance.inference.articles.html import web_page
from claimstance.inference.articles.html.encodings import decode
from claimstance.inference.articles.isolation import TimeLimitError
from claimstance.inference.articles.sources import Article, read_articles
from claimstance.model.errors import InputError
from helpers.paths import DATA

pytest.importorskip("trafilatura")
PAGES = DATA / "articles"
UNKNOWN = {"date": None, "outlet": None, "url": None}
PARAGRAPH = (
    "<p>Runa Salt said on Wednesday that the harbour tax of Orvane is robbing the pantry while asking for the "
    "recipe, and Emil Draycott rejected the charge.</p>"
)


def read(name):
    (article,) = read_articles([str(PAGES / name)])
    assert isinstance(article, Article), article
    return article


def parse_page(body, head=""):
    Path("a.html").write_text(
        f"<html><head>{head}</head><body>{body}</body></html>", encoding="utf-8"
    )
    (item,) = read_articles(["a.html"])
    return item


def test_a_page_of_a_newspaper():
    article = read("harbour.html")
    assert article.title == "Ministers clash over harbour tax"
    assert article.meta == {
        "date": "2026-03-04",
        "outlet": "The Tidewater Courier",
        "url": "https://courier.example/2026/03/04/harbour-tax",
    }
    assert article.warnings == ()
    lines = article.text.split("\n")
    assert (
        "The harbour tax is “robbing the pantry while asking for the recipe”, Runa Salt said on Wednesday — and "
        "Orvane’s chief negotiator, Capt. Emil Draycott, rejected the charge within the hour."
    ) in lines
    assert "‘Not a penny’" in lines
    assert "“€1,200 a boat, every year”" in article.text
    for boilerplate in (
        "script",
        "Sign in",
        "cookies",
        "Ferry fares",
        "TidalTom",
        "All rights",
        "212",
        "Photo:",
    ):
        assert boilerplate not in article.text


def test_an_old_page_with_tables_and_open_tags_in_windows_1252():
    article = read("ferry.htm")
    assert article.text.startswith("Ferry crews on Gull Island walked out on Monday")
    quotes = (
        "“Nobody asked us,” said Petra Nørdahl",
        "“a gift to the airlines” — and",
        "31 sailings were cancelled & 9",
        "Marcel Dubé, a baker, said he supported the crews: “My flour is late, but so are their wages…”",
    )
    positions = [article.text.index(quote) for quote in quotes]
    assert positions == sorted(positions)
    assert "Tide tables" not in article.text
    assert article.meta == UNKNOWN  # the page declares no date, and none is guessed from its text


def test_an_encoding_that_the_page_declares():
    article = read("levee.html")
    for name in (
        "Świerklin",
        "Łukasz Żuraw",
        "Hana Dvořáková",
        "Bors Adány",
        "“a drawer of unopened letters”",
    ):
        assert name in article.text
    assert article.meta == {"date": "2025-11-02", "outlet": "Przełom Review", "url": None}
    assert "\nHe agreed.\n" in article.text  # <br> becomes a line break


def test_a_plain_page():
    article = read("plain.html")
    assert article.title == "Bridge to close for a year"
    assert article.text.split("\n") == [
        'The bridge over the Sill closes in May, the city’s engineer, Ada Lunn, said on Friday. It will reopen "in a '
        'year, or two", she added.',
        "Shopkeepers on the north bank called the plan <reckless>.",
        "Their association said 14 shops could close.",
        "“We were told by a poster,” said Ivo Marsh, a grocer.",
    ]


def test_a_page_without_an_article_is_an_error():
    (error,) = read_articles([str(PAGES / "front.html")])
    assert isinstance(error, InputError)
    assert "front.html: expected a page with an article, found none" in str(error)


def test_reading_a_page_opens_no_connection(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert read("harbour.html").title


def test_a_date_is_not_taken_from_the_copyright_line(workdir):
    assert parse_page(PARAGRAPH * 3 + "<p>© 2019 The Tidewater Courier</p>").meta == UNKNOWN


# Encodings


@pytest.mark.parametrize(
    ("data", "sent_as", "text"),
    [
        ("<p>Łódź", None, "<p>Łódź"),
        ("\ufeff<p>Łódź", "iso-8859-1", "<p>Łódź"),
        (
            '<meta charset="windows-1251"><p>Дума'.encode("cp1251"),
            None,
            '<meta charset="windows-1251"><p>Дума',
        ),
        ("<p>Дума".encode("koi8-r"), "KOI8-R", "<p>Дума"),
        (
            '<meta charset="iso-8859-1"><p>“Łódź'.encode(),
            None,
            '<meta charset="iso-8859-1"><p>“Łódź',
        ),  # declared wrongly
        ("<p>“no” – Łódź".encode("utf-16"), None, "<p>“no” – Łódź"),
        (
            "<meta charset=iso-2022-jp><p>東京".encode("iso-2022-jp"),
            None,
            "<meta charset=iso-2022-jp><p>東京",
        ),
        (
            b"<?xml version='1.0' encoding='ISO-8859-15'?><p>\xa4",
            None,
            "<?xml version='1.0' encoding='ISO-8859-15'?><p>€",
        ),
    ],
)
def test_encodings_are_detected(data, sent_as, text):
    warnings = []
    data = data.encode() if isinstance(data, str) else data
    assert decode(data, "a.html", sent_as, warnings.append) == text
    assert warnings == []


@pytest.mark.parametrize(
    ("data", "text", "warning"),
    [
        (
            b"<p>\x93no\x94",
            "<p>“no”",
            "the page names no encoding and is not UTF-8: read as Windows-1252",
        ),
        (
            b"<meta charset=utf-8><p>\x93no",
            "<meta charset=utf-8><p>\ufffdno",
            "1 characters that are not utf-8 became U+FFFD",
        ),
        (
            b"<meta charset=zlib><p>\xe9",
            "<meta charset=zlib><p>é",
            "the page names no encoding and is not UTF-8: read as Windows-1252",
        ),
        (
            b"<meta charset=unicode_escape><p>\\u0041\xe9",
            "<meta charset=unicode_escape><p>\\u0041é",
            "the page names no encoding and is not UTF-8: read as Windows-1252",
        ),
    ],
)
def test_a_guessed_encoding_gives_a_warning(data, text, warning):
    warnings = []
    assert decode(data, "a.html", None, warnings.append) == text
    assert warnings == [warning]


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b\x08" + b"x" * 40, b"%PDF-1.7", b"<p>\0</p>", b"PK\x03\x04"]
)
def test_a_binary_file_is_rejected(workdir, data):
    Path("a.html").write_bytes(data)
    (error,) = read_articles(["a.html"])
    assert str(error) == "a.html: expected a web page, found a binary or packed file"


# Quotations, entries and items

REMARK = "Governor Pell denied it in a letter to all voters in the valley, and left."


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<q>The dam is unsafe.</q>", "“The dam is unsafe.”"),
        ("<q> The dam is <b>unsafe</b> </q>", "“The dam is unsafe”"),
        ("<q><i>The dam</i> is unsafe</q>", "“The dam is unsafe”"),
        ("<q>Pell told me <q>no</q>, twice</q>", "“Pell told me ‘no’, twice”"),
        ("<q>“The dam is unsafe.”</q>", "“The dam is unsafe.”"),
        ('<q>"The dam is unsafe."</q>', '"The dam is unsafe."'),
        ("<q></q>nothing", "nothing"),
    ],
)
def test_inline_quotations_get_quotation_marks(workdir, markup, text):
    page = f"<article><h1>Dam</h1><p>Lena Orr said: {markup} {REMARK}</p></article>"
    assert parse_page(page).text == f"Dam\nLena Orr said: {text} {REMARK}"


ENTRIES = [
    ("Orr: the dam is unsafe", "Lena Orr told reporters that the north wall must be drained."),
    ("Pell hits back", "Governor Pell said that every inspection had found the wall sound."),
    ("What we know", "The council met at dawn. Ana Reyes, the mayor, called it a disgrace."),
]
LIVE = "\n".join(["Live", *(line for entry in ENTRIES for line in entry)])


def entries(pattern):
    return "".join(pattern.format(heading, text) for heading, text in ENTRIES)


@pytest.mark.parametrize(
    "page",
    [
        "<main><h1>Live</h1>" + entries("<article><h2>{}</h2><p>{}</p></article>") + "</main>",
        "<main><h1>Live</h1>"
        + entries("<article class=update><time>9.10</time><h3>{}</h3><p>{}</p></article>")
        + "</main>",
        "<h1>Live</h1><div id=blog>"
        + entries("<article><h2>{}</h2><p>{}</p></article>")
        + "</div>",
        "<main><h1>Live</h1><div>"
        + entries("<article><h2>{}<a href='#1'>link</a></h2><p>{}</p></article>").replace(
            "link", ""
        )
        + "</div></main>",
        "<article><h1>Live</h1>"
        + entries("<section><h2>{}</h2><p>{}</p></section>")
        + "</article>",
        "<article><h1>Live</h1><ol>" + entries("<li><h2>{}</h2><p>{}</p></li>") + "</ol></article>",
        "<article><h1>Live</h1><ul>"
        + entries("<li><div><h3>{}</h3></div><p>{}</p></li>")
        + "</ul></article>",
    ],
)
def test_all_entries_keep_their_headings_and_texts(workdir, page):
    assert parse_page(page).text.removeprefix("Live\n") == LIVE.removeprefix("Live\n")


def test_paragraphs_of_list_items_become_lines(workdir):
    items = "".join(f"<li><p>{heading}</p><p>{text}</p></li>" for heading, text in ENTRIES)
    assert parse_page(f"<article><h1>Live</h1><ul>{items}</ul></article>").text == LIVE


def test_list_items_without_paragraphs_keep_their_dashes(workdir):
    items = "".join(f"<li>{text}</li>" for _, text in ENTRIES)
    page = f"<article><h1>Live</h1>{PARAGRAPH}<ul>{items}</ul></article>"
    assert parse_page(page).text.split("\n")[2:] == [f"- {text}" for _, text in ENTRIES]


@pytest.mark.parametrize(
    "other_articles",
    [
        entries("<article><h2><a href='/a'>{}</a></h2><p>{}</p></article>"),
        entries("<article><a href='/a'><h2>{}</h2><p>{}</p></a></article>"),
        entries("<article><p><a href='/a'>{} {}</a></p></article>"),
        "<ul>" + entries("<li><h3><a href='/a'>{}</a></h3><p>{}</p></li>") + "</ul>",
        entries("<article><h1>{}</h1>" + "<p>{}</p></article>"),
    ],
)
def test_other_articles_of_a_page_are_left_out(workdir, other_articles):
    own = "".join(PARAGRAPH.replace("Wednesday", day) for day in ("Monday", "Tuesday", "Friday"))
    page = f"<main><article><h1>Levy</h1>{own}</article>{other_articles}</main>"
    text = parse_page(page).text
    assert text.count("Runa Salt") == 3
    assert "Reyes" not in text


# Hostile pages: an article or an error, within limits of time and memory


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<",
        "<html",
        "<p",
        "&#xd800;",
        "&#0;",
        "\ufffe",
        "<![CDATA[",
        "<!--" * 50_000,
        "<" * 200_000,
        "<div>" * 10_000 + PARAGRAPH,
        "<div>" * 10_000 + PARAGRAPH + "</div>" * 10_000,
        "<p><b><i>x" * 10_000,
        "<table><tr><td>" * 10_000 + PARAGRAPH,
        "<blockquote>" * 10_000,
        "<ul><li>" * 10_000,
        "<svg>" * 10_000,
        "<script type='application/ld+json'>" + "[" * 100_000 + "</script>" + PARAGRAPH,
        "<script type='application/ld+json'>" + '{"a":' * 100_000 + "</script>" + PARAGRAPH,
        "<p " + " ".join(f"a{n}" for n in range(5_000)) + ">" + PARAGRAPH,
        PARAGRAPH + "<br>" * 150_000,
        "<p>" + "a" * 2_000_000,
        "&amp;" * 300_000,
        "</p>" * 100_000 + PARAGRAPH,
    ],
)
def test_hostile_markup_gives_an_article_or_an_error_in_time(workdir, body):
    item = parse_page(body)
    assert isinstance(item, (Article, InputError))
    assert not isinstance(item, TimeLimitError)
    if isinstance(item, Article):
        item.text.encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            PARAGRAPH + "<br>" * 150_000,
            "a.html: expected a page with at most 100,000 elements, found more",
        ),
        (
            "<p>" + "a" * 2_000_000,
            "a.html: expected a page with at most 1,000,000 characters in a row, found more",
        ),
        (
            "<p " + " ".join(f"a{n}" for n in range(5_000)) + ">" + PARAGRAPH,
            "a.html: expected a page with at most 1,000 attributes of an element, found more",
        ),
        ("x" * 10_000_000, "a.html: expected at most 10,000,000 bytes, found more"),
    ],
)
def test_an_oversized_page_is_rejected(workdir, body, message):
    assert str(parse_page(body)) == message


@pytest.mark.parametrize(
    "script", ["window.state = '" + "x" * 5_000_000 + "'", "[" + '{"a": "b"},' * 400_000 + "0]"]
)
@pytest.mark.parametrize("kind", ["text/javascript", "application/ld+json", "application/json"])
def test_large_scripts_do_not_hide_the_article(workdir, kind, script):
    article = parse_page(PARAGRAPH * 3, f"<script type='{kind}'>{script}</script>")
    assert article.text.count("Runa Salt") == 3


def test_invisible_controls_are_removed(workdir):
    text = "Runa Salt said \u202eevil\u202c on Wednesday that the \u2066levy\u2069 is theft, and that nobody signed it."
    assert (
        "said evil on Wednesday that the levy is theft"
        in parse_page(f"<p>{text}</p>{PARAGRAPH}").text
    )


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(InputError, match=r"a\.html: this needs 'trafilatura': pip install"):
        web_page.parse(RawFile(PARAGRAPH.encode(), "a", "a.html"))
