"""The record: one annotated sentence, as it stands in a line of JSON Lines.

``None`` means "not annotated"; an empty list means "annotated, none there". Offsets count Unicode code points relative
to ``text``, end exclusive. A span is a list of ``[start, end]`` pieces, since spans can be discontinuous.
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
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS

Span = list[tuple[int, int]]


class _Strict(BaseModel):
    # An unknown key is a typing error nobody wants to find after training.
    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")


class Attribution(_Strict):
    """Who says what: *source* · *cue* · *content*. A part that the sentence lacks is ``None``.

    An attribution that runs over several sentences stands in each of them with its parts there; ``event`` is then the
    same name in all of them (unique in the document).
    """

    source: Span | None = None
    cue: Span | None = None
    content: Span | None = None
    event: str | None = None


class Entity(_Strict):
    """A named person, organization, location or other entity."""

    span: Span
    label: str


class Stance(_Strict):
    """The stance of a holder toward a target, as the sentence expresses it.

    ``holder`` is a span, a name, or ``None`` for nobody named (the text itself). ``target`` is a span or a name, which
    need not occur in the text. ``label`` may be absent in a record that is to be predicted. ``probabilities`` say how
    several annotators divide, or what a teacher model thinks (label → share): trained on beside ``label``.
    """

    holder: Span | str | None = None
    target: Span | str
    label: str | None = None
    probabilities: dict[str, float] | None = None


def _without_nan(value: Any) -> Any:
    """The same, with ``None`` for numbers that are none, which JSON has not and tables have where nothing was said."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return [_without_nan(one) for one in value] if isinstance(value, list) else value


class Record(_Strict):
    """One annotated sentence. See the module's text for offsets and ``None``."""

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
    def _spans_lie_in_text(self) -> "Record":
        for field, span in self.spans():
            _check_span(field, span, self.text)
        return self

    def spans(self) -> Iterator[tuple[str, Span]]:
        """Every span of the record with the name of its field, such as ``attributions[0].cue``."""
        for i, attribution in enumerate(self.attributions or ()):
            for role in ("source", "cue", "content"):
                if (span := getattr(attribution, role)) is not None:
                    yield f"attributions[{i}].{role}", span
        for i, entity in enumerate(self.entities or ()):
            yield f"entities[{i}].span", entity.span
        for i, stance in enumerate(self.stances or ()):
            for field, value in (("holder", stance.holder), ("target", stance.target)):
                if isinstance(value, list):
                    yield f"stances[{i}].{field}", value

    def to_json(self) -> str:
        """The record as one line of JSON, every key of the contract present."""
        data = self.model_dump(mode="json")
        optional = [(data, "subjective")]
        optional += [(attribution, "event") for attribution in data["attributions"] or ()]
        optional += [(stance, "probabilities") for stance in data["stances"] or ()]
        for part, key in optional:
            if part[key] is None:
                del part[key]
        return json.dumps(data, ensure_ascii=False)


_SECTIONS: dict[str, type[BaseModel]] = {
    "attributions": Attribution,
    "entities": Entity,
    "stances": Stance,
}


def _check_span(field: str, span: Span, text: str) -> None:
    if not span:
        raise ValueError(f"{field}: expected at least one [start, end], found an empty list")
    for start, end in span:
        if not 0 <= start < end <= len(text):
            raise ValueError(
                f"{field}: expected 0 <= start < end <= {len(text)} (the text's length), "
                f"found [{start}, {end}]"
            )
    if (pair := overlapping_pieces(span)) is not None:
        raise ValueError(
            f"{field}: expected pieces that do not overlap, found {list(pair[0])} and {list(pair[1])}"
        )


def overlapping_pieces(span: Span) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return two pieces of a span that have characters in common, the first ones in the text; ``None`` without any.

    >>> overlapping_pieces([(9, 13), (0, 4), (2, 8)])
    ((0, 4), (2, 8))
    """
    pieces = sorted((start, end) for start, end in span)
    for before, after in pairwise(pieces):
        if after[0] < before[1]:
            return before, after
    return None


def _explain(error: ValidationError) -> str:
    """The first problem of a pydantic error as ``field: expected …, found …``."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    parts = [
        p for p in first["loc"] if not (isinstance(p, str) and (p == "str" or "[" in p))
    ]  # a union's branches
    field = (
        "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).lstrip(".") or "record"
    )
    if first["type"] == "json_invalid":  # Python reads deeper nesting than pydantic
        return f"expected JSON, found {first['ctx']['error']}"
    if first["type"] == "extra_forbidden":
        place, dot, name = field.rpartition(".")
        section = _SECTIONS[str(parts[0])] if place else Record
        return f"{place}{dot and ': '}{unknown('field', name, section.model_fields)}"
    if first["type"] == "missing":
        return f"{field}: expected a value, found none"
    wanted = first["msg"].removeprefix("Input should be ")
    return f"{field}: expected {wanted}, found {shorten(repr(first['input']))}"


