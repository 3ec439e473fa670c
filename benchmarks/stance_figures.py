"""Compute the figures of a model from its answers: stances in whole articles, and given pairs."""

from collections.abc import Iterable, Sequence

import numpy as np
from stance_articles import AnnotatedArticle, Answered
from stance_matching import SIDES, annotated_stances, found_stances, match_spans, match_stances

from claimstance.inference.results import TaggedArticle
from claimstance.training.evaluation.answers import Answers, collect
from claimstance.training.evaluation.metrics import (
    Array,
    Figure,
    bootstrap,
    classification,
    confusion_matrices,
    cumulative_curve,
    f1,
    ranking_figures,
)
from claimstance.training.evaluation.reliability import binary_outcomes, calibration_error_floor

BINS = 15  # of the calibration error
CURVE_POINTS = 100

Figures = dict[str, Figure]


def all_figures(articles: Sequence[AnnotatedArticle], answered: Answered) -> Figures:
    """Return all figures of a model, with intervals by bootstrap over articles."""
    figures = {
        **_end_to_end(articles, answered.tagged),
        **_spans(articles, answered.tagged),
        **_given_pairs(answered),
        **_swapped(answered),
        **_topics(answered),
        **_check_worthy(answered),
    }
    shared_articles, shared_tagged = [], []
    for article, tagged in zip(articles, answered.tagged, strict=True):
        if article.second is not None:
            shared_articles.append(article)
            shared_tagged.append(tagged)
    if shared_articles:
        doc_ids = {article.doc_id for article in shared_articles}
        figures |= _rename("shared", _end_to_end(shared_articles, shared_tagged))
        figures |= _rename("shared", _check_worthy(answered, doc_ids))
    return figures


def _rename(prefix: str, figures: Figures) -> Figures:
    """Return the figures with a prefix before their names."""
    return {f"{prefix}.{name}": figure for name, figure in figures.items()}


def _end_to_end(articles: Sequence[AnnotatedArticle], tagged: Sequence[TaggedArticle]) -> Figures:
    """Return precision, recall and F1 of stances in whole articles: of all sides, and of the sure ones."""
    figures: Figures = {}
    for name, abstained in (("all", True), ("sure", False)):
        counts = []
        for article, result in zip(articles, tagged, strict=True):
            gold = annotated_stances(article.labels, article.text)
            matched = match_stances(gold, found_stances(result.stances, abstained))
            n_correct = sum(is_correct for _, is_correct in matched)
            counts.append((n_correct, len(matched), len(gold)))
        figures |= _rename(name, _f1_figures(counts))
    return figures


def _f1_figures(counts: Sequence[tuple[int, int, int]]) -> Figures:
    """Return precision, recall and F1 from the counts of each article: correct, predicted, gold.

    The ``n`` of precision is the number of predictions, that of the others the number of gold items.
    """
    table = np.array(counts, dtype=float)
    n_predicted, n_gold = int(table[:, 1].sum()), int(table[:, 2].sum())
    figures = bootstrap(table, lambda sums: f1(*map(float, sums)), n_gold)
    precision = figures["precision"]
    figures["precision"] = Figure(precision.value, precision.low, precision.high, n_predicted)
    return figures


def second_annotator(articles: Sequence[AnnotatedArticle]) -> Figures:
    """Return the figures of the second annotator, scored as a system; none without one."""
    stances, check_worthy = [], []
    for article in articles:
        if article.second is None:
            continue
        gold = annotated_stances(article.labels, article.text)
        matched = match_stances(gold, annotated_stances(article.second, article.text))
        n_correct = sum(is_correct for _, is_correct in matched)
        stances.append((n_correct, len(matched), len(gold)))
        first, second = set(article.labels.check_worthy), set(article.second.check_worthy)
        check_worthy.append((len(first & second), len(second), len(first)))
    if not stances:
        return {}
    return {
        **_rename("all", _f1_figures(stances)),
        "check_worthy.f1": _f1_figures(check_worthy)["f1"],
    }


def _spans(articles: Sequence[AnnotatedArticle], tagged: Sequence[TaggedArticle]) -> Figures:
    """Return F1 of distinct holder and target spans, those of the sides that the model takes."""
    holders, targets = [], []
    for article, result in zip(articles, tagged, strict=True):
        gold = annotated_stances(article.labels, article.text)
        predicted = found_stances(result.stances)
        holders.append(
            match_spans(
                (stance.holder for stance in gold if stance.holder),
                (stance.holder for stance in predicted if stance.holder),
            )
        )
        targets.append(
            match_spans((stance.target for stance in gold), (stance.target for stance in predicted))
        )
    return {**_rename("holders", _f1_figures(holders)), **_rename("targets", _f1_figures(targets))}


