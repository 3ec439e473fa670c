"""Stratified random samples of units, drawn in one pass over the results.

A hash of the seed and the key of a unit is its rank in the draw. So the sample does not depend on
the order of the articles, and a larger sample with the same seed contains the smaller one: rows that were
coded stay valid if more are needed.

Strata get rows in proportion to the square root of their size, and at least two, so that small outlets and
rare labels can be judged, too. The weight of a row states how many units it stands for.
"""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from claimstance.inference.corpus.sampling.reading import read_articles_once
from claimstance.inference.corpus.sampling.units import (
    Unit,
    UnitKind,
    units_of,
)
from claimstance.model.errors import ConfigError, InputError, shorten, unknown

SEED = 13
#: Fewer rows of a stratum show nothing of how much its units differ.
_MIN_ROWS = 2
_UNKNOWN = "unknown"
_ALL = "all"


#: What strata can be made of, and how a unit's value is found.
STRATIFIERS: dict[str, Callable[[Unit], str]] = {
    "outlet": lambda unit: str(unit.article.meta.get("outlet") or _UNKNOWN),
    "label": lambda unit: unit.answer.label,
    "target": lambda unit: unit.stance.target if unit.stance else "",
}


@dataclass(frozen=True)
class SampledUnit:
    """Represent a drawn unit, with what a person needs to code it.

    Attributes:
        key: what identifies it.
        doc_id: the article.
        title: the title of the article; empty if unknown, as the next two.
        outlet: its outlet.
        date: its date, as stated in the input.
        sentence: the index of the sentence.
        holder: who holds the stance; empty for the text itself, and for a sentence.
        target: the target of the stance; empty for a sentence.
        text: the sentence.
        before: the sentence before it.
        after: the sentence after it.
        label: the model's label.
        probability: its probability.
        stratum: the stratum.
    """

    key: str
    doc_id: str
    title: str
    outlet: str
    date: str
    sentence: int
    holder: str
    target: str
    text: str
    before: str
    after: str
    label: str
    probability: float
    stratum: str


@dataclass(frozen=True)
class Sample:
    """Represent a stratified random sample.

    Attributes:
        kind: the kind of its units.
        labels: the labels that a unit can have.
        rows: the drawn units. Any first part of them is a stratified random sample, too.
        strata: stratum → the number of its units in the results.
    """

    kind: UnitKind
    labels: Sequence[str]
    rows: Sequence[SampledUnit]
    strata: Mapping[str, int]

    @property
    def units(self) -> int:
        """Return the number of units in the results."""
        return sum(self.strata.values())


def draw_sample(
    paths: Sequence[Path],
    kind: UnitKind,
    size: int,
    by: Sequence[str] = ("label",),
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
) -> Sample:
    """Return a random sample of the units in files and folders of results; all of them if they are few.

    Args:
        paths: JSON Lines or Parquet files that ``claimstance tag`` wrote, and folders of them.
        kind: the kind of units.
        size: the number of rows.
        by: the keys of ``STRATIFIERS`` whose values make the strata; none for a simple random sample.
        seed: the seed of the random draw.
        progress: called for each article with the bytes that it takes in its file.

    Raises:
        ConfigError: if a key is unknown, or the size is too small for the strata.
        InputError: if the results cannot be read, or contain no unit.
    """
    for key in by:
        if key not in STRATIFIERS:
            raise ConfigError(f"--by: {unknown('key', key, STRATIFIERS)}")
    if kind is UnitKind.sentences and "target" in by:
        raise ConfigError("--by: expected outlet or label for sentences, found target")

    strata: dict[str, _Stratum] = {}
    labels: dict[str, None] = {}  # in order, each once
    for article in read_articles_once(paths, progress):
        for unit in units_of(article, kind):
            # Such as "outlet=Coast Herald, label=favor".
            name = ", ".join(f"{key}={STRATIFIERS[key](unit)}" for key in by) or _ALL
            stratum = strata.setdefault(name, _Stratum(size))
            stratum.add(unit, name, seed)
            labels.update(dict.fromkeys(unit.answer.probabilities))
    if not strata:
        listed = ", ".join(map(str, paths))
        raise InputError(f"{listed}: expected {kind.value} that count, found none")

    sizes = {name: strata[name].units for name in sorted(strata)}
    ranked: list[tuple[float, str, SampledUnit]] = []
    for name, count in allocate(sizes, size, by).items():
        for index, sampled in enumerate(strata[name].first(count)):
            # The units of each stratum are spread evenly from 0 to 1, so that any first part of the rows has
            # its share of each stratum; the key settles equal ranks.
            rank = (index + 0.5) / count
            ranked.append((rank, sampled.key, sampled))
    ranked.sort(key=lambda item: item[:2])
    rows = [sampled for _, _, sampled in ranked]
    return Sample(kind, list(labels), rows, sizes)


