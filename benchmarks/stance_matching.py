"""Match the stances that a model finds in a whole article with those that an annotator listed.

A found stance is right if it takes the same side, its target overlaps that of a listed stance, and so
does its holder. A holder that is only a name (the speaker of a quotation that runs on) has to be the
same person. The matching is one to one: a listed stance makes one found stance right, not two.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.inference.coreference.resolver import refers_to
from claimstance.inference.results import Stance
from claimstance.model.text.person_names import bare_name, person_name
from claimstance.training.data.corpora.polnear_stance import ArticleLabels, Offsets

T = TypeVar("T")
S = TypeVar("S")
SIDES = ("favor", "against")


@dataclass(frozen=True)
class LocatedStance:
    """Represent a stance that takes a side, with offsets into the article.

    Attributes:
        holder: the offsets of the holder; ``None`` if the sentence does not mention it.
        holder_name: the name of the holder, or its words.
        target: the offsets of the target.
        label: ``favor`` or ``against``.
        confidence: the probability of the label; 1 for an annotated stance.
    """

    holder: Offsets | None
    holder_name: str
    target: Offsets
    label: str
    confidence: float = 1.0


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


def same_stance(gold: LocatedStance, predicted: LocatedStance) -> bool:
    """Return whether a found stance is the listed one: same side, same holder, same target."""
    return (
        gold.label == predicted.label
        and overlap(gold.target, predicted.target)
        and _same_holder(gold, predicted)
    )


def _same_holder(gold: LocatedStance, predicted: LocatedStance) -> bool:
    """Return whether two holders overlap, or are the same person if one of them is only a name."""
    if gold.holder is not None and predicted.holder is not None:
        return overlap(gold.holder, predicted.holder)
    name, other_name = gold.holder_name, predicted.holder_name
    if refers_to(name, other_name) or refers_to(other_name, name):
        return True
    return _surname(name) == _surname(other_name)


def _surname(name: str) -> str:
    """Return the surname of a person's full name, any other name without title and article."""
    person = person_name(name)
    return person.surname if person else bare_name(name)


def overlap(first: Offsets, second: Offsets) -> bool:
    """Return whether two spans share a character."""
    return first[0] < second[1] and second[0] < first[1]


def match(gold: Sequence[T], predictions: Sequence[S], agree: Callable[[T, S], bool]) -> list[bool]:
    """Return whether each prediction is matched, in a largest matching of one to one.

    Predictions enter one after the other along augmenting paths (Kuhn 1955), and none is dropped once
    it is matched. Therefore the first k entries are a largest matching of the first k predictions: for
    predictions in the order of their confidence, one matching serves every threshold.
    """
    candidates = [
        [number for number, item in enumerate(gold) if agree(item, prediction)]
        for prediction in predictions
    ]
    taken_by: dict[int, int] = {}  # gold → prediction

    def find_partner(prediction: int, visited: set[int]) -> bool:
        for item in candidates[prediction]:
            if item in visited:
                continue
            visited.add(item)
            if item not in taken_by or find_partner(taken_by[item], visited):
                taken_by[item] = prediction
                return True
        return False

    return [find_partner(prediction, set()) for prediction in range(len(predictions))]


def match_stances(
    gold: Sequence[LocatedStance], predictions: Iterable[LocatedStance]
) -> list[tuple[float, bool]]:
    """Return the confidence and the correctness of each found stance of an article, surest first."""
    ranked = sorted(predictions, key=lambda stance: -stance.confidence)
    correct = match(gold, ranked, same_stance)
    confidences = [stance.confidence for stance in ranked]
    return list(zip(confidences, correct, strict=True))


def match_spans(gold: Iterable[Offsets], predictions: Iterable[Offsets]) -> tuple[int, int, int]:
    """Return how many distinct spans overlap one to one, how many are found and how many are gold."""
    distinct_gold, distinct = sorted(set(gold)), sorted(set(predictions))
    return sum(match(distinct_gold, distinct, overlap)), len(distinct), len(distinct_gold)
