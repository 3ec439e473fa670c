"""Division of an encoder's graph between its layers into files that run one after the other.

Code hosts limit the size of a file. The inputs of a file are the values that it needs of earlier ones, by their names.
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
    graph_inputs = {value.name for value in graph.input}
    graph_outputs = {value.name for value in graph.output}
    constant_nodes = _constant_nodes(graph.node, initializers)
    parts = _divide_nodes(graph.node, initializers, constant_nodes, len(paths))

    last_uses: dict[str, int] = {}  # value → the last part that needs it
    for number, nodes in enumerate(parts):
        last_uses.update((name, number) for node in nodes for name in node.input)
    computed: set[str] = set()  # values of earlier parts
    for number, (nodes, path) in enumerate(zip(parts, paths, strict=True)):
        inputs = {name for node in nodes for name in node.input} & (graph_inputs | computed)
        own = [name for node in nodes for name in node.output]
        outputs = [
            name for name in own if name in graph_outputs or last_uses.get(name, number) > number
        ]
        computed.update(own)

        nodes = _with_constants(nodes, constant_nodes)
        used = {name for node in nodes for name in node.input}
        # The types of values behind operators that are onnxruntime's own cannot be inferred again.
        inner = [name for name in own if name in types and name not in outputs]
        part_graph = helper.make_graph(
            nodes,
            f"{graph.name}-{number}",
            [types[name] for name in sorted(inputs)],
            [types[name] for name in outputs],
            [initializer for name, initializer in initializers.items() if name in used],
            value_info=[types[name] for name in inner],
        )
        part_model = helper.make_model(
            part_graph, opset_imports=model.opset_import, ir_version=model.ir_version
        )
        onnx.save(part_model, path)


def _divide_nodes(
    nodes: Iterable[Any],
    initializers: Mapping[str, Any],
    constant_nodes: Mapping[str, Any],
    count: int,
) -> list[list[Any]]:
    """Return the nodes of each part, in order, without those that depend on no input.

    A node that belongs to no layer is in the first part in which all of its inputs exist.
    """
    nodes = list(nodes)
    part_of_layer = _assign_layers(nodes, initializers, count)
    part_of_value: dict[str, int] = {}
    parts: list[list[Any]] = [[] for _ in range(count)]
    for node in nodes:
        if node.output[0] in constant_nodes:
            continue
        part = max((part_of_value.get(name, 0) for name in node.input), default=0)
        layer = _layer(node.name)
        if layer is not None:
            part = max(part, part_of_layer[layer])
        part_of_value.update(dict.fromkeys(node.output, part))
        parts[part].append(node)
    return parts


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
