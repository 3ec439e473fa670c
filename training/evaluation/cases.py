"""What was asked of a model and what it answered, case by case: what an evaluation's figures are counted from.

The file has a line for each labelled question, and one for each sentence whose spans were annotated. Unlike
``outcomes.jsonl`` it holds texts.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from claimstance.model.config import ModelConfig
from claimstance.model.errors import InputError
from claimstance.model.prediction import Prediction
from claimstance.model.record import Entity, Record, parse_record, read_lines
from claimstance.training.evaluation.answers import Answers, Asked, asked, document_of, gather
from claimstance.training.evaluation.attribution_metrics import as_found, flat_spans, tokenize
from claimstance.training.evaluation.evaluate import Pair, by_corpus
from claimstance.training.evaluation.span_errors import Errors, Placed, span_errors

CASES_FILE = "cases.jsonl"
_META = ("corpus", "outlet", "date")


LabelCase = Asked  # about a record that is stripped of all else


@dataclass(frozen=True)
class SpanCase:
    """A sentence as annotated, and with what was found: only the attributions, or only the entities."""

    record: Record
    found: Record
    errors: Errors


Cases = dict[str, Sequence[LabelCase] | Sequence[SpanCase]]  # by "corpus/task"


def cases(config: ModelConfig, pairs: Iterable[Pair]) -> Cases:
    """The cases of each ``corpus/task`` that has any, in the order of the pairs."""
    found: Cases = {}
    for corpus, rows in by_corpus(pairs).items():
        for task in config.tasks:
            if some := _of_task(config, task, rows):
                found[f"{corpus}/{task}"] = some
    return found


def _of_task(
    config: ModelConfig, task: str, rows: Sequence[Pair]
) -> Sequence[LabelCase] | Sequence[SpanCase]:
    if task == "attribution":
        return list(_attributions(rows))
    if task == "entity":
        return [
            _entities(record, prediction)
            for record, prediction in rows
            if record.entities is not None
        ]
    return _labels(config, task, rows)


def _labels(config: ModelConfig, task: str, rows: Sequence[Pair]) -> list[LabelCase]:
    return [
        replace(
            one,
            record=_bare(one.record, stances=one.stance and [one.stance]),
            probabilities={label: round(share, 4) for label, share in one.probabilities.items()},
        )
        for one in asked(config, task, rows)
    ]


def answers_of(labels: Sequence[str], some: Sequence[LabelCase]) -> Answers:
    """The answers to these questions, of which there is one at least."""
    answers = gather(labels, some)
    assert answers is not None
    return answers


def _bare(record: Record, **kept: Any) -> Record:
    """The record with no labels but ``kept``."""
    meta = {key: record.meta[key] for key in _META if record.meta.get(key)}
    bare = dict.fromkeys(
        ("claim", "check_worthy", "subjective", "attributions", "entities", "stances", "annotator")
    )
    return record.model_copy(update={**bare, "meta": meta, **kept})


def _attributions(rows: Sequence[Pair]) -> Iterator[SpanCase]:
    documents: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in rows:
        if record.attributions is not None:
            documents[document_of(record)].append((record, prediction))
    for sentences in documents.values():
        gold, found = [record for record, _ in sentences], [as_found(*each) for each in sentences]
        tokens = [tokenize(record.text) for record in gold]
        placed = [_placed(records, tokens) for records in (gold, found)]
        for number, (record, other) in enumerate(zip(gold, found, strict=True)):
            yield SpanCase(
                _bare(record, attributions=record.attributions),
                _bare(record, attributions=other.attributions),
                span_errors(*(spans.get(number, []) for spans in placed)),
            )


def _placed(
    records: Sequence[Record], tokens: Sequence[Sequence[tuple[int, int]]]
) -> dict[int, list[Placed]]:
    """Sentence → its flattened spans, in tokens."""
    found: dict[int, list[Placed]] = defaultdict(list)
    for role, spans in flat_spans(records, tokens).items():
        for cells in spans:
            found[cells[0][0]].append((role, cells[0][1], cells[-1][1] + 1))
    return found


def _entities(record: Record, prediction: Prediction) -> SpanCase:
    found = [
        Entity(span=[(e.place.start, e.place.end)], label=e.label)
        for e in prediction.entities or ()
    ]
    placed = [
        [(e.label, e.span[0][0], e.span[-1][1]) for e in some]
        for some in (record.entities or (), found)
    ]
    return SpanCase(
        _bare(record, entities=record.entities), _bare(record, entities=found), span_errors(*placed)
    )


def write_cases(some: Cases, file: TextIO) -> None:
    """A line for each case."""
    for name, found in some.items():
        for case in found:
            file.write(
                json.dumps(
                    {"name": name, **_plain(case)}, ensure_ascii=False, separators=(",", ":")
                )
                + "\n"
            )


def _plain(case: LabelCase | SpanCase) -> dict[str, Any]:
    record = case.record.model_dump(mode="json", exclude_none=True)
    if isinstance(case, LabelCase):
        return {
            "kind": case.kind,
            "gold": case.gold,
            "said": case.said,
            "probabilities": case.probabilities,
            "record": record,
        }
    field = _spans_of(case.record)
    found = case.found.model_dump(mode="json", exclude_none=True)[field]
    return {
        "errors": [[*key, n] for key, n in case.errors.items()],
        "record": record,
        "found": found,
    }


def _spans_of(record: Record) -> str:
    return "attributions" if record.attributions is not None else "entities"


def read_cases(folder: Path) -> Cases:
    """The cases that ``claimstance evaluate … --out FOLDER`` wrote; none if it wrote no such file.

    Raises:
        InputError: naming the file and line, what was expected and what was found.
    """
    path = folder / CASES_FILE
    found: dict[str, list[Any]] = defaultdict(list)
    for number, line in enumerate(read_lines(path) if path.is_file() else (), 1):
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
            name, case = row["name"], _parse(row, where)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"{where}: expected a case of an evaluation, found none that can be read "
                f"({error!r})"
            ) from None
        found[str(name)].append(case)
    return dict(found)


def _parse(row: Mapping[str, Any], where: str) -> LabelCase | SpanCase:
    record = parse_record(row["record"], where)
    if "probabilities" in row:
        probabilities = {str(label): float(share) for label, share in row["probabilities"].items()}
        gold, said = (
            {label: label for label in probabilities}[row[key]] for key in ("gold", "said")
        )
        stance = record.stances[0] if record.stances else None
        return LabelCase(record, stance, str(row["kind"]), gold, probabilities, said)
    errors: Errors = Counter({(str(label), str(kind)): int(n) for label, kind, n in row["errors"]})
    return SpanCase(
        record, parse_record({**row["record"], _spans_of(record): row["found"]}, where), errors
    )
