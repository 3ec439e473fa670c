"""Measure how well annotators of the same texts agree: about the most that a model can reach.

If annotators marked whole articles (PolNeAR), each is scored against each of the others, as a model is against gold.
The counts of an article are averaged over the ordered pairs of its annotators, so that articles weigh alike however
many annotators they have; intervals are by bootstrap over articles. If many people labelled a sentence (GWSD), each
answer is scored against the majority of the others; it is left out if the others are tied. A model is scored against a
label that all annotators made together, which is less noisy than one person's: it may pass this ceiling.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

import numpy as np

from claimstance.model.labels import CLAIM
from claimstance.model.record import Record
from claimstance.training.data.annotators.label_agreement import against_others
from claimstance.training.data.annotators.span_agreement import count_between
from claimstance.training.evaluation.counts import Outcome, digest
from claimstance.training.evaluation.metrics import Array, Figure
from claimstance.training.evaluation.scoring import Results, corpus_names


def between_articles(records: Iterable[Record], labels: Sequence[str] = CLAIM) -> Results:
    """Return figures of ``attribution`` and ``claim``, each annotator of an article against each of the others.

    Args:
        records: sentences of articles, once for each ``annotator``; the article is ``meta["article"]``. Articles with
            one annotator are left out.
        labels: those of ``claim``.

    Returns:
        Results as ``evaluate`` has them; ``n`` counts sentences, each once. Empty if no article has two annotators.
    """
    articles = {
        name: annotations
        for name, annotations in by_article(records).items()
        if len(annotations) > 1
    }
    if not articles:
        return {}
    attributions, claims, sizes = [], [], []
    for annotations in articles.values():
        pairs = list(permutations(annotations.values(), 2))
        attributions.append(
            np.mean([count_between(gold, answers) for gold, answers in pairs], axis=0)
        )
        claims.append(
            np.mean([_count_claims(gold, answers, labels) for gold, answers in pairs], axis=0)
        )
        first_sentences, _ = pairs[0]
        sizes.append(float(len(first_sentences)))
    # All records are of one corpus; any of them has its name.
    first_annotations = next(iter(articles.values()))
    first_record = next(iter(first_annotations.values()))[0]
    corpus = corpus_names(first_record)[0]
    documents = tuple(map(digest, articles))
    return {
        f"{corpus}/attribution": _figures("attribution", (), documents, sizes, attributions),
        f"{corpus}/claim": _figures("labels", tuple(labels), documents, sizes, claims),
    }


def by_article(records: Iterable[Record]) -> dict[str, dict[str, list[Record]]]:
    """Return article → annotator → sentences in order."""
    articles: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        articles[str(record.meta["article"])][record.annotator or ""].append(record)
    return {name: dict(annotations) for name, annotations in articles.items()}


def _count_claims(
    gold: Sequence[Record], answers: Sequence[Record], labels: Sequence[str]
) -> Array:
    """Return the confusion matrix of two annotators' claims in the same sentences."""
    pairs = []
    for gold_record, record in zip(gold, answers, strict=True):
        pairs.append((gold_record.claim or "", record.claim or ""))
    return _confusion(pairs, labels)


def between_answers(records: Iterable[Record], labels: Sequence[str]) -> Results:
    """Return figures of ``stance``, each answer to a sentence against the majority of the others.

    Args:
        records: sentences with one stance and ``meta["annotations"]``, the labels that annotators gave.
        labels: those of ``stance``.

    Returns:
        Results as ``evaluate`` has them; ``n`` counts sentences, which weigh alike however many answers they have.
    """
    counts: dict[str, dict[str, Array]] = defaultdict(dict)  # corpus → sentence → confusion matrix
    for record in records:
        answers = record.meta.get("annotations") or ()
        pairs = []
        for majority, answer in zip(against_others(answers), answers, strict=True):
            if majority is not None:
                pairs.append((majority, answer))
        if not pairs:
            continue
        for corpus in corpus_names(record):
            counts[corpus][record.id] = _confusion(pairs, labels) / len(pairs)
    results = {}
    for corpus, matrices in counts.items():
        documents = tuple(map(digest, matrices))
        sizes = [1.0] * len(matrices)
        results[f"{corpus}/stance"] = _figures(
            "labels", tuple(labels), documents, sizes, list(matrices.values())
        )
    return results


def _confusion(pairs: Iterable[tuple[str, str]], labels: Sequence[str]) -> Array:
    """Return how often each label (row) was answered with each label (column)."""
    index: Mapping[str, int] = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)))
    for gold, answer in pairs:
        counts[index[gold], index[answer]] += 1
    return counts


def _figures(
    kind: str,
    labels: tuple[str, ...],
    documents: tuple[str, ...],
    sizes: Sequence[float],
    counts: Sequence[Array],
) -> dict[str, Figure]:
    return Outcome(kind, labels, documents, np.array(sizes), np.array(counts)).figures()
