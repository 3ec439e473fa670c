"""Measure how well people agree where several annotated the same: about the most that a model can reach.

Where annotators marked whole articles (PolNeAR), each is scored against each other as a model is against gold. The
counts of an article are averaged over the ordered pairs of its annotators, so that each article weighs once however
many annotators it has; intervals are by bootstrap over articles. Where many gave a sentence a label (GWSD), each is
scored against what most of the others say; an answer on which the others are tied is left out. A model is scored
against a label that all annotators made together, which is less noisy than one person's: it may pass this ceiling.
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
from claimstance.training.evaluation.evaluate import Results, corpus_names
from claimstance.training.evaluation.metrics import Array, Figure


def between_articles(records: Iterable[Record], labels: Sequence[str] = CLAIM) -> Results:
    """The figures of ``attribution`` and ``claim``, each annotator of an article against each other.

    Args:
        records: sentences of articles, once for each ``annotator``; the article is ``meta["article"]``. Articles with
            one annotator are left out.
        labels: of ``claim``.

    Returns:
        What ``evaluate`` returns; ``n`` counts sentences, each once. Empty if no article has two annotators.
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
        attributions.append(np.mean([count_between(gold, other) for gold, other in pairs], axis=0))
        claims.append(
            np.mean([_count_claims(gold, other, labels) for gold, other in pairs], axis=0)
        )
        sizes.append(float(len(pairs[0][0])))
    corpus = corpus_names(next(iter(next(iter(articles.values())).values()))[0])[0]
    documents = tuple(map(digest, articles))
    return {
        f"{corpus}/attribution": _figures("attribution", (), documents, sizes, attributions),
        f"{corpus}/claim": _figures("labels", tuple(labels), documents, sizes, claims),
    }


def by_article(records: Iterable[Record]) -> dict[str, dict[str, list[Record]]]:
    """Article → annotator → sentences in order."""
    articles: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        articles[str(record.meta["article"])][record.annotator or ""].append(record)
    return {name: dict(annotations) for name, annotations in articles.items()}


def _count_claims(gold: Sequence[Record], other: Sequence[Record], labels: Sequence[str]) -> Array:
    return _confusion(
        [(one.claim or "", two.claim or "") for one, two in zip(gold, other, strict=True)], labels
    )


def between_answers(records: Iterable[Record], labels: Sequence[str]) -> Results:
    """The figures of ``stance``, each of many answers to a sentence against what most of the others say.

    Args:
        records: sentences with one stance and ``meta["annotations"]``, the labels that annotators gave.
        labels: of ``stance``.

    Returns:
        What ``evaluate`` returns; ``n`` counts sentences, which weigh alike however many answers they have.
    """
    found: dict[str, dict[str, Array]] = defaultdict(dict)
    for record in records:
        answers = record.meta.get("annotations") or ()
        pairs = [
            (most, one)
            for most, one in zip(against_others(answers), answers, strict=True)
            if most is not None
        ]
        if pairs:
            for corpus in corpus_names(record):
                found[corpus][record.id] = _confusion(pairs, labels) / len(pairs)
    return {
        f"{corpus}/stance": _figures(
            "labels",
            tuple(labels),
            tuple(map(digest, counts)),
            [1.0] * len(counts),
            list(counts.values()),
        )
        for corpus, counts in found.items()
    }


def _confusion(pairs: Iterable[tuple[str, str]], labels: Sequence[str]) -> Array:
    index: Mapping[str, int] = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)))
    for gold, said in pairs:
        counts[index[gold], index[said]] += 1
    return counts


def _figures(
    kind: str,
    labels: tuple[str, ...],
    documents: tuple[str, ...],
    sizes: Sequence[float],
    counts: Sequence[Array],
) -> dict[str, Figure]:
    return Outcome(kind, labels, documents, np.array(sizes), np.array(counts)).figures()
