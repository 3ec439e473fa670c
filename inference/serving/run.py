"""Run the server: its socket, timeouts of idle connections, and graceful shutdown."""

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
from asyncio import TimerHandle
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from claimstance.inference.articles.isolation import end_all
from claimstance.inference.serving.app import Server, create_app
from claimstance.inference.serving.settings import Settings
from claimstance.inference.tagger import Tagger
from claimstance.model.errors import ClaimstanceError

HEAD_SECONDS = 10.0  # for the head of a request to arrive
IDLE_SECONDS = 5  # before a connection without another request is closed
ANSWER_SECONDS = 60.0  # for a client to take an answer
_LEAVING_SECONDS = 0.3  # in which answers say that their connection closes, before a shutdown
_SHUTDOWN_SECONDS = 5  # beyond the timeouts of a request
_M_ARENA_MAX, _ARENAS = -8, 2  # mallopt(3)
_SIGNAL_EXIT = 128  # plus the signal's number: the exit code that shells show for it


class Connection(H11Protocol):
    """Close a connection when its client is slow to send a request or to take an answer.

    ``HEAD_SECONDS`` count from the first byte of a request, and from the connection for the first one.
    Bytes of a request that was answered already, since it was too long, do not count. uvicorn itself
    only closes a connection on which nothing arrives after an answer.
    """

    _timer: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        self._wait(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._timer is None:
            self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._stop_waiting()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection; the client has ``ANSWER_SECONDS`` to take an answer."""
        super().timeout_keep_alive_handler()
        self._wait(ANSWER_SECONDS)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Uvicorn(uvicorn.Server):
    """Answer pending requests on SIGTERM or SIGINT, then exit with 0; exit at once on a second signal."""

    def __init__(
        self, config: uvicorn.Config, server: Server, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._server, self._announce = server, announce

    @property
    def has_ended(self) -> bool:
        """Return whether all worker threads have ended."""
        return self._server.worker.has_ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``uvicorn.Server``; then announce that requests may arrive."""
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See ``uvicorn.Server``, which would raise the signal again at the end."""
        if self.should_exit:
            end_all()  # the processes that parse files
            # An orderly exit would wait for the worker threads.
            os._exit(_SIGNAL_EXIT + sig)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept the last request of each connection for a moment, then shut down."""
        self._server.is_leaving = True
        await asyncio.sleep(_LEAVING_SECONDS)
        await super().shutdown(sockets)


def limit_arenas() -> bool:
    """Limit glibc to two memory arenas for all threads; return ``False`` where the C library has no such limit.

    By default, glibc gives each thread an arena of its own, and other threads cannot use the memory that it frees.
    """
    if sys.platform != "linux":
        return False
    with contextlib.suppress(AttributeError, OSError):  # another C library has no mallopt
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    return False


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the host and port of the settings.

    Raises:
        ClaimstanceError: if the port is taken, or the host is not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
    except OSError as error:
        opened.close()
        raise ClaimstanceError(
            f"{settings.host}, port {settings.port}: cannot be listened on: "
            f"{error.strerror or error}"
        ) from None
    return opened


def serve(
    tagger: Tagger, settings: Settings, opened: socket.socket, announce: Callable[[], None]
) -> None:
    """Answer requests on ``opened`` until a signal; call ``announce`` once requests may arrive."""
    # Each connection is an open file, of which the system allows more than it grants by default.
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))

    server = prepare(tagger, settings, announce)
    server.run([opened])
    if not server.has_ended:
        # A thread is still busy with an abandoned article. Python cannot end it, and would wait for it
        # at a normal exit.
        end_all()
        os._exit(0)


def prepare(tagger: Tagger, settings: Settings, announce: Callable[[], None]) -> Uvicorn:
    """Return the uvicorn server of an application for ``tagger``."""
    app = create_app(tagger, settings)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        backlog=1024,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=round(2 * settings.timeout) + _SHUTDOWN_SECONDS,
    )
    return Uvicorn(config, app.state.server, announce)
