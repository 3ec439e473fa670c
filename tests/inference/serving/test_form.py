"""Test the page on which readers paste an article: the form that it sends, and the answer."""

import re
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import pytest

from claimstance.inference.articles import DOCUMENTS, DocumentFormat, isolation
from claimstance.inference.articles.isolation import end_all
from claimstance.inference.articles.sources import Article
from claimstance.inference.pages.article_page import render_page
from helpers import parsers
from helpers.program import TEXT
from helpers.serving import Slow

needs_memory_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems do not limit the memory of a process"
)


def test_the_form_refers_to_no_other_site(client):
    page = client.get("/")
    assert (page.status_code, page.headers["cache-control"]) == (200, "private, no-cache")
    assert "http://" not in re.sub(r"<pre>.*?</pre>", "", page.text, flags=re.DOTALL)
    assert "form-action &#39;self&#39;" in page.text


def test_a_pasted_article_is_shown(client, tagger):
    pasted = {
        "text": (None, TEXT.replace("\n", "\r\n")),
        "targets": (None, " Carl Amsel \r\n\r\nrail\r\n"),
        "file": ("", b"", "application/octet-stream"),
    }
    page = client.post("/", files=pasted)
    article = Article("", TEXT, "Ministers Clash over Tax")
    expected = render_page(tagger.begin(article, ["Carl Amsel", "rail"])(), back="/")
    assert (page.status_code, page.text) == (200, expected)
    assert '<a href="/">Another article</a>' in page.text


def test_the_checkbox_for_neutral_stances_is_kept(client, tagger):
    article = Article("", TEXT, "Ministers Clash over Tax")
    for fields, neutral in (({}, False), ({"neutral": (None, "yes")}, True)):
        page = client.post("/", files={"text": (None, TEXT), **fields})
        assert page.text == render_page(tagger.begin(article, neutral=neutral)(), back="/")
        form = client.post("/", files={"text": (None, " "), **fields})
        assert ('value="yes" checked' in form.text) == neutral


def test_a_file_takes_precedence_over_pasted_text(client):
    page = client.post(
        "/", files={"text": (None, "not this"), "file": ("tax.txt", TEXT.encode("utf-8-sig"))}
    )
    assert page.status_code == 200
    assert "<title>Ministers Clash over Tax</title>" in page.text
    assert "not this" not in page.text


def test_a_file_may_be_a_web_page(client):
    pytest.importorskip("trafilatura", reason="needs the extra 'html'")
    html = f"<html><head><title>Tax</title></head><body><nav>Home</nav><article><p>{TEXT * 3}</p></article></body>"
    page = client.post("/", files={"file": ("tax.HTML", html.encode())})
    assert page.status_code == 200
    assert "Senator Carl Amsel" in re.sub(r"<[^>]*>", "", page.text)
    empty = client.post("/", files={"file": ("tax.html", b"<p></p>")})
    assert empty.status_code == 422
    assert "file: tax.html: expected a" in empty.text


@pytest.mark.parametrize(
    ("files", "status", "detail"),
    [
        ({"text": (None, " ")}, 422, "text: expected an article, pasted or as a file, found none"),
        ({"targets": (None, "x")}, 422, "text: expected an article"),
        (
            {"text": (None, b"\xff")},
            422,
            "text: expected UTF-8 text, found invalid start byte in line 1",
        ),
        ({"text": (None, b"a\0")}, 422, "text: expected text, found a NUL at character 1"),
        ({"file": ("a.odt", b"x")}, 422, "file: expected a name ending in .txt"),
        ({"file": ("a.pdf", b"x")}, 422, "file: a.pdf: expected a PDF"),
        ({"file": ("a.txt", b"\xff\xfea\0")}, 422, "file: a.txt: expected UTF-8 text"),
        (
            {"text": (None, "x"), "targets": (None, "\n".join(map(str, range(33))))},
            422,
            "targets: expected at most 32 items, found 33",
        ),
        ({"text": (None, "x" * 3000)}, 413, "body: expected at most 2000 bytes"),
    ],
)
def test_an_invalid_form_is_shown_again(start, files, status, detail):
    page = start(max_body=2000).post("/", files=files)
    assert page.status_code == status
    assert 'role="alert"' in page.text
    assert detail in page.text.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=", b"", 415),
        ("text/plain", b"text=x", 415),
        ("multipart/form-data; boundary=b", b"", 422),
        ("multipart/form-data; boundary=b", b"--b", 422),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--", 422),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b',
            422,
        ),
        (
            'multipart/form-data; boundary="b"',
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b--\r\n',
            200,
        ),
    ],
)
def test_malformed_forms_are_refused(client, kind, body, status):
    assert client.post("/", content=body, headers={"content-type": kind}).status_code == status


