"""Collation: the tensors of a batch of labelled windows, padded to one length."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from claimstance.model.labels import OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.network import IGNORE_INDEX, Batch
from claimstance.model.stance_queries import NO_SPAN
from claimstance.model.text.offsets import Offsets, overlap
from claimstance.model.windows import Window
from claimstance.training.fine_tuning.epoch_sampler import LabelledWindow
from claimstance.training.fine_tuning.training_example import StanceExample

_TAGS = bio(ROLES)
_TOKEN_TASKS = ("attribution", "entity", *OPINION_HEADS)
_SpanRow = tuple[int, int, int]  # (window, start, end) in tokens


class _Pair(NamedTuple):
    """Represent a holder–target pair of a batch: its spans, and the stance to learn."""

    holder: _SpanRow
    target: _SpanRow
    sentence: _SpanRow
    stance: StanceExample


class _WindowSpan(NamedTuple):
    """Represent a source, cue or content of an attribution in a window; it may cover several sentences."""

    role: str
    event: str
    span: _SpanRow


class _Link(NamedTuple):
    """Represent a cue beside a source or content; the labels are 1, 0 or ``IGNORE_INDEX``."""

    cue: _SpanRow
    span: _SpanRow
    is_source: int
    is_content: int


def collate(batch: Sequence[LabelledWindow], pad: int) -> dict[str, Tensor]:
    """Return the tensors of ``claimstance.model.network.Batch`` for B windows padded to T tokens."""
    length = max(map(len, batch))
    input_ids, attention_mask, segments = pad_windows([labelled.window for labelled in batch], pad)
    return Batch(
        input_ids=input_ids,
        attention_mask=attention_mask,
        segments=segments,
        **_sentence_tensors(batch),
        **_tag_tensors(batch, length),
        **_pair_tensors(batch),
        **_link_tensors(batch),
        **_soft_labels(batch, length),
    ).as_dict()


def _sentence_tensors(batch: Sequence[LabelledWindow]) -> dict[str, Tensor]:
    """Return the spans (S, 3) of all sentences, and their labels and weights (S,) for each sentence task."""
    sentences: list[_SpanRow] = []
    labels: dict[str, list[int]] = {task: [] for task in SENTENCE_TASKS}
    weights: dict[str, list[float]] = {task: [] for task in SENTENCE_TASKS}
    for row, labelled in enumerate(batch):
        for piece, example in zip(labelled.window.pieces, labelled.examples, strict=True):
            sentences.append((row, piece.start, piece.end))
            for task in SENTENCE_TASKS:
                label = example.labels.get(task, IGNORE_INDEX)
                # A topic window is a second look at a sentence whose labels count in the first.
                if labelled.topic_stances:
                    label = IGNORE_INDEX
                labels[task].append(label)
                weights[task].append(example.weights.get(task, 1.0))

    tensors = {"sentences": _span_tensor(sentences)}
    for task in SENTENCE_TASKS:
        tensors[task] = torch.tensor(labels[task], dtype=torch.long)
        tensors[f"{task}_weight"] = torch.tensor(weights[task], dtype=torch.float)
    return tensors


def _tag_tensors(batch: Sequence[LabelledWindow], length: int) -> dict[str, Tensor]:
    """Return the tags (B, T) for each token task.

    They are ``IGNORE_INDEX`` for padding, special tokens, unlabelled sentences and topic windows.
    """
    tags = {task: torch.full((len(batch), length), IGNORE_INDEX) for task in _TOKEN_TASKS}
    for row, labelled in enumerate(batch):
        if labelled.topic_stances:
            continue
        for task, window_tags in _token_tags(labelled).items():
            tags[task][row, : len(labelled)] = torch.tensor(window_tags)
    return tags


def _pair_tensors(batch: Sequence[LabelledWindow]) -> dict[str, Tensor]:
    """Return the spans (P, 3) of holders, targets and their sentences, and the stances (P, C) with weights (P,)."""
    pairs: list[_Pair] = []
    for row, labelled in enumerate(batch):
        if labelled.topic_stances:
            pairs += _topic_pairs(row, labelled)
        else:
            pairs += _mention_pairs(row, labelled)
    probabilities = [pair.stance.probabilities for pair in pairs]
    weights = [pair.stance.weight for pair in pairs]
    return {
        "holders": _span_tensor([pair.holder for pair in pairs]),
        "targets": _span_tensor([pair.target for pair in pairs]),
        "pair_sentences": _span_tensor([pair.sentence for pair in pairs]),
        "stance": torch.tensor(probabilities, dtype=torch.float),
        "stance_weight": torch.tensor(weights, dtype=torch.float),
    }


def _link_tensors(batch: Sequence[LabelledWindow]) -> dict[str, Tensor]:
    """Return the spans (L, 3) of cues, and of what may be linked to them, with labels (L, 2)."""
    links: list[_Link] = []
    for row, labelled in enumerate(batch):
        if not labelled.topic_stances:
            links += _links(row, labelled)
    labels = [(link.is_source, link.is_content) for link in links]
    return {
        "cues": _span_tensor([link.cue for link in links]),
        "linked": _span_tensor([link.span for link in links]),
        # The shape is explicit for batches without any link.
        "link": torch.tensor(labels, dtype=torch.long).reshape(-1, 2),
    }


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
    sentence = 0
    for row, labelled in enumerate(batch):
        for piece, example in zip(labelled.window.pieces, labelled.examples, strict=True):
            # Of the sentence of a topic window, only the stances toward the topic count.
            soft_labels = {} if labelled.topic_stances else example.soft
            for task, probabilities in soft_labels.items():
                values = torch.from_numpy(probabilities)
                is_token_task = values.ndim == 2
                name = f"{task}_soft"
                if name not in soft:
                    items = (len(batch), length) if is_token_task else (sentence_count,)
                    soft[name] = torch.zeros(*items, values.shape[-1])
                if is_token_task:
                    end = piece.skipped + len(piece)
                    soft[name][row, piece.start : piece.end] = values[piece.skipped : end]
                else:
                    soft[name][sentence] = values
            sentence += 1
    return soft


def _token_tags(labelled: LabelledWindow) -> dict[str, list[int]]:
    """Return the tags of a window's T tokens by task; ``IGNORE_INDEX`` where there is no label."""
    window_tags = {task: [IGNORE_INDEX] * len(labelled) for task in _TOKEN_TASKS}
    pieces = labelled.window.pieces
    for index, (piece, example) in enumerate(zip(pieces, labelled.examples, strict=True)):
        end = piece.skipped + len(piece)
        if example.entities is not None:
            window_tags["entity"][piece.start : piece.end] = example.entities[piece.skipped : end]
        for name, opinion_tags in example.opinions.items():
            window_tags[name][piece.start : piece.end] = opinion_tags[piece.skipped : end]
        if example.role_spans is None:
            continue
        tags = [0] * len(example)
        for role_span in example.role_spans:
            first = _TAGS.index(f"B-{role_span.role}")
            inside = _TAGS.index(f"I-{role_span.role}")
            tags[role_span.start : role_span.end] = [inside] * (role_span.end - role_span.start)
            # A content continues only from a sentence that this window shows.
            if not (role_span.continues and _follows_its_predecessor(labelled, index)):
                tags[role_span.start] = first
        window_tags["attribution"][piece.start : piece.end] = tags[piece.skipped : end]
    return window_tags


