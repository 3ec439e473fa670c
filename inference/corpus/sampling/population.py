"""A hand-coded sample beside all answers that it was drawn from, for shares that the sample corrects."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from claimstance.inference.corpus.correction import Coded, CorrectedShare, corrected_share
from claimstance.inference.corpus.sampling.reading import read_articles_once
from claimstance.inference.corpus.sampling.sheets import GOLD, CodedRow, LabelledSample
from claimstance.inference.corpus.sampling.units import (
    Unit,
    UnitKind,
    sides,
    units_of,
)
from claimstance.inference.writers.text import escape_formula
from claimstance.model.errors import ConfigError, InputError, shorten, unknown

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Population:
    """Represent all units of some results, some of which are coded by hand.

    Attributes:
        kind: the kind of the units.
        labels: the names of their labels.
        predicted: the model's label of each unit, as a position in ``labels``.
        articles: the number of each unit's article, from 0.
        outlets: the outlet of each article; empty if unknown.
        target_names: the targets of stances, as the results have them.
        targets: the target of each stance, as a position in ``target_names``; empty for sentences.
        coded: the coded units; their labels are positions in ``labels``.
    """

    kind: UnitKind
    labels: Sequence[str]
    predicted: Array
    articles: Array
    outlets: Sequence[str]
    target_names: Sequence[str]
    targets: Array
    coded: Coded

    def corrected_share(
        self, label: str, outlet: str | None = None, target: str | None = None
    ) -> CorrectedShare | None:
        """Return the share of a label, corrected by the coded units; ``None`` if they are too few.

        The share of a side is among the stances that take a side. Any other share is among all units.

        Args:
            label: the label.
            outlet: the outlet whose articles count; all if not given.
            target: the target whose stances count; all if not given.

        Raises:
            ConfigError: if the label does not exist, or a target is given for sentences.
        """
        if target is not None and self.kind is UnitKind.sentences:
            raise ConfigError(f"target: expected none for sentences, found '{shorten(target)}'")
        chosen = np.ones(len(self.predicted), dtype=bool)
        if outlet is not None:
            chosen &= (np.array(self.outlets, dtype=object) == outlet)[self.articles]
        if target is not None:
            chosen &= (np.array(self.target_names, dtype=object) == target)[self.targets]
        return self.corrected_share_of(chosen, label)

    def corrected_share_of(self, chosen: Array, label: str) -> CorrectedShare | None:
        """Return the corrected share of a label among chosen units, as ``corrected_share`` does.

        Args:
            chosen: whether each unit counts.
            label: the label.

        Raises:
            ConfigError: if the label does not exist.
        """
        if label not in self.labels:
            raise ConfigError(unknown("label", label, self.labels))
        among = None
        if self.kind is UnitKind.stances and label in sides(self.labels):
            among = [self.labels.index(side) for side in sides(self.labels)]
        # The position of a coded unit among the chosen ones is the number of chosen units before it.
        is_coded = chosen[self.coded.positions]
        positions = np.cumsum(chosen)[self.coded.positions[is_coded]] - 1
        coded = Coded(positions, self.coded.labels[is_coded], self.coded.weights[is_coded])
        return corrected_share(
            self.predicted[chosen], self.articles[chosen], coded, self.labels.index(label), among
        )


def read_population(
    paths: Sequence[Path],
    sample: LabelledSample,
    progress: Callable[[int], None] | None = None,
) -> Population:
    """Return the units of the results that a sample was drawn from, with the labels of the sample.

    Args:
        paths: the files and folders of results.
        sample: the coded sample.
        progress: called for each article with the bytes that it takes in its file.

    Raises:
        InputError: if the results cannot be read, a row of the sample does not belong to them, or it has a
            label that does not exist.
    """
    collector = _UnitCollector(sample)
    for article in read_articles_once(paths, progress):
        collector.begin_article(str(article.meta.get("outlet") or ""))
        for unit in units_of(article, sample.kind):
            collector.add(unit)
    return collector.finish()


class _UnitCollector:
    """Collect the units of results in arrays, a few bytes for each."""

    def __init__(self, sample: LabelledSample) -> None:
        self._sample = sample
        self._rows = {row.unit: row for row in sample.rows}
        self._positions: dict[str, int] = {}  # of the coded units
        self._labels: dict[str, int] = {}
        self._targets: dict[str, int] = {}
        self._outlets: list[str] = []
        self._label_column = array("i")
        self._article_column = array("i")
        self._target_column = array("i")

    def begin_article(self, outlet: str) -> None:
        """Begin the article that the next units belong to."""
        self._outlets.append(outlet)

    def add(self, unit: Unit) -> None:
        """Add a unit; its row of the sample must have the same label of the model."""
        answer = unit.answer
        for label in answer.probabilities:
            self._labels.setdefault(label, len(self._labels))
        row = self._rows.get(unit.key)
        if row is not None:
            # A sheet has labels that look like formulas with an apostrophe before them.
            if row.model_label not in (answer.label, escape_formula(answer.label)):
                raise InputError(
                    f"{row.where}: model_label: expected '{answer.label}' as in the results, found "
                    f"'{shorten(row.model_label)}': give the results that the sample was drawn from"
                )
            self._positions[unit.key] = len(self._label_column)
        self._label_column.append(self._labels[answer.label])
        self._article_column.append(len(self._outlets) - 1)
        if unit.stance is not None:
            number = self._targets.setdefault(unit.stance.target, len(self._targets))
            self._target_column.append(number)

    def finish(self) -> Population:
        """Return the population, once all units are added."""
        sample, units = self._sample, len(self._label_column)
        for row in sample.rows:
            if row.unit not in self._positions:
                raise InputError(
                    f"{row.where}: unit: expected an answer of the results, found {shorten(row.unit)}, which "
                    "they lack: give the results that the sample was drawn from"
                )
        if units != sample.units:
            raise InputError(
                f"{sample.path}: expected the results that the sample was drawn from, with {sample.units:,} "
                f"{sample.kind.value}, found {units:,}"
            )
        coded = Coded(
            np.array([self._positions[row.unit] for row in sample.rows]),
            np.array([self._gold(row) for row in sample.rows]),
            np.array(sample.weights()),
        )
        return Population(
            kind=sample.kind,
            labels=list(self._labels),
            predicted=np.array(self._label_column),
            articles=np.array(self._article_column),
            outlets=self._outlets,
            target_names=list(self._targets),
            targets=np.array(self._target_column),
            coded=coded,
        )

    def _gold(self, row: CodedRow) -> int:
        """Return the number of a row's gold label, whose capitals do not matter."""
        for label, number in self._labels.items():
            if row.gold.casefold() in (label.casefold(), escape_formula(label).casefold()):
                return number
        raise InputError(f"{row.where}: {GOLD}: {unknown('label', row.gold, self._labels)}")
