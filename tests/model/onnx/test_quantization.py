"""Test the changes to an encoder before int8 rounding, and to its attention at export."""

import zlib

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx import quantization
from claimstance.model.onnx.attention import FULL_ATTENTION, exported_attention
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import check_files, encoder_files
from claimstance.model.onnx.quantization import PerTokenLinear, apply_smoothquant
from claimstance.model.onnx.rounding import round_columns
from claimstance.model.windows import WindowBuilder

pytestmark = pytest.mark.slow
IDS = torch.tensor([[2, 17, 9, 31, 8, 40, 3]])


def hidden(model):
    """Return the hidden vectors of a model for ``IDS``."""
    with torch.no_grad():
        return model.encode(IDS, torch.ones_like(IDS), torch.zeros_like(IDS))


def test_smoothquant_changes_only_the_last_digits(trained):
    model = ClaimStanceModel.from_pretrained(trained)
    expected = hidden(model)

    def count(kind):
        return sum(isinstance(module, kind) for module in model.encoder.modules())

    linear_count = count(nn.Linear)
    apply_smoothquant(
        model.encoder, WindowBuilder.from_json(model.tokenizer_json, model.config.max_tokens)
    )
    assert count(PerTokenLinear) == linear_count > 0
    torch.testing.assert_close(hidden(model), expected, atol=2e-5, rtol=0)


def rounded(values):
    """Round as onnxruntime rounds the input of a product: to 255 steps between least and greatest value, with 0."""
    step = (values.max().clamp_min(0) - values.min().clamp_max(0)) / 255
    return (values / step).round() * step


def test_large_values_do_not_reduce_the_precision_of_others():
    rng = torch.Generator().manual_seed(1)
    inputs = torch.randn(40, 32, generator=rng)
    inputs[:, 5] *= 30  # a channel
    inputs[7] *= 30  # a token
    linear = nn.Linear(32, 16)
    even = PerTokenLinear(linear, torch.ones(32).index_fill(0, torch.tensor([5]), 30.0))
    scaled_inputs = []

    def keep_input(module, arguments, _):
        scaled_inputs.append(arguments[0] * module.inverse)

    even.register_forward_hook(keep_input)
    with torch.no_grad():
        exact = linear(inputs)
        torch.testing.assert_close(even(inputs), exact, atol=1e-3, rtol=1e-4)
        greatest = scaled_inputs[0].abs().amax(-1, keepdim=True)
        fine = rounded(scaled_inputs[0] / greatest) * greatest @ even.weight.T + even.bias
        coarse = linear(rounded(inputs))
    ordinary = torch.arange(40) != 7
    assert (fine - exact)[ordinary].norm() < (coarse - exact)[ordinary].norm() / 20


def test_a_row_of_zeros_causes_no_division_by_zero():
    even = PerTokenLinear(nn.Linear(4, 3, bias=False), torch.ones(4))
    assert even(torch.zeros(2, 4)).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_exported_encoder_has_one_attention_operator_in_each_layer(trained, tmp_path, precision):
    graph = onnx.load(export(trained, tmp_path, precision) / "reader.onnx").graph
    kinds = [node.op_type for node in graph.node]
    layers = ClaimStanceModel.from_pretrained(trained).encoder.config.num_hidden_layers
    assert kinds.count("MultiHeadAttention") == layers
    assert "Softmax" not in kinds


def test_exported_attention_computes_the_same_as_transformers(trained):
    assert exported_attention("bert") != "eager"
    plain, ours = (
        hidden(ClaimStanceModel.from_pretrained(trained, attention))
        for attention in ("eager", exported_attention("bert"))
    )
    torch.testing.assert_close(ours, plain, atol=2e-6, rtol=0)


@pytest.mark.parametrize("kind", ["mpnet", "modernbert", "distilbert"])
def test_other_encoders_are_exported_with_eager_attention(kind):
    assert kind not in FULL_ATTENTION
    assert exported_attention(kind) == "eager"


def integer_products(graph):
    """Yield the name, the range of the activations and the weights of each integer product of a graph."""
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type in (
            "MatMulInteger",
            "DynamicQuantizeMatMul",
            "MatMulIntegerToFloat",
            "QLinearMatMul",
        ):
            # DynamicQuantizeLinear returns unsigned integers of 8 bits.
            assert producers[node.input[0]].op_type == "DynamicQuantizeLinear"
            yield node.name, (0, 255), values[node.input[1]]


def sums_of_neighbours(activations, weights):
    """Return the least and the greatest sum of two neighbouring products, which 16 bits have to hold."""
    lowest, highest = activations
    products = np.stack([lowest * weights.astype(int), highest * weights.astype(int)])
    least, greatest = products.min(axis=0), products.max(axis=0)
    return (least[0::2] + least[1::2]).min(), (greatest[0::2] + greatest[1::2]).max()


