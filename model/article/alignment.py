"""Alignment of the predictions for sentences with their article, where names are resolved and quotations run on."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.model.article.continuations import find_continuations
from claimstance.model.article.spans import Attribution, Continuation, Entity, Span
from claimstance.model.coreference.resolver import refers_to, resolve_references
from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.offsets import Offsets
from claimstance.model.windows import SentenceSpan

T = TypeVar("T")
#: Span of a source, a holder, a target, *he* or *she* → the name that it refers to.
References = dict[Offsets, str]
#: The offsets of a reference in its sentence, and the name that it refers to.
Reference = tuple[Offsets, str]


class Alignment:
    """Convert between offsets in a sentence and offsets in the article.

    Attributes:
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.
    """

    def __init__(self, text: str, bounds: Sequence[Offsets]) -> None:
        self.text = text
        self.bounds = bounds

    def offsets(self, span: SentenceSpan) -> Offsets:
        """Return the offsets in the article of a span of a sentence."""
        sentence_start, _ = self.bounds[span.sentence]
        return sentence_start + span.start, sentence_start + span.end

    def span(self, spans: Sequence[SentenceSpan], name: str | None = None) -> Span | None:
        """Return the span over all ``spans``; pieces with only white space between them are joined."""
        if not spans:
            return None
        first, *others = sorted(map(self.offsets, spans))
        pieces = [first]
        for start, end in others:
            last_start, last_end = pieces[-1]
            if self.text[last_end:start].strip():
                pieces.append((start, end))
            else:
                pieces[-1] = (last_start, max(end, last_end))
        span_start, _ = first
        _, span_end = pieces[-1]
        return Span(span_start, span_end, self.text[span_start:span_end], tuple(pieces), name)

    def attribution(
        self, attribution: DecodedAttribution, references: References
    ) -> tuple[int, Attribution]:
        """Return the index of the sentence of an attribution, and the attribution in the article."""
        name = None
        if attribution.source:
            first_piece = self.offsets(attribution.source[0])
            name = references.get(first_piece)
        aligned = Attribution(
            source=self.span(attribution.source, name),
            cue=self.span(attribution.cue),
            content=self.span(attribution.content),
            probability=attribution.probability,
        )
        return attribution.sentence, aligned

    def entity(self, entity: DecodedEntity) -> Entity:
        """Return an entity in the article."""
        start, end = self.offsets(entity.span)
        return Entity(start, end, self.text[start:end], entity.label, entity.probability)

    def sentence_at(self, position: int) -> int:
        """Return the index of the sentence that a character of the article belongs to."""
        return bisect_right(self.bounds, position, key=lambda bounds: bounds[0]) - 1

    def relative(self, index: int, span: Span) -> Offsets:
        """Return the offsets of a span of the article in sentence ``index``."""
        sentence_start, _ = self.bounds[index]
        return span.start - sentence_start, span.end - sentence_start


@dataclass(frozen=True)
class AlignedArticle:
    """Represent the predictions for an article, with offsets into its text.

    Attributes:
        document: the predictions for its sentences.
        alignment: the sentences in the article.
        references: the names that sources, holders, targets and pronouns refer to.
        attributions: each with the index of its sentence.
        continuations: contents that run on into another sentence, each with the index of that one.
    """

    document: DocumentPredictions
    alignment: Alignment
    references: References
    attributions: list[tuple[int, Attribution]]
    continuations: list[tuple[int, Continuation]]


def align_article(
    document: DocumentPredictions, text: str, bounds: Sequence[Offsets]
) -> AlignedArticle:
    """Put the predictions for the sentences of an article together.

    Args:
        document: the predictions.
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.

    Raises:
        CancelledError: once ``document.should_cancel`` returns true.
    """
    alignment = Alignment(text, bounds)
    references = resolve_article(alignment, document)
    attributions = [
        alignment.attribution(attribution, references)
        for attribution in document.attributions or ()
    ]
    continuations = find_continuations(text, bounds, attributions)
    return AlignedArticle(document, alignment, references, attributions, continuations)


def group_by_sentence(items: Iterable[tuple[int, T]], count: int) -> list[list[T]]:
    """Return a list for each of ``count`` sentences, with the items that have its index."""
    groups: list[list[T]] = [[] for _ in range(count)]
    for index, item in items:
        groups[index].append(item)
    return groups


def resolve_article(alignment: Alignment, document: DocumentPredictions) -> References:
    """Return the name that each source, holder, target, *he* and *she* of an article refers to, where it is known.

    Raises:
        CancelledError: once ``document.should_cancel`` returns true.
    """
    # The first piece of a source stands for all of it.
    sources: set[Offsets] = set()
    for attribution in document.attributions or ():
        if attribution.source:
            sources.add(alignment.offsets(attribution.source[0]))
    others: set[Offsets] = set()
    for opinion_spans in document.opinions.values():
        others.update(map(alignment.offsets, opinion_spans))
    entities = []
    for entity in document.entities or ():
        start, end = alignment.offsets(entity.span)
        entities.append((start, end, entity.label))
    names = resolve_references(
        alignment.text,
        alignment.bounds,
        sources,
        entities,
        others=others,
        should_cancel=document.should_cancel,
    )
    return {span: name for span, name in names.items() if name}


def references_by_sentence(alignment: Alignment, references: References) -> list[list[Reference]]:
    """Return the references of each sentence, in order, with offsets in that sentence."""
    located: list[tuple[int, Reference]] = []
    for (start, end), name in sorted(references.items()):
        index = alignment.sentence_at(start)
        sentence_start, _ = alignment.bounds[index]
        offsets = (start - sentence_start, end - sentence_start)
        located.append((index, (offsets, name)))
    return group_by_sentence(located, len(alignment.bounds))


def find_mentions_or_references(
    name: str, text: str, references: Sequence[Reference]
) -> list[Offsets]:
    """Return the mentions of a name in a sentence; if there are none, what refers to it ("he")."""
    mentions = find_mentions(name, text)
    if mentions:
        return mentions
    return [span for span, reference in references if refers_to(name, reference)]


def join_texts(texts: Sequence[str], same_line: Collection[int] = ()) -> tuple[str, list[Offsets]]:
    """Return an article of these sentences, each on a line of its own, and their ``[start, end)`` in it.

    Args:
        texts: the sentences.
        same_line: the indices of sentences that stand on the line of the one before.
    """
    parts: list[str] = []
    bounds: list[Offsets] = []
    start = 0
    for index, text in enumerate(texts):
        if index > 0:
            parts.append(" " if index in same_line else "\n")
            start += 1
        parts.append(text)
        bounds.append((start, start + len(text)))
        start += len(text)
    return "".join(parts), bounds
