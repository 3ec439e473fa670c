"""Provide the report, its page, and the parsed page."""

import pytest

from claimstance.training.data.report.page import render
from claimstance.training.data.report.report import BuildReport
from helpers.data.reports import LENGTHS, REPORT, SAMPLES, Page


@pytest.fixture(scope="module")
def report():
    return BuildReport.model_validate(REPORT)


@pytest.fixture(scope="module")
def html(report):
    return render(report, SAMPLES, LENGTHS)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)
