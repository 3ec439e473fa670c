"""Prodigy: JSON Lines as ``prodigy db-out`` writes them (https://prodi.gy/docs/api-interfaces).

Prodigy asks one question at a time. The lines of one text, which share an ``_input_hash``, are therefore read together:
each annotator's answers to all of them become one document. Offsets are Python's, in code points.

- ``label`` with ``answer``: the label applies (*accept*) or not (*reject*). Where ``_view_id`` is *classification*,
  spans beside a label are the matches of a pattern, not marks.
- ``options`` with ``accept``: the chosen ids are answers to the question *label*.
- ``spans`` and ``relations``: marks, and relations between them. A relation between words that are no span is an error.
- If an annotator answered a question twice, the later answer by ``_timestamp`` counts. Two lines answer one question
  if they have the same ``_task_hash``, the same ``label`` or the same ``options``, or if they mark the same words with
  the same label. Without timestamps that differ, answers that contradict each other are an error.
- ``answer: ignore`` is counted as left out. A rejected line without a label does not say what is wrong with it, so it
  is an error.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Answer, Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object, json_items, object_of
from claimstance.training.data.documents.json_validation import (
    extent,
    listing,
    mapping,
    string,
    wrong,
)
from claimstance.training.data.formats.prodigy_answers import AnswerLine, SpanKey, latest_answers

#: A session that was started without a name is called by its time.
_UNNAMED_SESSION = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_ANSWERS = ("accept", "reject", "ignore")
_TYPICAL_KEYS = {
    "_input_hash",
    "_task_hash",
    "_session_id",
    "_annotator_id",
    "_view_id",
    "spans",
    "options",
    "label",
}
_PRODIGY_KEYS = {
    "text",
    "label",
    "answer",
    "options",
    "accept",
    "spans",
    "relations",
    "tokens",
    "meta",
    "html",
    "config",
    "priority",
    "score",
    "versions",
    "sessions",
    "default",
    "view_id",
}


def items(path: Path) -> Iterator[Item]:
    """Yield the texts of a file, each with its lines, in the order of their first lines."""
    lines_by_text: dict[str, list[Item]] = {}
    sessions = set()
    for line in json_items(path):
        try:
            data = object_of(line)
            if isinstance(data.get("_input_hash"), int):
                key = str(data["_input_hash"])
            else:
                text = string(data.get("text"), f"{line.where}: text")
                key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            sessions.add(_session(data, line.where))
        except InputError:
            # ``parse`` raises the error again, as that of one text instead of the whole file's.
            key = line.where
        lines_by_text.setdefault(key, []).append(line)

    # A session is called DATASET-ANNOTATOR. Names of data sets may have hyphens themselves; the part
    # after the last one is the annotator.
    names = [name.split("-")[:-1] for name in sessions if name is not None]
    prefix = ""
    for parts in zip(*names, strict=False):
        if len(set(parts)) > 1:
            break
        prefix += f"{parts[0]}-"
    for key, lines in lines_by_text.items():
        yield Item(lines[0].where, f"{path.stem}:{key}", (prefix, lines))


def _session(data: dict[str, Any], where: str) -> str | None:
    """Return the name of the session, which is ``DATASET-ANNOTATOR``; ``None`` if it has none."""
    for key in ("_annotator_id", "_session_id"):
        if data.get(key) is not None:
            name = string(data[key], f"{where}: {key}")
            return None if _UNNAMED_SESSION.fullmatch(name) else name
    return None


@dataclass
class _TextAnnotations:
    """Collect the answers of one annotator to the questions about a text."""

    where: str
    marks: dict[SpanKey, Mark] = field(default_factory=dict)
    relations: dict[Relation, None] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield a document for each annotator of a text, and the answers that are left out.

    Raises:
        InputError: naming the line and the field, what was expected and what was found.
    """
    text_key = layout.columns.get("text", "text")
    prefix, all_lines = item.data
    lines_by_annotator: dict[str | None, list[AnswerLine]] = {}
    for line in all_lines:
        data = object_of(line)
        answer = data.get("answer")
        if answer not in _ANSWERS:
            raise wrong(f"{line.where}: answer", "accept, reject or ignore", answer)
        if answer == "ignore":
            yield LeftOut("answer 'ignore'")
            continue

        text = string(data.get(text_key), f"{line.where}: {text_key}")
        annotator = _session(data, line.where)
        if annotator is not None:
            annotator = annotator.removeprefix(prefix) or annotator
        lines = lines_by_annotator.setdefault(annotator, [])
        lines.append(AnswerLine(data, line.where, text))
        if text != lines[0].text:
            raise InputError(
                f"{line.where}: {text_key}: expected the text of the line with the same "
                f"_input_hash ({lines[0].where}), found another one"
            )

    for annotator, lines in lines_by_annotator.items():
        latest_lines = latest_answers(lines)
        for _ in range(len(lines) - len(latest_lines)):
            yield LeftOut("earlier answer of an annotator who answered the question again")

        annotations = _TextAnnotations(lines[0].where)
        for answer_line in latest_lines:
            _add_line(answer_line, text_key, annotations)

        yield Document(
            name=item.name,
            text=lines[0].text,
            where=lines[0].where,
            annotator=annotator,
            marks=list(annotations.marks.values()),
            relations=list(annotations.relations),
            answers=list(annotations.answers.values()),
            fields=annotations.fields,
            unit="code points",
        )


