"""Distillation: what a larger model thinks, as soft labels of train sentences (Hinton, Vinyals, Dean 2015)."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import torch

from claimstance.model.decoding import Floats, softmax
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.predicting import contexts
from claimstance.model.record import Record, Stance
from claimstance.model.windows import WindowBuilder
from claimstance.training.batches import LabelledWindow, collate
from claimstance.training.data_config import Teacher
from claimstance.training.examples import Example, SoftLabels, build_examples
from claimstance.training.precision import has_bfloat16

log = logging.getLogger(__name__)
_TOKENS = 4096  # of a batch


@dataclass
class _Item:
    """A window for the teacher to read, the records of its pieces, and the stances asked of it (record, number)."""

    window: LabelledWindow
    records: list[int] = field(default_factory=list)
    stances: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class _Answer:
    """The teacher's logits for one window."""

    tags: Floats  # (tokens, C)
    labels: dict[str, Floats]  # sentence task → (pieces, C)
    stances: Floats  # (stances, C)


def teach(
    teachers: Sequence[Teacher],
    records: Sequence[Record],
    labels: Mapping[str, Sequence[str]],
    progress: Callable[[int], None] | None = None,
) -> dict[str, SoftLabels]:
    """What teachers say of ``records``: stances are put into the records themselves, the rest is returned by record id.

    Sentences of a document are read in their windows, all others alone; stances of annotators are left as they are.
    ``progress`` is called with the number of windows read since it was called last.

    Raises:
        ConfigError: if no record is of a corpus named, or a teacher lacks a task or has other labels than ``labels``.
        ModelError: if it is no model folder with weights.
    """
    soft: dict[str, SoftLabels] = {}
    names = {str(record.meta.get("corpus")) for record in records}
    for teacher in teachers:
        for name in teacher.corpora:
            if name not in names:
                raise ConfigError(f"data.teachers: {unknown('corpus', name, sorted(names))}")
        model = ClaimStanceModel.from_pretrained(teacher.model)
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        _check(model, teacher, labels)
        held = [record for record in records if record.meta.get("corpus") in teacher.corpora
                and crc32((record.doc_id or record.id).encode()) < teacher.share * 2**32]
        log.info("%s reads %d sentences of %s", teacher.model, len(held), ", ".join(teacher.corpora))
        if teacher.entities or teacher.mentions:
            _ask(model, held, [_further(record, teacher, labels["stance"][0]) for record in held], progress)
        if "stance" in teacher.tasks:
            _ask(model, held, [[s for s in record.stances or () if s.label and not s.probabilities]
                               for record in held], progress)
        for record, said in _read(model, [r for r in held if _labelled(r, teacher.tasks)], teacher.tasks, progress):
            soft.setdefault(record.id, {}).update(said)
    return soft


def _check(model: ClaimStanceModel, teacher: Teacher, labels: Mapping[str, Sequence[str]]) -> None:
    wanted = {*teacher.tasks, *(("stance",) if teacher.entities or teacher.mentions else ())}
    if missing := sorted(wanted - {*model.config.tasks}):
        raise ConfigError(f"data.teachers: {teacher.model}: expected a model of {missing[0]}, found one of "
                          f"{', '.join(model.config.tasks)}")
    for task in sorted(wanted & {*model.config.labels}):
        theirs = model.config.labels[task]
        if tuple(theirs) != tuple(labels[task]):
            raise ConfigError(f"data.teachers: {teacher.model}: {task}: expected the labels {', '.join(labels[task])}, "
                              f"in this order, found {', '.join(theirs)}")


def _labelled(record: Record, tasks: Sequence[str]) -> list[str]:
    """Those of ``tasks``, but for stances, that a record has labels for."""
    has = {task: getattr(record, task) is not None for task in SENTENCE_TASKS}
    has["attribution"] = record.attributions is not None
    return [task for task in tasks if has.get(task)]


def _further(record: Record, teacher: Teacher, label: str) -> list[Stance]:
    """Questions about the stance of nobody named; the label only makes them count as questions."""
    stances = record.stances or ()
    spans = [entity.span for entity in record.entities or () if entity.label in teacher.entities]
    if teacher.mentions:
        spans += [span for stance in stances for span in (stance.holder, stance.target) if isinstance(span, list)]
    distinct = {tuple(span): span for span in spans}
    for stance in stances:
        if stance.holder is None and isinstance(stance.target, list):
            distinct.pop(tuple(stance.target), None)  # asked already
    return [Stance(target=span, label=label) for span in distinct.values()]


def _ask(
    model: ClaimStanceModel, records: Sequence[Record], asked: Sequence[list[Stance]],
    progress: Callable[[int], None] | None,
) -> None:
    """Put the teacher's probabilities for the stances ``asked`` of each record, read alone, into the records."""
    items = list(_alone(model, records, asked))
    known = {id(stance) for record in records for stance in record.stances or ()}
    for item, answer in _answers(model, items, progress):
        for (number, which), logits in zip(item.stances, answer.stances, strict=True):
            stance = asked[number][which]
            biases, temperature = model.config.scale(_kind(item, which))
            found = softmax(logits + biases, temperature)
            shares = {name: round(float(p), 4) for name, p in zip(model.config.labels["stance"], found, strict=True)}
            if id(stance) in known:
                stance.probabilities = shares
            else:
                soft = stance.model_copy(update={"label": None, "probabilities": shares})
                records[number].stances = [*(records[number].stances or []), soft]