@pytest.mark.parametrize("kind", [*BUNDLED_MODELS, "fresh"])
def test_sums_of_two_products_fit_into_16_bits(trained, tmp_path, kind):
    folder = export(trained, tmp_path, "int8") if kind == "fresh" else BUNDLED_MODELS[kind]
    products = []
    for file in encoder_files(check_files(folder)):
        products += integer_products(onnx.load(folder / file).graph)
    layers = ModelConfig.load(folder).encoder["num_hidden_layers"]
    assert len(products) == 6 * layers
    for name, activations, weights in products:
        assert weights.dtype == np.int8, name
        least, greatest = sums_of_neighbours(activations, weights)
        assert least >= -(2**15), name
        assert greatest < 2**15, name


def test_extreme_sums_of_two_products_are_computed():
    assert sums_of_neighbours((0, 255), np.array([[127], [-127]])) == (-32385, 32385)
    assert sums_of_neighbours((0, 255), np.array([[64], [65]]))[1] == 32895
    assert sums_of_neighbours((0, 255), np.array([[-127], [-2]]))[0] == -32895


def load_weights(folder):
    """Return the trained weights by name."""
    state = ClaimStanceModel.from_pretrained(folder).state_dict()
    return {name: weight.numpy() for name, weight in state.items()}


MATRICES = {
    "normal": lambda rng: rng.normal(size=(64, 50)),
    "a greatest pair": lambda rng: np.concatenate(
        [np.full((2, 50), 3.0), rng.normal(size=(62, 50))]
    ),
    "a greatest pair below zero": lambda rng: np.concatenate(
        [np.full((2, 50), -3.0), rng.normal(size=(62, 50))]
    ),
    "equal weights": lambda rng: np.full((64, 50), 0.25),
    "unlike signs": lambda rng: np.tile([[1.0], [-1.0]], (32, 50)),
    "an odd count of rows": lambda rng: rng.normal(size=(63, 50)),
    "columns of nothing but zeros": lambda rng: rng.normal(size=(64, 50)) * (np.arange(50) % 2),
    "tiny values": lambda rng: rng.normal(size=(64, 50)) * 1e-20,
}


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_are_rounded_within_half_a_step_and_16_bits(kind, dtype):
    matrix = MATRICES[kind](np.random.default_rng(3)).astype(dtype)
    integers, scales = round_columns(matrix)
    assert (integers.dtype, scales.dtype, scales.shape) == (np.int8, np.float32, (50,))
    assert (np.abs(integers * scales.astype(float) - matrix) <= 0.501 * scales).all()
    even = np.concatenate([integers, np.zeros((len(matrix) % 2, 50), np.int8)])
    least, greatest = sums_of_neighbours((0, 255), even)
    assert least >= -(2**15)
    assert greatest < 2**15


def test_scales_are_no_coarser_than_needed():
    rng = np.random.default_rng(4)
    integers = round_columns(rng.normal(size=(384, 100)))[0].astype(int)
    is_at_limit = np.abs(integers).max(axis=0) == 127
    is_at_limit |= np.abs(integers[0::2] + integers[1::2]).max(axis=0) >= 127
    assert is_at_limit.all()
    unlike, _ = round_columns(np.tile([[1.0], [-1.0]], (8, 5)))
    assert set(np.abs(unlike).ravel()) == {127}


def test_compact_steps_are_as_fine_as_the_spread_of_a_column_allows():
    matrix = np.random.default_rng(5).normal(size=(384, 20))
    matrix[3, 0] = 60.0  # the largest weight determines the step of its column
    _, exact_scales = round_columns(matrix)
    integers, scales = round_columns(matrix, least_step=0.1)
    assert scales[0] == exact_scales[0]
    np.testing.assert_allclose(scales[1:], 0.1 * matrix.std(axis=0)[1:], rtol=1e-6)
    assert np.abs(integers * scales - matrix).max() <= scales.max() / 2 * (1 + 1e-6)


@pytest.mark.parametrize("kind", MATRICES)
def test_gptq_keeps_sums_within_16_bits(kind):
    rng = np.random.default_rng(3)
    matrix = MATRICES[kind](rng).astype(np.float32)
    inputs = rng.normal(size=(500, len(matrix))).astype(np.float32)
    inputs[:, 1:] += 2 * inputs[:, :-1]  # GPTQ gains by correlated inputs
    integers, scales = round_columns(matrix, 0.05, inputs.T @ inputs)
    even = np.concatenate([integers, np.zeros((len(matrix) % 2, 50), np.int8)])
    least, greatest = sums_of_neighbours((0, 255), even)
    assert least >= -(2**15)
    assert greatest < 2**15
    nearest, same_scales = round_columns(matrix, 0.05)
    np.testing.assert_array_equal(scales, same_scales)
    errors = [
        np.linalg.norm(inputs @ (rounded * scales - matrix)) for rounded in (integers, nearest)
    ]
    assert errors[0] <= errors[1]


