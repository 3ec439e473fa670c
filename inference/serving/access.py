"""Access control and response headers: the outermost middleware."""

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
OPEN = ("/healthz", "/readyz")  # without a token, for probes; these paths reveal nothing
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Guard:
    """Refuse requests without access before their body is read, and count answers (ASGI middleware)."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, is_leaving: Callable[[], bool]
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._is_leaving = is_leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        # uvicorn also starts and stops the application through this call.
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)  # a page has its own policy
                if self._is_leaving():
                    headers["connection"] = "close"  # the client should go to another server
            await send(message)

        try:
            refusal = self._refusal(scope)
            app: ASGIApp = self._app
            if refusal is not None:
                app = problem_response(refusal)
            await app(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.answered(route, status, seconds)
            log.info("%s %s: %d in %.3f s", scope["method"], route, status, seconds)

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Return the reason to refuse a request; ``None`` to let it in."""
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy may have used the other length. The rest of the body would then be read as a
            # smuggled request (RFC 9112, section 6.3).
            return Refusal(
                400,
                "content-length: expected no transfer-encoding beside it, found both",
                "content-length",
                connection="close",
            )
        if not self._is_own_host(headers.get("host")):
            return Refusal(
                421,
                "host: expected a name of this machine (or one that --allow-host names), found another",
                "host",
            )
        if scope["path"] not in OPEN and not self._has_token(headers.get("authorization", "")):
            scheme = "Bearer"
            if scope["path"] == "/":
                # With this scheme a browser asks its user for a password.
                scheme = 'Basic realm="claimstance", charset="UTF-8"'
            return Refusal(
                401,
                "authorization: expected 'Bearer' and the token of this server",
                "authorization",
                www_authenticate=scheme,
            )
        if scope["method"] == "POST" and _is_cross_site(headers):
            return Refusal(
                403,
                "origin: expected a page of this server, or a program, found another site's page",
                "origin",
            )
        return None

    def _is_own_host(self, host: str | None) -> bool:
        """Return whether the host of a request is a name of this server.

        Another site can let its own name resolve to this machine (DNS rebinding), and its pages could
        then read the answers. An address cannot be rebound, and a client without a host is no browser.
        """
        settings = self._settings
        if host is None or not (settings.is_local or settings.names):
            return True
        name = host.lower()
        # An IPv6 address in brackets has colons, but no port.
        if ":" in name and not name.endswith("]"):
            name = name.rpartition(":")[0]
        return as_address(name) is not None or name in ("localhost", settings.host, *settings.names)

    def _has_token(self, authorization: str) -> bool:
        """Return whether a header has the token: as ``Bearer``, or as the password of ``Basic``."""
        expected = self._settings.token
        if expected is None:
            return True
        scheme, _, credentials = authorization.partition(" ")
        token = credentials.strip().encode("latin-1")
        if scheme.lower() == "basic":
            try:
                token = b64decode(token, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(token, expected.encode())


def _is_cross_site(headers: Headers) -> bool:
    """Return whether a page of another site sent this, by headers that no page can forge."""
    site = headers.get("sec-fetch-site")
    if site:
        return site not in ("same-origin", "none")
    # Older browsers send only the origin; programs send neither.
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
