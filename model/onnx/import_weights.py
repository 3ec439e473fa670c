"""Import of an exported model's weights: training can continue from a model that is shipped without others."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from claimstance.model.errors import ModelError
from claimstance.model.onnx.graph_file import check_self_contained
from claimstance.model.onnx.manifest import (
    LINK_FILE,
    STANCE_FILE,
    check_files,
    encoder_files,
)

#: The end of the name of the factors that smooth an input (see ``claimstance.model.onnx.quantization``).
INVERSE = ".inverse"
#: File → the beginning that its weights' names lack.
_PREFIXES = {STANCE_FILE: "heads.stance.", LINK_FILE: "heads.link."}


def load_onnx_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights of an exported model in float32, under the names that ``ClaimStanceModel`` has for them.

    Weights in int8 are dequantized. Those of an export in ``int8`` differ from the trained ones by at most half a step:
    see ``claimstance.model.onnx.rounding.round_columns`` for the steps of a matrix; a step of a table of embeddings is
    a 255th of its range. In ``int8-compact``, steps are larger, and a weight may differ by more than one.

    Raises:
        ModelError: if a file is missing, altered, or no graph that ``claimstance.model.onnx.export`` writes.
    """
    import onnx

    weights: dict[str, Tensor] = {}
    files = check_files(folder)
    for file in [*encoder_files(files), *_PREFIXES]:
        if file not in files:
            continue
        check_self_contained(folder / file)
        try:
            graph = onnx.load(folder / file, load_external_data=False).graph
            for name, value in _weights(graph):
                weights[_PREFIXES.get(file, "") + name] = torch.from_numpy(value)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"{folder / file}: expected a graph that `claimstance export` wrote: {error}"
            ) from None
    return weights


def _weights(graph: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the names and values of a graph's weights.

    The graph has matrices of products in transposed form, and some of them without a name of their own.
    """
    from onnx.numpy_helper import to_array

    initializers = {initializer.name: to_array(initializer) for initializer in graph.initializer}
    producers: dict[str, Any] = {}  # name of a value → the node that computes it
    for node in graph.node:
        producers.update(dict.fromkeys(node.output, node))
    modules: dict[str, str] = {}  # nameless matrix → the module that it belongs to
    factors: dict[str, Any] = {}  # nameless matrix → the factors of its input
    for node in graph.node:
        if node.op_type not in ("MatMul", "MatMulInteger"):
            continue
        for name in node.input:
            if name.startswith("onnx::"):
                base = name.removesuffix("_quantized")
                modules[base] = _module_name(node.name)
                factors[base] = _smoothing_factors(node, producers, initializers)

    for name, stored in initializers.items():
        base = name.removesuffix("_quantized")
        if base.endswith(("_scale", "_zero_point")):
            continue
        value = stored
        if name != base:
            # Zero points and scales are one per column of a matrix, or one for a table of embeddings. The matrices of
            # compact heads have scales per row, and no zero points.
            value = stored.astype(np.float32)
            if f"{base}_zero_point" in initializers:
                value = value - initializers[f"{base}_zero_point"].astype(np.float32)
            value = value * initializers[f"{base}_scale"]
        if base in modules:
            # The factors were multiplied into the matrix in place of its input (SmoothQuant).
            yield f"{modules[base]}.weight", np.array((value * factors[base]).T)
        elif base.endswith("_Transposed"):
            yield base.removesuffix("_Transposed").removeprefix("model."), np.array(value.T)
        elif not base.startswith("onnx::") and not base.endswith(INVERSE):
            yield base.removeprefix("model."), np.array(value)


def _smoothing_factors(
    product: Any, producers: Mapping[str, Any], initializers: Mapping[str, NDArray[Any]]
) -> NDArray[Any] | float:
    """Return the factors of a product's input, as a column (in, 1); 1 if the input was not smoothed.

    The nodes before an int8 product are, from its input backwards: the rounding, the division by each token's largest
    value, and the multiplication with the factors.
    """
    node = product
    for op_type in ("DynamicQuantizeLinear", "Div", "Mul"):
        node = producers.get(node.input[0])
        if node is None or node.op_type != op_type:
            return 1.0
    name = node.input[1]
    if not name.endswith(INVERSE):
        return 1.0
    # Equal factors of several layers are stored once; the others are copies by an Identity node.
    if name in producers:
        name = producers[name].input[0]
    return initializers[name].reshape(-1, 1)


def _module_name(node: str) -> str:
    """Return the name of the module whose product a node is.

    The name of a module in a sequence repeats that of the sequence.

    >>> _module_name("/attribution/layers/layers.1/MatMul")
    'heads.attribution.layers.1'
    >>> _module_name("/encoder/encoder/layer.0/attention/self/query/MatMul_quant")
    'encoder.encoder.layer.0.attention.self.query'
    """
    path = node.strip("/").rpartition("/")[0].replace("/", ".")
    path = re.sub(r"\b(\w+)\.\1\.(\d)", r"\1.\2", path)
    return path if path.startswith("encoder.") else f"heads.{path}"
