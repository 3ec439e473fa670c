"""A long run of ``claimstance tag`` into a folder of parts, which SIGINT or SIGTERM stops after the current part."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from claimstance.inference.cli.console import (
    exit_with_error,
    print_diagnostics,
    print_message,
    progress,
)
from claimstance.inference.cli.tag_request import RayOptions, TagRequest

if TYPE_CHECKING:
    from claimstance.inference.jobs.run import TagItems
    from claimstance.inference.tagger import Tagger


def tag_into_folder(
    request: TagRequest,
    folder: Path,
    tagger: "Tagger",
    articles_per_part: int,
    restart: bool,
    ray_options: RayOptions | None,
) -> tuple[int, int]:
    """Tag into a folder of parts.

    Returns:
        The number of tagged articles, and of inputs or lines that could not be read, including those of
        earlier runs into the folder.
    """
    from claimstance.inference.articles.sources import read_articles
    from claimstance.inference.jobs.manifest import run_settings
    from claimstance.inference.jobs.ray_workers import ray_workers
    from claimstance.inference.jobs.run import RunCallbacks, open_run
    from claimstance.model.encoding import CancelledError

    settings = run_settings(
        inputs=request.inputs,
        tagger=tagger,
        targets=request.targets,
        neutral=request.neutral,
        min_confidence=request.min_confidence,
        output_format=request.output_format,
        row_kind=request.row_kind,
        columns=request.columns,
        articles_per_part=articles_per_part,
    )
    description = f"tagging with {tagger.model['name']}"
    with catch_signals(f"the same command continues in '{folder}'") as signals:
        with open_run(folder, settings, restart) as run:
            engine: AbstractContextManager[TagItems]
            # A complete run has nothing to tag, so no cluster is started.
            if ray_options is None or run.manifest.complete:
                engine = nullcontext(
                    partial(
                        tagger.tag_all,
                        targets=request.targets,
                        should_cancel=signals.is_immediate,
                        neutral=request.neutral,
                    )
                )
            else:
                engine = ray_workers(
                    tagger,
                    request.targets,
                    signals.is_immediate,
                    ray_options.workers,
                    ray_options.address,
                    neutral=request.neutral,
                )
            with (
                progress(description, request.article_count, request.show) as advance,
                engine as tag_items,
            ):
                callbacks = RunCallbacks(
                    tag=tag_items,
                    report=partial(print_diagnostics, show=request.show),
                    advance=advance,
                    is_stop_requested=signals.is_requested,
                )
                try:
                    articles = read_articles(request.inputs, request.columns)
                    run.tag_missing_parts(articles, callbacks, tagger.tasks)
                except CancelledError:
                    signals.exit_if_requested("at once")
        manifest = run.manifest
        if not manifest.complete:
            signals.exit_if_requested(f"with {manifest.articles:,} articles tagged")
    return manifest.articles, manifest.failed


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
