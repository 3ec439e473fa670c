"""Sentence embeddings of a pretrained encoder, as it was before any training here."""

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer

from claimstance.model.io.encoders import load_pretrained
from claimstance.training.evaluation.metrics import Array

_BATCH = 64  # texts


class SentenceEncoder:
    """Embed texts by the mean of their tokens' vectors, scaled to length 1 (Reimers & Gurevych 2019)."""

    def __init__(self, name: str, max_tokens: int) -> None:
        """Load an encoder.

        Args:
            name: a Hugging Face name or a folder.
            max_tokens: longer texts are cut.

        Raises:
            ConfigError: if it cannot be loaded.
        """
        encoder, tokenizer_json = load_pretrained(name)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._encoder = encoder.to(self._device).eval()
        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return the embeddings, (texts, hidden size); a text without tokens has zeros."""
        embeddings = np.zeros((len(texts), self._encoder.config.hidden_size))
        encodings = self._tokenizer.encode_batch(list(texts))
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(
            (number for number, encoding in enumerate(encodings) if len(encoding)),
            key=lambda number: len(encodings[number]),
        )
        for first in range(0, len(order), _BATCH):
            numbers = order[first : first + _BATCH]
            longest = len(encodings[numbers[-1]])
            ids = torch.zeros((len(numbers), longest), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, number in enumerate(numbers):
                tokens = encodings[number].ids
                ids[row, : len(tokens)] = torch.tensor(tokens)
                mask[row, : len(tokens)] = 1
            ids, mask = ids.to(self._device), mask.to(self._device)
            with torch.inference_mode():
                hidden = self._encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                total = (hidden * mask[..., None]).sum(dim=1)
                mean = total / mask.sum(dim=1, keepdim=True)
                unit = torch.nn.functional.normalize(mean.float(), dim=1)  # (texts, hidden size)
            embeddings[numbers] = unit.cpu().numpy()
        return embeddings
