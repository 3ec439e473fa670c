"""Prediction for sentences: one encoder pass per window, from which the heads read everything else."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.decoding.attributions import (
    FoundAttribution,
    assemble,
    join_pieces,
    link_candidates,
)
from claimstance.model.decoding.quoted_speakers import name_speakers
from claimstance.model.decoding.spans import decode_entities, decode_opinion_spans
from claimstance.model.decoding.tags import Floats, decode_tags, softmax
from claimstance.model.encoding import (
    Backend,
    CancelledError,
    DocumentPredictions,
    PendingDocument,
    PendingWindow,
    ShouldCancel,
    WindowEncoder,
    never_cancel,
    span_rows,
)
from claimstance.model.labels import (
    DEFAULT_LABELS,
    FOUND,
    OPINION_HEADS,
    ROLES,
    SENTENCE_TASKS,
    bio,
)
from claimstance.model.pair_evidence import EVIDENCE, Pair, log_odds_against, pair_evidence
from claimstance.model.stance_queries import NO_SPAN, StanceQuery, TargetTokens, group_queries
from claimstance.model.text.entities import FoundEntity, whole_names
from claimstance.model.text.layout import Layout
from claimstance.model.windows import SentenceSpan, Tokens, Window, WindowBuilder

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
        self._attribution_tags = bio(ROLES)
        self._entity_tags = bio(tuple(config.labels.get("entity", ())))
        self._has_default_entities = self._entity_tags == bio(DEFAULT_LABELS["entity"])

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

    def result(self, pending_document: PendingDocument) -> DocumentPredictions:
        """Return the predictions for sentences that ``submit`` has begun to encode."""
        texts, layout = pending_document.texts, pending_document.layout
        document = DocumentPredictions(
            texts, pending_document.tokens, pending_document.should_cancel
        )
        document.opinions = {head: [] for head in self.config.opinion_heads}
        document.opinion_log_odds = {head: [] for head in self.config.opinion_heads}
        attributions: list[FoundAttribution] = []
        entities: list[FoundEntity] = []
        sentence_tasks = [task for task in SENTENCE_TASKS if task in self.config.tasks]
        sentence_logits: dict[str, list[Floats]] = {task: [] for task in sentence_tasks}
        for pending in pending_document.windows:
            window, output = pending.window, pending.output.result()
            document.windows.append((window, output["hidden"]))
            for task in sentence_tasks:
                sentence_logits[task].append(output[task])
            if "attribution" in output:
                attributions += self._decode_attributions(window, output, layout)
            if "entity" in output:
                entities += decode_entities(output["entity"][0], window, self._entity_tags, texts)
            for head, spans in document.opinions.items():
                bias = self.config.biases.get(head, 0.0)
                logits = output[head][0] + np.array([0.0, bias, bias])
                spans += decode_opinion_spans(logits, window, OPINION_HEADS[head], texts)
                outside = 0  # the column of the tag O
                document.opinion_log_odds[head].append(log_odds_against(output[head][0], outside))

        for task, logits_by_window in sentence_logits.items():
            label_count = len(self.config.labels[task])
            logits = _sentence_means(document, logits_by_window, label_count)
            document.probabilities[task] = self._probabilities(logits, task)
        if "entity" in self.config.tasks:
            # The rules of whole_names are those of the default labels.
            if self._has_default_entities:
                entities = whole_names(entities, texts)
            document.entities = entities
        if "attribution" in self.config.tasks:
            if layout is not None:
                attributions = self._name_speakers(document, attributions, layout)
            attributions.sort(key=lambda attribution: min(attribution.cue or attribution.content))
            document.attributions = []
            for attribution in attributions:
                content = join_pieces(attribution.content, texts)
                document.attributions.append(replace(attribution, content=content))
        document.warnings = self._warnings(document.tokens)
        return document

    def _decode_attributions(
        self, window: Window, output: dict[str, Floats], layout: Layout | None
    ) -> list[FoundAttribution]:
        """Return the attributions of a window."""
        tags = self._attribution_tags
        biases = [self.config.biases.get(tag.partition("-")[2], 0.0) for tag in tags]
        logits = output["attribution"][0] + np.array(biases)  # (T, C)
        breaks = layout.speech_breaks if layout is not None else ()
        spans = decode_tags(logits, window, tags, across=("content",), breaks=breaks)

        candidates = link_candidates(spans, window, layout)
        links: Floats = np.zeros((0, 2))
        if candidates:
            cues = span_rows((cue.start, cue.end) for cue, _ in candidates)
            others = span_rows((span.start, span.end) for _, span in candidates)
            links = self.backend.link(output["hidden"], cues, others)
        links = links + self.config.biases.get("link", 0.0)
        return assemble(spans, candidates, links, window, layout)

    def _name_speakers(
        self,
        document: DocumentPredictions,
        attributions: Sequence[FoundAttribution],
        layout: Layout,
    ) -> list[FoundAttribution]:
        """Return the attributions with quotations attributed to the speakers whom the form of the text names.

        Such an attribution has the lowest claim probability of its sentences; 0.5 if the model does not predict claims.
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

    def stances(self, document: DocumentPredictions, queries: Sequence[StanceQuery]) -> Floats:
        """Return the probabilities (queries, labels) of stances in sentences that have been encoded.

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

        kinds = np.array([query.kind for query in queries])
        found_numbers = np.flatnonzero(kinds == FOUND).tolist()
        found_queries = [queries[number] for number in found_numbers]
        logits[found_numbers] += self._evidence_logits(
            document, found_queries, logits[found_numbers]
        )
        probabilities = np.zeros_like(logits)
        for kind in sorted(set(kinds)):
            probabilities[kinds == kind] = self._probabilities(logits[kinds == kind], kind)
        return probabilities

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
        additions: Floats = self.evidence(document, queries, logits, no_stance) @ weights
        return additions

    def evidence(
        self,
        document: DocumentPredictions,
        queries: Sequence[StanceQuery],
        logits: Floats,
        no_stance: int,
    ) -> Floats:
        """Return the properties of pairs of a holder's span and a target's span; see ``pair_evidence``."""
        pairs = []
        for query in queries:
            if query.holder is None or isinstance(query.target, str):
                raise ValueError("expected a holder and a target with spans")
            sentence = query.sentence if query.holder_sentence is None else query.holder_sentence
            holder = SentenceSpan(sentence, *query.holder)
            target = SentenceSpan(query.sentence, *query.target)
            holder_words = document.texts[sentence][slice(*query.holder)]
            target_words = document.texts[query.sentence][slice(*query.target)]
            pairs.append(
                Pair(
                    holder,
                    target,
                    query.holder_name or holder_words,
                    query.target_name or target_words,
                )
            )
        return pair_evidence(document, pairs, logits, no_stance)

    def _probabilities(self, logits: Floats, kind: str) -> Floats:
        """Return the calibrated probabilities of a kind of question."""
        biases, temperature = self.config.logit_adjustment(kind)
        return softmax(logits + biases, temperature)


def _sentence_means(
    document: DocumentPredictions, logits_by_window: Sequence[Floats], label_count: int
) -> Floats:
    """Return the logits (S, C) of sentences from those of the pieces in each window.

    The logits of a sentence in several pieces are averaged by the lengths of the pieces.
    """
    sums = np.zeros((len(document.texts), label_count))
    for (window, _), logits in zip(document.windows, logits_by_window, strict=True):
        for piece, piece_logits in zip(window.pieces, logits, strict=True):
            sums[piece.sentence] += piece_logits * len(piece)
    lengths = np.array([max(len(tokens), 1) for tokens in document.tokens])
    means: Floats = sums / lengths.reshape(-1, 1)
    return means
