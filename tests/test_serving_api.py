"""The server's paths: what they answer, what they refuse and how, who may ask; all of it in this process."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from program import TEXT
from serving import soon

for needed in ("fastapi", "prometheus_client", "starlette.testclient"):
    pytest.importorskip(needed, reason="needs the extra 'serve'")

from starlette.testclient import TestClient

from claimstance.inference import Tagger
from claimstance.inference.articles import Article
from claimstance.inference.serving.app import create_app
from claimstance.inference.serving.settings import Settings
from claimstance.model.errors import ConfigError
from claimstance.model.reader import StoppedError

RECORD = {"id": "1", "doc_id": "d", "text": "He said that Amsel left.", "stances": [{"holder": "He", "target": "Amsel"}]}
JSON = {"content-type": "application/json"}


@pytest.fixture
def start(tagger):
    """A client of a server with these settings."""
    clients = []

    def make(using=tagger, **settings):
        client = TestClient(create_app(using, Settings(**settings)), base_url="http://localhost",
                            raise_server_exceptions=False)
        clients.append(client)
        return client.__enter__()

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(start):
    return start()


def problem(response):
    """Status, field and detail of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"]
    assert set(told) <= {"status", "title", "detail", "field"}
    return told["status"], told.get("field"), told["detail"]


def figure(client, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return None if found is None else float(found.group(1))


# What is answered

def test_an_article_is_tagged_as_by_the_library(client, tagger):
    asked = {"text": TEXT, "title": "t", "doc_id": 7, "targets": ["Carl Amsel", "rail"]}
    answer = client.post("/v1/tag", json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == tagger.tag(TEXT, ["Carl Amsel", "rail"], "7", "t").to_dict()


def test_a_list_comes_back_in_its_order(client, tagger):
    asked = [{"text": TEXT, "doc_id": "a"}, {"text": ""}, {"text": "Ships waited.", "targets": ["Ships"]}]
    answer = client.post("/v1/tag", json=asked).json()
    assert answer[0] == tagger.tag(TEXT, doc_id="a", title="Ministers Clash over Tax").to_dict()  # as in a file
    assert answer[1]["warnings"] == ["the article has no sentence: nothing read"]
    assert answer[2] == tagger.tag("Ships waited.", ["Ships"]).to_dict()
    assert client.post("/v1/tag", json=[]).json() == client.post("/v1/predict", json=[]).json() == []


def test_records_come_back_with_what_is_predicted(client, tagger):
    records = [RECORD, {"id": "2", "text": "Ships waited."}, {**RECORD, "id": "3", "text": "Ferries did not."}]
    assert client.post("/v1/predict", json=records).json() == list(tagger.predict(records))
    alone = client.post("/v1/predict", json=RECORD).json()
    assert alone == next(tagger.predict([RECORD]))
    assert alone != client.post("/v1/predict", json=records).json()[0]  # those of one document see each other
    assert client.post("/v1/predict", json=alone).json() == alone  # what it wrote it reads


def test_a_byte_order_mark_is_no_mistake(client):
    assert client.post("/v1/tag", content=b'\xef\xbb\xbf{"text": "x"}', headers=JSON).status_code == 200


def test_requests_together_get_what_each_would_alone(start, seeds):
    """To the last byte, with the bundled model, whatever kinds and targets are read beside it."""
    client = start(Tagger.from_pretrained(threads=3), max_articles=100)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:4]]
    records = [json.loads(record.to_json()) for record in list(seeds.values())[5]]
    asked = [("/v1/tag", {"text": text, "targets": targets}) for text in texts for targets in ([], ["the harbour"])]
    asked += [("/v1/tag", [{"text": text} for text in texts]), ("/v1/predict", records)]
    alone = [client.post(path, json=body).content for path, body in asked]
    barrier = threading.Barrier(len(asked))

    def ask(path, body):
        barrier.wait(20)
        return client.post(path, json=body).content

    with ThreadPoolExecutor(len(asked)) as pool:
        together = list(pool.map(ask, *zip(*asked, strict=True)))
    assert together == alone
    assert figure(client, 'claimstance_batch_size_bucket{le="1.0"}') < figure(client, "claimstance_batch_size_count")


