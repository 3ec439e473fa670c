"""Prodigy: JSON Lines as ``prodigy db-out`` writes them (https://prodi.gy/docs/api-interfaces).

The lines of one text (those with one ``_input_hash``) are read together, since Prodigy asks one question at a time:
each annotator's answers to all of them become one document. Offsets are Python's, in code points.

- ``label`` with ``answer``: the label applies (*accept*) or not (*reject*). Spans beside a label are what a pattern
  matched, not what was marked, where ``_view_id`` is *classification*.
- ``options`` with ``accept``: the chosen ids are answers to the question *label*.
- ``spans`` and ``relations``: marks, and relations between them. A relation between words that nobody marked is an
  error.
- Of an annotator's two answers to one question the later one by ``_timestamp`` counts. One question are two lines of
  one ``_task_hash``, with one ``label`` or with the same ``options``, and two lines of spans that mark the same words
  with one label. Where no time tells two answers apart, those that cannot both be right are an error.
- ``answer: ignore`` says nothing, and is counted. A rejected line without a label says that something in it is wrong,
  but not what: that is an error too.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
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

_UNNAMED = re.compile(
    r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d"
)  # a session that was started without a name
_ANSWERS = ("accept", "reject", "ignore")
_OWN = {
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
    """The texts of a file, each with its lines, in the order in which they come first."""
    texts: dict[str, list[Item]] = {}
    sessions = set()
    for line in json_items(path):
        try:
            data = object_of(line)
            key = _key(data, line.where)
            sessions.add(_session(data, line.where))
        except InputError:
            key = line.where  # what is wrong with it, ``parse`` says
        texts.setdefault(key, []).append(line)
    prefix = _dataset(sessions)
    for key, lines in texts.items():
        yield Item(lines[0].where, f"{path.stem}:{key}", (prefix, lines))


def _key(data: dict[str, Any], where: str) -> str:
    """What the lines of one text have in common."""
    if isinstance(data.get("_input_hash"), int):
        return str(data["_input_hash"])
    text = string(data.get("text"), f"{where}: text")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _session(data: dict[str, Any], where: str) -> str | None:
    for key in ("_annotator_id", "_session_id"):
        if data.get(key) is not None:
            name = string(data[key], f"{where}: {key}")
            return None if _UNNAMED.fullmatch(name) else name
    return None


def _dataset(sessions: set[str | None]) -> str:
    """What the names of sessions, which are ``DATASET-ANNOTATOR``, have in common."""
    names = [name.split("-")[:-1] for name in sessions if name is not None]
    same = takewhile(lambda parts: len(set(parts)) == 1, zip(*names, strict=False))
    return "".join(f"{parts[0]}-" for parts in same)


@dataclass
class _Sheet:
    """What one annotator said of a text, over several lines."""

    text: str
    where: str
    marks: dict[tuple[int, int, str], Mark] = field(default_factory=dict)
    relations: dict[Relation, None] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """What each annotator said of a text.

    Raises:
        InputError: naming the line and the field.
    """
    column = layout.columns.get("text", "text")
    sheets: dict[str | None, _Sheet] = {}
    lines: dict[str | None, list[_Line]] = {}
    prefix, all_lines = item.data
    for line in all_lines:
        data = object_of(line)
        answer = data.get("answer")
        if answer not in _ANSWERS:
            raise wrong(f"{line.where}: answer", "accept, reject or ignore", answer)
        if answer == "ignore":
            yield LeftOut("answer 'ignore'")
            continue
        text = string(data.get(column), f"{line.where}: {column}")
        session = _session(data, line.where)
        annotator = session and (session.removeprefix(prefix) or session)
        sheet = sheets.setdefault(annotator, _Sheet(text, line.where))
        lines.setdefault(annotator, []).append(_Line(data, line.where, len(text)))
        if text != sheet.text:
            raise InputError(
                f"{line.where}: {column}: expected the text of the line with the same _input_hash "
                f"({sheet.where}), found another one"
            )
    for annotator, sheet in sheets.items():
        counting = _without_earlier(lines[annotator])
        for _ in range(len(lines[annotator]) - len(counting)):
            yield LeftOut("earlier answer of an annotator who answered the question again")
        for line in counting:
            _read(line.data, line.where, line.data["answer"] == "accept", sheet)
            sheet.fields.update(_fields(line.data, column, line.where))
        yield Document(
            name=item.name,
            text=sheet.text,
            where=sheet.where,
            annotator=annotator,
            marks=list(sheet.marks.values()),
            relations=list(sheet.relations),
            answers=list(sheet.answers.values()),
            fields=sheet.fields,
            unit="code points",
        )


@dataclass(frozen=True)
class _Line:
    """Represent an annotator's answer: the line, where it stands, and the length of its text."""

    data: dict[str, Any]
    where: str
    length: int

    @property
    def time(self) -> float | None:
        """Return when the answer was given, in seconds; ``None`` if the line does not tell."""
        time = self.data.get("_timestamp")
        return time if isinstance(time, (int, float)) and not isinstance(time, bool) else None

    def questions(self) -> Iterator[tuple[str, str]]:
        """Yield the names of the question: two lines are answers to one if they have a name in common."""
        if isinstance(self.data.get("_task_hash"), int):
            yield "task", str(self.data["_task_hash"])
        if self.data.get("label") is not None:
            yield "label", str(self.data["label"])
        elif isinstance(self.data.get("options"), list):
            ids = [o.get("id") for o in self.data["options"] if isinstance(o, dict)]
            yield "options", repr(sorted(map(str, ids)))

    def marks(self) -> list[tuple[int, int, str]]:
        """Return the spans that the line marks: start, end and label. What is wrong with others, ``_read`` says."""
        spans = self.data.get("spans")
        if self.data.get("label") is not None or not isinstance(spans, list):
            return []
        found = []
        for span in spans:
            if not isinstance(span, dict):
                continue
            start, end, label = span.get("start"), span.get("end"), span.get("label")
            if isinstance(start, int) and isinstance(end, int) and isinstance(label, str):
                found.append((start, min(end, self.length), label))
        return found


