"""Collation: the tensors of a batch of labelled windows, padded to one length."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from claimstance.model.labels import OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.network import IGNORE, Batch
from claimstance.model.predictor import NO_SPAN
from claimstance.model.windows import Window
from claimstance.training.fine_tuning.epoch_sampler import LabelledWindow
from claimstance.training.fine_tuning.examples import StanceExample

_TAGS = bio(ROLES)
_SpanRow = tuple[int, int, int]  # (window, start, end) in tokens


@dataclass
class _Pairs:
    """Collect holder–target pairs: P rows of spans, label shares and weights."""

    holders: list[_SpanRow] = field(default_factory=list)
    targets: list[_SpanRow] = field(default_factory=list)
    sentences: list[_SpanRow] = field(default_factory=list)
    shares: list[tuple[float, ...]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(
        self, holder: _SpanRow, target: _SpanRow, sentence: _SpanRow, stance: StanceExample
    ) -> None:
        self.holders.append(holder)
        self.targets.append(target)
        self.sentences.append(sentence)
        self.shares.append(stance.shares)
        self.weights.append(stance.weight)


def collate(batch: Sequence[LabelledWindow], pad: int) -> dict[str, Tensor]:
    """Return the tensors of ``claimstance.model.network.Batch`` for B windows padded to T tokens."""
    length = max(map(len, batch))
    sentences: list[_SpanRow] = []
    labels: dict[str, list[int]] = {task: [] for task in SENTENCE_TASKS}
    weights: dict[str, list[float]] = {task: [] for task in SENTENCE_TASKS}
    # (B, T) each, filled with IGNORE for padding, special tokens and unlabelled sentences
    token_tasks = ("attribution", "entity", *OPINION_HEADS)
    tags = {task: torch.full((len(batch), length), IGNORE) for task in token_tasks}
    pairs = _Pairs()
    links: list[tuple[_SpanRow, _SpanRow, tuple[int, int]]] = []
    for row, labelled in enumerate(batch):
        window = labelled.window
        for piece, example in zip(window.pieces, labelled.examples, strict=True):
            sentences.append((row, piece.start, piece.end))
            for task in SENTENCE_TASKS:
                label = example.labels.get(task, IGNORE)
                # A topic window is a second look at a sentence whose labels count in the first.
                labels[task].append(IGNORE if labelled.topics else label)
                weights[task].append(example.weights.get(task, 1.0))
        _add_pairs(pairs, row, labelled)
        if labelled.topics:
            continue
        for task, values in _token_tags(labelled).items():
            tags[task][row, : len(window)] = torch.tensor(values)
        links += _links(row, labelled)

    input_ids, attention_mask, segments = pad_windows([labelled.window for labelled in batch], pad)
    tensors: dict[str, Tensor] = {}
    for task in SENTENCE_TASKS:
        tensors[task] = torch.tensor(labels[task], dtype=torch.long)  # (S,)
        tensors[f"{task}_weight"] = torch.tensor(weights[task], dtype=torch.float)  # (S,)
    return Batch(
        input_ids=input_ids,
        attention_mask=attention_mask,
        segments=segments,
        sentences=_span_tensor(sentences),
        holders=_span_tensor(pairs.holders),
        targets=_span_tensor(pairs.targets),
        pair_sentences=_span_tensor(pairs.sentences),
        cues=_span_tensor([cue for cue, _, _ in links]),
        linked=_span_tensor([span for _, span, _ in links]),
        **tags,
        stance=torch.tensor(pairs.shares, dtype=torch.float),  # (P, C)
        stance_weight=torch.tensor(pairs.weights, dtype=torch.float),  # (P,)
        # The shape is given for batches without any link, too.
        link=torch.tensor([label for _, _, label in links], dtype=torch.long).reshape(-1, 2),
        **tensors,
        **_soft_labels(batch, length),
    ).as_dict()


def pad_windows(windows: Sequence[Window], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the input ids, the attention mask and the segments of B windows, padded to T tokens: (B, T) each."""
    length = max(map(len, windows))
    input_ids, attention_mask, segments = [], [], []
    for window in windows:
        padding = length - len(window)
        input_ids.append(window.ids + [pad] * padding)
        attention_mask.append([1] * len(window) + [0] * padding)
        segments.append(window.segments + [0] * padding)
    return torch.tensor(input_ids), torch.tensor(attention_mask), torch.tensor(segments)


def _span_tensor(rows: Sequence[_SpanRow]) -> Tensor:
    return torch.tensor(rows, dtype=torch.long).reshape(-1, 3)


def _soft_labels(batch: Sequence[LabelledWindow], length: int) -> dict[str, Tensor]:
    """Return teachers' probabilities: (S, C) for sentence tasks, (B, T, C) for tokens; zeros without one."""
    soft: dict[str, Tensor] = {}
    sentence_count = sum(len(labelled.examples) for labelled in batch)
    sentence = -1
    for row, labelled in enumerate(batch):
        for piece, example in zip(labelled.window.pieces, labelled.examples, strict=True):
            sentence += 1
            if labelled.topics:
                continue
            for task, probabilities in example.soft.items():
                values = torch.from_numpy(probabilities)
                if values.ndim == 1:
                    shape: tuple[int, ...] = (sentence_count, len(values))
                    soft.setdefault(f"{task}_soft", torch.zeros(shape))[sentence] = values
                else:
                    shape = (len(batch), length, values.shape[1])
                    target = soft.setdefault(f"{task}_soft", torch.zeros(shape))
                    end = piece.skipped + len(piece)
                    target[row, piece.start : piece.end] = values[piece.skipped : end]
    return soft


