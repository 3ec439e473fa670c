"""What is not answered, and how that is said: JSON with the status, what was expected and what was found (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

RETRY_SECONDS = 1
#: The client left before it was answered. No standard has a number for it; this one is nginx's.
GONE = 499


class Refusal(HTTPException):
    """A request that is not answered.

    Attributes:
        field: which field of the request this is about, such as ``[2].targets[0]``.
    """

    def __init__(
        self, status_code: int, detail: str, field: str | None = None, **headers: str
    ) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status_code, detail, names)
        self.field = field


def problem_response(refusal: HTTPException) -> Response:
    """Return a refusal as JSON. All of it is ASCII: what was found need not be text that UTF-8 can hold."""
    problem: dict[str, Any] = {
        "status": refusal.status_code,
        "title": title(refusal.status_code),
        "detail": refusal.detail,
    }
    if (field := getattr(refusal, "field", None)) is not None:
        problem["field"] = field
    return Response(
        json.dumps(problem),
        refusal.status_code,
        dict(refusal.headers or {}),
        "application/problem+json",
    )


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
