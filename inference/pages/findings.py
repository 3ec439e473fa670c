"""The main findings of a report in sentences: who speaks most, who is against whom, which outlets differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from claimstance.inference.corpus.differences import Differences, Measure
from claimstance.inference.corpus.figures import Pair, Sides, Summary
from claimstance.inference.corpus.intervals import OutletValue
from claimstance.inference.pages.charts import show_share
from claimstance.model.errors import plural

#: The most clear differences of a kind in a sentence.
MOST_DIFFERENCES = 5
#: The most outlets with a sentence on who speaks most in each.
MOST_OUTLETS = 8
#: The most pairs of a source and a target in a sentence.
MOST_PAIRS = 3


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
    if 2 <= summary.outlet_count <= MOST_OUTLETS:
        sentences += _most_in_outlets(summary)
    if summary.targets:
        target = summary.targets[0]
        counts = sides_in_words(target.sides, summary.labels)
        before = Piece("Most stances are on ")
        sentences.append([before, Piece(target.name, True), Piece(f": {counts}")])
    for label in ("against", "favor"):
        pairs = [pair for pair in summary.pairs if pair.sides.get(label, 0) > 1]
        if pairs:
            sentences.append(_most_often(label, pairs))
    for kind, more, less, measures in (
        ("Whom the outlets quote", " quotes {} more", " quotes {} less", differences.quoted),
        (
            "Whom people attack",
            " has more against {} among the sides that people take",
            " has less against {} among the sides that people take",
            differences.attacked,
        ),
        (
            "Whom the texts themselves attack",
            " has more against {} among the sides that its texts take",
            " has less against {} among the sides that its texts take",
            differences.own,
        ),
    ):
        if measures:
            clear = list(_clear_differences(measures, more, less, outlet_names))
            compared = sum(measure.compared for measure in measures)
            sentences.append(_summarize_differences(kind, clear, compared, len(measures)))
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


def _most_often(label: str, pairs: Sequence[Pair]) -> Sentence:
    """Return a sentence with the pairs that have the most stances of a label."""
    first, *others = sorted(pairs, key=lambda pair: -pair.sides[label])[:MOST_PAIRS]
    sentence = [Piece(f"Most often {word(label)} somebody: "), *_pair_in_words(first, label)]
    count = plural(first.sides[label], "stance")
    sentence.append(Piece(f", {count} in {plural(first.articles, 'article')}"))
    for number, pair in enumerate(others):
        sentence += [Piece("; " if number else "; then "), *_pair_in_words(pair, label)]
        sentence.append(Piece(f" ({pair.sides[label]:,})"))
    return sentence


def _pair_in_words(pair: Pair, label: str) -> Sentence:
    """Return the names of a pair, with the label between them."""
    return [Piece(pair.holder_name, True), Piece(f" {word(label)} "), Piece(pair.target_name, True)]


def _most_in_outlets(summary: Summary) -> Iterator[Sentence]:
    """Yield a sentence that tells who speaks most in each outlet; none if nobody with a name speaks."""
    leaders = []
    for number, (outlet, top) in enumerate(zip(summary.outlets, summary.top_sources, strict=True)):
        if outlet.name and top:
            share = top[0].by_outlet[number] / outlet.named
            leaders.append((share, outlet.name, top[0].name))
    if not leaders:
        return
    names = {name for _, _, name in leaders}
    if len(names) == 1 and len(leaders) == summary.outlet_count:
        least, greatest = min(leaders), max(leaders)
        yield [
            Piece("The same in each outlet: "),
            Piece(names.pop(), True),
            Piece(
                f" speaks most, from {show_share(least[0])} of the statements with a named source in "
            ),
            Piece(least[1], True),
            Piece(f" to {show_share(greatest[0])} in "),
            Piece(greatest[1], True),
        ]
        return
    sentence = [Piece("Who speaks most in each outlet: ")]
    for number, (share, outlet_name, name) in enumerate(leaders):
        before = "; " if number else ""
        sentence += [Piece(before), Piece(outlet_name, True), Piece(": "), Piece(name, True)]
        sentence.append(Piece(f" ({show_share(share)})"))
    yield sentence


def _clear_differences(
    measures: Sequence[Measure], more: str, less: str, outlet_names: Sequence[str]
) -> Iterator[tuple[float, Sentence]]:
    """Yield the size of each clear difference, and its words; ``more`` and ``less`` say it of a name."""
    for measure in measures:
        for value in measure.values:
            difference = value.difference
            if value.value is None or difference is None or not stands_out(value):
                continue
            before, after = (more if difference.value > 0 else less).split("{}")
            elsewhere = show_share(max(0.0, value.value - difference.value))
            yield (
                abs(difference.value),
                [
                    Piece(outlet_names[int(value.outlet)], True),
                    Piece(before),
                    Piece(measure.name, True),
                    Piece(f"{after} ({show_share(value.value)}, elsewhere {elsewhere})"),
                ],
            )


def _summarize_differences(
    kind: str, clear: list[tuple[float, Sentence]], compared: int, name_count: int
) -> Sentence:
    """Return a sentence with the greatest of the clear differences of a kind, and their number."""
    if not clear:
        tested = f"{plural(compared, 'difference')} between an outlet and all others"
        names = plural(name_count, "name")
        none = f"none of {tested}, for the {names} counted most, is clear"
        return [Piece(f"{kind}: {none}. Chance could explain each; more articles may tell")]
    verb = "is" if len(clear) == 1 else "are"
    sentence = [Piece(f"{kind}: {len(clear)} of {plural(compared, 'difference')} {verb} clear: ")]
    clear.sort(key=lambda difference: -difference[0])
    for number, (_, words) in enumerate(clear[:MOST_DIFFERENCES]):
        sentence += [Piece("; " if number else ""), *words]
    if len(clear) > MOST_DIFFERENCES:
        sentence.append(Piece(f"; and {len(clear) - MOST_DIFFERENCES} more, below"))
    if len(clear) < compared:
        sentence.append(Piece("; no clear difference otherwise"))
    return sentence
