"""Figures by outlet and by target; groups with too few items are taken together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from claimstance.model.record import Record
from claimstance.training.evaluation.answers import ScoredAnswer, document_of
from claimstance.training.evaluation.counts import Outcome, digest
from claimstance.training.evaluation.metrics import Figure, confusion_matrices
from claimstance.training.evaluation.prediction_log import ScoredSpans

MIN_ITEMS = 30  # figures of a smaller group would say too little
MAX_GROUPS = 15


@dataclass(frozen=True)
class Group:
    """Represent a group of items, or several groups taken together, with its figures."""

    name: str
    n: int
    documents: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class GroupTable:
    """Represent the figures of a task by an attribute of its items.

    Attributes:
        attribute: ``target`` or ``outlet``.
        groups: the groups that have figures of their own, most items first.
        n_others: the number of groups that are taken together.
        remainder: these groups together; ``None`` if there are none.
    """

    attribute: str
    groups: list[Group]
    n_others: int
    remainder: Group | None


def by_target(labels: Sequence[str], cases: Sequence[ScoredAnswer]) -> GroupTable | None:
    """Return the figures of each target; ``None`` if the questions have no targets."""
    cases_by_target: dict[str, list[ScoredAnswer]] = defaultdict(list)
    for case in cases:
        if case.stance is not None:
            cases_by_target[target_of(case)].append(case)
    if not cases_by_target:
        return None

    def outcome_of_targets(targets: Collection[str]) -> Outcome:
        selected: list[ScoredAnswer] = []
        for name in targets:
            selected += cases_by_target[name]
        return outcome_of(labels, selected)

    sizes = Counter({name: len(group) for name, group in cases_by_target.items()})
    return _group_table("target", sizes, outcome_of_targets)


def target_of(case: ScoredAnswer) -> str:
    """Return the name of a stance's target, or its words in the text."""
    if case.stance is None:
        return ""
    target = case.stance.target
    if isinstance(target, str):
        return target
    return " … ".join(case.record.text[start:end] for start, end in target)


def by_outlet(
    outcome: Outcome, cases: Sequence[ScoredAnswer] | Sequence[ScoredSpans]
) -> GroupTable | None:
    """Return the figures of each outlet; ``None`` if the metadata names no outlets."""
    documents_by_outlet = outlets(case.record for case in cases)
    if not documents_by_outlet:
        return None

    def outcome_of_outlets(names: Collection[str]) -> Outcome | None:
        documents: set[str] = set()
        for name in names:
            documents |= documents_by_outlet[name]
        return outcome.restrict_to(documents)

    items = dict(zip(outcome.documents, outcome.sizes.tolist(), strict=True))
    sizes: Counter[str] = Counter()
    for name, documents in documents_by_outlet.items():
        sizes[name] = int(sum(items[document] for document in documents))
    return _group_table("outlet", sizes, outcome_of_outlets)


def outlets(records: Iterable[Record]) -> dict[str, set[str]]:
    """Return outlet → its documents (digests), for records whose ``meta`` names the outlet."""
    documents: dict[str, set[str]] = defaultdict(set)
    for record in records:
        outlet = record.meta.get("outlet")
        if outlet:
            documents[str(outlet)].add(digest(document_of(record)))
    return documents


def outcome_of(labels: Sequence[str], cases: Sequence[ScoredAnswer]) -> Outcome:
    """Return the counts of these questions, document by document."""
    documents = [document_of(case.record) for case in cases]
    gold = [labels.index(case.gold) for case in cases]
    predicted = [labels.index(case.predicted) for case in cases]
    counts = confusion_matrices(gold, predicted, documents, len(labels))
    digests = tuple(digest(document) for document in dict.fromkeys(documents))
    return Outcome("labels", tuple(labels), digests, counts.sum(axis=(1, 2)), counts)


def _group_table(
    attribute: str, sizes: Counter[str], outcome_of_groups: Callable[[list[str]], Outcome | None]
) -> GroupTable:
    """Return the table of the largest groups, with the others together.

    Args:
        attribute: the attribute that the groups share.
        sizes: name of the group → number of items.
        outcome_of_groups: returns the counts of groups, given their names.
    """
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    large = [name for name in names[:MAX_GROUPS] if sizes[name] >= MIN_ITEMS]
    small = names[len(large) :]
    groups = []
    for name in large:
        outcome = outcome_of_groups([name])
        if outcome is not None:
            groups.append(_group(name, outcome))
    remainder = None
    outcome = outcome_of_groups(small) if small else None
    if outcome is not None:
        remainder = _group("others", outcome)
    return GroupTable(attribute, groups, len(small), remainder)


def _group(name: str, outcome: Outcome) -> Group:
    return Group(name, int(outcome.sizes.sum()), len(outcome.documents), outcome.figures())
