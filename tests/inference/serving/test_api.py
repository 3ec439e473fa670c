"""Test the paths of the server in this process: their answers equal those of the library."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

from claimstance.inference import Tagger
from helpers.program import TEXT
from helpers.serving import JSON, RECORD, figure, problem


def test_an_article_is_tagged_as_by_the_library(client, tagger):
    article = {"text": TEXT, "title": "t", "doc_id": 7, "targets": ["Carl Amsel", "rail"]}
    answer = client.post("/v1/tag", json=article)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == tagger.tag(TEXT, ["Carl Amsel", "rail"], "7", "t").to_dict()


def test_a_list_of_articles_is_answered_in_its_order(client, tagger):
    articles = [
        {"text": TEXT, "doc_id": "a"},
        {"text": ""},
        {"text": "Ships waited.", "targets": ["Ships"]},
    ]
    answer = client.post("/v1/tag", json=articles).json()
    # As in a file, a headline is the title.
    assert answer[0] == tagger.tag(TEXT, doc_id="a", title="Ministers Clash over Tax").to_dict()
    assert answer[1]["warnings"] == ["the article has no sentence: nothing read"]
    assert answer[2] == tagger.tag("Ships waited.", ["Ships"]).to_dict()
    assert client.post("/v1/tag", json=[]).json() == []
    assert client.post("/v1/predict", json=[]).json() == []


def test_records_are_answered_with_predictions(client, tagger):
    records = [
        RECORD,
        {"id": "2", "text": "Ships waited."},
        {**RECORD, "id": "3", "text": "Ferries did not."},
    ]
    assert client.post("/v1/predict", json=records).json() == list(tagger.predict(records))
    alone = client.post("/v1/predict", json=RECORD).json()
    assert alone == next(tagger.predict([RECORD]))
    # Records of one document are one another's context.
    assert alone != client.post("/v1/predict", json=records).json()[0]
    # The server accepts its own output.
    assert client.post("/v1/predict", json=alone).json() == alone


def test_neutral_stances_are_listed_on_request(client, tagger):
    for neutral in (False, True):
        answer = client.post("/v1/tag", json={"text": TEXT, "neutral": neutral}).json()
        assert (
            answer == tagger.tag(TEXT, title="Ministers Clash over Tax", neutral=neutral).to_dict()
        )
    assert client.post("/v1/tag", json={"text": TEXT, "neutral": "yes"}).status_code == 422


def test_a_byte_order_mark_is_accepted(client):
    response = client.post("/v1/tag", content=b'\xef\xbb\xbf{"text": "x"}', headers=JSON)
    assert response.status_code == 200


def test_concurrent_requests_get_the_same_results_as_alone(start, seeds):
    """Check that the bundled model's answers are equal to the last byte, for all kinds and targets read together."""
    client = start(Tagger.from_pretrained(threads=3), max_articles=100)
    texts = ["\n".join(record.text for record in article) for article in list(seeds.values())[:4]]
    records = [json.loads(record.to_json()) for record in list(seeds.values())[5]]
    requests = [
        ("/v1/tag", {"text": text, "targets": targets})
        for text in texts
        for targets in ([], ["the harbour"])
    ]
    requests += [("/v1/tag", [{"text": text} for text in texts]), ("/v1/predict", records)]
    alone = [client.post(path, json=body).content for path, body in requests]
    barrier = threading.Barrier(len(requests))

    def post(path, body):
        barrier.wait(20)
        return client.post(path, json=body).content

    with ThreadPoolExecutor(len(requests)) as pool:
        together = list(pool.map(post, *zip(*requests, strict=True)))
    assert together == alone
    text = client.get("/metrics").text
    assert figure(text, 'claimstance_batch_size_bucket{le="1.0"}') < figure(
        text, "claimstance_batch_size_count"
    )


def test_metrics_count_requests_articles_and_records(client):
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


def test_probes_report_health_and_readiness(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    client.app.state.server.is_leaving = True
    assert problem(client.get("/readyz"))[0] == 503
    assert client.get("/healthz").headers["connection"] == "close"


def test_examples_in_the_openapi_description_can_be_sent(client):
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {
        "/v1/tag",
        "/v1/predict",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    for path in ("/v1/tag", "/v1/predict"):
        post = description["paths"][path]["post"]
        assert {"200", "401", "413", "422", "503", "504"} <= set(post["responses"])
        for example in post["requestBody"]["content"]["application/json"]["examples"].values():
            assert client.post(path, json=example["value"]).status_code == 200
    schemas = description["components"]["schemas"]
    referenced_schemas = set(re.findall(r"#/components/schemas/([\w-]+)", json.dumps(description)))
    assert referenced_schemas <= set(schemas)
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
