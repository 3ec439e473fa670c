"""The page on which an article is pasted: what it sends, and what comes back."""

import re
from importlib import resources
from pathlib import Path

import pytest

from claimstance.inference.articles.sources import Article
from claimstance.inference.pages.article_page import render_page
from helpers.program import TEXT
from helpers.serving import Slow


def test_the_form(client):
    page = client.get("/")
    assert (page.status_code, page.headers["cache-control"]) == (200, "private, no-cache")
    assert "http://" not in re.sub(r"<pre>.*?</pre>", "", page.text, flags=re.DOTALL)
    assert "form-action &#39;self&#39;" in page.text


def test_an_article_that_was_pasted(client, tagger):
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


def test_a_file(client):
    page = client.post(
        "/", files={"text": (None, "not this"), "file": ("tax.txt", TEXT.encode("utf-8-sig"))}
    )
    assert page.status_code == 200
    assert "<title>Ministers Clash over Tax</title>" in page.text
    assert "not this" not in page.text


def test_a_web_page(client):
    pytest.importorskip("trafilatura", reason="needs the extra 'html'")
    html = f"<html><head><title>Tax</title></head><body><nav>Home</nav><article><p>{TEXT * 3}</p></article></body>"
    page = client.post("/", files={"file": ("tax.HTML", html.encode())})
    assert page.status_code == 200
    assert "Senator Carl Amsel" in re.sub(r"<[^>]*>", "", page.text)
    empty = client.post("/", files={"file": ("tax.html", b"<p></p>")})
    assert (empty.status_code, "file: tax.html: expected a" in empty.text) == (422, True)


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
            "targets: should have at most 32",
        ),
        ({"text": (None, "x" * 3000)}, 413, "body: expected at most 2000 bytes"),
    ],
)
def test_a_form_that_cannot_be_read_is_shown_again(start, files, status, detail):
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
def test_forms_that_are_none(client, kind, body, status):
    assert client.post("/", content=body, headers={"content-type": kind}).status_code == status


def test_what_was_pasted_is_there_to_be_sent_again(start, tagger, monkeypatch):
    client = start(timeout=0.2)
    monkeypatch.setattr(tagger, "begin", Slow(tagger))
    page = client.post(
        "/", files={"text": (None, "Ships <waited>."), "targets": (None, "Ships\nrail")}
    )
    assert page.status_code == 504
    assert "\nShips &lt;waited&gt;.</textarea>" in page.text
    assert "\nShips\nrail</textarea>" in page.text


def test_templates_of_the_form_are_in_the_package():
    folder = resources.files("claimstance.inference.pages") / "templates"
    assert {"ask.html", "ask.css", "ask.js"} <= {Path(str(path)).name for path in folder.iterdir()}
