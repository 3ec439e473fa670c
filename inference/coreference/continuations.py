"""Contents that run on into other sentences than the one that tells who says them."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from claimstance.inference.coreference.quotes import Quote, find_quotations
from claimstance.inference.results import Attribution, Continuation, Span

Offsets = tuple[int, int]
#: Whether its source says that quotation, whether it has a source, its probability; the continuation.
_Ranked = tuple[tuple[bool, bool, float], Continuation]


def find_continuations(
    text: str, bounds: Sequence[Offsets], attributions: Sequence[tuple[int, Attribution]]
) -> list[tuple[int, Continuation]]:
    """Return the contents that stand in a sentence and whose source or cue stands in another.

    A quotation that an attribution with a source begins or ends is that source's as a whole, also where the model,
    which reads a long one in several windows, has found the beginning or the end of it alone. Where two attributions
    claim the same words of another sentence, they are that one's whose source says the quotation, else the likelier
    one's with a source. Outside of quotation marks, only what follows and is most of its sentence counts: little of the
    rest was right on PolNeAR.

    Args:
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.
        attributions: the sentence that tells each, and the attribution.

    Returns:
        The index of the sentence of each continuation, and the continuation, in the order of the text.
    """
    quotations = find_quotations(text)
    spoken = _quotations_by_speaker(quotations, attributions)
    parts: dict[int, list[_Ranked]] = defaultdict(list)
    for number, (told_in, attribution) in enumerate(attributions):
        source, probability = attribution.source, attribution.probability
        pieces = attribution.content.pieces if attribution.content else ()
        for index, content in _by_sentence(text, bounds, _united([*pieces, *spoken[number]])):
            length = bounds[index][1] - bounds[index][0]
            runs_on = index > told_in and 2 * (content.end - content.start) > length
            if index == told_in or not (runs_on or _is_quoted(content, quotations)):
                continue
            rank = (_overlap(content.pieces, spoken[number]), source is not None, probability)
            continuation = Continuation(source, attribution.cue, content, probability, told_in)
            parts[index].append((rank, continuation))
    return [
        (index, continuation)
        for index in sorted(parts)
        for continuation in _without_rivals(parts[index])
    ]


def _is_quoted(content: Span, quotations: Sequence[Quote]) -> bool:
    """Return whether the middle of a content stands within quotation marks."""
    middle = (content.start + content.end) // 2
    place = bisect_right(quotations, middle, key=lambda quotation: quotation.start) - 1
    return place >= 0 and middle < quotations[place].end


def _quotations_by_speaker(
    quotations: Sequence[Quote], attributions: Sequence[tuple[int, Attribution]]
) -> dict[int, list[Offsets]]:
    """Return the number of an attribution → the quotations that are its source's.

    The source stands outside of the quotation, and the content has its first words or its last ones. Of several such
    attributions it is the likeliest one's.
    """
    starts = [quotation.start for quotation in quotations]
    speakers: dict[int, int] = {}
    for number, (_, attribution) in enumerate(attributions):
        source, content = attribution.source, attribution.content
        if source is None or content is None:
            continue
        touched = {
            place
            for start, end in content.pieces
            for place in (bisect_right(starts, start) - 1, bisect_left(starts, end) - 1)
            if place >= 0
        }
        for place in touched:
            quotation = quotations[place]
            is_outside = source.end <= quotation.start or quotation.end <= source.start
            if is_outside and _has_an_end(content, quotation):
                rival = speakers.get(place)
                if rival is None or attributions[rival][1].probability < attribution.probability:
                    speakers[place] = number
    spoken: dict[int, list[Offsets]] = defaultdict(list)
    for place, number in sorted(speakers.items()):
        spoken[number].append((quotations[place].start, quotations[place].end))
    return spoken


def _has_an_end(content: Span, quotation: Quote) -> bool:
    """Return whether a content has the characters beside the opening or the closing mark of a quotation."""
    first, last = quotation.start + 2, quotation.end - 3
    return any(
        start < first < end or (quotation.is_closed and start <= last < end)
        for start, end in content.pieces
    )


def _united(stretches: Iterable[Offsets]) -> list[Offsets]:
    """Return stretches in order, those that overlap made one."""
    united: list[Offsets] = []
    for start, end in sorted(stretches):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _by_sentence(
    text: str, bounds: Sequence[Offsets], stretches: Iterable[Offsets]
) -> list[tuple[int, Span]]:
    """Return the sentences that have words of the stretches, each with the span of these."""
    pieces: dict[int, list[Offsets]] = defaultdict(list)
    for start, end in stretches:
        first = bisect_right(bounds, start, key=lambda bound: bound[1])
        last = bisect_left(bounds, end, key=lambda bound: bound[0])
        for index in range(first, last):
            piece = max(start, bounds[index][0]), min(end, bounds[index][1])
            if any(map(str.isalnum, text[slice(*piece)])):
                pieces[index].append(piece)
    return [
        (index, Span(own[0][0], own[-1][1], text[own[0][0] : own[-1][1]], tuple(own)))
        for index, own in pieces.items()
    ]


def _without_rivals(ranked: Sequence[_Ranked]) -> list[Continuation]:
    """Return the continuations in a sentence without those that share words with one of a higher rank."""
    chosen: list[Continuation] = []
    for _, continuation in sorted(ranked, key=lambda pair: pair[0], reverse=True):
        pieces = continuation.content.pieces
        if not any(_overlap(pieces, other.content.pieces) for other in chosen):
            chosen.append(continuation)
    return sorted(chosen, key=lambda continuation: continuation.content.start)


def _overlap(first: Iterable[Offsets], second: Sequence[Offsets]) -> bool:
    return any(a < d and c < b for a, b in first for c, d in second)
