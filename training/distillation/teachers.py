"""Distillation: what a larger model thinks, as soft labels of train sentences (Hinton, Vinyals, Dean 2015)."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from claimstance.model.decoding import Floats, softmax
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import model_folder
from claimstance.model.prediction import contexts
from claimstance.model.record import Record, Span, Stance
from claimstance.model.windows import WindowBuilder
from claimstance.training.data.config import Teacher
from claimstance.training.data.folds import fold_of
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.answers import document_of
from claimstance.training.fine_tuning.batches import LabelledWindow, collate
from claimstance.training.fine_tuning.examples import Example, build_examples
from claimstance.training.fine_tuning.mixed_precision import has_bfloat16

log = logging.getLogger(__name__)
_TOKENS = 4096  # of a batch
_Place = tuple[int, int]  # a record, and the number of a stance asked of it
_Key = TypeVar("_Key")
_Number = TypeVar("_Number", bound=np.floating[Any])


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
    """Return the teachers' soft labels by record id; those of stances are put into the records themselves.

    Sentences of a document are read in their windows, all others alone. Of a stance on which annotators divide, or an
    earlier teacher has spoken, the shares that stand there and what is said count half each. ``progress`` is
    called with the number of windows read since it was called last.

    Raises:
        ConfigError: if no record is of a corpus named, or a teacher lacks a task or has other labels than ``labels``.
        ModelError: if it is no model folder with weights.
    """
    soft: dict[str, SoftLabels] = {}
    names = {str(record.meta.get("corpus")) for record in records}
    topics = sorted(
        {s.target for record in records for s in record.stances or () if isinstance(s.target, str)}
    )
    for teacher in teachers:
        for name in teacher.corpora:
            if name not in names:
                raise ConfigError(f"data.teachers: {unknown('corpus', name, sorted(names))}")
        held = [
            record
            for record in records
            if record.meta.get("corpus") in teacher.corpora
            and crc32(document_of(record).encode()) < teacher.share * 2**32
        ]
        for folders, some in _turns(teacher, held):
            asked = [_questions(record, teacher, topics, labels["stance"][0]) for record in some]
            stances: list[dict[_Place, Floats]] = []
            rows: list[list[SoftLabels]] = []
            for model in _models(teacher, folders, labels):
                log.info(
                    "%s reads %d sentences of %s",
                    model.config.name,
                    len(some),
                    ", ".join(teacher.corpora),
                )
                stances.append(_ask(model, some, asked, progress))
                rows.append(_read(model, some, teacher.tasks, progress))
            _keep(some, asked, _mean(stances), labels["stance"])
            for record, said in zip(some, zip(*rows, strict=True), strict=True):
                soft.setdefault(record.id, {}).update(_mean(said))
    return {name: said for name, said in soft.items() if said}


def _turns(
    teacher: Teacher, records: Sequence[Record]
) -> Iterator[tuple[Sequence[Path], Sequence[Record]]]:
    """Which of a teacher's models are asked about which records: all about all, or each about the fold it never saw."""
    if not teacher.cross_fitted:
        yield teacher.model, records
        return
    folds = len(teacher.model)
    for fold, folder in enumerate(teacher.model):
        yield [folder], [record for record in records if fold_of(record, folds) == fold]


def _models(
    teacher: Teacher, folders: Sequence[Path], labels: Mapping[str, Sequence[str]]
) -> Iterator[ClaimStanceModel]:
    """The models in ``folders``, one after another, each checked before it is asked."""
    tokenizer = None
    for folder in folders:
        model = ClaimStanceModel.from_pretrained(model_folder(folder))
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        _check(model, folder, teacher, labels)
        if tokenizer not in (None, model.tokenizer_json):
            raise ConfigError(
                f"data.teachers: {folder}: expected the tokenizer of {folders[0]}, found another"
            )
        tokenizer = model.tokenizer_json
        yield model


