"""Making an encoder ready for int8: what its matrix products are given is evened out, so that rounding it costs less.

onnxruntime rounds what goes into a product to 255 steps, which the greatest value of a whole window sets; and in a BERT
some channels of some tokens are ten times greater than anything else. Two rewritings, exact but for the last digits,
keep those from costing everything else its digits:

- **A scale for each token**: each row is divided by its greatest value, and its product multiplied by it (Yao et al.
  2022, *ZeroQuant*).
- **Smooth channels**: each channel is divided by a power of the greatest value that it takes, and the weights
  multiplied by it (Xiao et al. 2023, *SmoothQuant*). Where the greatest values lie is a habit of the
  encoder's: tokens drawn at random show it as well as news does (``docs/experiments.md``), so no data is needed.

Integers are chosen so that every processor adds them up alike. Without instructions for 8-bit
products (x86-64 before VNNI), onnxruntime multiplies unsigned activations with signed weights and
adds two neighbours in 16 bits, where a sum beyond 32,767 is cut off (``VPMADDUBSW``).
``round_columns`` leaves no weights whose sum could get there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from claimstance.model.windows import WindowBuilder

WINDOWS, TOKENS = 16, 64  # drawn at random to see the channels
SMOOTHNESS = 0.7  # SmoothQuant's α: how much of the channels' differences goes over to the weights
TINY = 1e-6
LARGEST = 127  # of a weight, as an integer
# Of two neighbouring weights with the same sign: 255, the largest activation, times 128 is below
# 32,767. Rounding adds at most one half to each of two weights, hence the half below 128.
LARGEST_PAIR = 127.5


class PerToken(nn.Module):
    """A linear layer whose input is made smooth and divided by the greatest value of each token before the product."""

    inverse: Tensor

    def __init__(self, linear: nn.Linear, scale: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(linear.weight.detach() * scale)
        self.bias = linear.bias
        self.register_buffer("inverse", scale.reciprocal())
        self._is_smooth = bool((scale != 1).any())

    def forward(self, inputs: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        inputs = inputs * self.inverse if self._is_smooth else inputs
        greatest = inputs.abs().amax(-1, keepdim=True).clamp_min(TINY)
        product = torch.matmul(inputs / greatest, self.weight.t()) * greatest
        return product if self.bias is None else product + self.bias


def even_out(encoder: Any, windows: WindowBuilder) -> None:
    """Put ``PerToken`` in the place of the encoder's linear layers.

    Smooth are the inputs of hidden size. What comes out of an activation has its outliers in single tokens rather
    than in channels: there, smoothing would cost the weights more digits than it saves.
    """
    greatest = _greatest_values(encoder, windows)
    for name, values in greatest.items():
        parent, _, last = name.rpartition(".")
        linear = encoder.get_submodule(name)
        scale = values.clamp_min(TINY) ** SMOOTHNESS
        smooth = linear.in_features == encoder.config.hidden_size
        setattr(
            encoder.get_submodule(parent),
            last,
            PerToken(linear, scale / scale.median() if smooth else torch.ones_like(scale)),
        )


def _greatest_values(encoder: Any, windows: WindowBuilder) -> dict[str, Tensor]:
    """The greatest absolute value of each channel of what the linear layers are given, by their names."""
    found: dict[str, Tensor] = {}

    def look(name: str, inputs: Tensor) -> None:
        values = inputs.abs().flatten(0, -2).amax(0)
        found[name] = torch.maximum(found.get(name, values), values)

    hooks = [
        module.register_forward_pre_hook(lambda _, inputs, name=name: look(name, inputs[0]))
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear)
    ]
    drawn = torch.randint(
        encoder.config.vocab_size, (WINDOWS, TOKENS), generator=torch.Generator().manual_seed(0)
    )
    drawn[drawn == windows.pad] = (
        windows.sep
    )  # the position of what follows padding is another in some encoders
    drawn[:, 0], drawn[:, -1] = windows.cls, windows.sep
    with torch.no_grad():
        for ids in torch.split(drawn, 1):
            encoder(input_ids=ids)
    for hook in hooks:
        hook.remove()
    return found


def quantize(source: Path, path: Path) -> None:
    """Write the graph of ``source`` with the encoder's matrices and the embeddings in int8, a scale a column.

    The heads, small ones on pooled inputs, stay as they are.
    """
    import logging

    import onnx
    from onnx.numpy_helper import to_array
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(source).graph
    heads = [
        node.name
        for node in graph.node
        if node.op_type in ("MatMul", "Gemm") and "/encoder/" not in node.name
    ]
    exact = [
        *heads,
        *(f"{name}_MatMul" for name in heads),
    ]  # as the quantizer calls a Gemm that it divides
    level = logging.getLogger().level
    logging.getLogger().setLevel(
        logging.ERROR
    )  # it advises, on the root logger, a step that changes nothing here
    try:
        quantize_dynamic(
            source,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gather"],
            nodes_to_exclude=exact,
        )
    finally:
        logging.getLogger().setLevel(level)
    model = onnx.load(path)
    replace_weights(model.graph, {each.name: to_array(each) for each in graph.initializer})
    onnx.save(model, path)


def replace_weights(graph: Any, matrices: Mapping[str, NDArray[Any]]) -> None:
    """Round the matrices of all integer products of a quantized graph again, by ``round_columns``.

    Args:
        graph: as ``onnxruntime.quantization`` writes it; changed in place.
        matrices: the exact matrices by their names, (in, out).
    """
    from onnx.numpy_helper import from_array

    stored = {each.name: each for each in graph.initializer}
    for name in {node.input[1] for node in graph.node if node.op_type == "MatMulInteger"}:
        base = name.removesuffix("_quantized")
        integers, scales = round_columns(matrices[base])
        stored[name].CopyFrom(from_array(integers, name))
        stored[f"{base}_scale"].CopyFrom(from_array(scales, f"{base}_scale"))


def round_columns(matrix: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the integers (in, out) and the scales (out,) that stand for a matrix (in, out).

    Neighbours are the rows 0 and 1, 2 and 3, …: a kernel multiplies and adds these together. The
    scale of a column is the least one with which neither a weight nor a sum of neighbours with the
    same sign gets too large. Neighbours of unlike signs never do.
    """
    padded = np.pad(matrix, ((0, len(matrix) % 2), (0, 0)))
    sums = np.maximum(_largest_pair(padded), _largest_pair(-padded))
    scales = np.maximum(np.abs(matrix).max(axis=0) / LARGEST, sums / LARGEST_PAIR)
    scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
    return np.rint(matrix / scales).clip(-LARGEST, LARGEST).astype(np.int8), scales


def _largest_pair(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the largest sum of two neighbouring rows in each column, values below zero left out."""
    positive = matrix.clip(0)
    return np.asarray((positive[0::2] + positive[1::2]).max(axis=0))