def allocate(sizes: Mapping[str, int], size: int, by: Sequence[str] = ()) -> dict[str, int]:
    """Return the number of rows of each stratum.

    Each stratum gets its least number; then one row after the other goes to the stratum with the highest
    ratio of the square root of its size to its rows. So a larger sample takes no row from any stratum.

    Args:
        sizes: the number of units of each stratum.
        size: the number of rows of all strata together.
        by: what the strata are made of, for the message.

    Raises:
        ConfigError: if the size is too small for the strata.
    """
    rows = {name: min(units, _MIN_ROWS) for name, units in sizes.items()}
    least = sum(rows.values())
    if size < least:
        raise ConfigError(
            f"--size: expected at least {least} rows for the {len(sizes)} strata of --by {','.join(by)} "
            f"(such as '{shorten(next(iter(sizes)))}'), found {size}"
        )
    # The highest ratio comes first: ratios are negative here, since a heap returns the least item.
    queue = [(-math.sqrt(sizes[name]) / count, name) for name, count in rows.items()]
    heapq.heapify(queue)
    free = size - least
    while free and queue:
        _, name = heapq.heappop(queue)
        if rows[name] == sizes[name]:
            continue  # all of its units are drawn
        rows[name] += 1
        free -= 1
        heapq.heappush(queue, (-math.sqrt(sizes[name]) / rows[name], name))
    return rows


@dataclass
class _Stratum:
    """Draw units of a stratum: keep those whose ranks are lowest.

    Attributes:
        size: the number of units to keep.
        units: the number of units so far.
    """

    size: int
    units: int = 0
    #: A heap of (negative rank, key, unit), with the highest rank first.
    _drawn: list[tuple[int, str, SampledUnit]] = field(default_factory=list)

    def add(self, unit: Unit, name: str, seed: int) -> None:
        """Count a unit, and keep it if its rank is low enough."""
        self.units += 1
        # The hash gives a number that looks random, and is the same each time.
        digest = blake2b(f"{seed} {unit.key}".encode(), digest_size=8).digest()
        negative_rank = -int.from_bytes(digest, "big")
        if len(self._drawn) < self.size:
            heapq.heappush(self._drawn, (negative_rank, unit.key, _sampled(unit, name)))
        elif negative_rank > self._drawn[0][0]:
            heapq.heapreplace(self._drawn, (negative_rank, unit.key, _sampled(unit, name)))

    def first(self, count: int) -> list[SampledUnit]:
        """Return the ``count`` units whose ranks are lowest, in the order of the ranks."""
        ordered = sorted(self._drawn, key=lambda item: -item[0])
        return [unit for _, _, unit in ordered[:count]]


def _sampled(unit: Unit, stratum: str) -> SampledUnit:
    """Return what a sheet states about a unit."""
    article = unit.article
    sentence = unit.sentence
    stance = unit.stance
    sentences = article.sentences
    index = unit.position
    return SampledUnit(
        key=unit.key,
        doc_id=article.doc_id,
        title=article.title or "",
        outlet=str(article.meta.get("outlet") or ""),
        date=str(article.meta.get("date") or ""),
        sentence=sentence.index,
        holder=(stance and stance.holder) or "",
        target=stance.target if stance else "",
        text=sentence.text,
        before=sentences[index - 1].text if index else "",
        after=sentences[index + 1].text if index + 1 < len(sentences) else "",
        label=unit.answer.label,
        probability=unit.answer.probability,
        stratum=stratum,
    )
