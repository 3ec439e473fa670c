"""Heads that read from the encoder's output, one class each.

Shapes: B windows of T tokens, H the encoder's width, N spans or pairs, C labels. A span is a row
``(window, start, end)`` of token positions, end exclusive. An empty span (start = end) means that a
pair has no named holder.
"""

import torch
from torch import Tensor, nn

#: Lower bounds of the buckets for distances between spans, in tokens. Negative distances mirror them.
_DISTANCES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


def pool(hidden: Tensor, spans: Tensor) -> Tensor:
    """Average the token vectors of each span: (B, T, H), (N, 3) → (N, H); zeros for an empty span."""
    # Differences of running sums take time linear in T, however many spans there are.
    sums = nn.functional.pad(hidden.float().cumsum(dim=1), (0, 0, 1, 0))  # (B, T + 1, H)
    window, start, end = spans.unbind(dim=-1)
    total = sums[window, end] - sums[window, start]  # (N, H)
    return total / (end - start).clamp(min=1).unsqueeze(-1).to(total.dtype)


def mlp(width: int, hidden: int, labels: int, dropout: float) -> nn.Sequential:
    """Build a network with one hidden layer: (N, width) → (N, labels)."""
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(width, hidden),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, labels),
    )


class TokenHead(nn.Module):
    """Score the tags of every token: (B, T, H) → (B, T, C)."""

    def __init__(self, hidden_size: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, labels))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits (B, T, C)."""
        logits: Tensor = self.layers(hidden)
        return logits


class SentenceHead(nn.Module):
    """Score the labels of every sentence: (B, T, H), sentence spans (N, 3) → (N, C)."""

    def __init__(self, hidden_size: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.layers = mlp(hidden_size, hidden_size, labels, dropout)

    def forward(self, hidden: Tensor, sentences: Tensor) -> Tensor:
        """Return logits (N, C)."""
        logits: Tensor = self.layers(pool(hidden, sentences))
        return logits


class Distance(nn.Module):
    """Embed the signed distance between two spans, by buckets: (N, 3), (N, 3) → (N, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("bounds", torch.tensor(_DISTANCES), persistent=False)
        self.embedding = nn.Embedding(2 * len(_DISTANCES) + 1, width)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the embedding of the distance from ``first`` to ``second``, (N, width)."""
        forwards = (second[:, 1] - first[:, 2] + 1).unsqueeze(-1)  # (N, 1)
        backwards = (first[:, 1] - second[:, 2] + 1).unsqueeze(-1)
        bounds = self.get_buffer("bounds")
        bucket = (forwards >= bounds).sum(dim=-1) - (backwards >= bounds).sum(dim=-1)
        embedded: Tensor = self.embedding(bucket + len(_DISTANCES))
        return embedded


def between(first: Tensor, second: Tensor) -> Tensor:
    """Return the spans between two spans, empty where nothing is: (N, 3), (N, 3) → (N, 3)."""
    start = torch.minimum(first[:, 2], second[:, 2])
    end = torch.maximum(torch.maximum(first[:, 1], second[:, 1]), start)
    return torch.stack([first[:, 0], start, end], dim=-1)


class StanceHead(nn.Module):
    """Score the stance of each holder toward its target: (N, 3) three times → (N, C).

    Named holders and the text itself (no named holder) have separate networks, because the stance of a
    sentence need not be that of everybody in it. For a named holder the network also sees the words
    between holder and target and their distance, the features that SpERT (Eberts & Ulges 2020) found
    best for relations. A topic that the sentence does not mention is appended to it.
    """

    def __init__(self, hidden_size: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.no_holder = nn.Parameter(torch.randn(hidden_size) * 0.02)
        self.distance = Distance(hidden_size // 4)
        self.text_mlp = mlp(4 * hidden_size, hidden_size, labels, dropout)
        self.holder_mlp = mlp(5 * hidden_size + hidden_size // 4, hidden_size, labels, dropout)

    def forward(
        self, hidden: Tensor, holders: Tensor, targets: Tensor, sentences: Tensor
    ) -> Tensor:
        """Return logits (N, C)."""
        has_holder = (holders[:, 2] > holders[:, 1]).unsqueeze(-1)  # (N, 1)
        holder = torch.where(has_holder, pool(hidden, holders), self.no_holder)  # (N, H)
        target = pool(hidden, targets)
        pair = torch.cat([holder, target, holder * target, pool(hidden, sentences)], dim=-1)
        relation = torch.cat(
            [pool(hidden, between(holders, targets)), self.distance(holders, targets)], dim=-1
        )
        logits: Tensor = torch.where(
            has_holder,
            self.holder_mlp(torch.cat([pair, relation], dim=-1)),
            self.text_mlp(pair),
        )
        return logits


class LinkHead(nn.Module):
    """Score cue–span pairs, as source and as content of one attribution: (N, 3), (N, 3) → (N, 2)."""

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.distance = Distance(hidden_size // 4)
        self.layers = mlp(3 * hidden_size + hidden_size // 4, hidden_size, 2, dropout)

    def forward(self, hidden: Tensor, cues: Tensor, spans: Tensor) -> Tensor:
        """Return logits (N, 2)."""
        cue, span = pool(hidden, cues), pool(hidden, spans)  # (N, H) each
        pair = torch.cat([cue, span, cue * span, self.distance(cues, spans)], dim=-1)
        logits: Tensor = self.layers(pair)
        return logits
