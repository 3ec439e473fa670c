"""The way back: the weights of an exported model, so that training can go on from a model that ships without them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claimstance.model.errors import ModelError
from claimstance.model.onnx.backend import LINK_FILE, READER_FILE, STANCE_FILE, check_files
from claimstance.model.onnx.graph_file import check_self_contained

INVERSE = ".inverse"
_FILES = {READER_FILE: "", STANCE_FILE: "heads.stance.", LINK_FILE: "heads.link."}


def load_onnx_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of the model exported to ``folder``, by the names that ``ClaimStanceModel`` has for them, in float32.

    Of an int8 model they are what its integers stand for: within half a step of those that were trained (see
    ``claimstance.model.onnx.quantization.round_columns``; of a table of embeddings, a step is a 255th of its range).

    Raises:
        ModelError: if a file is missing, altered, or no graph that ``claimstance.model.onnx.export`` writes.
    """
    import onnx

    found: dict[str, Tensor] = {}
    for file in (name for name in _FILES if name in check_files(folder)):
        check_self_contained(folder / file)
        try:
            graph = onnx.load(folder / file, load_external_data=False).graph
            found |= {
                _FILES[file] + name: torch.from_numpy(value) for name, value in _weights(graph)
            }
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"{folder / file}: expected a graph that `claimstance export` wrote: {error}"
            ) from None
    return found


def _weights(graph: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Names and values. Matrices that are multiplied from the right stand transposed, some of them without a name."""
    from onnx.numpy_helper import to_array

    values = {each.name: to_array(each) for each in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    products = [
        (node, name.removesuffix("_quantized"))
        for node in graph.node
        if node.op_type in ("MatMul", "MatMulInteger")
        for name in node.input
        if name.startswith("onnx::")
    ]
    nameless = {name: _module(node.name) for node, name in products}
    smooth = {name: _inverse(node, makers, values) for node, name in products}
    for stored in values:
        base = stored.removesuffix("_quantized")
        if base.endswith(("_scale", "_zero_point")):
            continue
        value = _exact(values, base) if base != stored else values[stored]
        if base in nameless:
            yield f"{nameless[base]}.weight", np.array((value * smooth[base]).T)
        elif base.endswith("_Transposed"):
            yield base.removesuffix("_Transposed").removeprefix("model."), np.array(value.T)
        elif not base.startswith("onnx::") and not base.endswith(INVERSE):
            yield base.removeprefix("model."), np.array(value)


def _inverse(product: Any, makers: dict[str, Any], values: dict[str, Any]) -> Any:
    """What the input of a product was made smooth with (``claimstance.model.onnx.quantization``), as a column; 1 if it was not.

    Before a product in int8 stand, from its input backwards: rounding, the division by each token's greatest value, and
    the multiplication that is looked for.
    """
    node = product
    for kind in ("DynamicQuantizeLinear", "Div", "Mul"):
        node = makers.get(node.input[0])
        if node is None or node.op_type != kind:
            return 1.0
    if not (name := node.input[1]).endswith(INVERSE):
        return 1.0
    return values[makers[name].input[0] if name in makers else name].reshape(
        -1, 1
    )  # a second name of another layer's


def _exact(values: dict[str, np.ndarray[Any, Any]], base: str) -> np.ndarray[Any, Any]:
    """What integers stand for; a scale a column, or one for all."""
    whole, zero = (
        values[f"{base}_{part}"].astype(np.float32) for part in ("quantized", "zero_point")
    )
    exact: np.ndarray[Any, Any] = (whole - zero) * values[f"{base}_scale"]
    return exact


def _module(node: str) -> str:
    """The module whose product a node is: a module called in a sequence is named with its place, after the sequence.

    >>> _module("/attribution/layers/layers.1/MatMul")
    'heads.attribution.layers.1'
    >>> _module("/encoder/encoder/layer.0/attention/self/query/MatMul_quant")
    'encoder.encoder.layer.0.attention.self.query'
    """
    path = re.sub(
        r"\b(\w+)\.\1\.(\d)", r"\1.\2", node.strip("/").rpartition("/")[0].replace("/", ".")
    )
    return path if path.startswith("encoder.") else f"heads.{path}"
