"""Decoding of the network's logits to spans, entities and attributions, in numpy."""

from claimstance.model.decoding.attributions import (
    FoundAttribution,
    assemble,
    join_pieces,
    link_candidates,
)
from claimstance.model.decoding.spans import surest_spans
from claimstance.model.decoding.tags import (
    Floats,
    TokenSpan,
    decode_tags,
    sigmoid,
    softmax,
)

__all__ = [
    "Floats",
    "FoundAttribution",
    "TokenSpan",
    "assemble",
    "decode_tags",
    "join_pieces",
    "link_candidates",
    "sigmoid",
    "softmax",
    "surest_spans",
]