def _check(
    model: ClaimStanceModel, folder: Path, teacher: Teacher, labels: Mapping[str, Sequence[str]]
) -> None:
    asks = teacher.entities or teacher.mentions or teacher.topics
    wanted = {*teacher.tasks, *(("stance",) if asks else ())}
    if missing := sorted(wanted - {*model.config.tasks}):
        raise ConfigError(
            f"data.teachers: {folder}: expected a model of {missing[0]}, found one of "
            f"{', '.join(model.config.tasks)}"
        )
    for task in sorted(wanted & {*model.config.labels}):
        theirs = model.config.labels[task]
        if tuple(theirs) != tuple(labels[task]):
            raise ConfigError(
                f"data.teachers: {folder}: {task}: expected the labels {', '.join(labels[task])}, "
                f"in this order, found {', '.join(theirs)}"
            )


def _mean(said: Sequence[Mapping[_Key, NDArray[_Number]]]) -> dict[_Key, NDArray[_Number]]:
    """The mean of what several teachers say of the same things."""
    return {
        key: np.mean([each[key] for each in said], axis=0, dtype=value.dtype)
        for key, value in said[0].items()
    }


def _questions(record: Record, teacher: Teacher, topics: Sequence[str], label: str) -> list[Stance]:
    """The stances to be asked about: those that the record has, and more; ``label`` only makes these count as some."""
    stances = record.stances or ()
    asked = [stance for stance in stances if stance.label] if "stance" in teacher.tasks else []
    spans = [entity.span for entity in record.entities or () if entity.label in teacher.entities]
    if teacher.mentions:
        spans += [
            span
            for stance in stances
            for span in (stance.holder, stance.target)
            if isinstance(span, list)
        ]
    holders = _sources(record) if teacher.by_sources else [None]
    already = [(stance.holder, stance.target) for stance in stances]
    drawn = random.Random(record.id).sample(topics, min(teacher.topics, len(topics)))
    drawn = [topic for topic in drawn if topic not in [stance.target for stance in stances]]
    targets: list[Span | str] = [*_distinct(spans), *drawn]
    return [
        *asked,
        *(
            Stance(holder=holder, target=target, label=label)
            for target in targets
            for holder in holders
            if (holder, target) not in already and not _overlap(holder, target)
        ),
    ]


def _sources(record: Record) -> list[Span]:
    """The sources of a sentence's attributions."""
    return _distinct(
        [attribution.source for attribution in record.attributions or () if attribution.source]
    )


def _distinct(spans: Sequence[Span]) -> list[Span]:
    return list({tuple(span): span for span in spans}.values())


def _overlap(holder: Span | None, target: Span | str) -> bool:
    """Return true if the two share a character: no holder is asked about itself."""
    return isinstance(target, list) and any(
        start < end and left < right for left, end in target for start, right in holder or ()
    )


def _ask(
    model: ClaimStanceModel,
    records: Sequence[Record],
    asked: Sequence[Sequence[Stance]],
    progress: Callable[[int], None] | None,
) -> dict[_Place, Floats]:
    """The probabilities of the stances ``asked`` of each record, which is read alone."""
    said: dict[_Place, Floats] = {}
    for item, answer in _answers(model, list(_alone(model, records, asked)), progress):
        for place, logits in zip(item.stances, answer.stances, strict=True):
            biases, temperature = model.config.logit_adjustment(_kind(item, place[1]))
            said[place] = softmax(logits + biases, temperature)
    return said


def _keep(
    records: Sequence[Record],
    asked: Sequence[Sequence[Stance]],
    said: Mapping[_Place, Floats],
    labels: Sequence[str],
) -> None:
    """Put what was said of the stances ``asked`` into the records."""
    known = {id(stance) for record in records for stance in record.stances or ()}
    for (number, which), found in said.items():
        stance = asked[number][which]
        if stance.probabilities:
            found = (found + [stance.probabilities.get(name, 0.0) for name in labels]) / 2
        shares = {name: round(float(p), 4) for name, p in zip(labels, found, strict=True)}
        if id(stance) in known:
            stance.probabilities = shares
        else:
            soft = stance.model_copy(update={"label": None, "probabilities": shares})
            records[number].stances = [*(records[number].stances or []), soft]


