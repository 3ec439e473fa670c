"""The main findings of a report in sentences: who speaks most, who is against whom, which outlets differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from claimstance.inference.corpus.differences import Differences
from claimstance.inference.corpus.figures import Sides, Summary
from claimstance.inference.corpus.intervals import OutletValue
from claimstance.inference.pages.charts import show_share
from claimstance.model.errors import plural

#: Differences between outlets that are told.
TOLD_DIFFERENCES = 6


class Piece(NamedTuple):
    """Represent a piece of a sentence: its text, and whether it is a name."""

    text: str
    is_name: bool = False


Sentence = list[Piece]


def findings(
    summary: Summary, differences: Differences, outlet_names: Sequence[str]
) -> list[Sentence]:
    """Return the main findings.

    Args:
        summary: the figures.
        differences: shares of outlets.
        outlet_names: the names of the outlets of the summary, as they are shown.
    """
    sentences: list[Sentence] = []
    if summary.sources:
        top = summary.sources[0]
        share = show_share(top.statements / summary.overview.named)
        count = plural(top.statements, "statement")
        rest = f" speaks most: {count}, {share} of all with a named source"
        sentences.append([Piece(top.name, True), Piece(rest)])
    if summary.targets:
        target = summary.targets[0]
        counts = sides_in_words(target.sides, summary.labels)
        before = Piece("Most sides are taken on ")
        sentences.append([before, Piece(target.name, True), Piece(f": {counts}")])
    for label in ("against", "favor"):
        pairs = [pair for pair in summary.pairs if pair.sides.get(label, 0) > 1]
        if not pairs:
            continue
        pair = max(pairs, key=lambda pair: pair.sides[label])
        count = plural(pair.sides[label], "stance")
        sentences.append(
            [
                Piece(f"Most often {word(label)} somebody: "),
                Piece(pair.holder_name, True),
                Piece(f" {word(label)} "),
                Piece(pair.target_name, True),
                Piece(f", {count} in {plural(pair.articles, 'article')}"),
            ]
        )

    clear = list(_clear_differences(differences, outlet_names))
    clear.sort(key=lambda difference: -difference[0])
    sentences += [sentence for _, sentence in clear[:TOLD_DIFFERENCES]]
    if differences.quoted and not clear:
        sentences.append([Piece("No outlet differs clearly from the others in whom it quotes")])
    return sentences


def sides_in_words(sides: Sides, labels: Iterable[str]) -> str:
    """Return numbers of stances in words, in the order of the labels.

    >>> sides_in_words({"against": 5, "favor": 3}, ["favor", "against"])
    '3 for, 5 against'
    """
    return ", ".join(f"{sides[label]:,} {word(label)}" for label in labels if sides.get(label))


def word(label: str) -> str:
    """Return the word for a label of stances."""
    return "for" if label == "favor" else label


def points(value: float) -> str:
    """Return a difference of two shares in percentage points, with its sign.

    >>> points(-0.0512)
    '−5.1'
    """
    return f"{100 * value:+.1f}".replace("-", "−")


def stands_out(value: OutletValue) -> bool:
    """Return whether the interval of an outlet's difference to the others leaves out zero."""
    return value.difference is not None and (value.difference.low > 0 or value.difference.high < 0)


def _clear_differences(
    differences: Differences, outlet_names: Sequence[str]
) -> Iterator[tuple[float, Sentence]]:
    """Yield the size of each clear difference in whom outlets quote and attack, and the sentence about it."""
    for before, measures in (
        ("of the statements are of ", differences.quoted),
        ("of the sides that people take are against ", differences.attacked),
        ("of the sides that the text itself takes are against ", differences.own),
    ):
        for measure in measures:
            for value in measure.values:
                difference = value.difference
                if value.value is None or difference is None or not stands_out(value):
                    continue
                compared = (
                    f", {points(difference.value)} points compared with all others "
                    f"({points(difference.low)} to {points(difference.high)})"
                )
                yield (
                    abs(difference.value),
                    [
                        Piece("In "),
                        Piece(outlet_names[int(value.outlet)], True),
                        Piece(f", {show_share(value.value)} {before}"),
                        Piece(measure.name, True),
                        Piece(compared),
                    ],
                )
