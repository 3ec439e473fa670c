"""Bodies in arrival: the ones that are dropped where there is no room for all."""

import asyncio

import pytest

from claimstance.inference.serving import bodies
from claimstance.inference.serving.bodies import BodyLimits
from claimstance.inference.serving.problems import Refusal
from claimstance.inference.serving.settings import Settings
from helpers import serving  # noqa: F401 – which skips this where the extra is not there
from helpers.program import awaited


class Client:
    """Sends a body piece by piece, as the test says."""

    def __init__(self, limits, address):
        self.limits, self.address = limits, address
        self.pieces = asyncio.Queue()
        self.task = asyncio.ensure_future(self._ask())

    async def _ask(self):
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "path": "/v1/tag", "client": (self.address, 1), "headers": headers}
        await self.limits(scope, self.pieces.get, None)
        return scope["whole"]

    async def send(self, piece, more=True):
        self.pieces.put_nowait({"type": "http.request", "body": piece, "more_body": more})
        await asyncio.sleep(0.01)
        return self

    async def leave(self):
        self.pieces.put_nowait({"type": "http.disconnect"})
        await asyncio.sleep(0.01)

    async def status(self):
        """Of the refusal; ``None`` if it is still waited for."""
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


def test_a_whole_body_comes_at_once(limits):
    async def ask():
        client = Client(limits(), "a")
        for piece in (b"{", b'"text"', b"", b': "x"'):
            await client.send(piece)
            assert await client.status() is None
        await client.send(b"}", more=False)
        return await client.task

    assert awaited(ask()) == b'{"text": "x"}'


def test_the_oldest_body_of_the_same_client_is_dropped(limits):
    async def ask():
        shared = limits()
        other = await Client(shared, "b").send(b"{")
        same = [await Client(shared, "a").send(b"{") for _ in range(5)]
        statuses = [await client.status() for client in same]
        assert statuses == [503, 503, None, None, None]
        assert await other.status() is None
        for client in (*same[2:], other):
            await client.send(b"}", more=False)
            assert await client.task == b"{}"
        assert (shared._arrivals, shared._memory) == ({}, 0)

    awaited(ask())


def test_the_client_with_the_most_memory_loses_its_oldest_body(limits):
    async def ask():
        shared = limits(max_body=100)  # and 200 of all
        small = await Client(shared, "b").send(b"x" * 60)
        large = [await Client(shared, "a").send(b"x" * 65) for _ in range(2)]
        assert [await client.status() for client in large] == [None, None]
        await small.send(b"x" * 20)
        assert [await client.status() for client in (small, *large)] == [None, 503, None]
        await small.send(b"x", more=False)
        assert len(await small.task) == 81
        await large[1].leave()
        assert await large[1].status() == 499
        assert (shared._arrivals, shared._memory) == ({}, 0)

    awaited(ask())


def test_refused_and_late_bodies_are_not_counted(limits):
    async def ask():
        shared = limits(max_body=10, timeout=0.05)
        long, late = Client(shared, "a"), Client(shared, "b")
        await long.send(b"x" * 6)
        await late.send(b"x" * 6)
        await long.send(b"x" * 6)
        assert await long.status() == 413
        await asyncio.sleep(0.1)
        assert await late.status() == 408
        assert (shared._arrivals, shared._memory) == ({}, 0)

    awaited(ask())


def test_a_full_server_refuses_before_the_body_arrives(limits):
    def full():
        raise Refusal(503, "full")

    async def ask():
        shared = limits()
        shared._check = full
        assert await Client(shared, "a").status() == 503

    awaited(ask())
