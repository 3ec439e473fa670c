"""Pairs of a holder and a target that a model detects by itself, compared with an exhaustive annotation."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from claimstance.model.article.alignment import AlignedArticle, align_article, join_texts
from claimstance.model.article.record_prediction import contexts
from claimstance.model.article.stance_candidates import StanceCandidate, find_candidates
from claimstance.model.decoding.spans import suppress_overlaps
from claimstance.model.labels import FOUND
from claimstance.model.pair_evidence import EVIDENCE, pair_evidence, pairs_of
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.model.text.layout import layout_of
from claimstance.model.text.offsets import Offsets
from claimstance.model.windows import SentenceSpan
from claimstance.training.calibration.pair_matching import (
    LocatedStance,
    match,
    same_pair,
    same_stance,
)
from claimstance.training.data.documents.spans import enclosing
from claimstance.training.evaluation.answers import Answers, document_of
from claimstance.training.evaluation.metrics import cumulative_curve

_LEAST_PROBABILITY = 1e-12  # keeps logarithms finite


@dataclass(frozen=True)
class ScoredPairs:
    """Represent the pairs of a holder and a target that a model detects.

    Attributes:
        answers: the answer to each pair; its gold label is that of the annotated stance that it matches
            (``pair_matching``), preferably one of the same side, else the label of pairs without a stance.
        evidence: the properties of each pair, (P, E); see ``pair_evidence``.
        annotated: the number of annotated stances, detected or not.
    """

    answers: Answers
    evidence: np.ndarray
    annotated: int


@dataclass(frozen=True)
class DetectedPairs:
    """Represent the predictions for a document, with the holders and targets that the model detects in it.

    Attributes:
        article: the sentences of the document as an article.
        candidates: the pairs of a holder and a target.
    """

    article: AlignedArticle
    candidates: list[StanceCandidate]


def detect_pairs(predictor: Predictor, records: Sequence[Record]) -> DetectedPairs:
    """Read the sentences of a document as an article, and return the pairs that the model detects."""
    text, bounds = join_sentences(records)
    document = predictor.read([record.text for record in records], layout_of(text, bounds))
    article = align_article(document, text, bounds)
    candidates = find_candidates(article)
    detected = [candidate for candidate in candidates if candidate.query.kind == FOUND]
    return DetectedPairs(article, detected)


def score_detected_pairs(
    predictor: Predictor, records: Sequence[Record], no_stance: str = "neutral"
) -> ScoredPairs:
    """Return the answers about the pairs of a holder and a target that a model detects, as in a tagged article.

    Keep the likeliest of one holder's nested targets (*Trump's plan*, *Trump*).

    Args:
        predictor: a model that detects holders and targets.
        records: sentences whose stances are annotated in full.
        no_stance: the label of pairs without a stance.
    """
    labels = tuple(predictor.config.labels["stance"])
    documents: list[str] = []
    probabilities: list[np.ndarray] = [np.zeros((0, len(labels)))]
    evidence: list[np.ndarray] = [np.zeros((0, len(EVIDENCE)))]
    gold: list[str] = []
    annotated = 0
    for indices in contexts(records):
        group = [records[index] for index in indices]
        pairs = _score_document(predictor, group, no_stance)
        documents += [document_of(group[0])] * len(pairs.gold)
        probabilities.append(pairs.probabilities)
        evidence.append(pairs.evidence)
        gold += pairs.gold
        annotated += pairs.annotated
    table = np.concatenate(probabilities)  # (P, labels)
    answers = Answers(
        labels=labels,
        probabilities=table,
        predicted=table.argmax(axis=1),
        gold=np.array([labels.index(label) for label in gold], dtype=np.int64),
        documents=np.array(documents, dtype=np.str_),
        kinds=np.full(len(gold), FOUND),
    )
    return ScoredPairs(answers, np.concatenate(evidence), annotated)


class _DocumentPairs(NamedTuple):
    """Represent the pairs of one document: the fields of ``ScoredPairs``, with names of gold labels."""

    probabilities: np.ndarray
    evidence: np.ndarray
    gold: list[str]
    annotated: int


def _score_document(
    predictor: Predictor, records: Sequence[Record], no_stance: str
) -> _DocumentPairs:
    """Return the pairs that a model detects in the sentences of a document, likeliest first."""
    labels = list(predictor.config.labels["stance"])
    neutral = labels.index(no_stance)
    detected = detect_pairs(predictor, records)
    article = detected.article
    queries = [candidate.query for candidate in detected.candidates]
    probabilities = predictor.stances(article.document, queries)  # (candidates, labels)
    logits = np.log(np.maximum(probabilities, _LEAST_PROBABILITY))
    pairs = pairs_of(article.document, queries)
    evidence = pair_evidence(article.document, pairs, logits, neutral)  # (candidates, E)

    side_probabilities = probabilities.copy()
    side_probabilities[:, neutral] = -1.0
    likeliest_sides = side_probabilities.argmax(axis=1).tolist()
    stances = []
    groups = []
    for candidate, side in zip(detected.candidates, likeliest_sides, strict=True):
        stance = locate(article, candidate, labels[side])
        stances.append(stance)
        groups.append((candidate.query.sentence, stance.holder_name, stance.label))
    # Targets nested in a likelier one of the same side are left out.
    targets = [stance.target for stance in stances]
    selected = suppress_overlaps(groups, targets, side_probabilities.max(axis=1).tolist())

    annotated = annotated_stances(records, article)
    listed = [stance for stance in annotated if stance.label != no_stance]
    gold = _gold_labels(listed, [stances[index] for index in selected], no_stance)
    return _DocumentPairs(probabilities[selected], evidence[selected], gold, len(listed))


def join_sentences(records: Sequence[Record]) -> tuple[str, list[Offsets]]:
    """Return the text that consists of the sentences of a document, and ``[start, end)`` of each.

    Neighbours in a paragraph have a space between them. Sentences whose offsets in the document are further apart, or
    unknown, have a line break between them.
    """
    same_line = set()
    for index, (before, record) in enumerate(pairwise(records), 1):
        if before.start is None:
            continue
        end = before.start + len(before.text)
        if record.start == end + 1:
            same_line.add(index)
    texts = [record.text for record in records]
    return join_texts(texts, same_line)


def annotated_stances(records: Sequence[Record], article: AlignedArticle) -> list[LocatedStance]:
    """Return the annotated stances of a named holder on words of its sentence, with offsets into the article.

    Args:
        records: the sentences of a document.
        article: the article that they form (see ``detect_pairs``).
    """
    alignment = article.alignment
    stances = []
    for sentence, record in enumerate(records):
        for stance in record.stances or ():
            if stance.holder is None or isinstance(stance.target, str) or stance.label is None:
                continue
            holder: Offsets | None = None
            if isinstance(stance.holder, str):
                holder_name = stance.holder
            else:
                holder_span = SentenceSpan(sentence, *enclosing(stance.holder))
                holder = alignment.offsets(holder_span)
                holder_name = alignment.text[slice(*holder)]
            target_span = SentenceSpan(sentence, *enclosing(stance.target))
            target = alignment.offsets(target_span)
            stances.append(LocatedStance(holder, holder_name, target, stance.label))
    return stances


def locate(article: AlignedArticle, candidate: StanceCandidate, label: str) -> LocatedStance:
    """Return a candidate with a holder and a target span as a stance with this label."""
    query = candidate.query
    holder = candidate.holder
    assert holder is not None
    assert not isinstance(query.target, str)
    target = article.alignment.offsets(SentenceSpan(query.sentence, *query.target))
    holder_name = holder.name or holder.text
    return LocatedStance((holder.start, holder.end), holder_name, target, label)


def _gold_labels(
    listed: Sequence[LocatedStance], detected: Sequence[LocatedStance], no_stance: str
) -> list[str]:
    """Return the label of the annotated stance of each pair; ``no_stance`` where there is none.

    Each annotated stance counts once, for a pair of the same side if there is one.

    Args:
        listed: the annotated stances that take a side.
        detected: the pairs, each with its likeliest side.
        no_stance: the label of pairs without a stance.
    """
    labels = [no_stance] * len(detected)
    unmatched_stances = list(listed)
    unmatched_pairs = list(range(len(detected)))
    for agree in (same_stance, same_pair):
        pairs = [detected[index] for index in unmatched_pairs]
        partners = match(unmatched_stances, pairs, agree)
        still_unmatched = []
        for index, partner in zip(unmatched_pairs, partners, strict=True):
            if partner is None:
                still_unmatched.append(index)
            else:
                labels[index] = unmatched_stances[partner].label
        unmatched_pairs = still_unmatched
        unmatched_stances = [
            stance for number, stance in enumerate(unmatched_stances) if number not in partners
        ]
    return labels


def best_f1(pairs: ScoredPairs, no_stance: str) -> float:
    """Return the best F1 of stances that take a side, over all thresholds of their probability."""
    answers = pairs.answers
    if not len(answers.gold) or not pairs.annotated:
        return 0.0
    is_side = np.array([label != no_stance for label in answers.labels])
    side_probabilities = np.where(is_side, answers.probabilities, -1.0)  # (P, labels)
    is_correct = side_probabilities.argmax(axis=1) == answers.gold
    curve = cumulative_curve(side_probabilities.max(axis=1), is_correct.astype(float))
    scores = 2 * curve.sums / (curve.counts + pairs.annotated)
    return float(scores.max())
