"""Attention as a single operator of onnxruntime, in place of the nine operators of a traced transformers model."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

NAME = "onnxruntime"
#: Encoders in which every token attends to all others, and whose scores have no further terms.
FULL_ATTENTION = ("bert", "camembert", "electra", "roberta", "xlm-roberta")


class _MultiHeadAttention(torch.autograd.Function):
    """Compute attention: (B, T, H) three times, and the bias of the scores (1, heads, T, T) if any → (B, T, H)."""

    @staticmethod
    def symbolic(
        graph: Any, query: Any, key: Any, value: Any, bias: Any, heads: int, scale: float
    ) -> Any:
        """Return the operator that stands for this function in an exported graph."""
        inputs = [query, key, value]
        if bias is not None:
            # The operator's fourth and fifth input, both optional, are a bias of the linear layers and a mask.
            none = graph.op("prim::Constant").setType(torch.OptionalType.ofTensor())
            inputs += [none, none, bias]
        output = graph.op(
            "com.microsoft::MultiHeadAttention", *inputs, num_heads_i=heads, scale_f=scale
        )
        return output.setType(query.type())

    @staticmethod
    def forward(
        _: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        heads: int,
        scale: float,
    ) -> Tensor:
        """Compute the same with torch: tracing needs a value."""
        query, key, value = (
            tensor.view(*tensor.shape[:2], heads, -1).transpose(1, 2)  # (B, heads, T, size)
            for tensor in (query, key, value)
        )
        output = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, bias, scale=scale
        )
        return output.transpose(1, 2).flatten(-2)


class _MPNetSelfAttention(nn.Module):
    """Replace MPNet's attention, which adds relative positions to the scores, in a model without dropout and padding.

    The linear layers keep their names, by which exported weights are found again.
    """

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = attention.q, attention.k, attention.v, attention.o
        self._heads = attention.num_attention_heads
        self._scale = attention.attention_head_size**-0.5

    def forward(
        self, hidden: Tensor, _: Tensor | None, position_bias: Tensor, **__: Any
    ) -> tuple[Tensor]:
        """Return the output in a tuple, as transformers expects: (1, T, H) → (1, T, H)."""
        rows = [self.q(hidden), self.k(hidden), self.v(hidden)]
        output = _MultiHeadAttention.apply(*rows, position_bias, self._heads, self._scale)  # type: ignore[no-untyped-call]
        return (self.o(output),)


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _: Tensor | None,
    scaling: float,
    **__: Any,
) -> tuple[Tensor, None]:
    """Compute attention as transformers calls it: (1, heads, T, size) three times → (1, T, heads, size).

    The mask is ignored, since a single window has no padding.
    """
    heads, width = module.config.num_attention_heads, module.config.hidden_size
    # Shapes are constants as far as possible: a traced graph would compute them again in every layer.
    rows = [tensor.transpose(1, 2).reshape(1, -1, width) for tensor in (query, key, value)]
    output = cast(Tensor, _MultiHeadAttention.apply(*rows, None, heads, float(scaling)))  # type: ignore[no-untyped-call]
    return output.view(1, -1, heads, width // heads), None


def replace_mpnet_attention(encoder: nn.Module) -> None:
    """Replace the attention of an MPNet encoder, which has no ``attn_implementation``; do nothing in other encoders."""
    for module in encoder.modules():
        if type(module).__name__ == "MPNetAttention":
            module.attn = _MPNetSelfAttention(module.attn)


def exported_attention(model_type: str) -> str:
    """Return the ``attn_implementation`` with which an encoder is loaded for the export.

    It is the operator of this module if it computes the same as the encoder's own attention, else ``eager``.
    """
    AttentionInterface.register(NAME, _attention)
    return NAME if model_type in FULL_ATTENTION else "eager"
