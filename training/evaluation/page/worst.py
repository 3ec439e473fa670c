"""The worst errors of a task as a page shows them: the text, what was expected, what the model said, how surely."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.training.evaluation.cases import LabelCase, SpanCase
from claimstance.training.evaluation.page.record_view import Said, Sample, sample
from claimstance.training.evaluation.span_errors import Errors, wrong

MOST = 10  # errors that are shown of a task

Case = TypeVar("Case", LabelCase, SpanCase)


@dataclass(frozen=True)
class Answer:
    """What a run answered: the label, and label → probability, in the task's order."""

    label: str
    shares: dict[str, float]


@dataclass(frozen=True)
class Question:
    """A question with its right label, and what one run or two answered; ``about`` holder and target, if it has any."""

    shown: Sample
    about: Said | None
    gold: str
    answers: list[Answer]


@dataclass(frozen=True)
class Marked:
    """A sentence as a run marked it, with its errors in words."""

    shown: Sample
    errors: str


@dataclass(frozen=True)
class Sentence:
    """A sentence as it should have been marked, and as one run or two did."""

    expected: Sample
    found: list[Marked]


def worst_answers(cases: Sequence[LabelCase], most: int = MOST) -> list[Question]:
    """Wrong answers, those first that held the right label for least likely; of one text, one."""
    chosen = _worst(
        (case for case in cases if not case.right),
        lambda case: 1 - case.probabilities[case.gold],
        most,
    )
    return [question(case) for case in chosen]


def worst_sentences(cases: Sequence[SpanCase], most: int = MOST) -> list[Sentence]:
    """Sentences with most errors in their spans."""
    chosen = _worst(
        (case for case in cases if wrong(case.errors)), lambda case: wrong(case.errors), most
    )
    return [sentence(case) for case in chosen]


def question(case: LabelCase, *others: LabelCase) -> Question:
    """A question as answered by one run, and by ``others``."""
    shown = sample(case.record)
    answers = [Answer(one.said, one.probabilities) for one in (case, *others)]
    return Question(shown, shown.stances[0] if shown.stances else None, case.gold, answers)


def sentence(case: SpanCase, *others: SpanCase) -> Sentence:
    """A sentence as marked by one run, and by ``others``."""
    return Sentence(
        sample(case.record),
        [Marked(sample(one.found), told(one.errors)) for one in (case, *others)],
    )


def told(errors: Errors) -> str:
    """The errors of a sentence in words."""
    found = [f"{words}{f' × {n}' if n > 1 else ''}" for words, n in sorted(_words(errors))]
    return ", ".join(found) or "all right"


def _words(errors: Errors) -> Iterator[tuple[str, int]]:
    said = {
        "boundary": "{} with another boundary",
        "other": "{} taken for something else",
        "missed": "{} missed",
        "spurious": "{} where there is none",
    }
    for (label, kind), n in errors.items():
        if kind != "right":
            yield said[kind].format(label), n


def _worst(cases: Iterable[Case], badness: Callable[[Case], float], most: int) -> list[Case]:
    """The worst, in memory bounded by ``most``; of cases as bad as each other, the first."""
    kept: dict[str, tuple[float, int, Case]] = {}
    for number, case in enumerate(cases):
        entry = (badness(case), -number, case)
        text = case.record.text
        if text not in kept or kept[text][:2] < entry[:2]:
            kept[text] = entry
    return [case for *_, case in heapq.nlargest(most, kept.values(), key=lambda entry: entry[:2])]
