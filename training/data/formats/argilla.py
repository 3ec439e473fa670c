"""Argilla: records with the responses of several users (https://docs.argilla.io).

Read in the shapes that Argilla writes as JSON or JSON Lines:

- flat, from ``dataset.records.to_datasets()`` or ``to_list(flatten=True)``: ``QUESTION.responses`` beside
  ``QUESTION.responses.users`` and ``QUESTION.responses.status``;
- nested, from ``dataset.records.to_json()``: ``fields``, ``metadata`` and ``responses``. It does not say which
  responses are drafts: all count;
- version 1, from ``FeedbackDataset``: ``QUESTION: [{"user_id", "value", "status"}]`` beside ``external_id``;
- version 1, from text and token classification: ``annotation`` and ``annotation_agent``.

Each user's submitted responses to a record are a document; drafts and discarded responses are counted as left out, and
suggestions are none of anybody's. Span
questions are marks in the field ``text``, whose offsets the browser counted (in UTF-16 code units: argilla issue 5729).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object, json_items, object_of
from claimstance.training.data.documents.json_validation import (
    extent,
    listing,
    mapping,
    string,
    wrong,
)

_RESPONSES = ".responses"
_SUBMITTED = "submitted"
_NOT_SUBMITTED = LeftOut("response that was not submitted")
_STATUSES = (_SUBMITTED, "draft", "discarded", None)
_OWN = {
    "id",
    "status",
    "_server_id",
    "score",
    "vectors",
    "external_id",
    "metadata",
    "fields",
    "responses",
    "suggestions",
    "annotation",
    "annotation_agent",
    "prediction",
    "prediction_agent",
    "inputs",
    "tokens",
    "metrics",
    "explanation",
    "multi_label",
    "event_timestamp",
    "search_keywords",
}


@dataclass(frozen=True)
class _Response:
    """What a user answered to a question, and where it stands."""

    question: str
    user: str | None
    value: Any
    where: str


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """What each user submitted for a record.

    Raises:
        InputError: naming the line and the field.
    """
    data, column = object_of(item), layout.columns.get("text", "text")
    if "responses" in data:
        responses = list(_nested(data, item.where))
        fields = {
            **mapping(data.get("metadata") or {}, f"{item.where}: metadata"),
            **mapping(data.get("fields"), f"{item.where}: fields"),
        }
        where = f"{item.where}: fields.{column}"
    else:
        responses = list(
            _flat(data, item.where) if "annotation_agent" not in data else _first(data, item.where)
        )
        own = {
            key
            for response in _columns(data)
            for key in data
            if key == response or key.startswith(f"{response}-")
        }
        fields = {
            **_metadata(data, item.where),
            **{
                key: value
                for key, value in data.items()
                if key not in _OWN | own and "." not in key
            },
        }
        where = f"{item.where}: {column}"
    inputs = data.get("inputs")  # of version 1's text classification
    text = string(
        fields.pop(column, None) or (inputs.get(column) if isinstance(inputs, dict) else None),
        where,
    )
    name = next(
        (str(data[key]) for key in ("id", "external_id") if data.get(key) is not None), item.name
    )
    by_user: dict[str | None, list[_Response]] = {}
    for response in responses:
        if isinstance(response, LeftOut):
            yield response
        else:
            by_user.setdefault(response.user, []).append(response)
    for user, given in by_user.items():
        yield _document(
            Document(name, text, item.where, user, fields=fields, usual="UTF-16 code units"), given
        )


def _document(document: Document, responses: list[_Response]) -> Document:
    marks: list[Mark] = []
    answers: list[Answer] = []
    for response in responses:
        values = response.value if isinstance(response.value, list) else [response.value]
        for number, value in enumerate(values):
            where = (
                f"{response.where}[{number}]"
                if isinstance(response.value, list)
                else response.where
            )
            if isinstance(value, dict) and "start" in value:
                marks.append(_mark(value, response.question, where))
            elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
                answers.append(Answer(response.question, _text(value)))
            else:
                raise wrong(where, "a label, a number or a span with start, end and label", value)
    return Document(
        document.name,
        document.text,
        document.where,
        document.annotator,
        marks,
        answers=answers,
        fields=document.fields,
        usual=document.usual,
    )


def _mark(value: dict[str, Any], question: str, where: str) -> Mark:
    start, end = extent(value, "start", "end", where)
    label = string(value.get("label"), f"{where}.label")
    surface = value["text"] if isinstance(value.get("text"), str) else None
    return Mark(f"{question} {start}-{end} {label}", label, [(start, end)], surface, where=where)


def _text(value: str | float) -> str:
    """A label as it is, a rating as text: 4, not 4.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _nested(data: dict[str, Any], where: str) -> Iterator[_Response | LeftOut]:
    for question, given in mapping(data.get("responses") or {}, f"{where}: responses").items():
        place = f"{where}: responses.{question}"
        yield from _listed(question, listing(given, place), place)


