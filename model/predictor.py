"""Prediction for sentences: one encoder pass per window, from which the heads read everything else."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.decoding.document import DocumentPredictions, decode_document
from claimstance.model.decoding.tags import Floats, softmax
from claimstance.model.encoding import (
    Backend,
    CancelledError,
    PendingDocument,
    PendingWindow,
    ShouldCancel,
    WindowEncoder,
    never_cancel,
    span_rows,
)
from claimstance.model.labels import FOUND
from claimstance.model.pair_evidence import EVIDENCE, pair_evidence, pairs_of
from claimstance.model.stance_queries import NO_SPAN, StanceQuery, TargetTokens, group_queries
from claimstance.model.text.layout import Layout
from claimstance.model.windows import Window, WindowBuilder

#: Articles begun per worker: more than one, since some are short or already tagged.
PREFETCH_PER_WORKER = 2
T = TypeVar("T")


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
        self._encoder = WindowEncoder(backend, workers)

    @property
    def workers(self) -> int:
        """Return the number of windows that are encoded at the same time."""
        return self._encoder.workers

    def read(self, texts: Sequence[str], layout: Layout | None = None) -> DocumentPredictions:
        """Predict for consecutive sentences, which are encoded in each other's context; see ``submit``."""
        return self.result(self.submit(texts, layout=layout))

    def submit(
        self,
        texts: Sequence[str],
        should_cancel: ShouldCancel = never_cancel,
        layout: Layout | None = None,
    ) -> PendingDocument:
        """Begin to encode sentences; ``result`` waits for the encoder and returns the predictions.

        Args:
            texts: consecutive sentences.
            should_cancel: once it returns ``True``, ``result`` and ``stances`` raise ``CancelledError`` in place of
                encoding further windows.
            layout: the lines of the article, if they are known: speech ends with a line, and names stand on lines of
                their own.
        """
        tokens = self.windows.tokenize(texts)
        windows = self.windows.windows(enumerate(tokens))
        pending = [self._encoder.submit(window, should_cancel) for window in windows]
        return PendingDocument(list(texts), tokens, should_cancel, pending, layout)

    def prefetch(
        self, jobs: Iterable[Callable[[], T]], count: int = PREFETCH_PER_WORKER
    ) -> Iterator[T]:
        """Yield the results of ``jobs`` in order, and keep ``count`` jobs per worker in flight.

        Args:
            jobs: functions that wait for a result. Taking the next of them begins its work.
            count: the number of jobs per worker that are begun before the first of them is completed.
        """
        # A variable for the first job would hold the encoding of its document longer than needed.
        in_progress: deque[Callable[[], T]] = deque()
        for job in jobs:
            in_progress.append(job)
            if len(in_progress) > count * self.workers:
                yield in_progress.popleft()()
        while in_progress:
            yield in_progress.popleft()()

    def result(self, pending: PendingDocument) -> DocumentPredictions:
        """Return the predictions for sentences that ``submit`` has begun to encode."""
        return decode_document(pending, self.config, self.backend)

    def stances(self, document: DocumentPredictions, queries: Sequence[StanceQuery]) -> Floats:
        """Return the probabilities (queries, labels) of stances in sentences that have been encoded."""
        logits = self._stance_logits(document, queries)
        kinds = np.array([query.kind for query in queries])
        found_numbers = np.flatnonzero(kinds == FOUND).tolist()
        found_queries = [queries[number] for number in found_numbers]
        logits[found_numbers] += self._evidence_logits(
            document, found_queries, logits[found_numbers]
        )

        probabilities = np.zeros_like(logits)
        for kind in sorted(set(kinds)):
            is_kind = kinds == kind
            biases, temperature = self.config.logit_adjustment(kind)
            probabilities[is_kind] = softmax(logits[is_kind] + biases, temperature)
        return probabilities

    def _stance_logits(
        self, document: DocumentPredictions, queries: Sequence[StanceQuery]
    ) -> Floats:
        """Return the logits (queries, labels) of the stance head.

        A mentioned target is scored from the encoding of its window. For a topic, its sentence is encoded again
        together with the topic.
        """
        logits = np.zeros((len(queries), len(self.config.labels["stance"])))
        by_window, by_topic = group_queries(document, queries)
        for window_number, targets in by_window.items():
            if document.should_cancel():
                raise CancelledError
            window, hidden = document.windows[window_number]
            numbers = [target.number for target in targets]
            logits[numbers] = self._score(window, hidden, queries, targets)

        encodings = self.prefetch(
            self._submit_with_topic(document, sentence, topic).encoding
            for sentence, topic in by_topic
        )
        for numbers, (window, hidden) in zip(by_topic.values(), encodings, strict=True):
            piece = window.pieces[0]
            topic_tokens = window.topic or NO_SPAN
            targets = [TargetTokens(number, piece, topic_tokens) for number in numbers]
            logits[numbers] = self._score(window, hidden, queries, targets)
        return logits

    def _submit_with_topic(
        self, document: DocumentPredictions, sentence: int, topic: str
    ) -> PendingWindow:
        """Begin to encode a sentence together with a topic."""
        tokens = document.tokens[sentence]
        [topic_tokens] = self.windows.tokenize([topic])
        if not self.windows.fits_with_topic(tokens, topic_tokens):
            warning = (
                f"sentence {sentence}: does not fit one window with the topic '{topic}': "
                "the end of it is not read for that stance"
            )
            # A topic may be asked about more than once.
            if warning not in document.warnings:
                document.warnings.append(warning)
        window = self.windows.with_topic(sentence, tokens, topic_tokens)
        return self._encoder.submit(window, document.should_cancel)

    def _score(
        self,
        window: Window,
        hidden: Floats,
        queries: Sequence[StanceQuery],
        targets: Sequence[TargetTokens],
    ) -> Floats:
        """Return the logits (targets, labels) of the stances toward targets in a window."""
        holders = [queries[target.number].holder_tokens(window, target.piece) for target in targets]
        return self.backend.stance(
            hidden,
            span_rows(holders),
            span_rows(target.tokens for target in targets),
            span_rows((target.piece.start, target.piece.end) for target in targets),
        )

    def _evidence_logits(
        self, document: DocumentPredictions, queries: Sequence[StanceQuery], logits: Floats
    ) -> Floats:
        """Return what the properties of found pairs add to their logits: (P, C) → (P, C)."""
        weights = self.config.evidence_weights(FOUND, EVIDENCE)  # (E, C)
        if not weights.any():
            return np.zeros_like(logits)
        # The weights belong to the label of pairs without a stance.
        no_stance = int(weights.any(axis=0).argmax())
        pairs = pairs_of(document, queries)
        additions: Floats = pair_evidence(document, pairs, logits, no_stance) @ weights
        return additions
