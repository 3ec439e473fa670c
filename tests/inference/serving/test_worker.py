"""The worker thread: the articles that it begins together, the turns of requests, and abandoned jobs."""

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
def make():
    workers = []

    def start(limit=10):
        worker = Worker(2, limit, Metrics())
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


def test_requests_take_turns_and_keep_their_order(make):
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


def test_queued_articles_are_begun_together(make):
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


def test_a_failed_job_does_not_fail_other_jobs(make):
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


def test_a_cancelled_job_keeps_its_slot_until_it_ends(make):
    worker, told = make(limit=2), []
    held = Held(told, "held", holds="finish")

    async def ask():
        first, second = await begun(worker, [held], [plain(told, "waits")])
        with pytest.raises(Refusal) as refusal:
            await worker.read([plain(told, "late")])
        assert (refusal.value.status_code, refusal.value.headers) == (503, {"retry-after": "1"})
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


def test_cancelled_jobs_are_not_begun(make):
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


def test_closing_processes_submitted_jobs():
    worker, told = Worker(2, 10, Metrics()), []
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


# Work that does not notice that nobody waits for it


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("claimstance.inference.serving.worker.PATIENCE", 0.05)


async def given_up(task):
    """Have nobody wait for it any more, as when a request takes too long."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("holds", ["begin", "finish"])
def test_an_endless_job_does_not_block_other_jobs(make, impatient, holds):
    worker, told = make(limit=1), []
    held = Held(told, "held", holds)

    async def ask():
        (stuck,) = await begun(worker, [held])
        await asyncio.to_thread(held.begun.wait, 20)
        await given_up(stuck)
        while worker._in_flight:
            await asyncio.sleep(0.001)
        found = [await worker.read([plain(told, name)]) for name in ("a", "b")]
        assert not held.let_go.is_set()
        assert worker.is_alive
        assert not worker.has_ended
        return found

    assert awaited(ask()) == [["a"], ["b"]]
    held.let_go.set()
    soon(lambda: worker._stuck == 0)
    assert (worker.waiting, worker._in_flight) == (0, 0)


def test_jobs_begun_beside_an_endless_one_are_completed(make, impatient):
    worker, told = make(), []
    held, waits = Held(told, "held", "finish"), Held(told, "waits", "finish")

    async def ask():
        stuck, other, last = await begun(worker, [held], [waits], [plain(told, "last")])
        # If the worker is completing the first job already, the second one begins only after it is given up.
        await asyncio.to_thread(waits.begun.wait, 1)
        await given_up(stuck)
        waits.let_go.set()
        return await asyncio.gather(other, last)

    assert awaited(ask()) == [["waits"], ["last"]]
    held.let_go.set()


def test_the_number_of_stuck_threads_is_limited(make, impatient, monkeypatch):
    monkeypatch.setattr("claimstance.inference.serving.worker.MAX_STUCK", 2)
    worker, told = make(limit=10), []
    held = [Held(told, str(number)) for number in range(3)]

    async def ask():
        for one in held[:2]:
            assert worker.is_alive
            (stuck,) = await begun(worker, [one])
            await asyncio.to_thread(one.begun.wait, 20)
            await given_up(stuck)
            while worker._in_flight:
                await asyncio.sleep(0.001)
        assert not worker.is_alive  # somebody should look
        (stuck,) = await begun(worker, [held[2]])
        await asyncio.to_thread(held[2].begun.wait, 20)
        await given_up(stuck)
        waits = asyncio.ensure_future(worker.read([plain(told, "waits")]))
        await asyncio.sleep(0.3)
        assert not waits.done()
        held[0].let_go.set()
        return await waits

    assert awaited(ask()) == ["waits"]
    for one in held:
        one.let_go.set()
    soon(lambda: worker.is_alive)


def test_closing_waits_a_limited_time(impatient):
    worker, told = Worker(2, 10, Metrics()), []
    worker.start()
    held = Held(told, "held")

    async def ask():
        (stuck,) = await begun(worker, [held])
        await asyncio.to_thread(held.begun.wait, 20)
        await given_up(stuck)
        await asyncio.to_thread(worker.close, 0.1)

    awaited(ask())
    assert not worker.has_ended
    held.let_go.set()
    soon(lambda: worker.has_ended)