def _without_earlier(lines: Sequence[_Line]) -> list[_Line]:
    """Return the lines of one annotator without those whose question was answered again later, in order.

    Raises:
        InputError: For two lines of spans that cannot both be right, without the times that would say which counts.
    """
    times = [line.time for line in lines]
    if None in times or len(set(times)) < len(times):
        _check_marks(lines)
        return list(lines)
    places = {id(line): place for place, line in enumerate(lines)}
    answered: set[tuple[str, str]] = set()
    covered: dict[str, set[int]] = defaultdict(set)  # label → the characters that later lines mark
    counting = []
    for line in sorted(lines, key=lambda line: line.time or 0, reverse=True):
        questions, marks = set(line.questions()), line.marks()
        is_earlier = not questions.isdisjoint(answered) or any(
            not covered[label].isdisjoint(range(start, end)) for start, end, label in marks
        )
        if is_earlier:
            continue
        answered |= questions
        for start, end, label in marks:
            covered[label].update(range(start, end))
        counting.append(line)
    counting.sort(key=lambda line: places[id(line)])
    return counting


def _check_marks(lines: Sequence[_Line]) -> None:
    covered: dict[str, dict[int, str]] = defaultdict(
        dict
    )  # label → character → the line that marks it
    known: set[tuple[int, int, str]] = set()
    for line in lines:
        marks = line.marks()
        for start, end, label in marks:
            other = next(
                (covered[label][place] for place in range(start, end) if place in covered[label]),
                None,
            )
            if other is not None and (start, end, label) not in known:
                raise InputError(
                    f"{line.where}: spans: expected a later _timestamp in one of an annotator's two answers, found "
                    f"other marks with the label '{label}' for the same words ({other})"
                )
        for start, end, label in marks:
            covered[label].update(dict.fromkeys(range(start, end), line.where))
            known.add((start, end, label))


