"""Quantization of an encoder to int8, with the inputs of its matrix products evened out so that rounding costs less.

onnxruntime rounds the input of a product to 255 steps, whose size the largest value of a whole window determines. In a
BERT, some channels of some tokens are ten times larger than all others. Two rewritings, exact but for the last digits,
keep these values from costing all others their precision:

- **A scale for each token**: each row is divided by its largest value, and its product multiplied by it (Yao et al.
  2022, *ZeroQuant*).
- **Smooth channels**: each channel is divided by a power of its largest value, and the weights are multiplied by it
  (Xiao et al. 2023, *SmoothQuant*). The positions of the largest values are a property of the encoder: random tokens
  reveal them as well as news does (``docs/experiments.md``), so no data is needed.

Integers are chosen so that all processors compute the same sums. Without instructions for 8-bit products (x86-64
before VNNI), onnxruntime multiplies unsigned activations with signed weights and adds two neighbouring products in 16
bits, where a sum above 32,767 is cut off (``VPMADDUBSW``). ``rounding.round_columns`` lets no sum exceed it.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from claimstance.model.onnx.rounding import LARGEST, round_columns
from claimstance.model.windows import WindowBuilder

WINDOWS, TOKENS = 16, 64  # the number of random windows that show the channels, and their length
# SmoothQuant's α: the share of the channels' differences that moves to the weights.
SMOOTHNESS = 0.7
TINY = 1e-6  # the least divisor
#: Number of windows of text that show what the inputs of the layers are like, for a compact export.
CALIBRATION_WINDOWS = 64
#: The least step between integers in a compact export, in standard deviations of a column. The larger the step, the
#: better compression works: see ``docs/experiments/quantization.md``.
COMPACT_STEP = 0.2
#: The same for a table of word embeddings, in standard deviations of the table.
COMPACT_TABLE_STEP = 0.5
#: The same for the heads, whose rounding no text improves.
COMPACT_HEAD_STEP = 0.1
_LEAST_COMPACTED = 1 << 14  # weights of a matrix
_LEAST_TABLE = 1 << 20  # weights of a table of embeddings
_ZERO_POINT = 128  # the integer that stands for zero in such a table


class PerTokenLinear(nn.Module):
    """Apply a linear layer to inputs that are smoothed and divided by the largest value of each token.

    Args:
        linear: the layer that this one replaces.
        scale: the factors (in,) of the weights; inputs are divided by them.
    """

    inverse: Tensor

    def __init__(self, linear: nn.Linear, scale: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach() * scale)
        self.bias = linear.bias
        self.register_buffer("inverse", scale.reciprocal())
        self._is_smooth = bool((scale != 1).any())

    def smooth(self, inputs: Tensor) -> Tensor:
        """Return the inputs (…, in) with their channels divided by the factors."""
        return inputs * self.inverse if self._is_smooth else inputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the layer: (…, in) → (…, out)."""
        inputs = self.smooth(inputs)
        largest = inputs.abs().amax(-1, keepdim=True).clamp_min(TINY)  # (…, 1)
        product = torch.matmul(inputs / largest, self.weight.t()) * largest
        return product if self.bias is None else product + self.bias


