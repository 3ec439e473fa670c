"""What is done to an encoder before it is rounded to int8, and to its attention when it is exported."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.attention import FULL, exported_attention
from claimstance.model.onnx.backend import BUNDLED
from claimstance.model.onnx.export import export
from claimstance.model.onnx.quantization import PerToken, even_out
from claimstance.model.windows import WindowBuilder

pytestmark = pytest.mark.slow
IDS = torch.tensor([[2, 17, 9, 31, 8, 40, 3]])


def hidden(model):
    with torch.no_grad():
        return model.encode(IDS, torch.ones_like(IDS), torch.zeros_like(IDS))


def test_evening_out_changes_nothing_but_the_last_digits(trained):
    model = ClaimStanceModel.from_pretrained(trained)
    before = hidden(model)
    linear = sum(isinstance(module, nn.Linear) for module in model.encoder.modules())
    even_out(model.encoder, WindowBuilder.from_json(model.tokenizer_json, model.config.max_tokens))
    assert sum(isinstance(module, PerToken) for module in model.encoder.modules()) == linear > 0
    torch.testing.assert_close(hidden(model), before, atol=2e-5, rtol=0)


def rounded(values):
    """As onnxruntime rounds what goes into a product: 255 steps from the least value to the greatest, 0 among them."""
    step = (values.max().clamp_min(0) - values.min().clamp_max(0)) / 255
    return (values / step).round() * step


def test_a_great_value_costs_the_others_nothing():
    rng = torch.Generator().manual_seed(1)
    inputs = torch.randn(40, 32, generator=rng)
    inputs[:, 5] *= 30  # a channel
    inputs[7] *= 30  # a token
    linear = nn.Linear(32, 16)
    even = PerToken(linear, torch.ones(32).index_fill(0, torch.tensor([5]), 30.0))
    given = []
    even.register_forward_hook(lambda module, args, _: given.append(args[0] * module.inverse))
    with torch.no_grad():
        exact = linear(inputs)
        torch.testing.assert_close(even(inputs), exact, atol=1e-3, rtol=1e-4)
        greatest = given[0].abs().amax(-1, keepdim=True)
        fine = rounded(given[0] / greatest) * greatest @ even.weight.T + even.bias
        coarse = linear(rounded(inputs))
    ordinary = torch.arange(40) != 7
    assert (fine - exact)[ordinary].norm() < (coarse - exact)[ordinary].norm() / 20


def test_a_row_of_nothing_but_zeros_is_no_division_by_zero():
    even = PerToken(nn.Linear(4, 3, bias=False), torch.ones(4))
    assert even(torch.zeros(2, 4)).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_exported_encoder_has_one_operator_a_layer_for_attention(trained, tmp_path, precision):
    graph = onnx.load(export(trained, tmp_path, precision) / "reader.onnx").graph
    kinds = [node.op_type for node in graph.node]
    layers = ClaimStanceModel.from_pretrained(trained).encoder.config.num_hidden_layers
    assert kinds.count("MultiHeadAttention") == layers
    assert "Softmax" not in kinds


def test_that_attention_is_transformers_own(trained):
    assert exported_attention("bert") != "eager"
    plain, ours = (
        hidden(ClaimStanceModel.from_pretrained(trained, attention))
        for attention in ("eager", exported_attention("bert"))
    )
    torch.testing.assert_close(ours, plain, atol=2e-6, rtol=0)


@pytest.mark.parametrize("kind", ["mpnet", "modernbert", "distilbert"])
def test_other_encoders_keep_theirs(kind):
    assert kind not in FULL
    assert exported_attention(kind) == "eager"


def test_the_bundled_model_is_that_of_this_code():
    graph = onnx.load(BUNDLED / "reader.onnx").graph
    inverse = {one.name for one in graph.initializer if one.name.endswith(".inverse")}
    assert (
        len(inverse) == 3 * 6
    )  # of six layers: what attention, its output and the feed-forward layer are given
    assert all(
        np.isfinite(onnx.numpy_helper.to_array(one)).all()
        for one in graph.initializer
        if one.name in inverse
    )
