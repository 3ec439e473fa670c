"""The output of a frozen encoder, computed once and read from a file in every epoch."""

import logging
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from claimstance.model.network import ClaimStanceModel
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


def cache_features(
    folder: Path, model: ClaimStanceModel, windows: Iterable[Window], use_bfloat16: bool
) -> FeatureCache | None:
    """Return the cache of a run, or ``None`` if the disk lacks the space for it.

    A complete file of the same run, which a resumed run finds, is used again.

    Args:
        folder: the folder to write the file into.
        model: the model, whose encoder is frozen.
        windows: all windows of the run; equal ones are stored once.
        use_bfloat16: compute in bfloat16 instead of float32.
    """
    distinct = sorted({_key(window): window for window in windows}.values(), key=len)
    path = folder / FEATURES_FILE
    hidden_size = model.config.hidden_size
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

    device = next(model.parameters()).device
    model.eval()
    # The file gets its name when it is complete, so an interrupted one is never used.
    temporary = path.with_suffix(".partial")
    batches = list(batch_by_length(distinct, _TOKENS_PER_BATCH))
    with temporary.open("wb") as file, torch.inference_mode():
        for batch in tqdm(batches, "encoding", disable=not sys.stderr.isatty()):
            tensors = [tensor.to(device) for tensor in pad_windows(batch, model.windows.pad)]
            with torch.autocast(device.type, torch.bfloat16, enabled=use_bfloat16):
                hidden = model.encode(*tensors)  # (B, T, H)
            values = hidden.float().cpu().numpy().astype(_DTYPE)
            for row, window in enumerate(batch):
                file.write(values[row, : len(window)].tobytes())
    temporary.replace(path)
    return FeatureCache(path, distinct, hidden_size)


def _key(window: Window) -> bytes:
    """Return the input of the encoder for a window as a dictionary's key."""
    return np.array([window.ids, window.segments], np.int32).tobytes()