def apply_smoothquant(encoder: Any, windows: WindowBuilder) -> None:
    """Replace the encoder's linear layers by ``PerTokenLinear``.

    Only inputs of the hidden size are smoothed. The outputs of an activation function have their outliers in single
    tokens rather than in channels: there, smoothing would cost the weights more precision than it saves.
    """
    # Linear layer → the largest absolute value of each channel of its input (in,).
    maxima: dict[str, Tensor] = {}

    def record_maximum(name: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].abs().flatten(0, -2).amax(0)  # (1, T, in) → (in,)
        maxima[name] = torch.maximum(maxima.get(name, values), values)

    hooks = []
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Linear):
            hooks.append(module.register_forward_pre_hook(partial(record_maximum, name)))
    generator = torch.Generator().manual_seed(0)
    token_ids = torch.randint(encoder.config.vocab_size, (WINDOWS, TOKENS), generator=generator)
    # Some encoders give the tokens after padding other positions.
    token_ids[token_ids == windows.pad] = windows.sep
    token_ids[:, 0] = windows.cls
    token_ids[:, -1] = windows.sep
    with torch.no_grad():
        for window in torch.split(token_ids, 1):
            encoder(input_ids=window)
    for hook in hooks:
        hook.remove()

    for name, channel_maxima in maxima.items():
        linear = encoder.get_submodule(name)
        if linear.in_features == encoder.config.hidden_size:
            scale = channel_maxima.clamp_min(TINY) ** SMOOTHNESS
            scale = scale / scale.median()
        else:
            scale = torch.ones_like(channel_maxima)
        parent, _, attribute = name.rpartition(".")
        setattr(encoder.get_submodule(parent), attribute, PerTokenLinear(linear, scale))