def _kind(item: _Item, which: int) -> str:
    """The kind of question, as ``Query.kind`` tells it: a holder whom the sentence does not mention is nobody."""
    if item.window.topics:
        return "stance.topic"
    return "stance.mention" if item.window.examples[0].stances[which].holder is None else "stance.holder"


def _alone(
    model: ClaimStanceModel, records: Sequence[Record], asked: Sequence[Sequence[Stance]]
) -> Iterator[_Item]:
    """A window for each record's mentions, and one for each topic. Sentences longer than a window are left out."""
    windows, labels = model.windows, model.config.labels
    for number, (record, stances) in enumerate(zip(records, asked, strict=True)):
        if not stances:
            continue
        bare = Record(id=record.id, text=record.text, stances=list(stances))
        example = build_examples([bare], windows, labels, {}, soft_share=0.0)[0][0]
        if len(example) > windows.max_tokens - 2:
            continue
        mentions = [i for i, stance in enumerate(example.stances) if isinstance(stance.target, tuple)]
        if mentions:
            window = next(windows.windows([(0, example.tokens)]))
            yield _Item(LabelledWindow(window, [example]), [number], [(number, i) for i in mentions])
        for i, stance in enumerate(example.stances):
            if isinstance(stance.target, str) and len(topic := windows.tokenize([stance.target])[0]):
                window = windows.with_topic(0, example.tokens, topic)
                yield _Item(LabelledWindow(window, [example], [stance]), [number], [(number, i)])


def _read(
    model: ClaimStanceModel, records: Sequence[Record], tasks: Sequence[str], progress: Callable[[int], None] | None
) -> Iterator[tuple[Record, SoftLabels]]:
    """Each record with what the teacher says of it, for those of ``tasks`` that it is labelled with."""
    pieces: dict[int, list[tuple[int, int, _Item, _Answer]]] = {}
    for item, answer in _answers(model, list(_together(model.windows, records)), progress):
        for place, (number, piece) in enumerate(zip(item.records, item.window.window.pieces, strict=True)):
            pieces.setdefault(number, []).append((piece.skipped, place, item, answer))
    for number, record in enumerate(records):
        parts = sorted(pieces[number], key=lambda part: part[0])
        said: SoftLabels = {}
        for task in _labelled(record, tasks):
            if task == "attribution":
                said[task] = np.concatenate([_tags(*part[1:]) for part in parts])
                continue
            # A sentence in several pieces is judged by all of them, each by its length, as the reader does.
            lengths = [len(item.window.window.pieces[place]) for _, place, item, _ in parts]
            logits = np.average([answer.labels[task][place] for _, place, _, answer in parts], axis=0, weights=lengths)
            biases, temperature = model.config.scale(task)
            said[task] = softmax(logits + biases, temperature).astype(np.float32)
        yield record, said


def _tags(place: int, item: _Item, answer: _Answer) -> Floats:
    piece = item.window.window.pieces[place]
    return softmax(answer.tags[piece.start:piece.end]).astype(np.float32)


def _together(windows: WindowBuilder, records: Sequence[Record]) -> Iterator[_Item]:
    """Documents in windows of consecutive sentences; records without a place, alone."""
    for group in contexts(records):
        in_place = all(records[number].start is not None for number in group)
        for numbers in [group] if in_place else [[number] for number in group]:
            tokens = windows.tokenize([records[number].text for number in numbers])
            for window in windows.windows(enumerate(tokens)):
                found = [numbers[piece.sentence] for piece in window.pieces]
                examples = [Example("", tokens[piece.sentence]) for piece in window.pieces]
                yield _Item(LabelledWindow(window, examples), found)


def _answers(
    model: ClaimStanceModel, items: Sequence[_Item], progress: Callable[[int], None] | None
) -> Iterator[tuple[_Item, _Answer]]:
    """The items, windows of a length together, with the teacher's answers, in bfloat16 where that is faster."""
    device, pad = next(model.parameters()).device, model.windows.pad
    for batch in _batches(items):
        tensors = collate([item.window for item in batch], pad)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)):
            output = model(**{name: tensor.to(device) for name, tensor in tensors.items()})
        logits = {name: value.float().cpu().numpy() for name, value in output.items() if value.ndim}
        sentence = pair = 0
        for row, item in enumerate(batch):
            count, asked = len(item.window.examples), len(item.stances)
            yield item, _Answer(
                tags=logits["attribution"][row] if "attribution" in logits else np.zeros((0, 0)),
                labels={task: logits[task][sentence:sentence + count] for task in SENTENCE_TASKS if task in logits},
                stances=logits["stance"][pair:pair + asked] if "stance" in logits else np.zeros((0, 0)))
            sentence, pair = sentence + count, pair + asked
        if progress:
            progress(len(batch))


def _batches(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
    for item in sorted(items, key=lambda item: len(item.window)):
        if batch and len(item.window) * (len(batch) + 1) > _TOKENS:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