def test_figures(client):
    client.post("/v1/tag", json=[{"text": TEXT}, {"text": "Ships waited."}])
    client.post("/v1/predict", json=RECORD)
    client.post("/v1/tag", json={})
    client.get("/no/such/path")
    expected = {
        'claimstance_requests_total{route="/v1/tag",status="200"}': 1, "claimstance_articles_total": 2,
        'claimstance_requests_total{route="/v1/tag",status="422"}': 1, "claimstance_sentences_total": 4,
        'claimstance_requests_total{route="other",status="404"}': 1, "claimstance_records_total": 1,
        'claimstance_request_seconds_count{route="/v1/predict"}': 1, "claimstance_queue_depth": 0,
        "claimstance_in_flight": 0, "claimstance_batch_size_count": 3,
    }
    assert {name: figure(client, name) for name in expected} == expected


def test_probes(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    client.app.state.server.is_leaving = True
    assert problem(client.get("/readyz"))[0] == 503
    assert client.get("/healthz").headers["connection"] == "close"


def test_the_description_has_examples_that_can_be_sent(client):
    told = client.get("/openapi.json").json()
    assert set(told["paths"]) == {"/v1/tag", "/v1/predict", "/healthz", "/readyz", "/metrics"}
    for path in ("/v1/tag", "/v1/predict"):
        post = told["paths"][path]["post"]
        assert {"200", "401", "413", "422", "503", "504"} <= set(post["responses"])
        for example in post["requestBody"]["content"]["application/json"]["examples"].values():
            assert client.post(path, json=example["value"]).status_code == 200
    schemas = told["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(told)))
    assert named <= set(schemas)
    assert set(client.post("/v1/tag", json={"text": "x"}).json()) == set(schemas["TaggedArticle"]["properties"])
    assert set(schemas["AskedArticle"]["properties"]) == {"text", "title", "doc_id", "targets"}


def test_no_page_that_loads_from_elsewhere(client):
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_every_answer_says_what_browsers_may_do_with_it(client):
    for path in ("/", "/healthz", "/no/such/path", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


# What is refused: JSON and fields

NESTED = [b"[" * depth + b"]" * depth for depth in (60, 500, 100_000)]


@pytest.mark.parametrize(("body", "field", "detail"), [
    (b"", "body", "expected JSON"),
    (b"{", "body", "expected JSON"),
    (b'"x"', "body", "expected an article, an object with its 'text', found 'x'"),
    (b"null", "body", "expected an article"),
    (b"[1]", "[0]", "expected an article"),
    (b"{}", "text", "expected a value, found none"),
    (b'[{"text": "x"}, {"doc_id": "y"}]', "[1].text", "expected a value, found none"),
    (b'{"text": 7}', "text", "should be a valid string, found 7"),
    (b'{"text": null}', "text", "should be a valid string, found None"),
    (b'{"text": "x", "targets": "NATO"}', "targets", "should be a valid list, found 'NATO'"),
    (b'{"text": "x", "targets": ["a", 7]}', "targets[1]", "should be a valid string, found 7"),
    (b'{"text": "x", "targets": ["a", " "]}', "targets[1]", "expected a name or a topic, found a blank one"),
    (b'{"text": "x", "target": ["a"]}', "target", "Did you mean 'targets'?"),
    (b'{"text": "x", "title": ["a"]}', "title", "should be a valid string"),
    (b'{"text": "x", "doc_id": true}', "doc_id", "should be a valid string"),
    (json.dumps({"text": "x", "targets": ["a"] * 33}).encode(), "targets", "at most 32 items"),
    (json.dumps({"text": "x", "targets": ["a" * 201]}).encode(), "targets[0]", "at most 200 characters"),
    (json.dumps([{"text": ""}] * 1001).encode(), "body", "at most 1000 of a list, found 1001"),
    (b'{"text": "\xff"}', "body", "expected UTF-8, found invalid start byte (byte 11)"),
    ('{"text": "x"}'.encode("utf-16"), "body", "expected UTF-8"),
    (b'{"text": "a\0"}', "body", "expected JSON"),
    (b'{"text": "a\\u0000"}', "text", "expected text, found a NUL at character 1"),
    (b'{"text": "a\\ud800b"}', "text", "found half of a surrogate pair, '\\ud800', at character 1"),
    (b'[{"text": "x", "targets": ["\\udfff"]}]', "[0].targets[0]", "half of a surrogate pair"),
    (b'{"text": "x", "\\ud800": 1}', "body", "half of a surrogate pair"),
    (b'{"text": NaN}', "body", "the number NaN"),
    (b'{"text": 1e999}', "body", "the number 1e999"),
    (b'{"text": ' + b"9" * 5000 + b"}", "body", "expected JSON"),
    *((b'{"text": ' + nested + b"}", None, "") for nested in NESTED),
    *((nested, None, "") for nested in NESTED),
])
def test_articles_that_cannot_be_read(client, body, field, detail):
    status, where, told = problem(client.post("/v1/tag", content=body, headers=JSON))
    assert status == 422
    assert told.startswith(f"{where}: ")
    assert detail in told
    assert field in (None, where)


@pytest.mark.parametrize(("body", "field", "detail"), [
    (b"7", "body", "expected a JSON object, found 7"),
    (b'[{"id": "1", "text": "x"}, {"id": "2"}]', "[1].text", "expected a value, found none"),
    (b'{"id": "1", "text": "x", "stance": []}', "stance", "Did you mean 'stances'?"),
    (b'{"id": "1", "text": "x", "entities": [{"span": [[0, 2]], "label": "PERSON"}]}', "entities[0].span",
     "expected 0 <= start < end <= 1"),
    (b'[{"id": "1", "text": "x", "stances": [{"target": 7}]}]', "[0].stances[0].target",
     "expected a valid array, found 7"),
    (b'{"id": "1", "text": "x", "stances": [{"target": "x", "hold": 1}]}', "stances[0].hold", "Did you mean 'holder'?"),
    (b'{"id": "1", "text": "x", "meta": {"a": 1e999}}', "body", "the number 1e999"),
    (b'{"id": "1", "text": "x", "meta": {"a": ["\\ud800"]}}', "meta.a[0]", "half of a surrogate pair"),
    *((nested, None, "") for nested in NESTED),
    *((b'{"id": "1", "text": "x", "meta": {"a": ' + nested + b"}}", None, "") for nested in NESTED[1:]),
])
def test_records_that_cannot_be_read(client, body, field, detail):
    status, where, told = problem(client.post("/v1/predict", content=body, headers=JSON))
    assert status == 422
    assert detail in told
    assert field in (None, where)


@pytest.mark.parametrize("depth", [60, 150, 190, 199, 205])
def test_what_travels_along_may_be_nested_as_deep_as_it_can_be_written(client, depth):
    answer = client.post("/v1/predict", headers=JSON, content=(
        b'{"id": "1", "text": "x", "meta": {"a": ' + b"[" * depth + b"]" * depth + b"}}"))
    assert answer.status_code in (200, 422)
    if depth < 190:
        assert answer.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {**JSON, "content-encoding": "gzip"}])
def test_only_json_as_it_is(client, headers):
    assert problem(client.post("/v1/tag", content=b'{"text": "x"}', headers=headers))[0] == 415


def test_paths_and_methods_that_there_are_not(client):
    assert problem(client.get("/v1/other"))[0] == 404
    assert problem(client.get("/v1/tag"))[0] == 405
    assert client.get("/v1/tag").headers["allow"] == "POST"


def test_a_mistake_of_the_program_is_told_as_such(start, tagger, monkeypatch):
    client = start()
    monkeypatch.setattr(tagger, "begin", lambda *_: 1 / 0)
    assert problem(client.post("/v1/tag", json={"text": "x"}))[0] == 500
    monkeypatch.undo()
    assert client.post("/v1/tag", json={"text": "x"}).status_code == 200


# What is refused: limits

def test_a_body_that_is_too_long(start):
    client = start(max_body=100)
    assert client.post("/v1/tag", content=b'{"text": "x"}'.ljust(100), headers=JSON).status_code == 200
    assert problem(client.post("/v1/tag", content=b'{"text": "x"}'.ljust(101), headers=JSON))[0] == 413
    assert problem(client.post("/v1/tag", content=iter([b'{"text": "x"}', b" " * 100]), headers=JSON)) == (
        413, "body", "body: expected at most 100 bytes, found more")


class Slow:
    """In place of a tagger's ``begin``: gives nothing until it is let go or told to stop."""

    def __init__(self, tagger):
        self.begin, self.go, self.begun, self.stopped = tagger.begin, threading.Event(), threading.Event(), False

    def __call__(self, article, targets, stop):
        finish = self.begin(article, targets, stop)
        self.begun.set()

        def wait():
            while not self.go.wait(0.01):
                if stop():
                    self.stopped = True
                    raise StoppedError
            return finish()

        return wait


def test_as_many_as_may_be(start, tagger, monkeypatch):
    client = start(max_articles=1)
    slow = Slow(tagger)
    monkeypatch.setattr(tagger, "begin", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(partial(client.post, "/v1/tag", json={"text": "x"}))
        assert slow.begun.wait(20)
        for refused in (client.post("/v1/tag", json={"text": "x"}), client.post("/v1/predict", json=RECORD),
                        client.get("/readyz")):
            assert problem(refused)[0] == 503
            assert refused.headers["retry-after"] == "1"
        form = client.post("/", files={"text": (None, "x")})
        assert (form.status_code, form.headers["retry-after"]) == (503, "1")
        assert figure(client, "claimstance_in_flight") == 1
        slow.go.set()
        assert first.result(20).status_code == 200
    assert client.post("/v1/tag", json={"text": "x"}).status_code == 200


def test_what_takes_too_long_is_not_read_on(start, tagger, monkeypatch):
    client = start(timeout=0.2, max_articles=1)
    slow = Slow(tagger)
    monkeypatch.setattr(tagger, "begin", slow)
    assert problem(client.post("/v1/tag", json={"text": "x"}))[0] == 504
    soon(lambda: slow.stopped)
    slow.go.set()
    while (answer := client.post("/v1/tag", json={"text": "x"})).status_code == 503:
        pass  # until the thread has noticed
    assert answer.status_code == 200


# Who may ask

def test_a_token(start):
    client = start(token="sesame")
    body = {"json": {"text": "x"}}
    for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Bearer sesam"}, {"authorization": "sesame"},
                    {"authorization": "Basic !"}, {"authorization": "Basic c2VzYW1l"}, {"authorization": "Bearer séame"}):
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        for refused in (client.post("/v1/tag", headers=sent, **body), client.get("/metrics", headers=sent)):
            assert problem(refused)[:2] == (401, "authorization")
            assert refused.headers["www-authenticate"] == "Bearer"
    assert client.get("/").headers["www-authenticate"].startswith("Basic ")  # a browser asks for it
    for good in ("Bearer sesame", "bearer sesame", "Basic YW5uYTpzZXNhbWU="):
        assert client.post("/v1/tag", headers={"authorization": good}, **body).status_code == 200
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


@pytest.mark.parametrize(("host", "settings", "status"), [
    ("localhost:8000", {}, 200), ("127.0.0.1", {}, 200), ("[::1]:8000", {}, 200), ("evil.example", {}, 421),
    ("localhost.evil.example:8000", {}, 421), ("LOCALHOST", {}, 200), ("", {}, 421),
    ("news.example", {"names": ("news.example",)}, 200), ("other.example", {"names": ("news.example",)}, 421),
    ("any.example", {"host": "0.0.0.0", "token": "t"}, 200),
    ("any.example", {"host": "0.0.0.0", "token": "t", "names": ("news.example",)}, 421),
])
def test_another_name_that_leads_to_this_machine(start, host, settings, status):
    assert start(**settings).get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(("headers", "status"), [
    ({"sec-fetch-site": "cross-site"}, 403), ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "same-origin", "origin": "http://localhost"}, 200), ({"sec-fetch-site": "none"}, 200),
    ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403), ({"origin": "http://localhost"}, 200), ({}, 200),
])
def test_pages_of_other_sites_may_not_have_a_browser_ask(client, headers, status):
    assert client.post("/v1/tag", json={"text": "x"}, headers=headers).status_code == status
    assert client.post("/", files={"text": (None, "x")}, headers=headers).status_code == status


