"""Parse documents in processes of their own, which are ended when they take too long or too much memory.

Libraries that read web pages, PDF and Word files can be kept busy for hours by small files, often within a single call:
a thread could not be ended there. A process is started when the first document comes, and kept for the next ones.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from claimstance.inference.articles.article import Article, RawFile
from claimstance.model.errors import InputError

#: The program of a process; it imports modules from the paths of the process that started it.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from claimstance.inference.articles.isolation import work; work()"
)
_MAX_DOCUMENTS = 1_000  # of a process, then another is started: libraries may leak memory
_SPARE_SECONDS = 5  # of processor time, after which a process ends that its starter could not end


@dataclass(frozen=True)
class Limits:
    """Represent the limits on parsing one document.

    Attributes:
        seconds: on the clock.
        memory: bytes of address space of the process, on systems that limit it (not macOS, not Windows).
    """

    seconds: float = 120
    memory: int = 1 << 30

    def __str__(self) -> str:
        """Return the limits as a message names them."""
        return f"{self.seconds:g} seconds and {self.memory / (1 << 30):g} GB of memory"


LIMITS = Limits()


class TimeLimitError(InputError):
    """Raised when a document is not parsed in time."""


def parse_in_process(
    parse: Callable[[RawFile], Article], raw: RawFile, limits: Limits = LIMITS
) -> Article:
    """Return the article that ``parse`` makes of a document, within limits of time and memory.

    Args:
        parse: a function of a module, which the process imports.
        raw: the document.
        limits: what it may take.

    Raises:
        InputError: as ``parse`` raises it, or if the document takes too much memory or ends the process.
        TimeLimitError: if it takes too long.
    """
    # A program that was packed into a single file cannot start Python, only itself.
    if not sys.executable or getattr(sys, "frozen", False):
        return parse(raw)
    with _lock:
        while _idle:
            process = _idle.pop()
            if process.is_alive:
                break
            process.close()
        else:
            process = _Process()
        _busy.append(process)
    try:
        reply = process.ask(parse, raw, limits)
    finally:
        with _lock:
            _busy.remove(process)
            if process.is_usable:
                _idle.append(process)
        if not process.is_usable:
            process.close()

    if "article" in reply:
        values = reply["article"]
        return Article(**{**values, "warnings": tuple(values["warnings"])})
    if "error" in reply:
        raise InputError(reply["error"])
    if "bug" in reply:
        raise RuntimeError(reply["bug"])

    expected = f"{raw.where}: expected a document that can be read within {limits}"
    advice = "split it, or save it as plain text"
    if "memory" in reply:
        raise InputError(f"{expected}, found one that needs more memory: {advice}")
    if "time" in reply:
        raise TimeLimitError(f"{expected}, found one that takes longer: {advice}")
    raise InputError(f"{expected}, found one at which reading breaks off: {advice}")


def end_all() -> None:
    """End all processes at once; ``parse_in_process`` raises ``InputError`` for what they are parsing."""
    with _lock:
        for process in _busy:
            process.end()
        while _idle:
            _idle.pop().close()


class _Process:
    """Run a process that parses, one document at a time.

    Attributes:
        is_usable: whether it may parse another document.
    """

    def __init__(self) -> None:
        """Start the process."""
        self.is_usable = True
        self._documents = 0
        self._is_late = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not end it: the parent may want to finish its work
        )

    def ask(
        self, parse: Callable[[RawFile], Article], raw: RawFile, limits: Limits
    ) -> dict[str, Any]:
        """Return the reply to a document under one key: "article", "error", "bug", "memory" or "time".

        The reply is empty if the process ended by itself.
        """
        requests, replies = self._process.stdin, self._process.stdout
        assert requests is not None
        assert replies is not None
        request = {
            "module": parse.__module__,
            "function": parse.__qualname__,
            "limits": asdict(limits),
            "size": len(raw.data),
            "raw": {name: value for name, value in vars(raw).items() if name != "data"},
        }

        # Reading the reply blocks. Only another thread can end the process meanwhile, so that the reply breaks off.
        timer = threading.Timer(limits.seconds, self._end_late)
        timer.daemon = True
        timer.start()
        reply: dict[str, Any] = {}
        try:
            requests.write(_encode_line(request))
            requests.write(raw.data)
            requests.flush()
            line = replies.readline()
            if not line.endswith(b"\n"):
                raise ValueError("cut off")
            reply = json.loads(line)
        except (OSError, ValueError):  # the process has ended
            self.is_usable = False
        finally:
            timer.cancel()
            timer.join()  # so that a timer that has just run out has set _is_late, which is read next

        if self._is_late:
            return reply or {"time": True}
        self._documents += 1
        self.is_usable &= self._documents < _MAX_DOCUMENTS and "last" not in reply
        return reply

    def _end_late(self) -> None:
        """End the process because the time is over."""
        self._is_late, self.is_usable = True, False
        self._process.kill()

    @property
    def is_alive(self) -> bool:
        """Return true while the process runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End the process, whatever it does."""
        self.is_usable = False
        self._process.kill()

    def close(self) -> None:
        """End the process and forget it."""
        self.end()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()


# Several threads may parse: each takes an idle process, or starts one, and is alone with it until the reply. The lock
# is held while a process moves from one list to the other, never while it works.
_lock = threading.Lock()
_idle: list[_Process] = []
_busy: list[_Process] = []


def _forget_processes() -> None:
    """Leave the processes to the parent after a fork: each can talk to one program only."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()
    _busy.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_processes)


def _encode_line(value: Any) -> bytes:
    """Return a message between the processes."""
    return json.dumps(value).encode() + b"\n"


def work() -> None:
    """Parse what comes on standard input until it ends, and reply on standard output: the program of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as replies:
        # Libraries print, which must not mix with replies.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        while line := requests.readline():
            reply = _handle_request(json.loads(line), requests)
            replies.write(_encode_line(reply))
            replies.flush()


def _handle_request(request: dict[str, Any], requests: BinaryIO) -> dict[str, Any]:
    """Return the reply to a request, whose document is still to be read."""
    limits = Limits(**request["limits"])
    reply: dict[str, Any]
    try:
        raw = RawFile(requests.read(request["size"]), **request["raw"])
        parse = getattr(import_module(request["module"]), request["function"])
        _limit_process(limits)
        reply = {"article": asdict(parse(raw))}
    except InputError as error:
        reply = {"error": str(error)}
    except MemoryError:
        return {"memory": True, "last": True}
    except Exception:
        reply = {"bug": traceback.format_exc()}

    peak = 0  # the most bytes of address space so far; stays 0 where the system does not say
    with contextlib.suppress(OSError, ValueError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        for line in status.splitlines():
            if line.startswith("VmPeak:"):
                peak = 1024 * int(line.split()[1])

    # Libraries in C report missing memory as damage of the file.
    if "error" in reply and peak > limits.memory * 3 // 4:
        return {"memory": True, "last": True}
    # Memory that this document took might be missing for the next one.
    if peak > limits.memory // 2:
        reply["last"] = True
    return reply


def _limit_process(limits: Limits) -> None:
    """Have the system limit this process, where it can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, maximum = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, maximum))
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime + limits.seconds) + _SPARE_SECONDS
        _, maximum = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, maximum))


atexit.register(end_all)
