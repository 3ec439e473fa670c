"""Stances of a tagged article, from the candidates that the model scores."""

from collections.abc import Sequence

from claimstance.inference.predicted_records import label_of
from claimstance.inference.results import NO_SIDE, Stance
from claimstance.model.article.alignment import AlignedArticle
from claimstance.model.article.record_prediction import by_label
from claimstance.model.article.stance_candidates import find_candidates
from claimstance.model.decoding.spans import suppress_overlaps
from claimstance.model.predictor import Predictor
from claimstance.model.text.offsets import Offsets
from claimstance.model.windows import SentenceSpan


def find_stances(
    predictor: Predictor,
    article: AlignedArticle,
    targets: Sequence[str],
    topics: Sequence[str],
    neutral: bool,
) -> list[Stance]:
    """Return the stances of an article.

    Args:
        predictor: the model.
        article: the article.
        targets: the targets that the user names; if empty, the model finds them.
        topics: the topics that a model without entities was trained on, its default targets.
        neutral: return all pairs that are scored; without it, those that take a side, and the neutral ones of the
            targets that are named.

    Raises:
        CancelledError: once ``document.should_cancel`` of the article returns true.
    """
    stances = _score_candidates(predictor, article, targets, topics)
    if neutral:
        return stances
    # A topic that the model was trained on counts as named by the user.
    named_targets = targets or topics
    listed = [
        stance for stance in stances if stance.label != NO_SIDE or stance.target in named_targets
    ]
    # Each target that the user names has an answer of its own.
    return listed if targets else without_nested_targets(listed)


def without_nested_targets(stances: Sequence[Stance]) -> list[Stance]:
    """Return stances without those whose target overlaps a likelier one of their sentence, holder and label.

    *Trump's plan* and *Trump* are two targets, but a sentence seldom expresses a stance on both. Calibration
    does the same (``training/calibration/pair_scoring.py``).
    """
    targets: list[Offsets | None] = []
    for stance in stances:
        target = stance.target_span
        targets.append(None if target is None else (target.start, target.end))
    selected = suppress_overlaps(
        groups=[(stance.sentence, stance.holder, stance.label) for stance in stances],
        spans=targets,
        probabilities=[stance.probability for stance in stances],
    )
    return [stances[number] for number in sorted(selected)]


def _score_candidates(
    predictor: Predictor,
    article: AlignedArticle,
    targets: Sequence[str],
    topics: Sequence[str],
) -> list[Stance]:
    """Return the stances of all candidates, with their spans in the article."""
    config = predictor.config
    candidates = find_candidates(article, targets, topics)
    queries = [candidate.query for candidate in candidates]
    rows = predictor.stances(article.document, queries)  # (candidates, stance labels)
    stances = []
    for candidate, row in zip(candidates, rows, strict=True):
        query, holder = candidate.query, candidate.holder
        label = label_of(config, query.kind, by_label(config.labels["stance"], row))
        is_answered = config.is_answered(query.kind, label.label, label.probability)
        target_span = None
        if not isinstance(query.target, str):
            target_span = article.alignment.span([SentenceSpan(query.sentence, *query.target)])
        stances.append(
            Stance(
                holder=(holder.name or holder.text) if holder else None,
                target=candidate.target,
                label=label.label,
                probability=label.probability,
                probabilities=label.probabilities,
                sentence=query.sentence,
                holder_span=holder,
                target_span=target_span,
                abstained=not is_answered,
            )
        )
    return stances