def test_pasted_text_is_shown_again_after_an_error(start, tagger, monkeypatch):
    client = start(timeout=0.2)
    monkeypatch.setattr(tagger, "begin", Slow(tagger))
    page = client.post(
        "/", files={"text": (None, "Ships <waited>."), "targets": (None, "Ships\nrail")}
    )
    assert page.status_code == 504
    assert "\nShips &lt;waited&gt;.</textarea>" in page.text
    assert "\nShips\nrail</textarea>" in page.text


@pytest.fixture
def slow_pages(monkeypatch):
    """Replace the parser of web pages by one that never ends."""
    slow_format = DocumentFormat(parsers.sleeps, 10_000, ())
    monkeypatch.setitem(DOCUMENTS, ".html", slow_format)
    yield
    end_all()


def test_a_file_that_takes_too_long_is_refused(start, slow_pages):
    client = start(timeout=1)
    page = client.post("/", files={"file": ("tax.html", b"<p>"), "targets": (None, "Ships")})
    assert page.status_code == 504
    assert 'role="alert"' in page.text
    assert "file: tax.html: expected a document that can be read within" in page.text
    assert client.post("/", files={"text": (None, TEXT)}).status_code == 200


def test_slow_files_do_not_delay_other_requests(start, slow_pages):
    client = start(timeout=2, max_articles=100)

    def post(number):
        return client.post("/", files={"file": ("tax.html", b"<p>")}).status_code

    with ThreadPoolExecutor(8) as threads:
        slow_requests = [threads.submit(post, number) for number in range(6)]
        time.sleep(0.5)
        start_time = time.monotonic()
        assert client.post("/", files={"text": (None, TEXT)}).status_code == 200
        assert client.post("/v1/tag", json={"text": TEXT}).status_code == 200
        assert time.monotonic() - start_time < 1.5
        assert [future.result() for future in slow_requests] == [504] * 6
    assert not isolation._busy
    assert client.post("/", files={"file": ("a.txt", TEXT.encode())}).status_code == 200


@needs_memory_limits
def test_a_file_that_takes_too_much_memory_is_refused(start, monkeypatch):
    monkeypatch.setitem(DOCUMENTS, ".html", DocumentFormat(parsers.takes_memory, 10_000, ()))
    page = start().post("/", files={"file": ("tax.html", b"<p>")})
    end_all()
    assert page.status_code == 422
    assert "found one that needs more memory" in page.text


def test_templates_of_the_form_are_in_the_package():
    folder = resources.files("claimstance.inference.pages") / "templates"
    assert {"ask.html", "ask.css", "ask.js"} <= {Path(str(path)).name for path in folder.iterdir()}


def test_wrapped_lines_of_pasted_text_are_joined(client):
    text = "\n\n".join(textwrap.fill(TEXT * 6, width) for width in (60, 60, 60))
    page = client.post("/", files={"text": (None, text)}).text
    assert "the tax is theft. Ministers Clash over Tax Senator" in re.sub(r"<[^>]*>", "", page)