def check_labels(record: Record, labels: Mapping[str, Iterable[str]], where: str) -> None:
    """Raise ``InputError`` if a label of ``record`` is not in ``labels`` (task → label names)."""
    found = [(task, getattr(record, task), task) for task in SENTENCE_TASKS]
    for i, stance in enumerate(record.stances or ()):
        found.append(("stance", stance.label, f"stances[{i}].label"))
        found += [
            ("stance", label, f"stances[{i}].probabilities") for label in stance.probabilities or ()
        ]
    found += [
        ("entity", e.label, f"entities[{i}].label") for i, e in enumerate(record.entities or ())
    ]
    for task, label, field in found:
        allowed = tuple(labels.get(task, DEFAULT_LABELS[task]))
        if label is not None and label not in allowed:
            raise InputError(f"{where}: {field}: {unknown('label', label, allowed)}")


def parse_record(data: Any, where: str) -> Record:
    """A ``Record`` from decoded JSON. ``where`` (file and line) opens the message of the ``InputError``."""
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected a JSON object, found {shorten(repr(data))}")
    # What `predict` added may be fed back in; a null "meta" is an empty one; ids are often numbers.
    data = {k: v for k, v in data.items() if k != "predicted" and not (k == "meta" and v is None)}
    for key in ("id", "doc_id"):
        if type(data.get(key)) is int:
            data[key] = str(data[key])
    try:
        # Through JSON, because strict validation of Python objects would refuse lists for pairs.
        return Record.model_validate_json(json.dumps(data, ensure_ascii=False).encode())
    except ValidationError as error:
        raise InputError(f"{where}: {_explain(error)}") from None
    except (
        TypeError,
        ValueError,
        RecursionError,
    ) as error:  # a set, half of a surrogate pair, a list in itself
        raise InputError(f"{where}: expected values that JSON has, found {error}") from None


def read_jsonl(
    path: Path | str,
    labels: Mapping[str, Iterable[str]] | None = None,
    progress: Callable[[int], None] | None = None,
    any_labels: bool = False,
) -> Iterator[Record]:
    """Read records from a JSON Lines file, checked against ``labels`` (task → names; the default sets if ``None``).

    Raises:
        InputError: naming file, line, field, what was expected and what was found; also for an id that occurs twice,
            unless by different annotators.
    """
    seen: dict[tuple[str, str | None], int] = {}
    for number, line in enumerate(read_lines(Path(path)), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{where}: expected a JSON object, found text that is not JSON ({error})"
            ) from None
        record = parse_record(data, where)
        key = (record.id, record.annotator)
        if key in seen:
            raise InputError(
                f"{where}: id: expected a new id, found '{record.id}', already used in line {seen[key]} "
                f"{'by the same annotator' if record.annotator else ''}".rstrip()
            )
        seen[key] = number
        if not any_labels:  # those of a file to be predicted are not looked at
            check_labels(record, labels or {}, where)
        if progress:
            progress(1)
        yield record
    if not seen:
        raise InputError(f"{path}: expected at least one record, found an empty file")


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 text file, without their ends (LF or CR LF; no other character ends a line).

    Raises:
        InputError: if the file cannot be opened, is binary, or is not UTF-8 (naming the line).
    """
    for line in checked_lines(path):
        if isinstance(line, InputError):
            raise line
        yield line


def write_jsonl(records: Iterable[Record], file: TextIO) -> int:
    """Write records as JSON Lines; returns how many."""
    count = 0
    for record in records:
        file.write(record.to_json() + "\n")
        count += 1
    return count


_BETWEEN_WORDS = re.compile(r"[\W_]+")


def text_key(text: str) -> str:
    """Return the words of a text in lower case: equal for texts that differ only in case and punctuation."""
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip() or text


def label_counts(record: Record) -> dict[str, Counter[str]]:
    """Count the labels of a record: task → label → how often.

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
        counts["attribution"] = Counter(
            role
            for attribution in record.attributions
            for role in ROLES
            if getattr(attribution, role) is not None
        )
    return counts
