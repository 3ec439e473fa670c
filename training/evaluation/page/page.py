"""The page of an evaluation: one HTML file that needs nothing else; see ``claimstance.model.pages.engine``."""

from collections.abc import Iterator
from typing import Any

from claimstance.model.pages.engine import Pages
from claimstance.training.evaluation.evaluation import Evaluation
from claimstance.training.evaluation.metrics import (
    FEW_DOCUMENTS,
    NUMBERS,
    Figure,
    metric_name,
    task_name,
)
from claimstance.training.evaluation.page.groups import FEWEST
from claimstance.training.evaluation.page.sections import LINKED, section

PAGE_FILE = "evaluation.html"


def evaluation_page(found: Evaluation) -> Iterator[str]:
    """The page, in pieces."""
    sections = [
        section(number, name, found.account, outcome, found.config, found.cases[name])
        for number, (name, outcome) in enumerate(found.outcomes.items(), 1)
    ]
    return PAGES.render(
        "evaluation.html",
        {
            "account": found.account,
            "model": found.account["model"],
            "data": found.account["data"],
            "sections": sections,
            "fewest": FEWEST,
            "few_documents": FEW_DOCUMENTS,
            "linked": LINKED,
        },
    )


def value(number: float, metric: str = "") -> str:
    """A value as a reader expects it: most are shares."""
    return f"{number:.3f}" if metric in NUMBERS else percent(number)


def percent(share: float) -> str:
    """In per cent, with one decimal."""
    return f"{100 * share:.1f}\u00a0%".replace("-", "−")


def interval(figure: Figure, metric: str = "") -> str:
    """The interval of a figure; nothing if it has none."""
    if figure.low == figure.high == figure.value:
        return "none"
    low, high = (
        f"{each:.3f}" if metric in NUMBERS else f"{100 * each:.1f}"
        for each in (figure.low, figure.high)
    )
    return f"{low} – {high}".replace("-", "−")


def signed(share: float) -> str:
    """A difference in points."""
    return f"{100 * share:+.1f}".replace("-", "−")


def p_value(number: float | None) -> str:
    """A p-value; a dash where there is none."""
    return "–" if number is None else f"{number:.4f}"


def drawing(svg: str) -> Any:
    """A drawing as it is: it is the program's own, and holds no text of data."""
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
