"""Warnings about the results of an article."""

from collections.abc import Sequence

from claimstance.inference.articles.language import NOT_ENGLISH, is_foreign
from claimstance.inference.articles.wrapping import WRAPPED, unwrap
from claimstance.model.decoding.document import DocumentPredictions


def article_warnings(
    document: DocumentPredictions,
    text: str,
    targets: Sequence[str],
    tasks: Sequence[str],
    topics: Sequence[str],
) -> list[str]:
    """Return what a user should know about the results of an article.

    Args:
        document: the predictions for its sentences.
        text: the article.
        targets: the targets that the user names.
        tasks: the tasks of the model.
        topics: the topics that the model was trained on, its default targets.
    """
    warnings = list(dict.fromkeys(document.warnings))
    scores_stances = "stance" in tasks
    if targets and not scores_stances:
        warnings.append(
            f"the model has no stance task, only {', '.join(tasks)}: the targets are ignored"
        )
    finds_targets = "entity" in tasks or bool(document.opinions)
    if scores_stances and not targets and not finds_targets and not topics:
        warnings.append(
            "no target was named, and the model recognizes no entities: no stances are scored"
        )
    if not document.texts:
        warnings.append("the article has no sentence: nothing read")
    if unwrap(text) != text:
        warnings.append(WRAPPED)
    if is_foreign(text):
        warnings.append(NOT_ENGLISH)
    return warnings
