"""Dividing rows into train, dev and test, a group of rows that belong together at a time."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record
from claimstance.training.groups import unite

_BETWEEN_WORDS = re.compile(r"[\W_]+")

def text_key(text: str) -> str:
    """What texts that differ in case, spaces and punctuation alone have in common: the words, in lower case."""
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip() or text


def divide(records: Sequence[Record], shares: Mapping[str, float], seed: int) -> list[str]:
    """The split of each record.

    Records of one document, records with the same text, and whatever these connect go to one split. Groups are placed,
    the largest first, where they bring the numbers of rows and of each label nearest to ``shares`` (by chi-square), so
    that the labels are spread as evenly as whole groups allow.

    Args:
        records: the rows.
        shares: split → its share of the rows; a split with a share of 0 gets none.
        seed: decides between groups of a size.

    Raises:
        InputError: if there are fewer groups than splits.
    """
    names = [name for name, share in shares.items() if share > 0]
    groups: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(unite([(r.doc_id or f"{r.id}\0", text_key(r.text)) for r in records])):
        groups[group].append(row)
    if records and len(groups) < len(names):
        raise InputError(f"expected at least {len(names)} documents or sentences that differ, to divide them into "
                         f"{', '.join(names)}, found {len(groups)}")
    order = list(groups.values())
    random.Random(seed).shuffle(order)
    order.sort(key=len, reverse=True)
    placed = _fill_empty(_place(order, records, {name: shares[name] for name in names}))
    split_of = {row: name for name, members in placed.items() for group in members for row in group}
    return [split_of[row] for row in range(len(records))]


def _place(
    order: Sequence[list[int]], records: Sequence[Record], shares: Mapping[str, float]
) -> dict[str, list[list[int]]]:
    counts = [sum((strata(records[row]) for row in group), Counter[str]()) for group in order]
    total = sum(counts, Counter[str]())
    missing = {name: {s: share * n for s, n in total.items()} for name, share in shares.items()}
    placed: dict[str, list[list[int]]] = {name: [] for name in shares}
    for group, count in zip(order, counts, strict=True):

        def cost(name: str, count: Counter[str] = count) -> float:
            """By how much chi-square grows if the group goes there."""
            share, lacks = shares[name], missing[name]
            return sum((n * n - 2 * n * lacks[s]) / (share * total[s]) for s, n in count.items())

        best = min(shares, key=cost)
        placed[best].append(group)
        for stratum, n in count.items():
            missing[best][stratum] -= n
    return placed


def _fill_empty(placed: dict[str, list[list[int]]]) -> dict[str, list[list[int]]]:
    """With few and large groups a small share may get none: it then gets the smallest of the split with the most."""
    for members in placed.values():
        if not members:
            most = max(placed.values(), key=len)
            if len(most) > 1:
                members.append(most.pop())
    return placed


def strata(record: Record) -> Counter[str]:
    """What is to be spread evenly: rows, by corpus, and labels."""
    counts = Counter({"rows": 1, f"corpus {record.meta.get('corpus')}": 1})
    for task, count in label_counts(record).items():
        counts.update({f"{task} {label}": n for label, n in count.items()})
    return counts


def label_counts(record: Record) -> dict[str, Counter[str]]:
    """Task → label → how often the record has it; tasks not annotated are absent. Attributions count by part."""
    counts: dict[str, Counter[str]] = {}
    for task in SENTENCE_TASKS:
        if (label := getattr(record, task)) is not None:
            counts[task] = Counter([label])
    if record.stances is not None:
        counts["stance"] = Counter(stance.label for stance in record.stances if stance.label is not None)
    if record.entities is not None:
        counts["entity"] = Counter(entity.label for entity in record.entities)
    if record.attributions is not None:
        roles = ("source", "cue", "content")
        counts["attribution"] = Counter(r for a in record.attributions for r in roles if getattr(a, r) is not None)
    return counts
