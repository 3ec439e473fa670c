"""The report of a built dataset as a page: ``report.html``, which loads nothing and runs no script.

``claimstance.model.pages.engine`` escapes all text. The same report and samples give the same bytes, as the
page has no date.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from claimstance.model.pages.engine import Pages
from claimstance.model.record import Record
from claimstance.training.data.annotators.span_agreement import SpanAgreement
from claimstance.training.data.codebook import Codebook
from claimstance.training.data.report.display import FILTERS, stratum_name
from claimstance.training.data.report.figures import (
    RELIABLE,
    TENTATIVE,
    alpha_by_category,
    cautions,
    few_documents,
    histograms,
    kappas,
    label_rows,
    tasks_of,
    verdict,
)
from claimstance.training.data.report.lengths import Lengths
from claimstance.training.data.report.report import BuildReport
from claimstance.training.evaluation.page.record_view import sample

PAGE_FILE = "report.html"
MAX_PAIRS = 25  # pairs of annotators in a table
MAX_SOURCES = 50  # sources with a table of labels each

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
    """Write the page of a report.

    Args:
        report: as built, or as loaded from ``report.json``.
        samples: records to show, drawn at random.
        lengths: histograms of the sentence lengths; ``None`` if they are unknown.
        path: the page to write.

    Raises:
        OSError: if it cannot be written.
    """
    path.write_text(render(report, samples, lengths), encoding="utf-8", newline="\n")


def render(report: BuildReport, samples: Sequence[Record], lengths: Lengths | None = None) -> str:
    """Return the page as HTML; the arguments are those of ``write_report_page``."""
    codebook = Codebook.model_validate(report.codebook) if report.codebook else None
    title = codebook.title if codebook and codebook.title else "Dataset report"

    shares = report.division.shares if report.division else {}
    strata: set[str] = set()
    for by_stratum in shares.values():
        strata.update(by_stratum)
    # The share of the rows comes first, then those of the labels.
    sorted_strata = sorted(strata, key=lambda stratum: (stratum != "rows", stratum))

    top_names = {}
    for kind, names in (("targets", report.targets), ("holders", report.holders)):
        top_names[kind] = [(name, counts, sum(counts.values())) for name, counts in names]

    context = {
        **_TEMPLATE_FUNCTIONS,
        "report": report,
        "title": title,
        "sections": _SECTIONS,
        "tasks": tasks_of(report.labels),
        "left_out": sum(sum(source.dropped.values()) for source in report.sources),
        "has_ties": any(any(source.ties.values()) for source in report.sources),
        "strata": sorted_strata,
        "largest_deviation": _largest_deviation(shares),
        "lengths": lengths,
        "top_names": top_names,
        "codebook": codebook,
        "samples": [sample(record) for record in samples],
    }
    return "".join(_PAGES.render("report.html", context, scripts=()))


def _metrics_of(agreement: SpanAgreement) -> list[str]:
    """Return the metrics that any pair or any annotator has a figure of."""
    metrics: dict[str, None] = {}  # a dict keeps the order
    for pair in agreement.pairs:
        metrics.update(dict.fromkeys(pair.figures))
    for annotator in agreement.annotators.values():
        metrics.update(dict.fromkeys(annotator.figures))
    return list(metrics)


class _ShareDeviation(NamedTuple):
    """Represent the requested and the achieved share of a stratum in a split."""

    name: str
    split: str
    requested: float
    achieved: float

    @property
    def size(self) -> float:
        """Return the difference of the two shares."""
        return abs(self.achieved - self.requested)


def _largest_deviation(shares: Mapping[str, Mapping[str, list[float]]]) -> _ShareDeviation | None:
    """Return the largest deviation that the page can show; ``None`` if there is none.

    Args:
        shares: split → stratum → the requested share and the achieved share.
    """
    deviations = []
    for split, by_stratum in shares.items():
        for stratum, (requested, achieved) in by_stratum.items():
            deviation = _ShareDeviation(stratum_name(stratum), split, requested, achieved)
            # Shares are shown with one decimal of a percentage, so that a smaller deviation is invisible.
            if deviation.size >= 0.0005:
                deviations.append(deviation)
    return max(deviations, key=lambda deviation: deviation.size, default=None)


_TEMPLATE_FUNCTIONS = {
    "label_rows": label_rows,
    "tasks_of": tasks_of,
    "histograms": histograms,
    "verdict": verdict,
    "cautions": cautions,
    "few_documents": few_documents,
    "kappas": kappas,
    "alpha_by_category": alpha_by_category,
    "metrics_of": _metrics_of,
    "max_pairs": MAX_PAIRS,
    "max_sources": MAX_SOURCES,
    "thresholds": (TENTATIVE, RELIABLE),
}
_PAGES = Pages("claimstance.training.data.report", ("reports.css", "report.css"), FILTERS)
