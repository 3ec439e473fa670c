"""Log of predictions beside gold annotations, case by case: the cases behind an evaluation's figures.

The file has one line for each labelled question, and one for each sentence with annotated spans.
Unlike ``outcomes.jsonl`` it holds texts.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from claimstance.model.config import ModelConfig
from claimstance.model.errors import InputError
from claimstance.model.record import Entity, Record, parse_record, read_lines
from claimstance.training.evaluation.answers import ScoredAnswer, document_of, iter_answers
from claimstance.training.evaluation.attribution_metrics import (
    Offsets,
    flat_token_spans,
    tokenize,
    with_predicted_attributions,
)
from claimstance.training.evaluation.scoring import Pair, by_corpus
from claimstance.training.evaluation.span_errors import Errors, LabelledSpan, span_errors

PREDICTION_LOG_FILE = "cases.jsonl"
_META = ("corpus", "outlet", "date")  # keys of ``meta`` that the log retains


@dataclass(frozen=True)
class ScoredSpans:
    """Represent a sentence with its annotated spans, its predicted spans, and the errors among them.

    Attributes:
        record: the record with nothing but its attributions, or nothing but its entities.
        predicted: the same record with the predicted ones.
        errors: (label or role, kind) → count.
    """

    record: Record
    predicted: Record
    errors: Errors


#: "corpus/task" → cases. The records of the answers hold nothing but the stance in question.
PredictionLog = dict[str, Sequence[ScoredAnswer] | Sequence[ScoredSpans]]


def build_prediction_log(config: ModelConfig, pairs: Iterable[Pair]) -> PredictionLog:
    """Return the cases of each ``corpus/task`` that has any, in the order of the pairs."""
    log: PredictionLog = {}
    for corpus, rows in by_corpus(pairs).items():
        for task in config.tasks:
            cases: Sequence[ScoredAnswer] | Sequence[ScoredSpans]
            if task == "attribution":
                cases = _attribution_cases(rows)
            elif task == "entity":
                cases = _entity_cases(rows)
            else:
                cases = _answer_cases(iter_answers(config, task, rows))
            if cases:
                log[f"{corpus}/{task}"] = cases
    return log


def _strip(record: Record, **annotations: Any) -> Record:
    """Return the record with no annotations but these, and with little metadata."""
    removed = dict.fromkeys(
        ("claim", "check_worthy", "subjective", "attributions", "entities", "stances", "annotator")
    )
    meta = {key: record.meta[key] for key in _META if record.meta.get(key)}
    return record.model_copy(update={**removed, "meta": meta, **annotations})


def _answer_cases(answers: Iterable[ScoredAnswer]) -> list[ScoredAnswer]:
    """Return answers as the log has them: with rounded probabilities, and no annotation but their stance."""
    cases = []
    for answer in answers:
        stances = [answer.stance] if answer.stance else None
        record = _strip(answer.record, stances=stances)
        probabilities = {label: round(share, 4) for label, share in answer.probabilities.items()}
        cases.append(replace(answer, record=record, probabilities=probabilities))
    return cases


def _attribution_cases(rows: Sequence[Pair]) -> list[ScoredSpans]:
    """Return the cases of all sentences with annotated attributions, document by document."""
    documents: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in rows:
        if record.attributions is not None:
            documents[document_of(record)].append((record, prediction))

    cases = []
    for sentences in documents.values():
        # Spans are flattened by document, because attributions reach over several sentences.
        gold = [record for record, _ in sentences]
        predicted = [with_predicted_attributions(*sentence) for sentence in sentences]
        tokens = [tokenize(record.text) for record in gold]
        gold_spans = _spans_by_sentence(gold, tokens)
        predicted_spans = _spans_by_sentence(predicted, tokens)
        for number, record in enumerate(gold):
            cases.append(
                ScoredSpans(
                    _strip(record, attributions=record.attributions),
                    _strip(record, attributions=predicted[number].attributions),
                    span_errors(gold_spans.get(number, []), predicted_spans.get(number, [])),
                )
            )
    return cases


def _spans_by_sentence(
    records: Sequence[Record], tokens: Sequence[Sequence[Offsets]]
) -> dict[int, list[LabelledSpan]]:
    """Return number of the sentence → its flattened spans, in tokens."""
    spans: dict[int, list[LabelledSpan]] = defaultdict(list)
    for role, token_spans in flat_token_spans(records, tokens).items():
        for token_ids in token_spans:
            sentence, first = token_ids[0]
            spans[sentence].append((role, first, token_ids[-1][1] + 1))
    return spans


def _entity_cases(rows: Sequence[Pair]) -> list[ScoredSpans]:
    """Return the cases of all sentences with annotated entities."""
    cases = []
    for record, prediction in rows:
        gold = record.entities
        if gold is None:
            continue
        predicted = []
        for entity in prediction.entities or ():
            offsets = (entity.span.start, entity.span.end)
            predicted.append(Entity(span=[offsets], label=entity.label))
        errors = span_errors(_entity_spans(gold), _entity_spans(predicted))
        gold_record = _strip(record, entities=gold)
        cases.append(ScoredSpans(gold_record, _strip(record, entities=predicted), errors))
    return cases


def _entity_spans(entities: Sequence[Entity]) -> list[LabelledSpan]:
    """Return each entity from its first piece to its last, because predicted ones have one piece."""
    spans = []
    for entity in entities:
        first_piece, last_piece = entity.span[0], entity.span[-1]
        spans.append((entity.label, first_piece[0], last_piece[1]))
    return spans


def write_prediction_log(log: PredictionLog, file: TextIO) -> None:
    """Write one line for each case."""
    for name, cases in log.items():
        for case in cases:
            row: dict[str, Any] = {"name": name}
            record = case.record.model_dump(mode="json", exclude_none=True)
            if isinstance(case, ScoredAnswer):
                row["kind"] = case.kind
                row["gold"] = case.gold
                row["said"] = case.predicted
                row["probabilities"] = case.probabilities
                row["record"] = record
            else:
                predicted = case.predicted.model_dump(mode="json", exclude_none=True)
                row["errors"] = [[label, kind, n] for (label, kind), n in case.errors.items()]
                row["record"] = record
                row["found"] = predicted[_span_field(case.record)]
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def _span_field(record: Record) -> str:
    """Return the field of a stripped record that holds its spans."""
    return "attributions" if record.attributions is not None else "entities"


def read_prediction_log(folder: Path) -> PredictionLog:
    """Read the cases that ``claimstance evaluate … --out FOLDER`` wrote; none if the file is missing.

    Raises:
        InputError: naming the file and line, what was expected and what was found.
    """
    # Figures and counts do without the log, so that a folder may lack it.
    path = folder / PREDICTION_LOG_FILE
    if not path.is_file():
        return {}
    log: dict[str, list[Any]] = defaultdict(list)
    for number, line in enumerate(read_lines(path), 1):
        location = f"{path}, line {number}"
        try:
            row = json.loads(line)
            name = str(row["name"])
            case = _parse_case(row, location)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"{location}: expected a case of an evaluation, found a line that cannot be read "
                f"({error!r})"
            ) from None
        log[name].append(case)
    return dict(log)


def _parse_case(row: Mapping[str, Any], location: str) -> ScoredAnswer | ScoredSpans:
    """Return the case of a line; see ``write_prediction_log``."""
    record = parse_record(row["record"], location)
    if "probabilities" in row:
        probabilities = {str(label): float(share) for label, share in row["probabilities"].items()}
        # The page looks both labels up in the probabilities.
        for key in ("gold", "said"):
            if row[key] not in probabilities:
                raise KeyError(row[key])
        stance = record.stances[0] if record.stances else None
        return ScoredAnswer(
            record, stance, str(row["kind"]), row["gold"], probabilities, row["said"]
        )
    errors: Errors = Counter()
    for label, kind, n in row["errors"]:
        errors[str(label), str(kind)] = int(n)
    predicted = parse_record({**row["record"], _span_field(record): row["found"]}, location)
    return ScoredSpans(record, predicted, errors)
