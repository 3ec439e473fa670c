"""Stances between the holders and targets that a model finds by itself, compared with an exhaustive annotation."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from claimstance.model.decoding.spans import suppress_overlaps
from claimstance.model.encoding import DocumentPredictions
from claimstance.model.labels import FOUND
from claimstance.model.pair_evidence import EVIDENCE, log_odds_against
from claimstance.model.prediction import contexts
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record, Stance
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.text.offsets import overlap
from claimstance.model.windows import SentenceSpan
from claimstance.training.evaluation.answers import Answers, document_of
from claimstance.training.evaluation.metrics import cumulative_curve

_LEAST_PROBABILITY = 1e-12  # keeps logarithms finite


@dataclass(frozen=True)
class FoundStances:
    """Represent the pairs of a holder and a target that a model finds.

    Attributes:
        answers: the answer to each pair; its gold label is that of the annotated stance whose holder and
            target overlap those of the pair, else the label of pairs without a stance.
        evidence: the properties of each pair, (P, E); see ``pair_evidence``.
        annotated: the number of annotated stances, found or not.
    """

    answers: Answers
    evidence: np.ndarray
    annotated: int


def candidate_queries(document: DocumentPredictions) -> list[StanceQuery]:
    """Return the queries about every holder and target of each sentence that do not overlap.

    Holders are sources and opinion holders, targets are entities and opinion targets.
    """
    holders = set(document.opinions["opinion_holder"])
    for attribution in document.attributions or ():
        if attribution.source:
            holders.add(attribution.source[0])
    targets = set(document.opinions["opinion_target"])
    for entity in document.entities or ():
        targets.add(entity.span)
    targets_of_sentence: dict[int, list[SentenceSpan]] = defaultdict(list)
    for target in sorted(targets):
        targets_of_sentence[target.sentence].append(target)
    queries = []
    for holder in sorted(holders):
        for target in targets_of_sentence[holder.sentence]:
            holder_offsets = (holder.start, holder.end)
            target_offsets = (target.start, target.end)
            if not overlap(holder_offsets, target_offsets):
                query = StanceQuery(holder.sentence, holder_offsets, target_offsets, is_found=True)
                queries.append(query)
    return queries


def find_stances(
    predictor: Predictor, records: Sequence[Record], no_stance: str = "neutral"
) -> FoundStances:
    """Return the answers about the pairs of a holder and a target that a model finds.

    Of one holder's nested targets (*Trump's plan*, *Trump*), the likeliest one counts, as in a result.

    Args:
        predictor: a model that finds holders and targets.
        records: sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    labels = tuple(predictor.config.labels["stance"])
    neutral = labels.index(no_stance)
    probabilities: list[np.ndarray] = []
    evidence: list[np.ndarray] = []
    gold: list[int] = []
    documents: list[str] = []
    annotated = 0
    for numbers in contexts(records):
        group = [records[number] for number in numbers]
        document = predictor.read([record.text for record in group])
        queries = candidate_queries(document)
        query_probabilities = predictor.stances(document, queries)  # (queries, labels)
        log_probabilities = np.log(np.maximum(query_probabilities, _LEAST_PROBABILITY))
        log_odds = log_odds_against(log_probabilities, neutral)  # (queries,)
        query_evidence = predictor.evidence(document, queries, log_odds)  # (queries, E)
        # Sentence → its annotated stances that no pair has been matched with.
        unmatched: dict[int, list[Stance]] = defaultdict(list)
        for number, record in enumerate(group):
            for stance in record.stances or ():
                has_spans = isinstance(stance.holder, list) and isinstance(stance.target, list)
                if has_spans and stance.label != no_stance:
                    unmatched[number].append(stance)
                    annotated += 1
        for number in _without_nested_targets(queries, query_probabilities, neutral):
            query = queries[number]
            label = no_stance
            for stance in unmatched[query.sentence]:
                if is_about(query, stance):
                    # Each annotated stance counts once.
                    unmatched[query.sentence].remove(stance)
                    label = stance.label or no_stance
                    break
            probabilities.append(query_probabilities[number])
            evidence.append(query_evidence[number])
            gold.append(labels.index(label))
            documents.append(document_of(group[0]))
    table = np.array(probabilities).reshape(-1, len(labels))
    answers = Answers(
        labels=labels,
        probabilities=table,
        predicted=table.argmax(axis=1),
        gold=np.array(gold, dtype=np.int64),
        documents=np.array(documents, dtype=np.str_),
        kinds=np.full(len(gold), FOUND),
    )
    return FoundStances(answers, np.array(evidence).reshape(-1, len(EVIDENCE)), annotated)


def best_f1(stances: FoundStances, no_stance: str) -> float:
    """Return the best F1 of stances that take a side, over all thresholds of their probability."""
    answers = stances.answers
    if not len(answers.gold) or not stances.annotated:
        return 0.0
    is_side = np.array([label != no_stance for label in answers.labels])
    side_probabilities = np.where(is_side, answers.probabilities, -1.0)  # (P, labels)
    is_correct = side_probabilities.argmax(axis=1) == answers.gold
    curve = cumulative_curve(side_probabilities.max(axis=1), is_correct.astype(float))
    scores = 2 * curve.sums / (curve.counts + stances.annotated)
    return float(scores.max())


def _without_nested_targets(
    queries: Sequence[StanceQuery], probabilities: np.ndarray, neutral: int
) -> list[int]:
    """Return the numbers of the queries, likeliest first, without targets nested in a likelier one of the same side.

    A tagger does the same with names of holders (``without_nested_targets``).
    """
    side_probabilities = probabilities.copy()  # (queries, labels)
    side_probabilities[:, neutral] = -1.0
    labels = side_probabilities.argmax(axis=1).tolist()
    groups, spans = [], []
    for query, label in zip(queries, labels, strict=True):
        groups.append((query.sentence, query.holder, label))
        spans.append(None if isinstance(query.target, str) else query.target)
    return suppress_overlaps(groups, spans, side_probabilities.max(axis=1).tolist())


def is_about(query: StanceQuery, stance: Stance) -> bool:
    """Return whether the holder and the target of a query overlap those of a stance of its sentence."""
    for offsets, span in ((query.holder, stance.holder), (query.target, stance.target)):
        if offsets is None or isinstance(offsets, str) or not isinstance(span, list):
            return False
        if not any(overlap(offsets, piece) for piece in span):
            return False
    return True
