"""Scores of the spans that a model finds as the holders and targets of stances."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from claimstance.model.labels import OPINION_HEADS
from claimstance.model.prediction import contexts
from claimstance.model.predictor import EncodedDocument, Predictor
from claimstance.model.record import Record
from claimstance.model.windows import Located


@dataclass
class OverlapCounts:
    """Count spans that share a character with one of the other side.

    Attributes:
        predicted: predicted spans.
        correct: predicted spans that overlap a gold span.
        gold: gold spans.
        recalled: gold spans that overlap a predicted span.
    """

    predicted: int = 0
    correct: int = 0
    gold: int = 0
    recalled: int = 0

    def add(self, predicted: Sequence[Located], gold: Sequence[Located]) -> None:
        """Count the spans of one document."""
        self.predicted += len(predicted)
        self.gold += len(gold)
        self.correct += sum(any(_overlap(span, other) for other in gold) for span in predicted)
        self.recalled += sum(any(_overlap(span, other) for other in predicted) for span in gold)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall."""
        precision = self.correct / max(self.predicted, 1)
        recall = self.recalled / max(self.gold, 1)
        return 2 * precision * recall / max(precision + recall, 1e-12)


def _overlap(first: Located, second: Located) -> bool:
    same_sentence = first.sentence == second.sentence
    return same_sentence and first.start < second.end and second.start < first.end


def gold_opinions(records: Sequence[Record], no_stance: str) -> dict[str, list[Located]]:
    """Return head of ``OPINION_HEADS`` → the distinct spans of a document's sentences that it should find."""
    spans: dict[str, set[Located]] = {head: set() for head in OPINION_HEADS}
    for sentence, record in enumerate(records):
        for stance in record.stances or ():
            if stance.label == no_stance:
                continue
            for head, end in zip(OPINION_HEADS, (stance.holder, stance.target), strict=True):
                if isinstance(end, list):
                    spans[head].add(Located(sentence, end[0][0], end[-1][1]))
    return {head: sorted(head_spans) for head, head_spans in spans.items()}


def count_opinions(
    predictor: Predictor, records: Sequence[Record], no_stance: str = "neutral"
) -> dict[str, OverlapCounts]:
    """Return head of ``OPINION_HEADS`` → counts over the documents of ``records``.

    Args:
        predictor: a model with these heads.
        records: sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    counts = {head: OverlapCounts() for head in OPINION_HEADS}
    groups = [[records[number] for number in group] for group in contexts(records)]
    for document, group in zip(_documents(predictor, groups), groups, strict=True):
        gold = gold_opinions(group, no_stance)
        predicted: Mapping[str, list[Located]] = document.opinions or {}
        for head, head_counts in counts.items():
            head_counts.add(predicted.get(head, []), gold[head])
    return counts


def _documents(
    predictor: Predictor, groups: Sequence[Sequence[Record]]
) -> Iterable[EncodedDocument]:
    """Yield the encoded documents, in order."""
    for group in groups:
        yield predictor.read([record.text for record in group])