def _token_tags(labelled: LabelledWindow) -> dict[str, list[int]]:
    """Return the tags of a window's T tokens by task; ``IGNORE`` where there is no label."""
    token_tasks = ("attribution", "entity", *OPINION_HEADS)
    window_tags = {task: [IGNORE] * len(labelled) for task in token_tasks}
    pieces = labelled.window.pieces
    for number, (piece, example) in enumerate(zip(pieces, labelled.examples, strict=True)):
        end = piece.skipped + len(piece)
        if example.entities is not None:
            window_tags["entity"][piece.start : piece.end] = example.entities[piece.skipped : end]
        for name, opinion_tags in example.opinions.items():
            window_tags[name][piece.start : piece.end] = opinion_tags[piece.skipped : end]
        if example.runs is None:
            continue
        tags = [0] * len(example)
        for run in example.runs:
            first, inside = _TAGS.index(f"B-{run.role}"), _TAGS.index(f"I-{run.role}")
            tags[run.start : run.end] = [inside] * (run.end - run.start)
            # A content continues only from a sentence that this window shows.
            if not (run.goes_on and _follows_its_predecessor(labelled, number)):
                tags[run.start] = first
        window_tags["attribution"][piece.start : piece.end] = tags[piece.skipped : end]
    return window_tags


def _follows_its_predecessor(labelled: LabelledWindow, number: int) -> bool:
    """Return whether the piece before this one is the sentence before it in the document."""
    if number == 0:
        return False
    pieces = labelled.window.pieces
    return pieces[number - 1].sentence + 1 == pieces[number].sentence


def _window_span(
    row: int, labelled: LabelledWindow, number: int, span: tuple[int, int] | None
) -> _SpanRow | None:
    """Return a sentence's tokens as tokens of its window, or ``None`` if the piece does not hold them."""
    if span is None:
        return None
    piece = labelled.window.pieces[number]
    start, end = (piece.start + position - piece.skipped for position in span)
    return (row, start, end) if piece.start <= start < end <= piece.end else None


def _add_pairs(pairs: _Pairs, row: int, labelled: LabelledWindow) -> None:
    """Add the pairs of a window: those on its topic if it has one, else those with mentions as targets."""
    pieces = labelled.window.pieces
    if labelled.topics:
        topic = labelled.window.topic or NO_SPAN
        sentence = (row, pieces[0].start, pieces[0].end)
        for stance in labelled.topics:
            holder = None
            # A topic is read beside its sentence alone, without the one that names an earlier speaker.
            if not stance.sentences_back:
                holder = _window_span(row, labelled, 0, stance.holder)
            pairs.add(holder or (row, *NO_SPAN), (row, *topic), sentence, stance)
        return

    for number, example in enumerate(labelled.examples):
        sentence = (row, pieces[number].start, pieces[number].end)
        for stance in example.stances:
            if not isinstance(stance.target, tuple):
                continue
            target = _window_span(row, labelled, number, stance.target)
            if target is None:
                continue
            holder = None
            holder_sentence = pieces[number].sentence - stance.sentences_back
            for position in range(number, -1, -1):
                if pieces[position].sentence == holder_sentence:
                    holder = _window_span(row, labelled, position, stance.holder)
                    break
            pairs.add(holder or (row, *NO_SPAN), target, sentence, stance)


def _links(
    row: int, labelled: LabelledWindow
) -> Iterator[tuple[_SpanRow, _SpanRow, tuple[int, int]]]:
    """Yield (cue, span, labels) for every cue with every source and content of the window."""
    runs, contents = _window_runs(row, labelled)
    for cue_role, cue_event, cue in runs:
        if cue_role != "cue":
            continue
        for role, event, span in runs:
            if role == "source":
                yield cue, span, (int(event == cue_event), IGNORE)
            elif role == "content":
                # The flat content of an inner attribution belongs to the outer one, too.
                is_content = any(
                    start < span[2] and span[1] < end for start, end in contents.get(cue_event, ())
                )
                yield cue, span, (IGNORE, int(is_content))


def _window_runs(
    row: int, labelled: LabelledWindow
) -> tuple[list[tuple[str, str, _SpanRow]], dict[str, list[tuple[int, int]]]]:
    """Return the window's runs as (role, event, span), and event → the whole content.

    A run over several sentences becomes one.
    """
    runs: list[tuple[str, str, _SpanRow]] = []
    contents: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, example in enumerate(labelled.examples):
        for run in example.runs or ():
            span = _window_span(row, labelled, number, (run.start, run.end))
            if span is None:
                continue
            continues = (
                run.goes_on
                and bool(runs)
                and runs[-1][:2] == (run.role, run.event)
                and _follows_its_predecessor(labelled, number)
            )
            if continues:
                runs[-1] = (run.role, run.event, (row, runs[-1][2][1], span[2]))
            else:
                runs.append((run.role, run.event, span))
        for event, spans in example.contents.items():
            for content in spans:
                span = _window_span(row, labelled, number, content)
                if span is not None:
                    contents[event].append(span[1:])
    return runs, contents
