"""Holders of stances: whoever may take a side in a sentence, and whose words a sentence reports."""

from collections.abc import Sequence
from dataclasses import dataclass

from claimstance.model.article.alignment import AlignedArticle, group_by_sentence
from claimstance.model.article.spans import Span
from claimstance.model.text.offsets import Offsets, overlap


@dataclass(frozen=True)
class StanceHolder:
    """Represent a possible holder of the stances of a sentence.

    Attributes:
        span: its words in the article.
        sentence: the index of the sentence that they stand in, which may be an earlier one.
        offsets: the same words, in that sentence.
    """

    span: Span
    sentence: int
    offsets: Offsets


def find_holders(article: AlignedArticle) -> list[list[StanceHolder]]:
    """Return the possible holders of each sentence.

    These are the sources of its attributions, the other spans that the model finds as holders, and the
    speakers of quotations that run on into the sentence.
    """
    document, alignment = article.document, article.alignment
    # A dict keeps the order, and holds each span of a sentence once.
    spans: dict[tuple[int, Span], None] = {}
    sources: list[list[Offsets]] = [[] for _ in document.texts]
    for _, attribution in article.attributions:
        source = attribution.source
        if source is not None:
            index = alignment.sentence_at(source.start)
            spans[index, source] = None
            sources[index].append((source.start, source.end))
    for located in document.opinions.get("opinion_holder", ()):
        span = alignment.span([located], article.references.get(alignment.offsets(located)))
        if span is None:
            continue
        # A holder that overlaps a source is that source, in other bounds.
        bounds = (span.start, span.end)
        if not any(overlap(bounds, source) for source in sources[located.sentence]):
            spans[located.sentence, span] = None
    for index, continuation in article.continuations:
        if continuation.source is not None:
            spans[index, continuation.source] = None

    holders = []
    for index, span in spans:
        sentence = alignment.sentence_at(span.start)
        holder = StanceHolder(span, sentence, alignment.relative(sentence, span))
        holders.append((index, holder))
    return group_by_sentence(holders, len(document.texts))


def reported_words(article: AlignedArticle) -> list[list[Offsets]]:
    """Return the offsets in each sentence of the words that some source says, and not the article."""
    bounds = article.alignment.bounds
    contents: list[tuple[int, Span]] = []
    for index, attribution in article.attributions:
        if attribution.source is not None and attribution.content is not None:
            contents.append((index, attribution.content))
    for index, continuation in article.continuations:
        if continuation.source is not None:
            contents.append((index, continuation.content))

    reported: list[list[Offsets]] = [[] for _ in bounds]
    for index, content in contents:
        sentence_start, _ = bounds[index]
        for start, end in content.pieces:
            # A content may have pieces in other sentences, where they are continuations.
            if overlap((start, end), bounds[index]):
                reported[index].append((start - sentence_start, end - sentence_start))
    return reported


def is_reported(mention: Offsets | None, reported: Sequence[Offsets]) -> bool:
    """Return whether a source says the words of a mention; of a topic, whether it says anything here."""
    if mention is None:
        return bool(reported)
    return any(overlap(mention, words) for words in reported)
