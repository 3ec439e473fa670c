"""The worst errors of a task, as a page shows them: text, gold annotation, prediction, probabilities."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.training.evaluation.answers import ScoredAnswer
from claimstance.training.evaluation.page.record_view import Sample, StanceSummary, sample
from claimstance.training.evaluation.prediction_log import ScoredSpans
from claimstance.training.evaluation.span_errors import Errors, count_errors

MAX_ERRORS = 10  # shown of a task

Case = TypeVar("Case", ScoredAnswer, ScoredSpans)

_DESCRIPTIONS = {
    "boundary": "{} with another boundary",
    "other": "{} taken for something else",
    "missed": "{} missed",
    "spurious": "{} where there is none",
}


@dataclass(frozen=True)
class RunAnswer:
    """Represent the answer of a run: the label, and label → probability in the task's order."""

    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class QuestionView:
    """Represent a question with its gold label and the answers of one or two runs.

    Attributes:
        sample: the text of the question.
        stance: holder and target; ``None`` for other tasks.
        gold: the gold label.
        answers: the answer of each run.
    """

    sample: Sample
    stance: StanceSummary | None
    gold: str
    answers: list[RunAnswer]


@dataclass(frozen=True)
class MarkedSentence:
    """Represent a sentence as a run marked it, with its errors in words."""

    sample: Sample
    errors: str


@dataclass(frozen=True)
class SentenceView:
    """Represent a sentence as annotated, and as one or two runs marked it."""

    expected: Sample
    predicted: list[MarkedSentence]


def worst_answers(cases: Sequence[ScoredAnswer], limit: int = MAX_ERRORS) -> list[QuestionView]:
    """Return wrong answers, least probability of the gold label first; one for each text."""
    wrong = (case for case in cases if not case.is_correct)
    worst = _worst(wrong, lambda case: 1 - case.probabilities[case.gold], limit)
    return [question_view(case) for case in worst]


def worst_sentences(cases: Sequence[ScoredSpans], limit: int = MAX_ERRORS) -> list[SentenceView]:
    """Return the sentences with most errors in their spans; one for each text."""
    wrong = (case for case in cases if count_errors(case.errors))
    worst = _worst(wrong, lambda case: count_errors(case.errors), limit)
    return [sentence_view(case) for case in worst]


def question_view(*cases: ScoredAnswer) -> QuestionView:
    """Return a question as answered by each run; ``cases`` has one item for each run."""
    shown_sample = sample(cases[0].record)
    stance = shown_sample.stances[0] if shown_sample.stances else None
    answers = [RunAnswer(case.predicted, case.probabilities) for case in cases]
    return QuestionView(shown_sample, stance, cases[0].gold, answers)


def sentence_view(*cases: ScoredSpans) -> SentenceView:
    """Return a sentence as marked by each run; ``cases`` has one item for each run."""
    predicted = [
        MarkedSentence(sample(case.predicted), describe_errors(case.errors)) for case in cases
    ]
    return SentenceView(sample(cases[0].record), predicted)


def describe_errors(errors: Errors) -> str:
    """Return the errors of a sentence in words."""
    counts = {}
    for (label, kind), n in errors.items():
        if kind != "right":
            counts[_DESCRIPTIONS[kind].format(label)] = n
    words = []
    for description, n in sorted(counts.items()):
        words.append(f"{description} × {n}" if n > 1 else description)
    return ", ".join(words) or "all right"


def _worst(cases: Iterable[Case], badness: Callable[[Case], float], limit: int) -> list[Case]:
    """Return the worst case of each text, worst first; of equally bad cases the first."""
    worst_by_text: dict[str, tuple[float, int, Case]] = {}
    for number, case in enumerate(cases):
        entry = (badness(case), -number, case)
        text = case.record.text
        if text not in worst_by_text or worst_by_text[text][:2] < entry[:2]:
            worst_by_text[text] = entry
    worst = heapq.nlargest(limit, worst_by_text.values(), key=lambda entry: entry[:2])
    return [case for _, _, case in worst]
