"""Stances of an article, annotated or found, in the form in which they are matched, and their matching."""

from collections.abc import Iterable, Sequence

from claimstance.inference.results import Stance
from claimstance.model.text.offsets import Offsets, overlap
from claimstance.training.calibration.pair_matching import LocatedStance, match, same_stance
from claimstance.training.data.corpora.polnear_stance import ArticleLabels

SIDES = ("favor", "against")


def annotated_stances(labels: ArticleLabels, text: str) -> list[LocatedStance]:
    """Return the annotated stances of an article, without those on topics, which have no offsets."""
    stances = []
    for stance in labels.stances:
        if isinstance(stance.target, str):
            continue
        if isinstance(stance.holder, str):
            holder, name = None, stance.holder
        else:
            holder, name = stance.holder, text[slice(*stance.holder)]
        stances.append(LocatedStance(holder, name, stance.target, stance.label))
    return stances


def found_stances(stances: Iterable[Stance], abstained: bool = True) -> list[LocatedStance]:
    """Return the stances of a tagged article that take a side and have a holder and a target span.

    Args:
        stances: those of the article.
        abstained: include the answers of which the model is unsure.
    """
    located = []
    for stance in stances:
        if stance.label not in SIDES or stance.holder is None or stance.target_span is None:
            continue
        if stance.abstained and not abstained:
            continue
        span = stance.holder_span
        holder = None if span is None else (span.start, span.end)
        target = (stance.target_span.start, stance.target_span.end)
        located.append(
            LocatedStance(holder, stance.holder, target, stance.label, stance.probability)
        )
    return located


def match_stances(
    gold: Sequence[LocatedStance], predictions: Iterable[LocatedStance]
) -> list[tuple[float, bool]]:
    """Return the confidence and the correctness of each found stance of an article, surest first."""
    ranked = sorted(predictions, key=lambda stance: -stance.confidence)
    partners = match(gold, ranked, same_stance)
    return [
        (stance.confidence, partner is not None)
        for stance, partner in zip(ranked, partners, strict=True)
    ]


def match_spans(gold: Iterable[Offsets], predictions: Iterable[Offsets]) -> tuple[int, int, int]:
    """Return how many distinct spans overlap one to one, how many are found and how many are gold."""
    distinct_gold, distinct = sorted(set(gold)), sorted(set(predictions))
    partners = match(distinct_gold, distinct, overlap)
    matched = sum(partner is not None for partner in partners)
    return matched, len(distinct), len(distinct_gold)
