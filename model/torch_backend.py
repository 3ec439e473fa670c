"""Running a model with torch: the reference in float32, which training uses for evaluation."""

import numpy as np
import torch

from claimstance.model.decoding.tags import Floats
from claimstance.model.encoding import Ints
from claimstance.model.heads import TokenHead
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.predictor import Predictor


class TorchBackend:
    """Run a ``ClaimStanceModel`` on its own device (a ``Backend``)."""

    def __init__(self, model: ClaimStanceModel) -> None:
        self._model = model

    @torch.inference_mode()
    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Run the network; ``Backend`` documents the arrays."""
        device = next(self._model.parameters()).device
        tokens = torch.from_numpy(ids).to(device)
        hidden = self._model.encode(
            tokens, torch.ones_like(tokens), torch.from_numpy(segments).to(device)
        )
        spans = torch.from_numpy(sentences).to(device)
        output = {"hidden": hidden}
        for task, head in self._model.heads.items():
            if task in SENTENCE_TASKS:
                output[task] = head(hidden, spans)
            elif isinstance(head, TokenHead):
                output[task] = head(hidden)
        return {name: value.cpu().numpy() for name, value in output.items()}

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """Run the network; ``Backend`` documents the arrays."""
        return self._head("stance", hidden, holders, targets, sentences)

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """Run the network; ``Backend`` documents the arrays."""
        return self._head("link", hidden, cues, spans)

    @torch.inference_mode()
    def _head(self, name: str, *arrays: Floats | Ints) -> Floats:
        """Return the logits of a head."""
        device = next(self._model.parameters()).device
        tensors = [torch.from_numpy(array).to(device) for array in arrays]
        logits = self._model.heads[name](*tensors)
        return np.asarray(logits.cpu().numpy())


def torch_predictor(model: ClaimStanceModel) -> Predictor:
    """Return a predictor with a model in memory, which is put into evaluation mode."""
    return Predictor(model.config, model.windows, TorchBackend(model.eval()))
