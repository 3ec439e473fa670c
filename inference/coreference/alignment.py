"""Alignment of sentences with their article, and the targets and references of each sentence."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeVar

from claimstance.inference.coreference.people import cancellable
from claimstance.inference.coreference.resolver import refers_to, resolve_references
from claimstance.inference.results import Attribution, Entity, Span
from claimstance.model.decoding import FoundAttribution
from claimstance.model.predictor import EncodedDocument
from claimstance.model.text.entities import FoundEntity
from claimstance.model.text.mentions import find_mentions, has_capital
from claimstance.model.text.modifiers import is_modifier
from claimstance.model.windows import Located

T = TypeVar("T")
Offsets = tuple[int, int]
#: Span of a source, a holder, a target, *he* or *she* → the name that it refers to.
References = dict[Offsets, str]


class Alignment:
    """Convert between offsets in a sentence and offsets in the article.

    Attributes:
        text: the article.
        bounds: ``[start, end)`` of its sentences, in order.
    """

    def __init__(self, text: str, bounds: Sequence[Offsets]) -> None:
        self.text = text
        self.bounds = bounds

    def offsets(self, located: Located) -> Offsets:
        """Return the offsets in the article of a stretch of a sentence."""
        start = self.bounds[located.sentence][0]
        return start + located.start, start + located.end

    def span(self, stretches: Sequence[Located], name: str | None = None) -> Span | None:
        """Return the span over all ``stretches``; pieces with only white space between them are joined."""
        pieces: list[tuple[int, int]] = []
        for start, end in sorted(map(self.offsets, stretches)):
            if pieces and not self.text[pieces[-1][1] : start].strip():
                pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
            else:
                pieces.append((start, end))
        if not pieces:
            return None
        start, end = pieces[0][0], pieces[-1][1]
        return Span(start, end, self.text[start:end], tuple(pieces), name)

    def attribution(
        self, attribution: FoundAttribution, references: References
    ) -> tuple[int, Attribution]:
        """Return the index of the sentence of an attribution, and the attribution in the article."""
        name = None
        if attribution.source:
            name = references.get(self.offsets(attribution.source[0]))
        return attribution.sentence, Attribution(
            source=self.span(attribution.source, name),
            cue=self.span(attribution.cue),
            content=self.span(attribution.content),
            probability=attribution.probability,
        )

    def entity(self, entity: FoundEntity) -> Entity:
        """Return an entity in the article."""
        start, end = self.offsets(entity.span)
        return Entity(start, end, self.text[start:end], entity.label, entity.probability)

    def sentence_at(self, position: int) -> int:
        """Return the index of the sentence that a character of the article belongs to."""
        return bisect_right(self.bounds, position, key=lambda bounds: bounds[0]) - 1

    def relative(self, index: int, span: Span) -> Offsets:
        """Return the offsets of a span of the article in sentence ``index``."""
        start = self.bounds[index][0]
        return span.start - start, span.end - start


def group_by_sentence(items: Iterable[tuple[int, T]], count: int) -> list[list[T]]:
    """Return a list for each of ``count`` sentences, with the items that have its index."""
    groups: list[list[T]] = [[] for _ in range(count)]
    for index, item in items:
        groups[index].append(item)
    return groups


def resolve_article(alignment: Alignment, document: EncodedDocument) -> References:
    """Return the name that each source, holder, target, *he* and *she* of an article refers to, where it is known.

    Raises:
        CancelledError: once ``document.stop`` returns true.
    """
    spans = set()
    for attribution in document.attributions or ():
        if attribution.source:
            # The first piece of a source stands for all of it.
            spans.add(alignment.offsets(attribution.source[0]))
    for opinion_spans in document.opinions.values():
        spans.update(map(alignment.offsets, opinion_spans))
    entities = []
    for entity in document.entities or ():
        start, end = alignment.offsets(entity.span)
        entities.append((start, end, entity.label))
    names = resolve_references(
        alignment.text, alignment.bounds, sorted(spans), entities, document.stop
    )
    return {span: name for span, name in names.items() if name}


def references_by_sentence(
    alignment: Alignment, references: References
) -> list[list[tuple[Offsets, str]]]:
    """Return the references of each sentence, in order, with offsets in that sentence."""
    relative = []
    for (start, end), name in sorted(references.items()):
        index = alignment.sentence_at(start)
        sentence_start = alignment.bounds[index][0]
        relative.append((index, ((start - sentence_start, end - sentence_start), name)))
    return group_by_sentence(relative, len(alignment.bounds))


def targets_by_sentence(
    targets: Sequence[str],
    document: EncodedDocument,
    references: Sequence[Sequence[tuple[Offsets, str]]],
) -> list[list[tuple[str, Offsets | None]]]:
    """Return the targets to score in each sentence, each with its first mention; ``None`` for a topic.

    A target that is written like a name (it has a capital) is scored only where it is mentioned:
    elsewhere the model would answer for the people whom the sentence is about. Any other target is
    scored in every sentence, as a topic where the sentence does not mention it.

    Args:
        targets: as the user named them; the entities of each sentence if empty, without those that
            only modify a noun (*Tulsa* police).
        document: the encoded article.
        references: those of each sentence, with offsets in it.

    Raises:
        CancelledError: once ``document.stop`` returns true.
    """
    if not targets:
        return _find_targets(document, references)
    result = []
    sentences = zip(document.texts, references, strict=True)
    for text, sentence_references in cancellable(sentences, document.stop):
        sentence_targets: list[tuple[str, Offsets | None]] = []
        for name in targets:
            mentions = _find_mentions(name, text, sentence_references)
            if mentions:
                sentence_targets.append((name, mentions[0]))
            elif not has_capital(name):  # a topic
                sentence_targets.append((name, None))
        result.append(sentence_targets)
    return result


def _find_targets(
    document: EncodedDocument, references: Sequence[Sequence[tuple[Offsets, str]]]
) -> list[list[tuple[str, Offsets | None]]]:
    """Return the entities and opinion targets of each sentence as targets.

    Each name is a target once, at its first mention. An entity with the words of an opinion target, but
    for an article before them, is no further target.
    """
    # Dicts keep the order, and hold each name of a sentence once.
    first_mentions: list[dict[str, Offsets | None]] = [{} for _ in document.texts]
    targets_by_end: list[dict[int, int]] = [{} for _ in document.texts]  # end → start
    # A pronoun or a description stands for the name that it refers to, where it is known.
    names = [dict(sentence_references) for sentence_references in references]
    for located in document.opinions.get("opinion_target", ()):
        sentence, start, end = located.sentence, located.start, located.end
        name = names[sentence].get((start, end)) or document.texts[sentence][start:end]
        first_mentions[sentence].setdefault(name, (start, end))
        targets_by_end[sentence][end] = start
    for entity in document.entities or ():
        sentence, start, end = entity.span.sentence, entity.span.start, entity.span.end
        text = document.texts[sentence]
        if is_modifier(text, start, end, entity.label):
            continue
        target_start = targets_by_end[sentence].get(end)
        if target_start is not None:
            before_entity = text[target_start:start].strip().lower()
            if before_entity in ("", "the", "a", "an"):
                continue
        first_mentions[sentence].setdefault(text[start:end], (start, end))
    return [list(mentions.items()) for mentions in first_mentions]


def _find_mentions(
    name: str, text: str, references: Sequence[tuple[Offsets, str]]
) -> list[Offsets]:
    """Return the mentions of a name in a sentence; if there are none, what refers to it ("he")."""
    mentions = find_mentions(name, text)
    if mentions:
        return mentions
    return [span for span, reference in references if refers_to(name, reference)]


class MentionFinder:
    """Find the mentions of a name in the sentences of records, as in an article of these sentences.

    The references of one document are kept, since a caller asks for many names of a document before it
    goes on to the next one.
    """

    def __init__(self) -> None:
        self._document: EncodedDocument | None = None
        self._references: list[list[tuple[Offsets, str]]] = []

    def __call__(self, document: EncodedDocument, sentence: int, name: str) -> list[Offsets]:
        """Return the mentions of ``name`` in a sentence of ``document``."""
        if document is not self._document:
            # As an article with one sentence per line.
            bounds = []
            start = 0
            for text in document.texts:
                bounds.append((start, start + len(text)))
                start += len(text) + 1  # a line break
            alignment = Alignment("\n".join(document.texts), bounds)
            references = resolve_article(alignment, document)
            self._document = document
            self._references = references_by_sentence(alignment, references)
        return _find_mentions(name, document.texts[sentence], self._references[sentence])
