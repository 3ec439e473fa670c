"""The questions about stances that annotators answer, so that answers to the same question can be compared."""

from collections.abc import Hashable

from claimstance.model.record import Record, Span, Stance

Question = tuple[Hashable, Hashable]  # holder and target


def question_of(stance: Stance) -> Question:
    """Return holder and target; they are equal for the same spans, and for the same names whatever their case.

    A span and a name are two questions, even if the text of the span is the name: it may mention someone else.
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
