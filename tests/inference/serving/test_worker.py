"""The thread that reads for all requests: what it reads together, whose turn it is, and what it leaves."""

import asyncio
import threading

import pytest

from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import Refusal
from claimstance.inference.serving.worker import Worker
from helpers import serving  # noqa: F401 – which skips this where the extra is not there
from helpers.program import awaited, soon


class Held:
    """Work that begins, or ends, only once it is let go."""

    def __init__(self, told, name, holds="begin"):
        self.told, self.name, self.holds = told, name, holds
        self.begun, self.let_go, self.stop = threading.Event(), threading.Event(), None

    def __call__(self, stop):
        self.told.append(self.name)
        self.stop = stop
        self.begun.set()
        if self.holds == "begin":
            assert self.let_go.wait(20)
        return self.finish

    def finish(self):
        if self.holds == "finish":
            assert self.let_go.wait(20)
        return self.name


def plain(told, name):
    def begin(stop):
        told.append(name)
        return lambda: name

    return begin


@pytest.fixture
def make(tagger):
    workers = []

    def start(limit=10):
        worker = Worker(tagger.ahead, limit, Metrics())
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.close()


async def begun(worker, *works):
    """Hand each of these in as a request of its own, one after the other."""
    tasks = []
    for work in works:
        before = worker._in_flight
        tasks.append(asyncio.ensure_future(worker.read(work)))
        while worker._in_flight == before:
            await asyncio.sleep(0.001)
    return tasks


def test_requests_take_turns_and_each_has_its_own_in_order(make):
    worker, told = make(), []
    first = Held(told, "a1")

    async def ask():
        tasks = await begun(worker, [first])
        await asyncio.to_thread(first.begun.wait, 20)
        tasks += await begun(
            worker,
            [plain(told, f"b{n}") for n in range(3)],
            [plain(told, "c0")],
            [plain(told, f"d{n}") for n in range(2)],
        )
        first.let_go.set()
        return await asyncio.gather(*tasks)

    assert awaited(ask()) == [["a1"], ["b0", "b1", "b2"], ["c0"], ["d0", "d1"]]
    assert told == ["a1", "b0", "c0", "d0", "b1", "d1", "b2"]
    assert (worker.waiting, worker._in_flight) == (0, 0)


def test_what_waits_is_read_together(make):
    worker, told = make(), []
    first = Held(told, "first")

    async def ask():
        tasks = await begun(worker, [first], [plain(told, "second")], [plain(told, "third")])
        first.let_go.set()
        await asyncio.gather(*tasks)

    awaited(ask())
    text = worker._metrics.text().decode()
    # The others were begun before the first was done: one, two and three at a time.
    assert 'claimstance_batch_size_bucket{le="1.0"} 1.0' in text
    assert 'claimstance_batch_size_bucket{le="2.0"} 2.0' in text
    assert "claimstance_batch_size_count 3.0" in text
    assert "claimstance_batch_size_sum 6.0" in text


def test_one_that_fails_costs_no_other(make):
    def broken(stop):
        raise OSError("begun")

    def broken_later(stop):
        return lambda: 1 / 0

    worker, told = make(), []

    async def ask():
        return await asyncio.gather(
            *(
                worker.read([one])
                for one in (broken, plain(told, "a"), broken_later, plain(told, "b"))
            ),
            return_exceptions=True,
        )

    first, second, third, fourth = awaited(ask())
    assert (second, fourth) == (["a"], ["b"])
    assert (type(first), type(third)) == (OSError, ZeroDivisionError)
    assert worker.is_alive


def test_full_is_full_until_work_has_ended_not_until_somebody_gave_up(make):
    worker, told = make(limit=2), []
    held = Held(told, "held", holds="finish")

    async def ask():
        first, second = await begun(worker, [held], [plain(told, "waits")])
        with pytest.raises(Refusal) as refusal:
            await worker.read([plain(told, "late")])
        assert (refusal.value.status, refusal.value.headers) == (503, {"retry-after": "1"})
        await asyncio.to_thread(held.begun.wait, 20)
        assert not held.stop()
        first.cancel()
        await asyncio.sleep(0.01)
        assert held.stop()
        assert worker._in_flight >= 1  # it is still at work
        held.let_go.set()
        return await second

    assert awaited(ask()) == ["waits"]
    soon(lambda: worker._in_flight == 0)
    assert "late" not in told


def test_what_is_wanted_no_more_is_not_begun(make):
    worker, told = make(), []
    held = Held(told, "held")

    async def ask():
        first, left = await begun(worker, [held], [plain(told, "left"), plain(told, "too")])
        left.cancel()
        await asyncio.sleep(0.01)
        assert (worker.waiting, worker._in_flight) == (0, 1)
        held.let_go.set()
        return await first

    assert awaited(ask()) == ["held"]
    assert told == ["held"]


def test_closing_reads_what_was_handed_in(tagger):
    worker, told = Worker(tagger.ahead, 10, Metrics()), []
    worker.start()
    held = Held(told, "held")

    async def ask():
        tasks = await begun(worker, [held], [plain(told, "waits")])
        closing = asyncio.ensure_future(asyncio.to_thread(worker.close))
        held.let_go.set()
        await closing
        return await asyncio.gather(*tasks)

    assert awaited(ask()) == [["held"], ["waits"]]
    assert not worker.is_alive
