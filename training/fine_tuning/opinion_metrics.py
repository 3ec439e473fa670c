"""Scores of what a model finds by itself: the holders and targets of stances, and the stances between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from claimstance.model.labels import OPINION_HEADS
from claimstance.model.prediction import contexts
from claimstance.model.predictor import EncodedDocument, Predictor, StanceQuery
from claimstance.model.record import Record, Stance
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
        for span in predicted:
            self.correct += any(_overlap(span, gold_span) for gold_span in gold)
        for gold_span in gold:
            self.recalled += any(_overlap(span, gold_span) for span in predicted)

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
    for group in groups:
        document = predictor.read([record.text for record in group])
        gold = gold_opinions(group, no_stance)
        for head, head_counts in counts.items():
            head_counts.add(document.opinions[head], gold[head])
    return counts


@dataclass(frozen=True)
class FoundStance:
    """Represent a stance that a model found in a document.

    Attributes:
        label: the side.
        confidence: its probability.
        is_correct: the annotation has a stance of this side whose holder and target overlap these.
    """

    label: str
    confidence: float
    is_correct: bool


def find_stances(
    predictor: Predictor, records: Sequence[Record], no_stance: str = "neutral"
) -> list[FoundStance]:
    """Return the stances that a model finds between the holders and targets that it finds, too.

    Holders are sources and opinion holders, targets are entities and opinion targets, of one sentence. One
    annotated stance makes one found stance correct, the most confident one.

    Args:
        predictor: a calibrated model.
        records: sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    labels = predictor.config.labels["stance"]
    found: list[FoundStance] = []
    groups = [[records[number] for number in group] for group in contexts(records)]
    for group in groups:
        document = predictor.read([record.text for record in group])
        queries = candidate_queries(document)
        predictions: list[tuple[float, str, StanceQuery]] = []
        for query, row in zip(queries, predictor.stances(document, queries), strict=True):
            probabilities = dict(zip(labels, map(float, row), strict=True))
            label = predictor.config.predict_label(query.kind, probabilities)
            if label != no_stance:
                predictions.append((probabilities[label], label, query))
        found += _match_stances(predictions, group)
    return found


def _match_stances(
    predictions: Sequence[tuple[float, str, StanceQuery]], records: Sequence[Record]
) -> list[FoundStance]:
    """Return the predictions (confidence, label, query) of a document, compared with its annotation."""
    found: list[FoundStance] = []
    matched: set[tuple[int, int]] = set()  # sentence, and number of its annotated stance
    surest: list[tuple[str, StanceQuery]] = []
    for confidence, label, query in sorted(predictions, key=lambda item: -item[0]):
        # Of nested targets, a result reports the surest one.
        if any(label == side and _is_nested(query, rival) for side, rival in surest):
            continue
        surest.append((label, query))
        is_correct = False
        for number, stance in enumerate(records[query.sentence].stances or ()):
            key = (query.sentence, number)
            if key not in matched and stance.label == label and _agree(stance, query):
                matched.add(key)
                is_correct = True
                break
        found.append(FoundStance(label, confidence, is_correct))
    return found


def candidate_queries(document: EncodedDocument) -> list[StanceQuery]:
    """Return the queries about every holder and target of each sentence that do not overlap."""
    opinions = document.opinions
    sources = [
        attribution.source[0] for attribution in document.attributions or () if attribution.source
    ]
    entities = [entity.place for entity in document.entities or ()]
    holders = sorted({*sources, *opinions["opinion_holder"]})
    targets = sorted({*entities, *opinions["opinion_target"]})
    targets_of_sentence: dict[int, list[Located]] = {}
    for target in targets:
        targets_of_sentence.setdefault(target.sentence, []).append(target)
    queries = []
    for holder in holders:
        for target in targets_of_sentence.get(holder.sentence, ()):
            if not _overlap(holder, target):
                spans = (holder.start, holder.end), (target.start, target.end)
                queries.append(StanceQuery(holder.sentence, *spans))
    return queries


def _is_nested(first: StanceQuery, second: StanceQuery) -> bool:
    """Return whether two queries have one holder, and targets that share a character."""
    if (first.sentence, first.holder) != (second.sentence, second.holder):
        return False
    if isinstance(first.target, str) or isinstance(second.target, str):
        return first.target == second.target
    return first.target[0] < second.target[1] and second.target[0] < first.target[1]


def _agree(stance: Stance, query: StanceQuery) -> bool:
    """Return whether the holder and the target of a stance overlap those of a query."""
    if isinstance(stance.target, str) or isinstance(stance.holder, str):
        return False
    ends = ((stance.holder, query.holder), (stance.target, query.target))
    for span, offsets in ends:
        if span is None or offsets is None or isinstance(offsets, str):
            return False
        if not (span[0][0] < offsets[1] and offsets[0] < span[-1][1]):
            return False
    return True
