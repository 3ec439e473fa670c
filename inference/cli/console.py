"""What the commands share: messages, progress, and looking at paths before any work is done."""

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer

from claimstance.model.errors import ConfigError, printable
from claimstance.model.io.hub import is_hub_name

_LOG = logging.getLogger("claimstance")  # other libraries' own accounts would drown it
_COLOURS = {"error": "red", "warning": "yellow"}
EVERY = 30.0  # seconds between two lines on how far the work is, where no bar can be drawn


def complain(message: str, kind: str = "error") -> None:
    """Write one line to standard error; a warning is left out where only errors are wanted.

    The message may hold anything from outside, such as a file name: what a terminal would obey is escaped.
    """
    if kind != "warning" or not _is_quiet():
        coloured = kind in _COLOURS and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        typer.echo(
            f"{typer.style(kind, fg=_COLOURS[kind], bold=True) if coloured else kind}: "
            f"{printable(message)}",
            err=True,
        )


def _is_quiet() -> bool:
    return _LOG.level > logging.WARNING


def stop(message: str, code: int) -> NoReturn:
    """Complain and exit."""
    complain(message)
    sys.exit(code)


class _Messages(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage(), record.levelname.lower())


def show_log(verbose: bool, quiet: bool = False) -> None:
    """Let what this program logs look like its other messages: warnings, and with ``verbose`` what is being done.

    ``quiet`` leaves errors alone, of these messages and of all others, and no progress bar.
    """
    _LOG.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    _LOG.handlers[:] = [_Messages()]
    _LOG.propagate = (
        False  # to the root logger, which onnxruntime's quantizer makes say it all again
    )


def must_exist(what: str, *paths: Path | str | None) -> None:
    """Raise ``ConfigError`` for a path, given as ``what``, that is not there."""
    for path in paths:
        if path is not None and not Path(path).exists():
            raise ConfigError(f"{what}: '{path}' does not exist")


def must_be_text(what: str, *values: str | None) -> None:
    """Raise ``ConfigError`` for a value, given as ``what``, that has bytes which are not UTF-8."""
    for value in values:
        if (
            value is not None
            and not value.isascii()
            and any("\ud800" <= c <= "\udfff" for c in value)
        ):
            raise ConfigError(f"{what}: expected UTF-8, found '{printable(value)}'")


def must_be_model(what: str, model: str | None) -> None:
    """Raise ``ConfigError`` for a model, given as ``what``, that is no folder, no name for the hub, not bundled."""
    if model not in (None, "bundled") and not is_hub_name(str(model)):
        must_exist(what, model)


def must_not_read(out: Path | None, inputs: Sequence[str], suffixes: Sequence[str]) -> None:
    """Raise ``ConfigError`` if ``out`` would replace an article, or be read as one the next time."""
    if out is None or out.suffix.lower() not in suffixes:
        return
    place = out.resolve()
    for name in inputs:
        path = Path(name).resolve()
        if path == place or (path.is_dir() and path in place.parents):
            raise ConfigError(
                f"--out: expected a place outside the inputs, found '{out}', which '{name}' is or holds"
            )


def _in_lines(what: str, total: int | None) -> Callable[[int], None]:
    done, begun = 0, time.monotonic()
    told = begun

    def advance(count: int) -> None:
        nonlocal done, told
        done, now = done + count, time.monotonic()
        if now - told >= EVERY:
            told, rate = now, done / max(now - begun, 0.001)
            rest = f" of {total:,}" if total else ""
            left = f", {math.ceil((total - done) / rate / 60)} min left" if total and rate else ""
            _LOG.info("%s: %s%s, %.1f/s%s", what, f"{done:,}", rest, rate, left)

    return advance


@contextmanager
def progress(what: str, total: int | None, prints: bool = False) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error while it is a terminal; what it gives is called with each step's size.

    It tells how many are done of how many, at which rate, and how long it will take. There is none if results are
    printed (``prints``) on a terminal: they show how far the work is. Elsewhere than on a terminal it is a message
    twice a minute, for those who want to be told what is being done.
    """
    if not sys.stderr.isatty() or _is_quiet() or (prints and sys.stdout.isatty()):
        yield _in_lines(what, total)
        return
    from rich import progress as rich
    from rich.console import Console
    from rich.text import Text

    class Rate(rich.ProgressColumn):
        def render(self, task: rich.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f}/s", style="progress.data.speed")

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        Rate(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
    )
    # Not redirected: rich would send what is written to standard output to the bar's console, which is standard error.
    with rich.Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda count: bars.advance(bar, count)
