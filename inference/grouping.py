"""Names of an article that mean the same, and counts of where each source stands."""

from collections.abc import Collection, Iterable

from claimstance.inference.results import Sentence, Source, sources_of
from claimstance.model.article.spans import Span
from claimstance.model.coreference.aliases import group_aliases


def name_aliases(sentences: Iterable[Sentence]) -> dict[str, str]:
    """Return each name of a source, a holder, a target or an entity → its fullest form in the article."""
    names: list[str] = []
    for sentence in sentences:
        names += (source.name for source in sources_of(sentence) if source.name)
        for stance in sentence.stances:
            if stance.holder is not None:
                names.append(stance.holder)
            names.append(stance.target)
        names += (entity.text for entity in sentence.entities or ())
    return group_aliases(names)


def group_sources(sentences: Iterable[Sentence], targets: Collection[str] = ()) -> list[Source]:
    """Return the named sources in order of appearance, with their claims and counted stances.

    Aliases of one source are one source, and aliases of one target are counted together, under the
    fullest form of the name. Stances from which the model abstains do not count.

    Args:
        sentences: the sentences of the article.
        targets: those that the user named, which are counted as they are written.
    """
    sentences = list(sentences)  # they are read three times
    aliases = name_aliases(sentences)
    claims: dict[str, list[int]] = {}
    for sentence in sentences:
        for source in sources_of(sentence):
            if not source.name:
                continue
            indices = claims.setdefault(aliases[source.name], [])
            # A source may say several things in a sentence, which counts once.
            if indices[-1:] != [sentence.index]:
                indices.append(sentence.index)

    # A holder who says nothing is no source: only names that are there already get stances.
    stances: dict[str, dict[str, dict[str, int]]] = {name: {} for name in claims}
    for sentence in sentences:
        for stance in sentence.stances:
            if stance.holder is None or stance.abstained:
                continue
            by_target = stances.get(aliases[stance.holder])
            if by_target is None:
                continue
            target = stance.target if stance.target in targets else aliases[stance.target]
            counts = by_target.setdefault(target, {})
            counts[stance.label] = counts.get(stance.label, 0) + 1
    return [Source(name, indices, stances[name]) for name, indices in claims.items()]


def named_holders(sentences: Iterable[Sentence]) -> list[str]:
    """Return the names of those who speak or take a stance, in order of appearance.

    A holder who is described by a pronoun that nobody fits has no name.
    """
    names: dict[str, None] = {}
    for sentence in sentences:
        spans: list[Span | None] = list(sources_of(sentence))
        spans += [stance.holder_span for stance in sentence.stances]
        for span in spans:
            if span is not None and span.name:
                names[span.name] = None
    return list(names)
