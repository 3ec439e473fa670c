"""Attention as one operator of onnxruntime's, in place of the nine that transformers' own is traced to."""

from typing import Any, cast

import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "onnxruntime"
#: Encoders in which every token of a window sees every other, and nothing but that is added to the scores.
FULL = ("bert", "camembert", "electra", "roberta", "xlm-roberta")


class _MultiHeadAttention(torch.autograd.Function):
    """(B, T, H) three times → (B, T, H)."""

    @staticmethod
    def symbolic(graph: Any, query: Any, key: Any, value: Any, heads: int, scale: float) -> Any:
        found = graph.op(
            "com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=heads, scale_f=scale
        )
        return found.setType(query.type())

    @staticmethod
    def forward(
        _: Any, query: Tensor, key: Tensor, value: Tensor, heads: int, scale: float
    ) -> Tensor:
        query, key, value = (
            each.view(*each.shape[:2], heads, -1).transpose(1, 2) for each in (query, key, value)
        )
        found = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=scale)
        return found.transpose(1, 2).flatten(-2)


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _: Tensor | None,
    scaling: float,
    **__: Any,
) -> tuple[Tensor, None]:
    """Without a mask: a window is never padded. (B, heads, T, size) three times → (B, T, heads, size)."""
    heads, size = module.config.num_attention_heads, module.config.hidden_size
    # Shapes are spelt out, for a traced graph would work them out anew in every layer.
    rows = [each.transpose(1, 2).reshape(1, -1, size) for each in (query, key, value)]
    found = cast(Tensor, _MultiHeadAttention.apply(*rows, heads, float(scaling)))  # type: ignore[no-untyped-call]
    return found.view(1, -1, heads, size // heads), None


def exported_attention(model_type: str) -> str:
    """What to load an encoder's attention as, to export it: this one where it is the same, else transformers' plain."""
    AttentionInterface.register(NAME, _attention)
    return NAME if model_type in FULL else "eager"
