"""Annotations of small sentences by several annotators, and the report of their agreement."""

import itertools
import os

from claimstance.model.record import Record
from claimstance.training.data.annotators.agreement import Agreement, AgreementReport

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")


#       0   4    9   13 17
TEXT = "Lee said the dam failed."


def item(number, said, task="claim", doc=None):
    """A sentence with a label by each of ``said``: annotator → label."""
    return [
        Record(
            id=f"{number}@{name}",
            doc_id=doc,
            start=number if doc else None,
            text=f"x {number}",
            annotator=name,
            **{task: label},
        )
        for name, label in said.items()
    ]


def report(*items):
    agreement = Agreement()
    for records in items:
        agreement.add(records)
    found = agreement.report()
    assert (
        AgreementReport.model_validate_json(found.model_dump_json()) == found
    )  # no NaN, which JSON has not
    return found


def alpha_by_definition(units):
    """One minus the disagreement of pairs within units over that of pairs of any two answers that have a partner."""
    units = [unit for unit in units if len(unit) > 1]
    answers = [answer for unit in units for answer in unit]
    within = sum(
        sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units
    )
    across = sum(a != b for a, b in itertools.permutations(answers, 2)) / (len(answers) - 1)
    return 1 - within / across
