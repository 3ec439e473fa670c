"""Sources that the model misses or cuts: of cues with the subject of an earlier one, and of names in several words."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.text.person_names import words
from claimstance.model.windows import SentenceSpan

_AUXILIARIES = (
    r"also|could|did|do|does|had|has|have|later|might|never|not|still|then|to|will|would|\w+ly"
)
# The end of the text before a verb that has the subject of an earlier verb.
_SAME_SUBJECT = re.compile(
    rf"(?:\b(?:and|but|or|then|yet)|,)\s+(?:(?:{_AUXILIARIES})\s+){{0,3}}$", re.IGNORECASE
)
# A passive has a subject of its own: "which Reyes praised, and was built by Orr".
_PASSIVE = re.compile(r"(?:am|is|are|was|were|be|been|being)\s", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s\b")
_LAST_WORD = re.compile(r"[^\W_]+$")
_REACH = 60  # characters before a position for these patterns; a limit keeps long texts linear
_OPEN_ENDS = words("a an and at by for from in of on or that the to who with")


def share_sources(
    attributions: Sequence[DecodedAttribution], texts: Sequence[str]
) -> list[DecodedAttribution]:
    """Return attributions where a cue without a source has that of the cue before it, if both have one subject.

    Such a cue follows a conjunction or a comma, and stands outside of the content of the attribution before it. On the
    part *tune* of PolNeAR-Stance, about one attribution in a hundred gets its source this way.

    Args:
        attributions: the attributions of the model, for the entire article.
        texts: the sentences of the article.
    """
    shared = list(attributions)
    with_cue = [number for number, attribution in enumerate(shared) if attribution.cue]
    with_cue.sort(key=lambda number: min(shared[number].cue))
    previous: DecodedAttribution | None = None
    for number in with_cue:
        attribution = shared[number]
        cue = min(attribution.cue)
        if previous is not None and min(previous.cue).sentence != cue.sentence:
            previous = None
        if attribution.source:
            # A source behind its cue ("…, said Reyes, and accused …") is no subject of the next verb for sure.
            source = min(attribution.source)
            if source.sentence == cue.sentence and source.start < cue.start:
                previous = attribution
            continue
        if previous is None or any(map(cue.overlaps, previous.content)):
            continue
        text = texts[cue.sentence]
        before_cue = text[max(0, cue.start - _REACH) : cue.start]
        if _PASSIVE.match(text, cue.start) or not _SAME_SUBJECT.search(before_cue):
            continue
        shared[number] = previous = replace(attribution, source=previous.source)
    return shared


class NameCompleter:
    """Extend spans that begin or end inside of a named entity to all of it: *Sabha* of *Lok Sabha*."""

    def __init__(self, entities: Sequence[DecodedEntity]) -> None:
        self._by_sentence: dict[int, list[SentenceSpan]] = defaultdict(list)
        for span in sorted(entity.span for entity in entities):
            self._by_sentence[span.sentence].append(span)

    def complete(self, span: SentenceSpan) -> SentenceSpan:
        """Return a span with all of the names that it cuts."""
        first = self._name_around(span.sentence, span.start)
        last = self._name_around(span.sentence, span.end)
        start = span.start if first is None else first.start
        end = span.end if last is None else last.end
        return replace(span, start=start, end=end)

    def _name_around(self, sentence: int, position: int) -> SentenceSpan | None:
        """Return the name that begins before a position in a sentence and ends behind it."""
        names = self._by_sentence[sentence]
        index = bisect_left(names, position, key=lambda name: name.start) - 1
        if index >= 0 and position < names[index].end:
            return names[index]
        return None


def complete_sources(
    attributions: Sequence[DecodedAttribution],
    entities: Sequence[DecodedEntity],
    texts: Sequence[str],
) -> list[DecodedAttribution]:
    """Return attributions whose sources are whole phrases.

    A source gets all of the names that it cuts, and the name before *'s*: *Okafor's office*. It loses a preposition or
    a conjunction at its end. A source of punctuation alone is none.

    Args:
        attributions: the attributions of the model.
        entities: the names of the article.
        texts: the sentences of the article.
    """
    completer = NameCompleter(entities)
    completed = []
    for attribution in attributions:
        source = []
        for piece in attribution.source:
            text = texts[piece.sentence]
            if not any(map(str.isalnum, text[piece.start : piece.end])):
                continue
            piece = _with_possessor(completer.complete(piece), text)
            source.append(replace(piece, end=_without_open_end(text, piece.start, piece.end)))
        completed.append(replace(attribution, source=tuple(source)))
    return completed


def _with_possessor(piece: SentenceSpan, text: str) -> SentenceSpan:
    """Return a piece that begins with *'s* together with the word before."""
    if not _POSSESSIVE.match(text, piece.start):
        return piece
    possessor = _LAST_WORD.search(text, max(0, piece.start - _REACH), piece.start)
    return piece if possessor is None else replace(piece, start=possessor.start())


def _without_open_end(text: str, start: int, end: int) -> int:
    """Return the end of ``text[start:end]`` without the words after which something is missing: *Holm on*."""
    while True:
        word = _LAST_WORD.search(text, max(start, end - _REACH), end)
        if word is None or word.start() == start or word[0] not in _OPEN_ENDS:
            return end
        end = start + len(text[start : word.start()].rstrip())
