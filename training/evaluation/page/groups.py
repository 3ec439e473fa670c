"""Figures of parts of a task: of each outlet, of each target; those with too little to tell are taken together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from claimstance.model.record import Record
from claimstance.training.evaluation.answers import document_of
from claimstance.training.evaluation.cases import LabelCase, SpanCase
from claimstance.training.evaluation.counts import Outcome, digest
from claimstance.training.evaluation.metrics import Figure, confusions

FEWEST = 30  # items of a part whose figures are told
MOST = 15  # parts that are told one by one


@dataclass(frozen=True)
class Group:
    """A part, or several taken together."""

    name: str
    n: int
    documents: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Groups:
    """The parts of a task by ``what``: those told one by one, most items first, and how many ``others`` there are,
    with their figures together.
    """

    what: str
    shown: list[Group]
    others: int
    rest: Group | None


def by_target(labels: Sequence[str], cases: Sequence[LabelCase]) -> Groups | None:
    """The figures of each target; ``None`` if the questions have none."""
    named: dict[str, list[LabelCase]] = defaultdict(list)
    for case in cases:
        if case.stance is not None:
            named[target_of(case)].append(case)
    if not named:
        return None
    sizes = Counter({name: len(some) for name, some in named.items()})
    return _groups(
        "target",
        sizes,
        lambda names: outcome_of(labels, [case for name in names for case in named[name]]),
    )


def target_of(case: LabelCase) -> str:
    """The name of what a stance is on, or its words in the text."""
    if case.stance is None:
        return ""
    target = case.stance.target
    return (
        target
        if isinstance(target, str)
        else " … ".join(case.record.text[start:end] for start, end in target)
    )


def by_outlet(outcome: Outcome, cases: Sequence[LabelCase] | Sequence[SpanCase]) -> Groups | None:
    """The figures of each outlet; ``None`` if none is known."""
    documents = outlets(case.record for case in cases)
    if not documents:
        return None
    items = dict(zip(outcome.documents, outcome.sizes.tolist(), strict=True))
    sizes = Counter(
        {name: int(sum(items[one] for one in some)) for name, some in documents.items()}
    )
    return _groups(
        "outlet",
        sizes,
        lambda names: outcome.among({one for name in names for one in documents[name]}),
    )


def outlets(records: Iterable[Record]) -> dict[str, set[str]]:
    """Outlet → its documents (digests), where ``meta`` tells the outlet."""
    found: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if outlet := record.meta.get("outlet"):
            found[str(outlet)].add(digest(document_of(record)))
    return found


def outcome_of(labels: Sequence[str], cases: Sequence[LabelCase]) -> Outcome:
    """The counts of these questions, document by document."""
    documents = [document_of(case.record) for case in cases]
    gold, said = (
        [labels.index(label) for label in of]
        for of in zip(*((c.gold, c.said) for c in cases), strict=True)
    )
    counts = confusions(gold, said, documents, len(labels))
    names = tuple(map(digest, dict.fromkeys(documents)))
    return Outcome("labels", tuple(labels), names, counts.sum(axis=(1, 2)), counts)


def _groups(
    what: str, sizes: Counter[str], among: Callable[[Collection[str]], Outcome | None]
) -> Groups:
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    told = [name for name in order[:MOST] if sizes[name] >= FEWEST]
    others = order[len(told) :]
    return Groups(
        what,
        [one for name in told if (one := _group(name, among([name])))],
        len(others),
        _group("others", among(others)) if others else None,
    )


def _group(name: str, outcome: Outcome | None) -> Group | None:
    if outcome is None:
        return None
    return Group(name, int(outcome.sizes.sum()), len(outcome.documents), outcome.figures())
