"""Attributions from the form of the text, where no cue tells the model who speaks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from claimstance.model.decoding import FoundAttribution
from claimstance.model.text.layout import Layout
from claimstance.model.text.quotations import (
    ASKING,
    Quotation,
    answerer,
    is_question,
    quotations,
)
from claimstance.model.windows import Located

_END = 1 << 30  # behind the end of every sentence
_Index = dict[int, list[Located]]  # places by their sentence
#: From the sentences of a content to the probability that it is one.
Probability = Callable[[Iterable[int]], float]


def name_speakers(
    attributions: Sequence[FoundAttribution],
    texts: Sequence[str],
    layout: Layout,
    people: Sequence[Located],
    probability: Probability,
) -> list[FoundAttribution]:
    """Return the attributions with each quotation that fills its line given to whom the form of the text names.

    A quotation with a name behind it (*“…” — Tom Vance, senator*) is that one's, whatever cue before it claimed it.
    Behind *Vance asked Reyes …*, quotations of a line each that ask and answer are theirs by turns. These attributions
    have no cue. Those told inside a quotation stay as they are.

    Args:
        attributions: of the model, for the whole article.
        texts: its sentences.
        layout: their lines.
        people: the persons that the model found.
        probability: gives such an attribution its probability: there is no cue and no link to take one from.
    """
    found = quotations(texts, layout, people)
    speakers: list[tuple[Quotation, tuple[Located, ...]]] = [
        (quotation, (quotation.name,)) for quotation in found if quotation.name is not None
    ]
    asking = _asking(attributions, texts, layout)
    for exchange in _exchanges(found):
        asked = asking.get(layout.lines[exchange[0].first - 1])
        if asked is not None:
            speakers += _by_turns(exchange, asked, texts)
    if not speakers:
        return list(attributions)
    result = _without_quotations(attributions, [quotation for quotation, _ in speakers])
    for quotation, source in speakers:
        chance = probability(place.sentence for place in quotation.content)
        result.append(FoundAttribution(source, (), quotation.content, chance))
    return sorted(result, key=lambda attribution: min(attribution.cue or attribution.content))


def _without_quotations(
    attributions: Iterable[FoundAttribution], taken: Iterable[Quotation]
) -> list[FoundAttribution]:
    """Return the attributions without quotations, and the names behind them, in their contents.

    One whose cue stands in a quotation is told there, and stays; one that has nothing else goes.
    """
    quoted: _Index = defaultdict(list)
    signed: _Index = defaultdict(list)
    for quotation in taken:
        for place in quotation.content:
            quoted[place.sentence].append(place)
        if name := quotation.name:
            # From the end of the quotation on: dash and role with the name.
            start = quotation.content[-1].end if name.sentence == quotation.last else 0
            signed[name.sentence].append(Located(name.sentence, start, _END))
    result = []
    for attribution in attributions:
        if any(_overlaps(cue, quoted) for cue in attribution.cue):
            result.append(attribution)
            continue
        if any(_overlaps(cue, signed) for cue in attribution.cue):
            continue  # a dash for a cue
        content = tuple(
            rest
            for piece in attribution.content
            for rest in _without(piece, [*quoted[piece.sentence], *signed[piece.sentence]])
        )
        if content == attribution.content:
            result.append(attribution)
        elif content or attribution.cue:
            result.append(replace(attribution, content=content))
    return result


def _overlaps(place: Located, index: _Index) -> bool:
    return any(_overlap(place, other) for other in index[place.sentence])


def _overlap(place: Located, other: Located) -> bool:
    return place.start < other.end and other.start < place.end


def _without(piece: Located, taken: Iterable[Located]) -> list[Located]:
    """Return what is left of a piece outside of places of its sentence."""
    pieces = [piece]
    for other in taken:
        rest = []
        for each in pieces:
            if not _overlap(each, other):
                rest.append(each)
                continue
            if each.start < other.start:
                rest.append(replace(each, end=other.start))
            if other.end < each.end:
                rest.append(replace(each, start=other.end))
        pieces = rest
    return pieces


def _exchanges(found: Iterable[Quotation]) -> list[list[Quotation]]:
    """Return the runs of two or more quotations without a name that follow one another, line by line."""
    runs: list[list[Quotation]] = []
    for quotation in found:
        if quotation.name is not None:
            continue
        if runs and runs[-1][-1].last + 1 == quotation.first:
            runs[-1].append(quotation)
        else:
            runs.append([quotation])
    return [run for run in runs if len(run) > 1 and run[0].first > 0]


def _by_turns(
    exchange: Sequence[Quotation], asked: FoundAttribution, texts: Sequence[str]
) -> list[tuple[Quotation, tuple[Located, ...]]]:
    """Return each quotation of an exchange with its source; nothing where nobody asks or nobody answers.

    Questions are those of the source of ``asked``, answers those of the name behind its cue; other quotations have no
    source.
    """
    are_questions = [is_question(texts[quotation.last]) for quotation in exchange]
    turns = list(pairwise(are_questions))
    if (True, False) not in turns:
        return []
    cue = max(asked.cue)
    name = answerer(texts[cue.sentence], cue.end)
    answering = (Located(cue.sentence, *name),) if name else ()
    result = []
    before = False
    for quotation, question in zip(exchange, are_questions, strict=True):
        if question:
            source = asked.source
        elif before:
            source = answering
        else:
            source = ()
        result.append((quotation, source))
        before = question
    return result


def _asking(
    attributions: Iterable[FoundAttribution], texts: Sequence[str], layout: Layout
) -> dict[int, FoundAttribution]:
    """Return the last attribution of each line whose cue asks and that has a source."""
    asking = {}
    for attribution in attributions:
        cues = " ".join(texts[cue.sentence][cue.start : cue.end] for cue in attribution.cue)
        if attribution.source and ASKING.intersection(cues.lower().split()):
            asking[layout.lines[attribution.cue[0].sentence]] = attribution
    return asking
