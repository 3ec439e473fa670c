"""Rounding of matrices to integers whose sums of products are the same on all processors."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LARGEST = 127  # the largest weight, as an integer
# The largest sum of two neighbouring weights with the same sign: 128 times 255, the largest
# activation, is below 32,767. Rounding adds at most one half to each of the two, hence the half
# below 128.
LARGEST_PAIR = 127.5
#: Share of the mean of a Hessian's diagonal that is added to the diagonal, so that the Hessian can be inverted.
DAMPING = 0.01
_BLOCK = 128  # rows that are rounded before their errors reach the rows after the block


def round_columns(
    matrix: NDArray[Any], least_step: float = 0.0, hessian: NDArray[Any] | None = None
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the integers (in, out) and the scales (out,) that stand for a matrix (in, out).

    Neighbours are the rows 0 and 1, 2 and 3, …: a kernel multiplies and adds these together. The scale of a column is
    the least one with which neither a weight nor a sum of neighbours with the same sign gets too large. Neighbours of
    unlike signs never do.

    Args:
        matrix: the matrix.
        least_step: the least scale of a column in its standard deviations. Fewer different integers compress better.
        hessian: the Hessian (in, in) of the squared error of the products, with which ``round_by_gptq`` rounds; to the
            nearest integers if ``None``.
    """
    padded = np.pad(matrix, ((0, len(matrix) % 2), (0, 0)))
    sums = np.maximum(_largest_pair(padded), _largest_pair(-padded))
    scales = np.maximum(np.abs(matrix).max(axis=0) / LARGEST, sums / LARGEST_PAIR)
    scales = np.maximum(scales, least_step * matrix.std(axis=0))
    scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
    if hessian is None:
        integers = np.rint(matrix / scales).clip(-LARGEST, LARGEST)
    else:
        integers = round_by_gptq(matrix / scales, hessian)
    return integers.astype(np.int8), scales


def _largest_pair(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the largest sum of two neighbouring rows in each column, without values below zero."""
    positive = matrix.clip(0)
    return np.asarray((positive[0::2] + positive[1::2]).max(axis=0))


def round_by_gptq(steps: NDArray[Any], hessian: NDArray[Any]) -> NDArray[Any]:
    """Round a matrix so that the error of each weight is made up for in the rows after it.

    The squared error of the products is small on inputs like those of the Hessian, not that of the weights (Frantar et
    al. 2023, *GPTQ*). Neither an integer nor a sum of two neighbours gets too large (see ``round_columns``).

    Args:
        steps: the matrix (in, out), in steps of its columns.
        hessian: the Hessian (in, in): the products of the input channels, summed over tokens.

    Returns:
        The integers (in, out).
    """
    weights = torch.tensor(steps, dtype=torch.float32)
    integers = torch.zeros_like(weights)
    factor = _inverse_factor(torch.from_numpy(hessian))
    for start in range(0, len(weights), _BLOCK):
        end = min(start + _BLOCK, len(weights))
        errors = torch.zeros_like(weights[start:end])
        for row in range(start, end):
            lowest, highest = _bounds(integers, row)
            integers[row] = weights[row].round().clamp(lowest, highest)
            error = (weights[row] - integers[row]) / factor[row, row]
            weights[row + 1 : end] -= factor[row, row + 1 : end, None] * error
            errors[row - start] = error
        weights[end:] -= factor[start:end, end:].T @ errors
    return integers.numpy()


def _inverse_factor(hessian: Tensor) -> Tensor:
    """Return the upper triangular factor of the inverse of a Hessian, after damping."""
    exact = hessian.double()
    # The inputs of a layer may all be zero.
    damping = (DAMPING * exact.diagonal().mean()).clamp_min(torch.finfo(torch.float64).tiny)
    exact = exact + damping * torch.eye(len(exact), dtype=torch.float64)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(exact))
    factor: Tensor = torch.linalg.cholesky(inverse, upper=True)
    return factor.float()


def _bounds(integers: Tensor, row: int) -> tuple[Tensor, Tensor]:
    """Return the least and the largest integers of a row (out,), so that no sum of neighbours gets too large."""
    largest = torch.full_like(integers[row], LARGEST)
    if row % 2 == 0:
        return -largest, largest
    most = int(LARGEST_PAIR + 0.5)
    neighbours = integers[row - 1]
    lowest = torch.maximum(-largest, -most - neighbours.clamp(max=0))
    highest = torch.minimum(largest, most - neighbours.clamp(min=0))
    return lowest, highest
