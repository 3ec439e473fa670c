"""Measure agreement between annotators of the same sentences, task by task, and the scores that people reach.

Labels: Cohen's kappa of each two annotators, Fleiss' kappa, Krippendorff's alpha (``label_agreement``). Spans: F1 of
each two, alpha over tokens (``span_agreement``). People are also scored by a model's metrics, each annotator in the
model's place: their labels against the majority of the others, their spans against each other annotator's.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from pydantic import BaseModel

from claimstance.model.errors import InputError
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Stance
from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.annotators.label_agreement import (
    LabelAgreement,
    LabelAnswers,
    NamedAnswer,
)
from claimstance.training.data.annotators.questions import Question, stance_answers
from claimstance.training.data.annotators.span_agreement import SpanAgreement, SpanAnswers
from claimstance.training.evaluation.answers import document_of


class AgreementReport(BaseModel):
    """Represent the agreement of all annotators.

    Attributes:
        items: sentences with two or more annotators.
        single: sentences with one annotator.
        documents: documents with such sentences, over which intervals are bootstrapped. A sentence without a document
            is a document of its own.
        annotators: name of an annotator → number of sentences.
        labels: task (claim, check_worthy, subjective, stance) → agreement; tasks that nobody annotated are left out.
        spans: ``attribution`` and ``entity`` → agreement, likewise.
        people: task → metric of ``evaluate`` → the score of the annotators in a model's place.
    """

    items: int
    single: int
    documents: int
    annotators: dict[str, int]
    labels: dict[str, LabelAgreement]
    spans: dict[str, SpanAgreement]
    people: dict[str, dict[str, Measure]]


class Agreement:
    """Count annotations sentence by sentence, and report how far annotators agree.

    Only counts and the sentences of the current document are stored. The sentences of a document must therefore follow
    one another; sentences that come later count as another document.
    """

    def __init__(self) -> None:
        self._items = 0  # sentences with two or more annotators
        self._single = 0  # sentences with one annotator
        self._documents = 0
        self._annotators: Counter[str] = Counter()
        self._document: str | None = None
        self._labels = {task: LabelAnswers() for task in (*SENTENCE_TASKS, "stance")}
        self._spans = {"attribution": SpanAnswers("attribution"), "entity": SpanAnswers("entity")}

    def add(self, records: Sequence[Record]) -> None:
        """Count one sentence, as each of its annotators has it.

        Args:
            records: annotations of one text, each by another ``annotator``; several may have no name.

        Raises:
            InputError: if texts differ, or an annotator has two records.
        """
        for record in records[1:]:
            if record.text != records[0].text:
                raise InputError(
                    f"{record.id}: text: expected the text of {records[0].id}, found another"
                )
        names = Counter(record.annotator for record in records if record.annotator is not None)
        for name, count in names.items():
            if count > 1:
                raise InputError(
                    f"{records[0].id}: annotator: expected each once, found '{name}' twice"
                )
        self._annotators.update(names)

        # A sentence of one annotator says nothing about agreement.
        if len(records) < 2:
            self._single += len(records)
        else:
            self._items += 1
            self._begin_document(records)

        for task in SENTENCE_TASKS:
            labels: list[NamedAnswer] = []
            for record in records:
                label = getattr(record, task)
                if label is not None:
                    labels.append((record.annotator, label))
            self._labels[task].add(labels)
        by_question: dict[Question, list[NamedAnswer]] = defaultdict(list)
        for record in records:
            for question, label in stance_answers(record).items():
                by_question[question].append((record.annotator, label))
        for stances in by_question.values():
            self._labels["stance"].add(stances)
        for spans in self._spans.values():
            spans.add(records)

    def _begin_document(self, records: Sequence[Record]) -> None:
        """Close the current document if a sentence belongs to another one."""
        document = document_of(records[0])
        # Where each annotator's copy of an article is a document of its own, its metadata name the article.
        if any(document_of(record) != document for record in records):
            document = str(records[0].meta.get("article", document))
        if document == self._document:
            return
        for answers in self._labels.values():
            answers.end_document()
        for spans in self._spans.values():
            spans.end_document()
        self._document = document
        self._documents += 1

    def report(self) -> AgreementReport:
        """Return the agreement in everything added so far."""
        labels: dict[str, LabelAgreement] = {}
        spans: dict[str, SpanAgreement] = {}
        people: dict[str, dict[str, Measure]] = {}
        for task, answers in self._labels.items():
            if answers.any:
                labels[task] = answers.report()
                people[task] = answers.people()
        for task, span_answers in self._spans.items():
            if span_answers.any:
                spans[task] = span_answers.report()
                people[task] = span_answers.people()
        return AgreementReport(
            items=self._items,
            single=self._single,
            documents=self._documents,
            annotators=dict(sorted(self._annotators.items())),
            labels=labels,
            spans=spans,
            people={task: figures for task, figures in people.items() if figures},
        )


def annotations(record: Record) -> list[Record]:
    """Return a record for each of the answers that ``meta["annotations"]`` has to the record's only stance.

    GWSD's reader yields such records. Its annotators have no names, so that their answers count for alpha and Fleiss'
    kappa only. Any other record is its only annotation.
    """
    answers = record.meta.get("annotations")
    if not isinstance(answers, list) or record.stances is None or len(record.stances) != 1:
        return [record]
    (stance,) = record.stances
    copies = []
    for answer in answers:
        stances = [Stance(holder=stance.holder, target=stance.target, label=str(answer))]
        copies.append(record.model_copy(update={"annotator": None, "stances": stances}))
    return copies
