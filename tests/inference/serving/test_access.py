"""Test access to the server: tokens, host names of this machine, pages of other sites."""

import pytest

from claimstance.inference.serving.settings import Settings
from claimstance.model.errors import ConfigError
from helpers.serving import problem


def test_a_token_is_required_except_for_probes(start):
    client = start(token="sesame")
    body = {"json": {"text": "x"}}
    for credentials in (
        "",
        "Bearer",
        "Bearer sesam",
        "sesame",
        "Basic !",
        "Basic c2VzYW1l",
        "Bearer séame",
    ):
        headers = {"authorization": credentials.encode("latin-1")} if credentials else {}
        for response in (
            client.post("/v1/tag", headers=headers, **body),
            client.get("/metrics", headers=headers),
        ):
            assert problem(response)[:2] == (401, "authorization")
            assert response.headers["www-authenticate"] == "Bearer"
    # A browser asks its user for the token.
    assert client.get("/").headers["www-authenticate"].startswith("Basic ")
    for credentials in ("Bearer sesame", "bearer sesame", "Basic YW5uYTpzZXNhbWU="):
        headers = {"authorization": credentials}
        assert client.post("/v1/tag", headers=headers, **body).status_code == 200
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("host", "settings", "status"),
    [
        ("localhost:8000", {}, 200),
        ("127.0.0.1", {}, 200),
        ("[::1]:8000", {}, 200),
        ("evil.example", {}, 421),
        ("localhost.evil.example:8000", {}, 421),
        ("LOCALHOST", {}, 200),
        ("", {}, 421),
        ("news.example", {"names": ("news.example",)}, 200),
        ("other.example", {"names": ("news.example",)}, 421),
        ("any.example", {"host": "0.0.0.0", "token": "t"}, 200),
        ("any.example", {"host": "0.0.0.0", "token": "t", "names": ("news.example",)}, 421),
    ],
)
def test_hosts_that_are_not_this_server_are_refused(start, host, settings, status):
    assert start(**settings).get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost"}, 200),
        ({}, 200),
    ],
)
def test_requests_from_pages_of_other_sites_are_refused(client, headers, status):
    assert client.post("/v1/tag", json={"text": "x"}, headers=headers).status_code == status
    assert client.post("/", files={"text": (None, "x")}, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, "lets other machines in"),
        ({"host": "news.example"}, "lets other machines in"),
        ({"host": "::"}, "lets other machines in"),
        ({"token": ""}, "expected printable ASCII"),
        ({"token": "naïve"}, "expected printable ASCII"),
        ({"token": "a\n"}, "expected printable ASCII"),
    ],
)
def test_invalid_settings_are_errors(settings, message):
    with pytest.raises(ConfigError, match=message):
        Settings(**settings)


def test_other_machines_need_a_token_or_an_explicit_setting():
    for settings in (
        {"host": "0.0.0.0", "token": "t"},
        {"host": "::", "anonymous": True},
        {"host": "127.0.0.2"},
        {"host": "::1"},
        {"host": "localhost"},
    ):
        assert Settings(**settings).is_local is settings["host"].startswith(("127", "::1", "l"))
