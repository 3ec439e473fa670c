"""Continuations: contents that run on into sentences without their source or cue."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from claimstance.model.article.spans import Attribution, Continuation, Span
from claimstance.model.coreference.quotes import Quote, join_quotes
from claimstance.model.text.offsets import Offsets, overlap

#: The rank of a continuation (is its source's quotation, has a source, probability), and itself.
_RankedContinuation = tuple[tuple[bool, bool, float], Continuation]


def find_continuations(
    text: str, bounds: Sequence[Offsets], attributions: Sequence[tuple[int, Attribution]]
) -> list[tuple[int, Continuation]]:
    """Return the contents that stand in another sentence than their attribution.

    If the content of an attribution with a source begins or ends a quotation, the whole quotation is
    that source's. This covers quotations of which the model, which sees a window at a time, has found
    only the beginning or the end. Where several attributions have the same words of another sentence,
    the words go to the attribution whose source says the quotation, else to the likeliest one with a
    source. Outside of quotation marks a continuation has to follow its attribution and to fill most
    of its sentence: few of the others were right on PolNeAR.

    Args:
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.
        attributions: each with the index of its sentence.

    Returns:
        The continuations in the order of the text, each with the index of its sentence.
    """
    quotations = join_quotes(text)
    spoken = _quotations_by_speaker(quotations, attributions)
    ranked: dict[int, list[_RankedContinuation]] = defaultdict(list)  # by sentence
    for number, (own_sentence, attribution) in enumerate(attributions):
        pieces = attribution.content.pieces if attribution.content else ()
        words = [*spoken[number], *pieces]
        for index, content in _clip_to_sentences(text, bounds, words):
            if index == own_sentence:
                continue
            sentence_start, sentence_end = bounds[index]
            fills_most = 2 * (content.end - content.start) > sentence_end - sentence_start
            runs_on = index > own_sentence and fills_most
            middle = (content.start + content.end) // 2  # the ends may lie beyond the marks
            last = bisect_right(quotations, middle, key=lambda quotation: quotation.start) - 1
            is_quoted = last >= 0 and middle < quotations[last].end
            if not runs_on and not is_quoted:
                continue
            continuation = Continuation(
                attribution.source,
                attribution.cue,
                content,
                attribution.probability,
                own_sentence,
            )
            rank = (
                _any_overlap(content.pieces, spoken[number]),  # is its source's quotation
                attribution.source is not None,
                attribution.probability,
            )
            ranked[index].append((rank, continuation))

    continuations = []
    for index in sorted(ranked):
        chosen: list[Continuation] = []  # without those that overlap a higher-ranked one
        for _, continuation in sorted(ranked[index], key=itemgetter(0), reverse=True):
            pieces = continuation.content.pieces
            if not any(_any_overlap(pieces, better.content.pieces) for better in chosen):
                chosen.append(continuation)
        chosen.sort(key=lambda continuation: continuation.content.start)
        continuations += [(index, continuation) for continuation in chosen]
    return continuations


def _quotations_by_speaker(
    quotations: Sequence[Quote], attributions: Sequence[tuple[int, Attribution]]
) -> dict[int, list[Offsets]]:
    """Return the index of an attribution → the quotations that its source says.

    The source stands outside of the quotation, and the content has its first or its last words. If
    several attributions have them, the quotation goes to the likeliest one.
    """
    starts = [quotation.start for quotation in quotations]
    speakers: dict[int, int] = {}  # index of a quotation → index of its attribution
    for number, (_, attribution) in enumerate(attributions):
        source, content = attribution.source, attribution.content
        if source is None or content is None:
            continue

        # Only the quotations around the ends of a piece can begin or end in it.
        candidates = set()
        for start, end in content.pieces:
            candidates.add(bisect_right(starts, start) - 1)
            candidates.add(bisect_left(starts, end) - 1)
        candidates.discard(-1)
        for candidate in candidates:
            quotation = quotations[candidate]
            if overlap((source.start, source.end), (quotation.start, quotation.end)):
                continue
            if not _has_ends(content, quotation):
                continue
            rival = speakers.get(candidate)
            if rival is None or attributions[rival][1].probability < attribution.probability:
                speakers[candidate] = number

    spoken: dict[int, list[Offsets]] = defaultdict(list)
    for candidate, number in sorted(speakers.items()):
        quotation = quotations[candidate]
        spoken[number].append((quotation.start, quotation.end))
    return spoken


def _has_ends(content: Span, quotation: Quote) -> bool:
    """Return whether a content has the first words of a quotation, or the last ones before its closing mark."""
    # Characters near the quotation marks: a mark may have two characters, or punctuation before it.
    first, last = quotation.start + 2, quotation.end - 3
    for start, end in content.pieces:
        if start < first < end:
            return True
        if start <= last < end and quotation.is_closed:
            return True
    return False


def _clip_to_sentences(
    text: str, bounds: Sequence[Offsets], pieces: Iterable[Offsets]
) -> list[tuple[int, Span]]:
    """Return a span for each sentence that has words of the pieces, with the index of the sentence.

    Args:
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.
        pieces: offsets in the article, in any order; they may overlap.
    """
    merged: list[Offsets] = []  # without pieces that overlap or touch
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            last_start, last_end = merged[-1]
            merged[-1] = (last_start, max(end, last_end))
        else:
            merged.append((start, end))

    clipped: dict[int, list[Offsets]] = defaultdict(list)  # by sentence
    for start, end in merged:
        first = bisect_right(bounds, start, key=lambda bound: bound[1])
        last = bisect_left(bounds, end, key=lambda bound: bound[0])
        for index in range(first, last):
            sentence_start, sentence_end = bounds[index]
            piece_start = max(start, sentence_start)
            piece_end = min(end, sentence_end)
            # Punctuation alone is no content.
            if any(map(str.isalnum, text[piece_start:piece_end])):
                clipped[index].append((piece_start, piece_end))

    spans = []
    for index, sentence_pieces in clipped.items():
        span_start, _ = sentence_pieces[0]
        _, span_end = sentence_pieces[-1]
        span = Span(span_start, span_end, text[span_start:span_end], tuple(sentence_pieces))
        spans.append((index, span))
    return spans


def _any_overlap(pieces: Iterable[Offsets], others: Sequence[Offsets]) -> bool:
    """Return whether a piece of one list shares characters with a piece of another."""
    return any(overlap(piece, other) for piece in pieces for other in others)
