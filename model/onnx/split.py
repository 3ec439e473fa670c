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
    types: dict[str, Any] = {}  # value → its type and shape
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value
    graph_inputs = {value.name for value in graph.input}
    graph_outputs = {value.name for value in graph.output}
    constant_nodes = _constant_nodes(graph.node, initializers)
    subgraphs = _divide_nodes(graph.node, initializers, constant_nodes, len(paths))

    last_uses: dict[str, int] = {}  # value → the number of the last subgraph that needs it
    for number, nodes in enumerate(subgraphs):
        last_uses.update(dict.fromkeys(_input_names(nodes), number))
    computed: set[str] = set()  # values of earlier subgraphs
    for number, (nodes, path) in enumerate(zip(subgraphs, paths, strict=True)):
        inputs = _input_names(nodes) & (graph_inputs | computed)
        outputs: list[str] = []
        inner: list[str] = []  # the other values that its nodes compute
        for node in nodes:
            for name in node.output:
                is_output = name in graph_outputs or last_uses.get(name, number) > number
                if is_output:
                    outputs.append(name)
                else:
                    inner.append(name)
        computed.update(outputs, inner)

        nodes = _with_constants(nodes, constant_nodes)
        used = _input_names(nodes)
        subgraph = helper.make_graph(
            nodes,
            f"{graph.name}-{number}",
            inputs=[types[name] for name in sorted(inputs)],
            outputs=[types[name] for name in outputs],
            initializer=[value for name, value in initializers.items() if name in used],
            # The types of values behind operators that are onnxruntime's own cannot be inferred again.
            value_info=[types[name] for name in inner if name in types],
        )
        submodel = helper.make_model(
            subgraph, opset_imports=model.opset_import, ir_version=model.ir_version
        )
        onnx.save(submodel, path)


def _input_names(nodes: Iterable[Any]) -> set[str]:
    """Return the names of the values that nodes need."""
    names: set[str] = set()
    for node in nodes:
        names.update(node.input)
    return names


def _divide_nodes(
    nodes: Iterable[Any],
    initializers: Mapping[str, Any],
    constant_nodes: Mapping[str, Any],
    count: int,
) -> list[list[Any]]:
    """Return the nodes of each subgraph, in order, without those that depend on no input.

    A node that belongs to no layer is in the first subgraph in which all of its inputs exist.
    """
    nodes = list(nodes)
    numbers_by_layer = _assign_layers(nodes, initializers, count)
    numbers_by_value: dict[str, int] = {}
    subgraphs: list[list[Any]] = [[] for _ in range(count)]
    for node in nodes:
        if node.output[0] in constant_nodes:
            continue
        number = max((numbers_by_value.get(name, 0) for name in node.input), default=0)
        layer = _layer(node.name)
        if layer is not None:
            number = max(number, numbers_by_layer[layer])
        numbers_by_value.update(dict.fromkeys(node.output, number))
        subgraphs[number].append(node)
    return subgraphs


def _layer(node_name: str) -> int | None:
    """Return the number of the layer that a node belongs to.

    >>> _layer("/encoder/encoder/layer.3/attention/self/query/MatMul")
    3
    """
    match = _LAYER.search(node_name)
    if match is None or not node_name.startswith("/encoder/"):
        return None
    return int(match[1])


def _constant_nodes(nodes: Iterable[Any], initializers: Mapping[str, Any]) -> dict[str, Any]:
    """Return output → node for nodes that depend on no input; every subgraph gets a copy of those that it needs."""
    constant: dict[str, Any] = {}
    for node in nodes:
        if all(name in constant or name in initializers for name in node.input):
            constant.update(dict.fromkeys(node.output, node))
    return constant


def _assign_layers(
    nodes: Iterable[Any], initializers: Mapping[str, Any], count: int
) -> dict[int, int]:
    """Return layer → number of its subgraph, such that subgraphs have about the same number of weights.

    The embeddings, which come before the layers, belong to the first subgraph.
    """
    sizes: dict[int, int] = defaultdict(int)  # layer → number of its weights
    embeddings_size = 0
    for node in nodes:
        layer = _layer(node.name)
        for name in node.input:
            if name not in initializers:
                continue
            size = int(np.prod(initializers[name].dims))
            if layer is not None:
                sizes[layer] += size
            elif node.op_type == "Gather":
                embeddings_size += size
    layers = sorted(sizes)
    if len(layers) < count:
        raise ModelError(
            f"expected an encoder of at least {count} layers to divide into {count} files, found {len(layers)}"
        )
    total = embeddings_size + sum(sizes.values())
    before = embeddings_size  # weights before the layer
    numbers = {}
    number = -1
    for index, layer in enumerate(layers):
        middle = before + sizes[layer] / 2
        before += sizes[layer]
        # No subgraph may stay without a layer: neither one that large embeddings would take up, nor one of the last.
        first_possible = count - (len(layers) - index)
        number = max(min(int(middle / total * count), number + 1), first_possible)
        numbers[layer] = number
    return numbers


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
