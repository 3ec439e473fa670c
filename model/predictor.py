"""Reading sentences with a trained model: one encoder pass a window, everything else from what came out of it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from claimstance.model.config import ModelConfig
from claimstance.model.decoding import (
    Floats,
    FoundAttribution,
    assemble,
    decode_tags,
    join_pieces,
    link_candidates,
    softmax,
)
from claimstance.model.labels import DEFAULT_LABELS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.quoted_speakers import name_speakers
from claimstance.model.text.entities import FoundEntity, whole_names
from claimstance.model.text.layout import Layout
from claimstance.model.windows import Located, Piece, Tokens, Window, WindowBuilder

Ints = NDArray[np.int64]
NOBODY = (0, 0)
AHEAD = 2  # articles begun for each worker: some of them are copies, or short
T = TypeVar("T")
#: Says whether what is being read is wanted no more. Asked by several threads, before each window.
Stop = Callable[[], bool]


class StoppedError(Exception):
    """What was being read is wanted no more: nobody's mistake, and told to nobody."""


def never() -> bool:
    """What is read is wanted to its end (a ``Stop``)."""
    return False


class Backend(Protocol):
    """What runs the network: onnxruntime or torch. Arrays are those of one window; shapes as in ``heads``."""

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """(1, T), (1, T), (S, 3) → ``hidden`` (1, T, H), token logits (1, T, C) and sentence logits (S, C)."""

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """(1, T, H) and three times (P, 3) → (P, C)."""

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """(1, T, H) and twice (L, 3) → (L, 2)."""


@dataclass(frozen=True)
class Query:
    """A stance to be scored: of ``holder`` (``None``: nobody) toward a mention or a topic, in one sentence."""

    sentence: int
    holder: tuple[int, int] | None
    target: tuple[int, int] | str

    @property
    def kind(self) -> str:
        """Which of the three kinds of question about a stance this is; each has probabilities of its own fit."""
        if isinstance(self.target, str):
            return "stance.topic"
        return "stance.mention" if self.holder is None else "stance.holder"


@dataclass
class Reading:
    """What was read from a run of sentences.

    Attributes:
        probabilities: per sentence task, one row a sentence, over the labels of that task.
        attributions: in the order of their sentences; ``None`` if the model has no such head.
        entities: likewise.
        warnings: what could not be read as it stands, and why.
        stop: what ``Reader.open`` was given.
    """

    texts: list[str]
    tokens: list[Tokens]
    stop: Stop = never
    windows: list[tuple[Window, Floats]] = field(default_factory=list)
    probabilities: dict[str, Floats] = field(default_factory=dict)
    attributions: list[FoundAttribution] | None = None
    entities: list[FoundEntity] | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass
class Opened:
    """Sentences that are being read: their windows, and what gives each one's output when it is asked for."""

    texts: list[str]
    tokens: list[Tokens]
    stop: Stop
    windows: list[tuple[Window, Callable[[], dict[str, Floats]]]]
    layout: Layout | None = None


