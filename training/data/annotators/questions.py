"""The questions that annotators of one sentence answered: which of their answers are to the same one."""

from collections.abc import Hashable

from claimstance.model.record import Record, Span, Stance

Question = tuple[Hashable, Hashable]  # holder and target


def question_of(stance: Stance) -> Question:
    """Return holder and target, equal between annotators who marked the same span or gave the same name, but for case.

    A span and a name are two questions, even where the span reads as the name: it may be another mention's.
    """
    return _key(stance.holder), _key(stance.target)


def _key(value: Span | str | None) -> Hashable:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if value is None:
        return None
    return tuple(sorted(value))


def stance_answers(record: Record) -> dict[Question, str]:
    """Return one annotator's answer to each question, without questions that have two answers or none."""
    labels_by_question: dict[Question, set[str]] = {}
    for stance in record.stances or ():
        if stance.label is not None:
            labels_by_question.setdefault(question_of(stance), set()).add(stance.label)
    answers = {}
    for question, labels in labels_by_question.items():
        if len(labels) == 1:
            answers[question] = labels.pop()
    return answers
