"""The server's paths: what they answer, beside what the library gives; all of it in this process."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

from claimstance.inference import Tagger
from helpers.program import TEXT
from helpers.serving import JSON, RECORD, figure, problem


def test_an_article_is_tagged_as_by_the_library(client, tagger):
    asked = {"text": TEXT, "title": "t", "doc_id": 7, "targets": ["Carl Amsel", "rail"]}
    answer = client.post("/v1/tag", json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == tagger.tag(TEXT, ["Carl Amsel", "rail"], "7", "t").to_dict()


def test_a_list_comes_back_in_its_order(client, tagger):
    asked = [
        {"text": TEXT, "doc_id": "a"},
        {"text": ""},
        {"text": "Ships waited.", "targets": ["Ships"]},
    ]
    answer = client.post("/v1/tag", json=asked).json()
    assert (
        answer[0] == tagger.tag(TEXT, doc_id="a", title="Ministers Clash over Tax").to_dict()
    )  # as in a file
    assert answer[1]["warnings"] == ["the article has no sentence: nothing read"]
    assert answer[2] == tagger.tag("Ships waited.", ["Ships"]).to_dict()
    assert (
        client.post("/v1/tag", json=[]).json() == client.post("/v1/predict", json=[]).json() == []
    )


def test_records_come_back_with_predictions(client, tagger):
    records = [
        RECORD,
        {"id": "2", "text": "Ships waited."},
        {**RECORD, "id": "3", "text": "Ferries did not."},
    ]
    assert client.post("/v1/predict", json=records).json() == list(tagger.predict(records))
    alone = client.post("/v1/predict", json=RECORD).json()
    assert alone == next(tagger.predict([RECORD]))
    assert (
        alone != client.post("/v1/predict", json=records).json()[0]
    )  # those of one document see each other
    assert client.post("/v1/predict", json=alone).json() == alone  # what it wrote it reads


def test_neutral_stances_are_listed_if_they_are_asked_for(client, tagger):
    for neutral in (False, True):
        answer = client.post("/v1/tag", json={"text": TEXT, "neutral": neutral}).json()
        assert (
            answer == tagger.tag(TEXT, title="Ministers Clash over Tax", neutral=neutral).to_dict()
        )
    assert client.post("/v1/tag", json={"text": TEXT, "neutral": "yes"}).status_code == 422


def test_a_byte_order_mark_is_accepted(client):
    assert (
        client.post("/v1/tag", content=b'\xef\xbb\xbf{"text": "x"}', headers=JSON).status_code
        == 200
    )


def test_concurrent_requests_get_the_same_results_as_alone(start, seeds):
    """To the last byte, with the bundled model, whatever kinds and targets are read beside it."""
    client = start(Tagger.from_pretrained(threads=3), max_articles=100)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:4]]
    records = [json.loads(record.to_json()) for record in list(seeds.values())[5]]
    asked = [
        ("/v1/tag", {"text": text, "targets": targets})
        for text in texts
        for targets in ([], ["the harbour"])
    ]
    asked += [("/v1/tag", [{"text": text} for text in texts]), ("/v1/predict", records)]
    alone = [client.post(path, json=body).content for path, body in asked]
    barrier = threading.Barrier(len(asked))

    def ask(path, body):
        barrier.wait(20)
        return client.post(path, json=body).content

    with ThreadPoolExecutor(len(asked)) as pool:
        together = list(pool.map(ask, *zip(*asked, strict=True)))
    assert together == alone
    text = client.get("/metrics").text
    assert figure(text, 'claimstance_batch_size_bucket{le="1.0"}') < figure(
        text, "claimstance_batch_size_count"
    )


def test_metrics(client):
    client.post("/v1/tag", json=[{"text": TEXT}, {"text": "Ships waited."}])
    client.post("/v1/predict", json=RECORD)
    client.post("/v1/tag", json={})
    client.get("/no/such/path")
    expected = {
        'claimstance_requests_total{route="/v1/tag",status="200"}': 1,
        "claimstance_articles_total": 2,
        'claimstance_requests_total{route="/v1/tag",status="422"}': 1,
        "claimstance_sentences_total": 4,
        'claimstance_requests_total{route="other",status="404"}': 1,
        "claimstance_records_total": 1,
        'claimstance_request_seconds_count{route="/v1/predict"}': 1,
        "claimstance_queue_depth": 0,
        "claimstance_in_flight": 0,
        "claimstance_batch_size_count": 3,
    }
    text = client.get("/metrics").text
    assert {name: figure(text, name) for name in expected} == expected


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
    named = set(re.findall(r"#/components/schemas/([\w-]+)", json.dumps(told)))
    assert named <= set(schemas)
    assert set(client.post("/v1/tag", json={"text": "x"}).json()) == set(
        schemas["TaggedArticle"]["properties"]
    )
    assert set(schemas["AskedArticle"]["properties"]) == {
        "text",
        "title",
        "doc_id",
        "targets",
        "neutral",
    }


def test_no_page_loads_from_another_site(client):
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_every_answer_has_security_headers(client):
    for path in ("/", "/healthz", "/no/such/path", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
