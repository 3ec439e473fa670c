"""The heads: what is read from the encoder's output, a class each.

Shapes: B windows of T tokens, H the encoder's width, N spans or pairs, C labels. A span is a row ``(window, start,
end)`` of token positions, end exclusive; an empty one (start = end) stands for nobody.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

#: Distances between spans, in tokens, fall into buckets with these lower bounds (and their mirror images).
_DISTANCES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


def pool(hidden: Tensor, spans: Tensor) -> Tensor:
    """The mean of the token vectors of each span: (B, T, H), (N, 3) → (N, H); zeros for an empty span."""
    # Differences of running sums: linear in T however many spans there are.
    sums = nn.functional.pad(hidden.float().cumsum(dim=1), (0, 0, 1, 0))
    window, start, end = spans.unbind(dim=-1)
    total = sums[window, end] - sums[window, start]
    return total / (end - start).clamp(min=1).unsqueeze(-1).to(total.dtype)


def mlp(width: int, hidden: int, labels: int, dropout: float) -> nn.Sequential:
    """One hidden layer: (N, width) → (N, labels)."""
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(width, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, labels),
    )


class TokenHead(nn.Module):
    """A tag for every token: (B, T, H) → (B, T, C)."""

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, labels))

    def forward(self, hidden: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.layers(hidden)
        return logits


class SentenceHead(nn.Module):
    """A label for every sentence: (B, T, H), sentence spans (N, 3) → (N, C)."""

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.layers = mlp(hidden, hidden, labels, dropout)

    def forward(self, hidden: Tensor, sentences: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.layers(pool(hidden, sentences))
        return logits


class Distance(nn.Module):
    """How far apart two spans are, and which comes first, learned by buckets: two times (N, 3) → (N, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("bounds", torch.tensor(_DISTANCES), persistent=False)
        self.embedding = nn.Embedding(2 * len(_DISTANCES) + 1, width)

    def forward(self, spans: Tensor, others: Tensor) -> Tensor:
        """See the class."""
        after = (others[:, 1] - spans[:, 2] + 1).unsqueeze(-1)
        before = (spans[:, 1] - others[:, 2] + 1).unsqueeze(-1)
        bounds = self.get_buffer("bounds")
        bucket = (after >= bounds).sum(dim=-1) - (before >= bounds).sum(dim=-1) + len(_DISTANCES)
        found: Tensor = self.embedding(bucket)
        return found


def between(spans: Tensor, others: Tensor) -> Tensor:
    """What stands between two spans, an empty span where nothing does: two times (N, 3) → (N, 3)."""
    start = torch.minimum(spans[:, 2], others[:, 2])
    end = torch.maximum(torch.maximum(spans[:, 1], others[:, 1]), start)
    return torch.stack([spans[:, 0], start, end], dim=-1)


class StanceHead(nn.Module):
    """The stance of each holder toward its target, as their sentence has it: three times (N, 3) → (N, C).

    What a sentence says of a target, and whether that is what a holder thinks who is named in it, are two questions:
    each has its layers. A sentence may tell of several: so those about a named holder see how far apart the two are and
    what stands between them (which SpERT, Eberts & Ulges 2020, found to tell relations best). A topic that the sentence
    lacks stands behind it.
    """

    def __init__(self, hidden: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.nobody = nn.Parameter(torch.randn(hidden) * 0.02)
        self.distance = Distance(hidden // 4)
        self.layers = mlp(4 * hidden, hidden, labels, dropout)
        self.named = mlp(5 * hidden + hidden // 4, hidden, labels, dropout)

    def forward(
        self, hidden: Tensor, holders: Tensor, targets: Tensor, sentences: Tensor
    ) -> Tensor:
        """See the class."""
        named = (holders[:, 2] > holders[:, 1]).unsqueeze(-1)
        holder = torch.where(named, pool(hidden, holders), self.nobody)
        target = pool(hidden, targets)
        both = torch.cat([holder, target, holder * target, pool(hidden, sentences)], dim=-1)
        apart = torch.cat(
            [pool(hidden, between(holders, targets)), self.distance(holders, targets)], dim=-1
        )
        logits: Tensor = torch.where(
            named, self.named(torch.cat([both, apart], dim=-1)), self.layers(both)
        )
        return logits


class LinkHead(nn.Module):
    """Whether a cue and a span belong to one attribution: (N, 3), (N, 3) → (N, 2), as source and as content."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.distance = Distance(hidden // 4)
        self.layers = mlp(3 * hidden + hidden // 4, hidden, 2, dropout)

    def forward(self, hidden: Tensor, cues: Tensor, spans: Tensor) -> Tensor:
        """See the class."""
        cue, span = pool(hidden, cues), pool(hidden, spans)
        logits: Tensor = self.layers(
            torch.cat([cue, span, cue * span, self.distance(cues, spans)], dim=-1)
        )
        return logits


def of_today(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a model whose heads may be those of before, for one whose heads have weights like ``own``.

    The stance head had the same layers for holders named and not; before that, it knew no distances and saw nothing of
    what stands between, so it makes nothing of them. The distances of links had another name.
    """
    found = {
        name.replace("link.distance.weight", "link.distance.embedding.weight"): value
        for name, value in weights.items()
    }
    for named in [name for name in own if ".stance.named." in name]:
        layers = named.replace(".named.", ".layers.")
        if layers in found and named not in found:
            shared, wide = found[layers], own[named].shape[-1]
            found[named] = nn.functional.pad(shared, (0, wide - shared.shape[-1]))
            found[layers] = shared[..., : own[layers].shape[-1]].contiguous()
            distances = named.partition("named.")[0] + "distance.embedding.weight"
            found.setdefault(distances, own[distances])
    return found