def test_gptq_halves_the_error_of_products_of_correlated_inputs():
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(300, 40))
    hidden = rng.normal(size=(4000, 30)) @ rng.normal(size=(30, 300))
    inputs = (hidden + 0.3 * rng.normal(size=hidden.shape)).astype(np.float32)
    train, test = inputs[:3000], inputs[3000:]
    nearest, scales = round_columns(matrix, 0.2)
    rounded, _ = round_columns(matrix, 0.2, train.T @ train)
    errors = [
        np.linalg.norm(test @ (integers * scales - matrix)) for integers in (rounded, nearest)
    ]
    assert errors[0] < 0.5 * errors[1]


def test_gptq_can_round_a_layer_whose_inputs_are_all_zero():
    matrix = np.random.default_rng(9).normal(size=(20, 10))
    rounded, _ = round_columns(matrix, 0.2, np.zeros((20, 20), np.float32))
    np.testing.assert_array_equal(rounded, round_columns(matrix, 0.2)[0])


def test_compact_export_uses_the_quantization_texts(trained, tmp_path):
    texts = [f"The mayor said that harbour {number} was safe." for number in range(40)]
    plain = export(trained, tmp_path / "plain", "int8-compact")
    fitted = export(trained, tmp_path / "fitted", "int8-compact", quantization_texts=texts)

    def matrices(folder):
        graph = onnx.load(folder / "reader.onnx").graph
        return {name: values for name, _, values in integer_products(graph)}

    plain_matrices, fitted_matrices = matrices(plain), matrices(fitted)
    assert plain_matrices.keys() == fitted_matrices.keys()
    for name, values in plain_matrices.items():
        assert (values != fitted_matrices[name]).any(), name


def test_a_compact_head_computes_nearly_the_same(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(quantization, "_LEAST_COMPACTED", 64)
    plain = export(trained, tmp_path / "plain", "int8")
    compact = export(trained, tmp_path / "compact", "int8-compact")
    assert (compact / "stance.onnx").stat().st_size < (plain / "stance.onnx").stat().st_size * 0.7
    size = ModelConfig.load(trained).hidden_size
    hidden = np.random.default_rng(6).normal(size=(1, 12, size)).astype(np.float32)
    holders, targets, sentences = (np.array([[0, *span]]) for span in ((1, 3), (5, 8), (0, 12)))
    expected, actual = (
        load_predictor(folder)[0].backend.stance(hidden, holders, targets, sentences)
        for folder in (plain, compact)
    )
    np.testing.assert_allclose(actual, expected, atol=0.05)
    assert (actual != expected).any()


def test_compact_tables_have_one_coarse_step(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(quantization, "_LEAST_TABLE", 1 << 10)
    graph = onnx.load(export(trained, tmp_path, "int8-compact") / "reader.onnx").graph
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    [base] = [
        name.removesuffix("_quantized")
        for name in values
        if name.endswith("word_embeddings.weight_quantized")
    ]
    exact = load_weights(trained)[base.removeprefix("model.")]
    scale = values[f"{base}_scale"]
    assert scale == pytest.approx(quantization.COMPACT_TABLE_STEP * exact.std(), rel=1e-5)
    integers = values[f"{base}_quantized"].astype(np.float32)
    restored = (integers - values[f"{base}_zero_point"]) * scale
    assert np.abs(restored - exact).max() <= scale * 0.501


def test_compact_files_compress_better(tmp_path):
    sizes = {}
    matrix = np.random.default_rng(7).normal(size=(768, 256))
    for least_step in (0.0, quantization.COMPACT_STEP):
        integers, _ = round_columns(matrix, least_step)
        sizes[least_step] = len(zlib.compress(integers.tobytes()))
    assert sizes[quantization.COMPACT_STEP] < 0.9 * sizes[0.0]


def test_the_bundled_model_has_smoothed_layers():
    graph = onnx.load(BUNDLED_MODELS["small"] / "reader.onnx").graph
    inverses = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.name.endswith(".inverse")
    }
    # Each of six layers has them for the inputs of attention, of its output and of the feed-forward layer.
    assert len(inverses) == 3 * 6
    assert all(np.isfinite(values).all() for values in inverses.values())