@pytest.mark.parametrize(("settings", "message"), [
    ({"host": "0.0.0.0"}, "lets other machines in"), ({"host": "news.example"}, "lets other machines in"),
    ({"host": "::"}, "lets other machines in"), ({"token": ""}, "expected printable ASCII"),
    ({"token": "naïve"}, "expected printable ASCII"), ({"token": "a\n"}, "expected printable ASCII"),
])
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        Settings(**settings)


def test_others_only_with_a_token_or_by_saying_so():
    for settings in ({"host": "0.0.0.0", "token": "t"}, {"host": "::", "anonymous": True}, {"host": "127.0.0.2"},
                     {"host": "::1"}, {"host": "localhost"}):
        assert Settings(**settings).is_local is settings["host"].startswith(("127", "::1", "l"))


# The page

def test_the_form(client):
    page = client.get("/")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert "http://" not in re.sub(r"<pre>.*?</pre>", "", page.text, flags=re.DOTALL)
    assert "form-action &#39;self&#39;" in page.text


def test_an_article_that_was_pasted(client, tagger):
    from claimstance.inference.page import render_page

    pasted = {"text": (None, TEXT.replace("\n", "\r\n")), "targets": (None, " Carl Amsel \r\n\r\nrail\r\n"),
              "file": ("", b"", "application/octet-stream")}
    page = client.post("/", files=pasted)
    expected = render_page(tagger.begin(Article("", TEXT, "Ministers Clash over Tax"), ["Carl Amsel", "rail"])(), back="/")
    assert (page.status_code, page.text) == (200, expected)
    assert '<a href="/">Another article</a>' in page.text


