"""Shares of a report that a hand-coded sample corrects: overall, by outlet and by target."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from claimstance.inference.corpus.correction import MIN_CODED, CorrectedShare
from claimstance.inference.corpus.figures import TEXT_ITSELF, Summary
from claimstance.inference.corpus.sampling.population import Population
from claimstance.inference.corpus.sampling.units import UnitKind
from claimstance.model.errors import InputError
from claimstance.model.labels import CLAIM

#: The most targets whose shares are corrected.
TARGETS = 12
#: The numbers of holder and target of each stance that counts or takes no side.
_PEOPLE = f"""
    SELECT COALESCE(h.person, {TEXT_ITSELF}), t.person FROM stance
    LEFT JOIN member AS h ON h.name = holder JOIN member AS t ON t.name = target
    WHERE abstained = 0 ORDER BY stance.rowid
"""
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Corrected:
    """Represent a corrected share of a label.

    Attributes:
        kind: what the group is: ``all``, ``holder``, ``outlet`` or ``target``.
        name: the name of the group.
        label: the label.
        share: its share in the group.
    """

    kind: str
    name: str
    label: str
    share: CorrectedShare


@dataclass(frozen=True)
class Corrections:
    """Represent the shares that a sample corrects.

    Attributes:
        is_of_stances: whether the sample is of stances; else it is of sentences.
        units: the number of answers that the sample was drawn from.
        coded: the number of coded ones.
        agreement: the share of the model's labels that are right; ``None`` if too few are coded.
        rows: the shares.
        skipped: groups that have too few coded answers.
    """

    is_of_stances: bool
    units: int
    coded: int
    agreement: float | None
    rows: tuple[Corrected, ...]
    skipped: int
    least_coded: int = MIN_CODED


def corrections(
    connection: sqlite3.Connection, summary: Summary, population: Population
) -> Corrections:
    """Return corrected shares, once ``summarize`` has made its tables.

    Args:
        connection: the store of the results that the population was read from.
        summary: its figures.
        population: all answers, some of which are coded.

    Raises:
        InputError: if the population is not that of the store.
    """
    is_of_stances = population.kind is UnitKind.stances
    labels = list(summary.labels) if is_of_stances else [CLAIM[1]]
    if is_of_stances and set(labels) == {"favor", "against"}:
        labels.remove("favor")  # its share is what the other one lacks
    rows = []
    skipped = 0
    agreement = None
    for kind, name, chosen in _groups(connection, summary, population):
        for label in labels:
            if label not in population.labels:
                continue
            share = population.corrected_share_of(chosen, label)
            if share is None:
                skipped += 1
                continue
            rows.append(Corrected(kind, name, label, share))
            # The agreement is that of all units, whatever the label.
            if kind == "all":
                agreement = share.agreement
    return Corrections(
        is_of_stances=is_of_stances,
        units=len(population.predicted),
        coded=len(population.coded.positions),
        agreement=agreement,
        rows=tuple(rows),
        skipped=skipped,
    )


def _groups(
    connection: sqlite3.Connection, summary: Summary, population: Population
) -> Iterator[tuple[str, str, Array]]:
    """Yield kind and name of each group, and whether each unit belongs to it.

    Raises:
        InputError: if the stances of the population are not those of the database.
    """
    units = len(population.predicted)
    yield "all", "", np.ones(units, dtype=bool)
    if population.kind is UnitKind.stances:
        # The population has its stances in the order of the results, and so has the table.
        people = np.array(connection.execute(_PEOPLE).fetchall()).reshape(-1, 2)
        if len(people) != units:
            raise InputError(
                f"expected a sample of {len(people):,} stances as in the results, found one of {units:,}"
            )
        holders, targets = people.T
        yield "holder", "people", holders != TEXT_ITSELF
        yield "holder", "the texts themselves", holders == TEXT_ITSELF
        for target in summary.targets[:TARGETS]:
            yield "target", target.name, targets == target.person
    if summary.outlet_count > 1:
        rows = connection.execute("SELECT outlet FROM place ORDER BY article")
        outlet_of_article = np.array([outlet for (outlet,) in rows])
        outlets = outlet_of_article[population.articles]
        for number, outlet in enumerate(summary.outlets):
            if outlet.name:
                yield "outlet", outlet.name, outlets == number
