import logging

import torch

from claimstance.training.fine_tuning import mixed_precision as precision
from claimstance.training.fine_tuning.mixed_precision import has_bfloat16, use_bfloat16


def test_bfloat16_is_used_only_where_the_device_has_it(monkeypatch, caplog):
    assert not use_bfloat16("float32")
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    assert use_bfloat16("bfloat16")
    assert not caplog.records
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    with caplog.at_level(logging.WARNING):
        assert not use_bfloat16("bfloat16")
    assert "computing in float32" in caplog.text


def test_this_processor_is_asked():
    assert has_bfloat16(torch.device("cpu")) in (True, False)  # an operator that PyTorch may rename
