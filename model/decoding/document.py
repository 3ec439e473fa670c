"""Decoding of the network's output to the predictions for the sentences of a document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.decoding.attributions import (
    DecodedAttribution,
    assemble,
    join_pieces,
    link_candidates,
)
from claimstance.model.decoding.quoted_speakers import name_speakers
from claimstance.model.decoding.sources import NameCompleter, complete_sources, share_sources
from claimstance.model.decoding.spans import decode_entities, decode_opinion_spans
from claimstance.model.decoding.tags import Floats, decode_tags, log_odds_against, softmax
from claimstance.model.encoding import (
    Backend,
    PendingDocument,
    ShouldCancel,
    never_cancel,
    span_rows,
)
from claimstance.model.labels import DEFAULT_LABELS, OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.text.entities import DecodedEntity, whole_names
from claimstance.model.text.layout import Layout
from claimstance.model.windows import Piece, SentenceSpan, Tokens, Window

_OUTSIDE = 0  # the column of the tag O


@dataclass
class DocumentPredictions:
    """Represent consecutive sentences with the predictions about them.

    Attributes:
        texts: the sentences.
        tokens: their tokens.
        should_cancel: the function that was given to ``Predictor.submit``.
        windows: each window with its encoding (1, T, H).
        probabilities: sentence task → one row per sentence, over the labels of that task.
        attributions: in the order of their sentences; ``None`` if the model has no such head.
        entities: likewise.
        opinions: head of ``OPINION_HEADS`` → the spans that it found; empty if the model has no such heads.
        opinion_log_odds: the same heads → for each window the log-odds (T,) that a token belongs to a span, before
            biases are added.
        warnings: sentences that could only be encoded in part, or not at all.
    """

    texts: list[str]
    tokens: list[Tokens]
    should_cancel: ShouldCancel = never_cancel
    windows: list[tuple[Window, Floats]] = field(default_factory=list)
    probabilities: dict[str, Floats] = field(default_factory=dict)
    attributions: list[DecodedAttribution] | None = None
    entities: list[DecodedEntity] | None = None
    opinions: dict[str, list[SentenceSpan]] = field(default_factory=dict)
    opinion_log_odds: dict[str, list[Floats]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def pieces_by_sentence(self) -> dict[int, list[tuple[int, Piece]]]:
        """Return sentence → the pieces of it, each with the number of its window."""
        pieces: dict[int, list[tuple[int, Piece]]] = {}
        for number, (window, _) in enumerate(self.windows):
            for piece in window.pieces:
                pieces.setdefault(piece.sentence, []).append((number, piece))
        return pieces


def ranges_of_long_sentences(document: DocumentPredictions) -> dict[int, list[tuple[int, int]]]:
    """Return the characters of each piece, for the sentences that are too long for one window."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for sentence, pieces in document.pieces_by_sentence().items():
        if len(pieces) == 1:
            continue
        ranges[sentence] = []
        for number, piece in pieces:
            window, _ = document.windows[number]
            start, end = window.offsets[piece.start][0], window.offsets[piece.end - 1][1]
            ranges[sentence].append((start, end))
    return ranges


