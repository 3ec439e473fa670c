"""The thread that reads: whatever waits, of all requests, goes through one pipeline and shares the encoder."""

import threading
from asyncio import gather, wrap_future
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import busy
from claimstance.model.predictor import Stop

#: Begins to read something and gives what waits for the result.
Begin = Callable[[Stop], Callable[[], Any]]
#: As ``Reader.ahead``.
Ahead = Callable[[Iterable[Callable[[], None]]], Iterator[None]]


class _Job:
    """Something to be read, and who waits for it."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._unwanted = False
        self.future: Future[Any] = Future()

    def begin(self) -> Callable[[], None]:
        """Begin to read; gives what waits for the result and hands it over. Neither raises anything."""
        if not self.future.set_running_or_notify_cancel():
            return lambda: None
        try:
            finish = self._begin(lambda: self._unwanted)
        except BaseException as error:
            self.future.set_exception(error)
            return lambda: None
        return lambda: self._finish(finish)

    def _finish(self, finish: Callable[[], Any]) -> None:
        try:
            result = finish()
        except BaseException as error:  # it costs its own request, not the others'
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
    """

    def __init__(self, ahead: Ahead, limit: int, metrics: Metrics) -> None:
        self._ahead, self._limit, self._metrics = ahead, limit, metrics
        self._requests: deque[deque[_Job]] = deque()
        self._changed = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._reading = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)
        metrics.watch(lambda: self.waiting, lambda: self._in_flight)

    @property
    def waiting(self) -> int:
        """How many articles wait to be begun."""
        with self._changed:
            return sum(map(len, self._requests))

    @property
    def is_alive(self) -> bool:
        """Whether what is handed in will be read."""
        return self._thread.is_alive() and not self._closed

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Read what was handed in, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def check(self) -> None:
        """Raise a ``Refusal`` (503) while as many articles as may be are in flight, or once it is closed."""
        if self._closed or self._in_flight >= self._limit:
            raise busy(f"{self._limit} articles or more are waiting or being read")

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

    def _hand_in(self, jobs: Sequence[_Job]) -> deque[_Job]:
        request = deque(jobs)
        with self._changed:
            self.check()
            self._in_flight += len(jobs)
            for job in jobs:
                job.future.add_done_callback(self._left)
            if jobs:
                self._requests.append(request)
            self._changed.notify_all()
        return request

    def _take_back(self, request: deque[_Job]) -> None:
        with self._changed:
            if any(one is request for one in self._requests):
                self._requests.remove(request)

    def _left(self, _: "Future[Any]") -> None:
        with self._changed:
            self._in_flight -= 1

    def _run(self) -> None:
        while self._is_needed():
            for _ in self._ahead(self._begun()):
                self._reading -= 1

    def _is_needed(self) -> bool:
        """Wait for work. ``False`` once there is none and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed)
            return bool(self._requests)

    def _begun(self) -> Iterator[Callable[[], None]]:
        while (job := self._next()) is not None:
            self._reading += 1
            self._metrics.batch.observe(self._reading)
            yield job.begin()

    def _next(self) -> _Job | None:
        with self._changed:
            if not self._requests:
                return None
            request = self._requests.popleft()
            job = request.popleft()
            if request:
                self._requests.append(request)
            return job
