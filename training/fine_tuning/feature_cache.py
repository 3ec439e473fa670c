"""The output of a frozen encoder, computed once and read from a file in every epoch."""

import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from claimstance.model.decoding.tags import Floats
from claimstance.model.encoding import WindowEncoder, never_cancel
from claimstance.model.network import ClaimStanceModel
from claimstance.model.predictor import Predictor
from claimstance.model.windows import Window
from claimstance.training.fine_tuning.collation import pad_windows
from claimstance.training.fine_tuning.epoch_sampler import batch_by_length

log = logging.getLogger(__name__)
FEATURES_FILE = "features.bin"
#: Half the space of float32. An output of the encoder has a magnitude near 1, which float16 rounds by at most 0.05 %.
_DTYPE = np.dtype(np.float16)
_TOKENS_PER_BATCH = 4096
#: Share of the free space that the file may take: checkpoints follow it.
_LARGEST_SHARE = 0.8
#: Returns the encoder's output for each of a few windows: (tokens, hidden size) each.
Encode = Callable[[Sequence[Window]], Iterable[Floats]]


class FeatureCache:
    """Look up the last layer of a frozen encoder for the windows of a run.

    The file has one row for each token of each window: (tokens, hidden size), in float16.
    """

    def __init__(self, path: Path, windows: Sequence[Window], hidden_size: int) -> None:
        """Open a file.

        Args:
            path: the file.
            windows: the windows whose rows it has, in order.
            hidden_size: the width of the encoder's output.
        """
        self._starts: dict[bytes, int] = {}  # window → its first row
        rows = 0
        for window in windows:
            self._starts[_key(window)] = rows
            rows += len(window)
        self._values = np.memmap(path, _DTYPE, mode="r", shape=(rows, hidden_size))

    def hidden(self, windows: Sequence[Window]) -> Tensor:
        """Return the encoder's output for B windows, padded with zeros to the longest: (B, T, H)."""
        length = max(map(len, windows))
        _, hidden_size = self._values.shape
        hidden = np.zeros((len(windows), length, hidden_size), np.float32)
        for row, window in enumerate(windows):
            start = self._starts[_key(window)]
            hidden[row, : len(window)] = self._values[start : start + len(window)]
        return torch.from_numpy(hidden)


def network_encoder(model: ClaimStanceModel, use_bfloat16: bool) -> Encode:
    """Return an ``Encode`` that runs the encoder of ``model``, in bfloat16 or float32."""
    device = next(model.parameters()).device

    def encode(windows: Sequence[Window]) -> Iterator[Floats]:
        model.eval()
        tensors = [tensor.to(device) for tensor in pad_windows(windows, model.windows.pad)]
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=use_bfloat16),
        ):
            hidden = model.encode(*tensors)  # (B, T, H)
        values = hidden.float().cpu().numpy()
        for row, window in enumerate(windows):
            yield values[row, : len(window)]

    return encode


def exported_encoder(predictor: Predictor) -> Encode:
    """Return an ``Encode`` that runs the exported encoder of ``predictor``.

    Its output is the one that the exported heads will read. On a CPU, int8 takes half the time of float32.
    """
    encoder = WindowEncoder(predictor.backend, predictor.workers)

    def encode(windows: Sequence[Window]) -> Iterator[Floats]:
        pending = [encoder.submit(window, never_cancel) for window in windows]
        for pending_window in pending:
            _, hidden = pending_window.encoding()  # (1, T, H)
            yield hidden[0]

    return encode


def cache_features(
    folder: Path, encode: Encode, windows: Iterable[Window], hidden_size: int
) -> FeatureCache | None:
    """Return the cache of a run, or ``None`` if the disk lacks the space for it.

    A complete file of the same run, which a resumed run finds, is used again.

    Args:
        folder: the folder to write the file into.
        encode: the frozen encoder.
        windows: all windows of the run; equal ones are stored once.
        hidden_size: the width of the encoder's output.
    """
    distinct = sorted({_key(window): window for window in windows}.values(), key=len)
    path = folder / FEATURES_FILE
    if path.exists():
        return FeatureCache(path, distinct, hidden_size)

    tokens = sum(map(len, distinct))
    size = tokens * hidden_size * _DTYPE.itemsize
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free * _LARGEST_SHARE:
        log.warning(
            "%s: the output of the frozen encoder takes %.1f GB, and %.1f GB are free: "
            "the encoder runs again in every epoch",
            folder,
            size / 1e9,
            free / 1e9,
        )
        return None
    log.info(
        "the frozen encoder reads %d tokens once; its output takes %.1f GB until the end of training",
        tokens,
        size / 1e9,
    )

    # The file gets its name when it is complete, so an interrupted one is never used.
    temporary = path.with_suffix(".partial")
    batches = list(batch_by_length(distinct, _TOKENS_PER_BATCH))
    with temporary.open("wb") as file:
        for batch in tqdm(batches, "encoding", disable=not sys.stderr.isatty()):
            for hidden in encode(batch):
                file.write(hidden.astype(_DTYPE).tobytes())
    temporary.replace(path)
    return FeatureCache(path, distinct, hidden_size)


def _key(window: Window) -> bytes:
    """Return the input of the encoder for a window as a dictionary's key."""
    return np.array([window.ids, window.segments], np.int32).tobytes()
