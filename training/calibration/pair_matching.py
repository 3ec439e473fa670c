"""Match the stances that a model finds in a whole article with those that an annotator listed.

A found stance is right if it takes the same side, its target overlaps that of a listed stance, and so
does its holder. A holder that is only a name (the speaker of a quotation that runs on) has to be the
same person. The matching is one to one: a listed stance makes one found stance right, not two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.model.coreference.resolver import refers_to
from claimstance.model.text.offsets import Offsets, overlap
from claimstance.model.text.person_names import bare_name, person_name

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class LocatedStance:
    """Represent a stance with offsets into the article.

    Attributes:
        holder: the offsets of the holder; ``None`` if the sentence does not mention it.
        holder_name: the name of the holder, or its words.
        target: the offsets of the target.
        label: its side, such as ``favor``; that of a found pair is its likeliest one.
        confidence: the probability of the label; 1 for an annotated stance.
    """

    holder: Offsets | None
    holder_name: str
    target: Offsets
    label: str
    confidence: float = 1.0


def same_stance(gold: LocatedStance, predicted: LocatedStance) -> bool:
    """Return whether a found stance is the listed one: same side, same holder, same target."""
    return gold.label == predicted.label and same_pair(gold, predicted)


def same_pair(gold: LocatedStance, predicted: LocatedStance) -> bool:
    """Return whether a found stance has the holder and the target of the listed one."""
    return overlap(gold.target, predicted.target) and _same_holder(gold, predicted)


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


def match(
    gold: Sequence[T], predictions: Sequence[S], agree: Callable[[T, S], bool]
) -> list[int | None]:
    """Return the number of the gold item of each prediction, in a largest matching of one to one.

    Predictions enter one after the other along augmenting paths (Kuhn 1955), and none is dropped once
    it is matched. Therefore the first k entries are a largest matching of the first k predictions: for
    predictions in the order of their confidence, one matching serves every threshold.

    Args:
        gold: the annotated items.
        predictions: the predicted items.
        agree: returns if a prediction may be matched with a gold item.
    """
    candidates = []  # of each prediction, the gold items that it may be matched with
    for predicted in predictions:
        agreeing = [number for number, item in enumerate(gold) if agree(item, predicted)]
        candidates.append(agreeing)
    partners: list[int | None] = [None] * len(predictions)
    taken_by: dict[int, int] = {}  # gold → prediction
    for prediction in range(len(predictions)):
        # Each gold item that can be reached → the prediction that requests it.
        requested_by: dict[int, int] = {}
        waiting = [prediction]
        while waiting:
            current = waiting.pop()
            for item in candidates[current]:
                if item in requested_by:
                    continue
                requested_by[item] = current
                if item in taken_by:
                    waiting.append(taken_by[item])
                    continue
                _reassign(item, requested_by, partners, taken_by)
                waiting.clear()
                break
    return partners


def _reassign(
    free: int, requested_by: dict[int, int], partners: list[int | None], taken_by: dict[int, int]
) -> None:
    """Give each gold item of a path to the prediction that requests it, from a free item to the new prediction."""
    item: int | None = free
    while item is not None:
        prediction = requested_by[item]
        former = partners[prediction]
        partners[prediction] = item
        taken_by[item] = prediction
        item = former
