"""The record: one annotated sentence, which is one line of JSON Lines.

``None`` means "not annotated"; an empty list means "annotated, and there are none". Offsets count Unicode code points
relative to ``text``, end exclusive. A span is a list of ``[start, end]`` pieces, since spans can be discontinuous.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TextIO

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from claimstance.model.errors import InputError, shorten, unknown
from claimstance.model.io.text_lines import checked_lines
from claimstance.model.io.validation import first_problem, parse_json
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS

Span = list[tuple[int, int]]


class _StrictModel(BaseModel):
    # An unknown key is most likely misspelled, which is better found before training than after it.
    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")


class Attribution(_StrictModel):
    """Represent an attribution: *source* · *cue* · *content*. A role that the sentence lacks is ``None``.

    An attribution over several sentences is in the record of each of them, with its spans there. ``event`` is then the
    same name in all of these records, unique in the document.
    """

    source: Span | None = None
    cue: Span | None = None
    content: Span | None = None
    event: str | None = None


class Entity(_StrictModel):
    """Represent a named person, organization, location or other entity."""

    span: Span
    label: str


class Stance(_StrictModel):
    """Represent the stance of a holder toward a target, as the sentence expresses it.

    ``holder`` is a span, a name, or ``None`` for the text itself. ``target`` is a span or a name, which need not occur
    in the text. ``label`` may be absent from a record that is to be predicted. ``probabilities`` (label → share) are
    the shares of several annotators or the output of a teacher model; training uses them in addition to ``label``.
    """

    holder: Span | str | None = None
    target: Span | str
    label: str | None = None
    probabilities: dict[str, Annotated[float, Field(allow_inf_nan=False)]] | None = None


def _without_nan(value: Any) -> Any:
    """Return ``value`` with ``None`` for NaN and infinities: tables have them in empty cells, JSON lacks them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return value


