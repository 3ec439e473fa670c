"""The figures of a report on a corpus, as data classes; ``summary`` fills them."""

from dataclasses import dataclass

#: The numbers of the text itself as a holder, and of all holders and targets without a name. People have numbers above.
TEXT_ITSELF, UNNAMED = 0, -1
#: The number of all targets together that have no column in the matrix.
OTHER_TARGETS = 0
#: The model is rather unsure of an attribution with a lower probability.
UNSURE = 0.5

Sides = dict[str, int]  # label → number of stances


@dataclass(frozen=True)
class Overview:
    """Represent the sums over a corpus.

    Attributes:
        articles: the number of articles.
        sentences: their sentences.
        claims: sentences that make a claim.
        statements: attributions.
        unsure: attributions whose probability is below ``UNSURE``.
        named: attributions whose source has a name.
        named_words: words of the contents of those.
        sources: people and bodies that make a statement.
        holders: sources that take a side.
        targets: whoever or whatever a side is taken on.
        pairs: sources with a target that they take sides on.
        sides: stances that count, by label.
        own_sides: those of the text itself among them.
        abstained: stances from which the model abstains.
        least_probability: the least probability of a stance that counts and has a holder; ``None`` without one.
        undated: articles without a date.
        first: the first date, as an ISO day; empty without one.
        last: the last date.
    """

    articles: int
    sentences: int
    claims: int
    statements: int
    unsure: int
    named: int
    named_words: int
    sources: int
    holders: int
    targets: int
    pairs: int
    sides: Sides
    own_sides: Sides
    abstained: int
    least_probability: float | None
    undated: int
    first: str
    last: str


@dataclass(frozen=True)
class Outlet:
    """Represent an outlet, or all the others together; the name is empty if results state none."""

    name: str
    articles: int
    sentences: int
    claims: int
    words: int
    statements: int
    named: int
    named_words: int
    sides: Sides


@dataclass(frozen=True)
class SourceRow:
    """Represent a source; ``by_outlet`` has its statements in each outlet."""

    person: int
    name: str
    statements: int
    words: int
    articles: int
    by_outlet: tuple[int, ...]


@dataclass(frozen=True)
class TargetRow:
    """Represent a target; ``by_outlet`` has the sides in each outlet."""

    person: int
    name: str
    sides: Sides
    own_sides: Sides
    articles: int
    by_outlet: tuple[Sides, ...]


@dataclass(frozen=True)
class Pair:
    """Represent a named source and a target that it takes sides on."""

    holder: int
    holder_name: str
    target: int
    target_name: str
    sides: Sides
    articles: int


@dataclass(frozen=True)
class Cell:
    """Represent the number of stances of a holder on a target with one label, in one outlet.

    ``target`` is ``OTHER_TARGETS`` for all that are not in ``matrix_targets``.
    """

    holder: int
    target: int
    outlet: int
    label: str
    count: int


@dataclass(frozen=True)
class Course:
    """Represent the counts of one outlet, source or target over time, one for each period."""

    name: str
    statements: tuple[int, ...] = ()
    sides: dict[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Series:
    """Represent counts over time.

    Attributes:
        unit: ``day``, ``week``, ``month`` or ``year``.
        periods: the first day of each period, as an ISO day, without gaps.
        outlets: a course for each outlet.
        sources: courses of those who speak most, with statements.
        targets: courses of those on whom most sides are taken, with sides.
    """

    unit: str
    periods: tuple[str, ...]
    outlets: tuple[Course, ...]
    sources: tuple[Course, ...]
    targets: tuple[Course, ...]


@dataclass(frozen=True)
class Summary:
    """Represent all figures of a report.

    Attributes:
        overview: the sums.
        labels: the labels of stances that count, the usual ones first.
        outlets: those with the most articles first, then all the others together.
        outlet_count: the number of outlets that have a name.
        sources: those who speak most, over all and in each outlet, by their number of statements.
        top_sources: those who speak most in each outlet, as rows of ``sources``.
        targets: those on whom most sides are taken.
        pairs: named sources with the targets that they take sides on most often.
        own: targets on which the texts themselves take sides most often.
        holders: the rows of the matrix: numbers of people → names, those with the most sides first.
        matrix_targets: its columns in the same way.
        cells: its counts.
        series: counts over time; ``None`` for a single period, or more than ``MOST_PERIODS``.
    """

    overview: Overview
    labels: tuple[str, ...]
    outlets: tuple[Outlet, ...]
    outlet_count: int
    sources: tuple[SourceRow, ...]
    top_sources: tuple[tuple[SourceRow, ...], ...]
    targets: tuple[TargetRow, ...]
    pairs: tuple[Pair, ...]
    own: tuple[TargetRow, ...]
    holders: dict[int, str]
    matrix_targets: dict[int, str]
    cells: tuple[Cell, ...]
    series: Series | None

    def people(self) -> dict[int, str]:
        """Return number → name of everybody in the figures, without the text itself."""
        names = {source.person: source.name for source in self.sources}
        for target in (*self.targets, *self.own):
            names[target.person] = target.name
        for pair in self.pairs:
            names[pair.holder] = pair.holder_name
            names[pair.target] = pair.target_name
        names.update(self.holders)
        names.update(self.matrix_targets)
        names.pop(TEXT_ITSELF, None)
        return names
