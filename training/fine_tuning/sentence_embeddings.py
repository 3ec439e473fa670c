"""Sentence embeddings of a pretrained encoder, as it was before any training here."""

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer

from claimstance.model.encoder import load_pretrained
from claimstance.training.evaluation.metrics import Array

_BATCH = 64  # texts


class SentenceEncoder:
    """Embeds texts by the mean of their tokens' vectors, scaled to length 1 (Reimers & Gurevych 2019)."""

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
        self._tokenizer.enable_padding()

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return the embeddings, (texts, hidden size)."""
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        vectors: list[Array] = []
        for first in range(0, len(order), _BATCH):
            batch = [texts[number] for number in order[first : first + _BATCH]]
            vectors.extend(self._embed(batch))
        embeddings = np.empty((len(texts), self._encoder.config.hidden_size))
        embeddings[order] = vectors
        return embeddings

    def _embed(self, texts: Sequence[str]) -> Array:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = torch.tensor([encoding.ids for encoding in encodings], device=self._device)
        mask = torch.tensor(
            [encoding.attention_mask for encoding in encodings], device=self._device
        )
        with torch.inference_mode():
            hidden = self._encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            mean = (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(
                min=1
            )
            unit = torch.nn.functional.normalize(mean.float(), dim=1)
        return np.asarray(unit.cpu().numpy(), dtype=np.float64)
