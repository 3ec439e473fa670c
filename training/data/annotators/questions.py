"""The questions that annotators answer, and their answers, in forms that can be compared."""

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import TypeVar

from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Span, Stance

Question = tuple[Hashable, Hashable]  # holder and target
Answer = TypeVar("Answer", bound=Hashable)


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


def majority(votes: Counter[Answer]) -> Answer | None:
    """Return the answer with the most votes; ``None`` if there are none, or on a tie."""
    if not votes:
        return None
    (answer, count), *runners_up = votes.most_common(2)
    for _, other_count in runners_up:
        if other_count == count:
            return None
    return answer


def _normalized_name(value: Span | str | None, text: str) -> str:
    """Return the casefolded words of a holder or target; an empty text for ``None``.

    Args:
        value: a span of the sentence, or a name.
        text: the sentence.
    """
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(text[start:end] for start, end in value)
    # Line breaks and double spaces make no other name.
    return " ".join(value.split()).casefold()


def target_names(record: Record) -> set[str]:
    """Return the casefolded targets of a record's stances; mentions are given by their text."""
    names = {_normalized_name(stance.target, record.text) for stance in record.stances or ()}
    return names - {""}


def holder_names(record: Record) -> set[str]:
    """Return the casefolded holders of stances and sources of attributions; mentions by their text."""
    names = {_normalized_name(stance.holder, record.text) for stance in record.stances or ()}
    for attribution in record.attributions or ():
        names.add(_normalized_name(attribution.source, record.text))
    return names - {""}


def answer_texts(record: Record) -> Iterator[str]:
    """Yield each question that a record answers, with its answer, as a text that is equal for equal answers."""
    text = record.text
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            yield f"{task}\0{label}"

    for stance in record.stances or ():
        if stance.label is None:
            continue
        holder = ""
        if stance.holder is not None:
            holder = f"by {_normalized_name(stance.holder, text)}"
        target = _normalized_name(stance.target, text)
        yield f"stance\0{holder}\0{target}\0{stance.label}"

    # All attributions are one answer, as are all entities: a list that lacks one is another answer.
    if record.attributions is not None:
        attributions = []
        for attribution in record.attributions:
            source = _normalized_name(attribution.source, text)
            cue = _normalized_name(attribution.cue, text)
            content = _normalized_name(attribution.content, text)
            attributions.append([source, cue, content])
        yield f"attributions\0{sorted(attributions)}"

    if record.entities is not None:
        entities = []
        for entity in record.entities:
            name = _normalized_name(entity.span, text)
            entities.append((name, entity.label))
        yield f"entities\0{sorted(entities)}"