class Reader:
    """A model that reads sentences. See ``read`` and ``stances``.

    ``workers`` windows are encoded at a time. Each goes through the network alone, so that what comes out does not
    depend on how many that are.
    """

    def __init__(
        self, config: ModelConfig, windows: WindowBuilder, backend: Backend, workers: int = 1
    ) -> None:
        self.config = config
        self.windows = windows
        self.backend = backend
        self.workers = workers
        self._attribution_tags = bio(ROLES)
        self._entity_tags = bio(tuple(config.labels.get("entity", ())))
        self._only_names = tuple(config.labels.get("entity", ())) == DEFAULT_LABELS["entity"]
        self._pools: dict[int, ThreadPoolExecutor] = {}  # by process

    @property
    def _pool(self) -> ThreadPoolExecutor:
        if (
            os.getpid() not in self._pools
        ):  # in a forked process, the threads of the first one's are not there
            self._pools = {
                os.getpid(): ThreadPoolExecutor(self.workers, thread_name_prefix="encoder")
            }
        return self._pools[os.getpid()]

    def read(self, texts: Sequence[str]) -> Reading:
        """Read consecutive sentences, in windows; the sentences of one call are one another's context."""
        return self.finish(self.open(texts))

    def open(
        self, texts: Sequence[str], stop: Stop = never, layout: Layout | None = None
    ) -> Opened:
        """Begin to read sentences as ``read`` does; the encoder is at work until ``finish`` gives what was read.

        Once ``stop`` says so, the windows still to be encoded raise ``StoppedError`` from ``finish`` or ``stances``.
        ``layout`` has the lines of an article, where they are known: speech ends with a line, and names stand on them.
        """
        tokens = self.windows.tokenize(texts)
        windows = list(self.windows.windows(enumerate(tokens)))
        begun = [(window, self._begin(window, stop)) for window in windows]
        return Opened(list(texts), tokens, stop, begun, layout)

    def ahead(self, begun: Iterable[Callable[[], T]], count: int = AHEAD) -> Iterator[T]:
        """What each of ``begun`` gives, in order, so many a worker begun ahead: work for all the encoder's threads."""
        waiting: deque[Callable[[], T]] = deque()
        for finish in begun:
            waiting.append(finish)
            if len(waiting) > count * self.workers:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def finish(self, opened: Opened) -> Reading:
        """What was read of sentences that ``open`` was given."""
        texts, tokens = opened.texts, opened.tokens
        reading = Reading(texts, tokens, opened.stop)
        tasks = [task for task in SENTENCE_TASKS if task in self.config.tasks]
        sums = {task: np.zeros((len(texts), len(self.config.labels[task]))) for task in tasks}
        attributions: list[FoundAttribution] = []
        entities: list[FoundEntity] = []
        for window, encoded in opened.windows:
            output = encoded()
            reading.windows.append((window, output["hidden"]))
            for task in tasks:
                for piece, logits in zip(window.pieces, output[task], strict=True):
                    # A sentence in several pieces is judged by all of them, each by its length.
                    sums[task][piece.sentence] += logits * len(piece)
            if "attribution" in output:
                attributions += self._attributions(window, output, opened.layout)
            if "entity" in output:
                entities += self._entities(window, output["entity"][0], texts)
        lengths = np.array([max(len(t), 1) for t in tokens]).reshape(-1, 1)
        for task in tasks:
            reading.probabilities[task] = self._probabilities(sums[task] / lengths, task)
        if "entity" in self.config.tasks:
            reading.entities = whole_names(entities, texts) if self._only_names else entities
        if "attribution" in self.config.tasks:
            if opened.layout is not None:
                attributions = self._with_named_speakers(reading, attributions, opened.layout)
            reading.attributions = [
                replace(found, content=join_pieces(found.content, texts))
                for found in sorted(attributions, key=lambda found: min(found.cue or found.content))
            ]
        reading.warnings = self._warnings(tokens)
        return reading

    def stances(self, reading: Reading, queries: Sequence[Query]) -> Floats:
        """The probabilities (queries, labels) of stances in sentences already read.

        A mention is scored from the encoding at hand. A topic is read once more, beside its sentence.
        """
        logits = np.zeros((len(queries), len(self.config.labels["stance"])))
        places = _places(reading)
        by_window: dict[int, list[tuple[int, Piece, tuple[int, int]]]] = {}
        topics: dict[tuple[int, str], list[int]] = {}
        for number, query in enumerate(queries):
            found = (
                None
                if isinstance(query.target, str)
                else _locate(query.target, places.get(query.sentence, []), reading)
            )
            if found:
                by_window.setdefault(found[0], []).append((number, found[1], found[2]))
            else:
                topic = (
                    query.target
                    if isinstance(query.target, str)
                    else (reading.texts[query.sentence][slice(*query.target)])
                )
                topics.setdefault((query.sentence, topic), []).append(number)
        for index, asked in by_window.items():
            window, hidden = reading.windows[index]
            rows = [
                (_holder(window, piece, queries[number]), target, (piece.start, piece.end))
                for number, piece, target in asked
            ]
            logits[[number for number, _, _ in asked]] = self._score(hidden, rows)
        beside = (self._begin_beside(reading, *asked) for asked in topics)
        for numbers, (window, hidden) in zip(topics.values(), self.ahead(beside), strict=True):
            piece = window.pieces[0]
            rows = [
                (
                    _holder(window, piece, queries[number]),
                    window.topic or NOBODY,
                    (piece.start, piece.end),
                )
                for number in numbers
            ]
            logits[numbers] = self._score(hidden, rows)
        kinds = np.array([query.kind for query in queries])
        result = np.zeros_like(logits)
        for kind in sorted(set(kinds)):
            result[kinds == kind] = self._probabilities(logits[kinds == kind], kind)
        return result

    def _begin_beside(
        self, reading: Reading, sentence: int, topic: str
    ) -> Callable[[], tuple[Window, Floats]]:
        """Have a sentence encoded once more, beside a topic; gives what waits for the window and its encoding."""
        tokens, beside = reading.tokens[sentence], self.windows.tokenize([topic])[0]
        if not self.windows.fits_with_topic(tokens, beside):
            reading.warnings.append(
                f"sentence {sentence}: does not fit one window with the topic '{topic}': "
                "the end of it is not read for that stance"
            )
        window = self.windows.with_topic(sentence, tokens, beside)
        encoded = self._begin(window, reading.stop)
        return lambda: (window, encoded()["hidden"])

    def _begin(self, window: Window, stop: Stop) -> Callable[[], dict[str, Floats]]:
        """Have a window encoded; gives what waits for its output. With one worker that is the time when it is done."""
        if self.workers == 1:
            return partial(self._encode, window, stop)
        return self._pool.submit(self._encode, window, stop).result

    def _encode(self, window: Window, stop: Stop) -> dict[str, Floats]:
        if stop():
            raise StoppedError
        sentences = np.array(
            [(0, piece.start, piece.end) for piece in window.pieces], dtype=np.int64
        )
        return self.backend.read(
            np.array([window.ids], dtype=np.int64),
            np.array([window.segments], dtype=np.int64),
            sentences,
        )

    def _entities(
        self, window: Window, logits: Floats, texts: Sequence[str]
    ) -> Iterator[FoundEntity]:
        for span in decode_tags(logits, window, self._entity_tags):
            place = _trimmed(window.located(span.start, span.end)[0], texts)
            yield FoundEntity(place, span.label, span.probability)

    def _with_named_speakers(
        self, reading: Reading, attributions: Sequence[FoundAttribution], layout: Layout
    ) -> list[FoundAttribution]:
        """Return the attributions with quotations given to those whom the form of the text names.

        The probability of such an attribution is that of a claim, the least over its sentences; undecided without
        that task.
        """
        claims = reading.probabilities.get("claim")
        number = next(
            (n for n, name in enumerate(self.config.labels.get("claim", ())) if name == "claim"),
            None,
        )

        def probability(sentences: Iterable[int]) -> float:
            if claims is None or number is None:
                return 0.5
            return min(float(claims[sentence, number]) for sentence in sentences)

        people = [entity.place for entity in reading.entities or () if entity.label == "PERSON"]
        return name_speakers(attributions, reading.texts, layout, people, probability)

    def _attributions(
        self, window: Window, output: dict[str, Floats], layout: Layout | None
    ) -> list[FoundAttribution]:
        tags = self._attribution_tags
        bias = np.array([self.config.biases.get(tag.partition("-")[2], 0.0) for tag in tags])
        ends = layout.ends if layout is not None else ()
        logits = output["attribution"][0] + bias
        spans = decode_tags(logits, window, tags, across=("content",), ends=ends)
        candidates = link_candidates(spans, window, layout)
        links: Floats = np.zeros((0, 2))
        if candidates:
            links = self.backend.link(
                output["hidden"],
                np.array([(0, cue.start, cue.end) for cue, _ in candidates], dtype=np.int64),
                np.array([(0, other.start, other.end) for _, other in candidates], dtype=np.int64),
            )
        return assemble(spans, candidates, links + self.config.biases.get("link", 0.0), window)

    def _score(self, hidden: Floats, rows: Sequence[tuple[tuple[int, int], ...]]) -> Floats:
        holders, targets, sentences = (
            np.array([(0, *row[column]) for row in rows], dtype=np.int64) for column in range(3)
        )
        return self.backend.stance(hidden, holders, targets, sentences)

    def _probabilities(self, logits: Floats, kind: str) -> Floats:
        biases, temperature = self.config.scale(kind)
        return softmax(logits + biases, temperature)

    def _warnings(self, tokens: Sequence[Tokens]) -> list[str]:
        room = self.config.max_tokens - 2
        long = [
            f"sentence {i}: {len(t)} tokens do not fit one window of {room}: read in pieces"
            for i, t in enumerate(tokens)
            if len(t) > room
        ]
        empty = [
            f"sentence {i}: no token that the model knows: nothing read"
            for i, t in enumerate(tokens)
            if not len(t)
        ]
        return long + empty


def _trimmed(place: Located, texts: Sequence[str]) -> Located:
    """A name without the punctuation before it, which the tagger that the entities were learned from left outside."""
    text = texts[place.sentence][place.start : place.end]
    first = next((i for i, character in enumerate(text) if character.isalnum()), 0)
    return replace(place, start=place.start + first)


def _places(reading: Reading) -> dict[int, list[tuple[int, Piece]]]:
    """Where each sentence lies: sentence → (window number, piece)."""
    places: dict[int, list[tuple[int, Piece]]] = {}
    for number, (window, _) in enumerate(reading.windows):
        for piece in window.pieces:
            places.setdefault(piece.sentence, []).append((number, piece))
    return places


def _locate(
    span: tuple[int, int], places: Sequence[tuple[int, Piece]], reading: Reading
) -> tuple[int, Piece, tuple[int, int]] | None:
    for number, piece in places:
        if tokens := reading.windows[number][0].token_span(piece, *span):
            return number, piece, tokens
    return None


def _holder(window: Window, piece: Piece, query: Query) -> tuple[int, int]:
    if query.holder is None:
        return NOBODY
    return window.token_span(piece, *query.holder) or NOBODY