def _listed(question: str, given: list[Any], place: str) -> Iterator[_Response | LeftOut]:
    """The submitted ones of responses that are objects with a value, a user and perhaps a status."""
    for number, one in enumerate(given):
        response = mapping(one, f"{place}[{number}]")
        user = response.get("user_id", response.get("user"))
        if _is_submitted(response.get("status", _SUBMITTED), f"{place}[{number}].status"):
            yield _Response(
                question,
                _user(user, f"{place}[{number}].user_id"),
                response.get("value"),
                f"{place}[{number}].value",
            )
        else:
            yield _NOT_SUBMITTED


def _is_submitted(status: Any, where: str) -> bool:
    if status not in _STATUSES:
        raise wrong(where, "submitted, draft or discarded", status)
    return bool(status == _SUBMITTED)


def _user(user: Any, where: str) -> str | None:
    return None if user is None else string(user, where)


def _flat(data: dict[str, Any], where: str) -> Iterator[_Response | LeftOut]:
    for key in _columns(data):
        if key.endswith(_RESPONSES):
            yield from _column(data, key, where)
        else:
            given = data[key]
            if isinstance(
                given, dict
            ):  # datasets writes a sequence of objects as an object of sequences
                given = _turned(given, f"{where}: {key}")
            yield from _listed(key, listing(given, f"{where}: {key}"), f"{where}: {key}")


def _columns(data: dict[str, Any]) -> list[str]:
    """The keys with responses: of version 2, else of version 1, where a question is known by what answers it."""
    if flat := [key for key in data if key.endswith(_RESPONSES)]:
        return flat
    return [
        key
        for key, value in data.items()
        if "external_id" in data and key not in _OWN and _has_users(value)
    ]


def _has_users(value: Any) -> bool:
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, dict) and "user_id" in one and "value" in one


def _turned(given: dict[str, Any], where: str) -> list[dict[str, Any]]:
    columns = {key: listing(values, f"{where}.{key}") for key, values in given.items()}
    if len({len(values) for values in columns.values()}) > 1:
        raise InputError(
            f"{where}: expected as many users as values, found "
            f"{', '.join(f'{len(values)} of {key}' for key, values in columns.items())}"
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(data: dict[str, Any], key: str, where: str) -> Iterator[_Response | LeftOut]:
    place = f"{where}: {key}"
    values = listing(data[key] or [], place)
    users = listing(data.get(f"{key}.users") or [None] * len(values), f"{place}.users")
    statuses = listing(data.get(f"{key}.status") or [_SUBMITTED] * len(values), f"{place}.status")
    if not len(values) == len(users) == len(statuses):
        raise InputError(
            f"{place}: expected as many users and states as values, found {len(values)} values, "
            f"{len(users)} users, {len(statuses)} states"
        )
    for number, (value, user, status) in enumerate(zip(values, users, statuses, strict=True)):
        if _is_submitted(status, f"{place}.status[{number}]"):
            yield _Response(
                key.removesuffix(_RESPONSES),
                _user(user, f"{place}.users[{number}]"),
                value,
                f"{place}[{number}]",
            )
        else:
            yield _NOT_SUBMITTED


def _first(data: dict[str, Any], where: str) -> Iterator[_Response | LeftOut]:
    """The annotation of a record of text or token classification, if it was validated."""
    if data.get("annotation") is None or data.get("status") in ("Default", "Discarded"):
        yield _NOT_SUBMITTED
        return
    yield _Response(
        "label",
        _user(data["annotation_agent"], f"{where}: annotation_agent"),
        data["annotation"],
        f"{where}: annotation",
    )


def _metadata(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The metadata of version 1, an object or one as text."""
    value = data.get("metadata") or {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise wrong(f"{where}: metadata", "an object, or one as JSON", value) from None
    return mapping(value, f"{where}: metadata")


def recognise(head: str) -> bool:
    """Whether the first record has responses, or what else only Argilla writes."""
    first = first_object(head)
    return (
        {"fields", "responses"} <= first.keys()
        or {"annotation", "annotation_agent"} <= first.keys()
        or any(key.endswith(f"{_RESPONSES}.users") for key in first)
        or bool(_columns(first))
    )


FORMAT = Format("argilla", (".jsonl", ".json", ".ndjson"), recognise, items=json_items, parse=parse)
