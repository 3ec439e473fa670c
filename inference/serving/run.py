"""Running the server: its socket, impatience with connections that do nothing, and an end that answers everybody."""

import asyncio
import contextlib
import os
import socket
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

HEAD_SECONDS = 10.0  # within which a request has to begin, and its head to be there
IDLE_SECONDS = 5  # that a connection is kept for another request
ANSWER_SECONDS = 60.0  # within which an answer has to be taken
_LEAVING_SECONDS = 0.3  # in which those who ask once more are told that it is the last time
_SPARE_SECONDS = 5
_SIGNALLED = 128  # and the signal's number: the exit code that shells show for it


class Connection(H11Protocol):
    """A connection that is closed when it keeps the server waiting, as uvicorn's alone is not.

    Between requests ``HEAD_SECONDS`` count from the first byte that comes (from the start, for the first request); what
    comes of a request that was answered already, since it was too long, counts as nothing. uvicorn itself closes a
    connection on which nothing comes at all after an answer.
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
        """Close the connection; an answer that is still to be taken has its own time."""
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
    """uvicorn, which on SIGTERM or SIGINT answers what has come and ends with code 0; on a second one at once."""

    def __init__(
        self, config: uvicorn.Config, server: Server, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._server, self._announce = server, announce

    @property
    def has_ended(self) -> bool:
        """Whether nothing is being read any more."""
        return self._server.worker.has_ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``uvicorn.Server``; then say that requests may come."""
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See ``uvicorn.Server``, which would raise the signal again at the end."""
        if self.should_exit:
            end_all()  # of the files that are being parsed
            # At once: an orderly end would wait for threads, or pull them down amid their work.
            os._exit(_SIGNALLED + sig)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is on its way come, each connection's last request, before nothing more is let in."""
        self._server.is_leaving = True
        await asyncio.sleep(_LEAVING_SECONDS)
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """A socket on the settings' host and port.

    Raises:
        ClaimstanceError: if it cannot be had.
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
    """Answer requests on ``opened`` until told to stop; ``announce`` is called once they may come."""
    _take_all_files()
    server = prepare(tagger, settings, announce)
    server.run([opened])
    if not server.has_ended:
        # A thread is still busy with what nobody waits for; Python cannot end it, and would not
        # survive to pull it down.
        end_all()
        os._exit(0)


def prepare(tagger: Tagger, settings: Settings, announce: Callable[[], None]) -> Uvicorn:
    """What answers requests once it is run."""
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
        timeout_graceful_shutdown=round(2 * settings.timeout) + _SPARE_SECONDS,
    )
    return Uvicorn(config, app.state.server, announce)


def _take_all_files() -> None:
    """Let this process hold as many connections as the system allows it, not only as it begins with."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
