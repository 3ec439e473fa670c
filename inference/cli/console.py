"""Messages, progress bars and checks of arguments that the commands share."""

import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.errors import ClaimstanceError, ConfigError, printable
from claimstance.model.io.hub import is_hub_name

if TYPE_CHECKING:
    from claimstance.inference.results import ResultItem

#: The logger of this program alone: messages of libraries would drown its own.
_LOG = logging.getLogger("claimstance")
_COLOURS = {"error": "red", "warning": "yellow"}
#: Seconds between two progress messages where no bar can be drawn.
PROGRESS_INTERVAL = 30.0


def print_message(message: str, kind: str = "error") -> None:
    """Write a message as one line to standard error; ``--quiet`` suppresses warnings.

    The message may contain text from outside, such as a file name, so control characters are escaped.
    """
    if kind == "warning" and _is_quiet():
        return
    prefix = kind
    if kind in _COLOURS and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        prefix = typer.style(kind, fg=_COLOURS[kind], bold=True)
    typer.echo(f"{prefix}: {printable(message)}", err=True)


def print_diagnostics(result: "ResultItem", show: bool) -> None:
    """Print the error or the warnings of an article to standard error; with ``show`` also its table, for reading.

    A writer writes the result itself.
    """
    if isinstance(result, ClaimstanceError):
        print_message(str(result))
        return
    for warning in result.warnings:
        print_message(f"{result.doc_id}: {warning}", "warning")
    if show:
        from claimstance.inference.cli.tables import print_article

        print_article(result)


def _is_quiet() -> bool:
    """Return whether ``--quiet`` was set."""
    return _LOG.level > logging.WARNING


def exit_with_error(message: str, code: int) -> NoReturn:
    """Print an error and exit with ``code``."""
    print_message(message)
    sys.exit(code)


class _MessageHandler(logging.Handler):
    """Print log records in the format of the program's other messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record; its level is the kind of the message."""
        print_message(record.getMessage(), record.levelname.lower())


def configure_logging(verbose: bool, quiet: bool = False) -> None:
    """Print the program's log records like its other messages.

    Args:
        verbose: print records of level INFO, too.
        quiet: print errors only, and show no progress bar.
    """
    level = logging.WARNING
    if quiet:
        level = logging.ERROR
    elif verbose:
        level = logging.INFO
    _LOG.setLevel(level)
    _LOG.handlers[:] = [_MessageHandler()]
    # onnxruntime's quantizer adds a handler to the root logger, which would print every message twice.
    _LOG.propagate = False


def check_exists(option: str, *paths: Path | str | None) -> None:
    """Raise ``ConfigError`` if a path, the value of ``option``, does not exist."""
    for path in paths:
        if path is not None and not Path(path).exists():
            raise ConfigError(f"{option}: '{path}' does not exist")


def check_utf8(option: str, *values: str | None) -> None:
    """Raise ``ConfigError`` if a value of ``option`` contains bytes that are not UTF-8."""
    for value in values:
        # Python represents such bytes of an argument as lone surrogates.
        if value and any("\ud800" <= character <= "\udfff" for character in value):
            raise ConfigError(f"{option}: expected UTF-8, found '{printable(value)}'")


def check_model(option: str, model: str | None) -> None:
    """Raise ``ConfigError`` unless the model is bundled, a folder that exists or a name on the hub."""
    if model is None or model in BUNDLED_MODELS or Path(model).exists() or is_hub_name(model):
        return
    names = ", ".join(BUNDLED_MODELS)
    raise ConfigError(
        f"{option}: expected {names}, a model folder or a name on the hub (user/name), found '{printable(model)}'"
    )


def check_outside_inputs(
    out: Path | None,
    inputs: Sequence[str | Path],
    suffixes: Sequence[str] | None = None,
    option: str = "--out",
) -> None:
    """Raise ``ConfigError`` if an output would replace an input, or be read as one later.

    Args:
        out: the output, the value of ``option``.
        inputs: the files and folders that are read.
        suffixes: the suffixes of files that are read from a folder; ``None`` if every file is read.
        option: the option, for the message.
    """
    if out is None or (suffixes is not None and out.suffix.lower() not in suffixes):
        return
    target = out.resolve()
    for name in inputs:
        path = Path(name).resolve()
        # Two paths may be one file: hard links, or names that differ only in case on a system that ignores it.
        is_same_file = target.exists() and path.exists() and target.samefile(path)
        if is_same_file or path == target or (path.is_dir() and path in target.parents):
            raise ConfigError(
                f"{option}: expected a path outside the inputs, found '{out}', which '{name}' is or contains"
            )


def _progress_messages(description: str, total: int | None) -> Callable[[int], None]:
    """Return a function that counts steps and logs the count every ``PROGRESS_INTERVAL`` seconds."""
    start_time = time.monotonic()
    count, last_message = 0, start_time

    def advance(steps: int) -> None:
        nonlocal count, last_message
        count += steps
        now = time.monotonic()
        if now - last_message < PROGRESS_INTERVAL:
            return
        last_message = now
        rate = count / max(now - start_time, 0.001)
        message = f"{description}: {count:,}"
        if total:
            message += f" of {total:,}"
        message += f", {rate:.1f}/s"
        if total and rate:
            message += f", {math.ceil((total - count) / rate / 60)} min left"
        _LOG.info("%s", message)

    return advance


@contextmanager
def progress(
    description: str, total: int | None, prints_results: bool = False
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error if it is a terminal; yield the function that advances it.

    The bar shows the count, the total, the rate and the remaining time. Without a terminal, these are
    logged twice a minute instead, which ``--verbose`` makes visible.

    Args:
        description: the work, such as ``tagging``.
        total: the number of steps; ``None`` if unknown.
        prints_results: whether results go to standard output; on a terminal they replace the bar.
    """
    results_on_terminal = prints_results and sys.stdout.isatty()
    if not sys.stderr.isatty() or _is_quiet() or results_on_terminal:
        yield _progress_messages(description, total)
        return
    from rich import progress as rich
    from rich.console import Console
    from rich.text import Text

    class RateColumn(rich.ProgressColumn):
        """Show the steps per second."""

        def render(self, task: rich.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f}/s", style="progress.data.speed")

    columns = (
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        RateColumn(),
        rich.TimeElapsedColumn(),
        rich.TextColumn("left"),
        rich.TimeRemainingColumn(),
    )
    # With redirection, rich would send text for standard output to the bar's console, standard error.
    with rich.Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False
    ) as bars:
        # The description may contain the name of a model from elsewhere.
        bar = bars.add_task(printable(description), total=total)

        def advance(steps: int) -> None:
            bars.advance(bar, steps)

        yield advance
