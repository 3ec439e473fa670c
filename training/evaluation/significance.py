"""Significance of the difference between two evaluations: a paired bootstrap test over documents.

Both models predicted the same documents. The documents are drawn with replacement, the same ones for
both, and the difference of the two scores is recomputed (Efron & Tibshirani 1993, An Introduction to
the Bootstrap, chapters 13 and 16). The interval is the percentile interval of these differences. The
p-value is the share of resampled differences that deviate from the observed difference by at least
its distance from zero: the probability that chance shows such a difference if the models are alike
(Berg-Kirkpatrick, Burkett & Klein 2012, An Empirical Investigation of Statistical Significance in
NLP; here two-sided, and with one added to both counts, so that no p-value is zero). Over several
comparisons, Holm's correction (1979) limits the probability of any false positive to the level.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.training.evaluation.counts import OUTCOMES_FILE, Outcome, read_outcomes
from claimstance.training.evaluation.metrics import Array
from claimstance.training.evaluation.scoring import PRIMARY_METRICS

RESAMPLES = 10_000
LEVEL = 0.05
MIN_DOCUMENTS = 10  # resamples of fewer documents are too alike to test anything
_SAME = ("fingerprint", "split", "rows")  # keys of the data that must agree


def compare(
    folder_a: Path,
    folder_b: Path,
    metrics: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 13,
) -> dict[str, Any]:
    """Compare two evaluations of the same data, as ``claimstance evaluate … --out FOLDER`` wrote them.

    Args:
        folder_a: the evaluation that is better where a difference is negative.
        folder_b: the evaluation that is better where a difference is positive.
        metrics: the metrics to compare; the primary ones of each task if empty.
        resamples: how often the documents are drawn.
        seed: seed of the draws.

    Returns:
        Plain values: ``a`` and ``b`` (folder, date and model), the ``data``, the number of
        ``tests``, and ``rows``: for each corpus, task and metric both scores, their ``difference``
        (b − a), its interval ``low`` to ``high``, ``p``, the same after Holm's correction
        (``holm``), and whether that is ``significant``. ``only_a`` and ``only_b`` name the tasks
        that only one evaluation has.

    Raises:
        ConfigError: for a metric that none of the tasks has.
        InputError: if a folder holds no evaluation, or the two are not of the same data, split and
            documents.
    """
    metadata_a, outcomes_a = read_outcomes(folder_a)
    metadata_b, outcomes_b = read_outcomes(folder_b)
    paths = (folder_a / OUTCOMES_FILE, folder_b / OUTCOMES_FILE)
    data_a, data_b = metadata_a["data"], metadata_b["data"]
    for key in _SAME:
        if data_a.get(key) != data_b.get(key):
            raise InputError(
                f"{paths[1]}: data: expected the {key} of {paths[0]}, {data_a.get(key)}, "
                f"found {data_b.get(key)}"
            )

    shared = [name for name in outcomes_a if name in outcomes_b]
    # Models of different tasks have nothing to compare.
    if not shared:
        raise InputError(
            f"{paths[1]}: expected a task that {paths[0]} has "
            f"({', '.join(outcomes_a) or 'it has none'}), found {', '.join(outcomes_b) or 'none'}"
        )

    # The names of metrics follow from the labels, so that only the scores of a task show them.
    available: set[str] = set()
    for name in shared:
        outcome = outcomes_a[name]
        available.update(outcome.scores(outcome.counts.sum(axis=0)))
    for metric in metrics:
        if metric not in available:
            raise ConfigError(f"--metric: {unknown('metric', metric, available)}")

    rows = []
    for name in shared:
        _check_same_documents(paths, name, outcomes_a[name], outcomes_b[name])
        rows += _compare_task(name, outcomes_a[name], outcomes_b[name], metrics, resamples, seed)

    return {
        "a": {"folder": str(folder_a), "date": metadata_a.get("date"), **metadata_a["model"]},
        "b": {"folder": str(folder_b), "date": metadata_b.get("date"), **metadata_b["model"]},
        "data": data_a,
        "resamples": resamples,
        "level": LEVEL,
        "tests": _add_holm(rows),
        "rows": rows,
        "only_a": [name for name in outcomes_a if name not in outcomes_b],
        "only_b": [name for name in outcomes_b if name not in outcomes_a],
    }


def _check_same_documents(paths: tuple[Path, Path], name: str, a: Outcome, b: Outcome) -> None:
    """Raise an InputError if a task's labels or documents differ."""
    if (a.kind, a.labels) != (b.kind, b.labels):
        raise InputError(
            f"{paths[1]}, {name}: expected the labels of {paths[0]} "
            f"({', '.join(a.labels) or a.kind}), found {', '.join(b.labels) or b.kind}"
        )
    if set(a.documents) != set(b.documents):
        shared = len({*a.documents} & {*b.documents})
        raise InputError(
            f"{paths[1]}, {name}: expected the {len(a.documents)} documents of {paths[0]}, "
            f"found {len(b.documents)}; {shared} of them are among those"
        )


