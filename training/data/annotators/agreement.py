"""Measure agreement between annotators of the same sentences, task by task, and the scores that people reach.

Labels: Cohen's kappa of each two annotators, Fleiss' kappa, Krippendorff's alpha (``label_agreement``). Spans: F1 of
each two, alpha over tokens (``span_agreement``). The same metrics as a model's are given of people, each annotator in
the model's place: of labels against what most of the others say, of spans against each other one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Stance
from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.annotators.label_agreement import LabelAgreement, LabelAnswers
from claimstance.training.data.annotators.questions import Question, stance_answers
from claimstance.training.data.annotators.span_agreement import SpanAgreement, SpanAnswers
from claimstance.training.evaluation.answers import document_of


class AgreementReport(BaseModel):
    """Agreement of all annotators.

    Attributes:
        items: sentences that two or more annotated.
        single: sentences that one annotated.
        documents: of the former; intervals are by bootstrap over them. A sentence without a document is one itself.
        annotators: who is named → sentences.
        labels: task (claim, check_worthy, subjective, stance) → agreement; tasks that nobody annotated are left out.
        spans: the same of ``attribution`` and ``entity``.
        people: task → metric, named as those of ``evaluate`` → what annotators reach in a model's place.
    """

    items: int
    single: int
    documents: int
    annotators: dict[str, int]
    labels: dict[str, LabelAgreement]
    spans: dict[str, SpanAgreement]
    people: dict[str, dict[str, Measure]]


class Agreement:
    """Takes annotations sentence by sentence, and says how far annotators agree.

    Counts are kept, and of the sentences those of one document: the sentences of a document are expected one after
    another. Those that come later count as another document.
    """

    def __init__(self) -> None:
        self._items = self._single = self._documents = 0
        self._annotators: Counter[str] = Counter()
        self._document: str | None = None
        self._labels = {task: LabelAnswers() for task in (*SENTENCE_TASKS, "stance")}
        self._spans = {"attribution": SpanAnswers("attribution"), "entity": SpanAnswers("entity")}

    def add(self, records: Sequence[Record]) -> None:
        """One sentence, as each of its annotators has it.

        Args:
            records: of one text, each by another ``annotator``; several may be by nobody named.

        Raises:
            InputError: if texts differ, or an annotator is named twice.
        """
        names = [record.annotator for record in records if record.annotator is not None]
        _check(records, names)
        self._annotators.update(names)
        if len(records) < 2:
            self._single += len(records)
        else:
            self._items += 1
            if (document := _document(records)) != self._document:
                self._end_document()
                self._document = document
                self._documents += 1
        for task in SENTENCE_TASKS:
            said = [(record.annotator, getattr(record, task)) for record in records]
            self._labels[task].add([(name, label) for name, label in said if label is not None])
        for answers in _stances(records):
            self._labels["stance"].add(answers)
        for spans in self._spans.values():
            spans.add(records)

    def _end_document(self) -> None:
        for answers in self._labels.values():
            answers.end_document()
        for spans in self._spans.values():
            spans.end_document()

    def report(self) -> AgreementReport:
        """Return the agreement in everything added so far."""
        labels = {task: answers for task, answers in self._labels.items() if answers.any}
        spans = {task: answers for task, answers in self._spans.items() if answers.any}
        people = {task: answers.people() for task, answers in labels.items()}
        people |= {task: answers.people() for task, answers in spans.items()}
        return AgreementReport(
            items=self._items,
            single=self._single,
            documents=self._documents,
            annotators=dict(sorted(self._annotators.items())),
            labels={task: answers.report() for task, answers in labels.items()},
            spans={task: answers.report() for task, answers in spans.items()},
            people={task: figures for task, figures in people.items() if figures},
        )


def _check(records: Sequence[Record], names: Sequence[str]) -> None:
    for record in records[1:]:
        if record.text != records[0].text:
            raise InputError(
                f"{record.id}: text: expected the text of {records[0].id}, found another"
            )
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{records[0].id}: annotator: expected each once, found '{twice}' twice")


def _document(records: Sequence[Record]) -> str:
    """The document of a sentence; where each annotator's copy has a name of its own, the article's."""
    names = {document_of(record) for record in records}
    return (
        str(records[0].meta.get("article", document_of(records[0])))
        if len(names) > 1
        else names.pop()
    )


def _stances(records: Sequence[Record]) -> Iterator[list[tuple[str | None, str]]]:
    """The answers to each question that somebody answered."""
    asked: dict[Question, list[tuple[str | None, str]]] = {}
    for record in records:
        for question, label in stance_answers(record).items():
            asked.setdefault(question, []).append((record.annotator, label))
    yield from asked.values()


def annotations(record: Record) -> list[Record]:
    """The annotations of a record that has its annotators' answers to its one stance in ``meta["annotations"]``.

    GWSD's reader gives such records. Its annotators have no names: the answers are by nobody named, who count for alpha
    and Fleiss' kappa. Any other record is its only annotation.
    """
    answers = record.meta.get("annotations")
    if not isinstance(answers, list) or len(record.stances or ()) != 1:
        return [record]
    stance = (record.stances or [])[0]
    return [
        record.model_copy(
            update={
                "annotator": None,
                "stances": [Stance(holder=stance.holder, target=stance.target, label=str(answer))],
            }
        )
        for answer in answers
    ]
