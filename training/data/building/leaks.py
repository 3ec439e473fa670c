"""What two splits share: the same texts, nearly the same, the same questions, documents, outlets and targets.

A model that was trained on a sentence knows it. Whoever divides rows anew has none of it; a split that is given may.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from claimstance.training.data.building.duplicates import Search, Texts, search
from claimstance.training.data.building.groups import Keys, Places
from claimstance.training.data.building.rows import Rows
from claimstance.training.data.splits import SPLITS

EXAMPLES = 5


class Overlap(BaseModel):
    """What two splits share.

    Attributes:
        first: a split.
        second: a later one.
        exact: rows of ``second`` whose text, but for case and punctuation, is in ``first``.
        near: rows of ``second`` without such a twin that have a near-duplicate in ``first``.
        short: of both, those so short that they tie no documents together (``data.split.short``).
        repeated: rows of ``second`` of which ``first`` has the text with all the same questions and answers.
        documents: documents that are in both.
        outlets: outlets that are in both.
        targets: targets of stances that are in both, by their words.
        examples: of near-duplicates: the id in ``second``, the id in ``first``, and the similarity.
        exact_examples: of the rows that ``exact`` counts: the id in ``second``, the id in ``first``.
        repeated_examples: of those that ``repeated`` counts.
    """

    first: str
    second: str
    exact: int
    near: int
    short: int = 0
    repeated: int
    documents: int
    outlets: int
    targets: int
    examples: list[tuple[str, str, float]]
    exact_examples: list[tuple[str, str]]
    repeated_examples: list[tuple[str, str]]


def overlaps(rows: Rows, short: int = 0) -> list[Overlap]:
    """What each two splits share, each with those after it.

    Args:
        rows: of the splits; near-duplicates are those of ``rows.store.near``.
        short: texts of documents with fewer words are counted as short.
    """
    splits = {name: held for name in SPLITS if len(held := rows.of_split(name))}
    if len(splits) < 2:
        return []
    _, firsts, texts = np.unique(rows.keys("text"), return_index=True, return_inverse=True)
    pairs = list(combinations(splits, 2))
    searches = _search(rows, splits, firsts, texts, pairs)
    is_short = (rows.column("words").astype(np.int32) < short) & (rows.documents != 0)
    return [
        _overlap(rows, pair, splits[pair[0]], splits[pair[1]], texts, found, is_short)
        for pair, found in zip(pairs, searches, strict=True)
    ]


def _search(
    rows: Rows,
    splits: dict[str, Places],
    firsts: Places,
    texts: Places,
    pairs: Sequence[tuple[str, str]],
) -> list[Search]:
    held = {}
    for name, of_split in splits.items():
        held[name] = np.zeros(len(firsts), dtype=np.bool_)
        held[name][texts[of_split]] = True
    searches = [
        Search(known=held[first], asked=held[second] & ~held[first]) for first, second in pairs
    ]
    search(Texts(rows.store.spool, rows.spooled(firsts), rows.store.near), searches)
    return searches


def _overlap(
    rows: Rows,
    pair: tuple[str, str],
    first: Places,
    second: Places,
    texts: Places,
    found: Search,
    is_short: NDArray[np.bool_],
) -> Overlap:
    exact = second[found.known[texts[second]]]
    near = second[found.twins[texts[second]] >= 0]
    repeats, answers = _repeats(rows, first, second)
    some = near[np.sort(np.unique(texts[near], return_index=True)[1])][
        :EXAMPLES
    ]  # one row of a text
    outlets = rows.keys("outlet")
    return Overlap(
        first=pair[0],
        second=pair[1],
        exact=len(exact),
        near=len(near),
        short=int(is_short[exact].sum() + is_short[near].sum()),
        repeated=len(repeats),
        documents=_shared(rows.documents[first], rows.documents[second]),
        outlets=_shared(outlets[first], outlets[second]),
        targets=_shared(rows.values("targets", first), rows.values("targets", second)),
        examples=[
            (
                rows.name(row),
                rows.name(_row_of(texts, first, found.twins[texts[row]])),
                round(float(found.similarities[texts[row]]), 3),
            )
            for row in some.tolist()
        ],
        exact_examples=[
            (rows.name(row), rows.name(_row_of(texts, first, texts[row])))
            for row in exact[:EXAMPLES].tolist()
        ],
        repeated_examples=[
            (rows.name(row), rows.name(rows.first_with("asked", answer, first)))
            for row, answer in zip(repeats[:EXAMPLES].tolist(), answers[:EXAMPLES], strict=True)
        ],
    )


def _repeats(rows: Rows, first: Places, second: Places) -> tuple[Places, Keys]:
    """The rows of which ``first`` has all answers, and one of these answers each."""
    asked = rows.several("asked", second)
    known = _among(asked.values, rows.values("asked", first))
    missed = np.bincount(asked.rows[~known], minlength=len(second))
    places = np.flatnonzero((missed == 0) & (asked.sizes > 0))
    return second[places], asked.values[asked.starts[places]]


def _among(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """Which keys are among others, which are put in order."""
    others.sort()
    if not len(others):
        return np.zeros(len(keys), dtype=np.bool_)
    at = np.minimum(np.searchsorted(others, keys), len(others) - 1)
    return np.asarray(others[at] == keys)


def _row_of(texts: Places, rows: Places, text: int) -> int:
    """The first of some rows that has a text."""
    return int(rows[np.argmax(texts[rows] == text)])


def _shared(first: Keys, second: Keys) -> int:
    """How many keys are in both."""
    keys = np.unique(second)
    return int(np.count_nonzero(keys[_among(keys, first)]))
