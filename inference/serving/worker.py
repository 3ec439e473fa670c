"""Worker thread: the articles of all requests go through one pipeline and share the encoder."""

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
from claimstance.model.encoding import ShouldCancel

#: Starts a job and returns the function that waits for its result.
Begin = Callable[[ShouldCancel], Callable[[], Any]]
PATIENCE = 1.0  # seconds in which an abandoned job has to end
MAX_STUCK = 4  # threads with jobs that have not ended, beside the working one


class _Job:
    """Represent an article or a document to process, with the future of its result.

    Attributes:
        finish: waits for the result; ``None`` until the job has begun.
        future: the result, for those who wait for it.
        occupies_slot: true while it counts among the articles in flight.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._is_abandoned = False
        self.finish: Callable[[], Any] | None = None
        self.future: Future[Any] = Future()
        self.occupies_slot = True

    def begin(self) -> bool:
        """Start the job; return whether there is something to ``complete``. Raises nothing."""
        if not self.future.set_running_or_notify_cancel():
            return False
        try:
            self.finish = self._begin(lambda: self._is_abandoned)
        except BaseException as error:  # an error fails its own request only
            self.future.set_exception(error)
            return False
        return True

    def complete(self) -> None:
        """Wait for the result and set it in the future. Raises nothing."""
        assert self.finish is not None
        try:
            result = self.finish()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def abandon(self) -> None:
        """Cancel the job, begun or not. Does nothing once it is done."""
        self._is_abandoned = True
        self.future.cancel()


class Worker:
    """Process the articles of all requests on a thread of its own.

    Articles of different requests are begun together: the encoder's threads have work while the results
    of one article are put together, and each result is the same as alone. Requests take turns, with one
    article each, so that a long list does not delay a single article.

    A thread cannot be ended from outside. If it is still busy with an abandoned job after ``PATIENCE``,
    another thread takes over everything else, and the slot of that job is free. The stuck thread ends
    with its job. There are at most ``MAX_STUCK`` of them.

    Args:
        ahead: the number of articles that are begun before the first of them is completed.
        limit: the number of articles in flight at which further requests are refused.
        metrics: the metrics that count them.
    """

    def __init__(self, ahead: int, limit: int, metrics: Metrics) -> None:
        self._ahead = ahead
        self._limit = limit
        self._metrics = metrics
        self._requests: deque[deque[_Job]] = deque()
        self._begun: deque[_Job] = deque()
        self._at_work: dict[threading.Thread, _Job | None] = {}
        self._condition = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._closed = False
        self._thread = self._new_thread()
        metrics.watch(lambda: self.waiting, lambda: self._in_flight)

    @property
    def waiting(self) -> int:
        """Return the number of articles that wait to be begun."""
        with self._condition:
            return sum(map(len, self._requests))

    @property
    def is_alive(self) -> bool:
        """Return whether submitted jobs will be processed."""
        return self._thread.is_alive() and not self._closed and self._stuck < MAX_STUCK

    @property
    def _stuck(self) -> int:
        """Return the number of threads that are busy with an abandoned job."""
        with self._condition:
            return len(self._at_work) - (self._thread in self._at_work)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Return whether all threads have ended, also those that were stuck."""
        with self._condition:
            return not self._at_work

    def close(self, seconds: float | None = None) -> None:
        """Process the jobs that are in, and end; wait for that at most ``seconds``."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            threads = [self._thread, *self._at_work]
        for thread in threads:
            seconds_left = None
            if deadline is not None:
                seconds_left = max(0.0, deadline - time.monotonic())
            thread.join(seconds_left)

    def check(self) -> None:
        """Raise a ``Refusal`` (503) at the limit of articles in flight, or once the worker is closed."""
        if self._closed or self._in_flight >= self._limit:
            raise too_busy(f"{self._limit} articles or more are waiting or being read")

    async def read(self, begins: Sequence[Begin]) -> list[Any]:
        """Return the results of ``begins``. If this coroutine is cancelled, so are the jobs.

        Raises:
            Refusal: as ``check``.
        """
        jobs = [_Job(begin) for begin in begins]
        queue = deque(jobs)
        # Checked under the lock: no other request can take the slots in between.
        with self._condition:
            self.check()
            self._in_flight += len(jobs)
            for job in jobs:
                job.future.add_done_callback(partial(self._free, job))
            if jobs:
                self._requests.append(queue)
            self._condition.notify_all()
        try:
            return await gather(*(wrap_future(job.future) for job in jobs))
        finally:
            with self._condition:
                if queue in self._requests:
                    self._requests.remove(queue)
            # Jobs that are done ignore this.
            for job in jobs:
                job.abandon()
            if not all(job.future.done() for job in jobs):
                asyncio.get_running_loop().call_later(PATIENCE, self._work_around, jobs)

    def _free(self, job: _Job, _: "Future[Any] | None" = None) -> None:
        """Free the slot of a job, once."""
        with self._condition:
            if job.occupies_slot:
                job.occupies_slot = False
                self._in_flight -= 1

    def _work_around(self, jobs: Sequence[_Job]) -> None:
        """Start another thread if the current one is still busy with one of the abandoned ``jobs``."""
        with self._condition:
            if self._closed or all(job.future.done() for job in jobs):
                return
            current = self._at_work.get(self._thread)
            if current is None or current not in jobs or self._stuck >= MAX_STUCK:
                # The thread is busy with another job, or too many threads are stuck: look again later.
                asyncio.get_running_loop().call_later(PATIENCE, self._work_around, jobs)
                return
            self._free(current)
            self._thread = self._new_thread()
            self._thread.start()

    def _new_thread(self) -> threading.Thread:
        """Return a thread to process jobs."""
        return threading.Thread(target=self._run, name="reading", daemon=True)

    def _run(self) -> None:
        """Process jobs until the worker is closed, or until another thread has taken over."""
        me = threading.current_thread()
        while (job := self._next(me)) is not None:
            if job.finish is not None:
                job.complete()
            elif job.begin():
                with self._condition:
                    self._begun.append(job)
        # A thread that was stuck takes itself off the list here, whenever its job ends.
        with self._condition:
            del self._at_work[me]

    def _next(self, me: threading.Thread) -> _Job | None:
        """Wait for the next job to begin or to complete; return ``None`` when this thread should end."""
        with self._condition:
            self._at_work[me] = None
            self._condition.wait_for(
                lambda: self._thread is not me or self._requests or self._begun or self._closed
            )
            if self._thread is not me:
                return None
            # Beginning comes first, since it gives the encoder work while this thread completes another job.
            if self._requests and len(self._begun) <= self._ahead:
                # The request whose turn it is goes to the end of the queue, if it has further articles.
                request = self._requests.popleft()
                job = request.popleft()
                if request:
                    self._requests.append(request)
                self._metrics.batch.observe(len(self._begun) + 1)
            elif self._begun:
                job = self._begun.popleft()
            else:
                return None
            self._at_work[me] = job
            return job
