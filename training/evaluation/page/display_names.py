"""Names of tasks and metrics, as pages and tables show them."""

_TASKS = {"check_worthy": "check-worthy", "entity": "entities", "attribution": "attributions"}
_PARTS_OF_METRICS = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "macro_recall": "macro-recall",
    "f1": "F1",
    "map": "mean average precision",
    "linked": "linked attributions",
    "directed": "both directions at once",
}
_METRICS = {
    "calibration_error": "expected calibration error",
    "coverage_at_90": "answered at 90 % precision, by the best threshold here",
    "answered.share": "answered, as the model withholds answers",
    "answered.accuracy": "right of those answered",
    "conformal.coverage": "label sets that hold the right label",
    "conformal.size": "labels in a set",
    "average_precision": "average precision",
    "precision_at_10": "right of the first 10",
    "precision_at_50": "right of the first 50",
}
NOT_SHARES = ("calibration_error", "conformal.size")  # metrics that are not shown in per cent


def task_name(name: str) -> str:
    """Return the name of a task for readers."""
    return _TASKS.get(name, name)


def metric_name(name: str) -> str:
    """Return the name of a metric for readers: ``source.overlap.f1`` as "source, overlap, F1"."""
    if name.startswith("answered.accuracy."):
        return f"right of those answered with {name.removeprefix('answered.accuracy.')}"
    if name in _METRICS:
        return _METRICS[name]
    return ", ".join(_PARTS_OF_METRICS.get(word, word) for word in name.split("."))
