"""Candidates of stances: the pairs of a holder and a target that the model scores in each sentence."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from claimstance.model.article.alignment import AlignedArticle, references_by_sentence
from claimstance.model.article.holders import (
    StanceHolder,
    find_holders,
    is_reported,
    reported_words,
)
from claimstance.model.article.spans import Span
from claimstance.model.article.targets import Target, targets_by_sentence
from claimstance.model.coreference.resolver import refers_to
from claimstance.model.decoding.document import ranges_of_long_sentences
from claimstance.model.encoding import cancellable
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.text.offsets import Offsets, overlap


@dataclass(frozen=True)
class StanceCandidate:
    """Represent a stance to be scored: the query for the model, the holder's span, the target's name."""

    query: StanceQuery
    holder: Span | None
    target: str


def find_candidates(
    article: AlignedArticle, targets: Sequence[str] = (), topics: Sequence[str] = ()
) -> list[StanceCandidate]:
    """Return the holders and targets whose stances are to be scored, in the order of the text.

    Holders of a sentence are its sources, the spans that the model finds as holders, and the speakers
    of quotations that run on into it. The text itself is a holder only outside of others' words.

    Args:
        article: the article.
        targets: the targets that the user names; if empty, the model finds them.
        topics: the topics that a model without entities was trained on, its default targets.

    Raises:
        CancelledError: once ``document.should_cancel`` of the article returns true.
    """
    document = article.document
    holders_by_sentence = find_holders(article)
    scored_targets: Sequence[Sequence[Target]]
    if topics and not targets:
        # A topic of the model is scored in every sentence, also one that is written like a name.
        scored_targets = [[(topic, None) for topic in topics]] * len(document.texts)
    else:
        references = references_by_sentence(article.alignment, article.references)
        scored_targets = targets_by_sentence(targets, document, references)

    reported = reported_words(article)
    entity_ends: list[set[int]] = [set() for _ in document.texts]
    for entity in document.entities or ():
        entity_ends[entity.span.sentence].add(entity.span.end)
    long_sentences = ranges_of_long_sentences(document)

    candidates: list[StanceCandidate] = []
    sentences = zip(holders_by_sentence, scored_targets, strict=True)
    for index, (holders, sentence_targets) in enumerate(
        cancellable(sentences, document.should_cancel)
    ):
        holders_by_range = _HoldersByRange(index, holders, long_sentences.get(index))
        for name, mention in sentence_targets:
            target = mention or name
            scored_holders = [
                holder
                for holder in holders_by_range.in_reach_of(mention)
                if _can_take_side(holder, index, name, mention)
            ]
            for holder in scored_holders:
                query = StanceQuery(
                    index,
                    holder.offsets,
                    target,
                    holder.sentence,
                    is_found=not targets,
                    holder_name=holder.span.name or holder.span.text,
                    target_name=name,
                )
                candidates.append(StanceCandidate(query, holder.span, name))

            scores_text = not is_reported(mention, reported[index])
            if targets:
                # A target that the user names gets an answer, even if no holder can be scored on it.
                scores_text = scores_text or not scored_holders
            elif mention is not None:
                # On targets that the model finds, the text itself is scored only if they end where a name ends.
                scores_text = scores_text and mention[1] in entity_ends[index]
            if scores_text:
                query = StanceQuery(index, None, target, is_found=not targets)
                candidates.append(StanceCandidate(query, None, name))
    return candidates


def _can_take_side(
    holder: StanceHolder, sentence: int, target: str, mention: Offsets | None
) -> bool:
    """Return whether a holder can have a stance on a target.

    Nobody takes a side on themselves, and a holder whose words contain the target (*Trump's campaign*) is
    not scored on it.
    """
    if mention is not None and holder.sentence == sentence and overlap(holder.offsets, mention):
        return False
    return not refers_to(target, holder.span.name or holder.span.text)


class _HoldersByRange:
    """Group the holders of a sentence by the range of the sentence that they stand in.

    A sentence that is longer than a window is encoded in several ranges, and the model sees a holder
    and a target together only if they share a range. Other sentences are a single range. Without this
    limit, the pairs of a sentence of a whole article would not fit in memory.

    Args:
        sentence: the index of the sentence.
        holders: the holders; those of other sentences are in reach of every range.
        ranges: the offsets of the ranges; ``None`` if there is only one.
    """

    def __init__(
        self, sentence: int, holders: Sequence[StanceHolder], ranges: Sequence[Offsets] | None
    ) -> None:
        self._starts = [start for start, _ in ranges or [(0, 0)]]
        self._holders: list[list[StanceHolder]] = [[] for _ in self._starts]
        for holder in holders:
            first, last = 0, len(self._starts) - 1
            if holder.sentence == sentence:
                start, end = holder.offsets
                first, last = self._range_at(start), self._range_at(end - 1)
            for number in range(first, last + 1):
                self._holders[number].append(holder)

    def in_reach_of(self, mention: Offsets | None) -> Sequence[StanceHolder]:
        """Return the holders of the target's range; of the first range for a target without mention."""
        number = 0 if mention is None else self._range_at(mention[0])
        return self._holders[number]

    def _range_at(self, position: int) -> int:
        """Return the number of the range that a character of the sentence belongs to."""
        return max(bisect_right(self._starts, position) - 1, 0)