def test_a_file(client):
    page = client.post("/", files={"text": (None, "not this"), "file": ("tax.txt", TEXT.encode("utf-8-sig"))})
    assert page.status_code == 200
    assert "<title>Ministers Clash over Tax</title>" in page.text
    assert "not this" not in page.text


def test_a_web_page(client):
    pytest.importorskip("trafilatura", reason="needs the extra 'html'")
    html = f"<html><head><title>Tax</title></head><body><nav>Home</nav><article><p>{TEXT * 3}</p></article></body></html>"
    page = client.post("/", files={"file": ("tax.HTML", html.encode())})
    assert page.status_code == 200
    assert "Senator Carl Amsel" in re.sub(r"<[^>]*>", "", page.text)
    empty = client.post("/", files={"file": ("tax.html", b"<p></p>")})
    assert (empty.status_code, "expected a web page with an article in it" in empty.text) == (422, True)


@pytest.mark.parametrize(("files", "status", "detail"), [
    ({"text": (None, " ")}, 422, "text: expected an article, pasted or as a file, found none"),
    ({"targets": (None, "x")}, 422, "text: expected an article"),
    ({"text": (None, b"\xff")}, 422, "text: expected UTF-8 text, found invalid start byte in line 1"),
    ({"text": (None, b"a\0")}, 422, "text: expected text, found a NUL at character 1"),
    ({"file": ("a.pdf", b"x")}, 422, "file: expected a name ending in .txt"),
    ({"file": ("a.txt", b"\xff\xfea\0")}, 422, "file: expected UTF-8 text"),
    ({"text": (None, "x"), "targets": (None, "\n".join(map(str, range(33))))}, 422, "targets: should have at most 32"),
    ({"text": (None, "x" * 3000)}, 413, "body: expected at most 2000 bytes"),
])
def test_a_form_that_cannot_be_read_is_shown_again(start, files, status, detail):
    page = start(max_body=2000).post("/", files=files)
    assert page.status_code == status
    assert 'role="alert"' in page.text
    assert detail in page.text.replace("&#39;", "'")


