"""Make annotations of small sentences by several annotators, and the report of their agreement."""

import itertools
import os

from claimstance.model.record import Record
from claimstance.training.data.annotators.agreement import Agreement, AgreementReport

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")


#       0   4    9   13 17
TEXT = "Lee said the dam failed."


def item(number, labels, task="claim", doc=None):
    """Return a sentence once for each annotator, with the annotator's label from ``labels``."""
    return [
        Record(
            id=f"{number}@{name}",
            doc_id=doc,
            start=number if doc else None,
            text=f"x {number}",
            annotator=name,
            **{task: label},
        )
        for name, label in labels.items()
    ]


def report(*items):
    """Return the report of agreement on items, and check that it comes back from JSON."""
    agreement = Agreement()
    for records in items:
        agreement.add(records)
    agreement_report = agreement.report()
    restored = AgreementReport.model_validate_json(agreement_report.model_dump_json())
    assert restored == agreement_report  # without NaN, which JSON lacks
    return agreement_report


def alpha_by_definition(units):
    """Return one minus the disagreement within units over that of all pairs of answers from units with several."""
    units = [unit for unit in units if len(unit) > 1]
    answers = [answer for unit in units for answer in unit]
    within = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units
    )
    across = sum(a != b for a, b in itertools.permutations(answers, 2)) / (len(answers) - 1)
    return 1 - within / across
