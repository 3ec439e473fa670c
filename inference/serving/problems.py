"""Refusals, answered as problem details in JSON (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

RETRY_SECONDS = 1
#: The client disconnected before the answer. No standard has a status for it; this one is nginx's.
CLIENT_CLOSED_REQUEST = 499


class Refusal(HTTPException):
    """Raised when a request is refused.

    Attributes:
        field: the field of the request that is at fault, such as ``[2].targets[0]``.
    """

    def __init__(
        self, status_code: int, detail: str, field: str | None = None, **headers: str
    ) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status_code, detail, names)
        self.field = field


def problem_response(refusal: HTTPException) -> Response:
    """Return a refusal as JSON, in ASCII: a value from the request may not be encodable as UTF-8."""
    problem: dict[str, Any] = {
        "status": refusal.status_code,
        "title": title(refusal.status_code),
        "detail": refusal.detail,
    }
    field = getattr(refusal, "field", None)
    if field is not None:
        problem["field"] = field
    return Response(
        json.dumps(problem),
        refusal.status_code,
        dict(refusal.headers or {}),
        "application/problem+json",
    )


def title(status: int) -> str:
    """Return the name of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == CLIENT_CLOSED_REQUEST else "Refused"


def too_busy(why: str) -> Refusal:
    """Return a refusal for lack of capacity, which asks the client to try again."""
    return Refusal(
        503, f"busy: {why}; ask again in {RETRY_SECONDS} s", retry_after=str(RETRY_SECONDS)
    )


def invalid_field(field: str, message: str) -> Refusal:
    """Return a refusal of an invalid field; the message has the form "expected …, found …"."""
    return Refusal(422, f"{field}: {message}", field)
