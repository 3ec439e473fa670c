"""Evidence for a stance between a holder and a target that a model found by itself, beside the logits of their pair.

A stance is likelier if the holder is a source and the target a name, and less likely if the target is a single word,
which is often a part of a longer one. A sentence seldom expresses many stances, so other pairs with greater logits are
evidence against one. Calibration fits a weight for each property (``fit_evidence``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from claimstance.model.windows import Located

#: The properties of a pair, in the order of the columns of ``pair_evidence``.
EVIDENCE = (
    "source_holder",
    "named_target",
    "holder_words",
    "target_words",
    "likelier_pairs",
    "rival_holder",
)
_MAX_WORDS = 6  # counted: a clause of twenty words is no better a target than one of six
_LEAST_LOG_ODDS = -6.0  # of a rival: the same as without any rival

Pair = tuple[Located, Located]  # a holder and a target


def stance_log_odds(logits: NDArray[np.floating], no_stance: int) -> NDArray[np.floating]:
    """Return the log-odds of any stance, (P,), from logits or log-probabilities (P, C); ``no_stance`` is a column."""
    others = np.delete(logits, no_stance, axis=1)
    log_odds: NDArray[np.floating] = np.logaddexp.reduce(others, axis=1) - logits[:, no_stance]
    return log_odds


def pair_evidence(
    pairs: Sequence[Pair],
    log_odds: NDArray[np.floating],
    sources: Iterable[Located],
    names: Iterable[Located],
    texts: Sequence[str],
) -> NDArray[np.floating]:
    """Return the properties ``EVIDENCE`` of pairs, (P, E).

    ``source_holder`` and ``named_target`` are 0 or 1. The numbers of words end at a maximum. ``likelier_pairs`` is the
    logarithm of one plus the number of pairs of the sentence with greater log-odds. ``rival_holder`` is the greatest
    log-odds of another holder on the same target.

    Args:
        pairs: holders with their targets.
        log_odds: of a stance between them by the network, (P,).
        sources: the sources of attributions.
        names: the named entities.
        texts: the sentences.
    """
    # Many pairs share a span, so its properties are computed once.
    is_source = _overlapping({holder for holder, _ in pairs}, sources)
    is_name = _overlapping({target for _, target in pairs}, names)
    word_counts = {}
    for span in (*is_source, *is_name):
        words = texts[span.sentence][span.start : span.end].split()
        word_counts[span] = min(len(words), _MAX_WORDS)

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
        ]
    )


def _overlapping(spans: Iterable[Located], others: Iterable[Located]) -> Mapping[Located, bool]:
    """Return span → whether it has characters in common with one of the others."""
    by_sentence: dict[int, list[Located]] = defaultdict(list)
    for other in others:
        by_sentence[other.sentence].append(other)
    return {span: any(map(span.overlaps, by_sentence[span.sentence])) for span in spans}


def _rival_log_odds(pairs: Sequence[Pair], log_odds: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return for each pair the greatest log-odds of a pair with its target and a holder elsewhere, (P,)."""
    by_target: dict[Located, list[int]] = defaultdict(list)
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
