"""Evidence for a stance between a holder and a target that a model found by itself, beside the logits of their pair.

A stance is likelier if the holder is a source and the target a name, and less likely if the target is a single word,
which is often a part of a longer one. A sentence seldom expresses many stances, so other pairs with greater logits are
evidence against one. The heads that find holders and targets give evidence by their logits on both spans. Other
sentences of the article give evidence if they agree about the same pair or the same target. Calibration fits a weight
for each property (``fit_evidence``).
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.decoding.tags import log_odds_against, softmax
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.text.person_names import bare_name
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
    "earlier_holder",
    "pair_agreement",
    "target_agreement",
)
# fmt: off
_PRONOUNS = frozenset((
    "he", "her", "him", "his", "i", "it", "its", "me", "my", "our", "she", "that", "their", "them",
    "they", "this", "those", "us", "we", "which", "who", "you", "your",
))
# fmt: on
_MAX_WORDS = 6  # counted: a clause of twenty words is no better a target than one of six
_LEAST_LOG_ODDS = -6.0  # of a rival: the same as without any rival


class Pair(NamedTuple):
    """Represent a holder and a target.

    Attributes:
        holder: the span of the holder.
        target: the span of the target.
        holder_name: the name that the holder refers to, or its words.
        target_name: likewise of the target.
    """

    holder: SentenceSpan
    target: SentenceSpan
    holder_name: str
    target_name: str


def pairs_of(document: DocumentPredictions, queries: Iterable[StanceQuery]) -> list[Pair]:
    """Return the pairs that queries are about, each with a span of the holder and of the target."""
    pairs = []
    for query in queries:
        if query.holder is None or isinstance(query.target, str):
            raise ValueError("expected a holder and a target with spans")
        sentence = query.sentence if query.holder_sentence is None else query.holder_sentence
        holder = SentenceSpan(sentence, *query.holder)
        target = SentenceSpan(query.sentence, *query.target)
        holder_words = document.texts[sentence][holder.start : holder.end]
        target_words = document.texts[query.sentence][target.start : target.end]
        holder_name = query.holder_name or holder_words
        target_name = query.target_name or target_words
        pairs.append(Pair(holder, target, holder_name, target_name))
    return pairs


def pair_evidence(
    document: DocumentPredictions,
    pairs: Sequence[Pair],
    logits: NDArray[np.floating],
    no_stance: int,
) -> NDArray[np.floating]:
    """Return the properties ``EVIDENCE`` of pairs, (P, E).

    - ``source_holder``, ``named_target``: 0 or 1.
    - ``holder_words``, ``target_words``: the numbers of words, up to a maximum.
    - ``likelier_pairs``: the logarithm of one plus the number of pairs of the sentence with greater log-odds.
    - ``rival_holder``: the greatest log-odds of another holder on the same target.
    - ``tagged_holder``, ``tagged_target``: the means, over the tokens of a span, of the log-odds by which the heads for
      holders and targets mark a token.
    - ``earlier_holder``: 1 if the holder stands in another sentence, nearly always an earlier one, else 0.
    - ``pair_agreement``: the sum, over the pairs with the same names in other sentences, of the probability of the
      likeliest side of this pair minus that of other sides. Names are the same if their last words are.
    - ``target_agreement``: the same over the pairs with the same target, whoever the holder is.

    Args:
        document: the predictions for the sentences of the pairs.
        pairs: holders with their targets.
        logits: of the stance head, (P, C).
        no_stance: the column of the label of pairs without a stance.
    """
    log_odds = log_odds_against(logits, no_stance)  # (P,)
    # Many pairs share a span, so its properties are computed once.
    holders = {pair.holder for pair in pairs}
    targets = {pair.target for pair in pairs}
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

    holder_keys = [_key(pair.holder, pair.holder_name) for pair in pairs]
    target_keys = [_key(pair.target, pair.target_name) for pair in pairs]
    sentences = [pair.target.sentence for pair in pairs]
    sides = np.delete(softmax(logits, 1.0), no_stance, axis=1)  # (P, C - 1)

    return np.column_stack(
        [
            [is_source[pair.holder] for pair in pairs],
            [is_name[pair.target] for pair in pairs],
            [word_counts[pair.holder] for pair in pairs],
            [word_counts[pair.target] for pair in pairs],
            _likelier_counts(sentences, log_odds),
            _rival_log_odds(pairs, log_odds),
            [holder_log_odds[pair.holder] for pair in pairs],
            [target_log_odds[pair.target] for pair in pairs],
            [pair.holder.sentence != pair.target.sentence for pair in pairs],
            _agreement(list(zip(holder_keys, target_keys, strict=True)), sentences, sides),
            _agreement(target_keys, sentences, sides),
        ]
    )


def _key(span: SentenceSpan, name: str) -> Hashable:
    """Return the last word of a name in lower case, without titles and possessive endings.

    It stands for the name: *Mr. Trump* and *Donald Trump* have the same key, and whole names work no better. A pronoun
    that is not resolved has a key of its own.
    """
    word = bare_name(name).lower().split()[-1:]
    return span if not word or word[0] in _PRONOUNS else word[0]


def _likelier_counts(
    sentences: Sequence[int], log_odds: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return log(1 + n) for the n pairs of the same sentence with greater log-odds, (P,)."""
    numbers_by_sentence: dict[int, list[int]] = defaultdict(list)
    for number, sentence in enumerate(sentences):
        numbers_by_sentence[sentence].append(number)
    counts = np.zeros(len(sentences))
    for numbers in numbers_by_sentence.values():
        ascending = np.sort(log_odds[numbers])
        positions = np.searchsorted(ascending, log_odds[numbers], side="right")
        counts[numbers] = len(numbers) - positions
    return np.log1p(counts)


def _agreement(
    keys: Sequence[Hashable], sentences: Sequence[int], sides: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the agreement of each pair with those of the same key in other sentences, (P,).

    Args:
        keys: of the pairs.
        sentences: of the pairs.
        sides: the probabilities of the labels that are a stance, (P, S).
    """
    agreement = np.zeros(len(keys))
    sums_in_sentence: dict[tuple[Hashable, int], NDArray[np.floating]] = {}
    sums: dict[Hashable, NDArray[np.floating]] = {}
    for key, sentence, probabilities in zip(keys, sentences, sides, strict=True):
        in_sentence = key, sentence
        sums_in_sentence[in_sentence] = sums_in_sentence.get(in_sentence, 0.0) + probabilities
        sums[key] = sums.get(key, 0.0) + probabilities
    for number, side in enumerate(sides.argmax(axis=1).tolist()):
        key = keys[number]
        elsewhere = sums[key] - sums_in_sentence[key, sentences[number]]  # (S,)
        agreement[number] = 2 * elsewhere[side] - elsewhere.sum()
    return agreement


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
        by_target[pairs[number].target].append(number)
    rivals = np.full(len(pairs), _LEAST_LOG_ODDS)
    for numbers in by_target.values():
        for number in numbers:
            holder = pairs[number].holder
            for rival in numbers:
                if not holder.overlaps(pairs[rival].holder):
                    rivals[number] = max(rivals[number], log_odds[rival])
                    break
    return rivals
