"""Whether one evaluation is better than another: a paired bootstrap test over documents.

Both models read the same documents. The documents are drawn with replacement, the same ones for both, and the
difference of the two scores is computed anew (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 13
and 16). The interval is the percentile interval of these differences. The p-value says how often they stray from the
observed difference by at least as much as that lies from zero: how often chance would show it if the models were alike
(Berg-Kirkpatrick, Burkett & Klein 2012, An Empirical Investigation of Statistical Significance in NLP; here two-sided,
and with one added to both counts, so that no p-value is zero). Over several comparisons, Holm's correction (1979) keeps
the chance of any false finding at the level.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.training.evaluation.counts import OUTCOMES_FILE, Outcome, read_outcomes
from claimstance.training.evaluation.evaluate import PRIMARY
from claimstance.training.evaluation.metrics import Array

RESAMPLES = 10_000
LEVEL = 0.05
FEWEST = 10  # documents: drawn from fewer, resamples are too alike to test anything
_SAME = ("fingerprint", "split", "rows")  # of the data


def compare(
    folder_a: Path,
    folder_b: Path,
    metrics: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 13,
) -> dict[str, Any]:
    """Compare two evaluations of the same data, as ``claimstance evaluate … --out FOLDER`` wrote them.

    Args:
        folder_a: the one that is better where a difference is negative.
        folder_b: the other.
        metrics: the metrics to compare; those that training is steered by if empty.
        resamples: how often the documents are drawn.
        seed: of the draws.

    Returns:
        Plain values: ``a`` and ``b`` (folder, date and model), the ``data``, the number of ``tests``, and ``rows``: for
        each corpus, task and metric both scores, their ``difference`` (b − a), its interval ``low`` to ``high``, ``p``,
        the same after Holm's correction (``holm``), and whether that is ``significant``. ``only_a`` and ``only_b`` name
        what one alone has.

    Raises:
        ConfigError: for a metric that no task here has.
        InputError: if a folder holds no evaluation, or the two are not of the same data, split and documents.
    """
    (about_a, a), (about_b, b) = read_outcomes(folder_a), read_outcomes(folder_b)
    paths = (folder_a / OUTCOMES_FILE, folder_b / OUTCOMES_FILE)
    _check_same_data(paths, about_a["data"], about_b["data"])
    both = [name for name in a if name in b]
    if not both:
        raise InputError(
            f"{paths[1]}: expected a task that {paths[0]} has ({', '.join(a) or 'it has none'}), found "
            f"{', '.join(b) or 'none'}"
        )
    available = {metric for name in both for metric in a[name].scores(a[name].counts.sum(axis=0))}
    if strange := next((metric for metric in metrics if metric not in available), None):
        raise ConfigError(f"--metric: {unknown('metric', strange, available)}")
    rows = []
    for name in both:
        _check_same_documents(paths, name, a[name], b[name])
        rows += _rows(name, a[name], b[name], metrics, resamples, seed)
    return {
        "a": {"folder": str(folder_a), "date": about_a.get("date"), **about_a["model"]},
        "b": {"folder": str(folder_b), "date": about_b.get("date"), **about_b["model"]},
        "data": about_a["data"],
        "resamples": resamples,
        "level": LEVEL,
        "tests": _correct(rows),
        "rows": rows,
        "only_a": [name for name in a if name not in b],
        "only_b": [name for name in b if name not in a],
    }


def _check_same_data(paths: tuple[Path, Path], a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    for key in _SAME:
        if a.get(key) != b.get(key):
            raise InputError(
                f"{paths[1]}: data: expected the {key} of {paths[0]}, {a.get(key)}, found {b.get(key)}"
            )


def _check_same_documents(paths: tuple[Path, Path], name: str, a: Outcome, b: Outcome) -> None:
    if (a.kind, a.labels) != (b.kind, b.labels):
        raise InputError(
            f"{paths[1]}, {name}: expected the labels of {paths[0]} ({', '.join(a.labels) or a.kind}), "
            f"found {', '.join(b.labels) or b.kind}"
        )
    if set(a.documents) != set(b.documents):
        raise InputError(
            f"{paths[1]}, {name}: expected the {len(a.documents)} documents of {paths[0]}, found "
            f"{len(b.documents)}, of which {len({*a.documents} & {*b.documents})} are among those"
        )


def _rows(
    name: str, a: Outcome, b: Outcome, metrics: Sequence[str], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """A row for each of the metrics that this task has."""
    corpus, _, task = name.rpartition("/")
    place = {document: row for row, document in enumerate(b.documents)}
    counts = np.stack([a.counts, b.counts[[place[document] for document in a.documents]]])
    observed = [a.scores(one) for one in counts.sum(axis=1)]
    wanted = [metric for metric in (metrics or PRIMARY.get(task, ())) if metric in observed[0]]
    if not wanted:
        return []
    drawn = _resampled_differences(a, counts, wanted, resamples, seed)
    rows = []
    for metric, differences in zip(wanted, drawn.T, strict=True):
        score_a, score_b = (one[metric] for one in observed)
        low, high = np.percentile(differences, [2.5, 97.5])
        rows.append(
            {
                "corpus": corpus,
                "task": task,
                "metric": metric,
                "a": score_a,
                "b": score_b,
                "difference": score_b - score_a,
                "low": float(low),
                "high": float(high),
                "p": _p_value(score_b - score_a, differences, len(a.documents)),
                "documents": len(a.documents),
            }
        )
    return rows


def _resampled_differences(
    outcome: Outcome, counts: Array, metrics: Sequence[str], resamples: int, seed: int
) -> Array:
    """The differences of both scores under each resample, (resamples, metrics); ``counts`` is (2, documents, …)."""
    rng = np.random.default_rng(seed)
    documents = counts.shape[1]
    flat = counts.transpose(1, 0, *range(2, counts.ndim)).reshape(documents, -1)
    result = np.empty((resamples, len(metrics)))
    for row in range(resamples):
        draw = rng.multinomial(documents, np.full(documents, 1 / documents))
        a, b = (outcome.scores(one) for one in (draw @ flat).reshape(2, *counts.shape[2:]))
        result[row] = [b[metric] - a[metric] for metric in metrics]
    return result


def _p_value(observed: float, differences: Array, documents: int) -> float | None:
    """Two-sided; ``None`` where there are too few documents to tell."""
    if documents < FEWEST:
        return None
    # As far as zero is: equal scores differ by rounding alone, which must not count as nearer.
    strays = np.abs(differences - observed) >= abs(observed) - 1e-12
    return float((strays.sum() + 1) / (len(differences) + 1))


def _correct(rows: Sequence[dict[str, Any]]) -> int:
    """Put Holm's corrected p-values into the rows; returns how many tests there are."""
    tested = sorted((row for row in rows if row["p"] is not None), key=lambda row: row["p"])
    reached = 0.0
    for rank, row in enumerate(tested):
        reached = max(reached, min(1.0, (len(tested) - rank) * row["p"]))
        row["holm"] = reached
    for row in rows:
        row.setdefault("holm", None)
        row["significant"] = row["holm"] is not None and row["holm"] < LEVEL
    return len(tested)
