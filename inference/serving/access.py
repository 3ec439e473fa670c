"""Whom the server listens to, and what every answer has: the layer around everything else."""

import hmac
import logging
import time
from base64 import b64decode
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import Refusal, problem_response
from claimstance.inference.serving.settings import Settings, as_address

log = logging.getLogger(__name__)
OPEN = ("/healthz", "/readyz")  # to probes, which have no token: they tell nothing
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Guard:
    """Turns away who may not ask, before anything of the request is read; counts every answer."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, is_leaving: Callable[[], bool]
    ) -> None:
        self._app, self._settings, self._metrics, self._is_leaving = (
            app,
            settings,
            metrics,
            is_leaving,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message))
            await send(message)

        try:
            app: ASGIApp = self._app
            if refusal := self._refusal(scope):
                app = problem_response(refusal)
            await app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.answered(route, status, seconds)
            log.info("%s %s: %d in %.3f s", scope["method"], route, status, seconds)

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self._is_leaving():
            headers["connection"] = "close"

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and "content-length" in headers:
            # Whoever passed this on may have taken the other one for its length, and then what one
            # of us reads as the next request was smuggled in (RFC 9112, section 6.3).
            return Refusal(
                400,
                "content-length: expected no transfer-encoding beside it, found both",
                "content-length",
                connection="close",
            )
        if not self._is_asked_for(headers.get("host")):
            return Refusal(
                421,
                "host: expected a name of this machine (or one that --allow-host names), found another",
                "host",
            )
        if scope["path"] not in OPEN and not self._is_shown(headers.get("authorization", "")):
            # A browser asks its reader for a password then; a program would be bothered by that.
            kind = (
                'Basic realm="claimstance", charset="UTF-8"' if scope["path"] == "/" else "Bearer"
            )
            return Refusal(
                401,
                "authorization: expected 'Bearer' and the token of this server",
                "authorization",
                www_authenticate=kind,
            )
        if scope["method"] == "POST" and _is_from_elsewhere(headers):
            return Refusal(
                403,
                "origin: expected a page of this server, or a program, found another site's page",
                "origin",
            )
        return None

    def _is_asked_for(self, host: str | None) -> bool:
        """Whether a request means this server.

        A page of another site can have its own name lead to this machine (DNS rebinding), and would then be read to.
        An address cannot be made to lead elsewhere, and a client that sends no name is no browser.
        """
        settings = self._settings
        if host is None or not (settings.is_local or settings.names):
            return True
        name = (
            host.lower().rpartition(":")[0]
            if not host.endswith("]") and ":" in host
            else host.lower()
        )
        return as_address(name) is not None or name in ("localhost", settings.host, *settings.names)

    def _is_shown(self, authorization: str) -> bool:
        """Whether the token is: as ``Bearer``, or, by a browser, as the password of ``Basic``."""
        expected = self._settings.token
        if expected is None:
            return True
        kind, _, given = authorization.partition(" ")
        shown = given.strip().encode("latin-1")
        if kind.lower() == "basic":
            try:
                shown = b64decode(shown, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(shown, expected.encode())


def _is_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site has a browser send this: what it says of that no page can forge."""
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
