"""Check the training that `make speed` times: the functions of the program that it replaces still exist."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from claimstance.training.fine_tuning import train, trainer
from helpers.paths import BENCHMARKS

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("one_thread")
def test_training_is_timed_and_its_tokens_are_counted(tokenizer_json, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import contenders

    vocabulary = Tokenizer.from_str(tokenizer_json).get_vocab_size()
    BertModel(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=256,
        )
    ).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    for name, value in {"ENCODER": str(tmp_path), "THREADS": 1, "WARM": 1, "STEPS": 2}.items():
        monkeypatch.setattr(contenders, name, value)
    for module, name in (
        (trainer, "collate"),
        (train, "export"),
    ):  # monkeypatch restores what it replaces
        monkeypatch.setattr(module, name, getattr(module, name))
    measurements = contenders.training(Path())()
    assert measurements["seconds"] > 0
    assert measurements["tokens"] > 2 * 1024  # most of the 2,048 of a step are no padding
