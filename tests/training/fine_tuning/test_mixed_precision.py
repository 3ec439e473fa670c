"""Test the precision that training computes in."""

import logging

import pytest
import torch

from claimstance.training.fine_tuning import mixed_precision as precision
from claimstance.training.fine_tuning.mixed_precision import (
    has_bfloat16,
    measure_rate,
    use_bfloat16,
)


def test_bfloat16_is_used_only_where_the_device_has_it(monkeypatch, caplog):
    assert not use_bfloat16("float32")
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    assert use_bfloat16("bfloat16")
    assert not caplog.records
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    with caplog.at_level(logging.WARNING):
        assert not use_bfloat16("bfloat16")
    assert "computing in float32" in caplog.text


def test_support_by_this_processor_is_detected_without_an_error():
    # The function calls an operator that PyTorch may rename.
    assert has_bfloat16(torch.device("cpu")) in (True, False)


def test_a_build_of_pytorch_without_onednn_has_no_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not has_bfloat16(torch.device("cpu"))


def test_a_configured_precision_is_not_measured(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(precision, "measure_rate", None)
    assert use_bfloat16("bfloat16")
    assert not use_bfloat16("float32")


def test_auto_selects_float32_where_the_device_has_no_bfloat16(monkeypatch, caplog):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    monkeypatch.setattr(precision, "measure_rate", None)  # a measurement would take seconds there
    assert not use_bfloat16("auto")
    assert not caplog.records


@pytest.mark.parametrize(
    ("bfloat16_rate", "expected"), [(180.0, True), (110.0, False), (1.4, False)]
)
def test_auto_selects_bfloat16_where_it_is_clearly_faster(
    monkeypatch, caplog, bfloat16_rate, expected
):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    rates = {torch.bfloat16: bfloat16_rate, torch.float32: 100.0}
    monkeypatch.setattr(precision, "measure_rate", lambda device, dtype: rates[dtype])
    with caplog.at_level("INFO"):
        assert use_bfloat16("auto") is expected
    assert ("computing in bfloat16" in caplog.text) is expected


def test_a_rate_is_products_per_second(monkeypatch):
    monkeypatch.setattr(precision, "_SECONDS", 0.25)
    clock = iter([10.0, 10.1, 10.2, 10.3])
    monkeypatch.setattr(precision.time, "perf_counter", lambda: next(clock))
    assert measure_rate(torch.device("cpu"), torch.float32) == pytest.approx(10)
