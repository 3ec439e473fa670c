"""Division of an encoder's graph between its layers, so that no file gets too large for where it is kept.

The graphs run one after the other. Each has the values that it needs of an earlier one as inputs under their names.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from claimstance.model.errors import ModelError

_LAYER = re.compile(r"/layers?\.(\d+)/")


def split_graph(source: Path, paths: Sequence[Path]) -> None:
    """Write the graph of ``source`` as several graphs with about the same number of weights.

    Args:
        source: a float32 graph whose nodes are named after modules, ``…/layer.3/…``.
        paths: the files to write, in the order in which they run. The last one gets the outputs.

    Raises:
        ModelError: if the encoder has too few layers.
    """
    import onnx
    from onnx import helper, shape_inference

    model = shape_inference.infer_shapes(onnx.load(source))
    graph = model.graph
    initializers = {initializer.name: initializer for initializer in graph.initializer}
    types = {value.name: value for value in [*graph.input, *graph.value_info, *graph.output]}
    constant_nodes = _constant_nodes(graph.node, initializers)
    part_of_layer = _assign_layers(graph.node, initializers, len(paths))

    # A node that belongs to no layer runs as early as its inputs allow.
    producer_part = {value.name: 0 for value in graph.input}  # value → the part that computes it
    parts: list[list[Any]] = [[] for _ in paths]
    for node in graph.node:
        if node.output[0] in constant_nodes:
            continue
        part = max((producer_part.get(name, 0) for name in node.input), default=0)
        layer = _layer(node.name)
        if layer is not None:
            part = max(part, part_of_layer[layer])
        producer_part.update(dict.fromkeys(node.output, part))
        parts[part].append(node)

    outputs: list[list[Any]] = [[] for _ in paths]
    for value in graph.output:
        outputs[producer_part[value.name]].append(value)
    inputs: list[list[Any]] = [[] for _ in paths]
    for part, nodes in enumerate(parts):
        for name in dict.fromkeys(name for node in nodes for name in node.input):
            if name in initializers or name in constant_nodes or not name:
                continue
            origin = producer_part[name]
            is_graph_input = any(value.name == name for value in graph.input)
            if is_graph_input or origin < part:
                inputs[part].append(types[name])
            if not is_graph_input and origin < part and types[name] not in outputs[origin]:
                outputs[origin].append(types[name])

    for number, path in enumerate(paths):
        nodes = _with_constants(parts[number], constant_nodes)
        used = {name for node in nodes for name in node.input}
        weights = [initializer for name, initializer in initializers.items() if name in used]
        # The types of values behind operators that are onnxruntime's own cannot be inferred again.
        inner = {name for node in nodes for name in node.output} - {
            value.name for value in outputs[number]
        }
        value_info = [types[name] for name in sorted(inner) if name in types]
        part_graph = helper.make_graph(
            nodes,
            f"{graph.name}-{number}",
            inputs[number],
            outputs[number],
            weights,
            value_info=value_info,
        )
        part_model = helper.make_model(
            part_graph, opset_imports=model.opset_import, ir_version=model.ir_version
        )
        onnx.save(part_model, path)


def _layer(node_name: str) -> int | None:
    """Return the number of the layer that a node belongs to.

    >>> _layer("/encoder/encoder/layer.3/attention/self/query/MatMul")
    3
    """
    match = _LAYER.search(node_name)
    return int(match.group(1)) if match and node_name.startswith("/encoder/") else None


def _constant_nodes(nodes: Iterable[Any], initializers: Mapping[str, Any]) -> dict[str, Any]:
    """Return output → node for nodes that depend on no input; every part gets a copy of those that it needs."""
    constant: dict[str, Any] = {}
    for node in nodes:
        if all(name in constant or name in initializers for name in node.input):
            constant.update(dict.fromkeys(node.output, node))
    return constant


def _assign_layers(
    nodes: Iterable[Any], initializers: Mapping[str, Any], count: int
) -> dict[int, int]:
    """Return layer → part, such that parts have about the same number of weights.

    The embeddings, which come before the layers, belong to the first part.
    """
    sizes: dict[int, int] = defaultdict(int)  # layer → its weights; −1: what comes before the first
    for node in nodes:
        layer = _layer(node.name)
        for name in node.input:
            if name in initializers and (layer is not None or node.op_type == "Gather"):
                sizes[-1 if layer is None else layer] += int(np.prod(initializers[name].dims))
    layers = sorted(layer for layer in sizes if layer >= 0)
    if len(layers) < count:
        raise ModelError(
            f"expected an encoder of at least {count} layers to divide into {count} files, found {len(layers)}"
        )
    total, before = sum(sizes.values()), sizes[-1]
    assigned = {}
    part = -1
    for number, layer in enumerate(layers):
        middle = before + sizes[layer] / 2
        before += sizes[layer]
        # No part may stay without a layer: neither one that large embeddings would take up, nor one of the last.
        first_possible = count - (len(layers) - number)
        part = max(min(int(middle / total * count), part + 1), first_possible)
        assigned[layer] = part
    return assigned


def _with_constants(nodes: Sequence[Any], constant_nodes: Mapping[str, Any]) -> list[Any]:
    """Return nodes preceded by the constant nodes that they need."""
    needed: dict[str, Any] = {}

    def add(name: str) -> None:
        node = constant_nodes.get(name)
        if node is None or node.output[0] in needed:
            return
        for input_name in node.input:
            add(input_name)
        needed[node.output[0]] = node

    for node in nodes:
        for name in node.input:
            add(name)
    return [*needed.values(), *nodes]
