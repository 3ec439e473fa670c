"""Articles from addresses, of a server on loopback: only when asked for, over http and https, within time and size."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from claimstance.inference.articles.fetching import fetch
from claimstance.inference.articles.sources import Article, read_articles
from claimstance.model.errors import ConfigError, InputError
from helpers.documents import pdf
from helpers.paths import DATA
from helpers.program import articles

PAGE = (DATA / "articles" / "plain.html").read_bytes()
LEVEE = (DATA / "articles" / "levee.html").read_bytes()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers["User-Agent"]))
        answer = self.server.answers.get(self.path, (404, {}, b""))
        if callable(answer):
            answer(self)
            return
        code, headers, body = answer
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A web server on loopback; ``answers`` says what it answers to which path."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.answers, server.asked = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def html(body, **headers):
    return 200, {"Content-Type": "text/html", **headers}, body


def test_a_page(server):
    pytest.importorskip("trafilatura")
    server.answers["/a"] = html(PAGE)
    (article,) = read_articles([f"{server.url}/a"], network=True)
    assert (article.doc_id, article.title) == (f"{server.url}/a", "Bridge to close for a year")
    assert article.meta["url"] == f"{server.url}/a"
    ((path, agent),) = server.asked
    assert path == "/a"
    assert agent.startswith("claimstance/")


def test_the_encoding_that_the_server_names(server):
    pytest.importorskip("trafilatura")
    server.answers["/a"] = html(
        LEVEE.replace(b'<meta charset="iso-8859-2">', b""),
        **{"Content-Type": "text/html; charset=ISO-8859-2"},
    )
    assert "Łukasz Żuraw" in fetch(f"{server.url}/a").text


def test_a_redirection_and_an_address_that_is_not_ascii(server):
    server.answers["/%C5%81%C3%B3d%C5%BA"] = (302, {"Location": "/b"}, b"")
    server.answers["/b"] = (200, {"Content-Type": "text/plain"}, b"He left.")
    assert fetch(f"{server.url}/Łódź") == Article(
        f"{server.url}/Łódź", "He left.", meta={"url": f"{server.url}/b"}
    )


def test_a_pdf(server):
    pytest.importorskip("pypdf")
    server.answers["/a"] = (200, {"Content-Type": "application/pdf"}, pdf(["He left."]))
    assert fetch(f"{server.url}/a").text == "He left."


def test_a_page_that_is_packed_unasked(server):
    server.answers["/a"] = (
        200,
        {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
        gzip.compress(b"He left."),
    )
    assert fetch(f"{server.url}/a").text == "He left."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {}, b""), "expected an article, found the answer 404 Not Found"),
        ((500, {}, b"x"), "expected an article, found the answer 500 Internal Server Error"),
        (
            (302, {"Location": "file:///etc/hostname"}, b""),
            "expected an article, found the answer 302 ",
        ),
        ((302, {"Location": "ftp://127.0.0.1/x"}, b""), "cannot be fetched: unknown url type: ftp"),
        ((302, {"Location": "/a"}, b""), "expected an article, found the answer 302 "),
        (
            (200, {"Content-Type": "image/png"}, b"x"),
            "expected a web page, plain text, a PDF or a Word document, found 'image/png'",
        ),
        (
            (200, {"Content-Type": "text/plain", "Content-Length": "50"}, b"He left."),
            "expected 50 bytes, found 8: it was cut off",
        ),
        (
            (200, {"Content-Type": "text/plain", "Content-Encoding": "br"}, b"x"),
            "expected a page as it is, or packed by gzip, found 'br' that cannot be unpacked",
        ),
        (
            (200, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, b"x"),
            "expected a page as it is, or packed by gzip, found 'gzip' that cannot be unpacked",
        ),
        (
            (
                200,
                {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
                gzip.compress(b"x" * 50_000_000),
            ),
            "expected at most 10,000,000 bytes, found more",
        ),
        (
            (200, {"Content-Type": "text/plain"}, b"x" * 10_000_001),
            "expected at most 10,000,000 bytes, found more",
        ),
        (
            (200, {"Content-Type": "text/plain"}, b"\xff"),
            ", line 1: expected UTF-8 text, found invalid start",
        ),
        (lambda handler: handler.wfile.write(b"no HTTP at all\r\n\r\n"), "cannot be fetched: "),
        (lambda handler: handler.connection.close(), "cannot be fetched: "),
    ],
)
def test_what_is_no_article(server, answer, message):
    server.answers["/a"] = answer
    (found,) = read_articles([f"{server.url}/a"], network=True)
    assert isinstance(found, InputError)
    assert str(found).startswith(f"{server.url}/a")
    assert message in str(found)
    assert "\n" not in str(found)


def test_a_server_that_takes_its_time(server):
    def drip(handler):
        try:
            for _ in range(200):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    server.answers["/a"] = drip
    begun = time.monotonic()
    with pytest.raises(
        InputError, match=r"/a: expected all of it within 0\.5 seconds, found it not sent by then$"
    ):
        fetch(f"{server.url}/a", seconds=0.5)
    assert time.monotonic() - begun < 5


def test_nobody_there(server):
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:1/a: cannot be fetched: .*refused"):
        fetch("http://127.0.0.1:1/a")


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "http://127.0.0.1:x/", "https://a b/", "http://\ud800/"]
)
def test_an_address_that_is_none(server, url):
    with pytest.raises(InputError):
        fetch(url)


def test_nothing_is_fetched_unless_asked_for(server, run, model):
    server.answers["/a"] = (200, {"Content-Type": "text/plain"}, b"He left.")
    url = f"{server.url}/a"
    refused = run("tag", url, "--model", model)
    assert (refused.code, refused.out) == (2, "")
    assert refused.messages == [
        f"error: INPUT: expected --allow-network beside an address, found '{url}' alone: "
        "nothing is fetched unless it is asked for"
    ]
    with pytest.raises(ConfigError):
        next(read_articles([url]))
    assert server.asked == []
    done = run("tag", url, "--allow-network", "--model", model)
    assert (done.code, done.messages) == (0, [])
    (article,) = articles(done.out)
    assert (article["doc_id"], article["text"], article["meta"]) == (url, "He left.", {"url": url})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "file:///etc/hostname"])
def test_other_schemes(run, model, url):
    refused = run("tag", url, "--allow-network", "--model", model)
    assert (refused.code, refused.messages) == (
        2,
        [f"error: INPUT: expected an address that begins with http:// or https://, found '{url}'"],
    )
