"""What tasks and figures are called where people read of them."""

_TASKS = {"check_worthy": "check-worthy", "entity": "entities", "attribution": "attributions"}
_PARTS = {
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
NUMBERS = ("calibration_error", "conformal.size")  # the metrics that are no shares


def task_name(name: str) -> str:
    """A task in words."""
    return _TASKS.get(name, name)


def metric_name(name: str) -> str:
    """A metric in words: ``source.overlap.f1`` as "source, overlap, F1"."""
    if name.startswith("answered.accuracy."):
        return f"right of those answered with {name.removeprefix('answered.accuracy.')}"
    return _METRICS.get(name) or ", ".join(_PARTS.get(part, part) for part in name.split("."))