def _kind(item: _Item, which: int) -> str:
    """The kind of question, as ``Query.kind`` tells it: a holder whom the sentence does not mention is nobody."""
    if item.window.topics:
        return "stance.topic"
    return (
        "stance.mention"
        if item.window.examples[0].stances[which].holder is None
        else "stance.holder"
    )


def _alone(
    model: ClaimStanceModel, records: Sequence[Record], asked: Sequence[Sequence[Stance]]
) -> Iterator[_Item]:
    """A window for each record's mentions, and one for each topic. Sentences longer than a window are left out."""
    windows, labels = model.windows, model.config.labels
    for number, (record, stances) in enumerate(zip(records, asked, strict=True)):
        if not stances:
            continue
        bare = Record(id=record.id, text=record.text, stances=list(stances))
        example = build_examples(
            [bare], windows, labels, {}, soft_share=0.0, skip_absent_holders=False
        )[0][0]
        if len(example) > windows.max_tokens - 2:
            continue
        mentions = [
            i for i, stance in enumerate(example.stances) if isinstance(stance.target, tuple)
        ]
        if mentions:
            window = next(windows.windows([(0, example.tokens)]))
            yield _Item(
                LabelledWindow(window, [example]), [number], [(number, i) for i in mentions]
            )
        for i, stance in enumerate(example.stances):
            if isinstance(stance.target, str) and len(
                topic := windows.tokenize([stance.target])[0]
            ):
                window = windows.with_topic(0, example.tokens, topic)
                yield _Item(LabelledWindow(window, [example], [stance]), [number], [(number, i)])


def _read(
    model: ClaimStanceModel,
    records: Sequence[Record],
    tasks: Sequence[str],
    progress: Callable[[int], None] | None,
) -> list[SoftLabels]:
    """Return the teacher's soft labels of each record, for those of ``tasks`` that are not stances."""
    tasks = [task for task in tasks if task != "stance"]
    if not tasks:
        return [{} for _ in records]
    pieces: dict[int, list[tuple[int, int, _Item, _Answer]]] = {}
    for item, answer in _answers(model, list(_together(model.windows, records)), progress):
        for place, (number, piece) in enumerate(
            zip(item.records, item.window.window.pieces, strict=True)
        ):
            pieces.setdefault(number, []).append((piece.skipped, place, item, answer))
    return [
        _said(model, sorted(pieces[number], key=lambda part: part[0]), tasks)
        for number in range(len(records))
    ]


def _said(
    model: ClaimStanceModel, parts: Sequence[tuple[int, int, _Item, _Answer]], tasks: Sequence[str]
) -> SoftLabels:
    """Return the teacher's soft labels of a sentence, from its pieces in order."""
    said: SoftLabels = {}
    for task in tasks:
        if task == "attribution":
            said[task] = np.concatenate([_tags(*part[1:]) for part in parts])
            continue
        # A sentence in several pieces is judged by all of them, each by its length, as the reader does.
        lengths = [len(item.window.window.pieces[place]) for _, place, item, _ in parts]
        logits = np.average(
            [answer.labels[task][place] for _, place, _, answer in parts], axis=0, weights=lengths
        )
        biases, temperature = model.config.logit_adjustment(task)
        said[task] = softmax(logits + biases, temperature).astype(np.float32)
    return said


def _tags(place: int, item: _Item, answer: _Answer) -> Floats:
    piece = item.window.window.pieces[place]
    return softmax(answer.tags[piece.start : piece.end]).astype(np.float32)


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
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device)),
        ):
            output = model(**{name: tensor.to(device) for name, tensor in tensors.items()})
        logits = {name: value.float().cpu().numpy() for name, value in output.items() if value.ndim}
        sentence = pair = 0
        for row, item in enumerate(batch):
            count, asked = len(item.window.examples), len(item.stances)
            yield (
                item,
                _Answer(
                    tags=logits["attribution"][row]
                    if "attribution" in logits
                    else np.zeros((0, 0)),
                    labels={
                        task: logits[task][sentence : sentence + count]
                        for task in SENTENCE_TASKS
                        if task in logits
                    },
                    stances=logits["stance"][pair : pair + asked]
                    if "stance" in logits
                    else np.zeros((0, 0)),
                ),
            )
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
