"""From examples to batches of padded windows: which sentences are seen together, in which order.

The whole course of a training run is laid out beforehand from its seed, so that it can be resumed at any step.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from claimstance.model.labels import ROLES, SENTENCE_TASKS, bio
from claimstance.model.network import IGNORE, Batch
from claimstance.model.predictor import NOBODY
from claimstance.model.windows import Window, WindowBuilder
from claimstance.training.fine_tuning.augmentation import WAYS, Augmenter
from claimstance.training.fine_tuning.examples import Example, StanceExample

_TAGS = bio(ROLES)
_Row = tuple[int, int, int]  # a span of a batch: (window, start, end)
_Pair = tuple[
    _Row, _Row, _Row, tuple[float, ...], float
]  # holder, target, sentence, shares of labels, weight
_CHUNK = (
    40  # batches within which windows are sorted by length: less padding, order still nearly random
)


@dataclass
class LabelledWindow:
    """A window with its examples, one for each of its pieces, and the stances asked of it."""

    window: Window
    examples: list[Example]
    topics: list[StanceExample] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.window)


@dataclass(frozen=True)
class Mixture:
    """How sentences are shown.

    Attributes:
        tokens_per_batch: padded tokens of a batch, at most.
        neighbours: share of sentences of single-sentence corpora that are shown beside others of their corpus, since
            heads trained on lone sentences will read whole windows.
        alone: share of documents' sentences shown without their context, since users' sentences may come alone.
        topics: share of stances toward a mention that are also asked with the mention as a topic.
        made: way to make examples of others (one of ``WAYS``) → corpus → share of its single sentences that suit it,
            of each of which one is made, with another sentence of the corpus where it takes one.
        sampling: corpus → share of its sentences themselves that are seen in an epoch (1 where absent).
        seed: of everything random here.
    """

    tokens_per_batch: int = 2048
    neighbours: float = 0.5
    alone: float = 0.1
    topics: float = 0.1
    made: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sampling: Mapping[str, float] = field(default_factory=dict)
    seed: int = 13


class Planner:
    """Lays out the windows of each epoch."""

    def __init__(
        self,
        documents: Sequence[Sequence[Example]],
        windows: WindowBuilder,
        mixture: Mixture,
        augmenter: Augmenter | None = None,
    ) -> None:
        self._documents = [list(d) for d in documents if len(d) > 1]
        self._singles: dict[str, list[Example]] = defaultdict(list)
        for document in documents:
            if len(document) == 1:
                self._singles[document[0].corpus].append(document[0])
        self._windows = windows
        self._mixture = mixture
        self._augmenter = augmenter

    def epoch(self, number: int) -> list[list[LabelledWindow]]:
        """The batches of an epoch, the same whenever it is asked for."""
        rng = random.Random(f"{self._mixture.seed}/{number}")
        found = [*self._of_documents(rng), *self._of_singles(rng), *self._of_made(rng)]
        topics = list(self._of_topics([e for w in found for e in w.examples], rng))
        # A sentence that is only asked about topics is read beside each of them, and teaches nothing on its own.
        found = [
            window for window in found if any(example.teaches_alone for example in window.examples)
        ]
        return self._batches([*found, *topics], rng)

    def _of_documents(self, rng: random.Random) -> Iterator[LabelledWindow]:
        longest = self._windows.max_tokens
        for document in self._documents:
            if rng.random() >= self._mixture.sampling.get(document[0].corpus, 1.0):
                continue
            alone = {i for i in range(len(document)) if rng.random() < self._mixture.alone}
            together = [(i, e) for i, e in enumerate(document) if i not in alone]
            for index in sorted(alone):
                yield from self._fill([(index, document[index])], longest)
            yield from self._fill(together, rng.randint(longest // 4, longest))

    def _of_singles(self, rng: random.Random) -> Iterator[LabelledWindow]:
        for corpus, examples in sorted(self._singles.items()):
            order = rng.sample(examples, len(examples))
            order = order[: round(len(order) * self._mixture.sampling.get(corpus, 1.0))]
            split = round(len(order) * (1 - self._mixture.neighbours))
            for example in order[:split]:
                yield from self._fill([(0, example)], self._windows.max_tokens)
            rest = order[split:]
            while rest:
                count = rng.choice((2, 3, 5, 8))
                yield from self._fill(list(enumerate(rest[:count])), self._windows.max_tokens)
                rest = rest[count:]

    def _of_made(self, rng: random.Random) -> Iterator[LabelledWindow]:
        if not (make := self._augmenter):
            return
        for corpus, examples in sorted(self._singles.items()):
            asked = [
                e for e in examples if any(isinstance(stance.target, tuple) for stance in e.stances)
            ]
            for way in WAYS:
                share = self._mixture.made.get(way, {}).get(corpus, 0.0)
                suiting = [e for e in asked if make.suits(way, e)] if share else []
                for example in rng.sample(suiting, round(len(suiting) * share)):
                    if found := make.made(way, example, asked, rng):
                        yield from self._whole(found)

    def _whole(self, example: Example) -> Iterator[LabelledWindow]:
        """A window of an example alone; none if it would take several, which would tear its pairs apart."""
        found = list(self._fill([(0, example)], self._windows.max_tokens))
        yield from found if len(found) == 1 else ()

    def _of_topics(
        self, examples: Sequence[Example], rng: random.Random
    ) -> Iterator[LabelledWindow]:
        for example in examples:
            asked = [
                s
                for s in example.stances
                if isinstance(s.target, str) or rng.random() < self._mixture.topics
            ]
            for stance in asked:
                topic = stance.target if isinstance(stance.target, str) else stance.mention
                tokens = self._windows.tokenize([topic or ""])[0]
                if len(tokens):
                    yield LabelledWindow(
                        self._windows.with_topic(0, example.tokens, tokens), [example], [stance]
                    )

    def _fill(
        self, sentences: Sequence[tuple[int, Example]], limit: int
    ) -> Iterator[LabelledWindow]:
        examples = dict(sentences)
        for window in self._windows.windows(((i, e.tokens) for i, e in sentences), limit):
            yield LabelledWindow(window, [examples[piece.sentence] for piece in window.pieces])

    def _batches(
        self, windows: list[LabelledWindow], rng: random.Random
    ) -> list[list[LabelledWindow]]:
        rng.shuffle(windows)
        budget = self._mixture.tokens_per_batch
        average = sum(map(len, windows)) / max(len(windows), 1)
        chunk = max(1, round(_CHUNK * budget / max(average, 1)))
        batches: list[list[LabelledWindow]] = []
        for begin in range(0, len(windows), chunk):
            batch: list[LabelledWindow] = []
            for window in sorted(windows[begin : begin + chunk], key=len):
                if batch and len(window) * (len(batch) + 1) > budget:
                    batches.append(batch)
                    batch = []
                batch.append(window)
            batches.append(batch)
        rng.shuffle(batches)
        return batches


def collate(batch: Sequence[LabelledWindow], pad: int) -> dict[str, Tensor]:
    """Tensors of ``claimstance.model.network.Batch`` for a batch of windows."""
    longest = max(map(len, batch))
    sentences: list[_Row] = []
    labels: dict[str, list[int]] = {task: [] for task in SENTENCE_TASKS}
    weights: dict[str, list[float]] = {task: [] for task in SENTENCE_TASKS}
    tags = {task: torch.full((len(batch), longest), IGNORE) for task in ("attribution", "entity")}
    soft = _soft_labels(batch, longest)
    pairs: list[_Pair] = []
    links: list[tuple[_Row, _Row, tuple[int, int]]] = []
    for row, item in enumerate(batch):
        window = item.window
        for piece, example in zip(window.pieces, item.examples, strict=True):
            sentences.append((row, piece.start, piece.end))
            for task in SENTENCE_TASKS:
                # A topic window is a second look at a sentence: its own labels were counted in the first.
                labels[task].append(IGNORE if item.topics else example.labels.get(task, IGNORE))
                weights[task].append(example.weights.get(task, 1.0))
        if item.topics:
            pairs += _topic_pairs(row, item)
            continue
        for task, values in _token_tags(item).items():
            tags[task][row, : len(window)] = torch.tensor(values)
        pairs += _mention_pairs(row, item)
        links += _links(row, item)
    return Batch(
        input_ids=torch.tensor([w.window.ids + [pad] * (longest - len(w)) for w in batch]),
        attention_mask=torch.tensor([[1] * len(w) + [0] * (longest - len(w)) for w in batch]),
        segments=torch.tensor([w.window.segments + [0] * (longest - len(w)) for w in batch]),
        sentences=_spans(sentences),
        holders=_spans([pair[0] for pair in pairs]),
        targets=_spans([pair[1] for pair in pairs]),
        pair_sentences=_spans([pair[2] for pair in pairs]),
        cues=_spans([link[0] for link in links]),
        linked=_spans([link[1] for link in links]),
        **tags,
        stance=torch.tensor([pair[3] for pair in pairs], dtype=torch.float),
        stance_weight=torch.tensor([pair[4] for pair in pairs], dtype=torch.float),
        link=torch.tensor([link[2] for link in links], dtype=torch.long).reshape(-1, 2),
        **{task: torch.tensor(labels[task], dtype=torch.long) for task in SENTENCE_TASKS},
        **soft,
        **{
            f"{task}_weight": torch.tensor(weights[task], dtype=torch.float)
            for task in SENTENCE_TASKS
        },
    ).as_dict()


def _soft_labels(batch: Sequence[LabelledWindow], longest: int) -> dict[str, Tensor]:
    """What teachers say of the batch's tokens and sentences, where they said anything."""
    soft: dict[str, Tensor] = {}
    sentences = sum(len(item.examples) for item in batch)
    number = -1
    for row, item in enumerate(batch):
        for piece, example in zip(item.window.pieces, item.examples, strict=True):
            number += 1
            for task, said in example.soft.items() if not item.topics else ():
                shape = (
                    (sentences, len(said))
                    if said.ndim == 1
                    else (len(batch), longest, said.shape[1])
                )
                into = soft.setdefault(f"{task}_soft", torch.zeros(shape))
                if said.ndim == 1:
                    into[number] = torch.from_numpy(said)
                else:
                    size = len(piece)
                    into[row, piece.start : piece.end] = torch.from_numpy(
                        said[piece.skipped : piece.skipped + size]
                    )
    return soft


