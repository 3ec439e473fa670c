"""Whether bfloat16 is worth it on this machine.

On processors with AVX-512 it trains 1.8 times as many tokens a second as float32; on one with AVX2 alone, a product of
two bfloat16 matrices (1024 × 768 × 3072) took 70 times as long as of two float32 ones (``docs/experiments.md``).
"""

import logging

import torch

_LOG = logging.getLogger(__name__)


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices in bfloat16, rather than PyTorch imitating it."""
    if device.type == "cpu":
        return bool(
            torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )  # what PyTorch asks itself before it uses oneDNN
    return device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


def use_bfloat16(precision: str) -> bool:
    """Whether to compute in bfloat16: if ``precision`` asks for it and the device that trains has it.

    The configuration of a run keeps what was asked for; a warning says that it was not followed.
    """
    if precision != "bfloat16":
        return False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if has_bfloat16(device):
        return True
    _LOG.warning(
        "training.precision: this processor has no bfloat16: computing in float32, which gives other weights"
    )
    return False