def _read(data: dict[str, Any], where: str, accepted: bool, sheet: _Sheet) -> None:
    label = data.get("label")
    if label is not None:
        _answer(sheet, Answer(string(label, f"{where}: label"), accepted), label, where)
        if not accepted or data.get("_view_id") == "classification":
            return
    elif not accepted:
        raise InputError(
            f"{where}: answer: expected accept or ignore where no label is asked about, found 'reject' "
            "(which does not say what is wrong)"
        )
    if data.get("options") is not None or data.get("accept") is not None:
        _read_choice(data, where, sheet)
    here = _read_spans(data, where, sheet)
    for number, value in enumerate(listing(data.get("relations") or [], f"{where}: relations")):
        place = f"{where}: relations[{number}]"
        relation = mapping(value, place)
        head, child = (_end(relation, end, place, here) for end in ("head_span", "child_span"))
        sheet.relations[
            Relation(head, child, string(relation.get("label") or "", f"{place}.label"))
        ] = None


def _answer(sheet: _Sheet, answer: Answer, value: str, where: str) -> None:
    before = sheet.answers.setdefault((answer.question, value), answer)
    if before.value != answer.value:
        raise InputError(
            f"{where}: answer: expected one answer of an annotator to '{value}', found accept and reject "
            f"(see {sheet.where})"
        )


def _read_choice(data: dict[str, Any], where: str, sheet: _Sheet) -> None:
    options = listing(data.get("options"), f"{where}: options")
    known = [
        _name(mapping(o, f"{where}: options[{i}]").get("id"), f"{where}: options[{i}].id")
        for i, o in enumerate(options)
    ]
    chosen = data.get("accept")
    for number, choice in enumerate(
        chosen if isinstance(chosen, list) else [chosen] if chosen is not None else []
    ):
        name = _name(choice, f"{where}: accept[{number}]")
        if name not in known:
            raise wrong(f"{where}: accept[{number}]", f"one of {', '.join(known)}", choice)
        _answer(sheet, Answer("label", name), name, where)


def _name(value: Any, where: str) -> str:
    """An option's id: a string or a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise wrong(where, "a string or a number", value)
    return str(value)


def _read_spans(data: dict[str, Any], where: str, sheet: _Sheet) -> dict[tuple[int, int], str]:
    """Adds the marks of a line; gives their names by their bounds."""
    found = {}
    for number, value in enumerate(listing(data.get("spans") or [], f"{where}: spans")):
        place = f"{where}: spans[{number}]"
        span = mapping(value, place)
        start, end = extent(span, "start", "end", place)
        label = string(span.get("label"), f"{place}.label")
        surface = span["text"] if isinstance(span.get("text"), str) else None
        name = f"{start}-{end} {label}"
        sheet.marks.setdefault(
            (start, end, label), Mark(name, label, [(start, end)], surface, where=place)
        )
        found[start, end] = name
    return found


def _end(relation: dict[str, Any], key: str, place: str, marks: dict[tuple[int, int], str]) -> str:
    bounds = extent(mapping(relation.get(key), f"{place}.{key}"), "start", "end", f"{place}.{key}")
    if bounds not in marks:
        raise InputError(
            f"{place}.{key}: expected the bounds of one of the spans, found {bounds[0]} and {bounds[1]}"
        )
    return marks[bounds]


def _fields(data: dict[str, Any], column: str, where: str) -> dict[str, Any]:
    meta = mapping(data.get("meta") or {}, f"{where}: meta")
    own = {
        key: value
        for key, value in data.items()
        if key not in _OWN and key != column and not key.startswith("_")
    }
    return {**own, **meta}


def recognise(head: str) -> bool:
    """Whether the first line has an answer, beside what Prodigy adds or asks."""
    first = first_object(head)
    return first.get("answer", "") in (*_ANSWERS, None) and bool(
        first.keys()
        & {
            "_input_hash",
            "_task_hash",
            "_session_id",
            "_annotator_id",
            "_view_id",
            "spans",
            "options",
            "label",
        }
    )


FORMAT = Format("prodigy", (".jsonl", ".ndjson"), recognise, items=items, parse=parse)