def decode_document(
    pending: PendingDocument, config: ModelConfig, backend: Backend
) -> DocumentPredictions:
    """Wait for the windows of a document, and return the predictions for its sentences.

    Args:
        pending: the document; each window is decoded as soon as it is encoded.
        config: that of the model, with the biases and temperatures of its heads.
        backend: scores the links of attributions.

    Raises:
        CancelledError: once the document's ``should_cancel`` returns true.
    """
    document = DocumentPredictions(pending.texts, pending.tokens, pending.should_cancel)
    for head in config.opinion_heads:
        document.opinions[head] = []
        document.opinion_log_odds[head] = []
    attributions: list[DecodedAttribution] = []
    entities: list[DecodedEntity] = []
    entity_tags = bio(tuple(config.labels.get("entity", ())))
    sentence_tasks = [task for task in SENTENCE_TASKS if task in config.tasks]
    sentence_logits: dict[str, list[Floats]] = {task: [] for task in sentence_tasks}
    for pending_window in pending.windows:
        window, output = pending_window.window, pending_window.output.result()
        document.windows.append((window, output["hidden"]))
        for task in sentence_tasks:
            sentence_logits[task].append(output[task])
        if "attribution" in config.tasks:
            attributions += _decode_attributions(window, output, pending.layout, config, backend)
        if "entity" in config.tasks:
            entities += decode_entities(output["entity"][0], window, entity_tags, pending.texts)
        for head in config.opinion_heads:
            _add_opinions(document, head, window, output[head][0], config.biases.get(head, 0.0))

    for task, logits_by_window in sentence_logits.items():
        label_count = len(config.labels[task])
        logits = _sentence_means(document, logits_by_window, label_count)
        biases, temperature = config.logit_adjustment(task)
        document.probabilities[task] = softmax(logits + biases, temperature)
    if "entity" in config.tasks:
        # The rules of whole_names are those of the default labels.
        if entity_tags == bio(DEFAULT_LABELS["entity"]):
            entities = whole_names(entities, pending.texts)
        document.entities = entities
    completer = NameCompleter(entities)
    for head, spans in document.opinions.items():
        document.opinions[head] = [completer.complete(span) for span in spans]
    if "attribution" in config.tasks:
        attributions = complete_sources(attributions, entities, pending.texts)
        attributions = share_sources(attributions, pending.texts)
        if pending.layout is not None:
            attributions = _name_speakers(document, attributions, pending.layout, config)
        attributions.sort(key=lambda attribution: min(attribution.cue or attribution.content))
        document.attributions = []
        for attribution in attributions:
            content = join_pieces(attribution.content, pending.texts)
            document.attributions.append(replace(attribution, content=content))
    document.warnings = _warnings(document.tokens, longest=config.max_tokens - 2)
    return document


def _decode_attributions(
    window: Window,
    output: dict[str, Floats],
    layout: Layout | None,
    config: ModelConfig,
    backend: Backend,
) -> list[DecodedAttribution]:
    """Return the attributions of a window."""
    tags = bio(ROLES)
    # One bias per role, for both its B- and its I-tag.
    biases = [config.biases.get(tag.partition("-")[2], 0.0) for tag in tags]
    logits = output["attribution"][0] + np.array(biases)  # (T, C)
    breaks = layout.speech_breaks if layout is not None else ()
    spans = decode_tags(logits, window, tags, across=("content",), breaks=breaks)

    candidates = link_candidates(spans, window, layout)
    if not candidates:
        return assemble(spans, candidates, np.zeros((0, 2)), window, layout)
    cues = span_rows((cue.start, cue.end) for cue, _ in candidates)
    others = span_rows((span.start, span.end) for _, span in candidates)
    links = backend.link(output["hidden"], cues, others)  # (N, 2)
    links = links + config.biases.get("link", 0.0)
    return assemble(spans, candidates, links, window, layout)


def _add_opinions(
    document: DocumentPredictions, head: str, window: Window, logits: Floats, bias: float
) -> None:
    """Add the spans that a head marks in a window, by its logits (T, 3), and their log-odds to a document."""
    biased_logits = logits + np.array([0.0, bias, bias])
    label = OPINION_HEADS[head]
    document.opinions[head] += decode_opinion_spans(biased_logits, window, label, document.texts)
    document.opinion_log_odds[head].append(log_odds_against(logits, _OUTSIDE))


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


def _name_speakers(
    document: DocumentPredictions,
    attributions: Sequence[DecodedAttribution],
    layout: Layout,
    config: ModelConfig,
) -> list[DecodedAttribution]:
    """Return the attributions with quotations attributed to the speakers whom the form of the text names.

    Such an attribution has the lowest claim probability of its sentences; 0.5 if the model does not predict claims.
    """
    claims = document.probabilities.get("claim")  # (S, C)
    claim_labels = list(config.labels.get("claim", ()))

    def probability(sentences: Iterable[int]) -> float:
        if claims is None or "claim" not in claim_labels:
            return 0.5
        column = claim_labels.index("claim")
        return min(float(claims[sentence, column]) for sentence in sentences)

    people = [entity.span for entity in document.entities or () if entity.label == "PERSON"]
    return name_speakers(attributions, document.texts, layout, people, probability)


def _warnings(tokens: Sequence[Tokens], longest: int) -> list[str]:
    """Return warnings about sentences of more than ``longest`` tokens, and about those without tokens."""
    too_long, empty = [], []
    for number, sentence in enumerate(tokens):
        if len(sentence) > longest:
            too_long.append(
                f"sentence {number}: {len(sentence)} tokens do not fit one window of {longest}: "
                "read in pieces"
            )
        elif len(sentence) == 0:
            empty.append(f"sentence {number}: no token that the model knows: nothing read")
    return too_long + empty
