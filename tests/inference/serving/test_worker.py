"""Test the worker thread: articles that it begins together, the turns of requests, and abandoned jobs."""

import asyncio
import threading

import pytest

from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import Refusal
from claimstance.inference.serving.worker import Worker
from helpers import serving  # noqa: F401 – skips this file where the extra is missing
from helpers.program import awaited, soon


class BlockingJob:
    """Block at its beginning, or at its end, until the test releases it."""

    def __init__(self, started, name, blocks_in="begin"):
        self.started, self.name, self.blocks_in = started, name, blocks_in
        self.begun, self.released, self.should_cancel = threading.Event(), threading.Event(), None

    def __call__(self, should_cancel):
        self.started.append(self.name)
        self.should_cancel = should_cancel
        self.begun.set()
        if self.blocks_in == "begin":
            assert self.released.wait(20)
        return self.finish

    def finish(self):
        if self.blocks_in == "finish":
            assert self.released.wait(20)
        return self.name


def quick_job(started, name):
    def begin(should_cancel):
        started.append(name)
        return lambda: name

    return begin


@pytest.fixture
def make_worker():
    workers = []

    def start(limit=10):
        worker = Worker(2, limit, Metrics())
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.close()


async def submit(worker, *job_lists):
    """Submit each of these as a request of its own, one after the other; return their tasks."""
    tasks = []
    for jobs in job_lists:
        in_flight = worker._in_flight
        tasks.append(asyncio.ensure_future(worker.read(jobs)))
        while worker._in_flight == in_flight:
            await asyncio.sleep(0.001)
    return tasks


def test_requests_take_turns_and_keep_their_order(make_worker):
    worker, started = make_worker(), []
    first = BlockingJob(started, "a1")

    async def exchange():
        tasks = await submit(worker, [first])
        await asyncio.to_thread(first.begun.wait, 20)
        tasks += await submit(
            worker,
            [quick_job(started, f"b{n}") for n in range(3)],
            [quick_job(started, "c0")],
            [quick_job(started, f"d{n}") for n in range(2)],
        )
        first.released.set()
        return await asyncio.gather(*tasks)

    assert awaited(exchange()) == [["a1"], ["b0", "b1", "b2"], ["c0"], ["d0", "d1"]]
    assert started == ["a1", "b0", "c0", "d0", "b1", "d1", "b2"]
    assert (worker.waiting, worker._in_flight) == (0, 0)


def test_queued_articles_are_begun_together(make_worker):
    worker, started = make_worker(), []
    first = BlockingJob(started, "first")

    async def exchange():
        tasks = await submit(
            worker, [first], [quick_job(started, "second")], [quick_job(started, "third")]
        )
        first.released.set()
        await asyncio.gather(*tasks)

    awaited(exchange())
    text = worker._metrics.text().decode()
    # The other jobs begin before the first is completed: one, two and three at a time.
    assert 'claimstance_batch_size_bucket{le="1.0"} 1.0' in text
    assert 'claimstance_batch_size_bucket{le="2.0"} 2.0' in text
    assert "claimstance_batch_size_count 3.0" in text
    assert "claimstance_batch_size_sum 6.0" in text


def test_a_failed_job_does_not_fail_other_jobs(make_worker):
    def fail_at_once(should_cancel):
        raise OSError("begun")

    def fail_later(should_cancel):
        return lambda: 1 / 0

    worker, started = make_worker(), []

    async def exchange():
        return await asyncio.gather(
            *(
                worker.read([job])
                for job in (
                    fail_at_once,
                    quick_job(started, "a"),
                    fail_later,
                    quick_job(started, "b"),
                )
            ),
            return_exceptions=True,
        )

    first, second, third, fourth = awaited(exchange())
    assert (second, fourth) == (["a"], ["b"])
    assert (type(first), type(third)) == (OSError, ZeroDivisionError)
    assert worker.is_alive


def test_a_cancelled_job_keeps_its_slot_until_it_ends(make_worker):
    worker, started = make_worker(limit=2), []
    blocking_job = BlockingJob(started, "blocking", blocks_in="finish")

    async def exchange():
        first, second = await submit(worker, [blocking_job], [quick_job(started, "waits")])
        with pytest.raises(Refusal) as refusal:
            await worker.read([quick_job(started, "late")])
        assert (refusal.value.status_code, refusal.value.headers) == (503, {"retry-after": "1"})
        await asyncio.to_thread(blocking_job.begun.wait, 20)
        assert not blocking_job.should_cancel()
        first.cancel()
        await asyncio.sleep(0.01)
        assert blocking_job.should_cancel()
        assert worker._in_flight >= 1  # the job still runs
        blocking_job.released.set()
        return await second

    assert awaited(exchange()) == ["waits"]
    soon(lambda: worker._in_flight == 0)
    assert "late" not in started


