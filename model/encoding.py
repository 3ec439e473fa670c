"""Encoding of documents: the network's interface, the threads that run it, and documents before and after it."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from claimstance.model.decoding.tags import Floats
from claimstance.model.text.layout import Layout
from claimstance.model.windows import Tokens, Window

Ints = NDArray[np.int64]
T = TypeVar("T")
#: Returns ``True`` once the caller no longer needs the result. Several threads poll it, before each window.
ShouldCancel = Callable[[], bool]
_ITEMS_PER_CHECK = 64  # of ``cancellable``; an item takes less than a millisecond


class CancelledError(Exception):
    """Raised when the caller no longer needs the result; not an error to report."""


def never_cancel() -> bool:
    """Return ``False``: the result is needed (a ``ShouldCancel``)."""
    return False


def cancellable(items: Iterable[T], should_cancel: ShouldCancel) -> Iterator[T]:
    """Yield ``items``; raise ``CancelledError`` once ``should_cancel``, called every few items, returns true."""
    for number, item in enumerate(items):
        if number % _ITEMS_PER_CHECK == 0 and should_cancel():
            raise CancelledError
        yield item


class Backend(Protocol):
    """Run the network, with onnxruntime or torch.

    Every call is about one window of T tokens. Spans are rows ``(0, start, end)``, where 0 is the number of the window
    in its batch. Shapes have S sentences, P pairs, L links, C labels, and the width H of the encoder.
    """

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Encode a window: (1, T), (1, T), (S, 3) → ``hidden`` (1, T, H) and logits by task.

        The logits of a token task are (1, T, C), those of a sentence task (S, C).
        """

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """Score stances: (1, T, H) and three times (P, 3) → (P, C)."""

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """Score links of cues: (1, T, H) and twice (L, 3) → (L, 2), as source and as content."""


def span_rows(spans: Iterable[tuple[int, int]]) -> Ints:
    """Return spans of the one window of a call as rows (N, 3)."""
    return np.array([(0, start, end) for start, end in spans], dtype=np.int64)


@dataclass
class PendingWindow:
    """Represent a window that is being encoded, and the output of the network for it."""

    window: Window
    output: "Future[dict[str, Floats]]"

    def encoding(self) -> tuple[Window, Floats]:
        """Wait for the encoder; return the window and its encoding (1, T, H)."""
        return self.window, self.output.result()["hidden"]


@dataclass
class PendingDocument:
    """Represent sentences whose windows are being encoded."""

    texts: list[str]
    tokens: list[Tokens]
    should_cancel: ShouldCancel
    windows: list[PendingWindow]
    layout: Layout | None = None


class WindowEncoder:
    """Encode windows with a backend, ``workers`` of them at the same time.

    Each window goes through the network alone, so that its output does not depend on the number of workers.
    """

    def __init__(self, backend: Backend, workers: int = 1) -> None:
        self.backend = backend
        self.workers = workers
        self._pools: dict[int, ThreadPoolExecutor] = {}  # process id → its threads

    def submit(self, window: Window, should_cancel: ShouldCancel) -> PendingWindow:
        """Begin to encode a window. With one worker, the calling thread encodes it when it needs the result."""
        encode = partial(self._encode, window, should_cancel)
        if self.workers == 1:
            return PendingWindow(window, _DeferredFuture(encode))
        # A forked process does not have the threads of its parent, and needs its own.
        process = os.getpid()
        if process not in self._pools:
            pool = ThreadPoolExecutor(self.workers, thread_name_prefix="encoder")
            self._pools = {process: pool}
        return PendingWindow(window, self._pools[process].submit(encode))

    def _encode(self, window: Window, should_cancel: ShouldCancel) -> dict[str, Floats]:
        """Return the output of the network for a window."""
        if should_cancel():
            raise CancelledError
        return self.backend.read(
            np.array([window.ids], dtype=np.int64),
            np.array([window.segments], dtype=np.int64),
            span_rows((piece.start, piece.end) for piece in window.pieces),
        )


class _DeferredFuture(Future[T]):
    """Compute the result in the thread that asks for it, at that time."""

    def __init__(self, compute: Callable[[], T]) -> None:
        super().__init__()
        self._compute = compute

    def result(self, timeout: float | None = None) -> T:
        """Return the result; compute it the first time."""
        if not self.done():
            try:
                self.set_result(self._compute())
            except Exception as error:
                self.set_exception(error)
        return super().result(timeout)
