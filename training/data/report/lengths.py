"""How long the sentences of a dataset are, as a report tells it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

BIN = 8  # words
BINS = 64  # the last one holds all that are longer
# The seed articles have 1.34 tokens a word, by the bundled model's tokenizer: 247 of the window's 254.
_WINDOW = 23 * BIN
_WINDOW_NOTE = "about: the default window has 256 tokens, and English news some 1.34 tokens a word"


class Lengths(BaseModel):
    """Histograms of lengths, of one kind of unit.

    Attributes:
        counts: split → how many sentences there are in each bin, from 0 on; empty ones at the end may be missing.
        unit: what is counted, in the plural. Words are what ``str.split`` finds.
        width: of a bin: the first is of 0 to ``width`` - 1.
        limit: from how many on a sentence is longer than the encoder's window; ``None`` if it is not known.
        limit_note: how the limit was found.
    """

    counts: dict[str, list[int]]
    unit: str = "words"
    width: int = Field(default=BIN, ge=1)
    limit: int | None = None
    limit_note: str = ""

    @classmethod
    def of_words(cls, words: Mapping[str, NDArray[np.integer[Any]]]) -> "Lengths":
        """Of split → the number of words of each sentence."""
        counts = {
            split: np.bincount(np.minimum(numbers // BIN, BINS - 1)).tolist()
            for split, numbers in words.items()
        }
        return cls(counts=counts, limit=_WINDOW, limit_note=_WINDOW_NOTE)

    def label(self, place: int) -> str:
        """Which lengths a bin is of."""
        start = place * self.width
        return (
            f"{start:,} and more"
            if place == BINS - 1
            else f"{start:,} to {start + self.width - 1:,}"
        )

    def beyond(self, split: str) -> int | None:
        """How many sentences of a split are longer than the window; ``None`` if that is not known."""
        if self.limit is None:
            return None
        return sum(self.counts[split][-(-self.limit // self.width) :])

    def middle(self, split: str) -> int | None:
        """A length that half of the sentences do not exceed: the last of the bin that the median is in."""
        seen, total = 0, sum(self.counts[split])
        for place, count in enumerate(self.counts[split]):
            seen += count
            if count and 2 * seen >= total:
                return (place + 1) * self.width - 1
        return None
