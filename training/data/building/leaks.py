"""Overlap between splits: equal texts, near-duplicates, equal answers, documents, outlets and targets.

A model knows the sentences that it was trained on. Splits that a build assigns share none of them; splits
that come with the data may.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from claimstance.training.data.building.duplicates import (
    DuplicateSearch,
    SketchedTexts,
    run_searches,
)
from claimstance.training.data.building.groups import HashKeys, RowIndices
from claimstance.training.data.building.rows import DatasetRows
from claimstance.training.data.splits import SPLITS

EXAMPLES = 5


class Overlap(BaseModel):
    """Report what two splits share.

    Attributes:
        first: a split.
        second: a later split.
        exact: rows of ``second`` whose text, without case and punctuation, is in ``first``.
        near: rows of ``second`` whose text is not in ``first``, but has a near-duplicate there.
        short: rows among both that are too short to join documents (``data.split.short``).
        repeated: rows of ``second`` whose text is in ``first`` with the same questions and answers.
        documents: documents that are in both.
        outlets: outlets that are in both.
        targets: targets of stances that are in both, by their words.
        examples: near-duplicates: the id in ``second``, the id in ``first``, and the similarity.
        exact_examples: rows that ``exact`` counts: the id in ``second``, the id in ``first``.
        repeated_examples: rows that ``repeated`` counts, likewise.
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


@dataclass(frozen=True)
class _SplitPair:
    """Represent two splits with their rows."""

    first: str
    second: str
    first_rows: RowIndices
    second_rows: RowIndices


def find_overlaps(rows: DatasetRows, short: int = 0) -> list[Overlap]:
    """Return what each pair of splits shares.

    Args:
        rows: the rows, all with a split. ``rows.store.threshold`` decides which texts are near-duplicates.
        short: texts of documents with fewer words count as short.
    """
    splits = {name: rows.in_split(name) for name in SPLITS}
    pairs = []
    for first, second in combinations(SPLITS, 2):
        if len(splits[first]) and len(splits[second]):
            pairs.append(_SplitPair(first, second, splits[first], splits[second]))
    if not pairs:
        return []

    _, first_rows, texts = np.unique(rows.keys("text"), return_index=True, return_inverse=True)
    in_split: dict[str, NDArray[np.bool_]] = {}  # split → for each text, if the split has it
    for name, split_rows in splits.items():
        in_split[name] = np.zeros(len(first_rows), dtype=np.bool_)
        in_split[name][texts[split_rows]] = True
    searches = []
    for pair in pairs:
        indexed = in_split[pair.first]
        # Equal texts count as exact, and need no search.
        searches.append(DuplicateSearch(indexed, queries=in_split[pair.second] & ~indexed))

    store = rows.store
    sketched = SketchedTexts(store.row_store, rows.store_rows[first_rows], store.threshold)
    run_searches(sketched, searches)
    is_short = (rows.column("words").astype(np.int32) < short) & (rows.documents != 0)
    overlaps = []
    for pair, search in zip(pairs, searches, strict=True):
        overlaps.append(_overlap(rows, pair, texts, search, is_short))
    return overlaps


def _overlap(
    rows: DatasetRows,
    pair: _SplitPair,
    texts: RowIndices,
    search: DuplicateSearch,
    is_short: NDArray[np.bool_],
) -> Overlap:
    """Return what two splits share.

    Args:
        rows: all rows.
        pair: the two splits.
        texts: the text of each row, as a number.
        search: the near-duplicates of the second split's texts in the first split.
        is_short: for each row, if it is short.
    """
    first, second = pair.first_rows, pair.second_rows
    exact = second[search.indexed[texts[second]]]
    near = second[search.matches[texts[second]] >= 0]
    repeated, repeated_answers = _repeated_rows(rows, first, second)
    outlets = rows.keys("outlet")

    def row_with_text(text: int) -> int:
        """Return the first row of the first split that has a text."""
        return int(first[np.argmax(texts[first] == text)])

    # One row represents each text, so that the examples differ.
    _, near_indices = np.unique(texts[near], return_index=True)
    examples = []
    for row in near[np.sort(near_indices)][:EXAMPLES].tolist():
        text = texts[row]
        match = row_with_text(search.matches[text])
        similarity = round(float(search.similarities[text]), 3)
        examples.append((rows.row_id(row), rows.row_id(match), similarity))
    exact_examples = []
    for row in exact[:EXAMPLES].tolist():
        match = row_with_text(texts[row])
        exact_examples.append((rows.row_id(row), rows.row_id(match)))
    repeated_examples = []
    for row, answer in zip(repeated[:EXAMPLES].tolist(), repeated_answers, strict=False):
        match = rows.first_with("answers", answer, first)
        repeated_examples.append((rows.row_id(row), rows.row_id(match)))

    return Overlap(
        first=pair.first,
        second=pair.second,
        exact=len(exact),
        near=len(near),
        short=int(is_short[exact].sum() + is_short[near].sum()),
        repeated=len(repeated),
        documents=_count_common(rows.documents[first], rows.documents[second]),
        outlets=_count_common(outlets[first], outlets[second]),
        targets=_count_common(
            rows.all_values("targets", first), rows.all_values("targets", second)
        ),
        examples=examples,
        exact_examples=exact_examples,
        repeated_examples=repeated_examples,
    )


def _repeated_rows(
    rows: DatasetRows, first: RowIndices, second: RowIndices
) -> tuple[RowIndices, HashKeys]:
    """Return the rows of ``second`` whose answers are all in ``first``, and one answer of each."""
    answers = rows.values_by_row("answers", second)
    is_known = _is_in(answers.values, rows.all_values("answers", first))
    # A row repeats an earlier one only if the other split has all of its answers.
    new_answers = np.bincount(answers.rows[~is_known], minlength=len(second))
    indices = np.flatnonzero((new_answers == 0) & (answers.sizes > 0))
    return second[indices], answers.values[answers.starts[indices]]


def _is_in(keys: HashKeys, candidates: HashKeys) -> NDArray[np.bool_]:
    """Return for each key if it is among ``candidates``, which are sorted in place to save memory."""
    candidates.sort()
    if not len(candidates):
        return np.zeros(len(keys), dtype=np.bool_)
    indices = np.minimum(np.searchsorted(candidates, keys), len(candidates) - 1)
    return np.asarray(candidates[indices] == keys)


def _count_common(first: HashKeys, second: HashKeys) -> int:
    """Return how many distinct keys are in both; 0 is no key."""
    keys = np.unique(second)
    return int(np.count_nonzero(keys[_is_in(keys, first)]))
