"""The error rates that a report quotes: those measured, and of the model that they were measured of."""

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
    told = "not what was measured: run `make reference` and commit the file"
    assert tool.FILE.read_text(encoding="utf-8") == tool.known_errors(), told


def test_they_are_those_of_the_rows_of_the_benchmarks(bundled, name):
    known = known_errors([bundled])
    for key, (file, title) in tool.ROWS.items():
        figures = json.loads((tool.FOLDERS[name] / f"{file}.json").read_text(encoding="utf-8"))
        (row,) = [row for row in figures["rows"] if row["name"] == title]
        rate = known.rates[key]
        assert (rate.value, rate.low, rate.high, rate.n) == (
            row["value"],
            row["low"],
            row["high"],
            row["n"],
        )


def test_nothing_is_known_of_other_models(bundled):
    other = {"name": "claimstance-minilm", "sha256": "0" * 64}
    assert known_errors([other]) is None
    assert known_errors([bundled, other]) is None
    assert known_errors([]) is None


def test_rates_are_those_at_the_confidence_from_which_stances_count(bundled):
    known = known_errors([bundled])
    assert known.of_stances(None)[0] is known.rates["default_precision"]
    assert known.of_stances(0.99)[1] is known.rates["default_recall"]
    precision, recall = known.of_stances(0.6)
    confidence, *measured = next(point for point in known.curve if point[0] <= 0.6)
    assert 0.55 < confidence <= 0.6
    assert [precision.value / 100, recall.value / 100] == pytest.approx(measured, abs=1e-3)
    assert precision.low is None
    assert known.of_stances(0.0)[0] is known.rates["all_precision"]
