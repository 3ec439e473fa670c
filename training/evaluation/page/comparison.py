"""The page that compares two evaluations: significant differences, and cases where the two disagree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.evaluation.answers import ScoredAnswer, stack
from claimstance.training.evaluation.page.page import PAGES
from claimstance.training.evaluation.page.plots import (
    Plot,
    PlottedRun,
    differences_plot,
    reliability_plot,
    risk_plot,
)
from claimstance.training.evaluation.page.worst import (
    QuestionView,
    SentenceView,
    question_view,
    sentence_view,
)
from claimstance.training.evaluation.prediction_log import (
    PREDICTION_LOG_FILE,
    PredictionLog,
    ScoredSpans,
    read_prediction_log,
)
from claimstance.training.evaluation.reliability import answered_precision, binary_outcomes
from claimstance.training.evaluation.span_errors import KINDS, count_errors, sum_errors

MAX_CASES = 5  # shown of a task, for each run that alone is right
RUNS = ("A", "B")


@dataclass(frozen=True)
class Disagreement:
    """Represent the disagreement of two runs on a task.

    Attributes:
        anchor: an id that is unique on the page.
        corpus: the corpus of the sentences.
        task: the task.
        n: the number of questions or sentences.
        correct: the number of questions that both, A alone, B alone and neither answered correctly;
            empty for spans.
        errors: label → kind of error → number of spans of A and of B; empty for questions.
        plots: kind of the question → plots of both runs.
        questions: those that A alone answered correctly, and those that B did, farthest apart first.
        sentences: those in which A has fewer errors, and those in which B has, farthest apart first.
        better: the number of cases in which A is better, and in which B is.
    """

    anchor: str
    corpus: str
    task: str
    n: int
    correct: list[int]
    errors: dict[str, dict[str, tuple[int, int]]]
    plots: dict[str, list[Plot]]
    questions: tuple[list[QuestionView], list[QuestionView]]
    sentences: tuple[list[SentenceView], list[SentenceView]]
    better: tuple[int, int]


def comparison_page(comparison: Mapping[str, Any], folder_a: Path, folder_b: Path) -> Iterator[str]:
    """Return the page, in pieces.

    Args:
        comparison: the result of ``compare`` for the two folders.
        folder_a: the folder of the first evaluation.
        folder_b: the folder of the second evaluation.

    Raises:
        InputError: if the two logs of predictions do not hold the same cases.
    """
    folders = (folder_a, folder_b)
    runs_without_log = []
    for name, folder in zip(RUNS, folders, strict=True):
        if not (folder / PREDICTION_LOG_FILE).is_file():
            runs_without_log.append(name)

    sections = []
    # Differences of figures need only the counts, cases need both logs.
    if not runs_without_log:
        logs = [read_prediction_log(folder) for folder in folders]
        sections = disagreements(folders, logs[0], logs[1])

    differences = [
        (row["difference"], row["low"], row["high"], row["significant"])
        for row in comparison["rows"]
    ]
    return PAGES.render(
        "comparison.html",
        {
            "comparison": comparison,
            "runs": RUNS,
            "runs_without_log": runs_without_log,
            "log_file": PREDICTION_LOG_FILE,
            "drawing": differences_plot("all", differences) if differences else "",
            "sections": sections,
        },
    )


def disagreements(
    folders: tuple[Path, Path], a: PredictionLog, b: PredictionLog
) -> list[Disagreement]:
    """Return the disagreements of two runs on each task that both have.

    Raises:
        InputError: if the cases of two runs differ in sentence, kind or gold label.
    """
    sections = []
    shared = [name for name in a if name in b]
    for number, name in enumerate(shared, 1):
        keys_a = [_case_key(case) for case in a[name]]
        keys_b = [_case_key(case) for case in b[name]]
        if keys_a != keys_b:
            paths = [folder / PREDICTION_LOG_FILE for folder in folders]
            raise InputError(
                f"{paths[1]}, {name}: expected the cases of {paths[0]} in their order, "
                "found others: evaluate both again"
            )
        # All cases of a task are of one kind.
        compare_cases: Any = _compare_spans
        if isinstance(a[name][0], ScoredAnswer):
            compare_cases = _compare_answers
        sections.append(compare_cases(f"t{number}", name, a[name], b[name]))
    return sections


def _case_key(case: ScoredAnswer | ScoredSpans) -> tuple[str, str | None]:
    """Return what must agree in two runs; the gold label is ``None`` for spans."""
    return case.record.id, case.gold if isinstance(case, ScoredAnswer) else None


def _compare_answers(
    anchor: str, name: str, a: Sequence[ScoredAnswer], b: Sequence[ScoredAnswer]
) -> Disagreement:
    """Return the disagreement of two runs on a task with labels."""
    corpus, _, task = name.rpartition("/")
    n_both = n_neither = 0
    only_a, only_b = [], []
    for first, second in zip(a, b, strict=True):
        if first.is_correct and second.is_correct:
            n_both += 1
        elif first.is_correct:
            only_a.append((first, second))
        elif second.is_correct:
            only_b.append((first, second))
        else:
            n_neither += 1

    return Disagreement(
        anchor,
        corpus,
        task,
        n=len(a),
        correct=[n_both, len(only_a), len(only_b), n_neither],
        errors={},
        plots=_plots(anchor, task, a, b),
        questions=(_farthest_apart(only_a), _farthest_apart(only_b)),
        sentences=([], []),
        better=(len(only_a), len(only_b)),
    )


def _farthest_apart(pairs: Sequence[tuple[ScoredAnswer, ScoredAnswer]]) -> list[QuestionView]:
    """Return the questions in which the probabilities of the gold label differ most."""

    def gap(pair: tuple[ScoredAnswer, ScoredAnswer]) -> float:
        first, second = pair
        return abs(first.probabilities[first.gold] - second.probabilities[second.gold])

    # Python's sort is stable even when reversed: equal gaps stay in the order of the cases.
    farthest = sorted(pairs, key=gap, reverse=True)[:MAX_CASES]
    return [question_view(first, second) for first, second in farthest]


def _plots(
    anchor: str, task: str, a: Sequence[ScoredAnswer], b: Sequence[ScoredAnswer]
) -> dict[str, list[Plot]]:
    """Return plots by kind of the question.

    Runs that recognise different mentions have different kinds; a kind that only one run has
    gets no plot.
    """
    kinds_a = stack(list(a[0].probabilities), a).by_kind()
    kinds_b = stack(list(b[0].probabilities), b).by_kind()
    plots = {}
    common_kinds = [kind for kind in kinds_a if kind in kinds_b]
    for number, kind in enumerate(common_kinds):
        reliability_runs, risk_runs = [], []
        for run, answers in zip(RUNS, (kinds_a[kind], kinds_b[kind]), strict=True):
            probabilities, outcomes = binary_outcomes(answers, task)
            reliability_runs.append(PlottedRun(probabilities, outcomes, run))
            risk_runs.append(PlottedRun(answers.confidence, answers.correct, run))
        plots[kind] = [
            reliability_plot(f"{anchor}k{number}r", reliability_runs),
            risk_plot(f"{anchor}k{number}c", risk_runs, answered_precision(kind)),
        ]
    return plots


def _compare_spans(
    anchor: str, name: str, a: Sequence[ScoredSpans], b: Sequence[ScoredSpans]
) -> Disagreement:
    """Return the disagreement of two runs on a task with spans."""
    corpus, _, task = name.rpartition("/")
    errors_a = sum_errors(case.errors for case in a)
    errors_b = sum_errors(case.errors for case in b)
    labels = dict.fromkeys(label for label, _ in (*errors_a, *errors_b))
    errors = {}
    for label in labels:
        errors[label] = {kind: (errors_a[label, kind], errors_b[label, kind]) for kind in KINDS}

    better_a, better_b = [], []
    for first, second in zip(a, b, strict=True):
        gap = count_errors(second.errors) - count_errors(first.errors)
        if gap > 0:
            better_a.append((gap, first, second))
        elif gap < 0:
            better_b.append((-gap, first, second))
    # The sort is stable: sentences with equal gaps stay in the order of the cases.
    better_a.sort(key=lambda case: case[0], reverse=True)
    better_b.sort(key=lambda case: case[0], reverse=True)

    return Disagreement(
        anchor,
        corpus,
        task,
        n=len(a),
        correct=[],
        errors=errors,
        plots={},
        questions=([], []),
        sentences=(
            [sentence_view(first, second) for _, first, second in better_a[:MAX_CASES]],
            [sentence_view(first, second) for _, first, second in better_b[:MAX_CASES]],
        ),
        better=(len(better_a), len(better_b)),
    )
