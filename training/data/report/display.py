"""Figures as the report of a dataset shows them: the filters of its templates."""

from collections.abc import Callable, Mapping

from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.evaluation.page.display_names import metric_name, task_name


def percent(share: float) -> str:
    """Return a share in per cent, with one decimal."""
    return f"{100 * share:.1f} %"


def decimal(value: float, digits: int = 2) -> str:
    """Return a number with decimals, and with a minus sign in place of a hyphen."""
    return f"{value:.{digits}f}".replace("-", "−")


def coefficient(value: float | None) -> str:
    """Return a coefficient of agreement, which some data do not define."""
    return "not defined" if value is None else decimal(value)


def share(value: float | None) -> str:
    """Return a share in per cent, if there is one."""
    return "none" if value is None else percent(value)


def stratum_name(name: str) -> str:
    """Return the display name of a stratum: ``stance against`` → "stance: against"."""
    task, _, label = name.partition(" ")
    return f"{task_name(task)}: {label}" if label else "all sentences"


def describe(measure: Measure) -> str:
    """Return a coefficient in words, as the alternative text of its picture."""
    interval = ""
    if measure.low is not None and measure.high is not None:
        interval = f", 95 % interval {decimal(measure.low)} to {decimal(measure.high)}"
    return f"{coefficient(measure.value)}{interval}, on a line from 0 to 1"


def position(value: float, width: int) -> float:
    """Return the position of a coefficient on a line from 0 to 1; negative values are drawn at 0."""
    return round(width * min(1.0, max(0.0, value)), 1)


#: Filters of the templates by their names there.
FILTERS: Mapping[str, Callable[..., object]] = {
    "percent": percent,
    "decimal": decimal,
    "coefficient": coefficient,
    "share": share,
    "task": task_name,
    "metric": metric_name,
    "stratum": stratum_name,
    "describe": describe,
    "position": position,
}
