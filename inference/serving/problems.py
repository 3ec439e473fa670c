"""What is not answered, and how that is said: JSON with the status, what was expected and what was found (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

RETRY_SECONDS = 1
#: The client left before it was answered. No standard has a number for it; this one is nginx's.
GONE = 499


class Refusal(Exception):  # noqa: N818 - it is an answer, no mistake of this program
    """A request that is not answered.

    Attributes:
        status: of HTTP.
        detail: what was expected and what was found.
        field: which field of the request this is about, such as ``articles[2].targets[0]``.
        headers: of the answer.
    """

    def __init__(self, status: int, detail: str, field: str | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field = status, detail, field
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> Response:
        """The refusal as JSON. All of it is ASCII: what was found need not be text that UTF-8 can hold."""
        told: dict[str, Any] = {
            "status": self.status,
            "title": title(self.status),
            "detail": self.detail,
        }
        if self.field is not None:
            told["field"] = self.field
        return Response(json.dumps(told), self.status, self.headers, "application/problem+json")


def title(status: int) -> str:
    """What a status is called."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == GONE else "Refused"


def busy(why: str) -> Refusal:
    """There is no room just now."""
    return Refusal(
        503, f"busy: {why}; ask again in {RETRY_SECONDS} s", retry_after=str(RETRY_SECONDS)
    )


def unreadable(field: str, message: str) -> Refusal:
    """A field that is not what it should be; the message says what was expected and what was found."""
    return Refusal(422, f"{field}: {message}", field)
