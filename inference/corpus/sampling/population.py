"""A hand-coded sample beside all answers that it was drawn from, for shares that the sample corrects."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from claimstance.inference.corpus.correction import Coded, CorrectedShare, corrected_share
from claimstance.inference.corpus.sampling.reading import read_articles_once
from claimstance.inference.corpus.sampling.sheets import GOLD, CodedRow, LabelledSample
from claimstance.inference.corpus.sampling.units import UnitKind, sides, units_of
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
        labels_with_side = sides(self.labels)
        if self.kind is UnitKind.stances and label in labels_with_side:
            among = [self.labels.index(side) for side in labels_with_side]
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
    rows = {row.unit: row for row in sample.rows}
    positions: dict[str, int] = {}  # of the coded units
    labels: dict[str, int] = {}
    targets: dict[str, int] = {}
    outlets: list[str] = []
    # Arrays take a few bytes for each unit.
    label_column, article_column, target_column = array("i"), array("i"), array("i")
    for article in read_articles_once(paths, progress):
        outlets.append(str(article.meta.get("outlet") or ""))
        for unit in units_of(article, sample.kind):
            for label in unit.answer.probabilities:
                labels.setdefault(label, len(labels))
            row = rows.get(unit.key)
            if row is not None:
                _check_model_label(row, unit.answer.label)
                positions[unit.key] = len(label_column)
            label_column.append(labels[unit.answer.label])
            article_column.append(len(outlets) - 1)
            if unit.stance is not None:
                target_column.append(targets.setdefault(unit.stance.target, len(targets)))

    _check_units(sample, positions, len(label_column))
    coded = Coded(
        np.array([positions[row.unit] for row in sample.rows]),
        np.array([_gold_number(row, labels) for row in sample.rows]),
        np.array(sample.weights()),
    )
    return Population(
        kind=sample.kind,
        labels=list(labels),
        predicted=np.array(label_column),
        articles=np.array(article_column),
        outlets=outlets,
        target_names=list(targets),
        targets=np.array(target_column),
        coded=coded,
    )


def _check_model_label(row: CodedRow, label: str) -> None:
    """Raise ``InputError`` unless a row of the sample has the label of the model that the results have."""
    # A sheet has labels that look like formulas with an apostrophe before them.
    if row.model_label not in (label, escape_formula(label)):
        raise InputError(
            f"{row.where}: model_label: expected '{label}' as in the results, found "
            f"'{shorten(row.model_label)}': give the results that the sample was drawn from"
        )


def _check_units(sample: LabelledSample, positions: Mapping[str, int], units: int) -> None:
    """Raise ``InputError`` unless a sample was drawn from the results.

    Args:
        sample: the sample.
        positions: the coded units that occur in the results.
        units: the number of units in the results.
    """
    for row in sample.rows:
        if row.unit not in positions:
            raise InputError(
                f"{row.where}: unit: expected an answer of the results, found {shorten(row.unit)}, which "
                "they lack: give the results that the sample was drawn from"
            )
    if units != sample.units:
        raise InputError(
            f"{sample.path}: expected the results that the sample was drawn from, with {sample.units:,} "
            f"{sample.kind.value}, found {units:,}"
        )


def _gold_number(row: CodedRow, labels: Mapping[str, int]) -> int:
    """Return the number of a row's gold label, whose capitals do not matter."""
    gold = row.gold.casefold()
    for label, number in labels.items():
        if gold in (label.casefold(), escape_formula(label).casefold()):
            return number
    raise InputError(f"{row.where}: {GOLD}: {unknown('label', row.gold, labels)}")
