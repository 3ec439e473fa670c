"""Handling of SIGINT and SIGTERM in a long run: stop after the current part, or at once."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from claimstance.inference.cli.console import exit_with_error, print_message


class StopSignals:
    """Record signals: the first one requests a stop after the current part, the second one at once.

    Attributes:
        first: the number of the first signal; ``None`` before.
    """

    def __init__(self, advice: str) -> None:
        self._advice = advice
        self._is_immediate = False
        self.first: int | None = None

    def is_requested(self) -> bool:
        """Return whether a signal arrived."""
        return self.first is not None

    def is_immediate(self) -> bool:
        """Return whether a second signal arrived, so that not even the current part is finished."""
        return self._is_immediate

    def receive(self, number: int, _: FrameType | None = None) -> None:
        """Record a signal; the second one exits, and after it a third one kills the process."""
        if self.first is None:
            self.first = number
            if sys.stderr.isatty():
                print_message("stopping after this part (again: at once)", "note")
            return
        self._is_immediate = True
        # If even the exit takes long, the default handler lets a third signal end the process.
        signal.signal(number, signal.SIG_DFL)
        self.exit_if_requested("at once")

    def exit_if_requested(self, state: str) -> None:
        """Exit after a signal, with a message and the exit code that shells use for that signal.

        Args:
            state: the state of the run for the message, such as ``with 500 articles tagged``.
        """
        if self.first is not None:
            name = signal.Signals(self.first).name
            exit_with_error(f"stopped by {name} {state}: {self._advice}", 128 + self.first)


@contextmanager
def catch_signals(advice: str) -> Iterator[StopSignals]:
    """Catch SIGINT and SIGTERM; ``advice`` tells the user how to continue after a stop."""
    stop_signals = StopSignals(advice)
    previous: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    for caught in (signal.SIGINT, signal.SIGTERM):
        previous[caught] = signal.signal(caught, stop_signals.receive)
    try:
        yield stop_signals
    finally:
        for number, handler in previous.items():
            # A program that is about to exit ignores further signals, so that its message stays the last.
            signal.signal(number, signal.SIG_IGN if stop_signals.is_requested() else handler)
