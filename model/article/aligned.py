"""The predictions for the sentences of an article, put together: names are resolved, quotations run on."""

from collections.abc import Sequence
from dataclasses import dataclass

from claimstance.model.article.alignment import Alignment, References, resolve_article
from claimstance.model.article.continuations import find_continuations
from claimstance.model.article.spans import Attribution, Continuation
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.text.offsets import Offsets


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
