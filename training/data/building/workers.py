"""Parallel map over batches, in several processes where there is enough work; results keep their order.

The processes are new interpreters that receive batches through pipes. A fork of this process could hang, as
it may have threads (PyTorch's, Arrow's). The processes of ``multiprocessing`` would import the main module,
so that a script that builds would need ``if __name__ == "__main__":``. If this process is killed, the
workers reach the end of their pipe and exit.
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
from typing import BinaryIO, TypeVar

_LOG = logging.getLogger(__name__)
INLINE_ROWS = 20_000  # rows processed in this process first: workers need a second or two to load
MAX_PROCESSES = 8  # one process reads, and cannot keep more workers busy

In = TypeVar("In", bound=Sized)
Out = TypeVar("Out")


def available_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Manage worker processes, which start after ``INLINE_ROWS`` rows and end with the ``with`` block.

    Args:
        count: the number of processes; by default one for each processor, at most ``MAX_PROCESSES``.
    """

    def __init__(self, count: int | None = None) -> None:
        if count is None:
            count = min(MAX_PROCESSES, available_processors())
        self._count = count if sys.executable else 1
        # Each thread waits for a worker process of its own.
        self._threads = ThreadPoolExecutor(max(1, self._count))
        self._local = threading.local()
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
            process.communicate()  # closes the pipe, which ends the process

    def map(self, function: Callable[[In], Out], batches: Iterable[In]) -> Iterator[Out]:
        """Yield ``function(batch)`` for each batch, in the order of the batches.

        Batches are taken only as far ahead as there are processes to work on them.
        """
        pending: deque[tuple[In, Future[Out] | None]] = deque()
        rows = 0
        for batch in batches:
            rows += len(batch)
            future = None
            if rows > INLINE_ROWS and self._count > 1:
                future = self._threads.submit(self._send, function, batch)
            pending.append((batch, future))
            while pending and (pending[0][1] is None or len(pending) > 2 * self._count):
                yield self._result(function, *pending.popleft())
        while pending:
            yield self._result(function, *pending.popleft())

    def _send(self, function: Callable[[In], Out], batch: In) -> Out:
        """Let this thread's worker process compute a result; raise the error that the worker raised."""
        if not hasattr(self._local, "process"):
            paths = os.pathsep.join(path for path in sys.path if path)
            self._local.process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": paths},
            )
            self._processes.append(self._local.process)
        process = self._local.process
        pickle.dump((function, batch), process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
        # The data comes from our own process, so unpickling it is safe.
        result = pickle.load(process.stdout)
        if isinstance(result, Exception):
            raise result
        output: Out = result
        return output

    def _result(
        self, function: Callable[[In], Out], batch: In, future: "Future[Out] | None"
    ) -> Out:
        """Return the result of a batch; compute it in this process if a worker failed."""
        if future is None:
            return function(batch)
        try:
            return future.result()
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if self._count > 1:
                _LOG.warning(
                    "a worker process failed (%r); the build goes on in a single process", error
                )
            self._count = 1
            return function(batch)


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer each pickled ``(function, batch)`` with the result or the error, until the input ends."""
    while True:
        try:
            function, batch = pickle.load(stdin)  # written by the parent process
        except EOFError:
            return
        try:
            result = function(batch)
        except Exception as error:  # the parent raises it
            result = error
        pickle.dump(result, stdout, protocol=pickle.HIGHEST_PROTOCOL)
        stdout.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
