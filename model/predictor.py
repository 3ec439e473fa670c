"""Prediction for sentences: one encoder pass per window, from which the heads read everything else."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from claimstance.model.labels import (
    DEFAULT_LABELS,
    FOUND,
    HOLDER,
    HOLDER_TOPIC,
    MENTION,
    OPINION_HEADS,
    OWN_VOICE,
    ROLES,
    SENTENCE_TASKS,
    TOPIC,
    bio,
)
from claimstance.model.pair_evidence import EVIDENCE, pair_evidence
from claimstance.model.quoted_speakers import name_speakers
from claimstance.model.text.entities import FoundEntity, whole_names
from claimstance.model.text.layout import Layout
from claimstance.model.windows import Located, Piece, Tokens, Window, WindowBuilder

Ints = NDArray[np.int64]
NO_SPAN = (0, 0)
#: Articles begun per worker: more than one, since some are short or already tagged.
PREFETCH_PER_WORKER = 2
_POSSESSIVE = re.compile(r"(?<=['’])s\b\s*")
T = TypeVar("T")
#: Returns ``True`` once the caller no longer needs the result. Several threads poll it, before each window.
ShouldCancel = Callable[[], bool]


class CancelledError(Exception):
    """Raised when the caller no longer needs the result; not an error to report."""


def never_cancel() -> bool:
    """Return ``False``: the result is needed (a ``ShouldCancel``)."""
    return False


class Backend(Protocol):
    """Run the network, with onnxruntime or torch.

    Every call is about one window of T tokens. Spans are rows ``(0, start, end)``, where 0 is the number of the window
    in its batch. Shapes have S sentences, P pairs, L links, C labels, and the width H of the encoder.
    """

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Encode a window: (1, T), (1, T), (S, 3) → ``hidden`` (1, T, H) and logits by task.

        The logits of a token task are (1, T, C), those of a sentence task (S, C).
        """

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """Score stances: (1, T, H) and three times (P, 3) → (P, C)."""

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """Score links of cues: (1, T, H) and twice (L, 3) → (L, 2), as source and as content."""


@dataclass(frozen=True)
class StanceQuery:
    """Represent a stance to be scored, in one sentence.

    The holder is a span, or ``None`` for the text itself; the target is a span or a topic.

    Attributes:
        holder_sentence: the sentence of the holder's span, if it is an earlier one: the speaker of a
            quotation that runs on. Where no window shows both, the text itself is scored.
        is_found: nobody asked about the pair; the model found its holder and its target by itself.
    """

    sentence: int
    holder: tuple[int, int] | None
    target: tuple[int, int] | str
    holder_sentence: int | None = None
    is_found: bool = False

    @property
    def kind(self) -> str:
        """Return the kind of question: each of them has its own calibration."""
        if isinstance(self.target, str):
            return TOPIC if self.holder is None else HOLDER_TOPIC
        if self.holder is None:
            return OWN_VOICE if self.is_found else MENTION
        return FOUND if self.is_found else HOLDER


