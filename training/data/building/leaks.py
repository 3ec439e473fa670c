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
from claimstance.training.data.building.groups import HashKeys, RowIndices, is_in_sorted
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
    """Represent two splits with their rows.

    Attributes:
        first: a split.
        second: a later split.
        first_rows: the rows of the first split.
        second_rows: the rows of the second split.
        search: finds the near-duplicates of the second split's texts in the first split.
    """

    first: str
    second: str
    first_rows: RowIndices
    second_rows: RowIndices
    search: DuplicateSearch


def find_overlaps(rows: DatasetRows, short: int = 0) -> list[Overlap]:
    """Return what each pair of splits shares.

    Args:
        rows: the rows, all with a split. ``rows.store.threshold`` decides which texts are near-duplicates.
        short: texts of documents with fewer words count as short.
    """
    splits: dict[str, RowIndices] = {}
    for name in SPLITS:
        split_rows = rows.in_split(name)
        if len(split_rows):
            splits[name] = split_rows
    if len(splits) < 2:
        return []
    text_keys = rows.keys("text")
    _, first_rows, texts = np.unique(text_keys, return_index=True, return_inverse=True)
    pairs = []
    for first, second in combinations(splits, 2):
        indexed = np.zeros(len(first_rows), dtype=np.bool_)
        indexed[texts[splits[first]]] = True
        # Equal texts count as exact, and need no search.
        queries = np.zeros(len(first_rows), dtype=np.bool_)
        queries[texts[splits[second]]] = True
        queries &= ~indexed
        search = DuplicateSearch(indexed, queries)
        pairs.append(_SplitPair(first, second, splits[first], splits[second], search))

    store = rows.store
    sketched = SketchedTexts(store.row_store, rows.store_rows[first_rows], store.threshold)
    run_searches(sketched, [pair.search for pair in pairs])
    is_short = (rows.column("words").astype(np.int32) < short) & (rows.documents != 0)
    return [_overlap(rows, pair, texts, is_short) for pair in pairs]


def _overlap(
    rows: DatasetRows, pair: _SplitPair, texts: RowIndices, is_short: NDArray[np.bool_]
) -> Overlap:
    """Return what two splits share.

    Args:
        rows: all rows.
        pair: the two splits, whose search has been run.
        texts: the text of each row, as a number.
        is_short: for each row, if it is short.
    """
    first, second = pair.first_rows, pair.second_rows
    second_texts = texts[second]
    exact = second[pair.search.indexed[second_texts]]
    near = second[pair.search.matches[second_texts] >= 0]
    repeated, repeated_answers = _repeated_rows(rows, first, second)
    outlets = rows.keys("outlet")
    first_targets = rows.all_values("targets", first)
    second_targets = rows.all_values("targets", second)

    exact_examples = []
    for row in exact[:EXAMPLES].tolist():
        match = _first_with_text(pair, texts, texts[row])
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
        targets=_count_common(first_targets, second_targets),
        examples=_near_examples(rows, pair, texts, near),
        exact_examples=exact_examples,
        repeated_examples=repeated_examples,
    )


def _near_examples(
    rows: DatasetRows, pair: _SplitPair, texts: RowIndices, near: RowIndices
) -> list[tuple[str, str, float]]:
    """Return the ids and the similarity of the first near-duplicates among the rows ``near``."""
    # One row represents each text, so that the examples differ.
    _, indices = np.unique(texts[near], return_index=True)
    distinct = near[np.sort(indices)]
    examples = []
    for row in distinct[:EXAMPLES].tolist():
        text = texts[row]
        match = _first_with_text(pair, texts, pair.search.matches[text])
        similarity = round(float(pair.search.similarities[text]), 3)
        examples.append((rows.row_id(row), rows.row_id(match), similarity))
    return examples


def _first_with_text(pair: _SplitPair, texts: RowIndices, text: int) -> int:
    """Return the first row of the first split that has a text."""
    has_text = texts[pair.first_rows] == text
    return int(pair.first_rows[np.argmax(has_text)])


def _repeated_rows(
    rows: DatasetRows, first: RowIndices, second: RowIndices
) -> tuple[RowIndices, HashKeys]:
    """Return the rows of ``second`` whose answers are all in ``first``, and one answer of each."""
    answers = rows.values_by_row("answers", second)
    first_answers = rows.all_values("answers", first)
    first_answers.sort()  # in place, to save memory
    is_known = is_in_sorted(answers.values, first_answers)
    # A row repeats an earlier one only if the other split has all of its answers.
    new_answers = np.bincount(answers.rows[~is_known], minlength=len(second))
    indices = np.flatnonzero((new_answers == 0) & (answers.sizes > 0))
    return second[indices], answers.values[answers.starts[indices]]


def _count_common(first: HashKeys, second: HashKeys) -> int:
    """Return how many distinct keys are in both; 0 is no key. ``first`` is sorted in place to save memory."""
    first.sort()
    keys = np.unique(second)
    common = keys[is_in_sorted(keys, first)]
    return int(np.count_nonzero(common))