def confidence_curve(
    articles: Sequence[AnnotatedArticle], tagged: Sequence[TaggedArticle]
) -> list[dict[str, float]]:
    """Return precision and recall of the sides of at least each confidence, surest first."""
    scores: list[float] = []
    correct: list[bool] = []
    total = 0
    for article, result in zip(articles, tagged, strict=True):
        gold = annotated_stances(article.labels, article.text)
        total += len(gold)
        for confidence, is_correct in match_stances(gold, found_stances(result.stances)):
            scores.append(confidence)
            correct.append(is_correct)
    if not scores or not total:
        return []
    curve = cumulative_curve(np.array(scores), np.array(correct))
    # Points at equal distances are enough; in a set, since those of a short curve coincide.
    last = len(curve.counts) - 1
    points = sorted({round(i * last / CURVE_POINTS) for i in range(CURVE_POINTS + 1)})
    return [
        {
            "confidence": round(float(curve.thresholds[point]), 4),
            "precision": round(float(curve.sums[point] / curve.counts[point]), 4),
            "recall": round(float(curve.sums[point] / total), 4),
        }
        for point in points
    ]


def _given_pairs(answered: Answered) -> Figures:
    """Return the figures of the stances of given holders and targets."""
    answers = collect(answered.config, "stance", answered.pairs)
    if answers is None:
        return {}
    documents = answers.documents.tolist()
    figures = {
        "pairs.macro_f1": _macro_f1(answers),
        "pairs.calibration_error": _calibration_error(answers),
    }
    for label in SIDES:
        column = answers.labels.index(label)
        ranking = ranking_figures(
            (answers.gold == column).tolist(), answers.probabilities[:, column].tolist(), documents
        )
        figures[f"pairs.{label}"] = ranking["average_precision"]
    floor = calibration_error_floor(answers.confidence)
    figures["pairs.calibration_floor"] = Figure(floor, floor, floor, len(documents))
    return figures


def _macro_f1(answers: Answers) -> Figure:
    """Return macro-F1, resampled by article."""
    counts = confusion_matrices(
        answers.gold.tolist(),
        answers.predicted.tolist(),
        answers.documents.tolist(),
        len(answers.labels),
    )
    score = bootstrap(
        counts,
        lambda confusion: {"macro_f1": classification(confusion, answers.labels)["macro_f1"]},
        len(answers.gold),
    )
    return score["macro_f1"]


def _calibration_error(answers: Answers) -> Figure:
    """Return the calibration error of the answered labels, resampled by article."""
    probabilities, correct = answers.confidence, answers.correct
    documents, rows = np.unique(answers.documents, return_inverse=True)
    bin_of = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    counts = np.zeros((len(documents), BINS, 2))  # surplus of probability over truth, and answers
    np.add.at(counts, (rows, bin_of, 0), probabilities - correct)
    np.add.at(counts, (rows, bin_of, 1), 1)

    def score(sums: Array) -> dict[str, float]:
        return {"error": float(np.abs(sums[:, 0]).sum() / sums[:, 1].sum())}

    return bootstrap(counts, score, len(correct))["error"]


def _swapped(answered: Answered) -> Figures:
    """Return how many labels of given pairs stay when all names are swapped, and macro-F1 then."""
    before = collect(answered.config, "stance", answered.pairs)
    after = collect(answered.config, "stance", answered.swapped)
    if before is None or after is None:
        return {}
    same = before.predicted == after.predicted
    sided = np.array([label in SIDES for label in before.predicted_labels])
    documents = before.documents
    figures = {
        "swapped.unchanged": _share(same, documents),
        "swapped.macro_f1": _macro_f1(after),
    }
    if sided.any():
        figures["swapped.sides_unchanged"] = _share(same[sided], documents[sided])
    return figures


def _share(outcomes: Array, documents: Array) -> Figure:
    """Return the share of true outcomes, resampled by article."""
    names, rows = np.unique(documents, return_inverse=True)
    counts = np.zeros((len(names), 2))
    np.add.at(counts, rows, np.stack([outcomes, np.ones(len(outcomes))], axis=1))
    shares = bootstrap(counts, lambda sums: {"share": float(sums[0] / sums[1])}, len(outcomes))
    return shares["share"]


def _topics(answered: Answered) -> Figures:
    """Return macro-F1 of the stances on the topics of the articles."""
    answers = collect(answered.config, "stance", answered.topics)
    return {} if answers is None else {"topics.macro_f1": _macro_f1(answers)}


def _check_worthy(answered: Answered, documents: Iterable[str] | None = None) -> Figures:
    """Return average precision and F1 of *yes*, for the given documents or for all of them."""
    pairs = answered.pairs
    if documents is not None:
        chosen = set(documents)
        pairs = [pair for pair in pairs if pair[0].doc_id in chosen]
    answers = collect(answered.config, "check_worthy", pairs)
    if answers is None:
        return {}
    probabilities, is_gold = binary_outcomes(answers, "check_worthy")
    names = answers.documents.tolist()
    ranking = ranking_figures(is_gold.tolist(), probabilities.tolist(), names)
    is_predicted = answers.predicted == len(answers.labels) - 1
    _, rows = np.unique(answers.documents, return_inverse=True)
    counts = np.zeros((len(set(names)), 3))
    np.add.at(counts, rows, np.stack([is_predicted & is_gold, is_predicted, is_gold], axis=1))
    f1_figures = _f1_figures([tuple(row) for row in counts.astype(int).tolist()])
    return {
        "check_worthy.average_precision": ranking["average_precision"],
        "check_worthy.f1": f1_figures["f1"],
    }
