"""Predictions for records: the output of `predict`, which evaluation also measures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from claimstance.model.article.alignment import (
    Alignment,
    Reference,
    find_mentions_or_references,
    join_texts,
    references_by_sentence,
    resolve_article,
)
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.encoding import PendingDocument, ShouldCancel, never_cancel
from claimstance.model.labels import ROLES
from claimstance.model.predictor import Predictor
from claimstance.model.record import Attribution, Record, Span
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.offsets import Offsets
from claimstance.model.windows import SentenceSpan

#: Sentences before a stance in which a holder is sought whom its own sentence does not mention.
MAX_SENTENCES_BACK = 8
#: Returns the mentions of a name in a sentence: (document, sentence, name) → spans.
Locate = Callable[[DocumentPredictions, int, str], Sequence[tuple[int, int]]]


@dataclass
class Prediction:
    """Represent the predictions for one record. Fields are ``None`` where the model has no such head.

    Attributes:
        stances: the probabilities of each stance that the record lists.
        kinds: the kind of question of each of these stances (see ``StanceQuery.kind``).
    """

    claim: dict[str, float] | None = None
    check_worthy: dict[str, float] | None = None
    subjective: dict[str, float] | None = None
    attributions: list[tuple[Attribution, float]] | None = None
    entities: list[DecodedEntity] | None = None
    stances: list[dict[str, float]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


@dataclass
class PendingRecords:
    """Represent the records of one document that are being encoded.

    Attributes:
        sentences: the number of each record's sentence in the document. Successive records with the same sentence
            and other holder–target pairs share it.
        locate: finds the mentions of a name; those of the name itself, without coreference, if ``None``.
    """

    predictor: Predictor
    records: Sequence[Record]
    sentences: list[int]
    document: PendingDocument
    locate: Locate | None

    def result(self) -> list[Prediction]:
        """Wait for the encoder and return the prediction for each record."""
        config = self.predictor.config
        document = self.predictor.result(self.document)
        attributions = attributions_by_sentence(document)
        predictions = []
        for sentence in self.sentences:
            prediction = Prediction()
            for task, rows in document.probabilities.items():
                setattr(prediction, task, by_label(config.labels[task], rows[sentence]))
            if attributions is not None:
                prediction.attributions = attributions[sentence]
            if document.entities is not None:
                prediction.entities = [
                    entity for entity in document.entities if entity.span.sentence == sentence
                ]
            predictions.append(prediction)
        if "stance" in config.tasks:
            # The stances of all records are scored together.
            owners: list[Prediction] = []
            queries: list[StanceQuery] = []
            for record, sentence, prediction in zip(
                self.records, self.sentences, predictions, strict=True
            ):
                for stance in record.stances or ():
                    owners.append(prediction)
                    queries.append(self._query(document, sentence, stance.holder, stance.target))
            stance_rows = self.predictor.stances(document, queries)
            for prediction, query, row in zip(owners, queries, stance_rows, strict=True):
                prediction.stances.append(by_label(config.labels["stance"], row))
                prediction.kinds.append(query.kind)
        return predictions

    def _query(
        self,
        document: DocumentPredictions,
        sentence: int,
        holder: Span | str | None,
        target: Span | str,
    ) -> StanceQuery:
        """Return the query for a stance; a span is represented by its first piece, a name by its first mention."""
        target_spans = self._spans(document, sentence, target)
        span_or_topic = target_spans[0] if target_spans else str(target)
        # The speaker of a quotation that runs on is named in an earlier sentence.
        first = max(0, sentence - MAX_SENTENCES_BACK) if isinstance(holder, str) else sentence
        for holder_sentence in range(sentence, first - 1, -1):
            holder_spans = self._spans(document, holder_sentence, holder) if holder else ()
            if holder_spans:
                return StanceQuery(sentence, holder_spans[0], span_or_topic, holder_sentence)
        return StanceQuery(sentence, None, span_or_topic)

    def _spans(
        self, document: DocumentPredictions, sentence: int, span_or_name: Span | str
    ) -> Sequence[tuple[int, int]]:
        """Return the pieces of a span, or the mentions of a name in a sentence."""
        if not isinstance(span_or_name, str):
            return span_or_name
        if self.locate is None:
            return find_mentions(span_or_name, document.texts[sentence])
        return self.locate(document, sentence, span_or_name)


class MentionFinder:
    """Find the mentions of a name in the sentences of records, as in an article of these sentences.

    The references of one document are kept, since a caller asks for many names of a document before it
    goes on to the next one.
    """

    def __init__(self) -> None:
        self._document: DocumentPredictions | None = None
        self._references: list[list[Reference]] = []  # by sentence

    def __call__(self, document: DocumentPredictions, sentence: int, name: str) -> list[Offsets]:
        """Return the mentions of ``name`` in a sentence of ``document``."""
        if document is not self._document:
            alignment = Alignment(*join_texts(document.texts))
            references = resolve_article(alignment, document)
            self._document = document
            self._references = references_by_sentence(alignment, references)
        return find_mentions_or_references(
            name, document.texts[sentence], self._references[sentence]
        )


def contexts(records: Sequence[Record]) -> list[list[int]]:
    """Return groups of record numbers: the records of a document by one annotator are encoded in each other's context.

    A record without a document is a group of its own.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, record in enumerate(records):
        if record.doc_id is None:
            key: tuple[str, ...] = (str(number),)
        else:
            key = ("document", record.doc_id, record.annotator or "")
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def predict(
    predictor: Predictor, records: Sequence[Record], locate: Locate | None = None
) -> Iterator[Prediction]:
    """Yield a prediction for every record, in order.

    Stances are scored for the holder–target pairs that a record lists; their labels are ignored.
    """
    groups = contexts(records)
    documents = ([records[number] for number in group] for group in groups)
    results = predictor.prefetch(
        begin_document(predictor, document, locate).result for document in documents
    )
    # The records of a document need not follow one another: predictions wait for their turn here.
    predictions: dict[int, Prediction] = {}
    next_number = 0
    for group, document_predictions in zip(groups, results, strict=True):
        predictions.update(zip(group, document_predictions, strict=True))
        while next_number in predictions:
            yield predictions.pop(next_number)
            next_number += 1


