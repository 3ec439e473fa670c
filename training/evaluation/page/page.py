"""The page of an evaluation: one self-contained HTML file; see ``claimstance.model.pages.engine``."""

from collections.abc import Iterator
from typing import Any

from claimstance.model.pages.engine import Pages
from claimstance.training.evaluation.metrics import FEW_DOCUMENTS, Figure
from claimstance.training.evaluation.page.display_names import NOT_SHARES, metric_name, task_name
from claimstance.training.evaluation.page.groups import MIN_ITEMS
from claimstance.training.evaluation.page.sections import LINKED, task_section
from claimstance.training.evaluation.result import Evaluation

PAGE_FILE = "evaluation.html"


def evaluation_page(evaluation: Evaluation) -> Iterator[str]:
    """Return the page, in pieces."""
    account = evaluation.account
    sections = []
    for number, (name, outcome) in enumerate(evaluation.outcomes.items(), 1):
        cases = evaluation.prediction_log[name]
        sections.append(task_section(number, name, account, outcome, evaluation.config, cases))
    return PAGES.render(
        "evaluation.html",
        {
            "account": account,
            "model": account["model"],
            "data": account["data"],
            "sections": sections,
            "min_items": MIN_ITEMS,
            "few_documents": FEW_DOCUMENTS,
            "linked": LINKED,
        },
    )


def value(number: float, metric: str = "") -> str:
    """Format a value: in per cent if the metric is a share, as most are."""
    return f"{number:.3f}" if metric in NOT_SHARES else percent(number)


def percent(share: float) -> str:
    """Format a share in per cent, with one decimal."""
    return f"{100 * share:.1f}\u00a0%".replace("-", "−")


def interval(figure: Figure, metric: str = "") -> str:
    """Format the interval of a figure; "none" if it has none."""
    if figure.low == figure.high == figure.value:
        return "none"
    if metric in NOT_SHARES:
        text = f"{figure.low:.3f} – {figure.high:.3f}"
    else:
        text = f"{100 * figure.low:.1f} – {100 * figure.high:.1f}"
    return text.replace("-", "−")


def signed(share: float) -> str:
    """Format a difference in percentage points."""
    return f"{100 * share:+.1f}".replace("-", "−")


def p_value(number: float | None) -> str:
    """Format a p-value; a dash if there is none."""
    return "–" if number is None else f"{number:.4f}"


def drawing(svg: str) -> Any:
    """Mark a drawing as safe: the program made it, and it holds no text of the data."""
    from markupsafe import Markup

    return Markup(svg)


PAGES = Pages(
    "claimstance.training.evaluation.page",
    ("reports.css", "evaluation.css"),
    {
        "percent": percent,
        "value": value,
        "interval": interval,
        "signed": signed,
        "p": p_value,
        "task": task_name,
        "metric": metric_name,
        "drawing": drawing,
    },
)
