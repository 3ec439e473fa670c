"""Being told to stop: once for after what is being done, twice for at once."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from claimstance.inference.cli.console import complain, stop


class Stopping:
    """Whether SIGINT or SIGTERM came.

    Attributes:
        signal: the one that came first; ``None`` if none did.
        at_once: whether another one came after it.
    """

    def __init__(self, advice: str) -> None:
        self._advice = advice
        self.signal: int | None = None
        self.at_once = False

    def is_at_once(self) -> bool:
        """Whether nothing more is wanted, not even the end of what is being done."""
        return self.at_once

    def receive(self, number: int, _: FrameType | None = None) -> None:
        """Take note of a signal; of the second by ending the program, of a third by letting it be killed."""
        if self.signal is None:
            self.signal = number
            if sys.stderr.isatty():
                complain("stopping after this part (once more: at once)", "note")
            return
        self.at_once = True
        signal.signal(number, signal.SIG_DFL)
        self.leave("ended at once")

    def leave(self, what: str) -> None:
        """End the program: one line, and the exit code that shells have for the signal that came first."""
        if self.signal is not None:
            stop(
                f"{what}, by {signal.Signals(self.signal).name}: {self._advice}", 128 + self.signal
            )


@contextmanager
def stopping(advice: str) -> Iterator[Stopping]:
    """Listens for the signals; ``advice`` says how to go on, for those who sent them."""
    heard = Stopping(advice)
    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {
        number: signal.signal(number, heard.receive) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield heard
    finally:
        for (
            number,
            handler,
        ) in before.items():  # one that is on its way out has said so, and is left to end
            signal.signal(number, handler if heard.signal is None else signal.SIG_IGN)