def _follows_its_predecessor(labelled: LabelledWindow, index: int) -> bool:
    """Return whether the piece before this one is the sentence before it in the document."""
    if index == 0:
        return False
    pieces = labelled.window.pieces
    return pieces[index - 1].sentence + 1 == pieces[index].sentence


def _window_span(
    row: int, labelled: LabelledWindow, index: int, span: tuple[int, int] | None
) -> _SpanRow | None:
    """Return a sentence's tokens as tokens of its window, or ``None`` if the piece does not hold them."""
    if span is None:
        return None
    piece = labelled.window.pieces[index]
    shift = piece.start - piece.skipped
    start, end = span[0] + shift, span[1] + shift
    if piece.start <= start < end <= piece.end:
        return row, start, end
    return None


def _topic_pairs(row: int, labelled: LabelledWindow) -> Iterator[_Pair]:
    """Yield the pairs on the topic of a window, which shows one sentence."""
    [piece] = labelled.window.pieces
    sentence = (row, piece.start, piece.end)
    topic = labelled.window.topic or NO_SPAN
    for stance in labelled.topic_stances:
        holder = None
        # A topic is read beside its sentence alone, without the one that names an earlier speaker.
        if not stance.sentences_back:
            holder = _window_span(row, labelled, 0, stance.holder)
        yield _Pair(holder or (row, *NO_SPAN), (row, *topic), sentence, stance)