@dataclass
class EncodedDocument:
    """Represent consecutive sentences with the predictions about them.

    Attributes:
        texts: the sentences.
        tokens: their tokens.
        stop: the function that was given to ``Predictor.submit``.
        windows: each window with its encoding (1, T, H).
        probabilities: sentence task → one row per sentence, over the labels of that task.
        attributions: in the order of their sentences; ``None`` if the model has no such head.
        entities: likewise.
        opinions: head of ``OPINION_HEADS`` → the spans that it found; empty if the model has no such heads.
        warnings: sentences that could only be encoded in part, or not at all.
    """

    texts: list[str]
    tokens: list[Tokens]
    stop: ShouldCancel = never_cancel
    windows: list[tuple[Window, Floats]] = field(default_factory=list)
    probabilities: dict[str, Floats] = field(default_factory=dict)
    attributions: list[FoundAttribution] | None = None
    entities: list[FoundEntity] | None = None
    opinions: dict[str, list[Located]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass
class PendingWindow:
    """Represent a window that is being encoded, and the output of the network for it."""

    window: Window
    output: "Future[dict[str, Floats]]"

    def encoding(self) -> tuple[Window, Floats]:
        """Wait for the encoder; return the window and its encoding (1, T, H)."""
        return self.window, self.output.result()["hidden"]


@dataclass
class PendingDocument:
    """Represent sentences whose windows are being encoded."""

    texts: list[str]
    tokens: list[Tokens]
    stop: ShouldCancel
    windows: list[PendingWindow]
    layout: Layout | None = None


class _DeferredFuture(Future[T]):
    """Compute the result in the thread that asks for it, at that time."""

    def __init__(self, compute: Callable[[], T]) -> None:
        super().__init__()
        self._compute = compute

    def result(self, timeout: float | None = None) -> T:
        """Return the result; compute it the first time."""
        if not self.done():
            try:
                self.set_result(self._compute())
            except Exception as error:
                self.set_exception(error)
        return super().result(timeout)


class Predictor:
    """Predict with a model. See ``read`` and ``stances``.

    ``workers`` windows are encoded at the same time. Each one goes through the network alone, so that predictions do
    not depend on the number of workers.
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
        self._has_default_entities = self._entity_tags == bio(DEFAULT_LABELS["entity"])
        self._pools: dict[int, ThreadPoolExecutor] = {}  # process id → its threads

    def read(self, texts: Sequence[str]) -> EncodedDocument:
        """Predict for consecutive sentences, which are encoded in each other's context."""
        return self.result(self.submit(texts))

    def submit(
        self, texts: Sequence[str], stop: ShouldCancel = never_cancel, layout: Layout | None = None
    ) -> PendingDocument:
        """Begin to encode sentences; ``result`` waits for the encoder and returns the predictions.

        Args:
            texts: consecutive sentences.
            stop: once it returns ``True``, ``result`` and ``stances`` raise ``CancelledError`` in place of encoding
                further windows.
            layout: the lines of the article, if they are known: speech ends with a line, and names stand on lines of
                their own.
        """
        tokens = self.windows.tokenize(texts)
        windows = self.windows.windows(enumerate(tokens))
        pending = [self._submit(window, stop) for window in windows]
        return PendingDocument(list(texts), tokens, stop, pending, layout)

    def prefetch(
        self, jobs: Iterable[Callable[[], T]], count: int = PREFETCH_PER_WORKER
    ) -> Iterator[T]:
        """Yield the results of ``jobs`` in order, and keep ``count`` jobs per worker in flight.

        Args:
            jobs: functions that wait for a result. Taking the next of them begins its work.
            count: the number of jobs per worker that are begun before the first of them is completed.
        """
        pending: deque[Callable[[], T]] = deque()
        for wait in jobs:
            pending.append(wait)
            if len(pending) > count * self.workers:
                yield pending.popleft()()
        while pending:
            yield pending.popleft()()

    def result(self, pending_document: PendingDocument) -> EncodedDocument:
        """Return the predictions for sentences that ``submit`` has begun to encode."""
        texts, tokens = pending_document.texts, pending_document.tokens
        document = EncodedDocument(texts, tokens, pending_document.stop)
        tasks = [task for task in SENTENCE_TASKS if task in self.config.tasks]
        sums = {task: np.zeros((len(texts), len(self.config.labels[task]))) for task in tasks}
        attributions: list[FoundAttribution] = []
        entities: list[FoundEntity] = []
        document.opinions = {head: [] for head in self.config.opinion_heads}
        for pending in pending_document.windows:
            window, output = pending.window, pending.output.result()
            document.windows.append((window, output["hidden"]))
            for task in tasks:
                # The logits of a sentence in several pieces are averaged by the lengths of the pieces.
                for piece, logits in zip(window.pieces, output[task], strict=True):
                    sums[task][piece.sentence] += logits * len(piece)
            if "attribution" in output:
                attributions += self._attributions(window, output, pending_document.layout)
            if "entity" in output:
                for tagged in decode_tags(output["entity"][0], window, self._entity_tags):
                    first = window.locate(tagged.start, tagged.end)[0]
                    span = _without_punctuation(first, texts)
                    entities.append(FoundEntity(span, tagged.label, tagged.probability))
            for head, spans in document.opinions.items():
                spans += self._opinion_spans(window, head, output[head][0], texts)

        lengths = np.array([max(len(sentence), 1) for sentence in tokens]).reshape(-1, 1)  # (S, 1)
        for task in tasks:
            document.probabilities[task] = self._probabilities(sums[task] / lengths, task)
        if "entity" in self.config.tasks:
            # The rules of whole_names are those of the default labels.
            if self._has_default_entities:
                entities = whole_names(entities, texts)
            document.entities = entities
        if "attribution" in self.config.tasks:
            if pending_document.layout is not None:
                attributions = self._name_speakers(document, attributions, pending_document.layout)
            attributions.sort(key=lambda attribution: min(attribution.cue or attribution.content))
            document.attributions = [
                replace(attribution, content=join_pieces(attribution.content, texts))
                for attribution in attributions
            ]
        document.warnings = self._warnings(tokens)
        return document

    def stances(self, document: EncodedDocument, queries: Sequence[StanceQuery]) -> Floats:
        """Return the probabilities (queries, labels) of stances in sentences that have been encoded.

        A mentioned target is scored from the encoding of its window. For a topic, its sentence is encoded again
        together with the topic.
        """
        logits = np.zeros((len(queries), len(self.config.labels["stance"])))
        by_window, by_topic = _group_queries(document, queries)
        for window_number, mentions in by_window.items():
            if document.stop():
                raise CancelledError
            window, hidden = document.windows[window_number]
            numbers = [number for number, _, _ in mentions]
            rows = [
                (_holder_tokens(window, piece, queries[number]), target, (piece.start, piece.end))
                for number, piece, target in mentions
            ]
            logits[numbers] = self._score(hidden, rows)

        encodings = self.prefetch(
            self._submit_with_topic(document, sentence, topic).encoding
            for sentence, topic in by_topic
        )
        for numbers, (window, hidden) in zip(by_topic.values(), encodings, strict=True):
            piece = window.pieces[0]
            target = window.topic or NO_SPAN
            rows = [
                (_holder_tokens(window, piece, queries[number]), target, (piece.start, piece.end))
                for number in numbers
            ]
            logits[numbers] = self._score(hidden, rows)

        kinds = np.array([query.kind for query in queries])
        found_numbers = np.flatnonzero(kinds == FOUND).tolist()
        weights = self.config.evidence_weights(FOUND, EVIDENCE)  # (E, C)
        if weights.any():
            found_queries = [queries[number] for number in found_numbers]
            evidence = self.evidence(document, found_queries)  # (P, E)
            logits[found_numbers] += evidence @ weights
        probabilities = np.zeros_like(logits)
        for kind in sorted(set(kinds)):
            probabilities[kinds == kind] = self._probabilities(logits[kinds == kind], kind)
        return probabilities

    def evidence(self, document: EncodedDocument, queries: Sequence[StanceQuery]) -> Floats:
        """Return the properties of pairs of a holder's span and a target's span; see ``pair_evidence``."""
        pairs = []
        for query in queries:
            if query.holder is None or isinstance(query.target, str):
                raise ValueError("expected a holder and a target with spans")
            sentence = query.sentence if query.holder_sentence is None else query.holder_sentence
            pairs.append((Located(sentence, *query.holder), Located(query.sentence, *query.target)))
        sources = [
            span for attribution in document.attributions or () for span in attribution.source
        ]
        names = [entity.span for entity in document.entities or ()]
        return pair_evidence(pairs, sources, names, document.texts)

    def _submit_with_topic(
        self, document: EncodedDocument, sentence: int, topic: str
    ) -> PendingWindow:
        """Begin to encode a sentence together with a topic."""
        tokens = document.tokens[sentence]
        [topic_tokens] = self.windows.tokenize([topic])
        if not self.windows.fits_with_topic(tokens, topic_tokens):
            document.warnings.append(
                f"sentence {sentence}: does not fit one window with the topic '{topic}': "
                "the end of it is not read for that stance"
            )
        return self._submit(self.windows.with_topic(sentence, tokens, topic_tokens), document.stop)

    def _submit(self, window: Window, stop: ShouldCancel) -> PendingWindow:
        """Begin to encode a window. With one worker, the calling thread encodes it when it needs the result."""
        if self.workers == 1:
            return PendingWindow(window, _DeferredFuture(partial(self._encode, window, stop)))
        # A forked process does not have the threads of its parent, and needs its own.
        process = os.getpid()
        if process not in self._pools:
            pool = ThreadPoolExecutor(self.workers, thread_name_prefix="encoder")
            self._pools = {process: pool}
        return PendingWindow(window, self._pools[process].submit(self._encode, window, stop))

    def _encode(self, window: Window, stop: ShouldCancel) -> dict[str, Floats]:
        """Return the output of the network for a window."""
        if stop():
            raise CancelledError
        return self.backend.read(
            np.array([window.ids], dtype=np.int64),
            np.array([window.segments], dtype=np.int64),
            _span_rows((piece.start, piece.end) for piece in window.pieces),
        )

    def _opinion_spans(
        self, window: Window, head: str, logits: Floats, texts: Sequence[str]
    ) -> Iterator[Located]:
        """Yield the holders or the targets of stances in a window, from the logits (T, 3) of its tokens."""
        bias = self.config.biases.get(head, 0.0)
        logits = logits + np.array([0.0, bias, bias])
        bounds: list[list[int]] = []
        for tagged in decode_tags(logits, window, bio((OPINION_HEADS[head],))):
            # Two holders or targets hardly ever touch: such spans are one, of which two words seemed to begin.
            if bounds and bounds[-1][1] == tagged.start:
                bounds[-1][1] = tagged.end
            else:
                bounds.append([tagged.start, tagged.end])

        for start, end in bounds:
            first = window.locate(start, end)[0]
            span = _without_punctuation(first, texts)
            text = texts[span.sentence]
            # The ending of the name before belongs to that: *moves*, not *s moves*, of *Moscow's moves*.
            possessive = _POSSESSIVE.match(text, span.start, span.end)
            if possessive is not None:
                span = replace(span, start=possessive.end())
            words = text[span.start : span.end]
            if words.lower() not in ("", "a", "an", "the"):
                yield span

    def _name_speakers(
        self, document: EncodedDocument, attributions: Sequence[FoundAttribution], layout: Layout
    ) -> list[FoundAttribution]:
        """Return the attributions with quotations attributed to the speakers whom the form of the text names.

        The probability of such an attribution is that of a claim, the least over its sentences; 0.5 without that task.
        """
        claims = document.probabilities.get("claim")  # (S, C)
        claim_labels = list(self.config.labels.get("claim", ()))

        def probability(sentences: Iterable[int]) -> float:
            if claims is None or "claim" not in claim_labels:
                return 0.5
            column = claim_labels.index("claim")
            return min(float(claims[sentence, column]) for sentence in sentences)

        people = [entity.span for entity in document.entities or () if entity.label == "PERSON"]
        return name_speakers(attributions, document.texts, layout, people, probability)

    def _attributions(
        self, window: Window, output: dict[str, Floats], layout: Layout | None
    ) -> list[FoundAttribution]:
        """Return the attributions of a window."""
        tags = self._attribution_tags
        biases = np.array([self.config.biases.get(tag.partition("-")[2], 0.0) for tag in tags])
        breaks = layout.speech_breaks if layout is not None else ()
        logits = output["attribution"][0] + biases  # (T, C)
        spans = decode_tags(logits, window, tags, across=("content",), breaks=breaks)
        candidates = link_candidates(spans, window, layout)
        links: Floats = np.zeros((0, 2))
        if candidates:
            links = self.backend.link(
                output["hidden"],
                _span_rows([(cue.start, cue.end) for cue, _ in candidates]),
                _span_rows([(span.start, span.end) for _, span in candidates]),
            )
        return assemble(spans, candidates, links + self.config.biases.get("link", 0.0), window)

    def _score(self, hidden: Floats, rows: Sequence[tuple[tuple[int, int], ...]]) -> Floats:
        """Return the logits of stances, each a row of holder, target and sentence in tokens."""
        holders, targets, sentences = zip(*rows, strict=True)
        return self.backend.stance(
            hidden, _span_rows(holders), _span_rows(targets), _span_rows(sentences)
        )

    def _probabilities(self, logits: Floats, kind: str) -> Floats:
        """Return the calibrated probabilities of a kind of question."""
        biases, temperature = self.config.logit_adjustment(kind)
        return softmax(logits + biases, temperature)

    def _warnings(self, tokens: Sequence[Tokens]) -> list[str]:
        """Return warnings about sentences that are too long for a window, and about those without tokens."""
        longest = self.config.max_tokens - 2
        warnings = []
        for number, sentence in enumerate(tokens):
            if len(sentence) > longest:
                warnings.append(
                    f"sentence {number}: {len(sentence)} tokens do not fit one window of {longest}: "
                    "read in pieces"
                )
        for number, sentence in enumerate(tokens):
            if len(sentence) == 0:
                warnings.append(f"sentence {number}: no token that the model knows: nothing read")
        return warnings


def _span_rows(spans: Iterable[tuple[int, int]]) -> Ints:
    """Return spans of the one window of a call as rows (N, 3)."""
    return np.array([(0, start, end) for start, end in spans], dtype=np.int64)


def _without_punctuation(piece: Located, texts: Sequence[str]) -> Located:
    """Return a name without the punctuation before it, which the annotations of entities exclude."""
    text = texts[piece.sentence][piece.start : piece.end]
    for offset, character in enumerate(text):
        if character.isalnum():
            return replace(piece, start=piece.start + offset)
    return piece


def _group_queries(
    document: EncodedDocument, queries: Sequence[StanceQuery]
) -> tuple[
    dict[int, list[tuple[int, Piece, tuple[int, int]]]],
    dict[tuple[int, str], list[int]],
]:
    """Group queries by the encoding that they need.

    Returns:
        For mentioned targets, window number → query number, piece of the sentence, tokens of the target, where the
        window is the first with such tokens; for topics, sentence and topic → query numbers. A mention without tokens
        is treated as a topic.
    """
    pieces = _pieces_by_sentence(document)
    by_window: dict[int, list[tuple[int, Piece, tuple[int, int]]]] = {}
    by_topic: dict[tuple[int, str], list[int]] = {}
    for number, query in enumerate(queries):
        if isinstance(query.target, str):
            by_topic.setdefault((query.sentence, query.target), []).append(number)
            continue
        for window_number, piece in pieces.get(query.sentence, ()):
            window, _ = document.windows[window_number]
            target = window.token_span(piece, *query.target)
            if target is not None:
                by_window.setdefault(window_number, []).append((number, piece, target))
                break
        else:
            topic = document.texts[query.sentence][slice(*query.target)]
            by_topic.setdefault((query.sentence, topic), []).append(number)
    return by_window, by_topic


def _pieces_by_sentence(document: EncodedDocument) -> dict[int, list[tuple[int, Piece]]]:
    """Return sentence → the pieces of it, each with the number of its window."""
    pieces: dict[int, list[tuple[int, Piece]]] = {}
    for number, (window, _) in enumerate(document.windows):
        for piece in window.pieces:
            pieces.setdefault(piece.sentence, []).append((number, piece))
    return pieces


def ranges_of_long_sentences(document: EncodedDocument) -> dict[int, list[tuple[int, int]]]:
    """Return the characters of each piece, for the sentences that are too long for one window."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for sentence, pieces in _pieces_by_sentence(document).items():
        if len(pieces) > 1:
            ranges[sentence] = []
            for number, piece in pieces:
                window, _ = document.windows[number]
                start, end = window.offsets[piece.start][0], window.offsets[piece.end - 1][1]
                ranges[sentence].append((start, end))
    return ranges


def _holder_tokens(window: Window, piece: Piece, query: StanceQuery) -> tuple[int, int]:
    """Return the tokens of a query's holder in a window; ``NO_SPAN`` if it has none."""
    if query.holder is None:
        return NO_SPAN
    if query.holder_sentence not in (None, query.sentence):
        for holder_piece in window.pieces:
            if holder_piece.sentence == query.holder_sentence:
                return window.token_span(holder_piece, *query.holder) or NO_SPAN
        return NO_SPAN
    return window.token_span(piece, *query.holder) or NO_SPAN
