"""The report of a built dataset for reading: ``report.html``, one page that loads nothing and runs no script.

How text stays text: ``claimstance.model.pages.engine``. The same report and samples give the same bytes: there is no
date on the page.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from claimstance.model.pages.engine import Pages
from claimstance.model.record import Record
from claimstance.training.data.annotators.coefficients import Measure
from claimstance.training.data.annotators.span_agreement import SpanAgreement
from claimstance.training.data.codebook import Codebook
from claimstance.training.data.report.figures import (
    RELIABLE,
    TENTATIVE,
    cautions,
    few_documents,
    histograms,
    kappas,
    label_rows,
    parts_of,
    tasks_of,
    verdict,
)
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.report import BuildReport
from claimstance.training.evaluation.page.display_names import metric_name, task_name
from claimstance.training.evaluation.page.record_view import sample

PAGE_FILE = "report.html"
MOST_PAIRS = 25  # of annotators that a table shows
MOST_SOURCES = 50  # whose labels are told one by one

_SECTIONS = {
    "about": "What it is",
    "rows": "Sentences and labels",
    "division": "Wanted and reached",
    "left-out": "Left out",
    "lengths": "Lengths",
    "agreement": "Agreement",
    "duplicates": "Duplicates",
    "frequent": "Targets and holders",
    "codebook": "Codebook",
    "samples": "Sentences to read",
}


def write_report_page(
    report: BuildReport, samples: Sequence[Record], lengths: Lengths | None, path: Path
) -> None:
    """Write the page.

    Args:
        report: as built, or as read from ``report.json``.
        samples: records to be shown, drawn at random.
        lengths: how long the sentences are; ``None`` if that is not known.
        path: of the page.

    Raises:
        OSError: if it cannot be written.
    """
    path.write_text(render(report, samples, lengths), encoding="utf-8", newline="\n")


def render(report: BuildReport, samples: Sequence[Record], lengths: Lengths | None = None) -> str:
    """The page as HTML; arguments as of ``write_report_page``."""
    codebook = Codebook.model_validate(report.codebook) if report.codebook else None
    shares = report.division.shares if report.division else {}
    return "".join(
        _PAGES.render(
            "report.html",
            {
                **_HELP,
                "report": report,
                "title": codebook.title if codebook and codebook.title else "Dataset report",
                "sections": _SECTIONS,
                "tasks": tasks_of(report.labels),
                "left_out": sum(n for source in report.sources for n in source.dropped.values()),
                "ties": any(n for source in report.sources for n in source.ties.values()),
                "strata": _strata(shares),
                "worst": _worst(shares),
                "lengths": lengths,
                "frequent": {
                    kind: getattr(report, kind, None) or [] for kind in ("targets", "holders")
                },
                "codebook": codebook,
                "samples": [sample(record) for record in samples],
            },
            scripts=(),
        )
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _decimal(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _coefficient(value: float | None) -> str:
    return "not defined" if value is None else _decimal(value)


def _share(value: float | None) -> str:
    return "none" if value is None else _percent(value)


def _metrics_of(agreement: SpanAgreement) -> list[str]:
    """Those of which any pair, or any annotator, has a figure."""
    figures = [pair.figures for pair in agreement.pairs] + [
        one.figures for one in agreement.annotators.values()
    ]
    return list(dict.fromkeys(metric for of in figures for metric in of))


def _strata(shares: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    """All rows first, then the labels."""
    found = {stratum for of in shares.values() for stratum in of}
    return sorted(found, key=lambda stratum: (stratum != "rows", stratum))


def _stratum(name: str) -> str:
    """``stance against`` as "stance: against"."""
    task, _, label = name.partition(" ")
    return f"{task_name(task)}: {label}" if label else "all sentences"


class _Worst(NamedTuple):
    name: str
    split: str
    wanted: float
    reached: float


def _worst(shares: Mapping[str, Mapping[str, Sequence[float]]]) -> _Worst | None:
    """Where the share that was reached is farthest from the one that was wanted; ``None`` if it is nowhere off."""
    found = [
        _Worst(_stratum(stratum), split, *pair)
        for split, of in shares.items()
        for stratum, pair in of.items()
    ]
    worst = max(found, key=lambda one: abs(one.reached - one.wanted), default=None)
    return worst if worst and abs(worst.reached - worst.wanted) >= 0.0005 else None


def _is_link(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _spoken(measure: Measure) -> str:
    """A coefficient in words, for those who do not see its picture."""
    interval = (
        ""
        if measure.low is None or measure.high is None
        else (f", 95 % interval {_decimal(measure.low)} to {_decimal(measure.high)}")
    )
    return f"{_coefficient(measure.value)}{interval}, on a line from 0 to 1"


def _place(value: float, width: int) -> float:
    """The place of a coefficient on a line from 0 to 1; what is below chance stands at 0."""
    return round(width * min(1.0, max(0.0, value)), 1)


#: What the templates work out by themselves.
_HELP = {
    "label_rows": label_rows,
    "tasks_of": tasks_of,
    "histograms": histograms,
    "verdict": verdict,
    "cautions": cautions,
    "few_documents": few_documents,
    "kappas": kappas,
    "parts_of": parts_of,
    "metrics_of": _metrics_of,
    "most_pairs": MOST_PAIRS,
    "most_sources": MOST_SOURCES,
    "thresholds": (TENTATIVE, RELIABLE),
}
_PAGES = Pages(
    "claimstance.training.data.report",
    ("reports.css", "report.css"),
    {
        "percent": _percent,
        "decimal": _decimal,
        "coefficient": _coefficient,
        "share": _share,
        "task": task_name,
        "metric": metric_name,
        "stratum": _stratum,
        "is_link": _is_link,
        "spoken": _spoken,
        "place": _place,
        "sum_values": lambda counts: sum(counts.values()),
    },
)
