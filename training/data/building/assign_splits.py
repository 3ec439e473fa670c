"""Assignment of rows to splits, and of rows to groups that stay together: the section ``data.split``."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from claimstance.model.errors import InputError
from claimstance.training.data.building.duplicates import SketchedTexts, merge_near_duplicates
from claimstance.training.data.building.groups import (
    HashKeys,
    RowIndices,
    pair_equal_keys,
    union_groups,
)
from claimstance.training.data.building.indexing import BAD_DATE, NO_DATE, NO_SPLIT, LabelProfile
from claimstance.training.data.building.rows import DatasetRows
from claimstance.training.data.building.split_groups import (
    GroupedRows,
    SplitIndices,
    Strata,
    achieved_shares,
    split_by_date,
    split_stratified,
)
from claimstance.training.data.config import Split
from claimstance.training.data.splits import SPLITS

_KINDS = {
    "document": "documents or sentences",
    "outlet": "outlets with no text in common (nor a near-duplicate: data.split.near, data.split.short)",
    "target": "sets of targets that share no document",
}


class SplitReport(BaseModel):
    """Report how the rows without a split were assigned.

    Attributes:
        by: the criterion of the split, such as ``document`` or ``date``.
        near: similarity from which texts stayed together; ``None`` if only equal texts did.
        short: texts of fewer words did not join documents.
        folds: number of folds; ``None`` without folds.
        fold: the fold that is the test split.
        groups: number of groups of rows that stay together.
        largest_group: number of rows of the largest group.
        shares: split → ``rows``, or task and label → the requested share and the achieved share.
    """

    by: str
    near: float | None
    short: int = 0
    folds: int | None
    fold: int
    groups: int
    largest_group: int
    shares: dict[str, dict[str, list[float]]]


def assign_splits(rows: DatasetRows, split: Split) -> SplitReport | None:
    """Assign each row without a split to one; return ``None`` if there are no such rows.

    Rows of one document, with the same text (without case and punctuation) or with near-duplicate texts stay
    in one split. So do rows of one outlet, or with a common target, if ``split.by`` says so. Short texts do
    not join documents: in PolNeAR, texts such as "9:05 a.m." put 37 % of the sentences into the largest of
    599 groups of articles.

    Raises:
        ConfigError: if two folds leave no rows to train on.
        InputError: if there are fewer groups than splits, or a row lacks the outlet, date or target that the
            split needs.
    """
    unassigned = np.flatnonzero(rows.split == NO_SPLIT)
    if not len(unassigned):
        return None
    profiles = rows.column("profile")[unassigned].astype(np.int32)
    days = None
    # Dates are checked first, since the search for near-duplicates may take long.
    if split.by == "date":
        days = rows.column("date")[unassigned].astype(np.int32)
        message = "meta.date: expected a date such as 2024-01-31, found another form"
        _require(rows, unassigned, days != BAD_DATE, message)
        message = "meta.date: expected a date, to divide by it, found none"
        _require(rows, unassigned, days != NO_DATE, message)
    groups = _groups(rows, unassigned, split)
    grouped_rows = GroupedRows(groups, profiles, [strata(profile) for profile in rows.profiles])
    indices, shares = _assign(grouped_rows, split, days)
    rows.split[unassigned] = indices

    reported_shares = achieved_shares(grouped_rows, indices, shares)
    for by_stratum in reported_shares.values():
        for stratum in list(by_stratum):
            # Corpora are spread evenly, too, but the report is about labels.
            if stratum.startswith("corpus "):
                del by_stratum[stratum]

    # Groups are identified by their first rows, so that their ids are not consecutive.
    _, sizes = np.unique(groups, return_counts=True)
    return SplitReport(
        by=split.by,
        near=split.near,
        short=split.short,
        folds=split.folds,
        fold=split.fold,
        groups=len(sizes),
        largest_group=int(sizes.max()),
        shares=reported_shares,
    )


def strata(profile: LabelProfile) -> Strata:
    """Return the strata of a row: rows, its corpus, and its labels."""
    counts = [("rows", 1), (f"corpus {profile.corpus}", 1)]
    for (task, label), count in profile.labels:
        if label is not None:
            counts.append((f"{task} {label}", count))
    return counts


def _groups(rows: DatasetRows, unassigned: RowIndices, split: Split) -> RowIndices:
    """Return the group of each unassigned row."""
    words = rows.column("words")[unassigned].astype(np.int32)
    documents = rows.documents[unassigned]
    # Short texts recur in many documents, and would tie all of them together.
    is_short = (words < split.short) & (documents != 0)
    # Rows with the key 0 are not joined.
    texts = np.where(is_short, np.uint64(0), rows.keys("text")[unassigned])

    groups = union_groups(np.arange(len(unassigned)), pair_equal_keys(documents))
    groups = union_groups(groups, pair_equal_keys(texts))
    if split.by == "outlet":
        outlets = rows.keys("outlet")[unassigned]
        message = "meta.outlet: expected an outlet, to divide by it, found none"
        _require(rows, unassigned, outlets != 0, message)
        groups = union_groups(groups, pair_equal_keys(outlets))
    elif split.by == "target":
        targets = rows.values_by_row("targets", unassigned)
        message = "stances: expected a target, to divide by it, found none"
        _require(rows, unassigned, targets.sizes > 0, message)
        groups = union_groups(groups, pair_equal_keys(targets.values, targets.rows))
    if split.near is not None:
        groups = _merge_similar(groups, rows, unassigned, texts)
    return groups


def _merge_similar(
    groups: RowIndices, rows: DatasetRows, unassigned: RowIndices, texts: HashKeys
) -> RowIndices:
    """Return the groups after merging those with near-duplicate texts.

    Args:
        groups: the group of each unassigned row.
        rows: all rows.
        unassigned: the rows without a split.
        texts: the text of each unassigned row; 0 if it joins no groups.
    """
    # One row represents each text in the search for near-duplicates.
    distinct_texts, first_rows = np.unique(texts, return_index=True)
    first_rows = np.sort(first_rows[distinct_texts != 0])
    store_rows = rows.store_rows[unassigned[first_rows]]
    sketched = SketchedTexts(rows.store.row_store, store_rows, rows.store.threshold)
    # A group of texts is identified by its first text, where a group of rows is by its first row.
    row_groups = groups[first_rows]
    _, first_texts, numbers = np.unique(row_groups, return_index=True, return_inverse=True)
    text_groups = merge_near_duplicates(sketched, first_texts[numbers])
    return union_groups(groups, (first_rows, first_rows[text_groups]))


def _require(
    rows: DatasetRows, unassigned: RowIndices, is_valid: NDArray[np.bool_], message: str
) -> None:
    """Raise ``InputError`` with the first row that is not valid."""
    invalid_rows = unassigned[~is_valid]
    if len(invalid_rows):
        location = rows.location(int(invalid_rows[0]))
        raise InputError(f"{location}: {message} ({len(invalid_rows)} such rows)")


def _assign(
    grouped_rows: GroupedRows, split: Split, days: NDArray[np.int32] | None
) -> tuple[SplitIndices, dict[str, float]]:
    """Return the split of each row, as an index in ``SPLITS``, and the requested shares.

    Of several folds, one becomes test, the next one dev, and the others train.
    """
    count = split.folds
    if count is None:
        shares = {name: float(getattr(split, name)) for name in SPLITS}
    else:
        shares = {f"fold {number}": 1 / count for number in range(count)}
    if days is not None:
        indices = split_by_date(days, grouped_rows, shares)
    else:
        indices = split_stratified(grouped_rows, shares, split.seed, _KINDS[split.by])
    if count is None:
        return indices, shares

    next_fold = (split.fold + 1) % count
    fold_splits = np.full(count, SPLITS.index("train"), dtype=np.int8)
    fold_splits[split.fold] = SPLITS.index("test")
    fold_splits[next_fold] = SPLITS.index("dev")
    shares = {"train": 1 - 2 / count, "dev": 1 / count, "test": 1 / count}
    return fold_splits[indices], shares
