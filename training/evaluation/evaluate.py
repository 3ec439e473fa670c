"""Held-out evaluation: predictions beside gold labels, scored by the field's metrics, corpus by corpus."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.model.prediction import Prediction, predict
from claimstance.model.predictor import Reader
from claimstance.model.record import Record
from claimstance.training.evaluation.answers import collect, document_of
from claimstance.training.evaluation.attribution_metrics import count_attributions
from claimstance.training.evaluation.counts import Outcome, Outcomes, digest
from claimstance.training.evaluation.directed_metrics import score_directed
from claimstance.training.evaluation.metrics import Array, Figure, confusions, ranking
from claimstance.training.evaluation.reliability import RANKED, claims
from claimstance.training.evaluation.reliability import figures as reliability

Pair = tuple[Record, Prediction]
Results = dict[str, dict[str, Figure]]  # "corpus/task" → metric → figure

#: The one number of each task that a training run is steered by.
PRIMARY = {
    "attribution": ("source.overlap.f1", "cue.overlap.f1", "content.overlap.f1", "linked.f1"),
    "entity": ("f1",),
    "claim": ("macro_f1",),
    "check_worthy": ("macro_f1",),
    "subjective": ("macro_f1",),
    "stance": ("macro_f1",),
}


def evaluate(
    reader: Reader, records: Sequence[Record], progress: Callable[[int], None] | None = None
) -> Results:
    """Score a model on annotated records; tasks that either lacks are left out.

    Returns:
        For each ``corpus/task`` (the corpus from ``meta``, with its part if it names one) the figures of that task,
        with 95 % intervals by bootstrap over documents.
    """
    return score_pairs(reader.config, pair(reader, records, progress))[0]


def pair(
    reader: Reader, records: Sequence[Record], progress: Callable[[int], None] | None = None
) -> list[Pair]:
    """Each record with what the model reads from it."""
    pairs = []
    for record, prediction in zip(records, predict(reader, records), strict=True):
        pairs.append((record, prediction))
        if progress:
            progress(1)
    return pairs


def score_pairs(config: ModelConfig, pairs: Sequence[Pair]) -> tuple[Results, Outcomes]:
    """The figures of each ``corpus/task``, and the counts behind them. Of ``config``, all but the encoder's is used."""
    results: Results = {}
    outcomes: Outcomes = {}
    for corpus, rows in by_corpus(pairs).items():
        for task in config.tasks:
            if outcome := _COUNTERS.get(task, _count_labels)(config, task, rows):
                name = f"{corpus}/{task}"
                outcomes[name] = outcome
                results[name] = {**outcome.figures(), **_more(config, task, rows)}
    return results, outcomes


def primary(results: Results) -> dict[str, float]:
    """The primary score of each ``corpus/task`` and their ``mean``."""
    scores = {}
    for name, figures in results.items():
        wanted = PRIMARY[name.rpartition("/")[2]]
        scores[name] = sum(figures[metric].value for metric in wanted) / len(wanted)
    return {"mean": sum(scores.values()) / max(len(scores), 1), **scores}


def plain_figures(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Return figures as plain values, for JSON."""
    return {
        name: {metric: asdict(figure) for metric, figure in figures.items()}
        for name, figures in results.items()
    }


def by_corpus(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The pairs under every name that they are scored under."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in pairs:
        for corpus in parts(record):
            found[corpus].append((record, prediction))
    return found


def parts(record: Record) -> Iterator[str]:
    """The names a record is scored under: its corpus, and a leak-free part where the corpus tells one apart."""
    corpus = "-".join(
        filter(None, (str(record.meta.get("corpus", "data")), record.meta.get("subset")))
    )
    yield corpus
    if record.meta.get("clean"):
        yield f"{corpus}-clean"


def _count_labels(config: ModelConfig, task: str, rows: Sequence[Pair]) -> Outcome | None:
    answers = collect(config, task, rows)
    if answers is None:
        return None
    counts = confusions(
        answers.gold.tolist(),
        answers.decided.tolist(),
        answers.documents.tolist(),
        len(answers.labels),
    )
    return _outcome(
        "labels", answers.labels, answers.documents.tolist(), counts, counts.sum(axis=(1, 2))
    )


def _count_attributions(config: ModelConfig, task: str, rows: Sequence[Pair]) -> Outcome | None:
    documents: dict[str, list[Pair]] = defaultdict(list)
    for record, prediction in rows:
        if record.attributions is not None:
            documents[document_of(record)].append((record, prediction))
    if not documents:
        return None
    counts = np.array([count_attributions(sentences) for sentences in documents.values()])
    return _outcome(
        "attribution",
        (),
        documents,
        counts,
        np.array([len(one) for one in documents.values()], float),
    )


def _count_entities(config: ModelConfig, task: str, rows: Sequence[Pair]) -> Outcome | None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for record, prediction in rows:
        if record.entities is not None:
            gold = {(e.span[0][0], e.span[-1][1], e.label) for e in record.entities}
            found = {(e.place.start, e.place.end, e.label) for e in prediction.entities or ()}
            for i, value in enumerate((len(gold & found), len(found), len(gold))):
                counts[document_of(record)][i] += value
    if not counts:
        return None
    table = np.array(list(counts.values()), dtype=float)
    return _outcome("found", (), counts, table, table[:, 2])


def _outcome(
    kind: str, labels: tuple[str, ...], documents: Iterable[str], counts: Array, sizes: Array
) -> Outcome:
    """``documents`` in the order of the counts; one that is named again is the same."""
    return Outcome(kind, labels, tuple(map(digest, dict.fromkeys(documents))), sizes, counts)


_COUNTERS: dict[str, Callable[[ModelConfig, str, Sequence[Pair]], Outcome | None]] = {
    "attribution": _count_attributions,
    "entity": _count_entities,
}


def _more(config: ModelConfig, task: str, rows: Sequence[Pair]) -> dict[str, Figure]:
    """The figures that need more than counts: calibration, rankings, pairs of answers."""
    answers = None if task in _COUNTERS else collect(config, task, rows)
    if answers is None:
        return {}
    figures = reliability(answers, task, config)
    if task in RANKED:
        chances, applies = claims(answers, task)
        figures |= ranking(applies.tolist(), chances.tolist(), answers.documents.tolist())
    if task == "stance":
        figures |= score_directed(config, rows, [document_of(record) for record, _ in rows])
    return figures
