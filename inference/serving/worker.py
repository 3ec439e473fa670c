"""The thread that reads: whatever waits, of all requests, goes through one pipeline and shares the encoder."""

import asyncio
import threading
import time
from asyncio import gather, wrap_future
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import too_busy
from claimstance.model.predictor import Stop

#: Begins to read something and gives what waits for the result.
Begin = Callable[[Stop], Callable[[], Any]]
PATIENCE = 1.0  # seconds in which work that nobody waits for any more has to notice it
MAX_STUCK = 4  # threads that have not noticed it, beside which another one is started


class _Job:
    """Something to be read, and who waits for it.

    Attributes:
        holds_slot: whether it counts among the articles in flight.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._unwanted = False
        self.finish: Callable[[], Any] | None = None
        self.future: Future[Any] = Future()
        self.holds_slot = True

    def begin(self) -> bool:
        """Begin to read; return whether there is something to ``complete``. Raises nothing."""
        if not self.future.set_running_or_notify_cancel():
            return False
        try:
            self.finish = self._begin(lambda: self._unwanted)
        except BaseException as error:  # it costs its own request, not the others'
            self.future.set_exception(error)
            return False
        return True

    def complete(self) -> None:
        """Wait for the result and hand it over. Raises nothing."""
        assert self.finish is not None
        try:
            result = self.finish()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def abandon(self) -> None:
        """Nobody waits for it any more: it is not begun, or not read on. No matter once it is done."""
        self._unwanted = True
        self.future.cancel()


class Worker:
    """Reads what it is given, on a thread of its own.

    What waits when an article is begun is read together with it, whichever request it came with: the encoder's threads
    have work while results of one are put together, and each result is what it would be alone. Requests take turns, an
    article each, so that a long list does not keep a single article waiting.

    A thread cannot be ended from outside. Where one is still busy with something ``PATIENCE`` after nobody waits for it
    any more, another thread goes on with everything else, and the place of that article is free; the first thread ends
    when it is through. There are at most ``MAX_STUCK`` such threads.

    Args:
        ahead: how many articles are begun before the first of them is completed.
        limit: articles that wait or are being read, from which on no other is let in.
        metrics: what counts them.
    """

    def __init__(self, ahead: int, limit: int, metrics: Metrics) -> None:
        self._ahead, self._limit, self._metrics = ahead, limit, metrics
        self._requests: deque[deque[_Job]] = deque()
        self._begun: deque[_Job] = deque()
        self._at_work: dict[threading.Thread, _Job | None] = {}
        self._changed = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._closed = False
        self._thread = self._new_thread()
        metrics.watch(lambda: self.waiting, lambda: self._in_flight)

    @property
    def waiting(self) -> int:
        """How many articles wait to be begun."""
        with self._changed:
            return sum(map(len, self._requests))

    @property
    def is_alive(self) -> bool:
        """Whether what is handed in will be read."""
        return self._thread.is_alive() and not self._closed and self._stuck < MAX_STUCK

    @property
    def _stuck(self) -> int:
        """How many threads are busy with something that nobody waits for, beside the one that works on."""
        with self._changed:
            return len(self._at_work) - (self._thread in self._at_work)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether no thread is at work any more, not even one that was stuck."""
        with self._changed:
            return not self._at_work

    def close(self, seconds: float | None = None) -> None:
        """Read what was handed in, and end; wait for that, but no longer than so many ``seconds``."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = [self._thread, *self._at_work]
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def check(self) -> None:
        """Raise a ``Refusal`` (503) while as many articles as may be are in flight, or once it is closed."""
        if self._closed or self._in_flight >= self._limit:
            raise too_busy(f"{self._limit} articles or more are waiting or being read")

    async def read(self, begins: Sequence[Begin]) -> list[Any]:
        """What each of ``begins`` gives, once all is read. Cancelled, it is not read on.

        Raises:
            Refusal: as ``check``.
        """
        jobs = [_Job(begin) for begin in begins]
        request = self._hand_in(jobs)
        try:
            return await gather(*(wrap_future(job.future) for job in jobs))
        finally:
            self._take_back(request)
            for job in jobs:
                job.abandon()
            if not all(job.future.done() for job in jobs):
                asyncio.get_running_loop().call_later(PATIENCE, self._work_around, jobs)

    def _hand_in(self, jobs: Sequence[_Job]) -> deque[_Job]:
        request = deque(jobs)
        with self._changed:
            self.check()
            self._in_flight += len(jobs)
            for job in jobs:
                job.future.add_done_callback(partial(self._free, job))
            if jobs:
                self._requests.append(request)
            self._changed.notify_all()
        return request

    def _take_back(self, request: deque[_Job]) -> None:
        with self._changed:
            if any(waiting is request for waiting in self._requests):
                self._requests.remove(request)

    def _free(self, job: _Job, _: "Future[Any] | None" = None) -> None:
        """Let another article in for this one."""
        with self._changed:
            if job.holds_slot:
                job.holds_slot = False
                self._in_flight -= 1

    def _work_around(self, jobs: Sequence[_Job]) -> None:
        """If the thread is still busy with one of ``jobs``, let another one go on with what else there is."""
        with self._changed:
            if self._closed or all(job.future.done() for job in jobs):
                return
            current = self._at_work.get(self._thread)
            if current is None or current not in jobs or self._stuck >= MAX_STUCK:
                # The turn of these comes later; or too many threads are stuck already.
                asyncio.get_running_loop().call_later(PATIENCE, self._work_around, jobs)
                return
            self._free(current)
            self._thread = self._new_thread()
            self._thread.start()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="reading", daemon=True)

    def _run(self) -> None:
        """Work until there is nothing more to do, or until another thread has taken over."""
        me = threading.current_thread()
        while (job := self._next(me)) is not None:
            if job.finish is not None:
                job.complete()
            elif job.begin():
                with self._changed:
                    self._begun.append(job)
        with self._changed:
            del self._at_work[me]

    def _next(self, me: threading.Thread) -> _Job | None:
        """Wait for the next job to begin, or to complete. ``None`` once there is none for this thread."""
        with self._changed:
            self._at_work[me] = None
            self._changed.wait_for(
                lambda: self._thread is not me or self._requests or self._begun or self._closed
            )
            if self._thread is not me:
                return None
            if self._requests and len(self._begun) <= self._ahead:
                job = self._take_waiting()
                self._metrics.batch.observe(len(self._begun) + 1)
            elif self._begun:
                job = self._begun.popleft()
            else:
                return None
            self._at_work[me] = job
            return job

    def _take_waiting(self) -> _Job:
        """Take the next job of the request whose turn it is."""
        request = self._requests.popleft()
        job = request.popleft()
        if request:
            self._requests.append(request)
        return job
