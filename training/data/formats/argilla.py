"""Argilla: records with the responses of several users (https://docs.argilla.io).

Argilla writes JSON or JSON Lines in four shapes:

- flat, from ``dataset.records.to_datasets()`` or ``to_list(flatten=True)``: ``QUESTION.responses`` beside
  ``QUESTION.responses.users`` and ``QUESTION.responses.status``;
- nested, from ``dataset.records.to_json()``: ``fields``, ``metadata`` and ``responses``. It does not mark drafts, so
  that all responses count;
- version 1, from ``FeedbackDataset``: ``QUESTION: [{"user_id", "value", "status"}]`` beside ``external_id``;
- version 1, from text and token classification: ``annotation`` and ``annotation_agent``.

The submitted responses of a user to a record are a document. Drafts and discarded responses are counted as left out;
suggestions are ignored, because they are no user's answer. The spans of span questions are marks in the field ``text``.
The browser counts their offsets in UTF-16 code units (argilla issue 5729).
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
_STATUSES = (_SUBMITTED, "draft", "discarded", None)
_NOT_SUBMITTED = LeftOut("response that was not submitted")
_ARGILLA_KEYS = {
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
    """Represent the answer of a user to a question."""

    question: str
    user: str | None
    value: Any
    where: str


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield a document for each user who submitted responses to a record.

    Raises:
        InputError: naming the line and the field, what was expected and what was found.
    """
    data = object_of(item)
    text_key = layout.columns.get("text", "text")
    if "responses" in data:
        fields = dict(mapping(data.get("metadata") or {}, f"{item.where}: metadata"))
        fields.update(mapping(data.get("fields"), f"{item.where}: fields"))
        text_where = f"{item.where}: fields.{text_key}"
    else:
        fields = _flat_fields(data, item.where)
        text_where = f"{item.where}: {text_key}"

    text = fields.pop(text_key, None)
    if not text:
        # Text classification of version 1 has the text in "inputs".
        inputs = data.get("inputs")
        text = inputs.get(text_key) if isinstance(inputs, dict) else None
    text = string(text, text_where)
    record_id = data.get("id")
    if record_id is None:
        record_id = data.get("external_id")

    # A file lists responses by question, but a document has the answers of one user.
    by_user: dict[str | None, list[_Response]] = {}
    for response in _responses(data, item.where):
        if isinstance(response, LeftOut):
            yield response
        else:
            by_user.setdefault(response.user, []).append(response)

    for user, user_responses in by_user.items():
        marks, answers = _marks_and_answers(user_responses)
        yield Document(
            name=item.name if record_id is None else str(record_id),
            text=text,
            where=item.where,
            annotator=user,
            marks=marks,
            answers=answers,
            fields=fields,
            usual="UTF-16 code units",
        )