def begin_document(
    predictor: Predictor,
    records: Sequence[Record],
    locate: Locate | None = None,
    should_cancel: ShouldCancel = never_cancel,
) -> PendingRecords:
    """Begin to encode the records of one document, or one record without a document."""
    texts: list[str] = []
    sentences: list[int] = []
    previous: Record | None = None
    for record in records:
        is_repeated = (
            previous is not None and record.text == previous.text and record.start == previous.start
        )
        if not is_repeated:
            texts.append(record.text)
        sentences.append(len(texts) - 1)
        previous = record
    document = predictor.submit(texts, should_cancel)
    return PendingRecords(predictor, records, sentences, document, locate)


def by_label(labels: Sequence[str], row: Iterable[float]) -> dict[str, float]:
    """Return label → probability."""
    return dict(zip(labels, map(float, row), strict=True))


def attributions_by_sentence(
    document: DocumentPredictions,
) -> list[list[tuple[Attribution, float]]] | None:
    """Return the attributions of each sentence with their probabilities, as records contain them.

    An attribution over several sentences is in each of them, with its spans there.
    """
    if document.attributions is None:
        return None
    by_sentence: list[list[tuple[Attribution, float]]] = [[] for _ in document.texts]
    for number, attribution in enumerate(document.attributions):
        pieces = (*attribution.source, *attribution.cue, *attribution.content)
        sentences = sorted({piece.sentence for piece in pieces})
        event = f"{sentences[0]}.{number}" if len(sentences) > 1 else None
        for sentence in sentences:
            spans: dict[str, Span | None] = {}
            for role in ROLES:
                located: Sequence[SentenceSpan] = getattr(attribution, role)
                in_sentence = [
                    (piece.start, piece.end) for piece in located if piece.sentence == sentence
                ]
                spans[role] = in_sentence or None
            by_sentence[sentence].append(
                (Attribution(**spans, event=event), attribution.probability)
            )
    return by_sentence