def _compare_task(
    name: str, a: Outcome, b: Outcome, metrics: Sequence[str], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """Return one row for each of the metrics that this task has."""
    corpus, _, task = name.rpartition("/")
    # The documents of b are brought into the order of a's, so that the draws pair them.
    row_in_b = {document: row for row, document in enumerate(b.documents)}
    counts_b = b.counts[[row_in_b[document] for document in a.documents]]

    scores_a = a.scores(a.counts.sum(axis=0))
    scores_b = a.scores(counts_b.sum(axis=0))
    # Metrics that were asked for may be those of another task.
    requested = metrics or PRIMARY_METRICS.get(task, ())
    compared = [metric for metric in requested if metric in scores_a]
    if not compared:
        return []

    resampled = _resampled_differences(a, counts_b, compared, resamples, seed)
    rows = []
    for metric, differences in zip(compared, resampled.T, strict=True):
        difference = scores_b[metric] - scores_a[metric]
        low, high = np.percentile(differences, [2.5, 97.5])

        p = None
        if len(a.documents) >= MIN_DOCUMENTS:
            # The tolerance lets equal scores that differ by rounding count as at least as far from zero.
            is_extreme = np.abs(differences - difference) >= abs(difference) - 1e-12
            p = float((is_extreme.sum() + 1) / (len(differences) + 1))

        rows.append(
            {
                "corpus": corpus,
                "task": task,
                "metric": metric,
                "a": scores_a[metric],
                "b": scores_b[metric],
                "difference": difference,
                "low": float(low),
                "high": float(high),
                "p": p,
                "documents": len(a.documents),
            }
        )
    return rows


def _resampled_differences(
    a: Outcome, counts_b: Array, metrics: Sequence[str], resamples: int, seed: int
) -> Array:
    """Return the difference of both scores under each resample: (resamples, metrics)."""
    rng = np.random.default_rng(seed)
    documents = len(a.counts)
    shape = a.counts.shape[1:]
    flat_a = a.counts.reshape(documents, -1)
    flat_b = counts_b.reshape(documents, -1)
    differences = np.empty((resamples, len(metrics)))
    for row in range(resamples):
        # Drawing documents with replacement is drawing how often each of them counts.
        draw = rng.multinomial(documents, np.full(documents, 1 / documents))  # (documents,)
        scores_a = a.scores((draw @ flat_a).reshape(shape))
        scores_b = a.scores((draw @ flat_b).reshape(shape))
        differences[row] = [scores_b[metric] - scores_a[metric] for metric in metrics]
    return differences


def _add_holm(rows: Sequence[dict[str, Any]]) -> int:
    """Add Holm's corrected p-values and their significance to the rows; return the number of tests."""
    tested = [row for row in rows if row["p"] is not None]
    tested.sort(key=lambda row: row["p"])
    corrected = 0.0
    for rank, row in enumerate(tested):
        # A corrected p-value is never below that of a smaller p-value.
        corrected = max(corrected, min(1.0, (len(tested) - rank) * row["p"]))
        row["holm"] = corrected
    for row in rows:
        row.setdefault("holm", None)
        row["significant"] = row["holm"] is not None and row["holm"] < LEVEL
    return len(tested)
