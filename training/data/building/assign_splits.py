"""Which rows stay together and which split they go to: ``data.split``, carried out on the rows of a build."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from claimstance.model.errors import InputError
from claimstance.training.data.building.duplicates import Texts, connect_near
from claimstance.training.data.building.groups import Places, connect, link
from claimstance.training.data.building.indexing import BAD_DATE, NO_DATE, UNDIVIDED, Profile
from claimstance.training.data.building.rows import Rows
from claimstance.training.data.building.split_groups import (
    Codes,
    Division,
    Strata,
    by_date,
    divide,
    reached,
)
from claimstance.training.data.config import Split
from claimstance.training.data.splits import SPLITS

_KINDS = {
    "document": "documents or sentences",
    "outlet": "outlets with no text in common (nor a near-duplicate: data.split.near, data.split.short)",
    "target": "sets of targets that share no document",
}


class DivisionReport(BaseModel):
    """How the rows without a split were divided.

    Attributes:
        by: what was held out.
        near: similarity from which texts stayed together; ``None``: only equal texts did.
        short: texts of fewer words tied no documents together.
        folds: how many folds there were, and which of them is the test split.
        groups: how many groups of rows that stay together.
        largest_group: how many rows the largest has.
        shares: split → ``rows``, or task and label → the share of them that it was to get, and the share it got.
    """

    by: str
    near: float | None
    short: int = 0
    folds: int | None
    fold: int
    groups: int
    largest_group: int
    shares: dict[str, dict[str, list[float]]]


def divide_rows(rows: Rows, split: Split) -> DivisionReport | None:
    """Give each row without a split its own; ``None`` if there is none.

    Rows of one document, with one text (but for case and punctuation), and near-duplicates, are in one split; and so
    are those of one outlet, or with a target in common, if that is held out. Short texts tie no documents together:
    of PolNeAR's 599 groups of articles the largest had 37 % of the sentences, for such as "9:05 a.m.".

    Raises:
        ConfigError: if two folds leave nothing to train on.
        InputError: if there are fewer groups than splits, or a row lacks the outlet, date or target that it is to be
            divided by.
    """
    free = np.flatnonzero(rows.split == UNDIVIDED)
    if not len(free):
        return None
    profiles = rows.column("profile")[free].astype(np.int32)
    days = _days(rows, free) if split.by == "date" else None
    division = Division(
        _groups(rows, free, split), profiles, [strata(profile) for profile in rows.profiles]
    )
    if split.folds is not None:
        codes, shares = _fold(division, split, days)
    else:
        shares = {name: float(getattr(split, name)) for name in SPLITS}
        codes = _divide(division, split, days, shares)
    rows.split[free] = codes
    _, sizes = np.unique(division.groups, return_counts=True)
    return DivisionReport(
        by=split.by,
        near=split.near,
        short=split.short,
        folds=split.folds,
        fold=split.fold,
        groups=len(sizes),
        largest_group=int(sizes.max()),
        shares=_without_corpora(reached(division, codes, shares)),
    )


def strata(profile: Profile) -> Strata:
    """What is to be spread evenly: rows, by corpus, and labels."""
    labels = [(f"{task} {label}", n) for task, counts in profile.labels for label, n in counts]
    return [("rows", 1), (f"corpus {profile.corpus}", 1), *labels]


def _without_corpora(
    shares: dict[str, dict[str, list[float]]],
) -> dict[str, dict[str, list[float]]]:
    return {
        name: {stratum: pair for stratum, pair in of.items() if not stratum.startswith("corpus ")}
        for name, of in shares.items()
    }


def _groups(rows: Rows, free: Places, split: Split) -> Places:
    is_short = (rows.column("words")[free].astype(np.int32) < split.short) & (
        rows.documents[free] != 0
    )
    texts = np.where(is_short, np.uint64(0), rows.keys("text")[free])  # 0 ties nothing
    groups = connect(np.arange(len(free)), link(rows.documents[free]))
    groups = connect(groups, link(texts))
    if split.by == "outlet":
        outlets = rows.keys("outlet")[free]
        _require(
            rows, free, outlets != 0, "meta.outlet: expected an outlet, to divide by it, found none"
        )
        groups = connect(groups, link(outlets))
    elif split.by == "target":
        targets = rows.several("targets", free)
        _require(
            rows, free, targets.sizes > 0, "stances: expected a target, to divide by it, found none"
        )
        groups = connect(groups, link(targets.values, targets.rows))
    return groups if split.near is None else _connect_near(rows, free, texts, groups)


def _connect_near(rows: Rows, free: Places, keys: NDArray[np.uint64], groups: Places) -> Places:
    found, firsts = np.unique(keys, return_index=True)  # one row of each text
    firsts = np.sort(firsts[found != 0])
    texts = Texts(rows.store.spool, rows.spooled(free[firsts]), rows.store.near)
    # Groups among the texts are numbered by text.
    _, seen, places = np.unique(groups[firsts], return_index=True, return_inverse=True)
    before = seen[places]
    after = connect_near(texts, before)
    return connect(groups, (firsts, firsts[after]))


def _days(rows: Rows, free: Places) -> NDArray[np.int32]:
    days = rows.column("date")[free].astype(np.int32)
    _require(
        rows,
        free,
        days != BAD_DATE,
        "meta.date: expected a date such as 2024-01-31, found another form",
    )
    _require(rows, free, days != NO_DATE, "meta.date: expected a date, to divide by it, found none")
    return days


def _require(rows: Rows, free: Places, held: NDArray[np.bool_], problem: str) -> None:
    if not held.all():
        row = int(free[np.argmin(held)])
        raise InputError(f"{rows.where(row)}: {problem} ({int((~held).sum())} such rows)")


def _divide(
    division: Division, split: Split, days: NDArray[np.int32] | None, shares: Mapping[str, float]
) -> Codes:
    return (
        by_date(days, division, shares)
        if days is not None
        else divide(division, shares, split.seed, _KINDS[split.by])
    )


def _fold(
    division: Division, split: Split, days: NDArray[np.int32] | None
) -> tuple[Codes, dict[str, float]]:
    """One fold is test, the next one dev, the others train. By date, they are stretches of time."""
    count = split.folds or 0
    folds: Sequence[str] = [f"fold {number}" for number in range(count)]
    placed = _divide(division, split, days, dict.fromkeys(folds, 1 / count))
    role = np.full(count, SPLITS.index("train"), dtype=np.int8)
    role[split.fold], role[(split.fold + 1) % count] = SPLITS.index("test"), SPLITS.index("dev")
    return role[placed], {"train": 1 - 2 / count, "dev": 1 / count, "test": 1 / count}
