"""Making an encoder ready for int8: what its matrix products are given is evened out, so that rounding it costs less.

onnxruntime rounds what goes into a product to 255 steps, which the greatest value of a whole window sets; and in a BERT
some channels of some tokens are ten times greater than anything else. Two rewritings, exact but for the last digits,
keep those from costing everything else its digits:

- **A scale for each token**: each row is divided by its greatest value, and its product multiplied by it (Yao et al.
  2022, *ZeroQuant*).
- **Smooth channels**: each channel is divided by a power of the greatest value that it takes, and the weights
  multiplied by it (Xiao et al. 2023, *SmoothQuant*). Where the greatest values lie is a habit of the
  encoder's: tokens drawn at random show it as well as news does (``docs/experiments.md``), so no data is needed.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from claimstance.model.windows import WindowBuilder

WINDOWS, TOKENS = 16, 64  # drawn at random to see the channels
SMOOTHNESS = 0.7  # SmoothQuant's α: how much of the channels' differences goes over to the weights
TINY = 1e-6


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
