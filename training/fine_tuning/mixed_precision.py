"""The decision between bfloat16 and float32.

On processors with AVX-512, bfloat16 trains 1.8 times as many tokens a second as float32. On one with AVX2 alone, a
product of two bfloat16 matrices (1024 × 768 × 3072) took 70 times as long as in float32. Therefore ``auto``
measures both.
"""

import logging
import time

import torch

_LOG = logging.getLogger(__name__)

#: Shape of the measured product, one of the largest in an encoder: (tokens, width) × (width, width of the layer).
_TOKENS, _WIDTH, _LAYER_WIDTH = 1024, 384, 1536
_SECONDS = 0.3  # of each measurement
#: Only the matrix products gain from bfloat16, so a smaller advantage would be lost in the rest.
_LEAST_ADVANTAGE = 1.2


def has_bfloat16(device: torch.device) -> bool:
    """Return whether PyTorch has fast bfloat16 matrix products for the device, a CPU or a CUDA device."""
    if device.type == "cpu":
        # PyTorch makes the same checks before it uses oneDNN, which not every build contains.
        has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        return bool(has_onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def use_bfloat16(precision: str) -> bool:
    """Return whether to compute in bfloat16; never on a device without it.

    A warning is logged if ``precision`` asks for bfloat16 and the device lacks it. The saved configuration keeps
    the precision that was asked for.

    Args:
        precision: ``bfloat16``, ``float32``, or ``auto`` for whichever the device computes faster.
    """
    if precision == "float32":
        return False
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not has_bfloat16(device):
        if precision == "bfloat16":
            _LOG.warning(
                "training.precision: this device has no bfloat16: computing in float32, which gives other weights"
            )
        return False
    if precision == "bfloat16":
        return True
    advantage = measure_rate(device, torch.bfloat16) / measure_rate(device, torch.float32)
    is_faster = advantage >= _LEAST_ADVANTAGE
    _LOG.info(
        "matrix products in bfloat16 are %.2g times as fast as in float32: computing in %s",
        advantage,
        "bfloat16" if is_faster else "float32",
    )
    return is_faster


def measure_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return the number of matrix products per second."""
    tokens = torch.ones(_TOKENS, _WIDTH, device=device, dtype=dtype)
    layer = torch.ones(_WIDTH, _LAYER_WIDTH, device=device, dtype=dtype)

    def multiply() -> None:
        # Reading a value waits until a GPU is done.
        (tokens @ layer)[0, 0].item()

    multiply()  # prepares the device
    start = time.perf_counter()
    products, elapsed = 0, 0.0
    while elapsed < _SECONDS:
        multiply()
        products += 1
        elapsed = time.perf_counter() - start
    return products / elapsed
