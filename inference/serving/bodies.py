"""The bodies of requests, read within limits before anything else sees them.

A body that comes slowly takes no slot of those for work, and keeps nobody else out: where a client has as many bodies
on their way as it may have, or all of them together take as much memory as they may, the oldest one gives way.
"""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claimstance.inference.serving.problems import CLIENT_CLOSED_REQUEST, Refusal, too_busy
from claimstance.inference.serving.settings import Settings

MAX_PER_CLIENT = 64  # bodies on their way at a time
MAX_MEMORY = 64  # of all bodies on their way: as much as so many of the greatest length
_CONTENT_TYPES = {"/": "multipart/form-data"}
_CONTENT_TYPE = "application/json"  # of all other paths


class _Arrival:
    """A body on its way. ``gives_way`` is done once another one needs its room."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.content = bytearray()
        self.gives_way: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class BodyLimits:
    """Gives the application each body whole (ASGI middleware).

    A limit that is not kept raises a ``Refusal`` where the application would read the body: 413 for too long a body,
    408 for one that is not there in time, 415 for another type or a compressed one, 503 where there is no room.

    Args:
        app: what answers.
        settings: the limits of size and time.
        check: raises a ``Refusal`` while nothing more is let in, so that nobody sends a body in vain.
    """

    def __init__(self, app: ASGIApp, settings: Settings, check: Callable[[], None]) -> None:
        self._app, self._settings, self._check = app, settings, check
        self._arrivals: dict[str, list[_Arrival]] = {}  # by client, the oldest first
        self._memory = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        is_read = False

        async def receive_whole() -> Message:
            nonlocal is_read
            if is_read or scope["type"] != "http":
                return await receive()
            is_read = True
            return {"type": "http.request", "body": await self._read(scope, receive)}

        await self._app(scope, receive_whole, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body of a request.

        Raises:
            Refusal: see the class.
        """
        self._check_head(Headers(scope=scope), scope["path"])
        self._check()
        arrival = self._open(scope["client"][0] if scope.get("client") else "")
        seconds = self._settings.timeout
        reading = asyncio.ensure_future(self._collect(arrival, receive))
        try:
            await asyncio.wait(
                (reading, arrival.gives_way),
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if arrival.gives_way.done():
                raise too_busy("more bodies are on their way than there is room for")
            if reading.done():
                return reading.result()
            raise Refusal(408, f"body: expected all of it within {seconds:g} s", "body")
        finally:
            if not reading.cancel() and not reading.cancelled():
                reading.exception()  # asked for, or else asyncio would complain of it
            self._close(arrival)

    def _check_head(self, headers: Headers, path: str) -> None:
        expected = _CONTENT_TYPES.get(path, _CONTENT_TYPE)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != expected:
            raise Refusal(415, f"content-type: expected {expected}", "content-type")
        if headers.get("content-encoding", "identity") != "identity":
            raise Refusal(
                415, "content-encoding: expected a body that is not compressed", "content-encoding"
            )
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._settings.max_body:
            raise self._too_long()

    def _too_long(self) -> Refusal:
        return Refusal(
            413, f"body: expected at most {self._settings.max_body} bytes, found more", "body"
        )

    async def _collect(self, arrival: _Arrival, receive: Receive) -> bytes:
        """Return the body once all of it is there."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(CLIENT_CLOSED_REQUEST, "the client left")
            if arrival.gives_way.done():
                return b""  # which nobody waits for
            chunk = message.get("body", b"")
            if len(arrival.content) + len(chunk) > self._settings.max_body:
                raise self._too_long()
            arrival.content += chunk
            self._memory += len(chunk)
            if not message.get("more_body", False):
                return bytes(arrival.content)
            while self._memory > MAX_MEMORY * self._settings.max_body:
                self._give_way(self._greatest_client())

    def _open(self, client: str) -> _Arrival:
        """Note that a body is on its way; where its client has too many of them, its oldest gives way."""
        if len(self._arrivals.get(client, ())) >= MAX_PER_CLIENT:
            self._give_way(client)
        arrival = _Arrival(client)
        self._arrivals.setdefault(client, []).append(arrival)
        return arrival

    def _greatest_client(self) -> str:
        """Return the client whose bodies take most memory."""
        sizes = {
            client: sum(len(arrival.content) for arrival in arrivals)
            for client, arrivals in self._arrivals.items()
        }
        return max(sizes, key=sizes.__getitem__)

    def _give_way(self, client: str) -> None:
        """End the oldest body of a client."""
        arrival = self._arrivals[client][0]
        arrival.gives_way.set_result(None)
        self._close(arrival)

    def _close(self, arrival: _Arrival) -> None:
        """Forget a body that is there, or that will not be waited for."""
        arrivals = self._arrivals.get(arrival.client, [])
        if arrival not in arrivals:
            return
        arrivals.remove(arrival)
        self._memory -= len(arrival.content)
        if not arrivals:
            del self._arrivals[arrival.client]
