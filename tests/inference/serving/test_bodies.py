"""Test bodies in arrival, and which of them are dropped where there is no room for all."""

import asyncio

import pytest

from claimstance.inference.serving import bodies
from claimstance.inference.serving.bodies import BodyLimits
from claimstance.inference.serving.problems import Refusal
from claimstance.inference.serving.settings import Settings
from helpers import serving  # noqa: F401 – skips this file where the extra is missing
from helpers.program import awaited


class Client:
    """Send a body piece by piece, under the control of the test."""

    def __init__(self, limits, address):
        self.limits, self.address = limits, address
        self.pieces = asyncio.Queue()
        self.task = asyncio.ensure_future(self._request())

    async def _request(self):
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "path": "/v1/tag", "client": (self.address, 1), "headers": headers}
        await self.limits(scope, self.pieces.get, None)
        return scope["whole"]

    async def send(self, piece, more_to_come=True):
        self.pieces.put_nowait({"type": "http.request", "body": piece, "more_body": more_to_come})
        await asyncio.sleep(0.01)
        return self

    async def leave(self):
        self.pieces.put_nowait({"type": "http.disconnect"})
        await asyncio.sleep(0.01)

    async def status(self):
        """Return the status of the refusal; ``None`` while the body is awaited."""
        await asyncio.sleep(0.01)
        if not self.task.done():
            return None
        error = self.task.exception()
        assert isinstance(error, Refusal)
        return error.status_code


@pytest.fixture
def limits(monkeypatch):
    monkeypatch.setattr(bodies, "MAX_PER_CLIENT", 3)
    monkeypatch.setattr(bodies, "MAX_MEMORY", 2)

    async def app(scope, receive, send):
        scope["whole"] = (await receive())["body"]

    return lambda **settings: BodyLimits(app, Settings(**settings), lambda: None)


def test_pieces_of_a_body_are_joined(limits):
    async def exchange():
        client = Client(limits(), "a")
        for piece in (b"{", b'"text"', b"", b': "x"'):
            await client.send(piece)
            assert await client.status() is None
        await client.send(b"}", more_to_come=False)
        return await client.task

    assert awaited(exchange()) == b'{"text": "x"}'


def test_the_oldest_body_of_the_same_client_is_dropped(limits):
    async def exchange():
        body_limits = limits()
        other_client = await Client(body_limits, "b").send(b"{")
        clients = [await Client(body_limits, "a").send(b"{") for _ in range(5)]
        statuses = [await client.status() for client in clients]
        assert statuses == [503, 503, None, None, None]
        assert await other_client.status() is None
        for client in (*clients[2:], other_client):
            await client.send(b"}", more_to_come=False)
            assert await client.task == b"{}"
        assert (body_limits._arrivals, body_limits._memory) == ({}, 0)

    awaited(exchange())


def test_the_client_with_the_most_memory_loses_its_oldest_body(limits):
    async def exchange():
        body_limits = limits(max_body=100)  # and 200 in total
        small_client = await Client(body_limits, "b").send(b"x" * 60)
        large_clients = [await Client(body_limits, "a").send(b"x" * 65) for _ in range(2)]
        assert [await client.status() for client in large_clients] == [None, None]
        await small_client.send(b"x" * 20)
        assert [await client.status() for client in (small_client, *large_clients)] == [
            None,
            503,
            None,
        ]
        await small_client.send(b"x", more_to_come=False)
        assert len(await small_client.task) == 81
        await large_clients[1].leave()
        assert await large_clients[1].status() == 499
        assert (body_limits._arrivals, body_limits._memory) == ({}, 0)

    awaited(exchange())


def test_refused_and_late_bodies_are_not_counted(limits):
    async def exchange():
        body_limits = limits(max_body=10, timeout=0.05)
        long_body, late_body = Client(body_limits, "a"), Client(body_limits, "b")
        await long_body.send(b"x" * 6)
        await late_body.send(b"x" * 6)
        await long_body.send(b"x" * 6)
        assert await long_body.status() == 413
        await asyncio.sleep(0.1)
        assert await late_body.status() == 408
        assert (body_limits._arrivals, body_limits._memory) == ({}, 0)

    awaited(exchange())


def test_a_full_server_refuses_before_the_body_arrives(limits):
    def refuse():
        raise Refusal(503, "full")

    async def exchange():
        body_limits = limits()
        body_limits._check = refuse
        assert await Client(body_limits, "a").status() == 503

    awaited(exchange())
