"""Check that a graph with a tensor in another file is refused, for every kind of tensor and every encoding."""

import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper

from claimstance.model.errors import ModelError
from claimstance.model.onnx.graph_file import MESSAGES, check_self_contained


def tensor(location="elsewhere", **fields):
    """Return a tensor whose data are in another file, or in the tensor if ``location`` is ``None``."""
    proto = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if location is not None:
        del proto.float_data[:]
        proto.data_location = TensorProto.EXTERNAL
        proto.external_data.add(key="location", value=location)
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto


def graph(node=(), initializer=(), sparse=()):
    """Return a graph of these nodes and tensors."""
    return helper.make_graph(
        list(node), "g", [], [], list(initializer), sparse_initializer=list(sparse)
    )


def node(**attributes):
    """Return a node with attributes, each named after its type."""
    proto = helper.make_node("Identity", ["a"], ["b"])
    for name, value in attributes.items():
        attribute = proto.attribute.add(name=name)
        field = getattr(attribute, name)
        if name in ("tensors", "graphs", "sparse_tensors"):
            field.append(value)
        else:
            field.CopyFrom(value)
    return proto


def sparse(**tensors):
    """Return a sparse tensor of these values and indices."""
    proto = onnx.SparseTensorProto()
    for name, value in tensors.items():
        getattr(proto, name).CopyFrom(value)
    return proto


def model(body=None):
    """Return a model of a graph, by default of one without external data."""
    return helper.make_model(body or graph(initializer=[tensor(None)]))


def in_function(**attributes):
    """Return a model with a function whose node has attributes."""
    proto = model()
    proto.functions.append(
        helper.make_function("d", "f", ["a"], ["b"], [node(**attributes)], proto.opset_import)
    )
    return proto


def in_function_attribute():
    """Return a model with a function whose attribute has a tensor by default."""
    proto = model()
    function = proto.functions.add(name="f", domain="d")
    default = function.attribute_proto.add(name="t", type=AttributeProto.TENSOR)
    default.t.CopyFrom(tensor())
    return proto


def in_training(field_name):
    """Return a model with a graph for training."""
    proto = model()
    getattr(proto.training_info.add(), field_name).CopyFrom(graph(initializer=[tensor()]))
    return proto


EXTERNAL = {
    "initializer": model(graph(initializer=[tensor()])),
    "the last of many": model(graph(initializer=[tensor(None)] * 20 + [tensor()])),
    "sparse values": model(graph(sparse=[sparse(values=tensor(), indices=tensor(None))])),
    "sparse indices": model(graph(sparse=[sparse(values=tensor(None), indices=tensor())])),
    "attribute": model(graph([node(t=tensor())])),
    "attribute list": model(graph([node(tensors=tensor())])),
    "sparse attribute": model(graph([node(sparse_tensor=sparse(values=tensor()))])),
    "sparse attribute list": model(graph([node(sparse_tensors=sparse(indices=tensor()))])),
    "subgraph": model(graph([node(g=graph(initializer=[tensor()]))])),
    "subgraph list": model(graph([node(graphs=graph(initializer=[tensor()]))])),
    "deep": model(graph([node(g=graph([node(g=graph([node(t=tensor())]))]))])),
    "function": in_function(t=tensor()),
    "function's subgraph": in_function(g=graph(initializer=[tensor()])),
    "function's default": in_function_attribute(),
    "training, initialization": in_training("initialization"),
    "training, algorithm": in_training("algorithm"),
    "memory of the process": model(graph(initializer=[tensor("*/_ORT_MEM_ADDR_/*")])),
    "absolute": model(graph(initializer=[tensor("/etc/passwd")])),
    "above": model(graph(initializer=[tensor("../../secret")])),
    "a location without the flag": model(graph(initializer=[tensor(data_location=0)])),
}
FLAG_ALONE = model(graph(initializer=[tensor(None, data_location=TensorProto.EXTERNAL)]))


def refused(tmp_path, content):
    """Return the message of the error that refuses a file, which names it."""
    path = tmp_path / "reader.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        check_self_contained(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


