"""Test the requests that the server refuses, and its messages: wrong fields, and its limits."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from helpers.program import soon
from helpers.serving import JSON, RECORD, Slow, figure, problem

# JSON and its fields

NESTED = [b"[" * depth + b"]" * depth for depth in (60, 500, 100_000)]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b"", "body", "expected a value, found none"),
        (b"{", "body", "expected JSON"),
        (b'"x"', "body", "expected an object, found 'x'"),
        (b"null", "body", "expected an object, found None"),
        (b"[1]", "[0]", "expected an object, found 1"),
        (b"{}", "text", "expected a value, found none"),
        (b'[{"text": "x"}, {"doc_id": "y"}]', "[1].text", "expected a value, found none"),
        (b'{"text": 7}', "text", "expected a string, found 7"),
        (b'{"text": null}', "text", "expected a string, found None"),
        (b'{"text": "x", "targets": "NATO"}', "targets", "expected a list, found 'NATO'"),
        (b'{"text": "x", "targets": ["a", 7]}', "targets[1]", "expected a string, found 7"),
        (
            b'{"text": "x", "targets": ["a", " "]}',
            "targets[1]",
            "expected a name or a topic, found a blank one",
        ),
        (b'{"text": "x", "target": ["a"]}', "target", "Did you mean 'targets'?"),
        (b'{"text": "x", "title": ["a"]}', "title", "expected a string"),
        (b'{"text": "x", "doc_id": true}', "doc_id", "expected a string"),
        (
            json.dumps({"text": "x", "targets": ["a"] * 33}).encode(),
            "targets",
            "expected at most 32 items, found 33",
        ),
        (
            json.dumps({"text": "x", "targets": ["a" * 201]}).encode(),
            "targets[0]",
            "expected at most 200 characters, found 'aaaa",
        ),
        (
            json.dumps([{"text": ""}] * 1001).encode(),
            "body",
            "expected at most 1000 items, found 1001",
        ),
        (
            b'{"text": "\xff"}',
            "body",
            "expected JSON, found what is none: invalid unicode code point",
        ),
        ('{"text": "x"}'.encode("utf-16"), "body", "expected JSON, found what is none"),
        (b'{"text": "a\0"}', "body", "expected JSON"),
        (b'{"text": "a\\u0000"}', "text", "expected text, found a NUL at character 1"),
        (b'{"text": "a\\ud800b"}', "body", "expected JSON, found what is none"),
        (b'[{"text": "x", "targets": ["\\udfff"]}]', "body", "surrogate in hex escape"),
        (b'{"text": "x", "\\ud800": 1}', "body", "expected JSON"),
        (b'{"text": NaN}', "body", "expected JSON, found what is none"),
        (b'{"text": 1e999}', "text", "expected a string, found inf"),
        (b'{"text": ' + b"9" * 5000 + b"}", "body", "expected JSON"),
        *((b'{"text": ' + nested + b"}", None, "") for nested in NESTED),
        *((nested, None, "") for nested in NESTED),
    ],
)
def test_invalid_articles_are_refused(client, body, field, detail):
    status, refused_field, message = problem(client.post("/v1/tag", content=body, headers=JSON))
    assert status == 422
    assert message.startswith(f"{refused_field}: ")
    assert detail in message
    assert field in (None, refused_field)


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b"7", "body", "expected a JSON object, found 7"),
        (b'[{"id": "1", "text": "x"}, {"id": "2"}]', "[1].text", "expected a value, found none"),
        (b'{"id": "1", "text": "x", "stance": []}', "stance", "Did you mean 'stances'?"),
        (
            b'{"id": "1", "text": "x", "entities": [{"span": [[0, 2]], "label": "PERSON"}]}',
            "entities[0].span",
            "expected 0 <= start < end <= 1",
        ),
        (
            b'[{"id": "1", "text": "x", "stances": [{"target": 7}]}]',
            "[0].stances[0].target",
            "expected an array, found 7",
        ),
        (
            b'{"id": "1", "text": "x", "stances": [{"target": "x", "hold": 1}]}',
            "stances[0].hold",
            "Did you mean 'holder'?",
        ),
        (
            b'{"id": "1", "text": "x", "stances": [{"target": "x", "probabilities": {"favor": 1e999}}]}',
            "stances[0].probabilities.favor",
            "expected a finite number, found inf",
        ),
        (b'{"id": "1", "text": "x", "meta": {"a": ["\\ud800"]}}', "body", "expected JSON"),
        *((nested, None, "") for nested in NESTED),
        *(
            (b'{"id": "1", "text": "x", "meta": {"a": ' + nested + b"}}", None, "")
            for nested in NESTED[1:]
        ),
    ],
)
def test_invalid_records_are_refused(client, body, field, detail):
    status, refused_field, message = problem(client.post("/v1/predict", content=body, headers=JSON))
    assert status == 422
    assert detail in message
    assert field in (None, refused_field)


def test_infinite_numbers_are_answered_as_null(client):
    answer = client.post(
        "/v1/predict",
        content=b'{"id": "1", "text": "x", "meta": {"a": [1e999, -1e999]}}',
        headers=JSON,
    )
    assert answer.json()["meta"] == {"a": [None, None]}


@pytest.mark.parametrize("depth", [60, 150, 190, 199, 205])
def test_meta_may_be_nested_as_deep_as_it_can_be_written(client, depth):
    answer = client.post(
        "/v1/predict",
        headers=JSON,
        content=(b'{"id": "1", "text": "x", "meta": {"a": ' + b"[" * depth + b"]" * depth + b"}}"),
    )
    assert answer.status_code in (200, 422)
    if depth < 190:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "text/plain"}, {**JSON, "content-encoding": "gzip"}]
)
def test_only_uncompressed_json_is_accepted(client, headers):
    assert problem(client.post("/v1/tag", content=b'{"text": "x"}', headers=headers))[0] == 415


def test_unknown_paths_and_methods_are_refused(client):
    assert problem(client.get("/v1/other"))[0] == 404
    assert problem(client.get("/v1/tag"))[0] == 405
    assert client.get("/v1/tag").headers["allow"] == "POST"


def test_an_internal_error_is_answered_with_500(start, tagger, monkeypatch):
    client = start()
    monkeypatch.setattr(tagger, "begin", lambda *_: 1 / 0)
    assert problem(client.post("/v1/tag", json={"text": "x"}))[0] == 500
    monkeypatch.undo()
    assert client.post("/v1/tag", json={"text": "x"}).status_code == 200


# Limits


def test_a_body_over_the_limit_is_refused(start):
    client = start(max_body=100)

    def post(content):
        return client.post("/v1/tag", content=content, headers=JSON)

    assert post(b'{"text": "x"}'.ljust(100)).status_code == 200
    assert problem(post(b'{"text": "x"}'.ljust(101)))[0] == 413
    chunks = iter([b'{"text": "x"}', b" " * 100])
    message = "body: expected at most 100 bytes, found more"
    assert problem(post(chunks)) == (413, "body", message)


def test_requests_over_the_limit_of_articles_are_refused(start, tagger, monkeypatch):
    client = start(max_articles=1)
    slow = Slow(tagger)
    monkeypatch.setattr(tagger, "begin", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(partial(client.post, "/v1/tag", json={"text": "x"}))
        assert slow.begun.wait(20)
        for response in (
            client.post("/v1/tag", json={"text": "x"}),
            client.post("/v1/predict", json=RECORD),
            client.get("/readyz"),
        ):
            assert problem(response)[0] == 503
            assert response.headers["retry-after"] == "1"
        form = client.post("/", files={"text": (None, "x")})
        assert (form.status_code, form.headers["retry-after"]) == (503, "1")
        assert figure(client.get("/metrics").text, "claimstance_in_flight") == 1
        slow.go.set()
        assert first.result(20).status_code == 200
    assert client.post("/v1/tag", json={"text": "x"}).status_code == 200


def test_a_request_over_the_timeout_is_cancelled(start, tagger, monkeypatch):
    client = start(timeout=0.2, max_articles=1)
    slow = Slow(tagger)
    monkeypatch.setattr(tagger, "begin", slow)
    assert problem(client.post("/v1/tag", json={"text": "x"}))[0] == 504
    soon(lambda: slow.stopped)
    slow.go.set()
    while (answer := client.post("/v1/tag", json={"text": "x"})).status_code == 503:
        pass  # until the thread has noticed
    assert answer.status_code == 200


PAIR = {"target": "Amsel"}


@pytest.mark.parametrize(
    ("path", "fits", "too_many", "count"),
    [
        (
            "/v1/tag",
            {"text": "x", "targets": ["a", "b", "c"]},
            {"text": "x", "targets": [*"abcd"]},
            4,
        ),
        (
            "/v1/tag",
            [{"text": "x", "targets": ["a", "b"]}, {"text": "y", "targets": ["c"]}],
            [{"text": "x", "targets": ["a", "b"]}] * 3,
            6,
        ),
        ("/v1/tag", [{"text": "x"}] * 10, [{"text": "x", "targets": ["a"]}] * 10, 10),
        ("/v1/predict", {**RECORD, "stances": [PAIR] * 3}, {**RECORD, "stances": [PAIR] * 40}, 40),
        (
            "/v1/predict",
            [{**RECORD, "stances": [PAIR]}] * 3,
            [{**RECORD, "stances": [PAIR] * 2}] * 2,
            4,
        ),
    ],
)
def test_requests_over_the_limit_of_stances_are_refused(start, path, fits, too_many, count):
    client = start(max_pairs=3, max_articles=100)
    assert client.post(path, json=fits).status_code == 200
    assert problem(client.post(path, json=too_many)) == (
        422,
        "body",
        "body: expected at most 3 stances to be asked about in a request (targets of articles, stances of "
        f"records), found {count}; send several requests",
    )


def test_targets_of_a_form_are_limited_too(start):
    page = start(max_pairs=2).post("/", files={"text": (None, "x"), "targets": (None, "a\nb\nc")})
    assert page.status_code == 422
    assert "at most 2 stances" in page.text
