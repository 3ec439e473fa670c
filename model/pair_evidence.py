"""Evidence for a stance between a holder and a target that a model found by itself, beside the logits of the network.

A stance is likelier if the holder is a source and the target a name, and less likely if the target is a single word,
which is often a part of a longer one. Calibration fits a weight for each property (``fit_evidence``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from claimstance.model.windows import Located

#: The properties of a pair, in the order of the columns of ``pair_evidence``.
EVIDENCE = ("source_holder", "named_target", "holder_words", "target_words")
_MAX_WORDS = 6  # counted: a clause of twenty words is no better a target than one of six


def pair_evidence(
    pairs: Sequence[tuple[Located, Located]],
    sources: Iterable[Located],
    names: Iterable[Located],
    texts: Sequence[str],
) -> NDArray[np.floating]:
    """Return the properties ``EVIDENCE`` of pairs: (P, 4), zeros and ones and numbers of words.

    Args:
        pairs: holders with their targets.
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

    rows = []
    for holder, target in pairs:
        rows.append((is_source[holder], is_name[target], word_counts[holder], word_counts[target]))
    return np.array(rows, dtype=np.float64).reshape(-1, len(EVIDENCE))


def _overlapping(spans: Iterable[Located], others: Iterable[Located]) -> Mapping[Located, bool]:
    """Return span → whether it has characters in common with one of the others."""
    by_sentence: dict[int, list[Located]] = defaultdict(list)
    for other in others:
        by_sentence[other.sentence].append(other)
    return {span: any(map(span.overlaps, by_sentence[span.sentence])) for span in spans}
