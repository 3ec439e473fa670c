"""Targets of stances: what a sentence is scored on, as the user names it or as the model finds it."""

from collections.abc import Sequence

from claimstance.model.article.alignment import Reference, find_mentions_or_references
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.encoding import cancellable
from claimstance.model.text.mentions import has_capital
from claimstance.model.text.modifiers import is_modifier
from claimstance.model.text.offsets import Offsets

#: The name of a target, and the offsets of its first mention in the sentence; ``None`` for a topic.
Target = tuple[str, Offsets | None]


def targets_by_sentence(
    targets: Sequence[str],
    document: DocumentPredictions,
    references: Sequence[Sequence[Reference]],
) -> list[list[Target]]:
    """Return the targets to score in each sentence.

    A target that is written like a name (it has a capital) is scored only where it is mentioned:
    elsewhere the model would answer for the people whom the sentence is about. Any other target is
    scored in every sentence, as a topic where the sentence does not mention it.

    Args:
        targets: as the user named them; if empty, the opinion targets and the entities of each
            sentence, without entities that only modify a noun (*Tulsa* police).
        document: the encoded article.
        references: those of each sentence, with offsets in it.

    Raises:
        CancelledError: once ``document.should_cancel`` returns true.
    """
    if not targets:
        return _find_targets(document, references)
    result = []
    sentences = zip(document.texts, references, strict=True)
    for text, sentence_references in cancellable(sentences, document.should_cancel):
        sentence_targets: list[Target] = []
        for name in targets:
            mentions = find_mentions_or_references(name, text, sentence_references)
            if mentions:
                sentence_targets.append((name, mentions[0]))
            elif not has_capital(name):  # a topic
                sentence_targets.append((name, None))
        result.append(sentence_targets)
    return result


def _find_targets(
    document: DocumentPredictions, references: Sequence[Sequence[Reference]]
) -> list[list[Target]]:
    """Return the entities and opinion targets of each sentence as targets.

    Each name is a target once, at its first mention. An entity with the words of an opinion target, but
    for an article before them, is no further target, nor is one in brackets behind another.
    """
    # Dicts keep the order, and hold each name of a sentence once.
    first_mentions: list[dict[str, Offsets | None]] = [{} for _ in document.texts]
    targets_by_end: list[dict[int, int]] = [{} for _ in document.texts]  # end → start
    # A pronoun or a description stands for the name that it refers to, where it is known.
    names = [dict(sentence_references) for sentence_references in references]
    for target in document.opinions.get("opinion_target", ()):
        sentence = target.sentence
        offsets = (target.start, target.end)
        name = names[sentence].get(offsets)
        if not name:
            name = document.texts[sentence][target.start : target.end]
        first_mentions[sentence].setdefault(name, offsets)
        targets_by_end[sentence][target.end] = target.start

    for entity in document.entities or ():
        span = entity.span
        text = document.texts[span.sentence]
        if is_modifier(text, span.start, span.end, entity.label):
            continue
        target_start = targets_by_end[span.sentence].get(span.end)
        if target_start is not None:
            words_before_entity = text[target_start : span.start].strip().lower()
            if words_before_entity in ("", "the", "a", "an"):
                continue
        name = text[span.start : span.end]
        first_mentions[span.sentence].setdefault(name, (span.start, span.end))
    targets = [list(mentions.items()) for mentions in first_mentions]
    return [
        _without_bracketed_names(sentence_targets, text)
        for sentence_targets, text in zip(targets, document.texts, strict=True)
    ]


def _without_bracketed_names(targets: Sequence[Target], text: str) -> list[Target]:
    """Return the targets of a sentence without those in brackets behind another: *ISIL (Islamic State)* is one target.

    As two, they would compete with each other, and both would seem less likely.
    """
    ends = {mention[1] for _, mention in targets if mention is not None}
    kept: list[Target] = []
    for name, mention in targets:
        if mention is not None:
            before, after = text[: mention[0]], text[mention[1] :]
            is_in_brackets = before.endswith("(") and after.startswith(")")
            if is_in_brackets and len(before[:-1].rstrip()) in ends:
                continue
        kept.append((name, mention))
    return kept
