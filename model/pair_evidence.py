"""Evidence for a stance between a holder and a target that a model found by itself, beside the logits of the network.

A stance is likelier if the holder is a source and the target a name, and less likely between spans of one word, which
are often parts of longer ones. Training fits a weight for each property (``fit_found_stances``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from claimstance.model.windows import Located

#: The properties of a pair, in the order of the columns of ``pair_evidence``.
EVIDENCE = ("source_holder", "named_target", "holder_words", "target_words")
_MAX_WORDS = 6  # counted: a clause of twenty words is no better a target than one of six


def pair_evidence(
    pairs: Iterable[tuple[Located, Located]],
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
    sources_by_sentence = _by_sentence(sources)
    names_by_sentence = _by_sentence(names)
    rows = [
        (
            _overlaps(holder, sources_by_sentence),
            _overlaps(target, names_by_sentence),
            _count_words(holder, texts),
            _count_words(target, texts),
        )
        for holder, target in pairs
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(EVIDENCE))


def _by_sentence(spans: Iterable[Located]) -> dict[int, list[Located]]:
    by_sentence: dict[int, list[Located]] = defaultdict(list)
    for span in spans:
        by_sentence[span.sentence].append(span)
    return by_sentence


def _overlaps(span: Located, others: dict[int, list[Located]]) -> bool:
    """Return whether a span shares a character with one of the others of its sentence."""
    return any(
        span.start < other.end and other.start < span.end for other in others.get(span.sentence, ())
    )


def _count_words(span: Located, texts: Sequence[str]) -> int:
    return min(len(texts[span.sentence][span.start : span.end].split()), _MAX_WORDS)
