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
from typing import Any

from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object, json_items, object_of
from claimstance.training.data.documents.json_validation import (
    extent,
    mapping,
    string,
    wrong,
)
from claimstance.training.data.formats.argilla_responses import (
    ARGILLA_KEYS,
    RESPONSES,
    Response,
    response_keys,
    responses_of,
)


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
    by_user: dict[str | None, list[Response]] = {}
    for response in responses_of(data, item.where):
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
    questions = response_keys(data)
    # "QUESTION-suggestion" and the like belong to a question of version 1.
    question_prefixes = tuple(f"{question}-" for question in questions)
    for key, value in data.items():
        is_of_question = key in questions or key.startswith(question_prefixes)
        if key not in ARGILLA_KEYS and "." not in key and not is_of_question:
            fields[key] = value
    return fields


def _marks_and_answers(responses: list[Response]) -> tuple[list[Mark], list[Answer]]:
    """Return the spans of span questions, and the labels and ratings of all others."""
    marks: list[Mark] = []
    answers: list[Answer] = []
    for response in responses:
        # A question with several answers has a list of them, any other one the answer itself.
        values = [(response.where, response.value)]
        if isinstance(response.value, list):
            values = []
            for number, value in enumerate(response.value):
                value_where = f"{response.where}[{number}]"
                values.append((value_where, value))

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


def recognise(head: str) -> bool:
    """Return whether the first record has responses, or other keys that only Argilla writes."""
    first = first_object(head)
    return (
        {"fields", "responses"} <= first.keys()
        or {"annotation", "annotation_agent"} <= first.keys()
        or any(key.endswith(f"{RESPONSES}.users") for key in first)
        or bool(response_keys(first))
    )


FORMAT = Format("argilla", (".jsonl", ".json", ".ndjson"), recognise, items=json_items, parse=parse)