def _flat_fields(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the fields and the metadata of a record that has them beside its responses."""
    metadata = data.get("metadata") or {}
    # Version 1 wrote the metadata of some exports as text.
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            raise wrong(f"{where}: metadata", "an object, or one as JSON", metadata) from None

    fields = dict(mapping(metadata, f"{where}: metadata"))
    questions = _response_keys(data)
    for key, value in data.items():
        # "QUESTION-suggestion" and the like belong to a question of version 1.
        is_of_question = any(
            key == question or key.startswith(f"{question}-") for question in questions
        )
        if key not in _ARGILLA_KEYS and "." not in key and not is_of_question:
            fields[key] = value
    return fields


def _marks_and_answers(responses: list[_Response]) -> tuple[list[Mark], list[Answer]]:
    """Return the spans of span questions, and the labels and ratings of all others."""
    marks: list[Mark] = []
    answers: list[Answer] = []
    for response in responses:
        if isinstance(response.value, list):
            values = [
                (f"{response.where}[{number}]", value)
                for number, value in enumerate(response.value)
            ]
        else:
            values = [(response.where, response.value)]

        for where, value in values:
            if isinstance(value, dict) and "start" in value:
                start, end = extent(value, "start", "end", where)
                label = string(value.get("label"), f"{where}.label")
                surface = value["text"] if isinstance(value.get("text"), str) else None
                name = f"{response.question} {start}-{end} {label}"
                marks.append(Mark(name, label, [(start, end)], surface, where=where))
            elif isinstance(value, float) and value.is_integer():
                # datasets turns a column of ratings with gaps into floats.
                answers.append(Answer(response.question, str(int(value))))
            elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
                answers.append(Answer(response.question, str(value)))
            else:
                raise wrong(where, "a label, a number or a span with start, end and label", value)
    return marks, answers


def _responses(data: dict[str, Any], where: str) -> Iterator[_Response | LeftOut]:
    """Yield the responses to a record, of whatever shape it is."""
    if "responses" in data:
        questions = mapping(data["responses"] or {}, f"{where}: responses")
        for question, values in questions.items():
            question_where = f"{where}: responses.{question}"
            yield from _response_objects(question, listing(values, question_where), question_where)
        return

    if "annotation_agent" in data:
        # An annotation of text or token classification counts once it was validated.
        if data.get("annotation") is None or data.get("status") in ("Default", "Discarded"):
            yield _NOT_SUBMITTED
            return
        user = _parse_user(data["annotation_agent"], f"{where}: annotation_agent")
        yield _Response("label", user, data["annotation"], f"{where}: annotation")
        return

    for key in _response_keys(data):
        key_where = f"{where}: {key}"
        if key.endswith(_RESPONSES):
            yield from _response_column(data, key, key_where)
            continue
        values = data[key]
        if isinstance(values, dict):
            # The library "datasets" writes a sequence of objects as an object of sequences.
            counts = []
            for name, column in values.items():
                column_length = len(listing(column, f"{key_where}.{name}"))
                counts.append(f"{column_length} of {name}")
            if len({len(column) for column in values.values()}) > 1:
                raise InputError(
                    f"{key_where}: expected as many users as values, found {', '.join(counts)}"
                )
            rows = zip(*values.values(), strict=True)
            values = [dict(zip(values, row, strict=True)) for row in rows]
        yield from _response_objects(key, listing(values, key_where), key_where)


def _response_objects(
    question: str, values: list[Any], where: str
) -> Iterator[_Response | LeftOut]:
    """Yield responses that are objects with a value, a user and perhaps a status."""
    for number, value in enumerate(values):
        value_where = f"{where}[{number}]"
        response = mapping(value, value_where)
        if not _is_submitted(response.get("status", _SUBMITTED), f"{value_where}.status"):
            yield _NOT_SUBMITTED
            continue
        user = response.get("user_id", response.get("user"))
        yield _Response(
            question,
            _parse_user(user, f"{value_where}.user_id"),
            response.get("value"),
            f"{value_where}.value",
        )


def _response_column(data: dict[str, Any], key: str, where: str) -> Iterator[_Response | LeftOut]:
    """Yield responses whose values, users and statuses are three lists of one length."""
    values = listing(data[key] or [], where)
    users = listing(data.get(f"{key}.users") or [None] * len(values), f"{where}.users")
    statuses = listing(data.get(f"{key}.status") or [_SUBMITTED] * len(values), f"{where}.status")
    if not len(values) == len(users) == len(statuses):
        raise InputError(
            f"{where}: expected as many users and states as values, found {len(values)} values, "
            f"{len(users)} users, {len(statuses)} states"
        )
    for number, (value, user, status) in enumerate(zip(values, users, statuses, strict=True)):
        if not _is_submitted(status, f"{where}.status[{number}]"):
            yield _NOT_SUBMITTED
            continue
        user_name = _parse_user(user, f"{where}.users[{number}]")
        yield _Response(key.removesuffix(_RESPONSES), user_name, value, f"{where}[{number}]")


def _is_submitted(status: Any, where: str) -> bool:
    if status not in _STATUSES:
        raise wrong(where, "submitted, draft or discarded", status)
    return bool(status == _SUBMITTED)


def _parse_user(user: Any, where: str) -> str | None:
    return None if user is None else string(user, where)


def _response_keys(data: dict[str, Any]) -> list[str]:
    """Return the keys with responses: those of the flat shape, else those of version 1."""
    flat_keys = [key for key in data if key.endswith(_RESPONSES)]
    if flat_keys:
        return flat_keys
    if "external_id" not in data:
        return []
    keys = []
    for key, value in data.items():
        # Version 1 has a list of responses to each question, which datasets may turn into an object.
        response = value[0] if isinstance(value, list) and value else value
        is_response = isinstance(response, dict) and {"user_id", "value"} <= response.keys()
        if is_response and key not in _ARGILLA_KEYS:
            keys.append(key)
    return keys


def recognise(head: str) -> bool:
    """Return whether the first record has responses, or other keys that only Argilla writes."""
    first = first_object(head)
    return (
        {"fields", "responses"} <= first.keys()
        or {"annotation", "annotation_agent"} <= first.keys()
        or any(key.endswith(f"{_RESPONSES}.users") for key in first)
        or bool(_response_keys(first))
    )


FORMAT = Format("argilla", (".jsonl", ".json", ".ndjson"), recognise, items=json_items, parse=parse)
