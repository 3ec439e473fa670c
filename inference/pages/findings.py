"""The main findings of a report in sentences: who speaks most, who is against whom, which outlets differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from claimstance.inference.corpus.differences import Differences, Measure
from claimstance.inference.corpus.figures import Pair, Sides, Summary
from claimstance.inference.corpus.intervals import OutletValue
from claimstance.inference.pages.charts.panels import show_share
from claimstance.model.errors import plural

#: The most clear differences of a kind in a sentence.
MOST_DIFFERENCES = 5
#: The most outlets with a sentence on who speaks most in each.
MOST_OUTLETS = 8
#: The most pairs of a source and a target in a sentence.
MOST_PAIRS = 3


class Phrase(NamedTuple):
    """Represent a part of a sentence: its text, and whether it is a name, which the page shows in bold."""

    text: str
    is_name: bool = False


Sentence = list[Phrase]


def _bold(name: str) -> Phrase:
    """Return a name as a phrase, which the page shows in bold."""
    return Phrase(name, is_name=True)


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
        source = summary.sources[0]
        share = show_share(source.statements / summary.overview.named)
        count = plural(source.statements, "statement")
        predicate = f" speaks most: {count}, {share} of all with a named source"
        sentences.append([_bold(source.name), Phrase(predicate)])
    if 2 <= summary.outlet_count <= MOST_OUTLETS:
        sentences += _most_in_outlets(summary)
    if summary.targets:
        target = summary.targets[0]
        counts = sides_in_words(target.sides, summary.labels)
        sentences.append(
            [Phrase("Most stances are on "), _bold(target.name), Phrase(f": {counts}")]
        )
    for label in ("against", "favor"):
        pairs = [pair for pair in summary.pairs if pair.sides.get(label, 0) > 1]
        if pairs:
            sentences.append(_most_often(label, pairs))

    kinds = (
        ("Whom the outlets quote", differences.quoted, " quotes {} more", " quotes {} less"),
        (
            "Whom people attack",
            differences.attacked,
            " has more against {} among the sides that people take",
            " has less against {} among the sides that people take",
        ),
        (
            "Whom the texts themselves attack",
            differences.own,
            " has more against {} among the sides that its texts take",
            " has less against {} among the sides that its texts take",
        ),
    )
    for kind, measures, if_more, if_less in kinds:
        if measures:
            sentences.append(_clear_differences(kind, measures, if_more, if_less, outlet_names))
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
    top, *next_pairs = sorted(pairs, key=lambda pair: -pair.sides[label])[:MOST_PAIRS]
    count = plural(top.sides[label], "stance")
    articles = plural(top.articles, "article")
    sentence = [
        Phrase(f"Most often {word(label)} somebody: "),
        *_pair_in_words(top, label),
        Phrase(f", {count} in {articles}"),
    ]
    separator = "; then "
    for pair in next_pairs:
        sentence += [
            Phrase(separator),
            *_pair_in_words(pair, label),
            Phrase(f" ({pair.sides[label]:,})"),
        ]
        separator = "; "
    return sentence


def _pair_in_words(pair: Pair, label: str) -> Sentence:
    """Return the names of a pair, with the label between them."""
    return [
        _bold(pair.holder_name),
        Phrase(f" {word(label)} "),
        _bold(pair.target_name),
    ]


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
    # A short sentence will do if the same one leads in all outlets.
    if len(names) == 1 and len(leaders) == summary.outlet_count:
        least_share, least_outlet, name = min(leaders)
        greatest_share, greatest_outlet, _ = max(leaders)
        named_source = "of the statements with a named source in "
        yield [
            Phrase("The same in each outlet: "),
            _bold(name),
            Phrase(f" speaks most, from {show_share(least_share)} {named_source}"),
            _bold(least_outlet),
            Phrase(f" to {show_share(greatest_share)} in "),
            _bold(greatest_outlet),
        ]
        return
    sentence = [Phrase("Who speaks most in each outlet: ")]
    for number, (share, outlet_name, name) in enumerate(leaders):
        sentence += [
            Phrase("; " if number else ""),
            _bold(outlet_name),
            Phrase(": "),
            _bold(name),
            Phrase(f" ({show_share(share)})"),
        ]
    yield sentence


def _clear_differences(
    kind: str,
    measures: Sequence[Measure],
    if_more: str,
    if_less: str,
    outlet_names: Sequence[str],
) -> Sentence:
    """Return a sentence with the greatest of the clear differences of a kind, and their number.

    Args:
        kind: the kind in words.
        measures: the shares of the kind.
        if_more: the words for a difference above 0, with ``{}`` for the name of the measure.
        if_less: the words for a difference below 0.
        outlet_names: the names of the outlets of the summary, as they are shown.
    """
    clear: list[tuple[float, Sentence]] = []  # the size of each difference, and its words
    compared = 0
    for measure in measures:
        compared += measure.compared
        for value in measure.values:
            difference = value.difference
            if value.value is None or difference is None or not stands_out(value):
                continue
            words_around = if_more if difference.value > 0 else if_less
            before, after = words_around.split("{}")
            # Rounding of floats could make the share of the others negative.
            elsewhere = show_share(max(0.0, value.value - difference.value))
            words = [
                _bold(outlet_names[int(value.outlet)]),
                Phrase(before),
                _bold(measure.name),
                Phrase(f"{after} ({show_share(value.value)}, elsewhere {elsewhere})"),
            ]
            clear.append((abs(difference.value), words))

    if not clear:
        names = plural(len(measures), "name")
        return [
            Phrase(
                f"{kind}: none of {plural(compared, 'difference')} between an outlet and all others, "
                f"for the {names} counted most, is clear. Chance could explain each; more articles may tell"
            )
        ]
    verb = "is" if len(clear) == 1 else "are"
    sentence = [Phrase(f"{kind}: {len(clear)} of {plural(compared, 'difference')} {verb} clear: ")]
    clear.sort(key=lambda difference: -difference[0])
    for number, (_, words) in enumerate(clear[:MOST_DIFFERENCES]):
        sentence += [Phrase("; " if number else ""), *words]
    if len(clear) > MOST_DIFFERENCES:
        sentence.append(Phrase(f"; and {len(clear) - MOST_DIFFERENCES} more, below"))
    if len(clear) < compared:
        sentence.append(Phrase("; no clear difference otherwise"))
    return sentence
