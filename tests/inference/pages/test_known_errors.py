"""Test the error rates that a report quotes: they are those measured, for the model in question."""

import json

import known_errors as tool
import pytest

from claimstance.inference.pages.known_errors import known_errors
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx.backend import model_sha256


@pytest.fixture(params=BUNDLED_MODELS)
def name(request):
    return request.param


@pytest.fixture
def bundled(name):
    return {"name": "claimstance", "sha256": model_sha256(BUNDLED_MODELS[name])}


def test_the_figures_are_those_measured():
    message = "not what was measured: run `make reference` and commit the file"
    assert tool.FILE.read_text(encoding="utf-8") == tool.known_errors(), message


def test_error_rates_are_those_in_the_benchmark_files(bundled, name):
    error_rates = known_errors([bundled])
    for key, (file, title) in tool.ROWS.items():
        figures = json.loads((tool.FOLDERS[name] / f"{file}.json").read_text(encoding="utf-8"))
        (row,) = [row for row in figures["rows"] if row["name"] == title]
        rate = error_rates.rates[key]
        assert (rate.value, rate.low, rate.high, rate.n) == (
            row["value"],
            row["low"],
            row["high"],
            row["n"],
        )


def test_other_models_have_no_known_error_rates(bundled):
    other_model = {"name": "claimstance-minilm", "sha256": "0" * 64}
    assert known_errors([other_model]) is None
    assert known_errors([bundled, other_model]) is None
    assert known_errors([]) is None


def test_rates_are_those_at_the_confidence_from_which_stances_count(bundled):
    error_rates = known_errors([bundled])
    assert error_rates.of_stances(None)[0] is error_rates.rates["default_precision"]
    assert error_rates.of_stances(0.99)[1] is error_rates.rates["default_recall"]
    least = error_rates.default_confidence - 0.01
    precision, recall = error_rates.of_stances(least)
    confidence, *measured = next(point for point in error_rates.curve if point[0] <= least)
    assert least - 0.05 < confidence <= least
    assert [precision.value / 100, recall.value / 100] == pytest.approx(measured, abs=1e-3)
    assert precision.low is None
    assert error_rates.of_stances(0.0)[0] is error_rates.rates["all_precision"]
