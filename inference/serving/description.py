"""Texts of ``/openapi.json``: the description, the refusals, and examples of requests."""

from typing import Any

from pydantic import BaseModel, Field

from claimstance.model.record import Record

ABOUT: dict[str, Any] = {
    "title": "claimstance",
    "summary": "Who claims what in the news, and where each source stands.",
    "description": "Tags articles and predicts records of annotated sentences. Offsets count Unicode code points. "
    "Nothing is stored, and nothing is sent to another machine.",
    "version": "1",
    "license_info": {"name": "MIT", "identifier": "MIT"},
}


class Problem(BaseModel):
    """The problem details of a refused request (RFC 9457)."""

    status: int
    title: str
    detail: str = Field(description="What was expected and what was found.")
    field: str | None = Field(None, description="The field it is about.")


class PredictedRecord(Record):
    """A record with predictions."""

    predicted: dict[str, Any]


def _examples(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "one": {"summary": "One", "value": value},
        "list": {"summary": "A list", "value": [value]},
    }


ARTICLE_EXAMPLES = _examples(
    {
        "text": "Runa Salt accused Orvane of emptying the nets. Its negotiator, Emil Draycott, rejected the charge.",
        "title": "Cod talks open",
        "doc_id": "cod-1",
        "targets": ["Orvane"],
    }
)
RECORD_EXAMPLES = _examples(
    {
        "id": "cod-1:0",
        "doc_id": "cod-1",
        "text": "Runa Salt accused Orvane of emptying the nets.",
        "stances": [{"holder": "Runa Salt", "target": "Orvane"}],
    }
)
_REFUSALS = {
    400: "The request has two lengths, or is not HTTP; the connection is closed.",
    401: "The token is missing or wrong.",
    403: "A page of another site sent the request.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    421: "The host is not a name of this machine.",
    422: "The body is not JSON, or a field is invalid: `field` names it.",
    503: "Too many articles are in flight: try again after `Retry-After` seconds.",
    504: "The request took too long and was cancelled.",
}
#: The refusals of the paths that take articles or records, for FastAPI's ``responses``.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
    for status, description in _REFUSALS.items()
}
RESPONSES[200] = {"description": "In the order of the request; a list for a list."}
RESPONSES[503]["headers"] = {
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
}
