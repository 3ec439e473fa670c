"""The responses of users to an Argilla record, in the shapes that the docstring of ``argilla`` lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import LeftOut
from claimstance.training.data.documents.json_validation import listing, mapping, string, wrong

RESPONSES = ".responses"
_SUBMITTED = "submitted"
_STATUSES = (_SUBMITTED, "draft", "discarded", None)
_NOT_SUBMITTED = LeftOut("response that was not submitted")
ARGILLA_KEYS = {
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
class Response:
    """Represent the answer of a user to a question."""

    question: str
    user: str | None
    value: Any
    where: str


def responses_of(data: dict[str, Any], where: str) -> Iterator[Response | LeftOut]:
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
        yield Response("label", user, data["annotation"], f"{where}: annotation")
        return

    for key in response_keys(data):
        key_where = f"{where}: {key}"
        if key.endswith(RESPONSES):
            yield from _response_column(data, key, key_where)
            continue
        values = data[key]
        if isinstance(values, dict):
            # The library "datasets" writes a sequence of objects as an object of sequences.
            lengths = {}
            for name, column in values.items():
                lengths[name] = len(listing(column, f"{key_where}.{name}"))
            if len(set(lengths.values())) > 1:
                counts = [f"{length} of {name}" for name, length in lengths.items()]
                raise InputError(
                    f"{key_where}: expected as many users as values, found {', '.join(counts)}"
                )
            rows = zip(*values.values(), strict=True)
            values = [dict(zip(values, row, strict=True)) for row in rows]
        yield from _response_objects(key, listing(values, key_where), key_where)


def _response_objects(question: str, values: list[Any], where: str) -> Iterator[Response | LeftOut]:
    """Yield responses that are objects with a value, a user and perhaps a status."""
    for number, value in enumerate(values):
        value_where = f"{where}[{number}]"
        response = mapping(value, value_where)
        if not _is_submitted(response.get("status", _SUBMITTED), f"{value_where}.status"):
            yield _NOT_SUBMITTED
            continue
        user = response.get("user_id", response.get("user"))
        yield Response(
            question,
            _parse_user(user, f"{value_where}.user_id"),
            response.get("value"),
            f"{value_where}.value",
        )


def _response_column(data: dict[str, Any], key: str, where: str) -> Iterator[Response | LeftOut]:
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
        yield Response(key.removesuffix(RESPONSES), user_name, value, f"{where}[{number}]")


def _is_submitted(status: Any, where: str) -> bool:
    if status not in _STATUSES:
        raise wrong(where, "submitted, draft or discarded", status)
    return bool(status == _SUBMITTED)


def _parse_user(user: Any, where: str) -> str | None:
    return None if user is None else string(user, where)


def response_keys(data: dict[str, Any]) -> list[str]:
    """Return the keys with responses: those of the flat shape, else those of version 1."""
    flat_keys = [key for key in data if key.endswith(RESPONSES)]
    if flat_keys:
        return flat_keys
    if "external_id" not in data:
        return []
    keys = []
    for key, value in data.items():
        # Version 1 has a list of responses to each question, which datasets may turn into an object.
        response = value[0] if isinstance(value, list) and value else value
        is_response = isinstance(response, dict) and {"user_id", "value"} <= response.keys()
        if is_response and key not in ARGILLA_KEYS:
            keys.append(key)
    return keys
