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
bits, where a sum above 32,767 is cut off (``VPMADDUBSW``). ``round_columns`` leaves no weights that could exceed it.
"""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from claimstance.model.windows import WindowBuilder

WINDOWS, TOKENS = 16, 64  # the number of random windows that show the channels, and their length
# SmoothQuant's α: the share of the channels' differences that moves to the weights.
SMOOTHNESS = 0.7
TINY = 1e-6  # the least divisor
LARGEST = 127  # the largest weight, as an integer
# The largest sum of two neighbouring weights with the same sign: 128 times 255, the largest
# activation, is below 32,767. Rounding adds at most one half to each of the two, hence the half
# below 128.
LARGEST_PAIR = 127.5
#: The least step between integers in a compact export, in standard deviations of a column. The larger the step, the
#: better compression works: see ``docs/experiments/quantization.md``.
COMPACT_STEP = 0.1
_LEAST_COMPACTED = 1 << 14  # weights of a matrix


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

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the layer: (…, in) → (…, out)."""
        if self._is_smooth:
            inputs = inputs * self.inverse
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


def quantize(source: Path, path: Path, least_step: float = 0.0) -> None:
    """Write the graph of ``source`` with the encoder's matrices and the embeddings in int8, a scale per column.

    The heads, which are small and have pooled inputs, stay as they are.

    Args:
        source: a float32 graph.
        path: the file to write.
        least_step: see ``round_columns``.
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
    replace_weights(model.graph, matrices, least_step)
    onnx.save(model, path)


def compact_head(path: Path) -> None:
    """Rewrite the graph of a head with its large matrices in int8, a scale per row.

    onnxruntime multiplies them out when it loads the file, and computes in float32 as before.
    """
    import onnx
    from onnx import TensorProto, helper
    from onnx.numpy_helper import from_array, to_array

    model = onnx.load(path)
    nodes = []
    for initializer in list(model.graph.initializer):
        name = initializer.name
        matrix = to_array(initializer)  # (out, in)
        if matrix.ndim != 2 or matrix.size < _LEAST_COMPACTED:
            continue
        scales = np.abs(matrix).max(axis=1, keepdims=True) / LARGEST
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


def replace_weights(
    graph: Any, matrices: Mapping[str, NDArray[Any]], least_step: float = 0.0
) -> None:
    """Round the matrices of all integer products of a quantized graph again, by ``round_columns``.

    Args:
        graph: a graph that ``onnxruntime.quantization`` wrote; changed in place.
        matrices: the exact matrices (in, out) by their names.
        least_step: see ``round_columns``.
    """
    from onnx.numpy_helper import from_array

    initializers = {initializer.name: initializer for initializer in graph.initializer}
    names = {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}
    for name in names:
        base = name.removesuffix("_quantized")
        integers, scales = round_columns(matrices[base], least_step)
        initializers[name].CopyFrom(from_array(integers, name))
        initializers[f"{base}_scale"].CopyFrom(from_array(scales, f"{base}_scale"))


def round_columns(
    matrix: NDArray[Any], least_step: float = 0.0
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the integers (in, out) and the scales (out,) that stand for a matrix (in, out).

    Neighbours are the rows 0 and 1, 2 and 3, …: a kernel multiplies and adds these together. The scale of a column is
    the least one with which neither a weight nor a sum of neighbours with the same sign gets too large. Neighbours of
    unlike signs never do.

    Args:
        matrix: the matrix.
        least_step: the least scale of a column in its standard deviations. Fewer different integers compress better.
    """
    padded = np.pad(matrix, ((0, len(matrix) % 2), (0, 0)))
    sums = np.maximum(_largest_pair(padded), _largest_pair(-padded))
    scales = np.maximum(np.abs(matrix).max(axis=0) / LARGEST, sums / LARGEST_PAIR)
    scales = np.maximum(scales, least_step * matrix.std(axis=0))
    scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
    return np.rint(matrix / scales).clip(-LARGEST, LARGEST).astype(np.int8), scales


def _largest_pair(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the largest sum of two neighbouring rows in each column, without values below zero."""
    positive = matrix.clip(0)
    return np.asarray((positive[0::2] + positive[1::2]).max(axis=0))
