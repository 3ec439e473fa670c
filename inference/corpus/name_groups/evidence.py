"""Groups of names, and what the articles that have a short form beside a full one say about it."""

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from claimstance.inference.corpus.name_groups.mentions import Mention

#: The share that must be right among the mentions of a short form that fits several names.
_MIN_PRECISION = 0.9
_EVIDENCE = """
    SELECT mention.id, alias.articles FROM alias JOIN mention ON mention.name = alias.fullest
    WHERE alias.name = ?
"""


class Groups:
    """Hold groups of ids that can be joined, as one number for each id."""

    def __init__(self, size: int) -> None:
        self._parents = array("q", range(size))

    def find(self, number: int) -> int:
        """Return the id that stands for the group of an id."""
        parents = self._parents
        while parents[number] != number:
            # Each step halves the path, so that later searches are short.
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def join(self, numbers: Iterable[int]) -> None:
        """Join the groups of several ids."""
        roots = {self.find(number) for number in numbers}
        # The least id stands for the group, whatever the order of joining.
        for root in roots:
            self._parents[root] = min(roots)

    def roots(self) -> Iterator[tuple[int, int]]:
        """Yield each id of a group with others, and the id that stands for the group."""
        count = len(self._parents)
        has_others = bytearray(count)
        for number in range(count):
            root = self.find(number)
            if root != number:
                has_others[root] = has_others[number] = True
        for number in range(count):
            if has_others[number]:
                yield number, self.find(number)


def meant_in_articles(
    connection: sqlite3.Connection,
    groups: Groups,
    short: Sequence[Mention],
    fitting: set[int],
    least: int,
) -> int | None:
    """Return the group that a short form means where an article has it beside a full one, if it is clear.

    The articles whose own names leave a short form alone are like the others, except those in which it fits
    several names: half of these are taken to be wrong.

    Args:
        connection: the database.
        groups: the groups.
        short: the mentions of the short form.
        fitting: the groups that the short form fits.
        least: the number of articles that must say so.
    """
    counts: Counter[int] = Counter()
    for mention in short:
        for number, articles in connection.execute(_EVIDENCE, (mention.name,)):
            counts[groups.find(number)] += articles
    # Within an article, a short form that fits several names stands for itself.
    own_groups = {groups.find(mention.id) for mention in short}
    unclear = sum(counts.pop(group, 0) for group in own_groups)
    if not counts:
        return None

    ((group, articles),) = counts.most_common(1)
    alone = sum(mention.articles for mention in short)
    share_unclear = min(unclear, alone) / alone
    precision = articles / counts.total() * (1 - share_unclear / 2)
    if group in fitting and articles >= least and precision >= _MIN_PRECISION:
        return group
    return None