def _spans(rows: Sequence[_Row]) -> Tensor:
    return torch.tensor(rows, dtype=torch.long).reshape(-1, 3)


def _token_tags(item: LabelledWindow) -> dict[str, list[int]]:
    """Attribution and entity tags of a window's tokens; ``IGNORE`` for special tokens and where nothing is known."""
    attribution, entity = ([IGNORE] * len(item) for _ in range(2))
    for number, (piece, example) in enumerate(zip(item.window.pieces, item.examples, strict=True)):
        size = len(piece)
        if example.entities is not None:
            entity[piece.start : piece.end] = example.entities[piece.skipped : piece.skipped + size]
        if example.runs is None:
            continue
        values = [0] * len(example)
        for run in example.runs:
            begin, inside = (_TAGS.index(f"{prefix}-{run.role}") for prefix in "BI")
            values[run.start : run.end] = [inside] * (run.end - run.start)
            # It can go on only from a sentence that this window shows.
            if not (run.goes_on and number and _precedes(item, number)):
                values[run.start] = begin
        attribution[piece.start : piece.end] = values[piece.skipped : piece.skipped + size]
    return {"attribution": attribution, "entity": entity}


def _precedes(item: LabelledWindow, number: int) -> bool:
    pieces = item.window.pieces
    return pieces[number - 1].sentence + 1 == pieces[number].sentence