def _add_line(line: AnswerLine, text_key: str, annotations: _TextAnnotations) -> None:
    """Add the fields, the answers, the marks and the relations of a line."""
    data, where = line.data, line.where
    for key, value in data.items():
        # Prodigy's own keys begin with an underscore, apart from those it had first.
        if key not in _PRODIGY_KEYS and key != text_key and not key.startswith("_"):
            annotations.fields[key] = value
    annotations.fields.update(mapping(data.get("meta") or {}, f"{where}: meta"))

    is_accepted = data["answer"] == "accept"
    if data.get("label") is not None:
        label = string(data["label"], f"{where}: label")
        _add_answer(annotations, Answer(label, is_accepted), label, where)
        if not is_accepted or data.get("_view_id") == "classification":
            return
    elif not is_accepted:
        raise InputError(
            f"{where}: answer: expected accept or ignore where no label is asked about, "
            "found 'reject' (which does not say what is wrong)"
        )

    choices = data.get("accept")
    if data.get("options") is not None or choices is not None:
        option_ids = []
        for number, value in enumerate(listing(data.get("options"), f"{where}: options")):
            option_where = f"{where}: options[{number}]"
            option = mapping(value, option_where)
            option_ids.append(_option_id(option.get("id"), f"{option_where}.id"))
        # Where one choice is allowed, Prodigy may write it without a list.
        if choices is None:
            choices = []
        elif not isinstance(choices, list):
            choices = [choices]
        for number, choice in enumerate(choices):
            choice_where = f"{where}: accept[{number}]"
            choice_id = _option_id(choice, choice_where)
            if choice_id not in option_ids:
                raise wrong(choice_where, f"one of {', '.join(option_ids)}", choice)
            _add_answer(annotations, Answer("label", choice_id), choice_id, where)

    _add_marks(data, where, annotations)


def _add_answer(annotations: _TextAnnotations, answer: Answer, label: str, where: str) -> None:
    """Add an answer, or raise ``InputError`` if the annotator gave the opposite one before."""
    first_answer = annotations.answers.setdefault((answer.question, label), answer)
    if first_answer.value != answer.value:
        raise InputError(
            f"{where}: answer: expected one answer of an annotator to '{label}', "
            f"found accept and reject (see {annotations.where})"
        )


def _option_id(value: Any, where: str) -> str:
    """Return the id of an option, a string or a number, as a string."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise wrong(where, "a string or a number", value)
    return str(value)


def _add_marks(data: dict[str, Any], where: str, annotations: _TextAnnotations) -> None:
    """Add the marks of a line, and the relations between them."""
    mark_names: dict[tuple[int, int], str] = {}  # (start, end) → name
    for number, value in enumerate(listing(data.get("spans") or [], f"{where}: spans")):
        span_where = f"{where}: spans[{number}]"
        span = mapping(value, span_where)
        start, end = extent(span, "start", "end", span_where)
        label = string(span.get("label"), f"{span_where}.label")
        surface = span["text"] if isinstance(span.get("text"), str) else None
        name = f"{start}-{end} {label}"
        mark = Mark(name, label, [(start, end)], surface=surface, where=span_where)
        annotations.marks.setdefault((start, end, label), mark)
        mark_names[start, end] = name

    for number, value in enumerate(listing(data.get("relations") or [], f"{where}: relations")):
        relation_where = f"{where}: relations[{number}]"
        relation = mapping(value, relation_where)
        ends = []
        for key in ("head_span", "child_span"):
            end_where = f"{relation_where}.{key}"
            bounds = extent(mapping(relation.get(key), end_where), "start", "end", end_where)
            if bounds not in mark_names:
                raise InputError(
                    f"{end_where}: expected the bounds of one of the spans, "
                    f"found {bounds[0]} and {bounds[1]}"
                )
            ends.append(mark_names[bounds])

        label = string(relation.get("label") or "", f"{relation_where}.label")
        annotations.relations[Relation(ends[0], ends[1], label)] = None


def recognise(head: str) -> bool:
    """Return whether the first line has an answer, and another key that Prodigy writes."""
    first = first_object(head)
    has_answer = first.get("answer", "") in (*_ANSWERS, None)
    return has_answer and not _TYPICAL_KEYS.isdisjoint(first)


FORMAT = Format("prodigy", (".jsonl", ".ndjson"), recognise, items=items, parse=parse)
