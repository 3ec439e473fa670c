"""Sections of an evaluation's page: figures, kinds of errors, plots, groups and the worst errors of a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.training.evaluation.answers import Answers, ScoredAnswer, stack
from claimstance.training.evaluation.counts import Outcome
from claimstance.training.evaluation.metrics import Figure
from claimstance.training.evaluation.page.groups import GroupTable, by_outlet, by_target
from claimstance.training.evaluation.page.plots import (
    Plot,
    PlottedRun,
    precision_recall_plot,
    reliability_plot,
    risk_plot,
)
from claimstance.training.evaluation.page.worst import (
    QuestionView,
    SentenceView,
    worst_answers,
    worst_sentences,
)
from claimstance.training.evaluation.prediction_log import ScoredSpans
from claimstance.training.evaluation.reliability import (
    RANKED,
    answered_mask,
    answered_precision,
    binary_outcomes,
)
from claimstance.training.evaluation.scoring import PRIMARY_METRICS
from claimstance.training.evaluation.span_errors import KINDS, count_errors, sum_errors

LINKED = "linked attributions"  # a row of the error table, beside the roles
_SCORES = ("precision", "recall", "f1")
_MAIN = ("accuracy", "average_precision")  # main metrics besides the primary ones


@dataclass(frozen=True)
class FigureRow:
    """Represent a figure, and the value that people reach; ``metric`` as in ``evaluation.json``."""

    metric: str
    figure: Figure
    people: float | None


@dataclass(frozen=True)
class ScoreRow:
    """Represent precision, recall and F1 of a label or role.

    Attributes:
        name: the label or role; empty for all together.
        n: the number of gold items, if the counts hold it.
        scores: precision, recall and F1.
        people: the F1 that people reach.
    """

    name: str
    n: int | None
    scores: list[Figure]
    people: float | None


@dataclass(frozen=True)
class ConfusionMatrix:
    """Represent how often each label was predicted for each: ``counts[gold][predicted]``.

    ``shares`` are the same as shares of each row.
    """

    labels: tuple[str, ...]
    counts: list[list[int]]
    shares: list[list[float]]


@dataclass(frozen=True)
class ErrorTable:
    """Represent label → kind of error → number of spans.

    ``commonest`` are the most frequent errors: label, kind, number.
    """

    counts: dict[str, dict[str, int]]
    commonest: list[tuple[str, str, int]]


@dataclass(frozen=True)
class TaskSection:
    """Represent one task of a corpus as the page shows it.

    Attributes:
        anchor: an id that is unique on the page.
        corpus: the corpus of the sentences.
        task: the task.
        n: the number of items that figures count.
        documents: the number of documents.
        primary: the primary figures, by which training chooses weights.
        main: the main figures.
        scores: precision, recall and F1 of each label or role.
        other_figures: all other figures.
        matrix: the confusion matrix; ``None`` for spans.
        error_table: the kinds of errors; ``None`` for labels.
        plots: kind of the question → its plots.
        group_tables: figures by target and by outlet, as far as these are known.
        n_cases: the number of questions or sentences.
        n_errors: the number of these with an error.
        questions: the worst of them, for labels.
        sentences: the worst of them, for spans.
    """

    anchor: str
    corpus: str
    task: str
    n: int
    documents: int
    primary: list[FigureRow]
    main: list[FigureRow]
    scores: list[ScoreRow]
    other_figures: list[FigureRow]
    matrix: ConfusionMatrix | None
    error_table: ErrorTable | None
    plots: dict[str, list[Plot]]
    group_tables: list[GroupTable]
    n_cases: int
    n_errors: int
    questions: list[QuestionView]
    sentences: list[SentenceView]


def task_section(
    number: int,
    name: str,
    account: Mapping[str, Any],
    outcome: Outcome,
    config: ModelConfig,
    cases: Sequence[ScoredAnswer] | Sequence[ScoredSpans],
) -> TaskSection:
    """Return the section of one task of a corpus.

    Args:
        number: the number of the section on the page.
        name: ``corpus/task``.
        account: the evaluation's account.
        outcome: the counts of the task.
        config: the configuration of the model.
        cases: the cases of the task.
    """
    corpus, _, task = name.rpartition("/")
    anchor = f"t{number}"
    figures = {metric: Figure(**values) for metric, values in account["results"][name].items()}
    # The annotators' own agreement is in the account only if the data have several annotators.
    people = {}
    for metric, values in account.get("people", {}).get(name, {}).items():
        people[metric] = values["value"]

    rows = [FigureRow(metric, figure, people.get(metric)) for metric, figure in figures.items()]
    main_metrics = (*PRIMARY_METRICS[task], *_MAIN)
    main, other_figures = [], []
    for row in rows:
        if row.metric in main_metrics:
            main.append(row)
        elif row.metric.rpartition(".")[2] not in _SCORES:
            other_figures.append(row)

    answers = [case for case in cases if isinstance(case, ScoredAnswer)]
    sentences = [case for case in cases if isinstance(case, ScoredSpans)]
    wrong_answers = sum(not answer.is_correct for answer in answers)
    wrong_sentences = sum(count_errors(sentence.errors) > 0 for sentence in sentences)

    matrix = None
    if outcome.kind == "labels":
        counts = outcome.counts.sum(axis=0)  # (gold, predicted)
        shares = counts / np.clip(counts.sum(axis=1, keepdims=True), 1, None)
        matrix = ConfusionMatrix(outcome.labels, counts.astype(int).tolist(), shares.tolist())

    plots = {}
    if answers:
        plots = _plots(anchor, task, config, stack(outcome.labels, answers))

    group_tables = [by_outlet(outcome, cases)]
    # Only stances have targets, which say more than outlets and so come first.
    if task == "stance":
        group_tables.insert(0, by_target(outcome.labels, answers))

    return TaskSection(
        anchor,
        corpus,
        task,
        n=int(outcome.sizes.sum()),
        documents=len(outcome.documents),
        primary=[row for row in rows if row.metric in PRIMARY_METRICS[task]],
        main=main,
        scores=_score_rows(figures, people, matrix),
        other_figures=other_figures,
        matrix=matrix,
        error_table=_error_table(sentences, outcome) if sentences else None,
        plots=plots,
        group_tables=[table for table in group_tables if table is not None],
        n_cases=len(cases),
        n_errors=wrong_answers + wrong_sentences,
        questions=worst_answers(answers),
        sentences=worst_sentences(sentences),
    )


def _score_rows(
    figures: Mapping[str, Figure], people: Mapping[str, float], matrix: ConfusionMatrix | None
) -> list[ScoreRow]:
    """Return a row for each label or role that has a precision."""
    sizes: dict[str, int] = {}
    if matrix is not None:
        sizes = dict(zip(matrix.labels, map(sum, matrix.counts), strict=True))
    rows = []
    for metric in figures:
        if metric.rpartition(".")[2] != "precision":
            continue
        prefix = metric.removesuffix("precision")  # "favor.", or empty for all together
        name = prefix.removesuffix(".")
        scores = [figures[prefix + score] for score in _SCORES]
        rows.append(ScoreRow(name, sizes.get(name), scores, people.get(f"{prefix}f1")))
    return rows


def _error_table(cases: Sequence[ScoredSpans], outcome: Outcome) -> ErrorTable:
    """Return the kinds of errors of all sentences, and of linked attributions."""
    errors = sum_errors(case.errors for case in cases)
    commonest = []
    for (label, kind), n in errors.most_common():
        if kind != "right":
            commonest.append((label, kind, n))
    if outcome.kind == "attribution":
        # The last row of the counts is that of linked attributions, as ``count_attributions`` returns it.
        linked = outcome.counts.sum(axis=0)[-1]
        correct, predicted, gold = linked.astype(int).tolist()
        errors[LINKED, "right"] += correct
        errors[LINKED, "missed"] += gold - correct
        errors[LINKED, "spurious"] += predicted - correct
    counts: dict[str, dict[str, int]] = {}
    # In the order in which the labels occur; each has all kinds, also those that did not occur.
    for label, _ in errors:
        counts[label] = {kind: errors[label, kind] for kind in KINDS}
    return ErrorTable(counts, commonest[:3])


def _plots(anchor: str, task: str, config: ModelConfig, answers: Answers) -> dict[str, list[Plot]]:
    """Return kind of the question → its plots; thresholds differ from kind to kind."""
    plots_by_kind = {}
    for number, (kind, group) in enumerate(answers.by_kind().items()):
        name = f"{anchor}k{number}"
        probabilities, outcomes = binary_outcomes(group, task)
        answered = answered_mask(group, config)
        plots = [
            reliability_plot(f"{name}r", [PlottedRun(probabilities, outcomes)]),
            risk_plot(
                f"{name}c",
                [PlottedRun(group.confidence, group.correct, answered=answered)],
                answered_precision(kind),
            ),
        ]
        if task in RANKED:
            threshold = config.thresholds_of(task)[group.labels[-1]]
            ranked = PlottedRun(probabilities, outcomes, threshold=threshold)
            plot = precision_recall_plot(f"{name}p", [ranked])
            if plot is not None:
                plots.append(plot)
        plots_by_kind[kind] = plots
    return plots_by_kind
