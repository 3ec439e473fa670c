"""Places of things between the characters of sentences and of their article, and the names that are meant there."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

from claimstance.inference.coreference.people import unless_stopped
from claimstance.inference.coreference.resolver import refers_to, resolve_references
from claimstance.inference.results import Attribution, Span
from claimstance.model.decoding import FoundAttribution
from claimstance.model.predictor import Reading
from claimstance.model.text.mentions import find_mentions, has_capital
from claimstance.model.text.modifiers import is_modifier
from claimstance.model.windows import Located

T = TypeVar("T")
Offsets = tuple[int, int]
References = dict[Offsets, str]  # who is meant by a source or a pronoun


class Places:
    """Between characters of sentences and characters of the article."""

    def __init__(self, text: str, bounds: Sequence[Offsets]) -> None:
        self.text = text
        self.bounds = bounds

    def offsets(self, place: Located) -> Offsets:
        """A place in a sentence as offsets into the article."""
        start = self.bounds[place.sentence][0]
        return start + place.start, start + place.end

    def span(self, places: Sequence[Located], name: str | None = None) -> Span | None:
        """The span over all ``places``; pieces with only space between them are one."""
        pieces: list[tuple[int, int]] = []
        for start, end in sorted(map(self.offsets, places)):
            if pieces and not self.text[pieces[-1][1] : start].strip():
                pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
            else:
                pieces.append((start, end))
        if not pieces:
            return None
        start, end = pieces[0][0], pieces[-1][1]
        return Span(start, end, self.text[start:end], tuple(pieces), name)

    def attribution(
        self, found: FoundAttribution, references: References
    ) -> tuple[int, Attribution]:
        """An attribution in the article, and the sentence that tells it."""
        source = self.span(
            found.source, references.get(self.offsets(found.source[0])) if found.source else None
        )
        return found.sentence, Attribution(
            source, self.span(found.cue), self.span(found.content), found.probability
        )

    def sentence_at(self, position: int) -> int:
        """The sentence that a character of one belongs to."""
        return bisect_right(self.bounds, position, key=lambda bounds: bounds[0]) - 1

    def relative(self, index: int, span: Span) -> Offsets:
        """A span of the article as characters of sentence ``index``."""
        start = self.bounds[index][0]
        return span.start - start, span.end - start


def grouped(items: Iterable[tuple[int, T]], count: int) -> list[list[T]]:
    """Items by the sentence whose number comes with them."""
    groups: list[list[T]] = [[] for _ in range(count)]
    for index, item in items:
        groups[index].append(item)
    return groups


def targets_by_sentence(
    wanted: Sequence[str], reading: Reading, named: Sequence[Sequence[tuple[Offsets, str]]]
) -> list[list[tuple[str, Offsets | None]]]:
    """Return for each sentence the targets to score in it, each with its first mention there, ``None`` for a topic.

    Without ``wanted`` these are its entities, but for those that only modify (*Tulsa* police). A name (it has a
    capital) is scored where it is mentioned: asked about somebody else, a sentence would answer for those whom it is
    about. Everything else is scored in every sentence, as a topic where that does not mention it.

    Raises:
        StoppedError: once ``reading.stop`` says so.
    """
    if not wanted:
        found = grouped(
            (
                (entity.place.sentence, (entity.place.start, entity.place.end))
                for entity in reading.entities or ()
                if not is_modifier(
                    reading.texts[entity.place.sentence],
                    entity.place.start,
                    entity.place.end,
                    entity.label,
                )
            ),
            len(reading.texts),
        )
        return [
            list(_first_of_each(text, spans).items())
            for text, spans in zip(reading.texts, found, strict=True)
        ]
    firsts = [
        {name: span for name in wanted for span in _mentions(name, text, references)[:1]}
        for text, references in unless_stopped(zip(reading.texts, named, strict=True), reading.stop)
    ]
    return [
        [(name, first.get(name)) for name in wanted if name in first or not has_capital(name)]
        for first in firsts
    ]


def _first_of_each(text: str, spans: Sequence[Offsets]) -> dict[str, Offsets | None]:
    first: dict[str, Offsets | None] = {}
    for start, end in spans:
        first.setdefault(text[start:end], (start, end))
    return first


def _mentions(name: str, text: str, named: Sequence[tuple[Offsets, str]]) -> list[Offsets]:
    """Where a sentence mentions somebody: by name, else by what refers to that name ("he", "the senator")."""
    return find_mentions(name, text) or [
        span for span, reference in named if refers_to(name, reference)
    ]


def resolve_article(places: Places, reading: Reading) -> References:
    """Return who each source, he and she of a reading refers to, where that is known.

    Raises:
        StoppedError: once ``reading.stop`` says so.
    """
    sources = sorted(
        {places.offsets(found.source[0]) for found in reading.attributions or () if found.source}
    )
    entities = [(*places.offsets(e.place), e.label) for e in reading.entities or ()]
    names = resolve_references(places.text, places.bounds, sources, entities, reading.stop)
    return {span: name for span, name in names.items() if name}


def named_by_sentence(places: Places, references: References) -> list[list[tuple[Offsets, str]]]:
    """References, in order, by the sentence they stand in and relative to it."""
    found = (
        (places.sentence_at(start), start, end, name)
        for (start, end), name in sorted(references.items())
    )
    relative = (
        (i, ((start - places.bounds[i][0], end - places.bounds[i][0]), name))
        for i, start, end, name in found
    )
    return grouped(relative, len(places.bounds))


class Locator:
    """Finds mentions of a name in the sentences of records, which stand one after the other like an article's."""

    def __init__(self) -> None:
        self._of: Reading | None = None
        self._named: list[list[tuple[Offsets, str]]] = []

    def __call__(self, reading: Reading, sentence: int, name: str) -> list[Offsets]:
        """The mentions of ``name`` in a sentence of ``reading``."""
        if (
            reading is not self._of
        ):  # one document after the other: who is who is told once for each
            ends = list(accumulate(len(text) + 1 for text in reading.texts))
            bounds = [
                (end - 1 - len(text), end - 1)
                for end, text in zip(ends, reading.texts, strict=True)
            ]
            places = Places("\n".join(reading.texts), bounds)
            self._of, self._named = (
                reading,
                named_by_sentence(places, resolve_article(places, reading)),
            )
        return _mentions(name, reading.texts[sentence], self._named[sentence])
