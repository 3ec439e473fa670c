"""The precision that training computes in."""

import pytest
import torch

from claimstance.training.fine_tuning import mixed_precision
from claimstance.training.fine_tuning.mixed_precision import measure_rate, use_bfloat16


def test_a_configured_precision_is_used_without_a_measurement(monkeypatch):
    monkeypatch.setattr(mixed_precision, "measure_rate", None)
    assert use_bfloat16("bfloat16")
    assert not use_bfloat16("float32")


@pytest.mark.parametrize(
    ("bfloat16_rate", "expected"), [(180.0, True), (110.0, False), (1.4, False)]
)
def test_auto_is_what_the_machine_computes_clearly_faster(
    monkeypatch, caplog, bfloat16_rate, expected
):
    rates = {torch.bfloat16: bfloat16_rate, torch.float32: 100.0}
    monkeypatch.setattr(mixed_precision, "measure_rate", lambda device, dtype: rates[dtype])
    with caplog.at_level("INFO"):
        assert use_bfloat16("auto") is expected
    assert ("computing in bfloat16" in caplog.text) is expected


def test_a_rate_is_products_per_second(monkeypatch):
    monkeypatch.setattr(mixed_precision, "_SECONDS", 0.25)
    clock = iter([10.0, 10.1, 10.2, 10.3])
    monkeypatch.setattr(mixed_precision.time, "perf_counter", lambda: next(clock))
    assert measure_rate(torch.device("cpu"), torch.float32) == pytest.approx(10)