@pytest.mark.parametrize("name", EXTERNAL)
def test_external_data_is_detected_in_every_kind_of_tensor(tmp_path, name):
    assert "(external data)" in refused(tmp_path, EXTERNAL[name].SerializeToString())


def test_the_flag_of_external_data_alone_is_detected(tmp_path):
    assert "(external data)" in refused(tmp_path, FLAG_ALONE.SerializeToString())


def field(number, content):
    """Return a length-delimited field as protobuf encodes it."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value, length=1):
    """Return an integer as protobuf encodes it, padded to ``length`` bytes."""
    digits = []
    while value or len(digits) < length:
        digits.append(value & 0x7F)
        value >>= 7
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])


KEY, VALUE = field(1, b"location"), field(2, b"elsewhere")


@pytest.mark.parametrize(
    "encoded",
    [
        field(13, KEY + VALUE),
        field(13, VALUE + KEY),  # the value before the key
        field(13, VALUE + field(1, b"other") + KEY),  # the last key counts
        field(13, VALUE + field(9, b"unknown") + KEY),
        bytes([13 << 3 | 2]) + varint(len(KEY + VALUE), length=5) + KEY + VALUE,
        varint(13 << 3 | 2, length=4) + varint(len(KEY + VALUE)) + KEY + VALUE,
        field(13, b""),
        field(13, field(1, b"offset") + field(2, b"0")),
        bytes([14 << 3]) + varint(1),
        bytes([14 << 3]) + varint(1, length=9),
        bytes([14 << 3]) + varint(1 << 32 | 1),  # protobuf keeps the lower half
        bytes([14 << 3]) + varint(0) + bytes([14 << 3]) + varint(1),
    ],
)
def test_external_data_is_detected_in_any_encoding(tmp_path, encoded):
    initializer = field(8, b"w") + encoded
    content = field(7, field(5, initializer))
    assert "(external data)" in refused(tmp_path, content)
    # A second field of the graph is merged with the first.
    assert "(external data)" in refused(tmp_path, field(7, b"") + content)
    assert "(external data)" in refused(tmp_path, content + field(7, b""))


def test_a_key_among_the_weights_is_not_external_data(tmp_path):
    path = tmp_path / "reader.onnx"
    weights = tensor(None)
    weights.ClearField("float_data")
    weights.raw_data = KEY + VALUE
    weights.doc_string = "location"
    path.write_bytes(model(graph(initializer=[weights])).SerializeToString())
    check_self_contained(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no model",
        b"\x00" * 100,
        EXTERNAL["deep"].SerializeToString()[:-1],
        field(1, b"x"),
        b"\x18\x00\x00\x00ORTM" + b"\x00" * 40,
    ],
)
def test_a_file_that_is_no_graph_is_refused(tmp_path, content):
    assert "not a model that onnxruntime reads" in refused(tmp_path, content)


def test_deep_nesting_is_refused(tmp_path):
    content = field(8, b"w")
    for _ in range(2000):
        content = field(1, field(5, field(6, content)))
    refused(tmp_path, field(7, content))


def test_every_field_that_can_hold_a_tensor_is_checked():
    """Compare with the messages of onnx, so that a new field with a tensor is not overlooked."""
    nested_fields, pending, seen = set(), [onnx.ModelProto.DESCRIPTOR], set()
    while pending:
        message = pending.pop()
        if message.name in seen:
            continue
        seen.add(message.name)
        for descriptor in message.fields:
            if descriptor.message_type is not None:
                pending.append(descriptor.message_type)
                nested_fields.add((message.name, descriptor.name, descriptor.number))
    types = {}
    for name in seen:
        if hasattr(onnx, name):
            for descriptor in getattr(onnx, name).DESCRIPTOR.fields:
                if descriptor.message_type is not None:
                    types[name, descriptor.name] = descriptor.message_type.name
    # Messages with a tensor in them, at any depth.
    holders = {"TensorProto"}
    while new := {message for (message, _), kind in types.items() if kind in holders} - holders:
        holders |= new
    expected = {field for field in nested_fields if types.get(field[:2]) in holders}
    checked = {
        (message, name, number)
        for message, fields in MESSAGES.items()
        for name, number, kind, _ in fields
        if kind != "int32" and message != "TensorProto"
    }
    assert checked == expected
