"""Attention as a single operator of onnxruntime, in place of the nine operators of a traced transformers model."""

from typing import Any, cast

import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "onnxruntime"
#: Encoders in which every token attends to all others, and whose scores have no further terms.
FULL_ATTENTION = ("bert", "camembert", "electra", "roberta", "xlm-roberta")


class _MultiHeadAttention(torch.autograd.Function):
    """Compute attention: (B, T, H) three times → (B, T, H)."""

    @staticmethod
    def symbolic(graph: Any, query: Any, key: Any, value: Any, heads: int, scale: float) -> Any:
        """Return the operator that stands for this function in an exported graph."""
        output = graph.op(
            "com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=heads, scale_f=scale
        )
        return output.setType(query.type())

    @staticmethod
    def forward(
        _: Any, query: Tensor, key: Tensor, value: Tensor, heads: int, scale: float
    ) -> Tensor:
        """Compute the same with torch: tracing needs a value."""
        query, key, value = (
            tensor.view(*tensor.shape[:2], heads, -1).transpose(1, 2)  # (B, heads, T, size)
            for tensor in (query, key, value)
        )
        output = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=scale)
        return output.transpose(1, 2).flatten(-2)


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
    output = cast(Tensor, _MultiHeadAttention.apply(*rows, heads, float(scaling)))  # type: ignore[no-untyped-call]
    return output.view(1, -1, heads, width // heads), None


def exported_attention(model_type: str) -> str:
    """Return the ``attn_implementation`` with which an encoder is loaded for the export.

    It is the operator of this module if it computes the same as the encoder's own attention, else ``eager``.
    """
    AttentionInterface.register(NAME, _attention)
    return NAME if model_type in FULL_ATTENTION else "eager"