class Record(_StrictModel):
    """Represent one annotated sentence. The module's docstring explains offsets and ``None``."""

    id: str
    doc_id: str | None = None
    start: int | None = Field(default=None, ge=0)
    text: str
    claim: str | None = None
    check_worthy: str | None = None
    subjective: str | None = None
    attributions: list[Attribution] | None = None
    entities: list[Entity] | None = None
    stances: list[Stance] | None = None
    annotator: str | None = None
    meta: Annotated[dict[str, Any], BeforeValidator(_without_nan)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_spans(self) -> "Record":
        length = len(self.text)
        for field, span in self.spans():
            if not span:
                raise ValueError(
                    f"{field}: expected at least one [start, end], found an empty list"
                )
            for start, end in span:
                if not 0 <= start < end <= length:
                    raise ValueError(
                        f"{field}: expected 0 <= start < end <= {length} (the text's length), "
                        f"found [{start}, {end}]"
                    )
            overlap = overlapping_pieces(span)
            if overlap is not None:
                first, second = map(list, overlap)
                raise ValueError(
                    f"{field}: expected pieces that do not overlap, found {first} and {second}"
                )
        return self

    def spans(self) -> Iterator[tuple[str, Span]]:
        """Yield every span of the record with the path of its field, such as ``attributions[0].cue``."""
        for i, attribution in enumerate(self.attributions or ()):
            for role in ROLES:
                span = getattr(attribution, role)
                if span is not None:
                    yield f"attributions[{i}].{role}", span
        for i, entity in enumerate(self.entities or ()):
            yield f"entities[{i}].span", entity.span
        for i, stance in enumerate(self.stances or ()):
            for field, value in (("holder", stance.holder), ("target", stance.target)):
                if isinstance(value, list):
                    yield f"stances[{i}].{field}", value

    def to_json(self) -> str:
        """Return the record as one line of JSON. Optional keys are present only if they have a value."""
        data = self.model_dump(mode="json")
        optional = [(data, "subjective")]
        optional += [(attribution, "event") for attribution in data["attributions"] or ()]
        optional += [(stance, "probabilities") for stance in data["stances"] or ()]
        for section, key in optional:
            if section[key] is None:
                del section[key]
        return json.dumps(data, ensure_ascii=False)


def overlapping_pieces(span: Span) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the first two pieces of a span that have characters in common; ``None`` if no pieces overlap.

    >>> overlapping_pieces([(9, 13), (0, 4), (2, 8)])
    ((0, 4), (2, 8))
    """
    pieces = sorted((start, end) for start, end in span)
    for before, after in pairwise(pieces):
        if after[0] < before[1]:
            return before, after
    return None


def check_labels(record: Record, labels: Mapping[str, Iterable[str]], where: str) -> None:
    """Raise ``InputError`` if a label of ``record`` is not in ``labels`` (task → label names)."""
    # The path of each field with a label, the task of the label, and the label.
    fields: list[tuple[str, str, str | None]] = [
        (task, task, getattr(record, task)) for task in SENTENCE_TASKS
    ]
    for i, stance in enumerate(record.stances or ()):
        fields.append((f"stances[{i}].label", "stance", stance.label))
        path = f"stances[{i}].probabilities"
        fields += [(path, "stance", label) for label in stance.probabilities or ()]
    for i, entity in enumerate(record.entities or ()):
        fields.append((f"entities[{i}].label", "entity", entity.label))
    for field, task, value in fields:
        allowed = tuple(labels.get(task, DEFAULT_LABELS[task]))
        if value is not None and value not in allowed:
            raise InputError(f"{where}: {field}: {unknown('label', value, allowed)}")


def parse_record(data: Any, where: str) -> Record:
    """Return a ``Record`` from decoded JSON.

    Args:
        data: the values of the record. Numbers are accepted as ids, and the output of ``predict`` as input.
        where: file and line, the beginning of error messages.

    Raises:
        InputError: if a value is not what the record allows.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected a JSON object, found {shorten(repr(data))}")
    data = dict(data)
    data.pop("predicted", None)
    if data.get("meta", {}) is None:
        del data["meta"]
    for key in ("id", "doc_id"):
        if type(data.get(key)) is int:
            data[key] = str(data[key])
    try:
        # Strict validation of Python objects would refuse lists as pieces of spans, that of JSON accepts them.
        return Record.model_validate_json(json.dumps(data, ensure_ascii=False).encode())
    except ValidationError as error:
        field, problem = first_problem(error.errors(), Record)
        # Spans are checked once the record has been read: those messages name the field themselves.
        message = f"{field}: {problem}" if field else problem
        raise InputError(f"{where}: {message}") from None
    # Examples are a set, half of a surrogate pair, and a list that contains itself.
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: expected values that JSON has, found {error}") from None


def read_jsonl(
    path: Path | str,
    labels: Mapping[str, Iterable[str]] | None = None,
    progress: Callable[[int], None] | None = None,
    any_labels: bool = False,
) -> Iterator[Record]:
    """Yield the records of a JSON Lines file.

    Args:
        path: the file.
        labels: task → allowed label names; the default label sets if ``None``.
        progress: called with 1 for every record.
        any_labels: accept all labels, as for a file that is to be predicted.

    Raises:
        InputError: naming file, line, field, the expectation and the value found; also for an id that occurs twice
            with the same annotator.
    """
    seen: dict[tuple[str, str | None], int] = {}
    for line_number, line in enumerate(read_lines(Path(path)), 1):
        if not line.strip():
            continue
        where = f"{path}, line {line_number}"
        record = parse_record(parse_json(line, where), where)
        key = (record.id, record.annotator)
        if key in seen:
            by = " by the same annotator" if record.annotator else ""
            raise InputError(
                f"{where}: id: expected a new id, found '{record.id}', already used in line {seen[key]}{by}"
            )
        seen[key] = line_number
        if not any_labels:
            check_labels(record, labels or {}, where)
        if progress:
            progress(1)
        yield record
    if not seen:
        raise InputError(f"{path}: expected at least one record, found an empty file")


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 text file, without their ends (LF or CR LF; no other character ends a line).

    Raises:
        InputError: if the file cannot be opened, is binary, or is not UTF-8 (naming the line).
    """
    for line in checked_lines(path):
        if isinstance(line, InputError):
            raise line
        yield line


def write_jsonl(records: Iterable[Record], file: TextIO) -> int:
    """Write records as JSON Lines and return their number."""
    count = 0
    for record in records:
        file.write(record.to_json() + "\n")
        count += 1
    return count


_NON_WORD_CHARACTERS = re.compile(r"[\W_]+")


def text_key(text: str) -> str:
    """Return the words of a text in lower case: equal for texts that differ only in case and punctuation."""
    return _NON_WORD_CHARACTERS.sub(" ", text.casefold()).strip() or text


def label_counts(record: Record) -> dict[str, Counter[str]]:
    """Return the number of each label of a record: task → label → count.

    Tasks that were not annotated are absent. Attributions count by role (source, cue, content).
    """
    counts: dict[str, Counter[str]] = {}
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            counts[task] = Counter([label])
    if record.stances is not None:
        counts["stance"] = Counter(
            stance.label for stance in record.stances if stance.label is not None
        )
    if record.entities is not None:
        counts["entity"] = Counter(entity.label for entity in record.entities)
    if record.attributions is not None:
        role_counts: Counter[str] = Counter()
        for attribution in record.attributions:
            role_counts.update(role for role in ROLES if getattr(attribution, role) is not None)
        counts["attribution"] = role_counts
    return counts