def test_cancelled_jobs_are_not_begun(make_worker):
    worker, started = make_worker(), []
    blocking_job = BlockingJob(started, "blocking")

    async def exchange():
        first, cancelled = await submit(
            worker, [blocking_job], [quick_job(started, "cancelled"), quick_job(started, "too")]
        )
        cancelled.cancel()
        await asyncio.sleep(0.01)
        assert (worker.waiting, worker._in_flight) == (0, 1)
        blocking_job.released.set()
        return await first

    assert awaited(exchange()) == ["blocking"]
    assert started == ["blocking"]


def test_closing_processes_submitted_jobs():
    worker, started = Worker(2, 10, Metrics()), []
    worker.start()
    blocking_job = BlockingJob(started, "blocking")

    async def exchange():
        tasks = await submit(worker, [blocking_job], [quick_job(started, "waits")])
        closing = asyncio.ensure_future(asyncio.to_thread(worker.close))
        blocking_job.released.set()
        await closing
        return await asyncio.gather(*tasks)

    assert awaited(exchange()) == [["blocking"], ["waits"]]
    assert not worker.is_alive


# Jobs that ignore their cancellation


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("claimstance.inference.serving.worker.PATIENCE", 0.05)


async def abandon(task):
    """Cancel a task, as when its request takes too long."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("blocks_in", ["begin", "finish"])
def test_an_endless_job_does_not_block_other_jobs(make_worker, impatient, blocks_in):
    worker, started = make_worker(limit=1), []
    blocking_job = BlockingJob(started, "blocking", blocks_in)

    async def exchange():
        (stuck,) = await submit(worker, [blocking_job])
        await asyncio.to_thread(blocking_job.begun.wait, 20)
        await abandon(stuck)
        while worker._in_flight:
            await asyncio.sleep(0.001)
        results = [await worker.read([quick_job(started, name)]) for name in ("a", "b")]
        assert not blocking_job.released.is_set()
        assert worker.is_alive
        assert not worker.has_ended
        return results

    assert awaited(exchange()) == [["a"], ["b"]]
    blocking_job.released.set()
    soon(lambda: worker._stuck == 0)
    assert (worker.waiting, worker._in_flight) == (0, 0)


def test_jobs_begun_beside_an_endless_one_are_completed(make_worker, impatient):
    worker, started = make_worker(), []
    blocking_job, waiting_job = (
        BlockingJob(started, "blocking", "finish"),
        BlockingJob(started, "waits", "finish"),
    )

    async def exchange():
        stuck_task, waiting_task, last_task = await submit(
            worker, [blocking_job], [waiting_job], [quick_job(started, "last")]
        )
        # If the worker is completing the first job already, the second one begins only after it is given up.
        await asyncio.to_thread(waiting_job.begun.wait, 1)
        await abandon(stuck_task)
        waiting_job.released.set()
        return await asyncio.gather(waiting_task, last_task)

    assert awaited(exchange()) == [["waits"], ["last"]]
    blocking_job.released.set()


def test_the_number_of_stuck_threads_is_limited(make_worker, impatient, monkeypatch):
    monkeypatch.setattr("claimstance.inference.serving.worker.MAX_STUCK", 2)
    worker, started = make_worker(limit=10), []
    blocking_jobs = [BlockingJob(started, str(number)) for number in range(3)]

    async def exchange():
        for job in blocking_jobs[:2]:
            assert worker.is_alive
            (stuck,) = await submit(worker, [job])
            await asyncio.to_thread(job.begun.wait, 20)
            await abandon(stuck)
            while worker._in_flight:
                await asyncio.sleep(0.001)
        assert not worker.is_alive  # an operator should look
        (stuck,) = await submit(worker, [blocking_jobs[2]])
        await asyncio.to_thread(blocking_jobs[2].begun.wait, 20)
        await abandon(stuck)
        waiting_task = asyncio.ensure_future(worker.read([quick_job(started, "waits")]))
        await asyncio.sleep(0.3)
        assert not waiting_task.done()
        blocking_jobs[0].released.set()
        return await waiting_task

    assert awaited(exchange()) == ["waits"]
    for job in blocking_jobs:
        job.released.set()
    soon(lambda: worker.is_alive)


def test_closing_waits_a_limited_time(impatient):
    worker, started = Worker(2, 10, Metrics()), []
    worker.start()
    blocking_job = BlockingJob(started, "blocking")

    async def exchange():
        (stuck,) = await submit(worker, [blocking_job])
        await asyncio.to_thread(blocking_job.begun.wait, 20)
        await abandon(stuck)
        await asyncio.to_thread(worker.close, 0.1)

    awaited(exchange())
    assert not worker.has_ended
    blocking_job.released.set()
    soon(lambda: worker.has_ended)