def compute_hessians(
    encoder: Any, windows: WindowBuilder, texts: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Return the Hessian (in, in) of each layer's squared error: the sums over tokens of products of input channels.

    Args:
        encoder: an encoder with the layers of ``apply_smoothquant``.
        windows: the model's windows.
        texts: sentences, in the order of their documents; evenly spaced windows of them are used.

    Returns:
        The Hessians by the names of their layers.
    """
    token_ids = [window.ids for window in windows.windows(enumerate(windows.tokenize(texts)))]
    token_ids = token_ids[:: max(1, len(token_ids) // CALIBRATION_WINDOWS)][:CALIBRATION_WINDOWS]
    hessians: dict[str, Tensor] = {}

    def add_inputs(name: str, layer: PerTokenLinear, inputs: tuple[Tensor, ...]) -> None:
        values = layer.smooth(inputs[0]).flatten(0, -2)  # (1, T, in) → (T, in)
        hessian = values.T @ values
        if name in hessians:
            hessian += hessians[name]
        hessians[name] = hessian

    hooks = []
    for name, module in encoder.named_modules():
        if isinstance(module, PerTokenLinear):
            hooks.append(module.register_forward_pre_hook(partial(add_inputs, name)))
    with torch.inference_mode():
        for ids in token_ids:
            encoder(input_ids=torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return {name: hessian.numpy() for name, hessian in hessians.items()}


def quantize(
    source: Path,
    path: Path,
    least_step: float = 0.0,
    hessians: Mapping[str, NDArray[Any]] | None = None,
    table_step: float = 0.0,
) -> None:
    """Write the graph of ``source`` with the encoder's matrices and the embeddings in int8, a scale per column.

    The heads, which are small and have pooled inputs, stay as they are.

    Args:
        source: a float32 graph.
        path: the file to write.
        least_step: see ``round_columns``.
        hessians: see ``compute_hessians``; weights are rounded to the nearest integers if ``None``.
        table_step: see ``coarsen_tables``; if 0, 255 steps cover the range of a table.
    """
    import onnx
    from onnx.numpy_helper import to_array
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(source).graph
    excluded = []
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm") and "/encoder/" not in node.name:
            # The quantizer divides a Gemm into a product with the second name and a sum.
            excluded += [node.name, f"{node.name}_MatMul"]
    # On the root logger, the quantizer advises a step that changes nothing here.
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            source,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gather"],
            nodes_to_exclude=excluded,
        )
    finally:
        logger.setLevel(level)

    model = onnx.load(path)
    matrices = {initializer.name: to_array(initializer) for initializer in graph.initializer}
    matrix_hessians = {}
    if hessians is not None:
        for node in graph.node:
            if node.op_type == "MatMul" and node.input[1] in matrices and node.name not in excluded:
                matrix_hessians[node.input[1]] = hessians[_layer_name(node.name)]
    replace_weights(model.graph, matrices, least_step, matrix_hessians)
    if table_step:
        coarsen_tables(model.graph, matrices, table_step)
    onnx.save(model, path)


def _layer_name(node_name: str) -> str:
    """Return the name of the encoder's layer that a product belongs to.

    >>> _layer_name("/encoder/encoder/layer.3/attention/self/query/MatMul")
    'encoder.layer.3.attention.self.query'
    """
    return node_name.removeprefix("/encoder/").removesuffix("/MatMul").replace("/", ".")


def replace_weights(
    graph: Any,
    matrices: Mapping[str, NDArray[Any]],
    least_step: float = 0.0,
    hessians: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Round the matrices of all integer products of a quantized graph again, by ``round_columns``.

    Args:
        graph: a graph that ``onnxruntime.quantization`` wrote; changed in place.
        matrices: the exact matrices (in, out) by their names.
        least_step: see ``round_columns``.
        hessians: the Hessians by the names of the matrices; those without one are rounded to the nearest integers.
    """
    from onnx.numpy_helper import from_array

    initializers = {initializer.name: initializer for initializer in graph.initializer}
    hessians = hessians or {}
    names = {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}
    for name in names:
        base = name.removesuffix("_quantized")
        hessian = hessians.get(base)
        integers, scales = round_columns(matrices[base], least_step, hessian)
        initializers[name].CopyFrom(from_array(integers, name))
        initializers[f"{base}_scale"].CopyFrom(from_array(scales, f"{base}_scale"))


def coarsen_tables(graph: Any, matrices: Mapping[str, NDArray[Any]], step: float) -> None:
    """Round the large tables of embeddings of a quantized graph again, with one scale for a table.

    Args:
        graph: a graph that ``onnxruntime.quantization`` wrote; changed in place.
        matrices: the exact tables by their names.
        step: the scale, in standard deviations of the table.
    """
    from onnx.numpy_helper import from_array

    initializers = {initializer.name: initializer for initializer in graph.initializer}
    for node in graph.node:
        if node.op_type != "Gather":
            continue
        base = node.input[0].removesuffix("_quantized")
        table = matrices.get(base)
        if table is None or table.size < _LEAST_TABLE:
            continue
        scale = np.float32(step * table.std())
        integers = np.rint(table / scale + _ZERO_POINT).clip(0, 255).astype(np.uint8)
        values = {"quantized": integers, "scale": scale, "zero_point": np.uint8(_ZERO_POINT)}
        for suffix, value in values.items():
            name = f"{base}_{suffix}"
            initializers[name].CopyFrom(from_array(np.asarray(value), name))


def compact_heads(path: Path) -> None:
    """Rewrite a graph with the large float32 matrices of its heads in int8, a scale per row.

    onnxruntime multiplies them out when it loads the file, and computes in float32 as before.
    """
    import onnx
    from onnx import TensorProto, helper
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load(path)
    nodes = []
    for initializer in list(model.graph.initializer):
        name = initializer.name
        matrix = to_array(initializer)
        is_float = matrix.dtype == np.float32
        if not is_float or matrix.ndim != 2 or matrix.size < _LEAST_COMPACTED:
            continue
        scales = np.abs(matrix).max(axis=1, keepdims=True) / LARGEST
        scales = np.maximum(scales, COMPACT_HEAD_STEP * matrix.std(axis=1, keepdims=True))
        scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
        integers = np.rint(matrix / scales).astype(np.int8)
        model.graph.initializer.remove(initializer)
        model.graph.initializer.append(from_array(integers, f"{name}_quantized"))
        model.graph.initializer.append(from_array(scales, f"{name}_scale"))
        floats = f"{name}_float"
        nodes.append(
            helper.make_node("Cast", [f"{name}_quantized"], [floats], to=TensorProto.FLOAT)
        )
        nodes.append(helper.make_node("Mul", [floats, f"{name}_scale"], [name]))
    nodes += model.graph.node
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