@pytest.mark.parametrize(("kind", "body", "status"), [
    ("multipart/form-data", b"", 415), ("multipart/form-data; boundary=", b"", 415), ("text/plain", b"text=x", 415),
    ("multipart/form-data; boundary=b", b"", 422), ("multipart/form-data; boundary=b", b"--b", 422),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--", 422),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b', 422),
    ('multipart/form-data; boundary="b"', b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b--\r\n', 200),
])
def test_forms_that_are_none(client, kind, body, status):
    assert client.post("/", content=body, headers={"content-type": kind}).status_code == status


def test_what_was_pasted_is_there_to_be_sent_again(start, tagger, monkeypatch):
    client = start(timeout=0.2)
    monkeypatch.setattr(tagger, "begin", Slow(tagger))
    page = client.post("/", files={"text": (None, "Ships <waited>."), "targets": (None, "Ships\nrail")})
    assert page.status_code == 504
    assert "\nShips &lt;waited&gt;.</textarea>" in page.text
    assert "\nShips\nrail</textarea>" in page.text


def test_templates_of_the_form_are_in_the_package():
    from importlib import resources

    folder = resources.files("claimstance.inference") / "templates"
    assert {"ask.html", "ask.css", "ask.js"} <= {Path(str(path)).name for path in folder.iterdir()}
