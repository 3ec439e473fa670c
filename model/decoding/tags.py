"""Decoding of the tags of tokens to spans of whole words."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from claimstance.model.windows import Window

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class TokenSpan:
    """Represent tokens ``[start, end)`` of a window under one label.

    ``probability`` is the mean over the words of the span.
    """

    label: str
    start: int
    end: int
    probability: float


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Return probabilities over the last axis."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def sigmoid(logits: Floats) -> Floats:
    """Return the logistic function of ``logits``, computed without overflow."""
    probabilities: Floats = 0.5 * (1 + np.tanh(0.5 * logits))
    return probabilities


def log_odds_against(logits: Floats, column: int) -> Floats:
    """Return the log-odds (N,) that the label is not that of ``column``, from logits or log-probabilities (N, C)."""
    others = np.delete(logits, column, axis=1)
    log_odds: Floats = np.logaddexp.reduce(others, axis=1) - logits[:, column]
    return log_odds


def words(window: Window) -> Iterator[tuple[int, int, bool]]:
    """Yield the words of a window: first token, end, and ``True`` if the word begins a sentence."""
    for piece in window.pieces:
        start = piece.start
        for token in range(piece.start + 1, piece.end + 1):
            if token == piece.end or window.words[token] != window.words[start]:
                yield start, token, start == piece.start
                start = token


def decode_tags(
    logits: Floats,
    window: Window,
    tags: Sequence[str],
    across: Sequence[str] = (),
    breaks: Collection[int] = (),
) -> list[TokenSpan]:
    """Return spans of whole words from BIO logits.

    The tokens of a word vote by their mean. An ``I-`` that follows no span of its label begins one.

    Args:
        logits: scores of the tags for every token, (T, C).
        window: the window that the tokens belong to.
        tags: the names of the tags, in the order of the logits.
        across: labels whose spans may continue over the end of a sentence.
        breaks: sentences that no span continues into.
    """
    word_bounds = list(words(window))
    if not word_bounds:
        return []
    bounds = np.array([(start, end) for start, end, _ in word_bounds])  # (W, 2)
    # reduceat also sums the tokens between two words, the separators: these are the odd rows. The
    # row of zeros lets the last word end at the last token.
    padded = np.concatenate([logits, np.zeros_like(logits[:1])])
    sums = np.add.reduceat(padded, bounds.ravel(), axis=0)[::2]
    lengths = (bounds[:, 1:] - bounds[:, :1]).astype(logits.dtype)
    probabilities = softmax(sums / lengths)  # (W, C)
    best_tags = probabilities.argmax(axis=1)
    best_probabilities = probabilities[np.arange(len(word_bounds)), best_tags]

    closed_starts = set()
    for piece in window.pieces:
        if piece.sentence in breaks and not piece.skipped:
            closed_starts.add(piece.start)

    spans: list[TokenSpan] = []
    span_probabilities: list[float] = []  # of the words of the last span; empty once it is closed
    for (start, end, begins_sentence), tag_number, probability in zip(
        word_bounds, best_tags.tolist(), best_probabilities.tolist(), strict=True
    ):
        prefix, _, label = tags[tag_number].partition("-")
        if prefix == "O":
            span_probabilities = []
            continue
        crosses_freely = label in across and start not in closed_starts
        can_continue = prefix == "I" and (not begins_sentence or crosses_freely)
        if span_probabilities and can_continue and spans[-1].label == label:
            start = spans.pop().start
            span_probabilities.append(probability)
        else:
            span_probabilities = [probability]
        mean = sum(span_probabilities) / len(span_probabilities)
        spans.append(TokenSpan(label, start, end, mean))
    return spans
