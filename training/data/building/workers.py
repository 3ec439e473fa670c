"""The same function on many batches, in several processes where there is enough to do, its results in order.

The processes are new interpreters that are sent batches through pipes. They are neither copies of this process, since a
copy of one with threads (PyTorch's, Arrow's) can hang, nor do they import its main module, as those of
``multiprocessing`` do: a script that builds needs no ``if __name__ == "__main__":``. When this process is killed, they
read the end of their pipe, and end.
"""

import logging
import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

_LOG = logging.getLogger(__name__)
INLINE = 20_000  # rows that are worked on here before processes are started: it takes them a second or two to load
MOST = 8  # processes: reading, which is one process's work, keeps no more of them busy

In = TypeVar("In", bound=Sized)
Out = TypeVar("Out")


def available() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Processes that are started when there are more than ``INLINE`` rows, and end with the ``with`` block."""

    def __init__(self, count: int | None = None) -> None:
        self._count = (min(MOST, available()) if count is None else count) if sys.executable else 1
        self._threads = ThreadPoolExecutor(
            max(1, self._count)
        )  # each waits for a process of its own
        self._mine = threading.local()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            for process in self._processes:
                process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.communicate()  # the end of the pipe is the end of the process

    def map(self, function: Callable[[In], Out], batches: Iterable[In]) -> Iterator[Out]:
        """``function`` of each batch, in the order of the batches, whatever the number of processes.

        Batches are taken only as far ahead as there are processes to work on them.
        """
        pending: deque[tuple[In, Future[Out] | None]] = deque()
        rows = 0
        for batch in batches:
            rows += len(batch)
            parallel = rows > INLINE and self._count > 1
            pending.append(
                (batch, self._threads.submit(self._send, function, batch) if parallel else None)
            )
            while pending and (pending[0][1] is None or len(pending) > 2 * self._count):
                yield self._result(function, *pending.popleft())
        while pending:
            yield self._result(function, *pending.popleft())

    def _send(self, function: Callable[[In], Out], batch: In) -> Out:
        if not hasattr(self._mine, "process"):
            self._mine.process = self._start()
        process = self._mine.process
        pickle.dump((function, batch), process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
        answer: Out = _returned(pickle.load(process.stdout))  # what our own process wrote
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
        paths = os.pathsep.join(path for path in sys.path if path)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )
        self._processes.append(process)
        return process

    def _result(
        self, function: Callable[[In], Out], batch: In, future: "Future[Out] | None"
    ) -> Out:
        if future is None:
            return function(batch)
        try:
            return future.result()
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if self._count > 1:
                _LOG.warning(
                    "a process could not be started, or has ended (%r): this one works alone", error
                )
            self._count = 1
            return function(batch)


def _returned(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer batches with results, or with the error, until there are no more."""
    while True:
        try:
            function, batch = pickle.load(stdin)  # what our parent process wrote
        except EOFError:
            return
        try:
            answer = function(batch)
        except Exception as error:  # told to the parent, which raises it
            answer = error
        pickle.dump(answer, stdout, protocol=pickle.HIGHEST_PROTOCOL)
        stdout.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