def _mention_pairs(row: int, labelled: LabelledWindow) -> Iterator[_Pair]:
    """Yield the pairs whose targets a window shows."""
    pieces = labelled.window.pieces
    for index, example in enumerate(labelled.examples):
        piece = pieces[index]
        sentence = (row, piece.start, piece.end)
        for stance in example.stances:
            if not isinstance(stance.target, tuple):
                continue
            target = _window_span(row, labelled, index, stance.target)
            if target is None:
                continue
            holder = None
            holder_sentence = piece.sentence - stance.sentences_back
            for position in range(index, -1, -1):
                if pieces[position].sentence == holder_sentence:
                    holder = _window_span(row, labelled, position, stance.holder)
                    break
            yield _Pair(holder or (row, *NO_SPAN), target, sentence, stance)


def _links(row: int, labelled: LabelledWindow) -> Iterator[_Link]:
    """Yield a link for every cue with every source and content of the window."""
    spans = _role_spans(row, labelled)
    contents = _contents_by_event(row, labelled)
    for cue in spans:
        if cue.role != "cue":
            continue
        for other in spans:
            if other.role == "source":
                is_source = other.event == cue.event
                yield _Link(cue.span, other.span, int(is_source), IGNORE_INDEX)
            elif other.role == "content":
                # The flat content of an inner attribution belongs to the outer one, too.
                own_contents = contents[cue.event]
                is_content = any(overlap(other.span[1:], content) for content in own_contents)
                yield _Link(cue.span, other.span, IGNORE_INDEX, int(is_content))


def _role_spans(row: int, labelled: LabelledWindow) -> list[_WindowSpan]:
    """Return the sources, cues and contents of a window; the sentences of one content are joined."""
    spans: list[_WindowSpan] = []
    for index, example in enumerate(labelled.examples):
        for role_span in example.role_spans or ():
            span = _window_span(row, labelled, index, (role_span.start, role_span.end))
            if span is None:
                continue
            last = spans[-1] if spans else None
            continues = role_span.continues and _follows_its_predecessor(labelled, index)
            if continues and last and (last.role, last.event) == (role_span.role, role_span.event):
                _, start, _ = last.span
                _, _, end = span
                spans[-1] = _WindowSpan(role_span.role, role_span.event, (row, start, end))
            else:
                spans.append(_WindowSpan(role_span.role, role_span.event, span))
    return spans


def _contents_by_event(row: int, labelled: LabelledWindow) -> dict[str, list[Offsets]]:
    """Return event → the tokens of its whole content, which the flat tags divide between attributions."""
    contents: dict[str, list[Offsets]] = defaultdict(list)
    for index, example in enumerate(labelled.examples):
        for event, content_spans in example.contents.items():
            for content_span in content_spans:
                span = _window_span(row, labelled, index, content_span)
                if span is not None:
                    contents[event].append(span[1:])
    return contents
