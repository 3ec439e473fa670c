"""Limits for the bodies of requests, which are received in full before anything else sees them.

A body that arrives slowly takes no slot of the worker, and does not keep other clients out: if a client sends too many
bodies at a time, or all bodies together take too much memory, the oldest one is dropped.
"""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claimstance.inference.serving.problems import CLIENT_CLOSED_REQUEST, Refusal, too_busy
from claimstance.inference.serving.settings import Settings

MAX_PER_CLIENT = 64  # bodies in arrival at a time
MAX_MEMORY = 64  # of all bodies in arrival, in bodies of the maximum length
_CONTENT_TYPES = {"/": "multipart/form-data"}
_CONTENT_TYPE = "application/json"  # of all other paths


class _Arrival:
    """Represent a body in arrival; the future ``dropped`` is done once another body needs its room."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.content = bytearray()
        self.dropped: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class BodyLimits:
    """Pass each body on as a whole, within limits (ASGI middleware).

    A violated limit raises a ``Refusal`` where the application reads the body: 413 for a body that is too
    long, 408 for one that is too late, 415 for a wrong type or compression, 503 for lack of room.

    Args:
        app: the application.
        settings: the limits of size and time.
        check: raises a ``Refusal`` while no request is let in, so that no body is sent in vain.
    """

    def __init__(self, app: ASGIApp, settings: Settings, check: Callable[[], None]) -> None:
        self._app = app
        self._settings = settings
        self._check = check
        self._arrivals: dict[str, list[_Arrival]] = {}  # by client, the oldest first
        self._memory = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        is_received = False

        async def receive_whole() -> Message:
            nonlocal is_received
            if is_received or scope["type"] != "http":
                return await receive()
            is_received = True
            return {"type": "http.request", "body": await self._read(scope, receive)}

        await self._app(scope, receive_whole, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the body of a request.

        Raises:
            Refusal: see the class.
        """
        # Both come before the body: a client need not send what would be refused.
        self._check_head(Headers(scope=scope), scope["path"])
        self._check()

        client = scope["client"][0] if scope.get("client") else ""
        if len(self._arrivals.get(client, ())) >= MAX_PER_CLIENT:
            self._drop_oldest(client)
        arrival = _Arrival(client)
        self._arrivals.setdefault(client, []).append(arrival)

        seconds = self._settings.timeout
        receiving = asyncio.ensure_future(self._collect(arrival, receive))
        try:
            await asyncio.wait(
                (receiving, arrival.dropped),
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if arrival.dropped.done():
                raise too_busy("too many bodies are arriving")
            if receiving.done():
                return receiving.result()
            raise Refusal(408, f"body: expected all of it within {seconds:g} s", "body")
        finally:
            if not receiving.cancel() and not receiving.cancelled():
                # asyncio logs an exception that nobody retrieves.
                receiving.exception()
            self._close(arrival)

    def _check_head(self, headers: Headers, path: str) -> None:
        """Raise a ``Refusal`` for a body of a wrong type or length, before it arrives."""
        expected = _CONTENT_TYPES.get(path, _CONTENT_TYPE)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != expected:
            raise Refusal(415, f"content-type: expected {expected}", "content-type")
        if headers.get("content-encoding", "identity") != "identity":
            raise Refusal(
                415, "content-encoding: expected a body that is not compressed", "content-encoding"
            )
        # Python refuses to convert thousands of digits; twenty of them exceed every limit.
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._settings.max_body:
            raise self._too_long()

    def _too_long(self) -> Refusal:
        """Return the refusal of a body that exceeds the limit, declared or received."""
        return Refusal(
            413, f"body: expected at most {self._settings.max_body} bytes, found more", "body"
        )

    async def _collect(self, arrival: _Arrival, receive: Receive) -> bytes:
        """Return the body once all of it has arrived."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(CLIENT_CLOSED_REQUEST, "the client left")
            if arrival.dropped.done():
                return b""  # _read has refused it already
            chunk = message.get("body", b"")
            if len(arrival.content) + len(chunk) > self._settings.max_body:
                raise self._too_long()
            arrival.content += chunk
            self._memory += len(chunk)
            if not message.get("more_body", False):
                return bytes(arrival.content)
            while self._memory > MAX_MEMORY * self._settings.max_body:
                # The client whose bodies take the most memory makes room.
                greatest = max(self._arrivals, key=self._memory_of)
                self._drop_oldest(greatest)

    def _memory_of(self, client: str) -> int:
        """Return the bytes that have arrived of the bodies of a client."""
        return sum(len(arrival.content) for arrival in self._arrivals[client])

    def _drop_oldest(self, client: str) -> None:
        """Drop the oldest body of a client."""
        arrival = self._arrivals[client][0]
        arrival.dropped.set_result(None)
        self._close(arrival)

    def _close(self, arrival: _Arrival) -> None:
        """Unregister a body that has arrived or was dropped."""
        arrivals = self._arrivals.get(arrival.client, [])
        if arrival not in arrivals:
            return
        arrivals.remove(arrival)
        self._memory -= len(arrival.content)
        if not arrivals:
            del self._arrivals[arrival.client]
