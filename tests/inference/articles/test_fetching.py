"""Test articles fetched from a server on loopback: only on request, over HTTP and HTTPS, within limits."""

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
        self.server.requests.append((self.path, self.headers["User-Agent"]))
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
    """Run a web server on loopback; its attribute ``answers`` maps paths to answers."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.answers, server.requests = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def html(body, **headers):
    return 200, {"Content-Type": "text/html", **headers}, body


def test_a_page_is_fetched(server):
    pytest.importorskip("trafilatura")
    server.answers["/a"] = html(PAGE)
    (article,) = read_articles([f"{server.url}/a"], network=True)
    assert (article.doc_id, article.title) == (f"{server.url}/a", "Bridge to close for a year")
    assert article.meta["url"] == f"{server.url}/a"
    ((path, agent),) = server.requests
    assert path == "/a"
    assert agent.startswith("claimstance/")


def test_the_encoding_of_the_content_type_is_used(server):
    pytest.importorskip("trafilatura")
    server.answers["/a"] = html(
        LEVEE.replace(b'<meta charset="iso-8859-2">', b""),
        **{"Content-Type": "text/html; charset=ISO-8859-2"},
    )
    assert "Łukasz Żuraw" in fetch(f"{server.url}/a").text


def test_a_redirect_from_a_non_ascii_url_is_followed(server):
    server.answers["/%C5%81%C3%B3d%C5%BA"] = (302, {"Location": "/b"}, b"")
    server.answers["/b"] = (200, {"Content-Type": "text/plain"}, b"He left.")
    assert fetch(f"{server.url}/Łódź") == Article(
        f"{server.url}/Łódź", "He left.", meta={"url": f"{server.url}/b"}
    )


def test_a_pdf_is_fetched(server):
    pytest.importorskip("pypdf")
    server.answers["/a"] = (200, {"Content-Type": "application/pdf"}, pdf(["He left."]))
    assert fetch(f"{server.url}/a").text == "He left."


def test_unrequested_compression_is_unpacked(server):
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
def test_answers_without_an_article_are_errors(server, answer, message):
    server.answers["/a"] = answer
    (error,) = read_articles([f"{server.url}/a"], network=True)
    assert isinstance(error, InputError)
    assert str(error).startswith(f"{server.url}/a")
    assert message in str(error)
    assert "\n" not in str(error)


def test_a_slow_server_is_cut_off(server):
    def drip(handler):
        try:
            for _ in range(200):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    server.answers["/a"] = drip
    start = time.monotonic()
    with pytest.raises(
        InputError, match=r"/a: expected all of it within 0\.5 seconds, found it not sent by then$"
    ):
        fetch(f"{server.url}/a", seconds=0.5)
    assert time.monotonic() - start < 5


def test_a_refused_connection_is_an_error(server):
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:1/a: cannot be fetched: .*refused"):
        fetch("http://127.0.0.1:1/a")


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "http://127.0.0.1:x/", "https://a b/", "http://\ud800/"]
)
def test_an_invalid_url_is_an_error(server, url):
    with pytest.raises(InputError):
        fetch(url)


def test_nothing_is_fetched_without_allow_network(server, run, model):
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
    assert server.requests == []
    done = run("tag", url, "--allow-network", "--model", model)
    assert (done.code, done.messages) == (0, [])
    (article,) = articles(done.out)
    assert (article["doc_id"], article["text"], article["meta"]) == (url, "He left.", {"url": url})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "file:///etc/hostname"])
def test_other_schemes_are_rejected(run, model, url):
    refused = run("tag", url, "--allow-network", "--model", model)
    assert (refused.code, refused.messages) == (
        2,
        [f"error: INPUT: expected an address that begins with http:// or https://, found '{url}'"],
    )
