"""What the server says of itself at ``/openapi.json``: paths, fields, limits, with examples that can be sent."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter

from claimstance.inference.results import TaggedArticle
from claimstance.inference.serving.requests import MAX_ITEMS, AskedArticle
from claimstance.model.record import Record

ABOUT: dict[str, Any] = {
    "title": "claimstance",
    "summary": "Who claims what in the news, and where each source stands.",
    "description": "An article, or records of annotated sentences, in; what a model reads in them out. Offsets count "
    "Unicode code points. Nothing is kept, and nothing is asked of any other machine.",
    "version": "1",
    "license_info": {"name": "MIT", "identifier": "MIT"},
}


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    status: int
    title: str
    detail: str = Field(description="What was expected and what was found.")
    field: str | None = Field(None, description="The field it is about.")


_ARTICLE = {
    "text": "Runa Salt accused Orvane of emptying the nets. Its negotiator, Emil Draycott, rejected the charge.",
    "title": "Cod talks open",
    "doc_id": "cod-1",
    "targets": ["Orvane"],
}
_RECORD = {
    "id": "cod-1:0",
    "doc_id": "cod-1",
    "text": "Runa Salt accused Orvane of emptying the nets.",
    "stances": [{"holder": "Runa Salt", "target": "Orvane"}],
}
_REFUSALS = {
    400: "A request of two lengths, or no HTTP; the connection ends.",
    401: "The token is missing or another.",
    403: "Sent by a page of another site.",
    408: "The body took too long to arrive.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Not JSON, or a field is not what it should be: `field` names it.",
    421: "It came under a name that is not this machine's.",
    503: "As many articles as may be are waiting or being read: ask again after `Retry-After` seconds.",
    504: "It took too long; it is not read on.",
}
_SCHEMAS = {
    "AskedArticle": AskedArticle,
    "Record": Record,
    "TaggedArticle": TaggedArticle,
    "Problem": Problem,
}
_PLACE = "#/components/schemas/{model}"


def _one_or_more(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "array", "items": schema, "maxItems": MAX_ITEMS}]}


def _named(name: str) -> dict[str, Any]:
    return {"$ref": _PLACE.format(model=name)}


def _path(
    name: str, summary: str, body: str, example: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    """What a path that takes JSON says of itself: one or a list of ``body`` in, as many of ``answer`` out."""
    told = {
        str(status): {
            "description": text,
            "content": {"application/problem+json": {"schema": _named("Problem")}},
        }
        for status, text in _REFUSALS.items()
    }
    told["503"]["headers"] = {
        "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
    }
    content = {
        "schema": _one_or_more(_named(body)),
        "examples": {
            "one": {"summary": "One", "value": example},
            "list": {"summary": "A list", "value": [example]},
        },
    }
    return {
        "summary": summary,
        "operation_id": name,
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {
                "200": {
                    "description": "In the order of the request; a list for a list.",
                    "content": {"application/json": {"schema": _one_or_more(answer)}},
                },
                **told,
            },
        },
    }


TAG = _path("tag", "Tag articles", "AskedArticle", _ARTICLE, _named("TaggedArticle"))
PREDICT = _path(
    "predict",
    "Add what is predicted to records",
    "Record",
    _RECORD,
    {
        "type": "object",
        "description": "The record, with what is predicted.",
        "required": ["id", "text", "predicted"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "predicted": {"type": "object"},
        },
    },
)


def plain(summary: str) -> dict[str, Any]:
    """What a path that takes nothing says of itself."""
    return {"summary": summary}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The description as OpenAPI 3.1 has it."""
    if app.openapi_schema is None:
        made = get_openapi(routes=app.routes, **ABOUT)
        _, found = TypeAdapter.json_schemas(
            [(name, "validation", TypeAdapter(kind)) for name, kind in _SCHEMAS.items()],
            ref_template=_PLACE,
        )
        made.setdefault("components", {})["schemas"] = found["$defs"]
        app.openapi_schema = made
    return app.openapi_schema
