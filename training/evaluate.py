"""Held-out evaluation: predictions beside gold labels, scored by the field's metrics, corpus by corpus."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from claimstance.model.predicting import Prediction, predict
from claimstance.model.reader import Reader
from claimstance.model.record import Record
from claimstance.training.directed import score_directed
from claimstance.training.metrics import (
    Figure,
    bootstrap,
    calibration_error,
    classification,
    confusions,
    ranking,
)
from claimstance.training.spans import score_attributions

Pair = tuple[Record, Prediction]
Results = dict[str, dict[str, Figure]]  # "corpus/task" → metric → figure

#: The one number of each task that a training run is steered by.
PRIMARY = {
    "attribution": ("source.overlap.f1", "cue.overlap.f1", "content.overlap.f1", "linked.f1"),
    "entity": ("f1",),
    "claim": ("macro_f1",),
    "check_worthy": ("macro_f1",),
    "stance": ("macro_f1",),
}


def evaluate(reader: Reader, records: Sequence[Record], progress: Callable[[int], None] | None = None) -> Results:
    """Score a model on annotated records; tasks that either lacks are left out.

    Returns:
        For each ``corpus/task`` (the corpus from ``meta``, with its part if it names one) the figures of that task,
        with 95 % intervals by bootstrap over documents.
    """
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in zip(records, predict(reader, records), strict=True):
        for corpus in parts(record):
            pairs[corpus].append((record, prediction))
        if progress:
            progress(1)
    results: Results = {}
    for corpus, rows in pairs.items():
        for task in reader.config.tasks:
            if figures := _SCORERS[task](reader, task, rows):
                results[f"{corpus}/{task}"] = figures
    return results


def primary(results: Results) -> dict[str, float]:
    """The primary score of each ``corpus/task`` and their ``mean``."""
    scores = {}
    for name, figures in results.items():
        wanted = PRIMARY[name.rpartition("/")[2]]
        scores[name] = sum(figures[metric].value for metric in wanted) / len(wanted)
    return {"mean": sum(scores.values()) / max(len(scores), 1), **scores}


def parts(record: Record) -> Iterator[str]:
    """The names a record is scored under: its corpus, and a leak-free part where the corpus tells one apart."""
    corpus = "-".join(filter(None, (str(record.meta.get("corpus", "data")), record.meta.get("subset"))))
    yield corpus
    if record.meta.get("clean"):
        yield f"{corpus}-clean"


def _document(record: Record) -> str:
    return record.doc_id or record.id


def _score_sentences(reader: Reader, task: str, rows: Sequence[Pair]) -> dict[str, Figure]:
    known = [(record, getattr(prediction, task)) for record, prediction in rows if getattr(record, task) is not None]
    triples = [(_document(record), getattr(record, task), probabilities) for record, probabilities in known]
    return _score_labels(reader.config.labels[task], triples, ranked=task == "check_worthy")


def _score_stances(reader: Reader, task: str, rows: Sequence[Pair]) -> dict[str, Figure]:
    triples = [
        (_document(record), stance.label, probabilities)
        for record, prediction in rows
        for stance, probabilities in zip(record.stances or (), prediction.stances, strict=True)
        if stance.label is not None
    ]
    directed = score_directed(rows, [_document(record) for record, _ in rows])
    return {**_score_labels(reader.config.labels[task], triples), **directed}


def _score_labels(
    labels: Sequence[str], triples: Sequence[tuple[str, str, dict[str, float]]], ranked: bool = False
) -> dict[str, Figure]:
    """Figures from (document, gold label, probabilities); with ``ranked``, also of ranking by the last label."""
    if not triples:
        return {}
    documents, gold_names, probabilities = zip(*triples, strict=True)
    index = {label: i for i, label in enumerate(labels)}
    gold = [index[name] for name in gold_names]
    predicted = [index[max(p, key=p.__getitem__)] for p in probabilities]
    counts = confusions(gold, predicted, documents, len(labels))
    figures = bootstrap(counts, lambda summed: classification(summed, labels), len(gold))
    right = [g == p for g, p in zip(gold, predicted, strict=True)]
    error = calibration_error([max(p.values()) for p in probabilities], right)
    figures["calibration_error"] = Figure(error, error, error, len(gold))
    if ranked:
        positive = labels[-1]
        figures |= ranking([name == positive for name in gold_names], [p[positive] for p in probabilities], documents)
    return figures


def _score_attributions(reader: Reader, task: str, rows: Sequence[Pair]) -> dict[str, Figure]:
    documents: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in rows:
        if record.attributions is not None:
            documents[_document(record)].append((record, prediction))
    return score_attributions(list(documents.values())) if documents else {}


def _score_entities(reader: Reader, task: str, rows: Sequence[Pair]) -> dict[str, Figure]:
    import numpy as np

    from claimstance.training.metrics import f1

    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for record, prediction in rows:
        if record.entities is not None:
            gold = {(e.span[0][0], e.span[-1][1], e.label) for e in record.entities}
            found = {(e.place.start, e.place.end, e.label) for e in prediction.entities or ()}
            for i, value in enumerate((len(gold & found), len(found), len(gold))):
                counts[_document(record)][i] += value
    if not counts:
        return {}
    rows_of_counts = np.array(list(counts.values()), dtype=float)
    return bootstrap(rows_of_counts, lambda summed: f1(*summed), int(rows_of_counts[:, 2].sum()))


_SCORERS: dict[str, Callable[[Reader, str, Sequence[Pair]], dict[str, Figure]]] = {
    "attribution": _score_attributions,
    "entity": _score_entities,
    "claim": _score_sentences,
    "check_worthy": _score_sentences,
    "stance": _score_stances,
}