def _shift(row: int, item: LabelledWindow, number: int, span: tuple[int, int]) -> _Row | None:
    """Tokens of a sentence as tokens of the window; ``None`` if this piece does not hold them."""
    piece = item.window.pieces[number]
    start, end = (piece.start + position - piece.skipped for position in span)
    return (row, start, end) if piece.start <= start < end <= piece.end else None


def _mention_pairs(row: int, item: LabelledWindow) -> Iterator[_Pair]:
    for number, example in enumerate(item.examples):
        piece = item.window.pieces[number]
        for stance in example.stances:
            if isinstance(stance.target, tuple) and (
                target := _shift(row, item, number, stance.target)
            ):
                holder = _shift(row, item, number, stance.holder) if stance.holder else None
                yield (
                    holder or (row, *NOBODY),
                    target,
                    (row, piece.start, piece.end),
                    stance.shares,
                    stance.weight,
                )


def _topic_pairs(row: int, item: LabelledWindow) -> Iterator[_Pair]:
    piece = item.window.pieces[0]
    for stance in item.topics:
        holder = _shift(row, item, 0, stance.holder) if stance.holder else None
        yield (
            holder or (row, *NOBODY),
            (row, *(item.window.topic or NOBODY)),
            (row, piece.start, piece.end),
            stance.shares,
            stance.weight,
        )


def _links(row: int, item: LabelledWindow) -> Iterator[tuple[_Row, _Row, tuple[int, int]]]:
    """Every cue with every source and content of the window, and whether they belong together."""
    runs, contents = _window_runs(row, item)
    for cue in runs:
        if cue[0] != "cue":
            continue
        for role, event, span in runs:
            if role == "source":
                yield cue[2], span, (int(event == cue[1]), IGNORE)
            elif role == "content":
                # The flat content of an inner attribution is content of the outer one, too.
                inside = any(
                    start < span[2] and span[1] < end for start, end in contents.get(cue[1], ())
                )
                yield cue[2], span, (IGNORE, int(inside))


def _window_runs(
    row: int, item: LabelledWindow
) -> tuple[list[tuple[str, str, _Row]], dict[str, list[tuple[int, int]]]]:
    """The flat runs of a window, those over several sentences made one, and the whole content of each event."""
    runs: list[tuple[str, str, _Row]] = []
    contents: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, example in enumerate(item.examples):
        for run in example.runs or ():
            if not (span := _shift(row, item, number, (run.start, run.end))):
                continue
            last = runs[-1] if runs else None
            if (
                run.goes_on
                and last
                and last[:2] == (run.role, run.event)
                and _precedes(item, number)
            ):
                runs[-1] = (run.role, run.event, (row, last[2][1], span[2]))
            else:
                runs.append((run.role, run.event, span))
        for event, spans in example.contents.items():
            shifted = (_shift(row, item, number, span) for span in spans)
            contents[event] += [span[1:] for span in shifted if span]
    return runs, contents
