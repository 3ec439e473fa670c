"""Evidence for a stance between a holder and a target that a model found by itself, beside the logits of their pair.

A stance is likelier if the holder is a source and the target a name, and less likely if the target is a single word,
which is often a part of a longer one. A sentence seldom expresses many stances, so other pairs with greater logits are
evidence against one. The heads that find holders and targets give evidence by their logits on both spans. Calibration
fits a weight for each property (``fit_evidence``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from claimstance.model.encoding import DocumentPredictions
from claimstance.model.windows import SentenceSpan

#: The properties of a pair, in the order of the columns of ``pair_evidence``.
EVIDENCE = (
    "source_holder",
    "named_target",
    "holder_words",
    "target_words",
    "likelier_pairs",
    "rival_holder",
    "tagged_holder",
    "tagged_target",
)
_MAX_WORDS = 6  # counted: a clause of twenty words is no better a target than one of six
_LEAST_LOG_ODDS = -6.0  # of a rival: the same as without any rival

Pair = tuple[SentenceSpan, SentenceSpan]  # a holder and a target


def log_odds_against(logits: NDArray[np.floating], column: int) -> NDArray[np.floating]:
    """Return the log-odds (N,) that the label is not that of ``column``, from logits or log-probabilities (N, C)."""
    others = np.delete(logits, column, axis=1)
    log_odds: NDArray[np.floating] = np.logaddexp.reduce(others, axis=1) - logits[:, column]
    return log_odds


def pair_evidence(
    document: DocumentPredictions, pairs: Sequence[Pair], log_odds: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the properties ``EVIDENCE`` of pairs, (P, E).

    ``source_holder`` and ``named_target`` are 0 or 1. The numbers of words end at a maximum. ``likelier_pairs`` is the
    logarithm of one plus the number of pairs of the sentence with greater log-odds. ``rival_holder`` is the greatest
    log-odds of another holder on the same target. ``tagged_holder`` and ``tagged_target`` are the means, over
    the tokens of a span, of the log-odds by which the heads for holders and targets mark a token.

    Args:
        document: the predictions for the sentences of the pairs.
        pairs: holders with their targets.
        log_odds: of a stance between them by the network, (P,).
    """
    # Many pairs share a span, so its properties are computed once.
    holders = {holder for holder, _ in pairs}
    targets = {target for _, target in pairs}
    sources: list[SentenceSpan] = []
    for attribution in document.attributions or ():
        sources += attribution.source
    is_source = _overlapping(holders, sources)
    is_name = _overlapping(targets, [entity.span for entity in document.entities or ()])
    word_counts = {}
    for span in holders | targets:
        words = document.texts[span.sentence][span.start : span.end].split()
        word_counts[span] = min(len(words), _MAX_WORDS)
    holder_log_odds = _mean_log_odds(document, "opinion_holder", holders)
    target_log_odds = _mean_log_odds(document, "opinion_target", targets)

    # The pairs with greater log-odds are counted in the sentence of the target.
    by_sentence: dict[int, list[int]] = defaultdict(list)
    for number, (_, target) in enumerate(pairs):
        by_sentence[target.sentence].append(number)
    likelier_counts = np.zeros(len(pairs))
    for numbers in by_sentence.values():
        ascending = np.sort(log_odds[numbers])
        positions = np.searchsorted(ascending, log_odds[numbers], side="right")
        likelier_counts[numbers] = len(numbers) - positions

    return np.column_stack(
        [
            [is_source[holder] for holder, _ in pairs],
            [is_name[target] for _, target in pairs],
            [word_counts[holder] for holder, _ in pairs],
            [word_counts[target] for _, target in pairs],
            np.log1p(likelier_counts),
            _rival_log_odds(pairs, log_odds),
            [holder_log_odds[holder] for holder, _ in pairs],
            [target_log_odds[target] for _, target in pairs],
        ]
    )


def _overlapping(
    spans: Iterable[SentenceSpan], others: Iterable[SentenceSpan]
) -> Mapping[SentenceSpan, bool]:
    """Return span → whether it has characters in common with one of the others."""
    by_sentence: dict[int, list[SentenceSpan]] = defaultdict(list)
    for other in others:
        by_sentence[other.sentence].append(other)
    return {span: any(map(span.overlaps, by_sentence[span.sentence])) for span in spans}


def _mean_log_odds(
    document: DocumentPredictions, head: str, spans: Collection[SentenceSpan]
) -> Mapping[SentenceSpan, float]:
    """Return span → the mean log-odds of its tokens by a head of ``OPINION_HEADS``; 0 if there are none."""
    means = dict.fromkeys(spans, 0.0)
    log_odds_by_window = document.opinion_log_odds.get(head)
    if not log_odds_by_window:
        return means
    pieces = document.pieces_by_sentence()
    for span in spans:
        for number, piece in pieces.get(span.sentence, ()):
            window, _ = document.windows[number]
            tokens = window.token_span(piece, span.start, span.end)
            if tokens is not None:
                start, end = tokens
                means[span] = float(log_odds_by_window[number][start:end].mean())
                break
    return means


def _rival_log_odds(pairs: Sequence[Pair], log_odds: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return for each pair the greatest log-odds of a pair with its target and a holder elsewhere, (P,)."""
    by_target: dict[SentenceSpan, list[int]] = defaultdict(list)
    for number in np.argsort(-log_odds, kind="stable").tolist():
        by_target[pairs[number][1]].append(number)
    rivals = np.full(len(pairs), _LEAST_LOG_ODDS)
    for numbers in by_target.values():
        for number in numbers:
            holder = pairs[number][0]
            for rival in numbers:
                if not holder.overlaps(pairs[rival][0]):
                    rivals[number] = max(rivals[number], log_odds[rival])
                    break
    return rivals
