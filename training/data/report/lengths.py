"""Histograms of the sentence lengths of a dataset, for its report."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

BIN = 8  # words
BINS = 64  # the last bin includes all longer sentences
# The seed articles have 1.34 tokens a word by the bundled model's tokenizer, so that 23 bins of words
# are 247 of the window's 254 tokens.
_WINDOW = 23 * BIN
_WINDOW_NOTE = "about: the default window has 256 tokens, and English news some 1.34 tokens a word"


class Lengths(BaseModel):
    """Represent histograms of sentence lengths.

    Attributes:
        counts: split → number of sentences in each bin; empty bins at the end may be missing.
        unit: the unit of length, in the plural. Words are separated as by ``str.split``.
        width: the width of a bin: the first covers 0 to ``width`` - 1.
        limit: the length from which a sentence exceeds the encoder's window; ``None`` if unknown.
        limit_note: an explanation of the limit.
    """

    counts: dict[str, list[int]]
    unit: str = "words"
    width: int = Field(default=BIN, ge=1)
    limit: int | None = None
    limit_note: str = ""

    @classmethod
    def of_words(cls, words: Mapping[str, NDArray[np.integer[Any]]]) -> "Lengths":
        """Create histograms from split → the number of words of each sentence."""
        counts = {}
        for split, numbers in words.items():
            bins = np.minimum(numbers // BIN, BINS - 1)
            counts[split] = np.bincount(bins).tolist()
        return cls(counts=counts, limit=_WINDOW, limit_note=_WINDOW_NOTE)

    def label(self, index: int) -> str:
        """Return the range of lengths of a bin."""
        start = index * self.width
        if index == BINS - 1:
            return f"{start:,} and more"
        return f"{start:,} to {start + self.width - 1:,}"

    def beyond(self, split: str) -> int | None:
        """Return how many sentences of a split exceed the window; ``None`` if the limit is unknown."""
        if self.limit is None:
            return None
        first_bin = math.ceil(self.limit / self.width)
        return sum(self.counts[split][first_bin:])

    def median_bound(self, split: str) -> int | None:
        """Return the upper end of the bin with the median: at least half of the sentences fit in it."""
        total = sum(self.counts[split])
        cumulative = 0
        for index, count in enumerate(self.counts[split]):
            cumulative += count
            if count and 2 * cumulative >= total:
                return (index + 1) * self.width - 1
        return None
